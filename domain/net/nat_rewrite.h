/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing addresses and ports in packets, and their checksums by the difference (RFC 1624): a checksum
 * that was wrong stays wrong. Used by nat*.c only.
 */
#ifndef NET_NAT_REWRITE_H
#define NET_NAT_REWRITE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

/* A packet in one piece. */
struct nat_bytes {
    uint8_t *ip; /* at its IPv4 header, which is whole */
    uint32_t have; /* bytes from there on; the packet may be longer */
    bool is_unfinished; /* the L4 checksum field holds the pseudo-header sum only (net/port.h) */
    bool is_later; /* a fragment that is not the first: what follows is no L4 header */
};

/* An address with a port (ICMP queries: the id, at either end) in host byte order. */
struct nat_endpoint {
    rte_be32_t address;
    uint16_t port;
};

/*
 * Put another source or destination in. The L4 header's first 8 bytes are there, unless the packet is a
 * later fragment; its checksum is left alone where it is cut off. A UDP checksum of 0 means none and
 * stays, one that comes out as 0 becomes 0xffff (RFC 768).
 *
 * Returns by how much the packet as a whole has changed, for nat_checksum_adjust() of what encloses it.
 */
uint32_t nat_rewrite(const struct nat_bytes *packet, bool is_source,
                     const struct nat_endpoint *endpoint);

/* Put another IPv4 id in. */
void nat_rewrite_id(uint8_t *ip, uint16_t id);

/* Let the checksum at this place follow changes of what it covers: RFC 1624, equation 3. */
void nat_checksum_adjust(uint8_t *checksum, uint32_t change);

#endif
