/* SPDX-License-Identifier: BSD-2-Clause */
/* What a look at a domain means. Pure. */
#ifndef CONTROL_DOMAIN_STATE_H
#define CONTROL_DOMAIN_STATE_H

#include <stdbool.h>

enum domain_state {
    DOMAIN_STATE_FINE,
    DOMAIN_STATE_WAIT, /* it is being destroyed: nothing can be done until it is gone */
    DOMAIN_STATE_RECOVER, /* dead: *why_r names the cause */
    DOMAIN_STATE_REPLACED, /* another domain has its id: recover with a new id */
    DOMAIN_STATE_ENDED, /* it shut itself down on purpose: respect that */
};

struct domain_seen {
    bool exists; /* a domain with the id */
    bool is_ours; /* with our uuid */
    bool dying, shut_down;
    int reason; /* SHUTDOWN_* of xen/sched.h, where shut_down */
};

/* why_r: a word for the journal; set unless fine or to be waited for. */
enum domain_state domain_state_of(const struct domain_seen *seen, const char **why_r);

#endif
