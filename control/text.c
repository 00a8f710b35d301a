/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "outside.h"

struct compare {
    struct host *host;
    uint32_t domid;
    const struct image *image;
    const struct tables *tables;
    int (*found)(void *ctx, uint64_t mfn, const uint8_t *page);
    void *ctx;
};

static int pages_compare(const struct compare *c, uint64_t va, const xen_pfn_t *mfns, size_t nr)
{
    uint8_t buffer[IMAGE_PAGE], *now = outside_map(c->host, c->domid, PROT_READ, mfns, nr);
    int err = 0;

    if (!now)
        return -errno;
    for (size_t i = 0; !err && i < nr; i++) {
        const uint8_t *page = image_page(c->image, va + i * IMAGE_PAGE, buffer);

        if (memcmp(page, now + i * IMAGE_PAGE, IMAGE_PAGE) != 0)
            err = c->found(c->ctx, mfns[i], page);
    }
    outside_unmap(c->host, now, nr);
    return err;
}

static int range_compare(const struct compare *c, uint64_t start, uint64_t end)
{
    size_t nr = (end - start) / IMAGE_PAGE;
    xen_pfn_t *mfns = calloc(nr, sizeof(*mfns));
    int err = mfns ? 0 : -ENOMEM;

    for (size_t i = 0; !err && i < nr; i++) {
        uint64_t mfn;

        err = tables_mfn(c->tables, start + i * IMAGE_PAGE, &mfn);
        if (!err)
            mfns[i] = mfn;
    }
    if (!err)
        err = pages_compare(c, start, mfns, nr);
    free(mfns);
    return err;
}

int text_compare(struct host *host, uint32_t domid, const struct image *image,
                 const struct tables *tables,
                 int (*found)(void *ctx, uint64_t mfn, const uint8_t *page), void *ctx)
{
    const struct compare c = { host, domid, image, tables, found, ctx };
    int err = range_compare(&c, image->note.text_start, image->note.text_end);

    return err ? err : range_compare(&c, image->note.rodata_start, image->note.rodata_end);
}
