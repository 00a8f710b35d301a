/* SPDX-License-Identifier: BSD-2-Clause */
/* Which modules of a kernel an image needs, in the order in which they are loaded, and their firmware: by libkmod. */
#ifndef CONTROL_LINUX_MODULES_H
#define CONTROL_LINUX_MODULES_H

#include <stdbool.h>
#include <stddef.h>

#include "linux/root.h"
#include "linux/tree.h"

struct kmod_ctx;

struct modules {
    struct root root; /* not owned */
    char version[128];
    struct kmod_ctx *ctx;
    size_t nr;
    char **files; /* in the tree: "/lib/modules/VERSION/.../bridge.ko", in loading order */
    size_t nr_firmware_missing;
};

/*
 * The newest kernel of a tree that has an image and modules: versions are compared number by number, as in "6.1.0-9" < "6.1.0-10".
 * Returns 0, or a negative errno (-ENOENT: none).
 */
int modules_newest(const struct root *root, char version_r[128]);

/* Orders two versions like that: below, equal to or above 0. Pure. */
int modules_version_order(const char *a, const char *b);

/*
 * Says what is wrong, and what to do. Returns 0 or a negative errno. modules_close() may follow either way. The root must stay open.
 */
int modules_open(const struct root *root, const char *version, struct modules *modules_r);
void modules_close(struct modules *modules);

/*
 * A module by its name, or by an alias such as a device's "pci:v00008086d...". What it needs comes before it. One that is built into the
 * kernel needs nothing.
 *
 *   whom  for messages: "driver e1000e", "03:00.0"
 *
 * Says what is wrong. Returns 0 or a negative errno, -ENOENT if there is none.
 */
int modules_want(struct modules *modules, const char *name, const char *whom);

/*
 * Put the modules, unpacked, and their firmware into the image, and "etc/ferry/modules", which says the order. Firmware that is missing is
 * said, with the package that has it, and counted; it is no error, as a driver names firmware for every card it knows.
 *
 * Says what is wrong. Returns 0 or a negative errno.
 */
int modules_place(struct modules *modules, struct tree *tree);

#endif
