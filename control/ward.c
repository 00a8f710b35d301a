/* SPDX-License-Identifier: BSD-2-Clause */
#include "ward.h"

#include <errno.h>
#include <libxl_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "outside.h"
#include "pci.h"
#include "recover.h"
#include "say.h"
#include "store.h"

#include <xen/io/xenbus.h>

#define LOCK_RETRY_MS 50
#define FINISH_LIMIT_MS 3000

struct ward *ward_new(struct keeper *keeper, const struct journal *journal)
{
    struct ward *ward = calloc(1, sizeof(*ward));

    if (ward) {
        ward->keeper = keeper;
        ward->journal = *journal;
        ward->lock = -1;
    }
    return ward;
}

static void events_off(struct ward *ward)
{
    if (ward->evgen)
        libxl_evdisable_domain_death(ward->keeper->host->xl, ward->evgen);
    ward->evgen = NULL;
}

/* Events are a hint that comes early; ward_look() finds everything without them too. */
static void events_on(struct ward *ward)
{
    if (ward->evgen && ward->evgen_domid == ward->journal.domid)
        return;
    events_off(ward);
    ward->evgen_domid = ward->journal.domid;
    if (libxl_evenable_domain_death(ward->keeper->host->xl, ward->journal.domid, 0, &ward->evgen))
        ward->evgen = NULL;
}

void ward_free(struct ward *ward)
{
    events_off(ward);
    ward_forget(ward);
    ward_unlock(ward);
    free(ward);
}

void ward_save(const struct ward *ward)
{
    int err = journal_save(&ward->journal);

    if (err)
        say("%s: the journal cannot be written: %s", ward->journal.name, strerror(-err));
}

void ward_unlock(struct ward *ward)
{
    if (ward->lock >= 0) {
        flock(ward->lock, LOCK_UN); /* a worker may have inherited it */
        close(ward->lock);
    }
    ward->lock = -1;
}

void ward_alive(struct ward *ward)
{
    ward->noticed_us = 0;
    ward->retry_ms = 0;
    ward->noted = false;
    ward->nr_failed = 0;
}

bool ward_is_busy(const struct ward *ward)
{
    return ward->reloading || ward->worker;
}

void ward_report_keep(const struct ward *ward)
{
    recover_report_keep(&ward->journal, ward->report);
}

/* Read the journal if its file is another than the last time. */
static int journal_fresh(struct ward *ward)
{
    struct stat now;
    int err = journal_stat(ward->journal.name, &now);

    if (err || (now.st_ino == ward->read.st_ino && now.st_dev == ward->read.st_dev &&
                now.st_mtim.tv_sec == ward->read.st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == ward->read.st_mtim.tv_nsec))
        return err;
    err = journal_load(ward->journal.name, &ward->journal);
    if (!err)
        ward->read = now;
    return err;
}

static int end(struct ward *ward)
{
    return host_destroy(ward->keeper->host, &ward->journal);
}

/* Shut down by itself, on purpose: a message on its console, or `xl shutdown`. */
static void respect(struct ward *ward)
{
    ward->journal.wish = JOURNAL_STOP;
    ward_save(ward);
    say("%s: it shut itself down; that is respected (its console says why: `ferry logs %s`)",
        ward->journal.name, ward->journal.name);
    events_off(ward);
    ward_forget(ward);
    ward_worker_start(ward, end);
}

/* What the domain said of its death, if it had the time to. */
static void words_take(struct ward *ward, struct journal_death *death)
{
    ward->report[0] = '\0';
    if (!ward->has_status || ward->status.phase != FERRY_PHASE_DYING)
        return;
    snprintf(ward->report, sizeof(ward->report), "%s", ward->status.report);
    snprintf(death->reason, sizeof(death->reason), "%s", ward->status.reason);
    snprintf(death->last_port, sizeof(death->last_port), "%s", ward->status.last_port);
}

static void give_up(struct ward *ward)
{
    struct journal *journal = &ward->journal;
    const char *port = journal_death_last(journal)->last_port;
    const struct backoff *backoff = &ward->keeper->backoff;

    journal->wish = JOURNAL_GIVEN_UP;
    say("%s: more than %u deaths within %u s: given up%s%s%s; `ferry logs --report %s` has the "
        "last "
        "words, `ferry restart %s` tries again",
        journal->name, backoff->max_deaths, backoff->window_ms / 1000,
        *port ? "; it was last at work for " : "", port,
        *port && strncmp(port, "vif", 3) == 0 ? " (a guest that does this can be detached)" : "",
        journal->name, journal->name);
    ward_unwatch(ward);
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        pci_quiet(&journal->nics[i].bdf); /* the remains stay, for whoever looks into it */
}

/* Note a new death, once. Returns whether to recover now. */
static bool death_take(struct ward *ward, const char *why)
{
    struct journal *journal = &ward->journal;
    int64_t times[JOURNAL_DEATHS_MAX], delay;
    struct journal_death *death;
    unsigned int nr = 0;

    if (ward->noted)
        return true;
    journal_death_add(journal, host_now_ms(), why);
    death = journal_death_last(journal);
    death->began_us = ward->noticed_us;
    words_take(ward, death);
    ward->noted = true;
    for (unsigned int i = 0; i < journal->nr_deaths; i++)
        if (!journal_death_is_planned(&journal->deaths[i]))
            times[nr++] = journal->deaths[i].at_ms;
    delay = backoff_delay_ms(&ward->keeper->backoff, times, nr, host_now_ms());
    say("%s: died: %s%s%s (death %lu)", journal->name, why, *death->reason ? ": " : "",
        death->reason, journal->nr_deaths_ever);
    if (delay == 0)
        return true; /* ward_recover() saves it */
    ward_report_keep(ward);
    if (delay == BACKOFF_STOP)
        give_up(ward);
    ward_save(ward);
    ward->retry_ms = host_ticks_ms() + (delay > 0 ? delay : 0);
    if (delay > 0)
        say("%s: waiting for %ld ms first", journal->name, (long)delay);
    return false;
}

/* The lock is ours and the journal is fresh: what is the matter? */
static void act(struct ward *ward, bool hangs)
{
    struct journal *journal = &ward->journal;
    bool cut_short = journal->recovering && journal->nr_deaths;
    struct verdict_seen seen;
    enum verdict verdict;
    const char *why = "hang";

    if (journal->wish != JOURNAL_RUN || host_look(ward->keeper->host, journal, &seen))
        return;
    verdict = verdict_of(&seen, &why);
    if (verdict == VERDICT_ENDED && !cut_short) {
        respect(ward);
        return;
    }
    if (verdict == VERDICT_WAIT || (verdict == VERDICT_FINE && !cut_short && !hangs))
        return;
    if (cut_short && !ward->noted) {
        say("%s: a recovery was cut short", journal->name);
        journal_death_last(journal)->began_us = ward->noticed_us;
        ward->noted = true;
    }
    if (death_take(ward, why))
        ward_recover(ward, cut_short);
}

/* Whether somebody takes its devices, as `xl destroy` does first: then it stands still for that reason, and
 * is gone soon. */
static bool is_taken_apart(const struct ward *ward)
{
    return store_state(ward->keeper->host->xs, "/local/domain/0/backend/pci/%u/0/state",
                       ward->journal.domid) != XenbusStateConnected;
}

/* Returns whether there is nothing to do. */
static bool is_fine(struct ward *ward, bool *hangs_r)
{
    struct verdict_seen seen;
    const char *why;

    *hangs_r = false;
    if (ward->journal.wish != JOURNAL_RUN) {
        ward_forget(ward);
        return true;
    }
    if (host_look(ward->keeper->host, &ward->journal, &seen))
        return true;
    if (seen.exists && seen.is_ours && !seen.dying)
        *hangs_r = ward_watch(ward, !seen.shut_down) && !is_taken_apart(ward);
    else
        ward_unwatch(ward);
    return verdict_of(&seen, &why) == VERDICT_FINE && !ward->journal.recovering && !*hangs_r;
}

void ward_look(struct ward *ward)
{
    bool hangs;

    if (ward->worker) {
        ward_worker_look(ward);
        return;
    }
    if (ward->reloading) {
        ward_reload_look(ward);
        return;
    }
    if (journal_fresh(ward))
        return; /* wards_refresh() will find it gone */
    if (is_fine(ward, &hangs)) {
        if (ward->journal.wish == JOURNAL_RUN)
            events_on(ward);
        else
            events_off(ward);
        ward_alive(ward);
        return;
    }
    if (!ward->noticed_us)
        ward->noticed_us = host_ticks_us();
    if (host_ticks_ms() < ward->retry_ms)
        return;
    ward->lock = files_lock(ward->journal.name, false);
    if (ward->lock < 0) { /* `ferry` is at work on it */
        ward->lock = -1;
        ward->retry_ms = host_ticks_ms() + LOCK_RETRY_MS;
        return;
    }
    if (journal_fresh(ward) == 0)
        act(ward, hangs);
    if (!ward_is_busy(ward))
        ward_unlock(ward);
    else
        events_off(ward); /* libxl tells of a shutdown once; after this one there may be another */
}

void ward_finish(struct ward *ward)
{
    int64_t deadline = host_ticks_ms() + FINISH_LIMIT_MS;

    while (ward->reloading && host_ticks_ms() < deadline) {
        host_sleep_ms(1);
        ward_reload_look(ward);
    }
}
