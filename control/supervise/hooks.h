/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of the admin's, in hooks.d of the configuration directory, that are told of each death. */
#ifndef CONTROL_SUPERVISE_HOOKS_H
#define CONTROL_SUPERVISE_HOOKS_H

#include <sys/types.h>

#include "journal/record.h"

/*
 * Run them, one after the other in the order of their names, by a process of its own that nobody waits for.
 *
 * Each gets the domain's name, the cause, and the depth of the recovery ("none") as arguments, and FERRY_DOMAIN, FERRY_CAUSE,
 * FERRY_REASON, FERRY_DEPTH, FERRY_OUTAGE_MS, FERRY_DEATHS in its environment. Those that are not root's, that others may
 * write, or whose names are not of letters, digits, '-' and '_' are left out, aloud. One that runs for longer than half a minute
 * is ended. While too many such processes run, a death is told to none, aloud.
 *
 * Returns the number of programs there are to run, or a negative errno; -EPERM, once aloud, if the directory is not root's
 * alone.
 */
int hooks_run(const struct journal *journal, const struct journal_death *death);

/* Reap processes that have ended. To be called now and then. */
void hooks_look(void);

#endif
