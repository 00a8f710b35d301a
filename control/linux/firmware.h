/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware that a module names (`modinfo -F firmware`), looked for where Linux does. */
#ifndef CONTROL_LINUX_FIRMWARE_H
#define CONTROL_LINUX_FIRMWARE_H

#include <stddef.h>

#include "linux/root.h"
#include "linux/tree.h"

struct firmware {
    const struct root *root;
    const char *version;
    struct tree *tree;
    size_t nr_found, nr_missing;
    char missing[128]; /* the first one that was */
};

void firmware_begin(struct firmware *firmware, const struct root *root, const char *version,
                    struct tree *tree);

/* One file by its name, "rtl_nic/rtl8168h-2.fw"; a missing one is counted. Says what is wrong. Returns 0 or a negative errno. */
int firmware_want(struct firmware *firmware, const char *name);

/* Says what was missing, and which Debian package has it, if that is known. */
void firmware_end(const struct firmware *firmware, const char *module);

/* The Debian package that has a file; NULL if that is not known. Pure. */
const char *firmware_package(const char *name);

#endif
