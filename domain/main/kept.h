/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters that begin at 0 with a start of the kernel, of which dom0 is shown the sum over all starts. What
 * is kept of them is __outlive. Pure.
 */
#ifndef MAIN_KEPT_H
#define MAIN_KEPT_H

#include <stdint.h>

#define KEPT_MAX 16

struct kept {
    uint64_t before[KEPT_MAX]; /* of the starts before */
    uint64_t last[KEPT_MAX]; /* of this one, when it was last looked at */
};

/* What counts here begins at 0 again. */
static inline void kept_begin(struct kept *kept)
{
    for (unsigned int i = 0; i < KEPT_MAX; i++) {
        kept->before[i] += kept->last[i];
        kept->last[i] = 0;
    }
}

/* Take nr counters of this start in. */
static inline void kept_set(struct kept *kept, const uint64_t *counters, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        kept->last[i] = counters[i];
}

/* Those of all starts. */
static inline void kept_get(const struct kept *kept, uint64_t *counters_r, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        counters_r[i] = kept->before[i] + kept->last[i];
}

/* counters: in, those of this start; out, of all of them. */
static inline void kept_add(struct kept *kept, uint64_t *counters, unsigned int nr)
{
    kept_set(kept, counters, nr);
    kept_get(kept, counters, nr);
}

#endif
