/* SPDX-License-Identifier: BSD-2-Clause */
/* The times of a recovery's steps, for its journal. */
#ifndef CONTROL_STEPS_H
#define CONTROL_STEPS_H

#include "journal/journal.h"

#include <ferry/status.h>

/* A step of the journal's last death is done. Builds for tests may die here (faultpoint.h). */
void steps_mark(struct journal *journal, const char *name);

/*
 * The kernel's own steps, from the status page, from a first one on.
 *
 *   offset_us  to be added to Xen's system time
 *
 * Steps that were not taken, or whose times make no sense, are left out.
 */
void steps_take(struct journal_death *death, const struct ferry_status *status,
                enum ferry_step first, int64_t offset_us);

#endif
