/* SPDX-License-Identifier: BSD-2-Clause */
/* What the image's maker asks of an ELF file: which libraries it needs, and whether it is a kernel that Xen starts. Pure; every
 * offset of the file is checked. */
#ifndef CONTROL_LINUX_ELF_H
#define CONTROL_LINUX_ELF_H

#include <stdbool.h>
#include <stddef.h>

#define ELF_NEEDED_MAX 64

/* All point into the file. */
struct elf_needs {
    const char *interpreter; /* NULL: none */
    const char *runpath; /* DT_RUNPATH or DT_RPATH; NULL: none */
    size_t nr;
    const char *libraries[ELF_NEEDED_MAX]; /* DT_NEEDED */
};

/* Whether it begins as a 64-bit x86 ELF file does. */
bool elf_is(const void *file, size_t len);

/* Returns 0 or -EINVAL: damaged, or more libraries than that. A static program needs nothing. */
int elf_needs(const void *file, size_t len, struct elf_needs *needs_r);

/* Whether it is a kernel with a note that says where Xen is to start it as a PV domain (XEN_ELFNOTE_ENTRY, xen/elfnote.h). */
bool elf_has_xen_entry(const void *file, size_t len);

#endif
