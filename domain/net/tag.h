/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outer VLAN tag of a frame: IEEE 802.1Q, TPID 0x8100. Service tags (0x88a8) are none here; what is
 * behind them, or behind the first tag, is payload.
 *
 * It lies in the frame, or beside it: RTE_MBUF_F_TX_VLAN with the TCI in vlan_tci, as NICs take it off
 * and put it on. A tag beside the frame is the outer one, whatever the frame begins with, and does not
 * count in its length. net/egress.h puts it into the frame for ports that do not take it (PORT_TX_VLAN),
 * and in front of another tag.
 *
 * Where a frame is changed, its first segment is the caller's alone. What net/frame.h found before stays
 * true, and l2_len of a frame with an unfinished checksum; l2_len is 26 with a tag in front of two.
 */
#ifndef NET_TAG_H
#define NET_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#define TAG_LEN 4u
#define TAG_VID_MASK 0x0fffu /* of the TCI; the rest is priority and DEI */

static inline bool tag_is_beside(const struct rte_mbuf *frame)
{
    return frame->ol_flags & RTE_MBUF_F_TX_VLAN;
}

/* The frame has an Ethernet header. If there is a tag in it, it may be cut off. */
static inline bool tag_is_there(const struct rte_mbuf *frame)
{
    return tag_is_beside(frame) ||
           rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *)->ether_type ==
               RTE_BE16(RTE_ETHER_TYPE_VLAN);
}

/* The VID of a tag that is there, and whole; 0: it is a priority alone. */
static inline uint16_t tag_vid(const struct rte_mbuf *frame)
{
    const uint8_t *tci = rte_pktmbuf_mtod_offset(frame, const uint8_t *, RTE_ETHER_HDR_LEN);

    return (tag_is_beside(frame) ? frame->vlan_tci : (uint16_t)(tci[0] << 8 | tci[1])) &
           TAG_VID_MASK;
}

/* Is there another such tag right behind a tag that is there, and whole? */
static inline bool tag_has_second(const struct rte_mbuf *frame)
{
    const uint8_t *type = rte_pktmbuf_mtod_offset(
        frame, const uint8_t *, 2u * RTE_ETHER_ADDR_LEN + (tag_is_beside(frame) ? 0 : TAG_LEN));

    return (type[0] << 8 | type[1]) == RTE_ETHER_TYPE_VLAN;
}

/* Does the frame itself begin with a tag, of either TPID? */
static inline bool tag_is_in_front(const struct rte_mbuf *frame)
{
    rte_be16_t type = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *)->ether_type;

    return type == RTE_BE16(RTE_ETHER_TYPE_VLAN) || type == RTE_BE16(RTE_ETHER_TYPE_QINQ);
}

/* The same tag beside both, or none beside either? Those in the frames are not looked at. */
static inline bool tag_beside_is_alike(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
    return tag_is_beside(a) == tag_is_beside(b) &&
           (!tag_is_beside(a) || a->vlan_tci == b->vlan_tci);
}

/* Change the VID of a tag that is there. */
void tag_vid_set(struct rte_mbuf *frame, uint16_t vid);

/* Give a frame a tag of priority 0, beside it, where none is yet. Its bytes are not written to. */
static inline void tag_push(struct rte_mbuf *frame, uint16_t vid)
{
    frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
    frame->vlan_tci = vid;
}

/* Put a tag that is beside the frame into it. The headroom is TAG_LEN at least. */
void tag_insert(struct rte_mbuf *frame);

/* Take the tag away that is there. */
void tag_pop(struct rte_mbuf *frame);

#endif
