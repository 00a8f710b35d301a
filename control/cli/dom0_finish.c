/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dom0_finish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/dom0_move.h"
#include "cli/journal_read.h"
#include "cli/setup_text.h"
#include "journal/journal.h"
#include "journal/unfinished.h"
#include "recover/reference.h"
#include "util/faultpoint.h"
#include "util/files.h"
#include "util/log.h"

#define WAIT_MS 60000 /* a start takes seconds; a confirmation as long as its asker likes */
#define TELL_MS 1000
#define POLL_MS 100
#define TRIES 3

/* Whoever has changed it since may want it there. */
static bool is_as_written(const char *path, const char *text)
{
    char *now;
    bool is_same;

    if (files_read(path, SETUP_TEXT_SIZE, &now, NULL))
        return false;
    is_same = strcmp(now, text) == 0;
    free(now);
    return is_same;
}

static void config_lay_aside(const char *name, const struct dom0_record *record)
{
    char path[FILES_PATH_SIZE], failed[FILES_PATH_SIZE + 8];

    snprintf(path, sizeof(path), "%s/%s.cfg", files_config_dir(), name);
    if (!record->config || access(path, F_OK))
        return;
    snprintf(failed, sizeof(failed), "%s.failed", path);
    if (!is_as_written(path, record->config))
        log_line("%s is another than `ferry setup` wrote, and is left there", path);
    else if (rename(path, failed))
        log_line("%s: %s%s; take it away before the next `ferry setup`", path, strerror(errno),
                 files_todo(-errno));
    else
        printf("its configuration is now %s\n", failed);
}

static void interface_tell(const struct dom0_record *record, int err)
{
    const struct dom0_interface *nic = &record->keep.net.nic;
    char address[BDF_SIZE];

    bdf_format(&record->bdf, address);
    if (!*nic->name)
        printf("%s is as it was\n", address);
    else if (err)
        printf("%s is dom0's again, but not all of it could be brought back: see above\n",
               nic->name);
    else
        printf("%s is dom0's again, %s\n", nic->name,
               nic->up ? "up, with the addresses and routes it had" : "down, as it was");
}

static void not_yet_tell(const char *name)
{
    char path[FILES_PATH_SIZE];

    unfinished_path(name, path);
    log_line("%s: dom0 has no interface on its card: that is tried again; to give it up, remove %s",
             name, path);
}

/* Returns 0 with what is known of the domain, whose name is "" if nothing is. */
static int journal_find(const char *name, const struct dom0_record *record,
                        struct journal *journal_r)
{
    int err = journal_load(name, journal_r);

    if (err && err != -ENOENT) {
        journal_fault_tell(name, err);
        return err;
    }
    /* `xl create` made that one, or it is none of this boot. */
    if (err || (journal_r->adopted && record->what != DOM0_STOP) ||
        journal_is_of_another_boot(journal_r))
        journal_r->name[0] = '\0';
    return 0;
}

static int domain_end(struct host *host, const char *name, const struct dom0_record *record,
                      struct journal *journal_r)
{
    int err = journal_find(name, record, journal_r);

    if (err || !*journal_r->name)
        return err;
    err = -EIO;
    for (unsigned int i = 0; i < TRIES && err; i++)
        err = command_end_domain(host, journal_r, &record->vif);
    if (err)
        log_line("%s could not be stopped, and has dom0's card: `ferry stop %s` again; ferryd "
                 "tries it, too",
                 name, name);
    return err;
}

static int finish(struct host *host, const char *name, const struct dom0_record *record)
{
    struct journal journal;
    int err = domain_end(host, name, record, &journal);

    if (err)
        return err;
    faultpoint("ended");
    err = dom0_move_back(host, name, record);
    interface_tell(record, err);
    config_lay_aside(name, record);
    faultpoint("laid aside");
    if (err != -ENODEV)
        dom0_record_remove(name);
    else
        not_yet_tell(name);
    faultpoint("record gone");
    if (*journal.name) {
        reference_forget(&journal);
        journal_remove(name);
    }
    return err;
}

int dom0_finish(struct host *host, const char *name, const struct dom0_record *record)
{
    int lock = files_lock(name, true), err; /* ferryd may have it */

    dom0_signals_ignore();
    if (lock < 0) {
        log_line("%s/%s.lock: %s%s", files_run_dir(), name, strerror(-lock), files_todo(lock));
        return EXIT_FAILED;
    }
    err = finish(host, name, record);
    close(lock);
    return err ? EXIT_FAILED : EXIT_OK;
}

static int found_finish(struct host *host, const char *name)
{
    struct dom0_record record;
    int err = dom0_record_load(name, &record);

    if (err)
        return err == -ENOENT ? EXIT_OK : EXIT_FAILED;
    log_line("%s: a `ferry %s` was cut short; %s", name, dom0_record_word(record.what),
             record.what == DOM0_STOP ? "it is done to its end" : "all of it is undone");
    err = dom0_finish(host, name, &record);
    dom0_record_dispose(&record);
    return err;
}

static int guard_wait(const char *name)
{
    int64_t start = host_ticks_ms();
    bool is_told = false;
    int guard;

    while ((guard = unfinished_guard(name)) == -EAGAIN && host_ticks_ms() - start < WAIT_MS) {
        if (!is_told && host_ticks_ms() - start > TELL_MS) {
            log_line("%s: waits for another `ferry` that is at work on it", name);
            is_told = true;
        }
        host_sleep_ms(POLL_MS);
    }
    if (guard == -EAGAIN)
        log_line(
            "%s: another `ferry` starts, stops or sets it up, or waits to have that confirmed: "
            "let it come to its end first",
            name);
    else if (guard < 0)
        log_line("%s: %s%s", files_run_dir(), strerror(-guard), files_todo(guard));
    return guard;
}

int dom0_finish_take(struct host *host, const char *name, int *guard_r)
{
    int code;

    *guard_r = guard_wait(name);
    if (*guard_r < 0)
        return EXIT_FAILED;
    code = found_finish(host, name);
    if (code)
        close(*guard_r);
    return code;
}

void dom0_finish_abandoned(const char *name)
{
    struct host host;
    int guard;

    if (!unfinished_is_abandoned(name) || host_open(&host))
        return;
    guard = unfinished_guard(name);
    if (guard >= 0) {
        found_finish(&host, name);
        close(guard);
    }
    host_close(&host);
}
