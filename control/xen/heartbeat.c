/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/heartbeat.h"

#define NS_PER_MS 1000000

void heartbeat_reset(struct heartbeat *beat)
{
    *beat = (struct heartbeat){ .stood_ns = beat->stood_ns,
                                .stood_before_ns = beat->stood_before_ns,
                                .stood_since_ms = beat->stood_since_ms };
}

/* Times go by whether it stands or not. */
static void stood_age(struct heartbeat *beat, int64_t now_ms)
{
    int64_t passed = now_ms - beat->stood_since_ms;

    if (passed >= 0 && passed < BEAT_STOOD_MS)
        return;
    beat->stood_before_ns = passed >= 0 && passed < 2 * BEAT_STOOD_MS ? beat->stood_ns : 0;
    beat->stood_ns = 0;
    beat->stood_since_ms = now_ms;
}

/* It goes on after all. */
static void stood_note(struct heartbeat *beat, const struct heartbeat_look *look)
{
    if (look->beat != beat->last.beat && !look->slow && !beat->last.slow && !look->paused &&
        !beat->last.paused && beat->cpu_ns > beat->stood_ns)
        beat->stood_ns = beat->cpu_ns;
}

static int64_t cpu_limit_ns(const struct heartbeat *beat, bool slow)
{
    const int64_t least = (int64_t)BEAT_CPU_LIMIT_MS * NS_PER_MS,
                  most = (int64_t)BEAT_CPU_LIMIT_SLOW_MS * NS_PER_MS;
    int64_t stood = beat->stood_ns > beat->stood_before_ns ? beat->stood_ns : beat->stood_before_ns;
    int64_t limit = stood * BEAT_STOOD_FACTOR;

    if (slow || limit > most)
        return most;
    return limit < least ? least : limit;
}

static void begin(struct heartbeat *beat, const struct heartbeat_look *look)
{
    heartbeat_reset(beat);
    beat->begun = true;
    beat->last = *look;
}

/* Processor time since the last look, cut to what can be judged. */
static int64_t cpu_since(const struct heartbeat *beat, const struct heartbeat_look *look)
{
    int64_t most = (int64_t)BEAT_LOOK_MAX_MS * NS_PER_MS;
    int64_t used = (int64_t)(look->cpu_ns - beat->last.cpu_ns);

    return used < 0 ? 0 : used > most ? most : used;
}

static int64_t asleep_since(const struct heartbeat *beat, const struct heartbeat_look *look)
{
    int64_t passed = look->now_ms - beat->last.now_ms;

    if (!look->asleep || !beat->last.asleep || passed < 0)
        return 0;
    return passed > BEAT_LOOK_MAX_MS ? BEAT_LOOK_MAX_MS : passed;
}

bool heartbeat_hangs(struct heartbeat *beat, const struct heartbeat_look *look)
{
    stood_age(beat, look->now_ms);
    /* Who leaves a slow phase, or enters one, is alive; what it used in there has nothing to do with now. */
    if (!beat->begun || look->beat != beat->last.beat || look->slow != beat->last.slow ||
        look->paused || beat->last.paused) {
        if (beat->begun)
            stood_note(beat, look);
        begin(beat, look);
        return false;
    }
    beat->cpu_ns += cpu_since(beat, look);
    beat->asleep_ms += asleep_since(beat, look);
    beat->looks++;
    beat->last = *look;
    if (beat->looks < BEAT_LOOKS_MIN)
        return false;
    return beat->cpu_ns >= cpu_limit_ns(beat, look->slow) || beat->asleep_ms >= BEAT_SLEEP_LIMIT_MS;
}
