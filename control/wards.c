/* SPDX-License-Identifier: BSD-2-Clause */
#include "wards.h"

#include <errno.h>
#include <libxl_event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"
#include "recover.h"
#include "say.h"

#define LOCK_RETRY_MS 200

static void events_off(struct wards *wards, struct ward *ward)
{
    if (ward->evgen)
        libxl_evdisable_domain_death(wards->host->xl, ward->evgen);
    ward->evgen = NULL;
}

/* Events are a hint that comes early; wards_look() finds everything without them too. */
static void events_on(struct wards *wards, struct ward *ward)
{
    if (ward->evgen && ward->evgen_domid == ward->journal.domid)
        return;
    events_off(wards, ward);
    ward->evgen_domid = ward->journal.domid;
    if (libxl_evenable_domain_death(wards->host->xl, ward->journal.domid, 0, &ward->evgen))
        ward->evgen = NULL;
}

static void name_seen(void *ctx, const char *name)
{
    struct wards *wards = ctx;
    struct journal journal;
    struct ward *ward;
    int err = journal_load(name, &journal);

    for (unsigned int i = 0; i < wards->nr; i++) {
        if (strcmp(wards->wards[i].journal.name, name) == 0) {
            wards->wards[i].seen = true;
            return;
        }
    }
    if (err || wards->nr == WARDS_MAX) {
        if (err != -ENOENT && strcmp(wards->left_out, name) != 0)
            say("%s: not looked after: %s", name,
                err ? "its journal makes no sense" : "there are too many");
        snprintf(wards->left_out, sizeof(wards->left_out), "%s", name);
        return;
    }
    ward = &wards->wards[wards->nr++];
    memset(ward, 0, sizeof(*ward));
    ward->journal = journal;
    ward->seen = true;
    say("%s: looked after from now on (%s, id %d)", name, journal_wish_word(journal.wish),
        (int)journal.domid);
}

void wards_refresh(struct wards *wards)
{
    for (unsigned int i = 0; i < wards->nr; i++)
        wards->wards[i].seen = false;
    journal_each(name_seen, wards);
    for (unsigned int i = 0; i < wards->nr;) {
        if (wards->wards[i].seen) {
            i++;
            continue;
        }
        events_off(wards, &wards->wards[i]);
        say("%s: not looked after any more", wards->wards[i].journal.name);
        wards->wards[i] = wards->wards[--wards->nr];
    }
}

static void save(const struct journal *journal)
{
    int err = journal_save(journal);

    if (err)
        say("%s: the journal cannot be written: %s", journal->name, strerror(-err));
}

static void alive(struct ward *ward)
{
    ward->noticed_ms = 0;
    ward->retry_ms = 0;
    ward->noted = false;
}

/* Shut down by itself, on purpose: a message on its console, or `xl shutdown`. */
static void respect(struct wards *wards, struct ward *ward)
{
    struct journal *journal = &ward->journal;

    journal->wish = JOURNAL_STOP;
    save(journal);
    say("%s: it shut itself down; that is respected (its console says why: `ferry logs %s`)",
        journal->name, journal->name);
    host_destroy(wards->host, journal);
    events_off(wards, ward);
}

/* Note a new death, once. Returns whether to recover now. */
static bool death_take(struct wards *wards, struct ward *ward, const char *why)
{
    struct journal *journal = &ward->journal;
    int64_t times[JOURNAL_DEATHS_MAX], delay;

    if (ward->noted)
        return true;
    recover_note_death(journal, why);
    ward->noted = true;
    for (unsigned int i = 0; i < journal->nr_deaths; i++)
        times[i] = journal->deaths[i].at_ms;
    delay = backoff_delay_ms(&wards->backoff, times, journal->nr_deaths, host_now_ms());
    say("%s: died: %s (death %lu)", journal->name, why, journal->nr_deaths_ever);
    if (delay == BACKOFF_STOP) {
        journal->wish = JOURNAL_GIVEN_UP;
        say("%s: more than %u deaths within %u s: given up; `ferry logs --report %s` has the last "
            "words, `ferry restart %s` tries again",
            journal->name, wards->backoff.max_deaths, wards->backoff.window_ms / 1000,
            journal->name, journal->name);
        for (unsigned int i = 0; i < journal->nr_nics; i++)
            pci_quiet(&journal->nics[i].bdf); /* the remains stay, for whoever looks into it */
    }
    if (delay == 0)
        return true; /* recover() saves it */
    save(journal);
    ward->retry_ms = host_ticks_ms() + (delay > 0 ? delay : 0);
    if (delay > 0)
        say("%s: waiting for %ld ms first", journal->name, (long)delay);
    return false;
}

/* The lock is ours and the journal is fresh: what is the matter? */
static void act(struct wards *wards, struct ward *ward)
{
    struct verdict_seen seen;
    const char *why = "cut short";
    enum verdict verdict;
    int err;

    if (ward->journal.wish != JOURNAL_RUN || host_look(wards->host, &ward->journal, &seen))
        return;
    verdict = verdict_of(&seen, &why);
    if (verdict == VERDICT_FINE && ward->journal.recovering) {
        why = "cut short";
        verdict = VERDICT_RECOVER;
    }
    if (verdict == VERDICT_ENDED)
        respect(wards, ward);
    if (verdict != VERDICT_RECOVER && verdict != VERDICT_REPLACED)
        return;
    if (!death_take(wards, ward, why))
        return;
    if (ward->journal.recovering)
        host_destroy_twin(wards->host, &ward->journal);
    err = recover(wards->host, &ward->journal, ward->noticed_ms);
    events_off(wards, ward);
    if (err)
        say("%s: could not be brought back: %s", ward->journal.name, strerror(-err));
    alive(ward);
}

static bool is_fine(struct wards *wards, struct ward *ward)
{
    struct verdict_seen seen;
    const char *why;

    return ward->journal.wish != JOURNAL_RUN || host_look(wards->host, &ward->journal, &seen) ||
           (verdict_of(&seen, &why) == VERDICT_FINE && !ward->journal.recovering);
}

static void look(struct wards *wards, struct ward *ward)
{
    int lock;

    if (journal_load(ward->journal.name, &ward->journal))
        return; /* wards_refresh() will find it gone */
    if (is_fine(wards, ward)) {
        if (ward->journal.wish == JOURNAL_RUN)
            events_on(wards, ward);
        else
            events_off(wards, ward);
        alive(ward);
        return;
    }
    if (!ward->noticed_ms)
        ward->noticed_ms = host_ticks_ms();
    if (host_ticks_ms() < ward->retry_ms)
        return;
    lock = files_lock(ward->journal.name, false);
    if (lock < 0) { /* `ferry` is at work on it */
        ward->retry_ms = host_ticks_ms() + LOCK_RETRY_MS;
        return;
    }
    if (journal_load(ward->journal.name, &ward->journal) == 0)
        act(wards, ward);
    close(lock);
}

void wards_look(struct wards *wards)
{
    for (unsigned int i = 0; i < wards->nr; i++)
        look(wards, &wards->wards[i]);
}
