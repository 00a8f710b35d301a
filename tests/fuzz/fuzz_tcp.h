/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP over IPv4 and IPv6 as bytes, read and summed once more, slowly and by the RFCs alone: what the
 * sources' own parser and sums are compared with. Sums: RFC 1071; pseudo-headers: RFC 9293, 3.1, and
 * RFC 8200, 8.1.
 */
#ifndef FUZZ_TCP_H
#define FUZZ_TCP_H

#include <netinet/in.h>
#include <stdbool.h>

#include "fuzz.h"

/* Where the parts of a frame are, bytes. */
struct fuzz_tcp {
    bool v6;
    uint32_t l2, l3, l4; /* lengths of headers: Ethernet with tags, IP, TCP */
    uint32_t end; /* of the IP packet, from the frame's start */
};

static inline uint32_t fuzz_be16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t fuzz_be32(const uint8_t *at)
{
    return fuzz_be16(at) << 16 | fuzz_be16(at + 2);
}

static inline void fuzz_be16_put(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void fuzz_be32_put(uint8_t *at, uint32_t value)
{
    fuzz_be16_put(at, value >> 16);
    fuzz_be16_put(at + 2, value);
}

/* The ones' complement sum of so many bytes on top of a sum, in the order of the wire. */
static inline uint32_t fuzz_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
        if (sum > 0xffff)
            sum -= 0xffff;
    }
    return sum;
}

static inline bool fuzz_tcp_read_v4(const uint8_t *ip, uint32_t left, struct fuzz_tcp *tcp)
{
    if (left < 20 || ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
        return false;
    tcp->l3 = (ip[0] & 15) * 4u;
    tcp->end = tcp->l2 + fuzz_be16(ip + 2);
    return fuzz_be16(ip + 2) >= tcp->l3 && fuzz_be16(ip + 2) <= left &&
           (fuzz_be16(ip + 6) & 0x3fff) == 0 && ip[9] == IPPROTO_TCP;
}

static inline bool fuzz_tcp_read_v6(const uint8_t *ip, uint32_t left, struct fuzz_tcp *tcp)
{
    tcp->l3 = 40;
    if (left < 40 || ip[0] >> 4 != 6)
        return false;
    tcp->end = tcp->l2 + 40 + fuzz_be16(ip + 4);
    return fuzz_be16(ip + 4) + 40 <= left && ip[6] == IPPROTO_TCP;
}

/* Is it a whole TCP packet, not fragmented, without extension headers, behind at most two tags? */
static inline bool fuzz_tcp_read(const uint8_t *bytes, uint32_t len, struct fuzz_tcp *tcp)
{
    bool is_ip;

    tcp->l2 = 14;
    if (len < 14)
        return false;
    while (tcp->l2 < 22 && tcp->l2 + 4 <= len &&
           (fuzz_be16(bytes + tcp->l2 - 2) == 0x8100 || fuzz_be16(bytes + tcp->l2 - 2) == 0x88a8))
        tcp->l2 += 4;
    tcp->v6 = fuzz_be16(bytes + tcp->l2 - 2) == 0x86dd;
    if (!tcp->v6 && fuzz_be16(bytes + tcp->l2 - 2) != 0x0800)
        return false;
    is_ip = tcp->v6 ? fuzz_tcp_read_v6(bytes + tcp->l2, len - tcp->l2, tcp)
                    : fuzz_tcp_read_v4(bytes + tcp->l2, len - tcp->l2, tcp);
    if (!is_ip || tcp->end < tcp->l2 + tcp->l3 + 20)
        return false;
    tcp->l4 = (uint32_t)(bytes[tcp->l2 + tcp->l3 + 12] >> 4) * 4u;
    return tcp->l4 >= 20 && tcp->l2 + tcp->l3 + tcp->l4 <= tcp->end;
}

/* What the pseudo-header of so many bytes behind the IP header sums up to. */
static inline uint32_t fuzz_tcp_pseudo(const uint8_t *bytes, const struct fuzz_tcp *tcp)
{
    const uint8_t *ip = bytes + tcp->l2;
    uint8_t more[4] = { 0, IPPROTO_TCP };

    fuzz_be16_put(more + 2, tcp->end - tcp->l2 - tcp->l3);
    return fuzz_sum(fuzz_sum(0, ip + (tcp->v6 ? 8 : 12), tcp->v6 ? 32 : 8), more, sizeof(more));
}

static inline uint8_t *fuzz_tcp_sum_at(uint8_t *bytes, const struct fuzz_tcp *tcp)
{
    return bytes + tcp->l2 + tcp->l3 + 16;
}

/* Are the checksums right? */
static inline bool fuzz_tcp_is_right(const uint8_t *bytes, const struct fuzz_tcp *tcp)
{
    uint32_t l4 = tcp->l2 + tcp->l3;

    return fuzz_sum(fuzz_tcp_pseudo(bytes, tcp), bytes + l4, tcp->end - l4) == 0xffff;
}

static inline bool fuzz_ip_is_right(const uint8_t *bytes, const struct fuzz_tcp *tcp)
{
    return tcp->v6 || fuzz_sum(0, bytes + tcp->l2, tcp->l3) == 0xffff;
}

/* Make them so. */
static inline void fuzz_tcp_sum_make(uint8_t *bytes, const struct fuzz_tcp *tcp)
{
    uint32_t l4 = tcp->l2 + tcp->l3;
    uint8_t *at = fuzz_tcp_sum_at(bytes, tcp);

    fuzz_be16_put(at, 0);
    fuzz_be16_put(at, ~fuzz_sum(fuzz_tcp_pseudo(bytes, tcp), bytes + l4, tcp->end - l4));
}

static inline void fuzz_ip_sum_make(uint8_t *bytes, const struct fuzz_tcp *tcp)
{
    if (tcp->v6)
        return;
    fuzz_be16_put(bytes + tcp->l2 + 10, 0);
    fuzz_be16_put(bytes + tcp->l2 + 10, ~fuzz_sum(0, bytes + tcp->l2, tcp->l3));
}

/* How a frame is to be made. */
struct fuzz_tcp_shape {
    bool v6, dont_fragment;
    uint8_t nr_tags; /* 0 to 2 */
    uint8_t ip_words, tcp_words; /* of options; of IPv4's only */
    uint8_t flags;
    uint16_t id, port;
    uint32_t seq, payload;
};

/*
 * Write such a frame with all lengths and sums right; its payload counts on from the sequence number, so that
 * the bytes of a stream are the same however it is cut. Returns its length; there is room for 192 + payload.
 */
static inline uint32_t fuzz_tcp_make(uint8_t *bytes, const struct fuzz_tcp_shape *shape)
{
    struct fuzz_tcp tcp = { .v6 = shape->v6, .l2 = 14 + 4u * shape->nr_tags };
    uint8_t *ip = bytes + tcp.l2, *l4;

    tcp.l3 = shape->v6 ? 40 : 20 + 4u * (shape->ip_words % 11);
    tcp.l4 = 20 + 4u * (shape->tcp_words % 11);
    tcp.end = tcp.l2 + tcp.l3 + tcp.l4 + shape->payload;
    memset(bytes, 0, tcp.end - shape->payload);
    memcpy(bytes, (const uint8_t[]){ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 }, 12);
    for (uint32_t at = 12; at < tcp.l2 - 2; at += 4)
        fuzz_be32_put(bytes + at, 0x81000064 + at);
    fuzz_be16_put(ip - 2, shape->v6 ? 0x86dd : 0x0800);
    memset(ip + (shape->v6 ? 8 : 12), 0x0a, shape->v6 ? 32 : 8);
    if (shape->v6) {
        ip[0] = 0x60;
        fuzz_be16_put(ip + 4, tcp.end - tcp.l2 - 40);
        ip[6] = IPPROTO_TCP;
        ip[7] = 64;
    } else {
        ip[0] = (uint8_t)(0x40 | tcp.l3 / 4);
        fuzz_be16_put(ip + 2, tcp.end - tcp.l2);
        fuzz_be16_put(ip + 4, shape->id);
        ip[6] = shape->dont_fragment ? 0x40 : 0;
        ip[8] = 64;
        ip[9] = IPPROTO_TCP;
        memset(ip + 20, 1, tcp.l3 - 20);
    }
    l4 = ip + tcp.l3;
    fuzz_be16_put(l4, shape->port);
    fuzz_be32_put(l4 + 4, shape->seq);
    l4[12] = (uint8_t)(tcp.l4 / 4 << 4);
    l4[13] = shape->flags;
    fuzz_be16_put(l4 + 14, 1000);
    memset(l4 + 20, 1, tcp.l4 - 20);
    for (uint32_t i = 0; i < shape->payload; i++)
        l4[tcp.l4 + i] = (uint8_t)((shape->seq + i) * 7 >> 2);
    fuzz_ip_sum_make(bytes, &tcp);
    fuzz_tcp_sum_make(bytes, &tcp);
    return tcp.end;
}

#endif
