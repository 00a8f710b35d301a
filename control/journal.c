/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_MAX_READ 262144

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

static int save(const struct journal *journal,
                int (*write)(const char *path, const void *data, size_t len))
{
    char path[FILES_PATH_SIZE], *text;
    int err = files_dir_make(files_state_dir());

    if (err)
        return err;
    text = journal_encode(journal);
    if (!text)
        return -ENOMEM;
    journal_path(journal->name, ".json", path);
    err = write(path, text, strlen(text));
    free(text);
    return err;
}

int journal_save(const struct journal *journal)
{
    return save(journal, files_write);
}

int journal_save_quick(const struct journal *journal)
{
    return save(journal, files_write_quick);
}

void journal_remove(const char *name)
{
    static const char *const suffixes[] = { ".json", ".cfg", ".libxl", ".kernel",
                                            ".kernel.before" };
    char path[FILES_PATH_SIZE];

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        journal_path(name, suffixes[i], path);
        unlink(path);
    }
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

struct journal_death *journal_death_last(struct journal *journal)
{
    return &journal->deaths[journal->nr_deaths - 1];
}

void journal_step_add(struct journal_death *death, const char *name, int64_t us)
{
    struct journal_step *step;

    if (death->nr_steps == JOURNAL_STEPS_MAX)
        return;
    step = &death->steps[death->nr_steps++];
    snprintf(step->name, sizeof(step->name), "%s", name);
    step->us = us;
}

bool journal_death_is_planned(const struct journal_death *death)
{
    return strcmp(death->cause, "restart") == 0 || strcmp(death->cause, "upgrade") == 0;
}
