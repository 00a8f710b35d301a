/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/backoff.h"

#define DEATHS_FREE 2
#define DELAY_FIRST_MS 250
#define DELAY_DOUBLINGS 5

int64_t backoff_delay_ms(const struct backoff *backoff, const int64_t *deaths_ms, unsigned int nr,
                         int64_t now_ms)
{
    unsigned int recent = 0;

    for (unsigned int i = 0; i < nr; i++)
        if (now_ms - deaths_ms[i] < backoff->window_ms)
            recent++;
    if (recent > backoff->max_deaths)
        return BACKOFF_STOP;
    if (recent <= DEATHS_FREE)
        return 0;
    recent -= DEATHS_FREE + 1;
    return DELAY_FIRST_MS << (recent > DELAY_DOUBLINGS ? DELAY_DOUBLINGS : recent);
}

bool backoff_is_futile(const struct backoff *backoff, unsigned int nr_failed)
{
    return nr_failed >= backoff->max_deaths;
}
