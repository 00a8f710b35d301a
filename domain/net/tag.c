/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tag.h"

#include <string.h>

#include "net/checksum.h"
#include "net/frame.h"

#define ADDRESSES_LEN (2 * RTE_ETHER_ADDR_LEN)

static uint32_t l2_type(uint32_t l2_len)
{
    if (l2_len == RTE_ETHER_HDR_LEN)
        return RTE_PTYPE_L2_ETHER;
    return l2_len == RTE_ETHER_HDR_LEN + TAG_LEN ? RTE_PTYPE_L2_ETHER_VLAN
                                                 : RTE_PTYPE_L2_ETHER_QINQ;
}

/* The headers begin by so many bytes later than was noted, if anything was. */
static void metadata_shift(struct rte_mbuf *frame, int bytes)
{
    if (frame->packet_type == 0 && !(frame->ol_flags & CHECKSUM_UNFINISHED))
        return;
    frame->l2_len = (uint64_t)(frame->l2_len + bytes);
    if (frame->packet_type)
        frame->packet_type =
            (frame->packet_type & ~RTE_PTYPE_L2_MASK) | l2_type((uint32_t)frame->l2_len);
}

void tag_vid_set(struct rte_mbuf *frame, uint16_t vid)
{
    uint8_t *tci = rte_pktmbuf_mtod_offset(frame, uint8_t *, RTE_ETHER_HDR_LEN);

    if (tag_is_beside(frame)) {
        frame->vlan_tci = (uint16_t)((frame->vlan_tci & ~TAG_VID_MASK) | vid);
        return;
    }
    tci[0] = (uint8_t)((tci[0] & ~(TAG_VID_MASK >> 8)) | vid >> 8);
    tci[1] = (uint8_t)vid;
}

void tag_insert(struct rte_mbuf *frame)
{
    uint8_t *bytes;
    const uint8_t tag[TAG_LEN] = { RTE_ETHER_TYPE_VLAN >> 8, RTE_ETHER_TYPE_VLAN & 0xff,
                                   (uint8_t)(frame->vlan_tci >> 8), (uint8_t)frame->vlan_tci };

    frame->ol_flags &= ~RTE_MBUF_F_TX_VLAN;
    (void)rte_pktmbuf_prepend(frame, TAG_LEN);
    bytes = rte_pktmbuf_mtod(frame, uint8_t *);
    memmove(bytes, bytes + TAG_LEN, ADDRESSES_LEN);
    memcpy(bytes + ADDRESSES_LEN, tag, TAG_LEN);
    metadata_shift(frame, TAG_LEN);
}

/* A third tag was not seen, and is now among the first two. */
static bool hides_a_tag(const struct rte_mbuf *frame)
{
    uint16_t type = frame_ethertype(frame);

    return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ;
}

void tag_pop(struct rte_mbuf *frame)
{
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);

    if (tag_is_beside(frame)) {
        frame->ol_flags &= ~RTE_MBUF_F_TX_VLAN;
        return;
    }
    memmove(bytes + TAG_LEN, bytes, ADDRESSES_LEN);
    rte_pktmbuf_adj(frame, TAG_LEN);
    if (frame->packet_type && hides_a_tag(frame))
        frame_forget(frame);
    else
        metadata_shift(frame, -(int)TAG_LEN);
}
