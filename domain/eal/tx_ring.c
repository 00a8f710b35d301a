/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/tx_ring.h"

#define VIRTIO_ALIGN 4096
#define VIRTIO_RING_MAX 32768

#define VMXNET3_TX_GENERATION (1u << 14) /* in word 2 */
#define VMXNET3_DONE_GENERATION (1u << 31) /* in word 3 */
#define VMXNET3_DONE_INDEX 0xfffu /* in word 0 */

struct vmxnet3_descriptor {
    uint32_t words[4];
};

static size_t pages(size_t len)
{
    return (len + VIRTIO_ALIGN - 1) & ~(size_t)(VIRTIO_ALIGN - 1);
}

static size_t virtio_used_at(size_t nr)
{
    return pages(nr * sizeof(struct virtio_descriptor) + 2 * sizeof(uint16_t) +
                 nr * sizeof(uint16_t));
}

static size_t virtio_ring_len(size_t nr)
{
    return virtio_used_at(nr) + pages(2 * sizeof(uint16_t) + nr * 8);
}

bool virtio_ring_find(const void *at, size_t len, struct virtio_ring *ring_r)
{
    size_t size = VIRTIO_RING_MIN;

    while (size < VIRTIO_RING_MAX && virtio_ring_len(size) < len)
        size *= 2;
    if (virtio_ring_len(size) != len)
        return false;
    ring_r->size = size;
    ring_r->descriptors = at;
    ring_r->given = (const volatile uint16_t *)(ring_r->descriptors + size);
    ring_r->used = (const volatile uint16_t *)((const char *)at + virtio_used_at(size));
    return true;
}

bool tx_ring_virtio(const void *at, size_t len, uint32_t *head_r, uint32_t *tail_r)
{
    struct virtio_ring ring;

    if (!virtio_ring_find(at, len, &ring))
        return false;
    *head_r = ring.used[1];
    *tail_r = ring.given[1];
    return true;
}

/* The first descriptor that is not of this round; 0 where all are, or none. */
static uint16_t round_end(const volatile struct vmxnet3_descriptor *descriptors, uint16_t nr,
                          unsigned int word, uint32_t generation)
{
    uint32_t first = descriptors[0].words[word] & generation;
    uint16_t i = 1;

    while (i < nr && (descriptors[i].words[word] & generation) == first)
        i++;
    return i < nr ? i : 0;
}

static uint32_t done_index(const volatile struct vmxnet3_descriptor *done)
{
    return done->words[0] & VMXNET3_DONE_INDEX;
}

/*
 * Two completions in a row name two descriptors. If they do not, nothing was completed yet: all is zero.
 */
static uint32_t vmxnet3_head(const volatile struct vmxnet3_descriptor *done, uint16_t nr)
{
    uint16_t next = round_end(done, nr, 3, VMXNET3_DONE_GENERATION);
    uint16_t last = next == 0 ? nr - 1 : next - 1;

    if (next == 0 && done_index(&done[nr - 1]) == done_index(&done[nr - 2]))
        return 0;
    return (done_index(&done[last]) + 1) % nr;
}

bool tx_ring_vmxnet3(const void *at, size_t len, uint16_t nr, uint32_t *head_r, uint32_t *tail_r)
{
    const volatile struct vmxnet3_descriptor *descriptors = at;

    if (nr < 2 || len < 2u * nr * sizeof(*descriptors))
        return false;
    *head_r = vmxnet3_head(descriptors + nr, nr);
    *tail_r = round_end(descriptors, nr, 2, VMXNET3_TX_GENERATION);
    return true;
}
