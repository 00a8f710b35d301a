/* SPDX-License-Identifier: BSD-2-Clause */
#include "backoff.h"

#define DELAY_FIRST_MS 250
#define DELAY_DOUBLINGS 5

int64_t backoff_delay_ms(const int64_t *deaths_ms, unsigned int nr, int64_t now_ms,
                         unsigned int max_deaths)
{
    unsigned int recent = 0;

    for (unsigned int i = 0; i < nr; i++)
        if (now_ms - deaths_ms[i] < BACKOFF_WINDOW_MS)
            recent++;
    if (recent > max_deaths)
        return BACKOFF_STOP;
    if (recent < 2)
        return 0;
    return DELAY_FIRST_MS << (recent - 2 > DELAY_DOUBLINGS ? DELAY_DOUBLINGS : recent - 2);
}
