/* SPDX-License-Identifier: BSD-2-Clause */
/* What ferryd does about a driver domain each time it looks at it. */
#include "supervise/look.h"

#include <errno.h>
#include <libxl_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"
#include "supervise/beats.h"
#include "supervise/hooks.h"
#include "supervise/journald.h"
#include "supervise/recovery.h"
#include "supervise/watch.h"
#include "supervise/worker.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/pci.h"
#include "xen/store.h"

#include <xen/io/xenbus.h>

#define LOCK_RETRY_MS 50
#define FINISH_LIMIT_MS 3000

static void events_off(struct supervised *supervised)
{
    if (supervised->evgen)
        libxl_evdisable_domain_death(supervised->common->host->xl, supervised->evgen);
    supervised->evgen = NULL;
}

/* Events are a hint that comes early; supervised_look() finds everything without them too. */
static void events_on(struct supervised *supervised)
{
    if (supervised->evgen && supervised->evgen_domid == supervised->journal.domid)
        return;
    events_off(supervised);
    supervised->evgen_domid = supervised->journal.domid;
    if (libxl_evenable_domain_death(supervised->common->host->xl, supervised->journal.domid, 0,
                                    &supervised->evgen))
        supervised->evgen = NULL;
}

void supervised_free(struct supervised *supervised)
{
    events_off(supervised);
    supervised_forget(supervised);
    beats_forget(supervised->journal.name);
    supervised_unlock(supervised);
    free(supervised);
}

/* Read the journal if its file is another than the last time. */
static int journal_fresh(struct supervised *supervised)
{
    struct stat now;
    int err = journal_stat(supervised->journal.name, &now);

    supervised->unread = err;
    if (err || (now.st_ino == supervised->read.st_ino && now.st_dev == supervised->read.st_dev &&
                now.st_mtim.tv_sec == supervised->read.st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == supervised->read.st_mtim.tv_nsec))
        return err;
    err = journal_load(supervised->journal.name, &supervised->journal);
    if (!err)
        supervised->read = now;
    supervised->unread = err;
    return err;
}

static int end(struct supervised *supervised)
{
    return domain_destroy(supervised->common->host, &supervised->journal);
}

/* Shut down by itself, on purpose: a message on its console, or `xl shutdown`. */
static void respect(struct supervised *supervised)
{
    supervised->journal.wish = JOURNAL_STOP;
    supervised_save(supervised);
    log_line("%s: it shut itself down; that is respected (its console says why: `ferry logs %s`)",
             supervised->journal.name, supervised->journal.name);
    events_off(supervised);
    supervised_forget(supervised);
    supervised_worker_start(supervised, end);
}

/* What the domain said of its death, if it had the time to. */
static void report_take(struct supervised *supervised, struct journal_death *death)
{
    supervised->report[0] = '\0';
    if (!supervised->has_status || supervised->status.phase != FERRY_PHASE_DYING)
        return;
    snprintf(supervised->report, sizeof(supervised->report), "%s", supervised->status.report);
    snprintf(death->reason, sizeof(death->reason), "%s", supervised->status.reason);
    snprintf(death->last_port, sizeof(death->last_port), "%s", supervised->status.last_port);
}

static void give_up(struct supervised *supervised, unsigned int nr_failed)
{
    struct journal *journal = &supervised->journal;
    const char *port = journal_death_last(journal)->last_port;
    const struct backoff *backoff = &supervised->common->backoff;

    journal->wish = JOURNAL_GIVEN_UP;
    if (nr_failed)
        log_line("%s: rebuilt %u times in a row, and it did not come up: given up; `ferry logs "
                 "--report %s` has the last words, `ferry restart %s` tries again",
                 journal->name, nr_failed, journal->name, journal->name);
    else
        log_line(
            "%s: more than %u deaths within %u s: given up%s%s%s; `ferry logs --report %s` has the "
            "last "
            "words, `ferry restart %s` tries again",
            journal->name, backoff->max_deaths, backoff->window_ms / 1000,
            *port ? "; it was last at work for " : "", port,
            *port && strncmp(port, "vif", 3) == 0 ? " (a guest that does this can be detached)"
                                                  : "",
            journal->name, journal->name);
    supervised_unwatch(supervised);
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        pci_quiet(&journal->nics[i].bdf); /* the remains stay, for whoever looks into it */
}

/* Note a new death, once. Returns whether to recover now. */
static bool death_take(struct supervised *supervised, const char *why)
{
    struct journal *journal = &supervised->journal;
    int64_t times[JOURNAL_DEATHS_MAX], delay;
    struct journal_death *death;
    unsigned int nr_failed;

    if (supervised->noted)
        return true;
    journal_death_add(journal, host_now_ms(), host_ticks_ms(), why);
    death = journal_death_last(journal);
    death->began_us = supervised->noticed_us;
    report_take(supervised, death);
    supervised->noted = true;
    delay = backoff_delay_ms(&supervised->common->backoff, times,
                             journal_death_times(journal, times), host_ticks_ms());
    nr_failed = delay != BACKOFF_STOP && journal->is_linux ? journal_rebuilds_failed(journal) : 0;
    if (nr_failed && backoff_is_futile(&supervised->common->backoff, nr_failed))
        delay = BACKOFF_STOP;
    log_line("%s: died: %s%s%s (death %lu)", journal->name, why, *death->reason ? ": " : "",
             death->reason, journal->nr_deaths_ever);
    if (delay == 0)
        return true; /* supervised_recover() saves it */
    supervised_report_keep(supervised);
    if (delay == BACKOFF_STOP)
        give_up(supervised, nr_failed);
    supervised_save(supervised);
    supervised->retry_ms = host_ticks_ms() + (delay > 0 ? delay : 0);
    if (delay > 0)
        log_line("%s: waiting for %ld ms first", journal->name, (long)delay);
    return false;
}

/* The machine went down, and the domain with it: that is no death of its own. */
static void leave_behind(struct supervised *supervised)
{
    struct journal *journal = &supervised->journal;

    journal->wish = JOURNAL_STOP;
    journal->domid = JOURNAL_NO_DOMID;
    journal->recovering = false;
    supervised_save(supervised);
    log_line("%s: ran before this machine was booted; it is not started by that: `ferry start`",
             journal->name);
    events_off(supervised);
    supervised_forget(supervised);
}

/* The lock is ours and the journal is fresh: what is the matter? */
static void act(struct supervised *supervised, bool hangs)
{
    struct journal *journal = &supervised->journal;
    bool cut_short = journal->recovering && journal->nr_deaths;
    struct domain_seen seen;
    enum domain_state now;
    const char *why = "hang";

    if (journal->wish == JOURNAL_RUN && journal_is_of_another_boot(journal)) {
        leave_behind(supervised);
        return;
    }
    if (journal->wish != JOURNAL_RUN || domain_look(supervised->common->host, journal, &seen))
        return;
    now = domain_state_of(&seen, &why);
    if (now == DOMAIN_STATE_ENDED && !cut_short) {
        respect(supervised);
        return;
    }
    if (now == DOMAIN_STATE_WAIT || (now == DOMAIN_STATE_FINE && !cut_short && !hangs))
        return;
    if (cut_short && !supervised->noted) {
        log_line("%s: a recovery was cut short", journal->name);
        journal_death_last(journal)->began_us = supervised->noticed_us;
        supervised->noted = true;
    }
    if (death_take(supervised, why))
        supervised_recover(supervised, cut_short);
}

/* Whether somebody takes its devices, as `xl destroy` does first: then it stands still for that reason, and
 * is gone soon. */
static bool is_taken_apart(const struct supervised *supervised)
{
    return store_state(supervised->common->host->xs, "/local/domain/0/backend/pci/%u/0/state",
                       supervised->journal.domid) != XenbusStateConnected;
}

/* Returns whether there is nothing to do. */
static bool is_fine(struct supervised *supervised, bool *hangs_r)
{
    struct domain_seen seen;
    const char *why;

    *hangs_r = false;
    if (supervised->journal.wish != JOURNAL_RUN) {
        supervised_forget(supervised);
        beats_forget(supervised->journal.name);
        return true;
    }
    if (domain_look(supervised->common->host, &supervised->journal, &seen))
        return true;
    if (supervised->journal.recovering && journal_last_is_rebuild(&supervised->journal))
        supervised_forget(supervised); /* what is known of the old one holds no more */
    else if (seen.exists && seen.is_ours && !seen.dying)
        *hangs_r = supervised_watch(supervised, !seen.shut_down) && !is_taken_apart(supervised);
    else
        supervised_unwatch(supervised);
    return domain_state_of(&seen, &why) == DOMAIN_STATE_FINE && !supervised->journal.recovering &&
           !*hangs_r;
}

/* What hooks_run() itself says something about is not said twice, nor again at each death. */
static void hooks_tell(const struct journal *journal, const struct journal_death *death)
{
    static int told;
    int err = hooks_run(journal, death);

    if (err < 0 && err != -EPERM && err != told)
        log_line("%s/hooks.d cannot be read: %s; nothing there is run", files_config_dir(),
                 strerror(-err));
    told = err < 0 ? err : 0;
}

/* Deaths that are over, or that nobody brings it back from. */
static void deaths_tell(struct supervised *supervised)
{
    const struct journal *journal = &supervised->journal;
    uint64_t nr = journal->nr_deaths_ever - supervised->nr_told;

    if (nr > journal->nr_deaths)
        nr = journal->nr_deaths;
    for (unsigned int i = journal->nr_deaths - (unsigned int)nr; i < journal->nr_deaths; i++) {
        const struct journal_death *death = &journal->deaths[i];

        if (journal_death_is_planned(death))
            continue;
        journald_send(journal, death);
        hooks_tell(journal, death);
    }
    supervised->nr_told = journal->nr_deaths_ever;
}

void supervised_look(struct supervised *supervised)
{
    bool hangs;

    if (supervised->worker) {
        supervised_worker_look(supervised);
        return;
    }
    if (supervised->reloading) {
        supervised_reload_look(supervised);
        return;
    }
    if (journal_fresh(supervised)) {
        /* supervisor_refresh() will find it gone, or say what is wrong with it; what is mapped would keep it from going */
        supervised_unwatch(supervised);
        return;
    }
    if (is_fine(supervised, &hangs)) {
        if (supervised->journal.wish == JOURNAL_RUN)
            events_on(supervised);
        else
            events_off(supervised);
        supervised_alive(supervised);
        if (!supervised->journal.recovering)
            deaths_tell(supervised);
        return;
    }
    if (!supervised->noticed_us)
        supervised->noticed_us = host_ticks_us();
    if (host_ticks_ms() < supervised->retry_ms)
        return;
    supervised->lock = files_lock(supervised->journal.name, false);
    if (supervised->lock < 0) { /* `ferry` is at work on it */
        supervised->lock = -1;
        supervised->retry_ms = host_ticks_ms() + LOCK_RETRY_MS;
        return;
    }
    if (journal_fresh(supervised) == 0)
        act(supervised, hangs);
    if (!supervised_is_busy(supervised))
        supervised_unlock(supervised);
    else
        events_off(
            supervised); /* libxl tells of a shutdown once; after this one there may be another */
}

void supervised_finish(struct supervised *supervised)
{
    int64_t deadline = host_ticks_ms() + FINISH_LIMIT_MS;

    while (supervised->reloading && host_ticks_ms() < deadline) {
        host_sleep_ms(1);
        supervised_reload_look(supervised);
    }
}
