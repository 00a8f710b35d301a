/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts of the kernel that are not the first. */
#ifndef ARCH_X86_RESTART_H
#define ARCH_X86_RESTART_H

#include <stdint.h>

#include <ferry/image.h>

#include "arch/x86/cpu.h"

/* A variable that is written during the first start only, and read only from mm_seal() on. A restart
 * leaves it alone. */
#define __sealed __attribute__((section(".sealed")))

/* Of this image; in read-only memory. */
extern const struct ferry_image image_note;

/* Note the sums of text and read-only data, before they are sealed. */
void restart_sums_note(void);

/* Leave for restart_entry. why, rip: see ferry/image.h. */
__noreturn void arch_restart_now(uint64_t why, uint64_t rip);

/* C's part of restart_entry. */
__noreturn void arch_restart(uint64_t why, uint64_t rip);

#endif
