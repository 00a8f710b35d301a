/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP for IPv4 over Ethernet (RFC 826): packets as they are on the wire. */
#ifndef NET_ARP_H
#define NET_ARP_H

#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp {
    uint16_t op; /* ARP_REQUEST or ARP_REPLY */
    struct rte_ether_addr sender_mac, target_mac;
    rte_be32_t sender_ip, target_ip;
};

/*
 * Read an ARP packet.
 *
 *   frame  parsed (net/frame.h), with the EtherType of ARP; not changed
 *   arp_r  set on success only
 *
 * Returns 0, or -EINVAL: cut off, not IPv4 over Ethernet, another operation, or a sender's MAC that
 * is a group's, nobody's, or not the one the frame came from.
 */
int arp_read(const struct rte_mbuf *frame, struct arp *arp_r);

/*
 * Make a frame with an ARP packet, from arp->sender_mac.
 *
 *   to  MAC that the frame goes to
 *
 * Returns the caller's frame, or NULL if the pool is empty.
 */
struct rte_mbuf *arp_make(struct rte_mempool *pool, const struct arp *arp,
                          const struct rte_ether_addr *to);

#endif
