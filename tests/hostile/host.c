/* SPDX-License-Identifier: BSD-2-Clause */
/* What the C library asks of the kernel below it. */
#include "libc/libc.h"
#include "pv/traps.h"
#include "xen/clock.h"
#include "xen/log.h"

void libc_host_log(const char *line)
{
    log_info("%s", line);
}

void libc_host_die(const char *reason)
{
    arch_crash(reason);
}

uint64_t libc_host_now(void)
{
    return clock_now();
}

void libc_host_sleep(uint64_t ns)
{
    clock_delay_us((unsigned int)(ns / 1000));
}
