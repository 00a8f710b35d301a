/* SPDX-License-Identifier: BSD-2-Clause */
#include "beat.h"

#include <string.h>

#define NS_PER_MS 1000000

void beat_reset(struct beat *beat)
{
    memset(beat, 0, sizeof(*beat));
}

static void begin(struct beat *beat, const struct beat_look *look)
{
    beat_reset(beat);
    beat->begun = true;
    beat->last = *look;
}

/* Processor time since the last look, cut to what can be judged. */
static int64_t cpu_since(const struct beat *beat, const struct beat_look *look)
{
    int64_t most = (int64_t)BEAT_LOOK_MAX_MS * NS_PER_MS;
    int64_t used = (int64_t)(look->cpu_ns - beat->last.cpu_ns);

    return used < 0 ? 0 : used > most ? most : used;
}

static int64_t asleep_since(const struct beat *beat, const struct beat_look *look)
{
    int64_t passed = look->now_ms - beat->last.now_ms;

    if (!look->asleep || !beat->last.asleep || passed < 0)
        return 0;
    return passed > BEAT_LOOK_MAX_MS ? BEAT_LOOK_MAX_MS : passed;
}

bool beat_hangs(struct beat *beat, const struct beat_look *look)
{
    int64_t limit = look->slow ? BEAT_CPU_LIMIT_SLOW_MS : BEAT_CPU_LIMIT_MS;

    if (!beat->begun || look->beat != beat->last.beat || look->paused || beat->last.paused) {
        begin(beat, look);
        return false;
    }
    beat->cpu_ns += cpu_since(beat, look);
    beat->asleep_ms += asleep_since(beat, look);
    beat->looks++;
    beat->last = *look;
    if (beat->looks < BEAT_LOOKS_MIN)
        return false;
    return beat->cpu_ns >= limit * NS_PER_MS || beat->asleep_ms >= BEAT_SLEEP_LIMIT_MS;
}
