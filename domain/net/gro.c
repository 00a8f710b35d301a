/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/gro.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "net/checksum.h"

#define FLOWS 8 /* connections followed in one burst; more are passed on as they are */
#define L3_MAX 65535u /* bytes that an IP header can give as its packet's length */

/* A TCP segment over IP, as far as its headers can be trusted. */
struct segment {
    struct rte_mbuf *frame;
    uint8_t *l3;
    struct rte_tcp_hdr *tcp;
    uint32_t headers, payload, seq;
    uint16_t l3_len;
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

static bool is_verified(const struct rte_mbuf *frame, bool v6)
{
    return (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
           (v6 || (frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD) &&
           !(frame->ol_flags & CHECKSUM_UNFINISHED);
}

/* The length that the IP header gives for the packet; 0: not a whole one that carries TCP. */
static uint32_t ipv4_len(const struct rte_ipv4_hdr *ip)
{
    if (ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_TCP ||
        (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
        return 0;
    return rte_be_to_cpu_16(ip->total_length);
}

static uint32_t ipv6_len(const struct rte_ipv6_hdr *ip)
{
    if ((ip->vtc_flow & RTE_BE32(0xf0000000)) != RTE_BE32(0x60000000) || ip->proto != IPPROTO_TCP)
        return 0;
    return sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
}

/* Find the headers of a frame; false if it is not TCP, or they are not all there. */
static bool segment_parse(struct rte_mbuf *frame, struct segment *s)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
    uint32_t l3_total, tcp_len;

    if (frame->data_len < sizeof(*ether))
        return false;
    s->v6 = ether->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6);
    if (!s->v6 && ether->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
        return false;
    s->frame = frame;
    s->l3 = rte_pktmbuf_mtod_offset(frame, uint8_t *, sizeof(*ether));
    s->l3_len = s->v6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
    s->tcp = (struct rte_tcp_hdr *)(s->l3 + s->l3_len);
    if (frame->data_len < sizeof(*ether) + s->l3_len + sizeof(*s->tcp))
        return false;
    l3_total = s->v6 ? ipv6_len((const void *)s->l3) : ipv4_len((const void *)s->l3);
    tcp_len = (s->tcp->data_off >> 4) * 4;
    s->headers = sizeof(*ether) + s->l3_len + tcp_len;
    if (l3_total == 0)
        return false;
    s->seq = rte_be_to_cpu_32(s->tcp->sent_seq);
    s->mergeable = frame->nb_segs == 1 && frame->pkt_len == sizeof(*ether) + l3_total &&
                   tcp_len >= sizeof(*s->tcp) && frame->data_len > s->headers &&
                   rte_mbuf_refcnt_read(frame) == 1 && RTE_MBUF_DIRECT(frame) &&
                   is_verified(frame, s->v6) &&
                   (s->tcp->tcp_flags & ~RTE_TCP_PSH_FLAG) == RTE_TCP_ACK_FLAG;
    s->payload = s->mergeable ? frame->pkt_len - s->headers : 0;
    return true;
}

static bool is_same_connection(const struct segment *a, const struct segment *b)
{
    uint32_t addresses =
        a->v6 ? offsetof(struct rte_ipv6_hdr, src_addr) : offsetof(struct rte_ipv4_hdr, src_addr);

    return a->v6 == b->v6 && a->tcp->src_port == b->tcp->src_port &&
           a->tcp->dst_port == b->tcp->dst_port &&
           memcmp(a->l3 + addresses, b->l3 + addresses, a->l3_len - addresses) == 0;
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

/* Acknowledgement, header length, window and options; not the flags, which were looked at. */
static bool is_tcp_alike(const struct segment *a, const struct segment *b)
{
    uint32_t options = sizeof(*a->tcp);
    uint32_t tcp_len = a->headers - RTE_ETHER_HDR_LEN - a->l3_len;

    return a->tcp->recv_ack == b->tcp->recv_ack && a->tcp->data_off == b->tcp->data_off &&
           a->tcp->rx_win == b->tcp->rx_win &&
           memcmp((const uint8_t *)a->tcp + options, (const uint8_t *)b->tcp + options,
                  tcp_len - options) == 0;
}

/* Is this the segment that comes next in the flow, and would cutting give it back? */
static bool flow_continues(const struct flow *flow, const struct segment *s)
{
    const struct segment *first = &flow->first;

    return flow->open && s->mergeable && s->seq == flow->next_seq && s->payload <= first->payload &&
           first->headers - RTE_ETHER_HDR_LEN + flow->payload + s->payload <= L3_MAX &&
           is_tcp_alike(first, s) &&
           memcmp(first->l3 - RTE_ETHER_HDR_LEN, s->l3 - RTE_ETHER_HDR_LEN, RTE_ETHER_HDR_LEN) ==
               0 &&
           (s->v6 ? is_ipv6_alike(flow, s) : is_ipv4_alike(flow, s));
}

static void flow_start(struct flow *flow, const struct segment *s)
{
    flow->first = *s;
    flow->tail = s->frame;
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
    flow->tail = s->frame;
    first->frame->nb_segs++;
    first->frame->pkt_len += s->payload;
    flow->next_seq += s->payload;
    flow->payload += s->payload;
    flow->nr++;
    flow->open = s->payload == first->payload && !push;
}

/* Write the IP header's length and return the pseudo-header sum. */
static uint16_t ip_finish(const struct segment *first)
{
    uint32_t l3_total = first->frame->pkt_len - RTE_ETHER_HDR_LEN;
    struct rte_ipv4_hdr *ip4 = (void *)first->l3;
    struct rte_ipv6_hdr *ip6 = (void *)first->l3;

    if (first->v6) {
        ip6->payload_len = rte_cpu_to_be_16(l3_total - sizeof(*ip6));
        return rte_ipv6_phdr_cksum(ip6, 0);
    }
    ip4->total_length = rte_cpu_to_be_16(l3_total);
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
    frame->l2_len = RTE_ETHER_HDR_LEN;
    frame->l3_len = first->l3_len;
    frame->l4_len = first->headers - RTE_ETHER_HDR_LEN - first->l3_len;
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
