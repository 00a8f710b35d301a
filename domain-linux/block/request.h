/* SPDX-License-Identifier: BSD-2-Clause */
/* What a request asks for, checked against the disk. Pure. */
#ifndef DOMAIN_LINUX_BLOCK_REQUEST_H
#define DOMAIN_LINUX_BLOCK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/io/blkif.h>

#define REQUEST_SECTOR_SIZE 512
#define REQUEST_PAGE_SECTORS 8
#define REQUEST_BYTES_MAX                                                                          \
    (BLKIF_MAX_SEGMENTS_PER_REQUEST * REQUEST_PAGE_SECTORS * REQUEST_SECTOR_SIZE)

struct request {
    bool
        is_flush; /* all that was answered before is durable first; then data, if there is some, is written */
    bool is_write;
    uint64_t offset; /* bytes from the disk's start on */
    uint32_t len; /* bytes; 0: a flush alone */
    unsigned int nr_segments;
    struct blkif_request_segment segments[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};

/*
 *   from         a copy of a slot
 *   nr_sectors   of 512 bytes, that the disk has
 *
 * Returns BLKIF_RSP_OKAY, or what it is to be answered with: BLKIF_RSP_EOPNOTSUPP for an operation that was not offered, BLKIF_RSP_ERROR
 * for one that makes no sense or is not allowed. Source: xen/io/blkif.h.
 */
int16_t request_parse(const struct blkif_request *from, uint64_t nr_sectors, bool is_read_only,
                      struct request *request_r);

#endif
