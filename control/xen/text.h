/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's text and read-only data beside those of an image. */
#ifndef CONTROL_TEXT_H
#define CONTROL_TEXT_H

#include "image/image.h"
#include "xen/host.h"
#include "xen/tables.h"

/* The domain's side, mapped: NULL where it is not. */
struct text_view {
    const uint8_t *text, *rodata;
};

/* Map what text_compare() looks at, which takes longer than to look. Returns 0 or -errno. */
int text_view_open(struct host *host, uint32_t domid, const struct image *image,
                   const struct tables *tables, struct text_view *view_r);
void text_view_close(struct host *host, const struct image *image, struct text_view *view);

/*
 * Call found() for each page that differs, with its frame and what the image has there. Stops when it
 * returns other than 0, and returns that; otherwise 0, or a negative errno.
 *
 *   view  NULL: mapped for this one time
 */
int text_compare(struct host *host, uint32_t domid, const struct image *image,
                 const struct tables *tables, const struct text_view *view,
                 int (*found)(void *ctx, uint64_t mfn, const uint8_t *page), void *ctx);

#endif
