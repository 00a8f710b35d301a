/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_bytes.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "../fuzz/fuzz_mbuf.h"

void put(struct bytes *b, const void *bytes, uint32_t len)
{
    assert(b->len + len <= BYTES_MAX);
    memcpy(b->at + b->len, bytes, len);
    b->len += len;
}

void put8(struct bytes *b, uint8_t value)
{
    put(b, &value, sizeof(value));
}

void put16(struct bytes *b, uint16_t value)
{
    put8(b, (uint8_t)(value >> 8));
    put8(b, (uint8_t)value);
}

void put32(struct bytes *b, uint32_t value)
{
    put16(b, (uint16_t)(value >> 16));
    put16(b, (uint16_t)value);
}

void put_zeros(struct bytes *b, uint32_t nr)
{
    while (nr--)
        put8(b, 0);
}

void put_mac(struct bytes *b, const char *mac)
{
    unsigned int m[6];

    assert(sscanf(mac, "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5) == 6);
    for (unsigned int i = 0; i < 6; i++)
        put8(b, (uint8_t)m[i]);
}

void put_addr(struct bytes *b, const char *addr)
{
    uint8_t bytes[16];
    int is_ip6 = strchr(addr, ':') != NULL;

    assert(inet_pton(is_ip6 ? AF_INET6 : AF_INET, addr, bytes) == 1);
    put(b, bytes, is_ip6 ? 16 : 4);
}

void put_ether(struct bytes *b, const char *dst, const char *src, uint16_t type)
{
    put_mac(b, dst);
    put_mac(b, src);
    put16(b, type);
}

void put_tag(struct bytes *b, uint16_t tpid, uint16_t tci)
{
    uint16_t type = (uint16_t)(b->at[b->len - 2] << 8 | b->at[b->len - 1]);

    b->len -= 2;
    put16(b, tpid);
    put16(b, tci);
    put16(b, type);
}

void put_arp(struct bytes *b, uint16_t op, const char *sha, const char *spa, const char *tpa)
{
    put16(b, 1);
    put16(b, 0x0800);
    put8(b, 6);
    put8(b, 4);
    put16(b, op);
    put_mac(b, sha);
    put_addr(b, spa);
    put_zeros(b, 6);
    put_addr(b, tpa);
}

void put_ip4(struct bytes *b, const char *src, const char *dst, uint8_t protocol)
{
    b->ip_at = b->len;
    put32(b, 0x45000000);
    put32(b, 0x00010000);
    put8(b, 64);
    put8(b, protocol);
    put16(b, 0);
    put_addr(b, src);
    put_addr(b, dst);
}

void ip4_fragment(struct bytes *b, uint16_t offset, unsigned int more)
{
    b->at[b->ip_at + 6] = (uint8_t)(offset / 8 >> 8 | (more ? 0x20 : 0));
    b->at[b->ip_at + 7] = (uint8_t)(offset / 8);
}

void put_ip6(struct bytes *b, const char *src, const char *dst, uint8_t next, uint8_t hop_limit)
{
    b->ip_at = b->len;
    put32(b, 0x60000000);
    put16(b, 0);
    put8(b, next);
    put8(b, hop_limit);
    put_addr(b, src);
    put_addr(b, dst);
}

void put_ext6(struct bytes *b, uint8_t next, unsigned int units)
{
    put8(b, next);
    put8(b, (uint8_t)(units - 1));
    put_zeros(b, 8 * units - 2);
}

void put_fragment6(struct bytes *b, uint8_t next, uint16_t offset, unsigned int more)
{
    put16(b, (uint16_t)(next << 8));
    put16(b, (uint16_t)(offset | more));
    put32(b, 7);
}

void put_udp(struct bytes *b, uint16_t sport, uint16_t dport)
{
    put16(b, sport);
    put16(b, dport);
    put16(b, 8);
    put16(b, 0);
}

void put_tcp(struct bytes *b, uint16_t sport, uint16_t dport)
{
    put16(b, sport);
    put16(b, dport);
    put_zeros(b, 8);
    put16(b, 0x5010);
    put_zeros(b, 6);
}

void put_icmp(struct bytes *b, uint8_t type)
{
    put8(b, type);
    put_zeros(b, 7);
}

void put_nd_mac(struct bytes *b, uint8_t type, const char *mac)
{
    put8(b, type);
    put8(b, 1);
    put_mac(b, mac);
}

struct rte_mbuf *bytes_frame(struct bytes *b, uint32_t first)
{
    uint32_t len = b->len - b->ip_at;
    uint8_t *ip = b->at + b->ip_at;
    uint16_t value = (uint16_t)(ip[0] >> 4 == 4 ? len : len - 40);

    if (b->ip_at) {
        ip += ip[0] >> 4 == 4 ? 2 : 4;
        ip[0] = (uint8_t)(value >> 8);
        ip[1] = (uint8_t)value;
    }
    return bytes_frame_as_is(b, first);
}

struct rte_mbuf *bytes_frame_as_is(const struct bytes *b, uint32_t first)
{
    return fuzz_mbuf_make(b->at, b->len, first ? first : b->len);
}

void bytes_free(struct rte_mbuf *frame)
{
    fuzz_mbuf_free(frame);
}
