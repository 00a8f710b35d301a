/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outer VLAN tag of a frame: IEEE 802.1Q, TPID 0x8100. Service tags (0x88a8) are none here; what is
 * behind them, or behind the first tag, is payload.
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

/* The frame has an Ethernet header. If there is a tag it may be cut off. */
static inline bool tag_is_there(const struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *)->ether_type ==
           RTE_BE16(RTE_ETHER_TYPE_VLAN);
}

/* The VID of a tag that is there, and whole; 0: it is a priority alone. */
static inline uint16_t tag_vid(const struct rte_mbuf *frame)
{
    const uint8_t *tci = rte_pktmbuf_mtod_offset(frame, const uint8_t *, RTE_ETHER_HDR_LEN);

    return (uint16_t)((tci[0] << 8 | tci[1]) & TAG_VID_MASK);
}

/* Is there another such tag right behind a tag that is there, and whole? */
static inline bool tag_has_second(const struct rte_mbuf *frame)
{
    const uint8_t *type = rte_pktmbuf_mtod_offset(frame, const uint8_t *, RTE_ETHER_HDR_LEN + 2);

    return (type[0] << 8 | type[1]) == RTE_ETHER_TYPE_VLAN;
}

/* Change the VID of a tag that is there. */
void tag_vid_set(struct rte_mbuf *frame, uint16_t vid);

/* Put a tag in front, of priority 0. The headroom is TAG_LEN at least. */
void tag_push(struct rte_mbuf *frame, uint16_t vid);

/* Take the tag away that is there. */
void tag_pop(struct rte_mbuf *frame);

#endif
