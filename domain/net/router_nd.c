/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <errno.h>

#include "net/frame.h"
#include "net/nd.h"

static const struct address all_nodes = { 0xff02ull << 48, 1 };

static void nd_send(struct router *router, const struct nd *nd, const struct rte_ether_addr *to)
{
    struct rte_mbuf *frame = nd_make(router_host.pool, nd, &router->port.mac, to);

    if (frame)
        router_to_bridge(router, frame, to);
    else
        router->stats.no_memory++;
}

void router_nd_ask(struct router *router, const struct address *addr,
                   const struct rte_ether_addr *mac)
{
    bool from_ip6 = router->addresses.has_ip6 && !ip6_is_link_local(addr);
    struct nd nd = { .type = ND_SOLICIT,
                     .src = from_ip6 ? router->ip6 : router->link_local,
                     .dst = mac ? *addr : ip6_solicited_node(addr),
                     .target = *addr,
                     .has_mac = true,
                     .mac = router->port.mac };
    struct rte_ether_addr group = nd_group_mac(&nd.dst);

    nd_send(router, &nd, mac ? mac : &group);
}

/* An unsolicited advertisement (RFC 4861, 7.2.6). */
void router_nd_announce(struct router *router, const struct address *addr)
{
    struct nd nd = { .type = ND_ADVERT,
                     .flags = ND_IS_ROUTER | ND_OVERRIDES,
                     .src = router_is_local(router, NULL, addr) ? *addr : router->link_local,
                     .dst = all_nodes,
                     .target = *addr,
                     .has_mac = true,
                     .mac = router->port.mac };
    struct rte_ether_addr group = nd_group_mac(&all_nodes);

    nd_send(router, &nd, &group);
}

/* The router's, or a guest's: IPv6 is not translated. */
static bool is_ours_in_bridge(const struct router *router, const struct address *addr)
{
    return router_is_local(router, NULL, addr) || route_find(router->index, addr) < ROUTER_VIFS_MAX;
}

/* From :: asks who wants to know whether the address is taken: all are told (RFC 4861, 7.2.4). */
static void answer(const struct packet *packet, const struct nd *question)
{
    bool to_all = ip6_is_unspecified(&question->src);
    bool is_own = router_is_local(packet->router, packet->vif, &question->target);
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet->frame, const void *);
    struct rte_ether_addr own_mac = packet->vif ? ROUTER_GUEST_MAC : packet->router->port.mac;
    struct rte_ether_addr to = to_all ? nd_group_mac(&all_nodes) : ether->src_addr;
    struct nd nd = { .type = ND_ADVERT,
                     .flags = ND_IS_ROUTER | (to_all ? 0 : ND_IS_SOLICITED) |
                              (is_own ? ND_OVERRIDES : 0),
                     .src = question->target,
                     .dst = to_all ? all_nodes : question->src,
                     .target = question->target,
                     .has_mac = true,
                     .mac = own_mac };
    struct rte_mbuf *frame = nd_make(router_host.pool, &nd, &own_mac, &to);

    if (!frame) {
        packet->router->stats.no_memory++;
        return;
    }
    packet->router->stats.nd_answered++;
    if (packet->vif)
        router_to_vif(packet->vif, frame);
    else
        router_to_bridge(packet->router, frame, &to);
}

static bool is_on_link(const struct router *router, const struct address *addr)
{
    return ip6_is_link_local(addr) ||
           (router->addresses.has_ip6 && address_is_in(addr, &router->ip6, router->addresses.len6));
}

static void solicit_from_bridge(const struct packet *packet, const struct nd *nd)
{
    struct router *router = packet->router;

    if (!is_ours_in_bridge(router, &nd->target))
        return;
    if (ip6_is_unspecified(&nd->src))
        router->stats.conflicts++;
    else if (nd->has_mac && is_on_link(router, &nd->src))
        neighbour_heard(&router->neighbours, &nd->src, &nd->mac, NEIGHBOUR_MENTIONED,
                        router_host.now);
    answer(packet, nd);
}

/* RFC 4861, 7.2.5. */
static void advert_from_bridge(const struct packet *packet, const struct nd *nd)
{
    bool overrides = nd->flags & ND_OVERRIDES, is_solicited = nd->flags & ND_IS_SOLICITED;
    struct neighbours *neighbours = &packet->router->neighbours;
    const struct rte_ether_addr *mac = nd->has_mac ? &nd->mac : NULL;

    if (is_ours_in_bridge(packet->router, &nd->target))
        packet->router->stats.conflicts++;
    else if (is_solicited)
        neighbour_heard(neighbours, &nd->target, mac,
                        mac && overrides ? NEIGHBOUR_ANSWERED : NEIGHBOUR_THERE, router_host.now);
    else if (mac && overrides)
        neighbour_heard(neighbours, &nd->target, mac, NEIGHBOUR_MOVED, router_host.now);
}

static void input_from_bridge(const struct packet *packet, const struct nd *nd)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet->frame, const void *);

    if (rte_is_same_ether_addr(&ether->src_addr, &packet->router->port.mac))
        return;
    if (is_ours_in_bridge(packet->router, &nd->src))
        packet->router->stats.conflicts++;
    else if (nd->type == ND_SOLICIT)
        solicit_from_bridge(packet, nd);
    else
        advert_from_bridge(packet, nd);
}

/*
 * As with ARP: not its own addresses, and none but the router's while it looks whether one is free
 * for it.
 */
static bool is_reached(const struct packet *packet, const struct nd *nd)
{
    struct hop hop;

    if (router_is_local(packet->router, packet->vif, &nd->target))
        return true;
    if (ip6_is_unspecified(&nd->src) || !ip6_is_host(&nd->target) || ip6_is_link_local(&nd->target))
        return false;
    return router_hop_find(packet->router, &nd->target, packet->vif->index, &hop) &&
           hop.vif != packet->vif;
}

static void input_from_vif(const struct packet *packet, const struct nd *nd)
{
    uint8_t owner = route_find(packet->router->index, &nd->src);

    if (!ip6_is_unspecified(&nd->src) &&
        (router_is_local(packet->router, packet->vif, &nd->src) ||
         (!ip6_is_link_local(&nd->src) && owner != packet->vif->index)))
        packet->router->stats.spoofed++;
    else if (nd->type == ND_SOLICIT && is_reached(packet, nd))
        answer(packet, nd);
}

bool router_nd_input(const struct packet *packet)
{
    const uint8_t *type = frame_l4_at(packet->frame);
    struct nd nd;
    int err;

    if (frame_l4(packet->frame) != RTE_PTYPE_L4_ICMP || *type < ND_ROUTER_SOLICIT ||
        *type > ND_REDIRECT)
        return false;
    packet->router->stats.nd_in++;
    err = nd_read(packet->frame, &nd);
    if (err == -EINVAL)
        packet->router->stats.bad++;
    else if (err == 0 && packet->vif)
        input_from_vif(packet, &nd);
    else if (err == 0)
        input_from_bridge(packet, &nd);
    return true;
}
