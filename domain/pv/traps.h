/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions: all 32 have a handler, every one of them ends this start of the kernel with a report. */
#ifndef PV_TRAPS_H
#define PV_TRAPS_H

#include <stdint.h>

#include "arch/x86/cpu.h"

/* Registers at the fault, as entry.S stores them: its offsets follow this order. */
struct trap_frame {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error_code, rip, cs, rflags, rsp, ss;
};

/* Register the handlers with Xen. Before everything else. */
void traps_init(void);

/* Report registers and stack as they are here into the status page; then restart, or where that is of
 * no use end the domain with SHUTDOWN_crash. */
__noreturn void arch_crash(const char *reason);

/* A death with nothing to report but its reason: registers and stack have no part in it. */
void traps_report_none(const char *reason);

/* The report of the last death onto the consoles, however long they take. */
void traps_report_say(void);

/* Name of the function that covers a text address, and the offset in it; NULL where there is none. */
const char *symbol_lookup(uintptr_t addr, uintptr_t *offset_r);

#endif
