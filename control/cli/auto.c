/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/auto.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

bool auto_name_counts(const char *name)
{
    static const char *const left_behind[] = { "~",          ".bak",      ".orig",     ".swp",
                                               ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".dpkg-tmp",
                                               ".rpmnew",    ".rpmorig",  ".rpmsave" };

    if (name[0] == '\0' || name[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof(left_behind) / sizeof(left_behind[0]); i++)
        if (ends_with(name, left_behind[i]))
            return false;
    return true;
}

static int entry_counts(const struct dirent *entry)
{
    return auto_name_counts(entry->d_name);
}

/* alphasort() goes by the locale. */
static int entry_compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int auto_list(const char *dir, struct auto_files *files_r)
{
    struct auto_files files = { 0 };
    struct dirent **entries;
    int nr = scandir(dir, &entries, entry_counts, entry_compare), err = 0;

    if (nr < 0 && errno != ENOENT)
        return -errno;
    if (nr > 0) {
        files.paths = calloc((size_t)nr, sizeof(*files.paths));
        err = files.paths ? 0 : -ENOMEM;
    }
    for (int i = 0; i < nr; i++) {
        if (!err && asprintf(&files.paths[files.nr], "%s/%s", dir, entries[i]->d_name) < 0)
            err = -ENOMEM;
        else if (!err)
            files.nr++;
        free(entries[i]);
    }
    if (nr >= 0)
        free(entries);
    if (err)
        auto_dispose(&files);
    else
        *files_r = files;
    return err;
}

void auto_dispose(struct auto_files *files)
{
    for (size_t i = 0; i < files->nr; i++)
        free(files->paths[i]);
    free(files->paths);
    memset(files, 0, sizeof(*files));
}
