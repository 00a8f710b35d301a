/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/frame.h"

#include <netinet/in.h>

#include <rte_tcp.h>

#define TAGS_MAX 2
#define IPV4_MIN 20u
#define IPV6_MIN 40u
#define TCP_MIN 20u
#define UDP_LEN 8u
#define ICMP_LEN 8u
#define ICMP6_LEN 4u
#define FRAGMENT_LEN 8u

/* A frame, how far it has been read, and what was found. */
struct cursor {
    const uint8_t *data;
    uint32_t have, len, at; /* contiguous bytes, all bytes, bytes read */
    uint32_t l3, l4; /* RTE_PTYPE_* */
    uint32_t l4_len;
    uint8_t protocol;
};

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* The next nr bytes, or NULL. Does not move. */
static const uint8_t *peek(const struct cursor *c, uint32_t nr)
{
    return nr <= c->have - c->at ? c->data + c->at : NULL;
}

static bool is_tag(uint16_t type)
{
    return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ;
}

/* Returns the EtherType behind the tags that are whole. */
static uint16_t tags_parse(struct cursor *c, uint32_t *l2_r)
{
    static const uint32_t types[TAGS_MAX + 1] = { RTE_PTYPE_L2_ETHER, RTE_PTYPE_L2_ETHER_VLAN,
                                                  RTE_PTYPE_L2_ETHER_QINQ };
    uint16_t type = be16(c->data + 12);
    unsigned int tags = 0;

    c->at = RTE_ETHER_HDR_LEN;
    while (is_tag(type) && tags < TAGS_MAX && peek(c, RTE_VLAN_HLEN)) {
        type = be16(c->data + c->at + 2);
        c->at += RTE_VLAN_HLEN;
        tags++;
    }
    *l2_r = types[tags];
    return type;
}

static void l4_parse(struct cursor *c, bool v6)
{
    const uint8_t *p;

    switch (c->protocol) {
    case IPPROTO_TCP:
        p = peek(c, TCP_MIN);
        c->l4_len = p ? (p[12] >> 4) * 4u : 0;
        c->l4 = c->l4_len >= TCP_MIN && peek(c, c->l4_len) ? RTE_PTYPE_L4_TCP : 0;
        break;
    case IPPROTO_UDP:
        c->l4_len = UDP_LEN;
        c->l4 = peek(c, UDP_LEN) ? RTE_PTYPE_L4_UDP : 0;
        break;
    case IPPROTO_ICMP:
        c->l4_len = v6 ? 0 : ICMP_LEN;
        c->l4 = v6 ? RTE_PTYPE_L4_NONFRAG : peek(c, ICMP_LEN) ? RTE_PTYPE_L4_ICMP : 0;
        break;
    case IPPROTO_ICMPV6:
        c->l4_len = v6 ? ICMP6_LEN : 0;
        c->l4 = !v6 ? RTE_PTYPE_L4_NONFRAG : peek(c, ICMP6_LEN) ? RTE_PTYPE_L4_ICMP : 0;
        break;
    default:
        c->l4 = RTE_PTYPE_L4_NONFRAG;
        break;
    }
    if (c->l4 == 0)
        c->l4_len = 0;
}

/* Sets l3 if the header is whole and fits, and moves behind it. */
static void ipv4_parse(struct cursor *c)
{
    const uint8_t *p = peek(c, IPV4_MIN);
    uint32_t ihl, total;

    if (!p || p[0] >> 4 != 4)
        return;
    ihl = (p[0] & 15) * 4u;
    total = be16(p + 2);
    if (ihl < IPV4_MIN || !peek(c, ihl) || total < ihl || total > c->len - c->at)
        return;
    c->l3 = ihl == IPV4_MIN ? RTE_PTYPE_L3_IPV4 : RTE_PTYPE_L3_IPV4_EXT;
    c->protocol = p[9];
    /* What lies behind the packet's end is not its header. */
    if (c->have > c->at + total)
        c->have = c->at + total;
    c->at += ihl;
    if (be16(p + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
        c->l4 = RTE_PTYPE_L4_FRAG;
    else
        l4_parse(c, false);
}

/* Moves behind the extension headers; false: what follows them cannot be found. */
static bool ipv6_ext_parse(struct cursor *c, uint32_t l3_at)
{
    for (unsigned int nr = 0; nr <= FRAME_EXT_MAX; nr++) {
        bool is_fragment = c->protocol == IPPROTO_FRAGMENT;
        const uint8_t *p;
        uint32_t size;

        if (c->protocol != IPPROTO_HOPOPTS && c->protocol != IPPROTO_ROUTING &&
            c->protocol != IPPROTO_DSTOPTS && !is_fragment)
            return true;
        p = peek(c, FRAGMENT_LEN);
        size = p && !is_fragment ? (p[1] + 1u) * 8 : FRAGMENT_LEN;
        if (!p || nr == FRAME_EXT_MAX || !peek(c, size) || c->at + size - l3_at > FRAME_L3_MAX)
            return false;
        c->l3 = RTE_PTYPE_L3_IPV6_EXT;
        c->protocol = p[0];
        c->at += size;
        if (is_fragment) {
            c->l4 = RTE_PTYPE_L4_FRAG;
            return true;
        }
    }
    return false;
}

static void ipv6_parse(struct cursor *c)
{
    const uint8_t *p = peek(c, IPV6_MIN);
    uint32_t l3_at = c->at, total;

    if (!p || p[0] >> 4 != 6)
        return;
    total = IPV6_MIN + be16(p + 4);
    if (total > c->len - c->at)
        return;
    c->l3 = RTE_PTYPE_L3_IPV6;
    c->protocol = p[6];
    if (c->have > c->at + total)
        c->have = c->at + total;
    c->at += IPV6_MIN;
    if (ipv6_ext_parse(c, l3_at) && c->l4 == 0)
        l4_parse(c, true);
}

/*
 * The most frequent frames, read at once: TCP and UDP over IPv4 without tags, options or fragments.
 * False: it is another.
 */
static bool plain_parse(struct rte_mbuf *frame)
{
    const uint32_t l3 = RTE_ETHER_HDR_LEN, l4 = l3 + IPV4_MIN;
    const uint8_t *p = rte_pktmbuf_mtod(frame, const uint8_t *);
    uint32_t end, l4_len;
    bool is_tcp;

    if (frame->data_len < l4 + TCP_MIN || be16(p + 12) != RTE_ETHER_TYPE_IPV4 ||
        p[l3] != RTE_IPV4_VHL_DEF ||
        (be16(p + l3 + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
        return false;
    is_tcp = p[l3 + 9] == IPPROTO_TCP;
    if (!is_tcp && p[l3 + 9] != IPPROTO_UDP)
        return false;
    end = l3 + be16(p + l3 + 2);
    l4_len = is_tcp ? (p[l4 + 12] >> 4) * 4u : UDP_LEN;
    if (end > frame->pkt_len || (is_tcp && l4_len < TCP_MIN) ||
        l4 + l4_len > RTE_MIN(end, (uint32_t)frame->data_len))
        return false;
    frame->l2_len = l3;
    frame->l3_len = IPV4_MIN;
    frame->l4_len = l4_len;
    frame->hash.usr = RTE_ETHER_TYPE_IPV4 << 16 | p[l3 + 9];
    frame->packet_type =
        RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | (is_tcp ? RTE_PTYPE_L4_TCP : RTE_PTYPE_L4_UDP);
    return true;
}

uint32_t frame_parse_headers(struct rte_mbuf *frame)
{
    struct cursor c = { .data = rte_pktmbuf_mtod(frame, const uint8_t *),
                        .have = frame->data_len,
                        .len = frame->pkt_len };
    uint32_t l2, l2_len;
    uint16_t type;

    if (plain_parse(frame))
        return frame->packet_type;
    if (c.have < RTE_ETHER_HDR_LEN)
        return 0;
    type = tags_parse(&c, &l2);
    l2_len = c.at;
    if (type == RTE_ETHER_TYPE_IPV4)
        ipv4_parse(&c);
    else if (type == RTE_ETHER_TYPE_IPV6)
        ipv6_parse(&c);
    frame->l2_len = l2_len;
    frame->l3_len = c.at - l2_len;
    frame->l4_len = c.l4_len;
    frame->hash.usr = (uint32_t)type << 16 | c.protocol;
    frame->packet_type = l2 | c.l3 | c.l4;
    return frame->packet_type;
}

uint32_t frame_fragment_offset(const struct rte_mbuf *frame)
{
    const uint8_t *l3 = frame_l3_at(frame);

    if (frame_is_ipv4(frame))
        return (be16(l3 + 6) & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS;
    return be16(l3 + frame->l3_len - FRAGMENT_LEN + 2) & ~7u;
}

uint32_t frame_packet_end(const struct rte_mbuf *frame)
{
    const uint8_t *l3 = frame_l3_at(frame);

    return frame->l2_len + (frame_is_ipv4(frame) ? be16(l3 + 2) : IPV6_MIN + be16(l3 + 4));
}

void frame_trim(struct rte_mbuf *frame)
{
    uint32_t end = frame_packet_end(frame), left = end;
    struct rte_mbuf *seg = frame;
    uint16_t nr = 1;

    for (; left > seg->data_len; seg = seg->next, nr++)
        left -= seg->data_len;
    seg->data_len = (uint16_t)left;
    rte_pktmbuf_free(seg->next);
    seg->next = NULL;
    frame->pkt_len = end;
    frame->nb_segs = nr;
}
