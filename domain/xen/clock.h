/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time. Source: struct vcpu_time_info in xen/xen.h: system time is the TSC scaled by what Xen
 * publishes, with a version that is odd while Xen writes.
 */
#ifndef XEN_CLOCK_H
#define XEN_CLOCK_H

#include <stdint.h>

/* Nanoseconds of Xen's system time (since the host booted). Monotonic within the domain. */
uint64_t clock_now(void);

/* What clock_now() last returned: good enough within a turn of the loop, which begins with a call of it. */
uint64_t clock_last(void);

/* Nanoseconds since the first start of a kernel in this domain (recovery_init()). */
uint64_t clock_uptime(void);

/* TSC ticks in a second, as Xen publishes it. */
uint64_t clock_tsc_hz(void);

/* Busy wait. For drivers' register delays only. */
void clock_delay_us(unsigned int us);

#endif
