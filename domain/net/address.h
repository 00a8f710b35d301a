/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of both IP versions in one form that can be compared as a number: an IPv4 address is
 * the IPv6 address that maps it, ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), which no packet may carry.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

struct address {
    uint64_t hi, lo; /* host byte order */
};

#define ADDRESS_MAPPED (0xffffull << 32)
#define ADDRESS_LEN4 96 /* a prefix of IPv4 is so much longer as an address */

static inline struct address address_of4(rte_be32_t ip4)
{
    return (struct address){ .lo = ADDRESS_MAPPED | rte_be_to_cpu_32(ip4) };
}

static inline struct address address_of6(const uint8_t ip6[16])
{
    rte_be64_t hi, lo;

    memcpy(&hi, ip6, sizeof(hi));
    memcpy(&lo, ip6 + sizeof(hi), sizeof(lo));
    return (struct address){ rte_be_to_cpu_64(hi), rte_be_to_cpu_64(lo) };
}

static inline rte_be32_t address_to4(const struct address *addr)
{
    return rte_cpu_to_be_32((uint32_t)addr->lo);
}

static inline void address_to6(const struct address *addr, uint8_t ip6[16])
{
    rte_be64_t hi = rte_cpu_to_be_64(addr->hi), lo = rte_cpu_to_be_64(addr->lo);

    memcpy(ip6, &hi, sizeof(hi));
    memcpy(ip6 + sizeof(hi), &lo, sizeof(lo));
}

static inline bool address_is4(const struct address *addr)
{
    return addr->hi == 0 && addr->lo >> 32 == 0xffff;
}

static inline bool address_is_same(const struct address *a, const struct address *b)
{
    return a->hi == b->hi && a->lo == b->lo;
}

static inline bool address_is_less(const struct address *a, const struct address *b)
{
    return a->hi < b->hi || (a->hi == b->hi && a->lo < b->lo);
}

/* The first and the last address of the prefix that addr is in; len 0 to 128. */
static inline struct address address_first(const struct address *addr, uint8_t len)
{
    return (struct address){ len == 0   ? 0
                             : len < 64 ? addr->hi & ~0ull << (64 - len)
                                        : addr->hi,
                             len <= 64    ? 0
                             : len >= 128 ? addr->lo
                                          : addr->lo & ~0ull << (128 - len) };
}

static inline struct address address_last(const struct address *addr, uint8_t len)
{
    return (struct address){ len == 0   ? ~0ull
                             : len < 64 ? addr->hi | ~0ull >> len
                                        : addr->hi,
                             len <= 64    ? ~0ull
                             : len >= 128 ? addr->lo
                                          : addr->lo | ~0ull >> (len - 64) };
}

static inline bool address_is_in(const struct address *addr, const struct address *net, uint8_t len)
{
    struct address first = address_first(net, len), last = address_last(net, len);

    return !address_is_less(addr, &first) && !address_is_less(&last, addr);
}

/*
 * No host's, of a kind that no packet comes from (RFC 1122, 3.2.1.3; RFC 6890): "this" network,
 * loopback, multicast, reserved and broadcast.
 */
static inline bool ip4_is_host(rte_be32_t ip4)
{
    uint32_t top = rte_be_to_cpu_32(ip4) >> 24;

    return top != 0 && top != 127 && top < 224;
}

static inline bool ip4_is_multicast(rte_be32_t ip4)
{
    return rte_be_to_cpu_32(ip4) >> 28 == 14;
}

/* 169.254.0.0/16 */
static inline bool ip4_is_link_local(rte_be32_t ip4)
{
    return rte_be_to_cpu_32(ip4) >> 16 == 0xa9fe;
}

static inline bool ip6_is_multicast(const struct address *ip6)
{
    return ip6->hi >> 56 == 0xff;
}

/* fe80::/10 */
static inline bool ip6_is_link_local(const struct address *ip6)
{
    return ip6->hi >> 54 == 0xfe80 >> 6;
}

static inline bool ip6_is_unspecified(const struct address *ip6)
{
    return ip6->hi == 0 && ip6->lo == 0;
}

/* Not ::, ::1, multicast, or one that stands for an IPv4 address (RFC 4291, 2.5). */
static inline bool ip6_is_host(const struct address *ip6)
{
    return !ip6_is_multicast(ip6) &&
           (ip6->hi != 0 || (ip6->lo >> 32 != 0 && ip6->lo >> 32 != 0xffff));
}

/* The group that an address' neighbour solicitations go to, ff02::1:ffXX:XXXX (RFC 4291, 2.7.1). */
static inline struct address ip6_solicited_node(const struct address *ip6)
{
    return (struct address){ 0xff02ull << 48, 0x01ff000000ull | (ip6->lo & 0xffffff) };
}

/* fe80:: and what an EUI-64 makes of a MAC (RFC 4291, appendix A). */
static inline struct address ip6_link_local(const struct rte_ether_addr *mac)
{
    const uint8_t *b = mac->addr_bytes;

    return (struct address){ 0xfe80ull << 48, (uint64_t)(b[0] ^ 2) << 56 | (uint64_t)b[1] << 48 |
                                                  (uint64_t)b[2] << 40 | 0xfffeull << 24 |
                                                  (uint64_t)b[3] << 16 | (uint64_t)b[4] << 8 |
                                                  b[5] };
}

#endif
