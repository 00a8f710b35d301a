/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/dom0_move.h"
#include "journal/journal.h"
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
static int stop_give_up(struct journal *journal, enum journal_wish wish)
{
    journal->wish = wish;
    if (command_journal_save(journal))
        log_line("%s: ferryd takes it for stopped, and does not bring it back if it dies",
                 journal->name);
    return EXIT_FAILED;
}

int command_stop_domain(struct host *host, struct journal *journal)
{
    enum journal_wish wish = journal->wish;
    struct dom0_moved dom0;
    int err;

    journal->wish = JOURNAL_STOP; /* first, so that ferryd does not take it for a death */
    if (command_journal_save(journal) && stop_note(journal))
        return EXIT_FAILED;
    faultpoint("noted to stop");
    if (dom0_move_begin(host, journal, &dom0))
        return stop_give_up(journal, wish);
    domain_destroy_twin(host, journal); /* a start that was cut short left it */
    err = domain_destroy(host, journal);
    if (err && err != -EEXIST) {
        log_line("%s: the domain does not go away: %s; see `xl list`", journal->name,
                 strerror(-err));
        dom0_move_undo(host, journal, &dom0);
        return EXIT_FAILED;
    }
    faultpoint("destroyed");
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        if (journal->nics[i].taken)
            pci_give_back(host, &journal->nics[i].bdf);
    faultpoint("given back");
    err = dom0_move_back(journal, &dom0);
    reference_forget(journal);
    journal_remove(journal->name);
    printf("%s is stopped\n", journal->name);
    if (err)
        log_line("%s: not all of dom0's network could be moved back to its card: see above",
                 journal->name);
    return err ? EXIT_FAILED : EXIT_OK;
}

int command_stop(int argc, char **argv)
{
    int lock, code = command_words(argc, argv, 1, 1, NULL, NULL);
    struct journal journal;
    struct host host;

    if (code >= 0)
        return code;
    code = command_journal_take(argv[optind], &journal, &lock);
    if (code)
        return code;
    code = EXIT_FAILED;
    if (host_open(&host) == 0) {
        code = command_stop_domain(&host, &journal);
        host_close(&host);
    }
    close(lock);
    command_tell_ferryd();
    return code;
}
