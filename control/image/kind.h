/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose kernel a file is: Ferry's, or Linux, of which less is known and more can be wrong. */
#ifndef CONTROL_KIND_H
#define CONTROL_KIND_H

#include <stdbool.h>

enum image_kind {
    IMAGE_OTHER, /* neither of the two below: an older kernel of Ferry's, or no kernel at all */
    IMAGE_FERRY, /* an ELF with Ferry's name as guest OS, or Ferry's note */
    IMAGE_LINUX, /* a bzImage, or an ELF whose note says that the guest OS is Linux */
};

/* The largest file that is kept of each. Xen's domain builder takes larger ones; a driver domain has no use for them. */
#define KIND_KERNEL_MAX (256u << 20)
#define KIND_RAMDISK_MAX (512u << 20)

/*
 * Look at a file, of which only a few pages are read.
 *
 *   kind_r  set on success only
 *
 * Returns 0, or a negative errno if it cannot be read. A damaged file is of kind IMAGE_OTHER.
 * Source: xen/elfnote.h, XEN_ELFNOTE_GUEST_OS; Linux' Documentation/arch/x86/boot.rst, "header" and "boot_flag".
 */
int kind_read(const char *path, enum image_kind *kind_r);

/* Whether it is a file of Linux; one that cannot be read is none. */
bool kind_is_linux(const char *path);

#endif
