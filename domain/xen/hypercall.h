/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls of a 64-bit PV domain: number in rax, arguments in rdi, rsi, rdx, r10, r8, the result
 * in rax; rcx and r11 are lost. Issued by the instruction itself and not through the hypercall page,
 * so that nothing is pushed below the stack pointer, where the red zone of our callers lies.
 * Source: xen/arch-x86/xen-x86_64.h, "Hypercall interface".
 */
#ifndef XEN_HYPERCALL_H
#define XEN_HYPERCALL_H

#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>

#include "arch/x86/cpu.h"

static inline long hypercall__5(unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                uint64_t a5)
{
    register uint64_t r10 __asm__("r10") = a4;
    register uint64_t r8 __asm__("r8") = a5;
    long ret = nr;

    __asm__ volatile("syscall"
                     : "+a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                     :
                     : "rcx", "r11", "memory");
    return ret;
}

#define hypercall__4(nr, a1, a2, a3, a4) hypercall__5(nr, a1, a2, a3, a4, 0)
#define hypercall__3(nr, a1, a2, a3) hypercall__5(nr, a1, a2, a3, 0, 0)
#define hypercall__2(nr, a1, a2) hypercall__5(nr, a1, a2, 0, 0, 0)
#define hypercall__1(nr, a1) hypercall__5(nr, a1, 0, 0, 0, 0)

/* The typed forms return 0 (or a count) or a negative Xen errno, which has Linux's numbers. */

static inline int hypercall_trap_table_set(const struct trap_info *table)
{
    return (int)hypercall__1(__HYPERVISOR_set_trap_table, (uint64_t)table);
}

static inline int hypercall_mmu_update(const struct mmu_update *req, unsigned int nr)
{
    return (int)hypercall__4(__HYPERVISOR_mmu_update, (uint64_t)req, nr, 0, DOMID_SELF);
}

static inline int hypercall_va_mapping_update(uintptr_t va, uint64_t pte, uint64_t flags)
{
    return (int)hypercall__3(__HYPERVISOR_update_va_mapping, va, pte, flags);
}

static inline long hypercall_memory_op(unsigned int cmd, void *arg)
{
    return hypercall__2(__HYPERVISOR_memory_op, cmd, (uint64_t)arg);
}

static inline int hypercall_segment_base_set(unsigned int which, uint64_t base)
{
    return (int)hypercall__2(__HYPERVISOR_set_segment_base, which, base);
}

static inline int hypercall_sched_op(unsigned int cmd, void *arg)
{
    return (int)hypercall__2(__HYPERVISOR_sched_op, cmd, (uint64_t)arg);
}

static inline int hypercall_evtchn_op(unsigned int cmd, void *arg)
{
    return (int)hypercall__2(__HYPERVISOR_event_channel_op, cmd, (uint64_t)arg);
}

static inline int hypercall_gnttab_op(unsigned int cmd, void *ops, unsigned int nr)
{
    return (int)hypercall__3(__HYPERVISOR_grant_table_op, cmd, (uint64_t)ops, nr);
}

static inline int hypercall_physdev_op(unsigned int cmd, void *arg)
{
    return (int)hypercall__2(__HYPERVISOR_physdev_op, cmd, (uint64_t)arg);
}

/* To Xen's own console, which shows it to whoever watches the host. For crash reports. */
static inline int hypercall_console_write(const char *text, unsigned int len)
{
    return (int)hypercall__3(__HYPERVISOR_console_io, CONSOLEIO_write, len, (uint64_t)text);
}

#endif
