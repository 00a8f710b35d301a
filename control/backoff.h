/* SPDX-License-Identifier: BSD-2-Clause */
/* When to recover after a death: at once, a little later, or not any more. Pure. */
#ifndef CONTROL_BACKOFF_H
#define CONTROL_BACKOFF_H

#include <stdint.h>

#define BACKOFF_WINDOW_MS 60000
#define BACKOFF_MAX_DEATHS 5 /* within the window; one more ends the trying */
#define BACKOFF_STOP (-1)

/*
 *   deaths_ms   times of the deaths known, this one included, in any order
 *   max_deaths  that many within the window are recovered from
 *
 * Returns the delay before recovering in ms (0 after the first death within the window, then
 * 250, 500, 1000, ... up to 8000), or BACKOFF_STOP. A clock that was set back counts as no time.
 */
int64_t backoff_delay_ms(const int64_t *deaths_ms, unsigned int nr, int64_t now_ms,
                         unsigned int max_deaths);

#endif
