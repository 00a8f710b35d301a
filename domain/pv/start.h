/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PV_START_H
#define PV_START_H

#include <xen/xen.h>

#include "arch/x86/cpu.h"

/* Called by start.S with the builder's page, on the kernel's stack. */
__noreturn void arch_start(const struct start_info *si);

/* What every start begins with: exception handlers, thread-local storage, the FPU. */
void arch_begin(void);

/* The kernel proper (main/boot.c): memory is protected, traps report, nothing else runs yet. */
__noreturn void boot(void);

#endif
