/* SPDX-License-Identifier: BSD-2-Clause */
/* A Linux kernel as a file that Xen's domain builder starts without unpacking anything. */
#ifndef CONTROL_LINUX_KERNEL_H
#define CONTROL_LINUX_KERNEL_H

#include <stddef.h>

/*
 * Make the ELF file smaller, and in memory the same: its segments one behind the other, at the beginnings of pages, without the zeros
 * at their ends (bytes of a segment that are not in the file are zero: System V ABI, "Program Header"). Sections, and
 * whatever no segment has, are left out: of a kernel these are names, and what its own unpacking program uses. Pure.
 *
 *   file    a 64-bit x86 ELF file (elf_is())
 *   data_r  to be freed
 *
 * Returns 0; -EINVAL: segments that are not in the file, overflow, a note outside of all loaded segments, or nothing that is loaded; or
 * -ENOMEM.
 */
int kernel_shrink(const void *file, size_t len, char **data_r, size_t *len_r);

#endif
