/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's text and read-only data beside those of an image. */
#ifndef CONTROL_TEXT_H
#define CONTROL_TEXT_H

#include "host.h"
#include "image.h"
#include "tables.h"

/*
 * Call found() for each page that differs, with its frame and what the image has there. Stops when it
 * returns other than 0, and returns that; otherwise 0, or a negative errno.
 */
int text_compare(struct host *host, uint32_t domid, const struct image *image,
                 const struct tables *tables,
                 int (*found)(void *ctx, uint64_t mfn, const uint8_t *page), void *ctx);

#endif
