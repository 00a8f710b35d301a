/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/depth.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool depth_alike(const struct journal_death *a, const struct journal_death *b)
{
    if (strcmp(a->cause, b->cause) != 0)
        return false;
    for (size_t i = 0; i < sizeof(a->reason); i++) {
        if (is_digit(a->reason[i]) && is_digit(b->reason[i]))
            return true; /* what follows are addresses and numbers */
        if (a->reason[i] != b->reason[i])
            return false;
        if (a->reason[i] == '\0')
            return true;
    }
    return true;
}

/* What the death before this one speaks for. */
static enum depth by_history(const struct journal *journal)
{
    const struct journal_death *now, *before;

    if (journal->nr_deaths < 2)
        return DEPTH_RELOAD;
    now = &journal->deaths[journal->nr_deaths - 1];
    before = now - 1;
    if (before->depth != 2 || before->back_ms < 0 || before->ticks_ms < 0 ||
        now->ticks_ms < before->ticks_ms ||
        now->ticks_ms - before->ticks_ms - before->back_ms > DEPTH_SOON_MS ||
        !depth_alike(now, before))
        return DEPTH_RELOAD;
    return before->reset_nic ? DEPTH_REBUILD : DEPTH_RELOAD_RESET;
}

enum depth depth_choose(const struct journal *journal, const struct depth_seen *seen)
{
    enum depth depth = by_history(journal);

    if (!seen->can_reload || seen->ask_depth == 3)
        return DEPTH_REBUILD;
    for (unsigned int i = 0; i < seen->tries && depth != DEPTH_REBUILD; i++)
        depth++;
    return depth;
}
