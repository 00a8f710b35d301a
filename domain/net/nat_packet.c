/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_packet.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ip.h>

#include "net/checksum.h"
#include "net/frame.h"
#include "net/nat.h"

#define TCP_MIN 20u
#define TCP_FLAGS_AT 13
#define ICMP6_MIN 4u /* a message that is neither query nor error may be as short */
#define L4_MIN 8u /* of UDP and ICMP; what an ICMP error has embedded at least */
#define IPV6_FRAGMENT_LEN 8u

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

bool nat_packet_is_icmp(const struct nat_packet *p)
{
    return p->protocol == (p->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static void read_addresses(struct nat_packet *p, const uint8_t *ip)
{
    uint32_t size = p->is_v6 ? 16 : 4;

    memcpy(&p->src, ip + (p->is_v6 ? 8 : 12), size);
    memcpy(&p->dst, ip + (p->is_v6 ? 24 : 16), size);
}

/* Queries by RFC 792 (echo, timestamp) and RFC 4443; obsolete ones are of no flow. */
static void read_icmp(struct nat_packet *p, const uint8_t *l4)
{
    uint8_t type = l4[0];

    p->kind = NAT_KIND_FLOW;
    p->is_request = p->is_v6 ? type == 128 : type == 8 || type == 13;
    if (p->is_request || (p->is_v6 ? type == 129 : type == 0 || type == 14))
        p->src_port = p->dst_port = be16(l4 + 4);
    else if (p->is_v6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12)
        p->kind = NAT_KIND_ERROR;
    else
        p->kind = NAT_KIND_OTHER;
}

static int read_l4(struct nat_packet *p, const uint8_t *l4, uint32_t have, uint32_t tcp_min)
{
    bool is_tcp = p->protocol == IPPROTO_TCP;

    p->kind = NAT_KIND_FLOW;
    if (!is_tcp && p->protocol != IPPROTO_UDP && !nat_packet_is_icmp(p))
        return 0;
    if (p->protocol == IPPROTO_ICMPV6 && have >= ICMP6_MIN && have < L4_MIN) {
        p->kind = NAT_KIND_OTHER;
        return 0;
    }
    if (have < (is_tcp ? tcp_min : L4_MIN))
        return -NAT_BAD;
    if (nat_packet_is_icmp(p)) {
        read_icmp(p, l4);
        return 0;
    }
    p->src_port = be16(l4);
    p->dst_port = be16(l4 + 2);
    if (is_tcp && have >= TCP_MIN)
        p->tcp_flags = l4[TCP_FLAGS_AT];
    return 0;
}

/* What is said of a fragment, by its IPv4 header or its IPv6 fragment header. */
static void read_fragment(struct nat_packet *p, const struct rte_mbuf *frame, uint32_t payload)
{
    const uint8_t *ip = frame_l3_at(frame), *ext = ip + frame->l3_len - IPV6_FRAGMENT_LEN;

    p->is_fragment = true;
    p->offset = frame_fragment_offset(frame);
    p->end = p->offset + payload;
    p->more_fragments = p->is_v6 ? ext[3] & 1 : be16(ip + 6) & RTE_IPV4_HDR_MF_FLAG;
    p->fragment_id = p->is_v6 ? be32(ext + 4) : be16(ip + 4);
}

/* A header that continues in another fragment could be anything (RFC 7112). */
static bool hides_headers(const struct nat_packet *p)
{
    return p->is_v6 && (p->protocol == IPPROTO_HOPOPTS || p->protocol == IPPROTO_ROUTING ||
                        p->protocol == IPPROTO_DSTOPTS || p->protocol == IPPROTO_FRAGMENT);
}

static int read_fragment_l4(struct nat_packet *p, const struct rte_mbuf *frame, uint32_t have)
{
    if ((p->more_fragments && p->end % 8 != 0) || p->end > UINT16_MAX || hides_headers(p) ||
        checksum_is_unfinished(frame))
        return -NAT_FRAGMENT;
    if (p->offset > 0) {
        p->kind = NAT_KIND_LATER;
        /* RFC 1858, 3.2.2 and RFC 3128: would overlap the TCP header. */
        return p->protocol == IPPROTO_TCP && p->offset < TCP_MIN ? -NAT_FRAGMENT : 0;
    }
    if (read_l4(p, frame_l4_at(frame), have, TCP_MIN) != 0)
        return -NAT_FRAGMENT;
    return p->kind == NAT_KIND_FLOW ? 0 : -NAT_FRAGMENT;
}

/* The L4 checksum that is to be finished is one of another protocol than the frame's. */
static bool is_finish_wrong(const struct nat_packet *p, const struct rte_mbuf *frame)
{
    uint64_t asked = frame->ol_flags & RTE_MBUF_F_TX_L4_MASK;

    return asked && asked != (p->protocol == IPPROTO_TCP   ? RTE_MBUF_F_TX_TCP_CKSUM
                              : p->protocol == IPPROTO_UDP ? RTE_MBUF_F_TX_UDP_CKSUM
                                                           : 0);
}

int nat_packet_read(const struct rte_mbuf *frame, struct nat_packet *packet_r)
{
    struct nat_packet p = { .protocol = frame_protocol(frame), .is_v6 = frame_is_ipv6(frame) };
    const uint8_t *ip = frame_l3_at(frame);
    uint32_t l4_at = frame->l2_len + frame->l3_len, payload, have;
    int error;

    if (!p.is_v6 && !frame_is_ipv4(frame))
        return -NAT_BAD;
    payload = (p.is_v6 ? 40u + be16(ip + 4) : be16(ip + 2)) - frame->l3_len;
    have = RTE_MIN(payload, frame->data_len - l4_at);
    read_addresses(&p, ip);
    if (frame_l4(frame) == RTE_PTYPE_L4_FRAG) {
        read_fragment(&p, frame, payload);
        error = read_fragment_l4(&p, frame, have);
    } else {
        error = frame_l4(frame) == 0 || is_finish_wrong(&p, frame)
                    ? -NAT_BAD
                    : read_l4(&p, frame_l4_at(frame), have, TCP_MIN);
    }
    if (!error)
        *packet_r = p;
    return error;
}

int nat_packet_read_embedded(const uint8_t *ip, uint32_t have, bool is_v6,
                             struct nat_packet *packet_r)
{
    struct nat_packet p = { .is_v6 = is_v6 };
    uint32_t ihl;

    if (have < (is_v6 ? 40 : 20) || ip[0] >> 4 != (is_v6 ? 6 : 4))
        return -NAT_BAD;
    ihl = is_v6 ? 40 : (ip[0] & 15) * 4u;
    if (ihl < 20 || have < ihl + L4_MIN)
        return -NAT_BAD;
    p.protocol = ip[is_v6 ? 6 : 9];
    read_addresses(&p, ip);
    if (is_v6 && p.protocol == IPPROTO_FRAGMENT) {
        if (be16(ip + ihl + 2) & ~7u)
            return -NAT_NO_FLOW;
        p.protocol = ip[ihl];
        ihl += IPV6_FRAGMENT_LEN;
        if (have < ihl + L4_MIN)
            return -NAT_BAD;
    } else if (!is_v6 && (be16(ip + 6) & RTE_IPV4_HDR_OFFSET_MASK)) {
        return -NAT_NO_FLOW;
    }
    if (read_l4(&p, ip + ihl, have - ihl, L4_MIN) != 0 || p.kind != NAT_KIND_FLOW)
        return -NAT_NO_FLOW;
    *packet_r = p;
    return 0;
}
