/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest receive: how a frame is laid over the guest's slots. Every slot but the last is filled with a
 * whole page; a frame to be cut has one extra-info slot after the first. Pure but for virt_to_mfn().
 * Source: xen/io/netif.h, "Guest receive" and "Extra Info".
 */
#ifndef VIF_RX_PLAN_H
#define VIF_RX_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <xen/xen.h>

#include <xen/io/netif.h>

#include "arch/x86/cpu.h"
#include "vif/nodes.h"
#include "xen/gnttab.h"

/* Longest frame a guest is given, and the slots of one. */
#define RX_LEN_MAX XEN_NETIF_MAX_TX_SIZE
#define RX_DATA_SLOTS_MAX ((RX_LEN_MAX + XDP_HEADROOM_MAX + PAGE_SIZE - 1) / PAGE_SIZE)
#define RX_EXTRAS_MAX 2 /* what it is to be cut into, and its hash */
#define RX_SLOTS_MAX (RX_DATA_SLOTS_MAX + RX_EXTRAS_MAX)

/* A chain longer than this is not sent: no sender of ours makes one. */
#define RX_SEGS_MAX 96

/* An mbuf's data is at most this long, so that it lies on two pages at most. */
#define RX_SEG_LEN_MAX PAGE_SIZE

#define RX_FRAME_OPS_MAX (RX_DATA_SLOTS_MAX + 2 * RX_SEGS_MAX)

/* Where a page of a frame goes. */
struct rx_slot {
    grant_ref_t gref;
    uint8_t *page; /* mapped and writable (vif/gref.h); NULL: to be copied by its gref */
};

/* Whether a frame has a shape that the functions below can lay out. */
bool rx_plan_possible(const struct rte_mbuf *frame);

/*
 * headroom, here and below: bytes that are left free in front of the data, in the first slot; at most
 * XDP_HEADROOM_MAX.
 */

/* Slots for the data, and whether an extra-info slot comes on top. */
static inline unsigned int rx_plan_data_slots(const struct rte_mbuf *frame, uint16_t headroom)
{
    return (unsigned int)((frame->pkt_len + headroom + PAGE_SIZE - 1) / PAGE_SIZE);
}

static inline bool rx_plan_has_extra(const struct rte_mbuf *frame)
{
    return frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
}

/* The copies of a frame at most: cheap, for finding out whether a batch has room. */
static inline unsigned int rx_plan_ops_bound(const struct rte_mbuf *frame, uint16_t headroom)
{
    return rx_plan_data_slots(frame, headroom) + 2u * frame->nb_segs;
}

/*
 * The copies themselves. What goes to mapped pages is copied at once.
 *
 *   slots  of the data, rx_plan_data_slots() of them
 *   ops    room for rx_plan_ops_bound()
 *
 * Returns the number of those left to do.
 */
unsigned int rx_plan_ops(const struct rte_mbuf *frame, uint16_t headroom,
                         const struct rx_slot *slots, domid_t guest, gnttab_copy_t *ops);

/* NETRXF_* of the frame's first response, more_data aside. */
static inline uint16_t rx_plan_flags(const struct rte_mbuf *frame)
{
    uint16_t flags = 0;

    if (frame->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG))
        flags |= NETRXF_csum_blank | NETRXF_data_validated;
    else if ((frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        flags |= NETRXF_data_validated;
    if (rx_plan_has_extra(frame))
        flags |= NETRXF_extra_info;
    return flags;
}

#endif
