/* SPDX-License-Identifier: BSD-2-Clause */
/* The configurations that `ferry start --all` starts: the files and links in auto/ of the configuration directory. */
#ifndef CONTROL_AUTO_H
#define CONTROL_AUTO_H

#include <stdbool.h>
#include <stddef.h>

#include "util/files.h"

struct auto_files {
    char **paths; /* in the order of their names, byte by byte */
    size_t nr;
};

/* Whether a name counts: hidden files, and what editors and package managers leave beside others, do not. */
bool auto_name_counts(const char *name);

/*
 * List a directory. One that is not there has no files. Returns 0 with what auto_dispose() frees, or a negative errno.
 * Whatever has a name that counts is in it, also a directory or a dangling link: reading it fails aloud.
 */
int auto_list(const char *dir, struct auto_files *files_r);
void auto_dispose(struct auto_files *files);

#endif
