/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/kernel_replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/kind.h"
#include "util/faultpoint.h"
#include "util/files.h"
#include "util/log.h"

#define KERNEL ".kernel"
#define RAMDISK ".ramdisk"

static void remove_kept(const struct journal *journal, const char *suffix)
{
    char path[FILES_PATH_SIZE];

    journal_path(journal->name, suffix, path);
    unlink(path);
}

static int copy(const struct journal *journal, const char *from, const char *suffix, size_t max)
{
    char to[FILES_PATH_SIZE];
    const char *culprit;
    int err;

    journal_path(journal->name, suffix, to);
    err = files_copy(from, to, max, &culprit);
    if (err == -EFBIG && culprit == from)
        log_line("%s: is longer than %zu MB: no kernel or ramdisk of a driver domain", from,
                 max >> 20);
    else if (err)
        log_line("%s: %s%s", culprit, strerror(-err), files_todo(err));
    return err;
}

/* From the root on; NULL: "". */
static void full_path(const char *path, char full[FILES_PATH_SIZE])
{
    char *real = path && *path != '/' ? realpath(path, NULL) : NULL;

    snprintf(full, FILES_PATH_SIZE, "%s", real ? real : path ? path : "");
    free(real);
}

static void journal_tell(struct journal *journal, const struct kernel_files *files)
{
    char kept[FILES_PATH_SIZE];

    full_path(files->kernel, journal->kernel);
    full_path(files->ramdisk, journal->ramdisk);
    journal_path(journal->name, KERNEL, kept);
    journal->is_linux = kind_is_linux(kept);
}

int kernel_keep(struct journal *journal, const struct kernel_files *files)
{
    int err = copy(journal, files->kernel, KERNEL, KIND_KERNEL_MAX);

    if (!err && files->ramdisk)
        err = copy(journal, files->ramdisk, RAMDISK, KIND_RAMDISK_MAX);
    else if (!err)
        remove_kept(journal, RAMDISK);
    if (!err)
        journal_tell(journal, files);
    return err;
}

int kernel_prepare(const struct journal *journal, const struct kernel_files *files)
{
    int err = copy(journal, files->kernel, KERNEL ".next", KIND_KERNEL_MAX);

    if (!err && files->ramdisk)
        err = copy(journal, files->ramdisk, RAMDISK ".next", KIND_RAMDISK_MAX);
    faultpoint("kernel prepared");
    return err;
}

void kernel_drop(const struct journal *journal)
{
    remove_kept(journal, KERNEL ".next");
    remove_kept(journal, RAMDISK ".next");
}

/* The first of these names gets what the second has, which it loses; the third gets what the first had. */
static int shift(const struct journal *journal, const char *now_suffix, const char *next_suffix,
                 const char *before_suffix, bool is_there)
{
    char now[FILES_PATH_SIZE], before[FILES_PATH_SIZE], next[FILES_PATH_SIZE];
    int err = 0;

    journal_path(journal->name, now_suffix, now);
    journal_path(journal->name, before_suffix, before);
    journal_path(journal->name, next_suffix, next);
    if (is_there && (unlink(before) == 0 || errno == ENOENT) && link(now, before))
        err = -errno;
    if (!err && rename(next, now))
        err = -errno;
    if (err)
        log_line("%s: %s%s; recoveries go on with the kernel before", now, strerror(-err),
                 files_todo(err));
    return err;
}

static int put_back(const struct journal *journal, const char *suffix, const char *before_suffix)
{
    char now[FILES_PATH_SIZE], before[FILES_PATH_SIZE];

    journal_path(journal->name, suffix, now);
    journal_path(journal->name, before_suffix, before);
    if (rename(before, now) == 0)
        return 0;
    log_line("%s: %s%s", now, strerror(errno), files_todo(-errno));
    return -errno;
}

int kernel_replace(struct journal *journal, const struct kernel_files *files)
{
    int err = shift(journal, KERNEL, KERNEL ".next", KERNEL ".before", journal->kernel[0]);

    if (!err && files->ramdisk) {
        err = shift(journal, RAMDISK, RAMDISK ".next", RAMDISK ".before", journal->ramdisk[0]);
        if (err && journal->kernel[0])
            put_back(journal, KERNEL, KERNEL ".before");
    } else if (!err && journal->ramdisk[0]) {
        put_back(journal, RAMDISK ".before", RAMDISK);
    }
    if (!err)
        journal_tell(journal, files);
    faultpoint("kernel replaced");
    return err;
}

int kernel_restore(struct journal *journal, const struct journal *before)
{
    int err;

    if (!before->kernel[0])
        return -ENOENT;
    err = put_back(journal, KERNEL, KERNEL ".before");
    if (!err && before->ramdisk[0])
        err = put_back(journal, RAMDISK, RAMDISK ".before");
    if (err)
        return err;
    snprintf(journal->kernel, sizeof(journal->kernel), "%s", before->kernel);
    snprintf(journal->ramdisk, sizeof(journal->ramdisk), "%s", before->ramdisk);
    journal->is_linux = before->is_linux;
    return 0;
}
