/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux-block's ring and requests: whatever a frontend writes into its pages, at any time, no slot beyond the ring is used, no byte
 * beyond the disk or a page, and no request is answered that was not taken. Inputs: one byte for the ring's order and what is known of it, then steps of
 * a byte and what it needs: bytes written somewhere into the pages, a request taken, one answered, a successor.
 */
#include "block/request.h"
#include "block/ring.h"

#include "fuzz.h"

#define SECTORS 5000

static _Alignas(RING_PAGE_SIZE) uint8_t pages[RING_PAGE_SIZE << RING_ORDER_MAX];
static struct ring ring;
static unsigned int order;

struct input {
    const uint8_t *at, *end;
};

static unsigned int next(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static void pages_write(struct input *input)
{
    size_t size = RING_PAGE_SIZE << order, at = (next(input) | next(input) << 8) % size;
    size_t len = next(input);

    for (size_t i = 0; i < len && at + i < size; i++)
        pages[at + i] = (uint8_t)next(input);
}

/* A request in the next slot, as a frontend writes it: its indices are then right. */
static void request_write(struct input *input)
{
    struct blkif_sring *shared = (struct blkif_sring *)pages;
    uint8_t *slot = (uint8_t *)&shared->ring[shared->req_prod % ring.nr_slots];

    for (size_t i = 0; i < sizeof(struct blkif_request); i++)
        slot[i] = (uint8_t)next(input);
    shared->req_prod++;
}

static void request_check(const struct blkif_request *from)
{
    struct request request;
    uint32_t len = 0;

    for (int is_read_only = 0; is_read_only < 2; is_read_only++) {
        int16_t status = request_parse(from, SECTORS, is_read_only, &request);

        FUZZ_CHECK(status <= BLKIF_RSP_OKAY && status >= BLKIF_RSP_EOPNOTSUPP);
        if (status != BLKIF_RSP_OKAY)
            continue;
        FUZZ_CHECK(request.nr_segments <= BLKIF_MAX_SEGMENTS_PER_REQUEST);
        FUZZ_CHECK(request.len <= REQUEST_BYTES_MAX);
        FUZZ_CHECK(request.len == 0 ||
                   request.offset + request.len <= (uint64_t)SECTORS * REQUEST_SECTOR_SIZE);
        FUZZ_CHECK(!(is_read_only && request.is_write && request.len));
        len = 0;
        for (unsigned int i = 0; i < request.nr_segments; i++) {
            FUZZ_CHECK(request.segments[i].first_sect <= request.segments[i].last_sect);
            FUZZ_CHECK(request.segments[i].last_sect < REQUEST_PAGE_SECTORS);
            len += (request.segments[i].last_sect - request.segments[i].first_sect + 1u) *
                   REQUEST_SECTOR_SIZE;
        }
        FUZZ_CHECK(len == request.len);
    }
}

static bool take(void)
{
    struct blkif_request request;
    unsigned int slot = ~0u, nr_taken = ring.nr_taken;
    int got = ring_take(&ring, &request, &slot);

    FUZZ_CHECK(ring.req_cons - ring.rsp_prod <= ring.nr_slots);
    if (got > 0) {
        FUZZ_CHECK(slot < ring.nr_slots && ring.nr_taken == nr_taken + 1);
        FUZZ_CHECK(ring.slots[slot].state == RING_SLOT_TAKEN);
        request_check(&request);
    }
    return got >= 0;
}

static void done(unsigned int which)
{
    for (unsigned int i = 0; i < ring.nr_slots; i++) {
        unsigned int slot = (which + i) % ring.nr_slots;

        if (ring.slots[slot].state == RING_SLOT_TAKEN) {
            ring_done(&ring, slot, BLKIF_RSP_OKAY);
            return;
        }
    }
}

static bool attach(unsigned int what)
{
    static const uint64_t identities[2] = { 7, 8 };
    const char *why = NULL;
    int err = ring_attach(&ring, pages, order, what & 1,
                          what & 2 ? &identities[what >> 2 & 1] : NULL, &why);

    FUZZ_CHECK(!err == !why);
    FUZZ_CHECK(err || ring.nr_found + ring.nr_finished <= ring.nr_slots);
    return !err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, data + size };
    unsigned int first = next(&input);

    memset(pages, 0, sizeof(pages));
    order = first % (RING_ORDER_MAX + 1);
    if (!attach(2))
        return 0;
    while (input.at < input.end) {
        unsigned int step = next(&input);

        switch (step % 6) {
        case 0:
            pages_write(&input);
            break;
        case 1:
            request_write(&input);
            break;
        case 2:
            if (!take())
                return 0;
            break;
        case 3:
            done(step / 6);
            ring_answer(&ring);
            FUZZ_CHECK(ring.req_cons - ring.rsp_prod <= ring.nr_slots);
            break;
        case 4:
            ring_arm(&ring);
            break;
        default:
            if (!attach(step / 6))
                return 0;
        }
    }
    return 0;
}
