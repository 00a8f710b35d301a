/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a move of dom0's network that something came between: dom0 has it on its card, as it was before, and the driver domain is no
 * more. Each step may have been done before: whoever is killed here leaves it to the next one.
 */
#ifndef CONTROL_DOM0_FINISH_H
#define CONTROL_DOM0_FINISH_H

#include "cli/dom0_record.h"
#include "xen/host.h"

/*
 * Take a name's guard, and finish what a `ferry` that is gone has left of a move. Waits up to a minute for a `ferry` that holds it, then says
 * what that may wait for.
 *
 * Returns EXIT_OK with the guard, to be closed, or EXIT_FAILED after saying why.
 */
int dom0_finish_take(struct host *host, const char *name, int *guard_r);

/*
 * End the domain, give its cards back, make dom0's interface of the first one, lay the configuration of a `ferry setup` aside, and forget the
 * record. The caller holds the guard, not the name's lock. Says what was done, and what cannot be. Returns EXIT_OK, or
 * EXIT_FAILED: then the record may be there still, and so it is tried again by the next one, or by ferryd.
 */
int dom0_finish(struct host *host, const char *name, const struct dom0_record *record);

/* For commands that have no handles yet, and do not move dom0's network themselves: finish what is there unless somebody is at work
 * on it, or on the handles' side something is wrong, which is said. */
void dom0_finish_abandoned(const char *name);

#endif
