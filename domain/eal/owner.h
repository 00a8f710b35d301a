/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom each mbuf of the pool belongs to, kept up to date as mbufs change hands, by which a restarted
 * kernel takes back its own and leaves the NIC what the NIC uses.
 *
 * What a NIC holds is the NIC's alone: a direct segment that it was given has no other reference.
 * Indirect segments (net/segment.c) point into direct ones, which stay ours meanwhile.
 *
 * A byte for each 2 KB from the lowest mbuf on, in which at most one mbuf begins: mbufs are larger.
 */
#ifndef EAL_OWNER_H
#define EAL_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define OWNER_SLOT_SHIFT 11
#define OWNER_ALIGN_SHIFT 6 /* of mbufs: a cache line */
#define OWNER_NOWHERE 0xff

/* Not small numbers: what memory that was written over holds is probably none of them. */
enum owner {
    OWNER_NONE = 0, /* no mbuf begins here */
    OWNER_FREE = 0x5a, /* in the pool */
    OWNER_DRIVER = 0xc3, /* in a ring of a NIC's, or on its way there inside the driver */
    OWNER_FERRY = 0x96, /* anywhere else */
};

/* Does not change once the pool is there, but for *owner. */
struct owner_map {
    uintptr_t lowest; /* the mbuf */
    uint32_t nr_slots;
    uint8_t *owner; /* enum owner, by slot */
    uint8_t *where; /* an mbuf begins so many cache lines behind the start of the slot */
};
extern struct owner_map owner_map;

static inline size_t owner_slot(const void *mbuf)
{
    return ((uintptr_t)mbuf - owner_map.lowest) >> OWNER_SLOT_SHIFT;
}

/* For an mbuf of the pool. */
static inline enum owner owner_of(const struct rte_mbuf *mbuf)
{
    return (enum owner)owner_map.owner[owner_slot(mbuf)];
}

static inline void owner_set(const struct rte_mbuf *mbuf, enum owner owner)
{
    owner_map.owner[owner_slot(mbuf)] = (uint8_t)owner;
}

/* The same for all segments of a frame. */
static inline void owner_set_frame(const struct rte_mbuf *frame, enum owner owner)
{
    for (const struct rte_mbuf *segment = frame; segment; segment = segment->next)
        owner_set(segment, owner);
}

/* The mbuf of a slot that has one. */
static inline struct rte_mbuf *owner_mbuf(size_t slot)
{
    return (struct rte_mbuf *)(owner_map.lowest + (slot << OWNER_SLOT_SHIFT) +
                               ((uintptr_t)owner_map.where[slot] << OWNER_ALIGN_SHIFT));
}

/* Whether an mbuf of the pool's begins at this address, whatever it is. */
static inline bool owner_is_mbuf(const void *address)
{
    size_t slot = owner_slot(address);

    return (uintptr_t)address >= owner_map.lowest && slot < owner_map.nr_slots &&
           owner_map.where[slot] != OWNER_NOWHERE && owner_mbuf(slot) == address;
}

#endif
