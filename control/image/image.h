/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel image of Ferry's: its segments, and what its note tells of it (ferry/image.h). Pure but for
 * image_load(). The file is dom0's own, but a damaged one must not lead outside of it. */
#ifndef CONTROL_IMAGE_H
#define CONTROL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ferry/image.h>

#define IMAGE_PAGE 4096u
#define IMAGE_SIZE_MAX (64u << 20)
#define IMAGE_SEGMENTS_MAX 8

struct image_segment {
    uint64_t va, mem_len, file_len;
    const uint8_t *data; /* file_len bytes; zeros behind them */
};

struct image {
    struct ferry_image note;
    unsigned int nr_segments;
    struct image_segment segments[IMAGE_SEGMENTS_MAX];
    char *file; /* NULL: not loaded by image_load() */
};

/*
 * Returns 0, -ENOENT for an ELF without the note (an older kernel, or another's), or -EINVAL.
 * image_r points into the file, which stays the caller's.
 */
int image_parse(const void *file, size_t len, struct image *image_r);

/* Read a file; also returns what files_read() does. image_dispose() may be called twice. */
int image_load(const char *path, struct image *image_r);
void image_dispose(struct image *image);

/* One page as the domain builder loads it; zeros where there is no segment. Returns the page: in the
 * file where it is whole there, else in the buffer. */
const uint8_t *image_page(const struct image *image, uint64_t va, uint8_t buffer[IMAGE_PAGE]);

/*
 * Whether a domain that runs one image can go on with the other in place. why_r is set if not.
 */
bool image_fits(const struct image *running, const struct image *next, const char **why_r);

/* Whether a running NIC can be taken over by the other image. */
bool image_keeps_nic(const struct image *running, const struct image *next);

/* Whether an address is inside the NIC's driver. */
bool image_in_nic(const struct image *image, uint64_t rip);

#endif
