/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's alarms as timers of the loop. */
#include <errno.h>
#include <stddef.h>

#include <rte_alarm.h>

#include "eal/internal.h"
#include "pv/mm.h"
#include "xen/clock.h"
#include "xen/status.h"
#include "xen/timer.h"

#define NR_ALARMS 32
#define NS_PER_US 1000ull

static struct alarm {
    struct timer timer;
    rte_eal_alarm_callback fn; /* NULL: free */
    void *arg;
} alarms[NR_ALARMS];

/* Free before the call: the callback may set it again. */
static void alarm_fire(void *ctx)
{
    struct alarm *alarm = ctx;
    rte_eal_alarm_callback fn = alarm->fn;

    alarm->fn = NULL;
    status_nic_enter();
    fn(alarm->arg);
    status_nic_leave();
}

int rte_eal_alarm_set(uint64_t us, rte_eal_alarm_callback fn, void *arg)
{
    if (!fn || us < 1 || us > UINT64_MAX / NS_PER_US / 2)
        return -EINVAL;
    for (struct alarm *alarm = alarms; alarm < alarms + NR_ALARMS; alarm++) {
        if (alarm->fn)
            continue;
        alarm->fn = fn;
        alarm->arg = arg;
        timer_arm(&alarm->timer, clock_now() + us * NS_PER_US, alarm_fire, alarm);
        return 0;
    }
    return -ENOMEM;
}

/* arg of -1 means any. */
int rte_eal_alarm_cancel(rte_eal_alarm_callback fn, void *arg)
{
    int nr = 0;

    if (!fn)
        return -EINVAL;
    for (struct alarm *alarm = alarms; alarm < alarms + NR_ALARMS; alarm++) {
        if (alarm->fn != fn || (arg != (void *)-1 && alarm->arg != arg))
            continue;
        timer_cancel(&alarm->timer);
        alarm->fn = NULL;
        nr++;
    }
    return nr > 0 ? nr : -ENOENT;
}

/* The list of timers is not kept over a restart: what was armed is armed again. */
const char *eal_alarms_resume(void)
{
    for (struct alarm *alarm = alarms; alarm < alarms + NR_ALARMS; alarm++) {
        uint64_t deadline_ns = alarm->timer.deadline_ns;

        alarm->timer = (struct timer){ 0 };
        if (!alarm->fn)
            continue;
        if (!mm_is_text((uintptr_t)alarm->fn))
            return "an alarm is damaged";
        timer_arm(&alarm->timer, deadline_ns, alarm_fire, alarm);
    }
    return NULL;
}
