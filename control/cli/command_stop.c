/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/dom0_finish.h"
#include "cli/dom0_move.h"
#include "journal/journal.h"
#include "journal/unfinished.h"
#include "recover/reference.h"
#include "util/faultpoint.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/pci.h"

/* A full disk is no reason not to be stopped: until the machine's next boot what is noted in memory holds. */
static int stop_note(const struct journal *journal)
{
    int err = journal_save_quick(journal);

    if (err)
        log_line("%s: nor %s/%s.json: %s%s; it is not stopped, as ferryd would bring it back",
                 journal->name, files_run_dir(), journal->name, strerror(-err), files_todo(err));
    return err;
}

/* It is looked after as before. */
static void stop_give_up(struct journal *journal, enum journal_wish wish)
{
    journal->wish = wish;
    if (command_journal_save(journal) && journal_save_quick(journal))
        log_line("%s: ferryd takes it for stopped, and does not bring it back if it dies",
                 journal->name);
}

int command_end_domain(struct host *host, struct journal *journal, const struct dom0_vif *vif)
{
    enum journal_wish wish = journal->wish;
    int err;

    journal->wish = JOURNAL_STOP; /* first, so that ferryd does not take it for a death */
    if (command_journal_save(journal) && stop_note(journal))
        return -EROFS;
    faultpoint("noted to stop");
    if (dom0_move_unplug(host, journal, vif)) {
        stop_give_up(journal, wish);
        return -EBUSY;
    }
    domain_destroy_twin(host, journal); /* a start that was cut short left it */
    err = domain_destroy(host, journal);
    if (err && err != -EEXIST) {
        log_line("%s: the domain does not go away: %s; see `xl list`", journal->name,
                 strerror(-err));
        return err;
    }
    faultpoint("destroyed");
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        if (journal->nics[i].taken)
            pci_give_back(host, &journal->nics[i].bdf);
    faultpoint("given back");
    return 0;
}

/* The record goes first: it alone says what is still to be done to dom0's network. An interface that is not there yet may come. */
static void all_forget(const struct journal *journal, int err)
{
    if (err != -ENODEV)
        dom0_record_remove(journal->name);
    reference_forget(journal);
    faultpoint("record gone");
    journal_remove(journal->name);
}

static int stop(struct host *host, struct journal *journal)
{
    struct dom0_record dom0;
    int err;

    if (dom0_move_begin(host, journal, &dom0))
        return EXIT_FAILED;
    err = command_end_domain(host, journal, &dom0.vif);
    if (err) {
        int undone = err == -EROFS ? 0 : dom0_move_undo(host, journal, &dom0);

        if (undone == 0 || undone == -EIO)
            dom0_record_remove(journal->name);
        else
            log_line("%s: dom0 is without its network until the stop is finished: `ferry stop %s` "
                     "again, or ferryd, does that",
                     journal->name, journal->name);
    } else {
        int left = *dom0.keep.net.nic.name && journal->nr_nics && journal->nics[0].taken
                       ? dom0_move_back(host, journal->name, &dom0)
                       : 0;

        all_forget(journal, left);
        printf("%s is stopped\n", journal->name);
        if (left)
            log_line("%s: not all of dom0's network could be moved back to its card: see above%s",
                     journal->name,
                     left == -ENODEV ? "; `ferry stop` again, or ferryd, tries once more" : "");
        err = left;
    }
    dom0_record_dispose(&dom0);
    return err ? EXIT_FAILED : EXIT_OK;
}

/* Nothing but what another `ferry` has left. */
static int finish_only(struct host *host, const char *name)
{
    int guard, code = dom0_finish_take(host, name, &guard);

    if (code == EXIT_OK)
        close(guard);
    return code;
}

static int stop_named(struct host *host, const char *name)
{
    bool was_unfinished = unfinished_is_there(name);
    int guard, lock, code = dom0_finish_take(host, name, &guard);
    struct journal journal;

    if (code)
        return code;
    if (was_unfinished && journal_stat(name, &(struct stat){ 0 }) == -ENOENT) {
        close(guard); /* that was all of it */
        return EXIT_OK;
    }
    code = command_journal_take(name, &journal, &lock);
    if (!code) {
        code = stop(host, &journal);
        close(lock);
    }
    close(guard);
    return code;
}

int command_stop(int argc, char **argv)
{
    bool unfinished = false;
    int code = command_words(argc, argv, 1, 1, "unfinished", &unfinished);
    const char *name = argv[optind];
    struct host host;

    if (code >= 0)
        return code;
    if (!files_name_ok(name)) {
        log_line("'%.63s' cannot be the name of a driver domain", name);
        return EXIT_NO_SUCH;
    }
    if (host_open(&host))
        return EXIT_FAILED;
    code = unfinished ? finish_only(&host, name) : stop_named(&host, name);
    host_close(&host);
    command_tell_ferryd();
    return code;
}
