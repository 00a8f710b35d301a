/* SPDX-License-Identifier: BSD-2-Clause */
/* What a look at a domain means. Pure. */
#ifndef CONTROL_VERDICT_H
#define CONTROL_VERDICT_H

#include <stdbool.h>

enum verdict {
    VERDICT_FINE,
    VERDICT_WAIT, /* it is being destroyed: nothing can be done until it is gone */
    VERDICT_RECOVER, /* dead: *why_r names the cause */
    VERDICT_REPLACED, /* another domain has its id: recover with a new id */
    VERDICT_ENDED, /* it shut itself down on purpose: respect that */
};

struct verdict_seen {
    bool exists; /* a domain with the id */
    bool is_ours; /* with our uuid */
    bool dying, shut_down;
    int reason; /* SHUTDOWN_* of xen/sched.h, where shut_down */
};

/* why_r: a word for the journal; set unless fine or to be waited for. */
enum verdict verdict_of(const struct verdict_seen *seen, const char **why_r);

#endif
