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

/* By words: the C library's way is slow on a processor that is emulated. */
static bool is_same(const uint8_t *a, const uint8_t *b)
{
    const uint64_t *left = (const uint64_t *)a;
    uint64_t differences = 0, word;

    for (unsigned int i = 0; i < IMAGE_PAGE / sizeof(word); i++) {
        memcpy(&word, b + i * sizeof(word), sizeof(word));
        differences |= left[i] ^ word;
    }
    return !differences;
}

static int pages_compare(const struct compare *c, uint64_t va, const xen_pfn_t *mfns, size_t nr)
{
    uint8_t buffer[IMAGE_PAGE], *now = outside_map(c->host, c->domid, PROT_READ, mfns, nr);
    int err = 0;

    if (!now)
        return -errno;
    for (size_t i = 0; !err && i < nr; i++) {
        const uint8_t *page = image_page(c->image, va + i * IMAGE_PAGE, buffer);

        if (!is_same(now + i * IMAGE_PAGE, page))
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
