/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing a supervised domain back. */
#ifndef CONTROL_SUPERVISE_RECOVERY_H
#define CONTROL_SUPERVISE_RECOVERY_H

#include "supervise/supervised.h"

/*
 * The lock is held, the journal fresh, its last death the one to recover from.
 *   cut_short  ferryd or a worker ended in the middle of it the last time
 */
void supervised_recover(struct supervised *supervised, bool cut_short);
/* A reload is under way: whether it is over, or has failed. */
void supervised_reload_look(struct supervised *supervised);

#endif
