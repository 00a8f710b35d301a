/* SPDX-License-Identifier: BSD-2-Clause */
#include "golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "outside.h"
#include "say.h"
#include "text.h"

#define FILE_SIZE_MAX (TABLES_MAX * sizeof(struct table) + 4096)
#define WHO_SIZE (JOURNAL_UUID_SIZE + 16)

static void path_of(const struct journal *journal, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/%s.tables", files_run_dir(), journal->name);
}

static void who_is(const struct journal *journal, char who[WHO_SIZE])
{
    snprintf(who, WHO_SIZE, "%s %u", journal->uuid, journal->domid);
}

static void image_get(const struct journal *journal, struct golden *golden)
{
    char path[FILES_PATH_SIZE];
    int err;

    if (!journal->kernel[0])
        return; /* made before there were copies */
    journal_path(journal->name, ".kernel", path);
    if (stat(path, &golden->file))
        return;
    err = image_load(path, &golden->image);
    golden->has_image = !err;
    if (err)
        say("%s: its kernel %s; a death means a rebuild", journal->name,
            err == -ENOENT ? "cannot be reloaded in place" : "has a note that makes no sense");
}

static void tables_get(const struct journal *journal, struct golden *golden)
{
    char path[FILES_PATH_SIZE], who[WHO_SIZE], *bytes;
    size_t len;

    path_of(journal, path);
    if (files_read(path, FILE_SIZE_MAX, &bytes, &len))
        return;
    who_is(journal, who);
    golden->has_tables = tables_decode(bytes, len, who, &golden->tables) == 0;
    free(bytes);
}

void golden_load(const struct journal *journal, struct golden *golden_r)
{
    memset(golden_r, 0, sizeof(*golden_r));
    image_get(journal, golden_r);
    if (golden_r->has_image)
        tables_get(journal, golden_r);
}

bool golden_is_stale(const struct journal *journal, const struct golden *golden)
{
    char path[FILES_PATH_SIZE];
    struct stat now;

    journal_path(journal->name, ".kernel", path);
    if (stat(path, &now))
        return false;
    return now.st_ino != golden->file.st_ino ||
           now.st_mtim.tv_nsec != golden->file.st_mtim.tv_nsec ||
           now.st_mtim.tv_sec != golden->file.st_mtim.tv_sec;
}

int golden_capture(struct host *host, const struct journal *journal, struct golden *golden)
{
    char path[FILES_PATH_SIZE], who[WHO_SIZE];
    struct tables tables;
    size_t len;
    void *bytes;
    int err = outside_tables_read(host, journal->domid, &tables);

    if (err)
        return err;
    tables_dispose(&golden->tables);
    golden->tables = tables;
    golden->has_tables = true;
    who_is(journal, who);
    bytes = tables_encode(&golden->tables, who, &len);
    if (!bytes)
        return -ENOMEM;
    path_of(journal, path);
    err = files_write_quick(path, bytes, len);
    free(bytes);
    return err;
}

static int differs(void *ctx, uint64_t mfn, const uint8_t *page)
{
    (void)ctx;
    (void)mfn;
    (void)page;
    return 1;
}

bool golden_is_of(struct host *host, const struct journal *journal, const struct golden *golden)
{
    struct tables tables = { 0 };
    bool is_same =
        outside_tables_read(host, journal->domid, &tables) == 0 &&
        text_compare(host, journal->domid, &golden->image, &tables, NULL, differs, NULL) == 0;

    tables_dispose(&tables);
    return is_same;
}

void golden_forget(const struct journal *journal)
{
    char path[FILES_PATH_SIZE];

    path_of(journal, path);
    unlink(path);
}

void golden_dispose(struct golden *golden)
{
    image_dispose(&golden->image);
    tables_dispose(&golden->tables);
    memset(golden, 0, sizeof(*golden));
}

int golden_mfn(struct host *host, const struct journal *journal, const struct golden *golden,
               uint64_t va, uint64_t *mfn_r)
{
    if (golden->has_tables)
        return tables_mfn(&golden->tables, va, mfn_r);
    *mfn_r = xc_translate_foreign_address(host->xc, journal->domid, 0, va);
    return *mfn_r ? 0 : -ENOENT;
}

const volatile void *golden_status_map(struct host *host, const struct journal *journal,
                                       const struct golden *golden)
{
    uint64_t mfn;
    xen_pfn_t frame;

    if (!golden->has_image || golden_mfn(host, journal, golden, golden->image.note.status, &mfn))
        return NULL;
    frame = mfn;
    return outside_map(host, journal->domid, PROT_READ, &frame, 1);
}
