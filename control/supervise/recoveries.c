/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/recoveries.h"

#include <stdio.h>
#include <string.h>

const double recoveries_limits[RECOVERIES_LIMITS] = { 0.001, 0.003, 0.01, 0.03, 0.1,
                                                      0.3,   1,     3,    10,   30 };

/* The journal's words; anything else is "other", so that there are never more series than these. */
static const char *const causes[RECOVERIES_CAUSES] = { "crash",    "hang",     "vanished",
                                                       "replaced", "reboot",   "poweroff",
                                                       "shutdown", "watchdog", "restart",
                                                       "upgrade",  "other" };

const char *recoveries_cause_word(unsigned int cause)
{
    return causes[cause];
}

static unsigned int cause_of(const struct journal_death *death)
{
    unsigned int cause = 0;

    while (cause < RECOVERIES_CAUSES - 1 && strcmp(causes[cause], death->cause) != 0)
        cause++;
    return cause;
}

static void one_count(struct recoveries *recoveries, const struct journal_death *death)
{
    bool is_back = death->back_ms >= 0 && death->depth < RECOVERIES_DEPTHS;
    unsigned int depth = is_back ? death->depth : 0, bucket = 0;
    double seconds = (double)(death->back_us > 0 ? death->back_us : death->back_ms * 1000) / 1e6;

    recoveries->counts[depth][cause_of(death)]++;
    if (!is_back)
        return;
    while (bucket < RECOVERIES_LIMITS && seconds > recoveries_limits[bucket])
        bucket++;
    recoveries->buckets[depth][bucket]++;
    recoveries->sums[depth] += seconds;
}

/* Its recovery goes on, or is still to begin: there may be a wait before it. */
static bool is_under_way(const struct journal *journal, const struct journal_death *death)
{
    return journal->recovering || (journal->wish == JOURNAL_RUN && death->back_ms < 0);
}

void recoveries_begin(struct recoveries *recoveries, const struct journal *journal)
{
    bool last_is_open =
        journal->nr_deaths && is_under_way(journal, &journal->deaths[journal->nr_deaths - 1]);

    recoveries->nr_seen = journal->nr_deaths_ever - last_is_open;
    snprintf(recoveries->uuid, sizeof(recoveries->uuid), "%s", journal->uuid);
}

void recoveries_count(struct recoveries *recoveries, const struct journal *journal)
{
    uint64_t nr_new;

    if (strcmp(recoveries->uuid, journal->uuid) != 0 ||
        journal->nr_deaths_ever < recoveries->nr_seen) {
        recoveries->nr_seen = 0; /* another journal, since the name was started anew */
        snprintf(recoveries->uuid, sizeof(recoveries->uuid), "%s", journal->uuid);
    }
    nr_new = journal->nr_deaths_ever - recoveries->nr_seen;
    if (nr_new > journal->nr_deaths)
        nr_new = journal->nr_deaths; /* those before are forgotten */
    for (unsigned int i = journal->nr_deaths - (unsigned int)nr_new; i < journal->nr_deaths; i++) {
        if (i == journal->nr_deaths - 1 && is_under_way(journal, &journal->deaths[i])) {
            recoveries->nr_seen = journal->nr_deaths_ever - 1;
            return;
        }
        one_count(recoveries, &journal->deaths[i]);
    }
    recoveries->nr_seen = journal->nr_deaths_ever;
}
