/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two sorted lists: armed timers, and those that timers_run() found due and has not run yet. What a
 * timer function arms waits in the first one, so that no function can keep timers_run() busy.
 */
#include "xen/timer.h"

#include <stddef.h>

#include "xen/log.h"

static struct timer *armed;
static struct timer *due;

static bool list_remove(struct timer **link, const struct timer *timer)
{
    for (; *link; link = &(*link)->next)
        if (*link == timer) {
            *link = timer->next;
            return true;
        }
    return false;
}

/* Behind those with the same deadline: first armed, first run. */
static void list_insert(struct timer **link, struct timer *timer)
{
    while (*link && (*link)->deadline_ns <= timer->deadline_ns)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
}

void timer_cancel(struct timer *timer)
{
    if (!timer->armed)
        return;
    INVARIANT(list_remove(&armed, timer) || list_remove(&due, timer));
    timer->next = NULL;
    timer->armed = false;
}

void timer_arm(struct timer *timer, uint64_t deadline_ns, timer_fn *fn, void *ctx)
{
    INVARIANT(fn);
    timer_cancel(timer);
    timer->deadline_ns = deadline_ns;
    timer->fn = fn;
    timer->ctx = ctx;
    timer->armed = true;
    list_insert(&armed, timer);
}

/* The due ones are the head of the sorted list: cut it behind the last of them. */
static void due_take(uint64_t now_ns)
{
    struct timer **end = &armed;

    while (*end && (*end)->deadline_ns <= now_ns)
        end = &(*end)->next;
    if (end == &armed)
        return;
    due = armed;
    armed = *end;
    *end = NULL;
}

unsigned int timers_run(uint64_t now_ns)
{
    unsigned int ran = 0;

    INVARIANT(!due);
    due_take(now_ns);
    while (due) {
        struct timer *timer = due;

        due = timer->next;
        timer->next = NULL;
        timer->armed = false;
        timer->fn(timer->ctx);
        ran++;
    }
    return ran;
}

uint64_t timers_next(void)
{
    return armed ? armed->deadline_ns : UINT64_MAX;
}
