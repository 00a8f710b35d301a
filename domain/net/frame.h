/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a frame is: its headers are looked for once, when somebody first asks, and what was found stays
 * in the mbuf's own fields for whoever asks later.
 *
 *   packet_type  RTE_PTYPE_L2_ETHER, _ETHER_VLAN (one tag) or _ETHER_QINQ (two)
 *                RTE_PTYPE_L3_IPV4, _IPV4_EXT (options), _IPV6, _IPV6_EXT; none of them for other EtherTypes
 *                and for IP headers that are not whole or contradict the frame's length
 *                RTE_PTYPE_L4_TCP, _UDP, _ICMP (of either IP version): a whole header is there;
 *                RTE_PTYPE_L4_FRAG: a fragment, the first one too; RTE_PTYPE_L4_NONFRAG: another protocol;
 *                none of them: the header is cut off, or too much lies before it
 *   l2_len       Ethernet and tags: 14, 18 or 22
 *   l3_len       IP with options, or with extension headers (a fragment header is the last 8 of them)
 *   l4_len       TCP with options; UDP: 8; ICMP: 8, ICMPv6: 4; else 0
 *   hash.usr     frame_ethertype() and frame_protocol()
 *
 * All of it lies in the first segment. What the headers contain is not trusted.
 * Whoever changes headers so that this is not true any more calls frame_forget().
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_mbuf_ptype.h>

/* At most so many IPv6 extension headers are looked through. */
#define FRAME_EXT_MAX 8

/* The longest that l3_len can say: more extension headers hide what follows. */
#define FRAME_L3_MAX 511

/* frame_parse() without the look at what was found before. */
uint32_t frame_parse_headers(struct rte_mbuf *frame);

/*
 * Find the headers, unless that was done before. Returns packet_type; 0 if the frame is shorter than an
 * Ethernet header. The frame may be shared with others.
 */
static inline uint32_t frame_parse(struct rte_mbuf *frame)
{
    return frame->packet_type ? frame->packet_type : frame_parse_headers(frame);
}

static inline void frame_forget(struct rte_mbuf *frame)
{
    frame->packet_type = 0;
}

/* The rest is for frames that were parsed. */

/* Behind all tags; host byte order. */
static inline uint16_t frame_ethertype(const struct rte_mbuf *frame)
{
    return frame->hash.usr >> 16;
}

/* The protocol that follows the IP header and its extension headers, of a fragment too (IPPROTO_*). */
static inline uint8_t frame_protocol(const struct rte_mbuf *frame)
{
    return frame->hash.usr & 0xff;
}

static inline bool frame_is_tagged(const struct rte_mbuf *frame)
{
    return (frame->packet_type & RTE_PTYPE_L2_MASK) != RTE_PTYPE_L2_ETHER;
}

static inline bool frame_is_ipv4(const struct rte_mbuf *frame)
{
    uint32_t l3 = frame->packet_type & RTE_PTYPE_L3_MASK;

    return l3 == RTE_PTYPE_L3_IPV4 || l3 == RTE_PTYPE_L3_IPV4_EXT;
}

static inline bool frame_is_ipv6(const struct rte_mbuf *frame)
{
    uint32_t l3 = frame->packet_type & RTE_PTYPE_L3_MASK;

    return l3 == RTE_PTYPE_L3_IPV6 || l3 == RTE_PTYPE_L3_IPV6_EXT;
}

/* RTE_PTYPE_L4_*: see above. */
static inline uint32_t frame_l4(const struct rte_mbuf *frame)
{
    return frame->packet_type & RTE_PTYPE_L4_MASK;
}

/* The EtherType says IP, the header is not one. */
static inline bool frame_is_bad_ip(const struct rte_mbuf *frame)
{
    uint16_t type = frame_ethertype(frame);

    return (type == RTE_ETHER_TYPE_IPV4 || type == RTE_ETHER_TYPE_IPV6) &&
           !(frame->packet_type & RTE_PTYPE_L3_MASK);
}

/* Where the IP header (or what the EtherType names) and the L4 header begin. */
static inline void *frame_l3_at(const struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod_offset(frame, void *, frame->l2_len);
}

static inline void *frame_l4_at(const struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod_offset(frame, void *, frame->l2_len + frame->l3_len);
}

/* Of a fragment: where in its packet it lies, bytes; 0 for the first. */
uint32_t frame_fragment_offset(const struct rte_mbuf *frame);

/* Where the IP packet ends, bytes from the frame's start; not behind the frame's end. */
uint32_t frame_packet_end(const struct rte_mbuf *frame);

/* Cut off what lies behind the packet. The frame is the caller's alone. */
void frame_trim(struct rte_mbuf *frame);

/*
 * TCP payload that must be cut into segments of so many bytes; 0: it is one segment, or size is 0. The frame's
 * l2_len, l3_len and l4_len are set.
 */
static inline uint32_t frame_payload_to_cut(const struct rte_mbuf *frame, uint16_t size)
{
    uint32_t headers = (uint32_t)frame->l2_len + frame->l3_len + frame->l4_len;

    return size && frame->pkt_len > headers + size ? frame->pkt_len - headers : 0;
}

#endif
