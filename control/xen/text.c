/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xen/domctl.h"

struct compare {
    const struct image *image;
    const struct tables *tables;
    int (*found)(void *ctx, uint64_t mfn, const uint8_t *page);
    void *ctx;
};

static const uint8_t *range_map(struct host *host, uint32_t domid, const struct tables *tables,
                                uint64_t start, uint64_t end)
{
    size_t nr = (end - start) / IMAGE_PAGE;
    xen_pfn_t *mfns = calloc(nr, sizeof(*mfns));
    const uint8_t *pages = NULL;
    uint64_t mfn;
    size_t i;

    for (i = 0; mfns && i < nr && tables_mfn(tables, start + i * IMAGE_PAGE, &mfn) == 0; i++)
        mfns[i] = mfn;
    errno = mfns ? ENOENT : ENOMEM;
    if (i == nr)
        pages = domctl_map(host, domid, PROT_READ, mfns, nr);
    free(mfns);
    return pages;
}

int text_view_open(struct host *host, uint32_t domid, const struct image *image,
                   const struct tables *tables, struct text_view *view_r)
{
    const struct ferry_image *note = &image->note;
    struct text_view view;
    int err;

    view.text = range_map(host, domid, tables, note->text_start, note->text_end);
    if (!view.text)
        return -errno;
    view.rodata = range_map(host, domid, tables, note->rodata_start, note->rodata_end);
    if (!view.rodata) {
        err = -errno;
        domctl_unmap(host, view.text, (note->text_end - note->text_start) / IMAGE_PAGE);
        return err;
    }
    *view_r = view;
    return 0;
}

void text_view_close(struct host *host, const struct image *image, struct text_view *view)
{
    const struct ferry_image *note = &image->note;

    domctl_unmap(host, view->text, (note->text_end - note->text_start) / IMAGE_PAGE);
    domctl_unmap(host, view->rodata, (note->rodata_end - note->rodata_start) / IMAGE_PAGE);
    memset(view, 0, sizeof(*view));
}

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

static int range_compare(const struct compare *c, uint64_t start, uint64_t end, const uint8_t *now)
{
    uint8_t buffer[IMAGE_PAGE];
    int err = 0;

    for (uint64_t va = start; !err && va < end; va += IMAGE_PAGE, now += IMAGE_PAGE) {
        const uint8_t *page = image_page(c->image, va, buffer);
        uint64_t mfn;

        if (is_same(now, page))
            continue;
        err = tables_mfn(c->tables, va, &mfn);
        if (!err)
            err = c->found(c->ctx, mfn, page);
    }
    return err;
}

int text_compare(struct host *host, uint32_t domid, const struct image *image,
                 const struct tables *tables, const struct text_view *view,
                 int (*found)(void *ctx, uint64_t mfn, const uint8_t *page), void *ctx)
{
    const struct compare c = { image, tables, found, ctx };
    const struct ferry_image *note = &image->note;
    struct text_view own = { 0 };
    int err = 0;

    if (!view || !view->text) {
        err = text_view_open(host, domid, image, tables, &own);
        view = &own;
    }
    if (!err)
        err = range_compare(&c, note->text_start, note->text_end, view->text);
    if (!err)
        err = range_compare(&c, note->rodata_start, note->rodata_end, view->rodata);
    text_view_close(host, image, &own);
    return err;
}
