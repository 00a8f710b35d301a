/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a frame says which flow it belongs to. Used by nat*.c only.
 */
#ifndef NET_NAT_PACKET_H
#define NET_NAT_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/* Network byte order. An IPv4 address is the first word, the others are 0. */
struct nat_address {
    uint32_t words[4];
};

enum nat_kind {
    NAT_KIND_FLOW, /* addresses and ports name a flow */
    NAT_KIND_ERROR, /* an ICMP error: the packet embedded in it names a flow */
    NAT_KIND_LATER, /* a fragment that is not the first */
    NAT_KIND_OTHER, /* an ICMP message of another kind */
};

struct nat_packet {
    struct nat_address src, dst;
    uint32_t fragment_id; /* host byte order, as are the rest */
    uint32_t offset, end; /* of a fragment: the bytes of its packet that it holds, up to end */
    uint16_t src_port, dst_port; /* ICMP queries: the id in both; 0 where the protocol has none */
    uint8_t protocol, kind, tcp_flags;
    bool is_v6;
    bool is_request; /* of an ICMP query, not the reply */
    bool is_fragment, more_fragments;
};

/*
 * Read a frame that was parsed (net/frame.h).
 *
 * Returns 0 or -(enum nat_reason): -NAT_BAD if it is not IP or headers are cut off, -NAT_FRAGMENT for
 * fragments that hide or overlap the L4 header (RFC 1858, RFC 3128), are longer than a packet can be or
 * have an unfinished checksum.
 */
int nat_packet_read(const struct rte_mbuf *frame, struct nat_packet *packet_r);

/*
 * Read the packet that an ICMP error has embedded: its IP header and at least 8 bytes behind it (RFC 792).
 *
 *   ip    of the embedded packet
 *   have  bytes there, all in one piece
 *
 * Returns 0 or -NAT_BAD; -NAT_NO_FLOW if the packet is one that no flow is found by.
 */
int nat_packet_read_embedded(const uint8_t *ip, uint32_t have, bool is_v6,
                             struct nat_packet *packet_r);

bool nat_packet_is_icmp(const struct nat_packet *packet);

static inline struct nat_address nat_address_v4(uint32_t address)
{
    return (struct nat_address){ { address } };
}

#endif
