/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router between a bridge and the vifs that are not in it but behind it, one guest at the end of
 * each: what Xen's scripts vif-route and vif-nat make of a Linux whose bridge has addresses of its
 * own.
 *
 *        wire - bridge - (router's port) router - vif - guest
 *                                               - vif - guest
 *
 * The router's end in the bridge is a port as any other. Toward guests the router has one MAC,
 * ROUTER_GUEST_MAC, and no neighbours to look for: the guest's MAC is known. Guests ask by ARP or
 * ND for whatever they take to be near, and get that MAC (proxy_arp).
 *
 * A turn of the loop:
 *
 *     router_tick(now);                          first, it also tells the routers what time it is
 *     router_input(port, frames, nr, now);       for each vif behind a router
 *     bridge_input(port, frames, nr, now);       for each other port
 *     bridge_flush();                            the routers get what the bridges have for them
 *
 * What goes from the wire to the wire is not routed: a router is there for its guests. Times are
 * nanoseconds of a clock that does not go backwards. Nothing outlives a restart: addresses are set
 * anew, and neighbours are looked for anew.
 */
#ifndef NET_ROUTER_H
#define NET_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mempool.h>

#include "net/port.h"

#define ROUTER_MAX 4 /* as many bridges can have addresses */
#define ROUTER_VIFS_MAX 64 /* behind all routers together */
#define ROUTER_PREFIXES_MAX 16 /* of one vif, of either kind */

/* What Linux gives its end of a vif: the highest address that is no group's. */
#define ROUTER_GUEST_MAC ((struct rte_ether_addr){ { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff } })

struct bridge;
struct router;

/* Of the router in its bridge. */
struct router_addresses {
    bool has_ip4;
    rte_be32_t ip4, gateway4; /* gateway4 0: there is none */
    uint8_t len4; /* 1 to 32 */
    bool has_ip6, has_gateway6;
    uint8_t ip6[16], gateway6[16]; /* gateway6 may be link-local */
    uint8_t len6; /* 1 to 128 */
};

struct router_prefix4 {
    rte_be32_t addr; /* bits behind len do not count */
    uint8_t len; /* 1 to 32 */
};

struct router_prefix6 {
    uint8_t addr[16];
    uint8_t len; /* 1 to 128 */
};

struct router_vif_config {
    bool nat; /* leaves the bridge with the router's address; nobody outside is told of its own */
    uint8_t nr_ip4, nr_ip6; /* what the guest may send from and is sent */
    struct router_prefix4 ip4[ROUTER_PREFIXES_MAX];
    struct router_prefix6 ip6[ROUTER_PREFIXES_MAX];
    rte_be32_t router_ip4; /* the router's address toward the guest; 0: that of its bridge */
    struct rte_ether_addr guest_mac;
    bool serve_dhcp, serve_dns; /* UDP to ports 67 and 53 reaches their handlers */
    uint32_t identity; /* what net/nat.h knows the guest by after a restart */
};

/* Packets, by what became of them. */
struct router_stats {
    uint64_t forwarded4, forwarded6; /* a frame for several counts as one */
    uint64_t local4, local6; /* to the router itself */
    uint64_t fragmented; /* packets that were cut */
    uint64_t icmp_sent, icmp_limited; /* errors that were sent; that the rate limit held back */
    uint64_t echoes; /* answered */
    uint64_t arp_in, arp_answered, nd_in, nd_answered;
    uint64_t conflicts; /* somebody else on the wire has an address of ours */
    /* Dropped: */
    uint64_t other; /* not for the router, or no protocol of its */
    uint64_t bad; /* a wrong header: version, length, checksum */
    uint64_t martian; /* an address that no packet may come from or go to */
    uint64_t spoofed; /* a guest with an address, or a MAC, that is not its */
    uint64_t source_routed;
    uint64_t group; /* to a multicast or broadcast address that nobody here listens to */
    uint64_t transit; /* from the wire, and not to a guest */
    uint64_t isolated; /* between two isolated guests */
    uint64_t filtered; /* by a filter */
    uint64_t nat_drops; /* by net/nat.h */
    uint64_t ttl; /* expired */
    uint64_t no_route;
    uint64_t too_big; /* and not to be cut */
    uint64_t unreachable; /* the neighbour does not answer, or too many packets wait for it */
    uint64_t no_memory;
};

/*
 * Start with no routers. Once, after bridge_init() or bridge_resume(), and nat_init() or
 * nat_resume(): guests and outsides of net/nat.h are the router's to add and remove, and
 * router_tick() is nat_tick() too.
 *
 *   pool  for copies, fragments and what routers send themselves; its buffers hold 1600 bytes at
 *         least
 *   seed  random, unknown to guests
 */
void router_init(struct rte_mempool *pool, uint32_t seed);

/*
 * Make a router and plug its port, which has the bridge's name, into the bridge, in VLAN 0 so far.
 *
 *   bridge    without a router
 *   router_r  set on success only; lives for ever
 *
 * Returns 0, -EEXIST (the bridge has one), -ENOSPC (ROUTER_MAX), or what bridge_port_add() returns.
 */
int router_create(struct bridge *bridge, struct router **router_r)
    __attribute__((warn_unused_result));

/* The router of a bridge, or NULL. */
struct router *router_find(const struct bridge *bridge);

/* 0 to ROUTER_MAX - 1: the number that net/nat.h knows its outside by. */
unsigned int router_index(const struct router *router);

/* The bridge that a router is in. */
struct bridge *router_bridge(const struct router *router);

/*
 * Let the router's port be in one VLAN, without a tag: 0, or 1 to 4094 (the uplink's native one).
 */
void router_vlan_set(struct router *router, uint16_t vid);

/*
 * The router's MAC in the bridge, of its NIC. One is made from the bridge's name until it is set.
 *
 *   mac  no group's and not 0; another is not taken
 */
void router_mac_set(struct router *router, const struct rte_ether_addr *mac, uint64_t now);

/* What it is now. */
const struct rte_ether_addr *router_mac(const struct router *router);

/* The longest packet in the bridge, bytes; 1500 unless set. Below 1280 there is no IPv6. */
void router_mtu_set(struct router *router, uint16_t mtu);
uint16_t router_mtu(const struct router *router);

/*
 * Give the router its addresses, in place of what it had. Neighbours are told (gratuitous ARP,
 * unsolicited NA), of the routed guests' addresses too.
 *
 * Returns 0, or -EINVAL and nothing changed: an address that is a group's, a network's or a
 * loopback's; a prefix length out of range; a gateway that is the router, or lies outside its
 * prefix; an address that is a guest's.
 */
int router_addresses_set(struct router *router, const struct router_addresses *addresses,
                         uint64_t now) __attribute__((warn_unused_result));

/* What it has now; nothing is set where it has none. */
const struct router_addresses *router_addresses(const struct router *router);

/* Tell neighbours again which addresses are here, as after the link came up. */
void router_announce(struct router *router, uint64_t now);

/*
 * Put a vif behind a router, and plug it in (net/egress.h).
 *
 *   port    in no bridge and behind no router; its ->filter, ->isolated and ->mtu are kept to
 *   index   0 to ROUTER_VIFS_MAX - 1, unused; net/nat.h knows the guest by it
 *   config  copied
 *   why_r   set when -EINVAL is returned: a few words for a log line; a constant
 *
 * Returns 0, -EBUSY (the port or the index is in use), -ENOSPC (EGRESS_PORTS_MAX), or -EINVAL: no
 * address at all, one that is another guest's, the router's, its gateway's, link-local (IPv4) or no
 * host's, a length or the index out of range, a MAC that cannot be a guest's. Link-local IPv6
 * prefixes are passed over.
 */
int router_vif_add(struct router *router, struct port *port, unsigned int index,
                   const struct router_vif_config *config, const char **why_r)
    __attribute__((warn_unused_result));

/*
 * Take a vif away; nothing happens if it is behind no router. May be called from within tx_burst.
 */
void router_vif_remove(struct port *port);

/* Of a vif: its router, or NULL; of one behind a router: its index, its configuration. */
struct router *router_of(const struct port *port);
unsigned int router_vif_index(const struct port *port);
const struct router_vif_config *router_vif_config(const struct port *port);

/* The port that has this index, or NULL. */
struct port *router_vif_port(unsigned int index);

/*
 * Route frames that came in through a vif.
 *
 *   port    if it is behind no router the frames are dropped (stats.rx_errors)
 *   frames  nr of them; all pass to the router
 *   now     ns
 */
void router_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now);

/*
 * Tell the routers the time, at every turn of the loop before frames are handed in, and let them do
 * what is due. Returns when it must be called at the latest, ns; UINT64_MAX: nothing is pending.
 */
uint64_t router_tick(uint64_t now);

const struct router_stats *router_stats(const struct router *router);

/* How many neighbours a router knows or looks for. */
unsigned int router_neighbours(const struct router *router);

/*
 * UDP to the router itself. What came from a vif was sent by its guest from an address of the
 * guest, or from 0.0.0.0 to port 67. What came through the bridge was for the router's address, a
 * broadcast, or, while the router has no address, for any (a DHCP server's answer).
 */
struct router_udp {
    struct router *router;
    struct port *vif; /* NULL: it came through the bridge */
    rte_be32_t src, dst;
    uint16_t sport, dport; /* host byte order */
    struct rte_ether_addr src_mac;
    const uint8_t *payload; /* contiguous; valid during the call */
    uint16_t len; /* bytes of payload */
    uint64_t now;
};

#define ROUTER_UDP_MAX 4096 /* bytes of payload; longer ones are dropped */

/*
 * Have UDP to a port, or to ports first to last, given to a handler; NULL: to nobody any more.
 * Ports 53 and 67 reach it from vifs with serve_dns and serve_dhcp only.
 *
 * Returns 0, or -ENOSPC: 8 handlers are set. Those of one port come before those of several.
 */
int router_udp_handler_set(uint16_t port, void (*handler)(const struct router_udp *udp));
int router_udp_handler_range_set(uint16_t first, uint16_t last,
                                 void (*handler)(const struct router_udp *udp));

/*
 * Send UDP from the router itself, in one packet.
 *
 *   vif     out through this vif, to its guest's MAC; NULL: into the bridge
 *   src     may be 0 (DHCP)
 *   dst     a broadcast, or a host that is looked for if to_mac is NULL
 *   to_mac  NULL, or the MAC to send to
 *
 * Returns 0 (it may still be lost), -EMSGSIZE (does not fit the MTU, or ROUTER_UDP_MAX), -ENOMEM or
 * -ENETUNREACH (no route).
 */
int router_udp_send(struct router *router, struct port *vif, rte_be32_t src, uint16_t sport,
                    rte_be32_t dst, uint16_t dport, const void *payload, uint16_t len,
                    const struct rte_ether_addr *to_mac, uint64_t now)
    __attribute__((warn_unused_result));

#endif
