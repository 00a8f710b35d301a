/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers, run by the loop. The struct is the owner's; a timer not armed costs nothing. */
#ifndef XEN_TIMER_H
#define XEN_TIMER_H

#include <stdbool.h>
#include <stdint.h>

typedef void timer_fn(void *ctx);

struct timer {
    struct timer *next; /* all zero: not armed */
    uint64_t deadline_ns;
    timer_fn *fn;
    void *ctx;
    bool armed;
};

/* Call fn(ctx) once, from the loop, when clock_now() reaches deadline_ns. Re-arming moves it. */
void timer_arm(struct timer *timer, uint64_t deadline_ns, timer_fn *fn, void *ctx);
void timer_cancel(struct timer *timer);

/*
 * Run what is due, in the order of deadlines. A function may arm and cancel any timer, its own too;
 * what it arms waits for the next call, even if due already. Not to be called from a timer's
 * function. Returns how many ran.
 */
unsigned int timers_run(uint64_t now_ns);

/* When the first one is due; UINT64_MAX without any. */
uint64_t timers_next(void);

#endif
