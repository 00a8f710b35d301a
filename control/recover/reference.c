/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/reference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "journal/journal.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/domctl.h"
#include "xen/statspages.h"
#include "xen/text.h"

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

static void image_get(const struct journal *journal, struct reference *reference)
{
    char path[FILES_PATH_SIZE];
    int err;

    if (!journal->kernel[0])
        return; /* made before there were copies */
    journal_path(journal->name, ".kernel", path);
    if (stat(path, &reference->file) || journal->is_linux)
        return;
    err = image_load(path, &reference->image);
    reference->has_image = !err;
    if (err)
        log_line("%s: its kernel %s; a death means a rebuild", journal->name,
                 err == -ENOENT ? "cannot be reloaded in place" : "has a note that makes no sense");
}

static void tables_get(const struct journal *journal, struct reference *reference)
{
    char path[FILES_PATH_SIZE], who[WHO_SIZE], *bytes;
    size_t len;

    path_of(journal, path);
    if (files_read(path, FILE_SIZE_MAX, &bytes, &len))
        return;
    who_is(journal, who);
    reference->has_tables = tables_decode(bytes, len, who, &reference->tables) == 0;
    free(bytes);
}

void reference_load(const struct journal *journal, struct reference *reference_r)
{
    memset(reference_r, 0, sizeof(*reference_r));
    image_get(journal, reference_r);
    if (reference_r->has_image)
        tables_get(journal, reference_r);
}

bool reference_is_stale(const struct journal *journal, const struct reference *reference)
{
    char path[FILES_PATH_SIZE];
    struct stat now;

    journal_path(journal->name, ".kernel", path);
    if (stat(path, &now))
        return false;
    return now.st_ino != reference->file.st_ino ||
           now.st_mtim.tv_nsec != reference->file.st_mtim.tv_nsec ||
           now.st_mtim.tv_sec != reference->file.st_mtim.tv_sec;
}

int reference_capture(struct host *host, const struct journal *journal, struct reference *reference)
{
    static bool is_told;
    char path[FILES_PATH_SIZE], who[WHO_SIZE];
    struct tables tables;
    size_t len;
    void *bytes;
    int err = domctl_tables_read(host, journal->domid, &tables);

    if (err)
        return err;
    tables_dispose(&reference->tables);
    reference->tables = tables;
    reference->has_tables = true;
    who_is(journal, who);
    bytes = tables_encode(&reference->tables, who, &len);
    if (!bytes)
        return -ENOMEM;
    path_of(journal, path);
    err = files_write_quick(path, bytes, len);
    free(bytes);
    if (err)
        unlink(path); /* the old ones are no more its own */
    if (err && !is_told)
        log_line("%s: %s%s; until then a ferryd that is restarted reads its tables anew", path,
                 strerror(-err), files_todo(err));
    is_told = err;
    return 0;
}

static int differs(void *ctx, uint64_t mfn, const uint8_t *page)
{
    (void)ctx;
    (void)mfn;
    (void)page;
    return 1;
}

bool reference_is_of(struct host *host, const struct journal *journal,
                     const struct reference *reference)
{
    struct tables tables = { 0 };
    bool is_same =
        domctl_tables_read(host, journal->domid, &tables) == 0 &&
        text_compare(host, journal->domid, &reference->image, &tables, NULL, differs, NULL) == 0;

    tables_dispose(&tables);
    return is_same;
}

void reference_forget(const struct journal *journal)
{
    char path[FILES_PATH_SIZE];

    path_of(journal, path);
    unlink(path);
}

void reference_dispose(struct reference *reference)
{
    image_dispose(&reference->image);
    tables_dispose(&reference->tables);
    memset(reference, 0, sizeof(*reference));
}

int reference_mfn(struct host *host, const struct journal *journal,
                  const struct reference *reference, uint64_t va, uint64_t *mfn_r)
{
    if (reference->has_tables)
        return tables_mfn(&reference->tables, va, mfn_r);
    *mfn_r = xc_translate_foreign_address(host->xc, journal->domid, 0, va);
    return *mfn_r ? 0 : -ENOENT;
}

const volatile void *reference_status_map(struct host *host, const struct journal *journal,
                                          const struct reference *reference)
{
    uint64_t mfn;
    xen_pfn_t frame;

    if (!reference->has_image ||
        reference_mfn(host, journal, reference, reference->image.note.status, &mfn))
        return NULL;
    frame = mfn;
    return domctl_map(host, journal->domid, PROT_READ, &frame, 1);
}

const volatile void *reference_stats_map(struct host *host, const struct journal *journal,
                                         const struct reference *reference, unsigned int nr)
{
    xen_pfn_t frames[STATSPAGES_NR];

    if (!reference->has_image || !reference->image.note.stats || nr > STATSPAGES_NR)
        return NULL;
    for (unsigned int i = 0; i < nr; i++) {
        uint64_t mfn;

        if (reference_mfn(host, journal, reference, reference->image.note.stats + i * 4096ul, &mfn))
            return NULL;
        frames[i] = mfn;
    }
    return domctl_map(host, journal->domid, PROT_READ, frames, nr);
}

volatile void *reference_capture_map(struct host *host, const struct journal *journal,
                                     const struct reference *reference, uint32_t va)
{
    xen_pfn_t frames[CAPTURE_PAGES];

    if (!reference->has_image || !va || va % 4096)
        return NULL;
    for (unsigned int i = 0; i < CAPTURE_PAGES; i++) {
        uint64_t mfn;

        if (reference_mfn(host, journal, reference, va + i * 4096ul, &mfn))
            return NULL;
        frames[i] = mfn;
    }
    return domctl_map(host, journal->domid, PROT_READ | PROT_WRITE, frames, CAPTURE_PAGES);
}
