/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rate limit that needs one number: the time at which the next is due if all come evenly (GCRA,
 * ITU-T I.371).
 */
#ifndef NET_RATE_H
#define NET_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint64_t due; /* ns */
};

/*
 * May one more go?
 *
 *   interval_ns  one in each, in the long run
 *   burst        as many may come at once, 1 at least
 *   now          ns, of a clock that does not go backwards
 */
static inline bool rate_take(struct rate *rate, uint64_t interval_ns, uint32_t burst, uint64_t now)
{
    uint64_t due = rate->due > now ? rate->due : now;

    if (due - now > interval_ns * (burst - 1))
        return false;
    rate->due = due + interval_ns;
    return true;
}

#endif
