/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a domain hangs, by its heartbeat (ferry/status.h). Pure.
 *
 * A beat that stands still means nothing by itself: the domain may sleep, wait for a processor, or
 * be paused. So what counts is processor time that the domain used without a beat; and, for one that
 * sleeps and should have woken up, time in which it was seen asleep. Whoever looks late learns little:
 * a long time between two looks counts as a short one.
 */
#ifndef CONTROL_BEAT_H
#define CONTROL_BEAT_H

#include <stdbool.h>
#include <stdint.h>

#define BEAT_CPU_LIMIT_MS 100 /* while it runs its loop */
#define BEAT_CPU_LIMIT_SLOW_MS 1500 /* while it boots, or reports a death */
#define BEAT_SLEEP_LIMIT_MS 3000 /* it never means to sleep for more than two seconds */
#define BEAT_LOOKS_MIN 4 /* looks without a beat before it is called a hang */
#define BEAT_LOOK_MAX_MS 30

struct beat_look {
    int64_t now_ms;
    uint64_t beat;
    uint64_t cpu_ns; /* used by the domain since it was built */
    bool asleep; /* all its vCPUs wait for events */
    bool paused; /* by somebody in dom0 */
    bool slow; /* it boots or dies: long stretches without a beat are as they should be */
};

struct beat {
    bool begun;
    struct beat_look last;
    int64_t cpu_ns, asleep_ms; /* without a beat */
    unsigned int looks;
};

/* Forget everything: another start of the kernel, or somebody stopped it for a while. */
void beat_reset(struct beat *beat);

/* A look. Returns whether the domain hangs. */
bool beat_hangs(struct beat *beat, const struct beat_look *look);

#endif
