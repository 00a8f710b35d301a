/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/ring.h"

#include <emmintrin.h>
#include <errno.h>
#include <string.h>

#define MARK 0xfe77b10cu
#define RECORD_MAGIC 0x32306b6c62797266ull /* changes when what it promises does */

/* A response, with what blkif leaves unused (xen/io/blkif.h, struct blkif_response on x86_64). */
union answer {
    struct {
        uint64_t id;
        uint8_t operation, unused;
        int16_t status;
        uint32_t mark;
    };
    __m128i whole;
};

/* In the header's unused bytes. */
struct record {
    uint64_t identity;
    uint64_t magic; /* written last */
};

#define RECORD_AT 24 /* after pvt; aligned */

_Static_assert(sizeof(struct blkif_request) == 112, "x86_64's layout");
_Static_assert(offsetof(struct blkif_request, id) == 8, "x86_64's layout");
_Static_assert(sizeof(struct blkif_response) == sizeof(union answer), "x86_64's layout");
_Static_assert(offsetof(struct blkif_response, status) == offsetof(union answer, status),
               "x86_64's layout");
_Static_assert(offsetof(struct blkif_sring, ring) == 64, "xen/io/ring.h");
_Static_assert(offsetof(struct blkif_sring, ring) % 16 == 0 &&
                   sizeof(union blkif_sring_entry) % 16 == 0,
               "a slot's first 16 bytes are written by one store");
_Static_assert(RECORD_AT >= offsetof(struct blkif_sring, __pad) &&
                   RECORD_AT + sizeof(struct record) <= 64,
               "within the header's unused bytes");

static volatile struct record *record_of(const struct ring *ring)
{
    return (volatile struct record *)((volatile char *)ring->shared + RECORD_AT);
}

static uint32_t slots_of(unsigned int order)
{
    uint32_t fit = ((RING_PAGE_SIZE << order) - 64) / (uint32_t)sizeof(union blkif_sring_entry);

    while (fit & (fit - 1))
        fit &= fit - 1;
    return fit;
}

static volatile char *slot_at(const struct ring *ring, uint32_t index)
{
    return (volatile char *)&ring->shared->ring[index & (ring->nr_slots - 1)];
}

static bool is_answered(const struct ring *ring, uint32_t index)
{
    return *(volatile uint32_t *)(slot_at(ring, index) + offsetof(union answer, mark)) == MARK;
}

int ring_attach(struct ring *ring, void *pages, unsigned int order, bool was_used,
                const uint64_t *identity, const char **why_r)
{
    volatile struct record *record;
    uint32_t req_prod;
    bool is_ours;

    *ring = (struct ring){ .shared = pages, .nr_slots = slots_of(order) };
    record = record_of(ring);
    is_ours = record->magic == RECORD_MAGIC;
    ring->rsp_prod = ring->shared->rsp_prod;
    req_prod = ring->shared->req_prod;
    if (!is_ours && (was_used || ring->rsp_prod)) {
        *why_r = "it was served by a backend that does not answer in order, so nobody knows which "
                 "requests are unanswered";
        return -ENOTRECOVERABLE;
    }
    if (is_ours && identity && record->identity != *identity) {
        *why_r = "the disk is another one than before";
        return -EMEDIUMTYPE;
    }
    if (req_prod - ring->rsp_prod > ring->nr_slots) {
        *why_r = "its req_prod is further ahead of rsp_prod than the ring has slots";
        return -EPROTO;
    }
    if (identity) {
        record->identity = *identity;
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* x86 keeps the order of stores */
        record->magic = RECORD_MAGIC;
    }
    while (ring->rsp_prod != req_prod && is_ours && is_answered(ring, ring->rsp_prod)) {
        ring->rsp_prod++;
        ring->nr_finished++;
    }
    ring->shared->rsp_prod = ring->rsp_prod;
    ring->req_cons = ring->rsp_prod;
    ring->nr_found = req_prod - ring->rsp_prod;
    return 0;
}

int ring_take(struct ring *ring, struct blkif_request *request_r, unsigned int *slot_r)
{
    uint32_t req_prod = __atomic_load_n(&ring->shared->req_prod, __ATOMIC_ACQUIRE);
    uint64_t copy[sizeof(*request_r) / sizeof(uint64_t)];
    volatile uint64_t *from = (volatile uint64_t *)slot_at(ring, ring->req_cons);
    struct ring_slot *slot;

    if (req_prod - ring->req_cons > ring->nr_slots - (ring->req_cons - ring->rsp_prod))
        return -EPROTO;
    if (req_prod == ring->req_cons)
        return 0;
    for (size_t i = 0; i < sizeof(copy) / sizeof(copy[0]); i++)
        copy[i] = from[i];
    memcpy(request_r, copy, sizeof(copy));
    *slot_r = ring->req_cons & (ring->nr_slots - 1);
    slot = &ring->slots[*slot_r];
    *slot = (struct ring_slot){ .state = RING_SLOT_TAKEN,
                                .id = request_r->id,
                                .operation = request_r->operation };
    ring->req_cons++;
    ring->nr_taken++;
    return 1;
}

void ring_done(struct ring *ring, unsigned int slot, int16_t status)
{
    ring->slots[slot].state = RING_SLOT_DONE;
    ring->slots[slot].status = status;
    ring->nr_taken--;
}

static void slot_write(struct ring *ring, uint32_t index, const struct ring_slot *slot)
{
    union answer answer = {
        .id = slot->id, .operation = slot->operation, .status = slot->status, .mark = MARK
    };

    _mm_store_si128((__m128i *)(uintptr_t)slot_at(ring, index), answer.whole);
}

bool ring_answer(struct ring *ring)
{
    uint32_t before = ring->rsp_prod;

    while (ring->rsp_prod != ring->req_cons) {
        struct ring_slot *slot = &ring->slots[ring->rsp_prod & (ring->nr_slots - 1)];

        if (slot->state != RING_SLOT_DONE)
            break;
        slot_write(ring, ring->rsp_prod, slot);
        slot->state = RING_SLOT_FREE;
        ring->rsp_prod++;
    }
    if (ring->rsp_prod == before)
        return false;
    __atomic_store_n(&ring->shared->rsp_prod, ring->rsp_prod, __ATOMIC_RELEASE);
    __atomic_thread_fence(
        __ATOMIC_SEQ_CST); /* the frontend sets rsp_event, then looks at rsp_prod */
    return ring->rsp_prod - ring->shared->rsp_event < ring->rsp_prod - before;
}

bool ring_arm(struct ring *ring)
{
    ring->shared->req_event = ring->req_cons + 1;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return ring->shared->req_prod != ring->req_cons;
}
