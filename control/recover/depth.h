/* SPDX-License-Identifier: BSD-2-Clause */
/* How deep a recovery has to go. Pure. */
#ifndef CONTROL_DEPTH_H
#define CONTROL_DEPTH_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/journal.h"

#define DEPTH_SOON_MS 10000 /* a death within so long of a reload may be its fault */

enum depth {
    DEPTH_RELOAD, /* in place, the NIC goes on if it can */
    DEPTH_RELOAD_RESET, /* in place, the NIC is reset */
    DEPTH_REBUILD,
};

struct depth_seen {
    bool can_reload; /* image, tables and what is left of the domain allow it */
    unsigned int tries; /* that failed or were cut short at this death */
    uint32_t ask_depth; /* what the domain itself thinks (ferry_status.ask_depth): a hint */
};

/*
 * The last death in the journal is the one to recover from.
 *
 * A reload that fails is followed by one with a reset NIC, then by a rebuild; so is one that is
 * followed soon by a death with the same reason.
 */
enum depth depth_choose(const struct journal *journal, const struct depth_seen *seen);

/* Whether two deaths look alike: same cause, and same reason up to the first digit. */
bool depth_alike(const struct journal_death *a, const struct journal_death *b);

#endif
