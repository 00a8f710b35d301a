/* SPDX-License-Identifier: BSD-2-Clause */
/* When to recover after a death: at once, a little later, or not any more. Pure. */
#ifndef CONTROL_BACKOFF_H
#define CONTROL_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_STOP (-1)

struct backoff {
    unsigned int max_deaths; /* within the window are recovered from; one more ends the trying */
    unsigned int window_ms;
};
#define BACKOFF_DEFAULT                                                                            \
    {                                                                                              \
        .max_deaths = 5, .window_ms = 60000                                                        \
    }

/*
 *   deaths_ms  times of the deaths known, this one included, in any order
 *
 * Returns the delay before recovering in ms (0 after the first two deaths within the window, then
 * 250, 500, 1000, ... up to 8000), or BACKOFF_STOP. A clock that was set back counts as no time.
 */
int64_t backoff_delay_ms(const struct backoff *backoff, const int64_t *deaths_ms, unsigned int nr,
                         int64_t now_ms);

/*
 * Whether so many rebuilds in a row that nothing came of are enough. A kernel that takes minutes not to come up never dies
 * often within any window.
 */
bool backoff_is_futile(const struct backoff *backoff, unsigned int nr_failed);

#endif
