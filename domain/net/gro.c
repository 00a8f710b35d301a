/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/gro.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <netinet/in.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "net/checksum.h"
#include "net/frame.h"
#include "net/tag.h"

#define FLOWS 8 /* connections followed in one burst; more are passed on as they are */
#define L3_MAX 65535u /* bytes that an IP header can give as its packet's length */
#define IPV6_ADDRESS_LEN 16u
#define IPV4_PROTOCOL_AT (RTE_ETHER_HDR_LEN + offsetof(struct rte_ipv4_hdr, next_proto_id))
#define IPV6_PROTOCOL_AT (RTE_ETHER_HDR_LEN + offsetof(struct rte_ipv6_hdr, proto))
#define L2_MAX (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)

/* A TCP segment over IP, as far as its headers can be trusted. */
struct segment {
    struct rte_mbuf *frame;
    uint8_t *l3;
    struct rte_tcp_hdr *tcp;
    uint32_t headers, payload, seq;
    uint16_t l2_len, l3_len;
    bool v6;
    bool mergeable; /* else it only ends the merging of its connection */
};

/* A connection whose segments are being merged into its first one. */
struct flow {
    struct segment first;
    struct rte_mbuf *tail;
    uint32_t next_seq, payload;
    uint16_t nr; /* segments so far */
    bool open;
};

/* Not all NICs say that a checksum over IPv6 was right: then we look ourselves, and it is noted. */
static bool ipv6_verify(const struct segment *s)
{
    uint32_t sum = checksum_sum_from(s->frame, s->l2_len + s->l3_len);

    sum += rte_ipv6_phdr_cksum((const void *)s->l3, 0);
    if (__rte_raw_cksum_reduce(sum) != 0xffff)
        return false;
    s->frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    return true;
}

/* Verified, or left unfinished by a machine beside us, whose word is as good. */
static bool is_tcp_intact(const struct segment *s)
{
    const uint64_t left = s->frame->ol_flags & CHECKSUM_UNFINISHED;
    const uint64_t l4 = s->frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

    if (left != 0)
        return (left & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM &&
               !(left & RTE_MBUF_F_TX_TCP_SEG);
    if (s->v6 && l4 == RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN)
        return ipv6_verify(s);
    return l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

/* Some drivers say nothing of IPv4 headers (virtio). */
static bool is_ip_intact(const struct segment *s)
{
    uint64_t said = s->frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

    return s->v6 || said == RTE_MBUF_F_RX_IP_CKSUM_GOOD ||
           (said == RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN &&
            rte_raw_cksum(s->l3, sizeof(struct rte_ipv4_hdr)) == 0xffff);
}

/* The length that the IP header gives for the packet, which is whole. */
static uint32_t l3_total(const struct segment *s)
{
    const struct rte_ipv4_hdr *ip4 = (const void *)s->l3;
    const struct rte_ipv6_hdr *ip6 = (const void *)s->l3;

    return s->v6 ? sizeof(*ip6) + rte_be_to_cpu_16(ip6->payload_len)
                 : rte_be_to_cpu_16(ip4->total_length);
}

static bool is_ours_alone(const struct rte_mbuf *frame)
{
    for (; frame; frame = frame->next)
        if (rte_mbuf_refcnt_read(frame) != 1 || !RTE_MBUF_DIRECT(frame))
            return false;
    return true;
}

/* In buffers of ours alone, with payload and nothing behind it, without options of IP or more than a tag. */
static bool is_mergeable(const struct segment *s)
{
    const struct rte_mbuf *frame = s->frame;
    uint32_t l3_plain = s->v6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);

    return s->l2_len <= L2_MAX && s->l3_len == l3_plain &&
           frame->pkt_len == s->l2_len + l3_total(s) && frame->data_len > s->headers &&
           is_ours_alone(frame) && (s->tcp->tcp_flags & ~RTE_TCP_PSH_FLAG) == RTE_TCP_ACK_FLAG &&
           is_ip_intact(s) && is_tcp_intact(s);
}

/* Does the first look say that a frame is no TCP, so that it need not be parsed? */
static bool is_surely_other(const struct rte_mbuf *frame)
{
    const uint8_t *p = rte_pktmbuf_mtod(frame, const uint8_t *);
    uint16_t type;

    if (frame->packet_type || frame->data_len < RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr))
        return false;
    type = (uint16_t)(p[12] << 8 | p[13]);
    if (type == RTE_ETHER_TYPE_IPV4)
        return p[IPV4_PROTOCOL_AT] != IPPROTO_TCP;
    return type == RTE_ETHER_TYPE_ARP ||
           (type == RTE_ETHER_TYPE_IPV6 &&
            (p[IPV6_PROTOCOL_AT] == IPPROTO_UDP || p[IPV6_PROTOCOL_AT] == IPPROTO_ICMPV6));
}

/* Find the headers of a frame; false if it is not TCP, or they are not all there. */
static bool segment_parse(struct rte_mbuf *frame, struct segment *s)
{
    if (is_surely_other(frame) || !frame_parse(frame) || frame_l4(frame) != RTE_PTYPE_L4_TCP)
        return false;
    s->frame = frame;
    s->v6 = frame_is_ipv6(frame);
    s->l2_len = frame->l2_len;
    s->l3_len = frame->l3_len;
    s->l3 = frame_l3_at(frame);
    s->tcp = frame_l4_at(frame);
    s->headers = s->l2_len + s->l3_len + frame->l4_len;
    s->seq = rte_be_to_cpu_32(s->tcp->sent_seq);
    s->mergeable = is_mergeable(s);
    s->payload = s->mergeable ? frame->pkt_len - s->headers : 0;
    return true;
}

/* All lengths that are compared here are the compiler's to know: the library's memcmp() takes its time. */

static bool is_same_connection(const struct segment *a, const struct segment *b)
{
    const uint32_t at4 = offsetof(struct rte_ipv4_hdr, src_addr);
    const uint32_t at6 = offsetof(struct rte_ipv6_hdr, src_addr);

    if (a->v6 != b->v6 || a->tcp->src_port != b->tcp->src_port ||
        a->tcp->dst_port != b->tcp->dst_port)
        return false;
    return a->v6 ? memcmp(a->l3 + at6, b->l3 + at6, 2 * IPV6_ADDRESS_LEN) == 0
                 : memcmp(a->l3 + at4, b->l3 + at4, 2 * sizeof(rte_be32_t)) == 0;
}

/* The same addresses, and the same tag or none. */
static bool is_l2_alike(const struct segment *a, const struct segment *b)
{
    const uint8_t *l2_a = a->l3 - a->l2_len, *l2_b = b->l3 - b->l2_len;

    if (a->l2_len != b->l2_len || !tag_beside_is_alike(a->frame, b->frame) ||
        memcmp(l2_a, l2_b, RTE_ETHER_HDR_LEN) != 0)
        return false;
    return a->l2_len == RTE_ETHER_HDR_LEN ||
           memcmp(l2_a + RTE_ETHER_HDR_LEN, l2_b + RTE_ETHER_HDR_LEN, TAG_LEN) == 0;
}

/*
 * May the IPv4 header be made anew from the first one's? Identification counts up; what may not be
 * fragmented need not have any (RFC 6864, 4.1).
 */
static bool is_ipv4_alike(const struct flow *flow, const struct segment *s)
{
    const struct rte_ipv4_hdr *a = (const void *)flow->first.l3, *b = (const void *)s->l3;
    uint16_t id = rte_be_to_cpu_16(a->packet_id) + flow->nr;

    return a->type_of_service == b->type_of_service && a->time_to_live == b->time_to_live &&
           a->fragment_offset == b->fragment_offset &&
           (rte_be_to_cpu_16(b->packet_id) == id ||
            (b->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)));
}

static bool is_ipv6_alike(const struct flow *flow, const struct segment *s)
{
    const struct rte_ipv6_hdr *a = (const void *)flow->first.l3, *b = (const void *)s->l3;

    return a->vtc_flow == b->vtc_flow && a->hop_limits == b->hop_limits;
}

/* Acknowledgement, header length, window, urgent pointer and options; not the flags, which were looked at. */
static bool is_tcp_alike(const struct segment *a, const struct segment *b)
{
    const uint32_t *options_a = (const uint32_t *)(a->tcp + 1);
    const uint32_t *options_b = (const uint32_t *)(b->tcp + 1);
    uint32_t words = (a->headers - a->l2_len - a->l3_len - sizeof(*a->tcp)) / sizeof(*options_a);

    if (a->tcp->recv_ack != b->tcp->recv_ack || a->tcp->data_off != b->tcp->data_off ||
        a->tcp->rx_win != b->tcp->rx_win || a->tcp->tcp_urp != b->tcp->tcp_urp)
        return false;
    for (uint32_t i = 0; i < words; i++)
        if (memcmp(&options_a[i], &options_b[i], sizeof(*options_a)) != 0)
            return false;
    return true;
}

/* Is this the segment that comes next in the flow, and would cutting give it back? */
static bool flow_continues(const struct flow *flow, const struct segment *s)
{
    const struct segment *first = &flow->first;

    return flow->open && s->mergeable && s->seq == flow->next_seq &&
           first->frame->nb_segs + s->frame->nb_segs <= GRO_SEGMENTS_MAX &&
           s->payload <= first->payload &&
           first->headers - first->l2_len + flow->payload + s->payload <= L3_MAX &&
           is_l2_alike(first, s) && is_tcp_alike(first, s) &&
           (s->v6 ? is_ipv6_alike(flow, s) : is_ipv4_alike(flow, s));
}

static void flow_start(struct flow *flow, const struct segment *s)
{
    flow->first = *s;
    flow->tail = rte_pktmbuf_lastseg(s->frame);
    flow->next_seq = s->seq + s->payload;
    flow->payload = s->payload;
    flow->nr = 1;
    flow->open = s->mergeable && !(s->tcp->tcp_flags & RTE_TCP_PSH_FLAG);
}

/* Append a segment; a short one and one with PSH are the last. */
static void flow_append(struct flow *flow, const struct segment *s)
{
    struct segment *first = &flow->first;
    bool push = s->tcp->tcp_flags & RTE_TCP_PSH_FLAG;

    first->tcp->tcp_flags |= s->tcp->tcp_flags;
    rte_pktmbuf_adj(s->frame, s->headers);
    flow->tail->next = s->frame;
    flow->tail = rte_pktmbuf_lastseg(s->frame);
    first->frame->nb_segs += s->frame->nb_segs;
    first->frame->pkt_len += s->payload;
    flow->next_seq += s->payload;
    flow->payload += s->payload;
    flow->nr++;
    flow->open = s->payload == first->payload && !push;
}

/* Write the IP header's length and return the pseudo-header sum. */
static uint16_t ip_finish(const struct segment *first)
{
    uint32_t total = first->frame->pkt_len - first->l2_len;
    struct rte_ipv4_hdr *ip4 = (void *)first->l3;
    struct rte_ipv6_hdr *ip6 = (void *)first->l3;

    if (first->v6) {
        ip6->payload_len = rte_cpu_to_be_16(total - sizeof(*ip6));
        return rte_ipv6_phdr_cksum(ip6, 0);
    }
    ip4->total_length = rte_cpu_to_be_16(total);
    ip4->hdr_checksum = 0;
    ip4->hdr_checksum = rte_ipv4_cksum(ip4);
    return rte_ipv4_phdr_cksum(ip4, 0);
}

/* Make a frame that stands for several of what was merged. */
static void flow_finish(const struct flow *flow)
{
    const struct segment *first = &flow->first;
    struct rte_mbuf *frame = first->frame;

    if (flow->nr < 2)
        return;
    first->tcp->cksum = ip_finish(first);
    frame->tso_segsz = first->payload;
    frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
                       (first->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
}

static struct flow *flow_find(struct flow *flows, unsigned int nr, const struct segment *s)
{
    for (unsigned int i = 0; i < nr; i++)
        if (is_same_connection(&flows[i].first, s))
            return &flows[i];
    return NULL;
}

uint16_t gro_merge(struct rte_mbuf **frames, uint16_t nr)
{
    struct flow flows[FLOWS];
    unsigned int nr_flows = 0;
    uint16_t left = 0;

    if (nr < 2)
        return nr;
    for (uint16_t i = 0; i < nr; i++) {
        struct segment s;
        struct flow *flow = NULL;
        bool is_tcp = segment_parse(frames[i], &s);

        if (is_tcp)
            flow = flow_find(flows, nr_flows, &s);
        if (flow && flow_continues(flow, &s)) {
            flow_append(flow, &s);
            continue;
        }
        frames[left++] = frames[i];
        if (flow)
            flow_finish(flow);
        else if (is_tcp && s.mergeable && nr_flows < FLOWS)
            flow = &flows[nr_flows++];
        if (flow)
            flow_start(flow, &s);
    }
    for (unsigned int i = 0; i < nr_flows; i++)
        flow_finish(&flows[i]);
    return left;
}
