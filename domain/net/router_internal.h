/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the router share. Used by router*.c only.
 *
 * A packet comes in through router_port.c, is judged by router_ipv4.c or router_ipv6.c, and then is
 * for the router itself (router_local.c, router_udp.c; router_arp.c, router_nd.c for ARP and ND) or
 * is forwarded (router_forward.c; router_flow.c for filters and translation) and leaves by way of
 * router_output.c.
 *
 * Every function that is given a frame has it from then on, unless it says otherwise.
 */
#ifndef NET_ROUTER_INTERNAL_H
#define NET_ROUTER_INTERNAL_H

#include <ferry/vlan.h>

#include "net/address.h"
#include "net/neighbour.h"
#include "net/rate.h"
#include "net/route.h"
#include "net/router.h"

/* So many may be queued for the bridge before it is given them. */
#define ROUTER_QUEUE (2 * PORT_BURST)

/* What a guest, or the bridge, may cause of the router's own packets. */
struct router_rates {
    struct rate errors, echoes;
};

struct router {
    struct port port; /* in the bridge; first, so that it is found by it */
    struct bridge *bridge;
    struct vlan_set vlans;
    uint8_t index;
    bool has_mac; /* it was set */
    uint8_t depth; /* of calls that queue frames: the last one hands them over */
    uint8_t nr_queued;
    uint8_t nr_announcements; /* that are still to be made */
    uint64_t announce_due; /* ns */
    struct rate defences; /* of our address, by ARP */
    struct router_rates rates;
    struct router_addresses addresses;
    struct address ip4, ip6, gateway4, gateway6; /* as numbers; those that are not set are :: */
    struct address link_local; /* of port.mac */
    struct router_stats stats;
    struct neighbours neighbours;
    struct rte_mbuf *queue[ROUTER_QUEUE];
};

struct router_vif {
    struct router *router; /* NULL: unused */
    struct port *port;
    uint8_t index;
    struct router_rates rates;
    struct router_vif_config config;
};

struct router_host {
    struct rte_mempool *pool;
    uint32_t seed;
    unsigned int nr;
    uint64_t now; /* ns */
    struct rate errors; /* of all routers together */
    struct router routers[ROUTER_MAX];
    struct router_vif vifs[ROUTER_VIFS_MAX];
};

extern struct router_host router_host;

/* A packet on its way. */
struct packet {
    struct router *router;
    struct router_vif *vif; /* that it came in through; NULL: through the bridge */
    struct rte_mbuf *frame;
    uint8_t guest; /* to whom it was translated on its way in, or turned; ROUTE_NONE: to nobody */
};

/* Where a packet goes next. */
struct hop {
    struct router_vif *vif; /* NULL: into the bridge, to next */
    struct address next;
    bool is_gateway;
    uint8_t owner; /* of the question for the neighbour: a guest's index or NEIGHBOUR_ROUTER */
};

/* router_output.c */

/* Drop a frame, counting why. */
void router_drop(struct rte_mbuf *frame, uint64_t *counter);

/*
 * Returns the frame as one whose first segment is ours, without what lies behind the end of its
 * packet; or NULL, and it is dropped. The frame is parsed, and has a whole IP header.
 */
struct rte_mbuf *router_own(struct router *router, struct rte_mbuf *frame);

/* Bytes of the longest packet that a frame stands for. */
uint32_t router_packet_size(const struct rte_mbuf *frame);

uint16_t router_hop_mtu(const struct router *router, const struct hop *hop);

/*
 * Where the router would send to; false: nowhere.
 *
 *   dst    no group's; link-local ones are in the bridge
 *   owner  on whose behalf
 */
bool router_hop_find(struct router *router, const struct address *dst, uint8_t owner,
                     struct hop *hop_r);

/* Send a packet, which is ours, to its hop; IPv4 in pieces if need be. */
void router_transmit(struct router *router, const struct hop *hop, struct rte_mbuf *frame);

/*
 * Send a packet of the router's own: out through a vif, or (NULL) to where its destination is in
 * the bridge.
 */
void router_emit(struct router *router, struct router_vif *vif, struct rte_mbuf *frame);

/* Into the bridge, to a MAC. The frame has its EtherType. */
void router_to_bridge(struct router *router, struct rte_mbuf *frame,
                      const struct rte_ether_addr *to);

/* To the guest of a vif. */
void router_to_vif(struct router_vif *vif, struct rte_mbuf *frame);

/* router_port.c */

/* Between these, frames are queued for the bridge; they are given to it when the last call ends. */
void router_enter(struct router *router);
void router_leave(struct router *router);
void router_flush(struct router *router);

extern const struct port_ops router_port_ops;

/* router_announce.c */
extern const struct neighbour_ops router_neighbour_ops;

/* Say where a vif's guest is. */
void router_announce_vif(struct router_vif *vif);

/* Do what router_announce() left to do. Returns when there is more, ns. */
uint64_t router_announce_tick(struct router *router);

/* router_arp.c, router_nd.c */
void router_arp_input(const struct packet *packet);

/* An ICMPv6 message; true if it was neighbour discovery. The frame stays the caller's. */
bool router_nd_input(const struct packet *packet);

/* Ask for an address, all or (mac) one; say that an address is here. */
void router_arp_ask(struct router *router, const struct address *addr,
                    const struct rte_ether_addr *mac);
void router_nd_ask(struct router *router, const struct address *addr,
                   const struct rte_ether_addr *mac);
void router_arp_announce(struct router *router, const struct address *addr);
void router_nd_announce(struct router *router, const struct address *addr);

/* router_ipv4.c, router_ipv6.c */
void router_ipv4_input(struct packet *packet);
void router_ipv6_input(struct packet *packet);

/* Is an address the router's own, as seen from where a packet came in? */
bool router_is_local(const struct router *router, const struct router_vif *vif,
                     const struct address *addr);

/* The router's address toward a vif, or (NULL) in the bridge; 0: none. */
rte_be32_t router_ip4_toward(const struct router *router, const struct router_vif *vif);

/* The broadcast address of the prefix in the bridge, or 255.255.255.255. */
bool router_is_broadcast(const struct router *router, rte_be32_t addr);

/* router_forward.c */

/* Send a packet on to where it is for. It is ours, and may leave by way of translation. */
void router_forward(struct packet *packet);

/* A packet that was translated on its way in, or turned, to its guest. */
void router_forward_to_guest(struct packet *packet, uint8_t guest);

/* router_flow.c */

#define ROUTER_BATCH 17 /* a frame and what net/nat.h keeps for it */

/* Frames that go the same way. */
struct batch {
    unsigned int nr;
    struct rte_mbuf *frames[ROUTER_BATCH];
};

/*
 * What of a packet may go on: itself, or nothing, or fragments that waited for it too.
 * The filter of the vif that it came in through, and of the one that it leaves through.
 */
void router_filter_in(struct packet *packet, struct batch *batch_r);
void router_filter_out(struct router_vif *to, const struct packet *packet, struct batch *batch_r);

/*
 * Translation. guest_r is ROUTE_NONE, or the guest that the frames are for; is_local_r: for the
 * router.
 */
void router_nat_out(struct packet *packet, struct batch *batch_r, uint8_t *guest_r,
                    bool *is_local_r);
void router_nat_in(struct packet *packet, struct batch *batch_r, uint8_t *guest_r,
                   bool *is_local_r);

/* router_local.c */
enum router_fault {
    ROUTER_TTL,
    ROUTER_NO_ROUTE,
    ROUTER_NO_HOST,
    ROUTER_TOO_BIG, /* word: the MTU */
    ROUTER_NO_PROTOCOL,
    ROUTER_NO_PORT,
    ROUTER_SCOPE, /* a link-local address and another do not go together */
};

/*
 * Tell the sender of a packet, if that may be told, and not too often. The frame stays the
 * caller's.
 */
void router_error(const struct packet *packet, enum router_fault fault, uint32_t word);

/* A packet to the router itself; is_group: to a broadcast address, with others. */
void router_local_input(struct packet *packet, bool is_group);

/* router_udp.c */
void router_udp_reset(void);

/* Give UDP to its handler; false: it has none. The frame stays the caller's. */
bool router_udp_input(const struct packet *packet);

/* Is a frame UDP for which there is a handler? */
bool router_udp_is_heard(const struct router_vif *vif, const struct rte_mbuf *frame);

#endif
