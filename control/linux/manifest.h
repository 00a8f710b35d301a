/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of what is in an image: path, size, where it comes from, and which version of which Debian package. */
#ifndef CONTROL_LINUX_MANIFEST_H
#define CONTROL_LINUX_MANIFEST_H

#include <stddef.h>

#include "linux/root.h"
#include "linux/tree.h"

/*
 *   head    lines that come first, each with its newline
 *   text_r  to be freed
 *
 * Without dpkg's lists in the tree, packages are left out. Returns 0 or -ENOMEM.
 */
int manifest_make(const struct root *root, const struct tree *tree, const char *head, char **text_r,
                  size_t *len_r);

#endif
