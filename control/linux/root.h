/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree that an image is made from: dom0 itself, or the one that --root names. Links lead nowhere else: the kernel resolves
 * every path as if the tree were all there is (openat2(2), RESOLVE_IN_ROOT).
 */
#ifndef CONTROL_LINUX_ROOT_H
#define CONTROL_LINUX_ROOT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/files.h"

struct root {
    int fd;
    char path[FILES_PATH_SIZE]; /* without links; "" for "/" */
};

/* Returns 0 or a negative errno. root_close() may follow either way. */
int root_open(const char *path, struct root *root_r);
void root_close(struct root *root);

/*
 * Which file a path in the tree is.
 *
 *   path    "/usr/bin/awk"
 *   real_r  where its links lead, from the tree's own root on: "/usr/bin/mawk"
 *
 * Returns 0 or a negative errno.
 */
int root_resolve(const struct root *root, const char *path, char real_r[FILES_PATH_SIZE]);

/* A whole regular file of the tree; otherwise as files_read(). */
int root_read(const struct root *root, const char *path, size_t max, char **data_r, size_t *len_r);

bool root_has(const struct root *root, const char *path);

#endif
