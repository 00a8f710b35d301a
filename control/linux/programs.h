/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs of an image, and the libraries that they need, found as the dynamic linker would find them in the tree. */
#ifndef CONTROL_LINUX_PROGRAMS_H
#define CONTROL_LINUX_PROGRAMS_H

#include <stdbool.h>

#include "linux/root.h"
#include "linux/tree.h"

/*
 * A program by its name, looked for where PATH would, and in /usr/lib/xen-VERSION/bin; it becomes usr/bin/NAME.
 *
 *   package  which Debian package has it, for the message if it is missing
 *
 * Says what is wrong. Returns 0 or a negative errno.
 */
int programs_add(const struct root *root, struct tree *tree, const char *name, const char *package);

/* A file by its path: it is put to the same path, under usr/ where /lib is meant, with the libraries that it needs. */
int programs_file_add(const struct root *root, struct tree *tree, const char *path);

/* All files of a directory, not of those in it. */
int programs_dir_add(const struct root *root, struct tree *tree, const char *path,
                     const char *package);

/* Whether the tree has a program of this name. */
bool programs_has(const struct root *root, const char *name);

#endif
