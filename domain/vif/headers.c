/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/headers.h"

#include <errno.h>
#include <stddef.h>

#include <rte_ether.h>
#include <rte_ip.h>

#define L3_LEN_MAX 511 /* bits of l3_len in an mbuf */
#define TCP_HDR_MIN 20
#define UDP_HDR_LEN 8

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* A frame, and how far it has been read. */
struct cursor {
    const uint8_t *data;
    uint32_t have, len, at;
};

/* The next nr bytes, or NULL. Does not move. */
static const uint8_t *peek(const struct cursor *c, uint32_t nr)
{
    return nr <= c->have - c->at ? c->data + c->at : NULL;
}

/* Returns the EtherType behind the tags, or -EPROTO. */
static int l2_parse(struct cursor *c)
{
    const uint8_t *p = peek(c, RTE_ETHER_HDR_LEN);
    unsigned int tags = 0;
    uint16_t type;

    if (!p)
        return -EPROTO;
    type = be16(p + 12);
    c->at = RTE_ETHER_HDR_LEN;
    while (type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ) {
        p = peek(c, 4);
        if (!p || ++tags > HEADERS_VLAN_MAX)
            return -EPROTO;
        type = be16(p + 2);
        c->at += 4;
    }
    return type;
}

/* Returns the protocol, or -EPROTO. */
static int ipv4_parse(struct cursor *c)
{
    const uint8_t *p = peek(c, 20);
    uint32_t ihl, total;

    if (!p || p[0] >> 4 != 4)
        return -EPROTO;
    ihl = (p[0] & 15) * 4u;
    total = be16(p + 2);
    if (ihl < 20 || !peek(c, ihl) || total < ihl || total > c->len - c->at)
        return -EPROTO;
    if (be16(p + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
        return -EPROTO;
    c->at += ihl;
    return p[9];
}

/* Steps over options and routing headers. Returns the protocol, or -EPROTO. */
static int ipv6_parse(struct cursor *c)
{
    const uint8_t *p = peek(c, 40);
    unsigned int nr = 0;
    uint8_t next;

    if (!p || p[0] >> 4 != 6 || be16(p + 4) > c->len - c->at - 40)
        return -EPROTO;
    next = p[6];
    c->at += 40;
    while (next == 0 || next == 43 || next == 60) { /* hop-by-hop, routing, destination */
        uint32_t size;

        p = peek(c, 8);
        if (!p || ++nr > HEADERS_EXT_MAX)
            return -EPROTO;
        size = (p[1] + 1u) * 8;
        if (!peek(c, size))
            return -EPROTO;
        next = p[0];
        c->at += size;
    }
    return next;
}

/* Returns the header's length, or -EPROTO. */
static int l4_parse(const struct cursor *c, int proto)
{
    const uint8_t *p;
    uint32_t size;

    if (proto == IPPROTO_UDP)
        return peek(c, UDP_HDR_LEN) ? UDP_HDR_LEN : -EPROTO;
    if (proto != IPPROTO_TCP)
        return -EPROTO;
    p = peek(c, TCP_HDR_MIN);
    if (!p)
        return -EPROTO;
    size = (p[12] >> 4) * 4u;
    return size >= TCP_HDR_MIN && peek(c, size) ? (int)size : -EPROTO;
}

int headers_parse(const uint8_t *data, uint32_t have, uint32_t len, struct headers *out)
{
    struct cursor c = { .data = data, .have = have, .len = len };
    int type = l2_parse(&c), proto, l4_len;
    uint32_t l2_len = c.at;

    if (type == RTE_ETHER_TYPE_IPV4)
        proto = ipv4_parse(&c);
    else if (type == RTE_ETHER_TYPE_IPV6)
        proto = ipv6_parse(&c);
    else
        return -EPROTO;
    if (proto < 0 || c.at - l2_len > L3_LEN_MAX)
        return -EPROTO;
    l4_len = l4_parse(&c, proto);
    if (l4_len < 0)
        return -EPROTO;
    *out = (struct headers){
        .l2_len = (uint16_t)l2_len,
        .l3_len = (uint16_t)(c.at - l2_len),
        .l4_len = (uint16_t)l4_len,
        .ipv6 = type == RTE_ETHER_TYPE_IPV6,
        .tcp = proto == IPPROTO_TCP,
    };
    return 0;
}
