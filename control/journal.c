/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_MAX_READ 65536

void journal_path(const char *name, const char *suffix, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/%s%s", files_state_dir(), name, suffix);
}

int journal_load(const char *name, struct journal *journal_r)
{
    char path[FILES_PATH_SIZE], *text;
    int err;

    if (!files_name_ok(name))
        return -EINVAL;
    journal_path(name, ".json", path);
    err = files_read(path, SIZE_MAX_READ, &text, NULL);
    if (err)
        return err;
    err = journal_decode(text, journal_r);
    if (!err && strcmp(journal_r->name, name) != 0)
        err = -EINVAL;
    free(text);
    return err;
}

int journal_save(const struct journal *journal)
{
    char path[FILES_PATH_SIZE], *text;
    int err = files_dir_make(files_state_dir());

    if (err)
        return err;
    text = journal_encode(journal);
    if (!text)
        return -ENOMEM;
    journal_path(journal->name, ".json", path);
    err = files_write(path, text, strlen(text));
    free(text);
    return err;
}

void journal_remove(const char *name)
{
    char path[FILES_PATH_SIZE];

    journal_path(name, ".json", path);
    unlink(path);
    journal_path(name, ".cfg", path);
    unlink(path);
}

void journal_each(void (*found)(void *ctx, const char *name), void *ctx)
{
    DIR *dir = opendir(files_state_dir());
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char name[FILES_NAME_MAX + 1];
        size_t len = strlen(entry->d_name);

        if (len < 6 || len - 5 > FILES_NAME_MAX || strcmp(entry->d_name + len - 5, ".json") != 0)
            continue;
        memcpy(name, entry->d_name, len - 5);
        name[len - 5] = '\0';
        if (files_name_ok(name))
            found(ctx, name);
    }
    if (dir)
        closedir(dir);
}

void journal_death_add(struct journal *journal, int64_t at_ms, const char *cause)
{
    struct journal_death *death;

    if (journal->nr_deaths == JOURNAL_DEATHS_MAX) {
        memmove(&journal->deaths[0], &journal->deaths[1],
                (JOURNAL_DEATHS_MAX - 1) * sizeof(journal->deaths[0]));
        journal->nr_deaths--;
    }
    death = &journal->deaths[journal->nr_deaths++];
    memset(death, 0, sizeof(*death));
    death->at_ms = at_ms;
    death->back_ms = -1;
    snprintf(death->cause, sizeof(death->cause), "%s", cause);
    journal->nr_deaths_ever++;
}
