/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A distribution's kernel, /boot/vmlinuz-VERSION: a bzImage (Documentation/arch/x86/boot.rst), of which Xen's domain builder uses
 * the packed kernel alone.
 */
#ifndef CONTROL_LINUX_VMLINUZ_H
#define CONTROL_LINUX_VMLINUZ_H

#include <stddef.h>

#define VMLINUZ_SIZE_MAX (64u << 20)
#define VMLINUZ_UNPACKED_MAX (256u << 20)
#define VMLINUZ_VERSION_SIZE 128

struct vmlinuz {
    const char *payload; /* the packed kernel, in the file */
    size_t payload_len;
    char version[VMLINUZ_VERSION_SIZE]; /* "6.1.0-56-amd64" */
};

/* Read the header. Returns 0, or -EINVAL and in *why_r what is wrong, for "PATH: ...". Pure. */
int vmlinuz_parse(const void *file, size_t len, struct vmlinuz *vmlinuz_r, const char **why_r);

/*
 * The kernel, unpacked and shrunk (linux/kernel.h), for Xen to start: nothing is left to unpack when a dead domain is built anew. A
 * damaged one is found, and one without an entry for PV domains.
 *
 *   data_r  to be freed
 *
 * Returns 0, -ENOMEM, or -EINVAL and why.
 */
int vmlinuz_unpack(const void *file, size_t len, char **data_r, size_t *len_r, const char **why_r);

#endif
