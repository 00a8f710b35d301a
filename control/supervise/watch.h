/* SPDX-License-Identifier: BSD-2-Clause */
/* A supervised domain that is there. */
#ifndef CONTROL_SUPERVISE_WATCH_H
#define CONTROL_SUPERVISE_WATCH_H

#include "supervise/supervised.h"

/*
 * Copies its status page, notes restarts of its own, keeps its tables when it is first well. Returns whether
 * it hangs.
 *   runs  it has not shut down
 */
bool supervised_watch(struct supervised *supervised, bool runs);
/* The last death's link may still come up: note when. offset_us as in steps_take(). */
void supervised_link_wait(struct supervised *supervised, int64_t offset_us);
/* Let go of its memory, which would keep a dead domain from going. The last copy of its status stays. */
void supervised_unwatch(struct supervised *supervised);
/* Another kernel, or another domain: what is known of the old one does not hold. */
void supervised_forget(struct supervised *supervised);

#endif
