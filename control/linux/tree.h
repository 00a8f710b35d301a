/* SPDX-License-Identifier: BSD-2-Clause */
/* What an image will hold: files, directories, links and devices by their paths, sorted, each once. Pure. */
#ifndef CONTROL_LINUX_TREE_H
#define CONTROL_LINUX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree_node {
    char *path; /* "usr/bin/ip": without a slash at either end */
    char *from; /* where it comes from, for the manifest; NULL: made here */
    mode_t mode; /* with its type */
    char *data; /* of a file; of a link: where it leads, NUL-terminated */
    size_t len;
    unsigned int major, minor; /* of a device */
};

struct tree {
    struct tree_node *nodes;
    size_t nr, room;
};

void tree_dispose(struct tree *tree);

/*
 * Each of these returns 0, or -ENOMEM, -EINVAL (a path with "..", or none), or -EEXIST: something else is there. Directories above are made. What is there
 * already stays and counts as added if it is of the same kind.
 */
int tree_dir(struct tree *tree, const char *path);
int tree_link(struct tree *tree, const char *path, const char *target);
int tree_device(struct tree *tree, const char *path, unsigned int major, unsigned int minor);
/* data becomes the tree's, or is freed. */
int tree_file(struct tree *tree, const char *path, mode_t permissions, char *data, size_t len,
              const char *from);

const struct tree_node *tree_find(const struct tree *tree, const char *path);

/* The bytes of all files. */
size_t tree_size(const struct tree *tree);

#endif
