/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal/unfinished.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".dom0"

void unfinished_path(const char *name, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/%s" SUFFIX, files_run_dir(), name);
}

bool unfinished_is_there(const char *name)
{
    char path[FILES_PATH_SIZE];

    unfinished_path(name, path);
    return access(path, F_OK) == 0;
}

/* No driver domain's name begins with a '.'. */
int unfinished_guard(const char *name)
{
    char guard[FILES_NAME_MAX + 8];

    snprintf(guard, sizeof(guard), ".%s" SUFFIX, name);
    return files_lock(guard, false);
}

bool unfinished_is_abandoned(const char *name)
{
    int guard;

    if (!unfinished_is_there(name))
        return false;
    guard = unfinished_guard(name);
    if (guard < 0)
        return false;
    close(guard);
    return unfinished_is_there(name); /* it may have ended just now */
}

int unfinished_each(void (*found)(void *ctx, const char *name), void *ctx)
{
    DIR *dir = opendir(files_run_dir());
    struct dirent *entry;
    int err;

    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    while (errno = 0, (entry = readdir(dir))) {
        char name[FILES_NAME_MAX + 1];
        size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);

        if (len <= suffix || len - suffix > FILES_NAME_MAX ||
            strcmp(entry->d_name + len - suffix, SUFFIX) != 0)
            continue;
        memcpy(name, entry->d_name, len - suffix);
        name[len - suffix] = '\0';
        if (files_name_ok(name))
            found(ctx, name);
    }
    err = -errno;
    closedir(dir);
    return err;
}
