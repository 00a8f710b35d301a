/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a domain hangs, by its heartbeat (ferry/status.h). Pure.
 *
 * A beat that stands still means nothing by itself: the domain may sleep, wait for a processor, or
 * be paused. So what counts is processor time that the domain used without a beat; and, for one that
 * sleeps and should have woken up, time in which it was seen asleep. Whoever looks late learns little:
 * a long time between two looks counts as a short one.
 *
 * Xen's processors may themselves be somebody's threads, which stand for a while, and Xen takes that for time
 * that the domain used. How long they stand is seen when a beat comes again after all; the limit is a multiple
 * of it for the next minute or two, so that it is short on a machine where nothing of the kind happens.
 */
#ifndef CONTROL_HEARTBEAT_H
#define CONTROL_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

#define BEAT_CPU_LIMIT_MS 100 /* while it runs its loop */
#define BEAT_CPU_LIMIT_SLOW_MS 1500 /* while it boots, or reports a death; and the longest limit */
#define BEAT_STOOD_FACTOR 4 /* so many times what it stood for and then went on */
#define BEAT_STOOD_MS 60000 /* for how long, at least, that is remembered; twice as long at most */
#define BEAT_SLEEP_LIMIT_MS 3000 /* it never means to sleep for more than two seconds */
#define BEAT_LOOKS_MIN 4 /* looks without a beat before it is called a hang */
#define BEAT_LOOK_MAX_MS 30

struct heartbeat_look {
    int64_t now_ms;
    uint64_t beat;
    uint64_t cpu_ns; /* used by the domain since it was built */
    bool asleep; /* all its vCPUs wait for events */
    bool paused; /* by somebody in dom0 */
    bool slow; /* it does not run its loop: long stretches without a beat are as they should be */
};

struct heartbeat {
    bool begun;
    struct heartbeat_look last;
    int64_t cpu_ns, asleep_ms; /* without a beat */
    unsigned int looks;

    /* Of the machine, not of the domain: what processor time without a beat was over by itself. */
    int64_t stood_ns, stood_before_ns; /* the longest, of this time and of the one before */
    int64_t stood_since_ms; /* when this time began; 0: never */
};

/* Another start of the kernel, or somebody stopped it for a while. */
void heartbeat_reset(struct heartbeat *beat);

/* A look. Returns whether the domain hangs. */
bool heartbeat_hangs(struct heartbeat *beat, const struct heartbeat_look *look);

#endif
