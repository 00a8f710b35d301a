/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/clock.h"

#include "arch/x86/cpu.h"
#include "xen/domain.h"
#include "xen/recovery.h"

static inline uint64_t tsc_read(void)
{
    uint32_t lo, hi;

    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

/* ticks * 2^shift * mul / 2^32, without losing the upper bits of the product. */
static uint64_t tsc_scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (uint64_t)(((unsigned __int128)ticks * mul) >> 32);
}

static uint64_t last;

uint64_t clock_last(void)
{
    return last;
}

uint64_t clock_now(void)
{
    const volatile struct vcpu_time_info *time = &shared_info->vcpu_info[0].time;
    uint32_t version;
    uint64_t now;

    do {
        version = time->version;
        rmb();
        now = time->system_time +
              tsc_scale(tsc_read() - time->tsc_timestamp, time->tsc_to_system_mul, time->tsc_shift);
        rmb();
    } while ((version & 1) != 0 || version != time->version);

    /* Xen's corrections of the scale may step back by a few nanoseconds. */
    if (now > last)
        last = now;
    return last;
}

uint64_t clock_uptime(void)
{
    return clock_now() - recovery_page()->started_ns;
}

uint64_t clock_tsc_hz(void)
{
    const struct vcpu_time_info *time = &shared_info->vcpu_info[0].time;
    uint64_t hz = (1000000000ull << 32) / time->tsc_to_system_mul;

    return time->tsc_shift < 0 ? hz << -time->tsc_shift : hz >> time->tsc_shift;
}

void clock_delay_us(unsigned int us)
{
    uint64_t end = clock_now() + us * 1000ull;

    while (clock_now() < end)
        __builtin_ia32_pause();
}
