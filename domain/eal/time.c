/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delays and the TSC. A driver's delay is a busy wait while it is short; a long one sleeps in Xen
 * with every event channel left alone, so that nothing runs underneath the driver. Either is a beat:
 * dom0 sees that a driver that takes long is not stuck.
 */
#include <stdint.h>

#include <rte_cycles.h>

#include "eal/internal.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/status.h"

#define NS_PER_US 1000ull
#define SLEEP_FROM_US 200 /* a poll and the way back take some microseconds each */

enum timer_source eal_timer_source = EAL_TIMER_TSC;

static uint64_t waited_ns;

uint64_t eal_waited_ns(void)
{
    return waited_ns;
}

void (*rte_delay_us)(unsigned int us) = rte_delay_us_sleep;

void rte_delay_us_block(unsigned int us)
{
    status_beat();
    clock_delay_us(us);
    waited_ns += us * NS_PER_US;
}

void rte_delay_us_sleep(unsigned int us)
{
    uint64_t end_ns = clock_now() + us * NS_PER_US;

    waited_ns += us * NS_PER_US;
    status_beat();
    if (us >= SLEEP_FROM_US)
        while (clock_now() < end_ns && !evtchn_pending())
            evtchn_sleep_until(end_ns);
    while (clock_now() < end_ns)
        __builtin_ia32_pause();
}

void rte_delay_us_callback_register(void (*fn)(unsigned int us))
{
    rte_delay_us = fn;
}

uint64_t rte_get_tsc_hz(void)
{
    return clock_tsc_hz();
}
