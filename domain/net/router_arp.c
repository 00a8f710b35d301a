/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include "net/arp.h"

#define DEFEND_NS 10000000000ull /* RFC 5227, 2.4 */

static const struct rte_ether_addr everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static void arp_send(struct router *router, const struct arp *arp, const struct rte_ether_addr *to)
{
    struct rte_mbuf *frame = arp_make(router_host.pool, arp, to);

    if (frame)
        router_to_bridge(router, frame, to);
    else
        router->stats.no_memory++;
}

void router_arp_ask(struct router *router, const struct address *addr,
                    const struct rte_ether_addr *mac)
{
    struct arp arp = { .op = ARP_REQUEST,
                       .sender_mac = router->port.mac,
                       .sender_ip = router->addresses.ip4,
                       .target_ip = address_to4(addr) };

    arp_send(router, &arp, mac ? mac : &everybody);
}

/* An ARP announcement (RFC 5227, 2.3). */
void router_arp_announce(struct router *router, const struct address *addr)
{
    struct arp arp = { .op = ARP_REQUEST,
                       .sender_mac = router->port.mac,
                       .sender_ip = address_to4(addr),
                       .target_ip = address_to4(addr) };

    arp_send(router, &arp, &everybody);
}

/* Somebody uses an address of ours: if it is the router's, it says once in a while whose it is. */
static void conflict(struct router *router, const struct address *addr)
{
    router->stats.conflicts++;
    if (router->addresses.has_ip4 && address_is_same(addr, &router->ip4) &&
        rate_take(&router->defences, DEFEND_NS, 1, router_host.now))
        router_arp_announce(router, addr);
}

/* The router's, or a guest's who shows its address outside. */
static bool is_ours_in_bridge(const struct router *router, const struct address *addr)
{
    uint8_t owner = route_find(router->index, addr);

    if (router->addresses.has_ip4 && address_is_same(addr, &router->ip4))
        return true;
    return owner < ROUTER_VIFS_MAX && !router_host.vifs[owner].config.nat;
}

static void answer(const struct packet *packet, const struct arp *question,
                   const struct rte_ether_addr *mac)
{
    struct arp arp = { .op = ARP_REPLY,
                       .sender_mac = *mac,
                       .sender_ip = question->target_ip,
                       .target_mac = question->sender_mac,
                       .target_ip = question->sender_ip };
    struct rte_mbuf *frame = arp_make(router_host.pool, &arp, &question->sender_mac);

    if (!frame) {
        packet->router->stats.no_memory++;
        return;
    }
    packet->router->stats.arp_answered++;
    if (packet->vif)
        router_to_vif(packet->vif, frame);
    else
        router_to_bridge(packet->router, frame, &question->sender_mac);
}

/* RFC 826: who asks us is noted, who tells all is noted if it is known, who answers is. */
static void take_note(struct router *router, const struct arp *arp, const struct address *sender,
                      bool is_to_us)
{
    enum neighbour_news news = NEIGHBOUR_MOVED;

    if (!ip4_is_host(arp->sender_ip) || !router->addresses.has_ip4 ||
        !address_is_in(sender, &router->ip4, ADDRESS_LEN4 + router->addresses.len4))
        return;
    if (arp->op == ARP_REQUEST && is_to_us)
        news = NEIGHBOUR_MENTIONED;
    else if (arp->op == ARP_REPLY && rte_is_same_ether_addr(&arp->target_mac, &router->port.mac))
        news = NEIGHBOUR_ANSWERED;
    neighbour_heard(&router->neighbours, sender, &arp->sender_mac, news, router_host.now);
}

static void input_from_bridge(const struct packet *packet, const struct arp *arp)
{
    struct router *router = packet->router;
    struct address sender = address_of4(arp->sender_ip), target = address_of4(arp->target_ip);
    bool is_to_us = is_ours_in_bridge(router, &target);

    if (rte_is_same_ether_addr(&arp->sender_mac, &router->port.mac))
        return;
    if (is_ours_in_bridge(router, &sender)) {
        conflict(router, &sender);
        return;
    }
    take_note(router, arp, &sender, is_to_us);
    if (arp->op == ARP_REQUEST && is_to_us)
        answer(packet, arp, &router->port.mac);
}

/*
 * Does a guest reach this address by way of the router? Its own it does not; of others, none while
 * it looks whether an address is free for it (RFC 5227, 2.1).
 */
static bool is_reached(const struct packet *packet, const struct arp *arp)
{
    struct address target = address_of4(arp->target_ip);
    struct hop hop;

    if (router_is_local(packet->router, packet->vif, &target))
        return true;
    if (arp->sender_ip == 0 || !ip4_is_host(arp->target_ip) || ip4_is_link_local(arp->target_ip) ||
        router_is_broadcast(packet->router, arp->target_ip))
        return false;
    return router_hop_find(packet->router, &target, packet->vif->index, &hop) &&
           hop.vif != packet->vif;
}

static void input_from_vif(const struct packet *packet, const struct arp *arp)
{
    struct address sender = address_of4(arp->sender_ip);

    if (arp->sender_ip != 0 && route_find(packet->router->index, &sender) != packet->vif->index) {
        packet->router->stats.spoofed++;
        return;
    }
    if (arp->op == ARP_REQUEST && is_reached(packet, arp))
        answer(packet, arp, &ROUTER_GUEST_MAC);
}

void router_arp_input(const struct packet *packet)
{
    struct arp arp;

    packet->router->stats.arp_in++;
    if (arp_read(packet->frame, &arp) != 0)
        packet->router->stats.bad++;
    else if (packet->vif)
        input_from_vif(packet, &arp);
    else
        input_from_bridge(packet, &arp);
    rte_pktmbuf_free(packet->frame);
}
