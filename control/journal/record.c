/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal/record.h"

#include <stdio.h>
#include <string.h>

const char *journal_wish_word(enum journal_wish wish)
{
    static const char *const words[] = { "run", "stop", "given up" };

    return words[wish];
}

void journal_death_add(struct journal *journal, int64_t at_ms, int64_t ticks_ms, const char *cause)
{
    struct journal_death *death;

    if (journal->nr_deaths == JOURNAL_DEATHS_MAX) {
        memmove(&journal->deaths[0], &journal->deaths[1],
                (JOURNAL_DEATHS_MAX - 1) * sizeof(journal->deaths[0]));
        journal->nr_deaths--;
    }
    death = &journal->deaths[journal->nr_deaths++];
    memset(death, 0, sizeof(*death));
    death->at_ms = at_ms;
    death->ticks_ms = ticks_ms;
    death->back_ms = -1;
    snprintf(death->cause, sizeof(death->cause), "%s", cause);
    journal->nr_deaths_ever++;
}

unsigned int journal_death_times(const struct journal *journal, int64_t times_r[JOURNAL_DEATHS_MAX])
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < journal->nr_deaths; i++)
        if (!journal_death_is_planned(&journal->deaths[i]) && journal->deaths[i].ticks_ms >= 0)
            times_r[nr++] = journal->deaths[i].ticks_ms;
    return nr;
}

unsigned int journal_rebuilds_failed(const struct journal *journal)
{
    unsigned int nr = 0;

    for (unsigned int i = journal->nr_deaths; i-- > 1; nr++) {
        const struct journal_death *death = &journal->deaths[i - 1];

        if (death->depth != 3 || death->back_ms >= 0 || death->ticks_ms < 0 ||
            journal_death_is_planned(death))
            break;
    }
    return nr;
}

void journal_deaths_age(struct journal *journal)
{
    for (unsigned int i = 0; i < journal->nr_deaths; i++)
        journal->deaths[i].ticks_ms = -1;
}

struct journal_death *journal_death_last(struct journal *journal)
{
    return &journal->deaths[journal->nr_deaths - 1];
}

void journal_step_add(struct journal_death *death, const char *name, int64_t us)
{
    struct journal_step *step;

    if (death->nr_steps == JOURNAL_STEPS_MAX)
        return;
    step = &death->steps[death->nr_steps++];
    snprintf(step->name, sizeof(step->name), "%s", name);
    step->us = us;
}

bool journal_death_is_planned(const struct journal_death *death)
{
    return strcmp(death->cause, "restart") == 0 || strcmp(death->cause, "upgrade") == 0;
}

bool journal_last_is_rebuild(const struct journal *journal)
{
    return journal->nr_deaths && journal->deaths[journal->nr_deaths - 1].depth == 3;
}
