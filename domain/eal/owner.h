/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom an mbuf of the pool belongs to: a word in each, kept up to date as mbufs change hands, by
 * which a restarted kernel takes back its own and leaves the NIC what the NIC uses.
 *
 * What a NIC holds is the NIC's alone: a direct segment that it was given has no other reference.
 * Indirect segments (net/segment.c) point into direct ones, which stay ours meanwhile.
 */
#ifndef EAL_OWNER_H
#define EAL_OWNER_H

#include <stdint.h>

#include <rte_mbuf.h>

/* Not small numbers: what memory that was written over holds is none of them. */
enum owner {
    OWNER_FREE = 0x65657266, /* in the pool */
    OWNER_DRIVER = 0x7672646e, /* in a ring of a NIC's, or on its way there inside the driver */
    OWNER_FERRY = 0x79727266, /* anywhere else */
};

/* The word is one of DPDK's dynamic fields, registered as such by pool_init(). */
#define OWNER_FIELD 8

static inline uint32_t owner_of(const struct rte_mbuf *segment)
{
    return segment->dynfield1[OWNER_FIELD];
}

static inline void owner_set(struct rte_mbuf *segment, enum owner owner)
{
    segment->dynfield1[OWNER_FIELD] = owner;
}

/* The same for all segments of a frame. */
static inline void owner_set_frame(struct rte_mbuf *frame, enum owner owner)
{
    for (struct rte_mbuf *segment = frame; segment; segment = segment->next)
        owner_set(segment, owner);
}

#endif
