/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/request.h"

#include <string.h>

static int16_t segments_take(const struct blkif_request *from, struct request *request)
{
    for (unsigned int i = 0; i < from->nr_segments; i++) {
        const struct blkif_request_segment *segment = &from->seg[i];

        if (segment->first_sect > segment->last_sect || segment->last_sect >= REQUEST_PAGE_SECTORS)
            return BLKIF_RSP_ERROR;
        request->len += (segment->last_sect - segment->first_sect + 1u) * REQUEST_SECTOR_SIZE;
        request->segments[i] = *segment;
    }
    request->nr_segments = from->nr_segments;
    return BLKIF_RSP_OKAY;
}

int16_t request_parse(const struct blkif_request *from, uint64_t nr_sectors, bool is_read_only,
                      struct request *request_r)
{
    struct request request = { .is_flush = from->operation == BLKIF_OP_FLUSH_DISKCACHE,
                               .is_write = from->operation != BLKIF_OP_READ };
    uint64_t nr;

    if (from->operation != BLKIF_OP_READ && from->operation != BLKIF_OP_WRITE && !request.is_flush)
        return BLKIF_RSP_EOPNOTSUPP;
    if (from->nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST)
        return BLKIF_RSP_ERROR;
    if (from->nr_segments == 0 && !request.is_flush)
        return BLKIF_RSP_ERROR;
    if (segments_take(from, &request) != BLKIF_RSP_OKAY)
        return BLKIF_RSP_ERROR;
    if (request.len) {
        nr = request.len / REQUEST_SECTOR_SIZE;
        if (is_read_only && request.is_write)
            return BLKIF_RSP_ERROR;
        if (from->sector_number > nr_sectors || nr > nr_sectors - from->sector_number)
            return BLKIF_RSP_ERROR;
        request.offset = from->sector_number * REQUEST_SECTOR_SIZE;
    }
    *request_r = request;
    return BLKIF_RSP_OKAY;
}
