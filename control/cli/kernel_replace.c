/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/kernel_replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"
#include "util/files.h"
#include "util/log.h"

int kernel_prepare(const struct journal *journal, const char *path)
{
    char next[FILES_PATH_SIZE];
    const char *culprit;
    int err;

    journal_path(journal->name, ".kernel.next", next);
    err = files_copy(path, next, IMAGE_SIZE_MAX, &culprit);
    if (err)
        log_line("%s: %s%s", culprit, strerror(-err), files_todo(err));
    return err;
}

void kernel_drop(const struct journal *journal)
{
    char next[FILES_PATH_SIZE];

    journal_path(journal->name, ".kernel.next", next);
    unlink(next);
}

int kernel_replace(struct journal *journal, const char *path)
{
    char now[FILES_PATH_SIZE], before[FILES_PATH_SIZE], next[FILES_PATH_SIZE];
    char *full = realpath(path, NULL);
    int err = 0;

    journal_path(journal->name, ".kernel", now);
    journal_path(journal->name, ".kernel.before", before);
    journal_path(journal->name, ".kernel.next", next);
    if (journal->kernel[0] && (unlink(before) == 0 || errno == ENOENT) && link(now, before))
        err = -errno;
    if (!err && rename(next, now))
        err = -errno;
    if (err)
        log_line("%s: %s%s; recoveries go on with the kernel before", now, strerror(-err),
                 files_todo(err));
    else
        snprintf(journal->kernel, sizeof(journal->kernel), "%s", full ? full : path);
    free(full);
    return err;
}
