/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts of the kernel that are not the first. */
#ifndef PV_RESTART_H
#define PV_RESTART_H

#include <stdint.h>

#include "arch/x86/cpu.h"

/* Note the sums of text and read-only data, before they are sealed. */
void restart_sums_note(void);

/* Leave for restart_entry. why, rip: see ferry/image.h. */
__noreturn void arch_restart_now(uint64_t why, uint64_t rip);

/* C's part of restart_entry. */
__noreturn void arch_restart(uint64_t why, uint64_t rip);

#endif
