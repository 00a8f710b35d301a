/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal/journal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/journal_json.h"

#define SIZE_MAX_READ 262144
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

void journal_path(const char *name, const char *suffix, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/%s%s", files_state_dir(), name, suffix);
}

/* In the run directory, which is memory: the newer one, if it is there. */
static void quick_path(const char *name, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/%s.json", files_run_dir(), name);
}

const char *journal_boot(void)
{
    static char id[JOURNAL_UUID_SIZE];

    if (!*id && files_read_line(BOOT_ID, id, sizeof(id)) != JOURNAL_UUID_SIZE - 1)
        *id = '\0';
    return id;
}

bool journal_is_of_another_boot(const struct journal *journal)
{
    return journal->boot[0] && *journal_boot() && strcmp(journal->boot, journal_boot()) != 0;
}

int journal_load(const char *name, struct journal *journal_r)
{
    char path[FILES_PATH_SIZE], *text;
    struct journal journal;
    int err;

    if (!files_name_ok(name))
        return -EINVAL;
    quick_path(name, path);
    err = files_read(path, SIZE_MAX_READ, &text, NULL);
    if (err == -ENOENT) {
        journal_path(name, ".json", path);
        err = files_read(path, SIZE_MAX_READ, &text, NULL);
    }
    if (err)
        return err;
    err = journal_decode(text, &journal);
    free(text);
    if (err)
        return err;
    if (strcmp(journal.name, name) != 0)
        return -EINVAL;
    if (journal_is_of_another_boot(&journal))
        journal_deaths_age(&journal);
    *journal_r = journal;
    return 0;
}

static int save(const struct journal *journal, const char *path,
                int (*write)(const char *path, const void *data, size_t len))
{
    struct journal stamped = *journal;
    char *text;
    int err;

    snprintf(stamped.boot, sizeof(stamped.boot), "%s", journal_boot());
    text = journal_encode(&stamped);
    err = text ? write(path, text, strlen(text)) : -ENOMEM;
    free(text);
    return err;
}

int journal_save(const struct journal *journal)
{
    char path[FILES_PATH_SIZE];
    int err = files_dir_make(files_state_dir());

    if (err)
        return err;
    journal_path(journal->name, ".json", path);
    err = save(journal, path, files_write);
    quick_path(journal->name, path);
    if (!err)
        unlink(path);
    return err;
}

int journal_save_quick(const struct journal *journal)
{
    char path[FILES_PATH_SIZE];
    int err = files_dir_make(files_run_dir());

    quick_path(journal->name, path);
    return err ? err : save(journal, path, files_write_quick);
}

int journal_save_somewhere(const struct journal *journal)
{
    int err = journal_save(journal);

    if (err)
        (void)journal_save_quick(journal);
    return err;
}

void journal_file(const char *name, char path[FILES_PATH_SIZE])
{
    struct stat is;

    quick_path(name, path);
    if (stat(path, &is) && errno == ENOENT)
        journal_path(name, ".json", path);
}

int journal_stat(const char *name, struct stat *stat_r)
{
    char path[FILES_PATH_SIZE];

    quick_path(name, path);
    if (stat(path, stat_r) == 0)
        return 0;
    journal_path(name, ".json", path);
    return stat(path, stat_r) ? -errno : 0;
}

void journal_remove(const char *name)
{
    static const char *const suffixes[] = { ".json",        ".cfg",           ".libxl",
                                            ".kernel",      ".kernel.before", ".kernel.next",
                                            ".policy",      ".ramdisk",       ".ramdisk.before",
                                            ".ramdisk.next" };
    char path[FILES_PATH_SIZE];
    bool stays =
        false; /* on a read-only disk: then the newer one, in memory, has to say that it was stopped */

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        journal_path(name, suffixes[i], path);
        if (unlink(path) && errno != ENOENT && i == 0)
            stays = true;
    }
    quick_path(name, path);
    if (!stays)
        unlink(path);
}

int journal_each(void (*found)(void *ctx, const char *name), void *ctx)
{
    DIR *dir = opendir(files_state_dir());
    struct dirent *entry;
    int err;

    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    while (errno = 0, (entry = readdir(dir))) {
        char name[FILES_NAME_MAX + 1];
        size_t len = strlen(entry->d_name);

        if (len < 6 || len - 5 > FILES_NAME_MAX || strcmp(entry->d_name + len - 5, ".json") != 0)
            continue;
        memcpy(name, entry->d_name, len - 5);
        name[len - 5] = '\0';
        if (files_name_ok(name))
            found(ctx, name);
    }
    err = -errno;
    closedir(dir);
    return err;
}
