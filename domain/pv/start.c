/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first C code: what must hold before any other may run. Traps come first, then the thread
 * pointer, without which a function with a stack protector faults: those here have none.
 */
#include <cpuid.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "pv/mm.h"
#include "pv/start.h"
#include "pv/traps.h"
#include "xen/domain.h"
#include "xen/hypercall.h"
#include "xen/log.h"

#define NO_PROTECTOR __attribute__((no_stack_protector))
#define TLS_SIZE 4096
#define TLS_ALIGN 64

/* The x86-64 ABI's thread control block, as far as compiled code looks at it. */
struct tcb {
    struct tcb *self; /* %fs:0 */
    uint64_t unused[4];
    uint64_t canary; /* %fs:0x28 */
};

static struct {
    char block[TLS_SIZE]; /* thread-local variables end where the tcb begins */
    struct tcb tcb;
} tls __attribute__((aligned(TLS_ALIGN)));

_Static_assert(offsetof(struct tcb, canary) == 0x28, "where compilers look for the canary");

NO_PROTECTOR static uint64_t canary_make(void)
{
    uint32_t lo, hi, eax, ebx, ecx, edx;
    uint64_t seed;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    seed = ((uint64_t)hi << 32 | lo) * 0x9e3779b97f4a7c15ull;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_RDRND)) {
        unsigned long random;

        __asm__ volatile("rdrand %0" : "=r"(random) : : "cc");
        seed ^= random;
    }
    return seed & ~0xffull; /* a zero byte stops string overruns */
}

NO_PROTECTOR static void tls_init(void)
{
    size_t init = (size_t)(tdata_end - tdata_start);
    size_t size = ((size_t)(tbss_end - tdata_start) + TLS_ALIGN - 1) & ~(size_t)(TLS_ALIGN - 1);

    if (size > TLS_SIZE)
        domain_shutdown(SHUTDOWN_crash);
    memcpy((char *)&tls.tcb - size, tdata_start, init);
    tls.tcb.self = &tls.tcb;
    tls.tcb.canary = canary_make();
    hypercall_segment_base_set(SEGBASE_FS, (uintptr_t)&tls.tcb);
}

/* The archives are compiled for these (-march=corei7). */
static void cpu_check(void)
{
    uint32_t eax, ebx, ecx = 0, edx;
    const uint32_t need = bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT;

    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    if ((ecx & need) != need)
        panic("this CPU lacks SSE4.2 or POPCNT (CPUID.1:ECX is %08x, need %08x)", ecx, need);
}

static void fpu_init(void)
{
    const uint32_t mxcsr = 0x1f80; /* every exception masked */

    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

NO_PROTECTOR void arch_begin(void)
{
    traps_init();
    tls_init();
    fpu_init();
}

NO_PROTECTOR __noreturn void arch_start(const struct start_info *si)
{
    arch_begin();
    domain_init(si);
    mm_init();
    cpu_check();
    boot();
}
