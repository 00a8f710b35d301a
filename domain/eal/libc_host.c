/* SPDX-License-Identifier: BSD-2-Clause */
/* What the C library asks of the kernel. */
#include "libc/libc.h"

#include <rte_cycles.h>

#include "xen/clock.h"
#include "xen/log.h"

#define NS_PER_US 1000u
#define US_MAX 60000000u

void libc_host_log(const char *line)
{
    log_info("%s", line);
}

void libc_host_die(const char *reason)
{
    panic("%s", reason);
}

uint64_t libc_host_now(void)
{
    return clock_now();
}

void libc_host_sleep(uint64_t ns)
{
    uint64_t us = ns / NS_PER_US;

    rte_delay_us_sleep(us < US_MAX ? (unsigned int)us : US_MAX);
}
