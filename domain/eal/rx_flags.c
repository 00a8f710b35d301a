/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/rx_flags.h"

#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "net/frame.h"
#include "net/port.h"
#include <rte_udp.h>

#define GOOD (RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD)
#define KNOWN (RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK)
#define FRAGMENT (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)

/* A whole IPv4 packet, not a fragment, with a TCP or UDP header in it. */
static bool is_surely_checked(const struct rte_mbuf *frame)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
    const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
    uint32_t header, total, least;

    if (rte_pktmbuf_data_len(frame) < sizeof(*eth) + sizeof(*ip) ||
        eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || ip->version != 4)
        return false;
    if (ip->next_proto_id == IPPROTO_TCP)
        least = sizeof(struct rte_tcp_hdr);
    else if (ip->next_proto_id == IPPROTO_UDP)
        least = sizeof(struct rte_udp_hdr);
    else
        return false;
    header = rte_ipv4_hdr_len(ip);
    total = rte_be_to_cpu_16(ip->total_length);
    return header >= sizeof(*ip) && header + least <= total &&
           sizeof(*eth) + total <= rte_pktmbuf_pkt_len(frame) &&
           (ip->fragment_offset & RTE_BE16(FRAGMENT)) == 0;
}

/* What the field holds is the pseudo-header sum, as behind a vif. */
static uint64_t unfinished(struct rte_mbuf *frame)
{
    uint32_t l4 = frame_parse(frame) & RTE_PTYPE_L4_MASK;

    if (l4 != RTE_PTYPE_L4_TCP && l4 != RTE_PTYPE_L4_UDP)
        return 0;
    if (frame->pkt_len > frame_packet_end(frame))
        frame_trim(frame);
    return (frame_is_ipv6(frame) ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
           (l4 == RTE_PTYPE_L4_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
}

/* It stands for several, says the device: is it TCP that can be cut (net/segment.h)? flags: of its checksum, ours. */
static uint64_t for_several(struct rte_mbuf *frame, uint64_t flags)
{
    uint16_t size = frame->tso_segsz;
    uint32_t payload = frame_payload_to_cut(frame, size);

    frame->tso_segsz = 0;
    if ((flags & RTE_MBUF_F_TX_L4_MASK) != RTE_MBUF_F_TX_TCP_CKSUM || payload == 0 ||
        payload > (uint32_t)size * PORT_SEGMENTS_MAX ||
        (flags & RTE_MBUF_F_TX_IPV6 && frame->l3_len != sizeof(struct rte_ipv6_hdr)))
        return flags;
    frame->tso_segsz = size;
    return flags | RTE_MBUF_F_TX_TCP_SEG;
}

uint64_t rx_flags(struct rte_mbuf *frame, bool bad_only)
{
    uint64_t flags = frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ? RTE_MBUF_F_TX_VLAN : 0;

    if (bad_only && (frame->ol_flags & KNOWN) == 0)
        return is_surely_checked(frame) ? flags | GOOD : flags;
    if ((frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE) {
        flags |= unfinished(frame);
        return frame->ol_flags & RTE_MBUF_F_RX_LRO ? for_several(frame, flags) : flags;
    }
    if ((frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    if ((frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    return flags;
}
