/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP and ICMPv6 of a router: errors about packets, and answers to echo requests. Where these go
 * and how many may go is the caller's business.
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "net/address.h"

/* RFC 792, RFC 1812, RFC 1191: type and code. */
#define ICMP_UNREACHABLE 3
#define ICMP_UNREACHABLE_NET 0
#define ICMP_UNREACHABLE_HOST 1
#define ICMP_UNREACHABLE_PROTOCOL 2
#define ICMP_UNREACHABLE_PORT 3
#define ICMP_UNREACHABLE_NEEDS_CUT 4 /* word: the MTU */
#define ICMP_TIME_EXCEEDED 11

/* RFC 4443. */
#define ICMP6_UNREACHABLE 1
#define ICMP6_UNREACHABLE_ROUTE 0
#define ICMP6_UNREACHABLE_SCOPE 2
#define ICMP6_UNREACHABLE_ADDRESS 3
#define ICMP6_UNREACHABLE_PORT 4
#define ICMP6_TOO_BIG 2 /* word: the MTU */
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAMETER 4 /* word: the offset of what is wrong */
#define ICMP6_PARAMETER_NEXT 1

/* An error of either version: what stands in it besides the packet. */
struct icmp_error {
    uint8_t type, code;
    uint32_t word; /* behind the checksum; host byte order */
};

/*
 * May there be an error about a packet? Not about errors, not about any but the first fragment, not
 * about what came to or from a group or a broadcast (of IP's or Ethernet's), or from no address.
 *
 *   frame      parsed, whole IP header; as it came in, with its Ethernet header
 *   is_too_big  ICMP6_TOO_BIG may be about packets to groups
 *
 * Source: RFC 1122, 3.2.2; RFC 1812, 4.3.2.7; RFC 4443, 2.4 e.
 */
bool icmp4_error_is_allowed(const struct rte_mbuf *frame);
bool icmp6_error_is_allowed(const struct rte_mbuf *frame, bool is_too_big);

/*
 * Make an error about a packet, to where it came from, quoting its beginning: as much as fits 576
 * bytes (RFC 1812, 4.3.2.3), or 1280 (RFC 4443, 2.4 c). Room for an Ethernet header is in front,
 * with the EtherType and no addresses.
 *
 *   frame  parsed; is not changed
 *   from   the router's own address; host byte order inside, as all of net/address.h
 *
 * Returns the caller's frame, or NULL if the pool is empty.
 */
struct rte_mbuf *icmp4_error_make(struct rte_mempool *pool, const struct rte_mbuf *frame,
                                  rte_be32_t from, const struct icmp_error *error);
struct rte_mbuf *icmp6_error_make(struct rte_mempool *pool, const struct rte_mbuf *frame,
                                  const struct address *from, const struct icmp_error *error);

/*
 * Make an answer of an echo request, in place: addresses are exchanged, the hop limit is set.
 *
 *   frame  parsed, ICMP or ICMPv6, without bytes behind the packet's end; its first segment is ours
 *
 * Returns 0, -ENOENT (it is no echo request) or -EINVAL (a wrong checksum or code). IPv4 options
 * are taken out of use (made no-operations): none of them is to be answered with.
 */
int icmp4_echo_answer(struct rte_mbuf *frame);
int icmp6_echo_answer(struct rte_mbuf *frame);

#endif
