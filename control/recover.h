/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bring a driver domain back at depth 3: what is left of it is destroyed, a successor with the same id
 * takes over the frontends' rings where they stand. Guests see no change of state.
 */
#ifndef CONTROL_RECOVER_H
#define CONTROL_RECOVER_H

#include "host.h"

/*
 * The caller holds the name's lock. The journal is saved before and after, so that a recovery that
 * was cut short is seen as one.
 *
 *   started_ms  host_ticks_ms() of when the death was noticed
 *
 * Returns 0, or a negative errno when the domain is not running.
 */
int recover(struct host *host, struct journal *journal, int64_t started_ms);

/* A death: into the journal, and the end of the console's log into NAME.report. */
void recover_note_death(struct journal *journal, const char *cause);

#endif
