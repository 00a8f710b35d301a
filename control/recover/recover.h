/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bring a driver domain back at depth 3: what is left of it is destroyed, a successor with the same id
 * takes over the frontends' rings where they stand. Guests see no change of state.
 */
#ifndef CONTROL_RECOVER_H
#define CONTROL_RECOVER_H

#include "journal/journal.h"
#include "xen/host.h"

/*
 * The caller holds the name's lock; the journal's last death is the one to recover from. The journal
 * is saved before and after, so that a recovery that was cut short is seen as one.
 *
 * Returns 0, or a negative errno when the domain is not running.
 */
int recover(struct host *host, struct journal *journal);

/* A death that the caller noticed now: into the journal, and its report kept. */
void recover_note_death(struct journal *journal, const char *cause);

/* What the domain itself reported, and the end of its console's log, into NAME.report. */
void recover_report_keep(const struct journal *journal, const char *report);

#endif
