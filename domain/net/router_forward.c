/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <rte_ip.h>

#include "net/frame.h"

#define IPV6_MTU_MIN 1280

static bool is_last_hop(const struct rte_mbuf *frame)
{
    const struct rte_ipv4_hdr *ip4 = frame_l3_at(frame);
    const struct rte_ipv6_hdr *ip6 = frame_l3_at(frame);

    return frame_is_ipv4(frame) ? ip4->time_to_live <= 1 : ip6->hop_limits <= 1;
}

/* One hop less. RFC 1624, equation 3, for the IPv4 header's checksum. */
static void hop_take(struct rte_mbuf *frame)
{
    struct rte_ipv4_hdr *ip4 = frame_l3_at(frame);
    struct rte_ipv6_hdr *ip6 = frame_l3_at(frame);
    uint32_t sum;

    if (frame_is_ipv6(frame)) {
        ip6->hop_limits--;
        return;
    }
    /* The word with the TTL becomes less by 0x0100: its complement more. */
    sum = (uint32_t)rte_be_to_cpu_16(ip4->hdr_checksum) + 0x0100;
    ip4->hdr_checksum = rte_cpu_to_be_16((uint16_t)(sum + (sum >> 16)));
    ip4->time_to_live--;
}

/* Only an IPv4 packet without DF may be cut. */
static bool may_be_cut(const struct rte_mbuf *frame)
{
    const struct rte_ipv4_hdr *ip = frame_l3_at(frame);

    return frame_is_ipv4(frame) && !(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG));
}

/*
 * Does it get there, by its hop limit and its length? If so it has a hop less; if not it is
 * dropped.
 */
static bool is_fit(struct packet *packet, const struct hop *hop)
{
    struct router_stats *stats = &packet->router->stats;
    uint32_t mtu = router_hop_mtu(packet->router, hop);

    if (frame_is_ipv6(packet->frame) && mtu < IPV6_MTU_MIN) {
        router_drop(packet->frame, &stats->no_route);
        return false;
    }
    if (is_last_hop(packet->frame)) {
        router_error(packet, ROUTER_TTL, 0);
        router_drop(packet->frame, &stats->ttl);
        return false;
    }
    if (router_packet_size(packet->frame) > mtu && !may_be_cut(packet->frame)) {
        router_error(packet, ROUTER_TOO_BIG, mtu);
        router_drop(packet->frame, &stats->too_big);
        return false;
    }
    hop_take(packet->frame);
    return true;
}

static void count_forwarded(struct router *router, const struct rte_mbuf *frame)
{
    if (frame_is_ipv4(frame))
        router->stats.forwarded4++;
    else
        router->stats.forwarded6++;
}

/* By way of the vif's filter, or of translation, or directly. */
static void leave(struct packet *packet, const struct hop *hop)
{
    struct batch batch = { .nr = 1, .frames = { packet->frame } };
    uint8_t guest = ROUTE_NONE;
    bool is_local = false;

    if (hop->vif)
        router_filter_out(hop->vif, packet, &batch);
    else if (frame_is_ipv4(packet->frame) && packet->vif && packet->vif->config.nat)
        router_nat_out(packet, &batch, &guest, &is_local);
    for (unsigned int i = 0; i < batch.nr; i++) {
        count_forwarded(packet->router, batch.frames[i]);
        router_transmit(packet->router, hop, batch.frames[i]);
    }
}

/* What the wire may not send: on to the wire, or to a guest that nobody there knows of. */
static bool is_transit(const struct packet *packet, const struct hop *hop)
{
    return !packet->vif && (!hop->vif || (hop->vif->config.nat && frame_is_ipv4(packet->frame)));
}

static bool is_isolated(const struct packet *packet, const struct hop *hop)
{
    return packet->vif && hop->vif && packet->vif->port->isolated && hop->vif->port->isolated;
}

static struct address destination_of(const struct rte_mbuf *frame)
{
    const struct rte_ipv4_hdr *ip4 = frame_l3_at(frame);
    const struct rte_ipv6_hdr *ip6 = frame_l3_at(frame);

    return frame_is_ipv4(frame) ? address_of4(ip4->dst_addr) : address_of6(ip6->dst_addr);
}

void router_forward(struct packet *packet)
{
    struct router_stats *stats = &packet->router->stats;
    struct address dst = destination_of(packet->frame);
    uint8_t owner = packet->vif ? packet->vif->index : NEIGHBOUR_ROUTER;
    struct hop hop;

    if (address_is4(&dst) && ip4_is_link_local(address_to4(&dst))) { /* RFC 3927, 7 */
        router_drop(packet->frame, &stats->martian);
    } else if (!router_hop_find(packet->router, &dst, owner, &hop)) {
        if (packet->vif)
            router_error(packet, ROUTER_NO_ROUTE, 0);
        router_drop(packet->frame, packet->vif ? &stats->no_route : &stats->transit);
    } else if (is_transit(packet, &hop)) {
        router_drop(packet->frame, &stats->transit);
    } else if (packet->vif && hop.vif == packet->vif) { /* what it has not got itself is nowhere */
        router_drop(packet->frame, &stats->no_route);
    } else if (is_isolated(packet, &hop)) {
        router_drop(packet->frame, &stats->isolated);
    } else if (is_fit(packet, &hop)) {
        leave(packet, &hop);
    }
}

void router_forward_to_guest(struct packet *packet, uint8_t guest)
{
    struct hop hop = { .vif = &router_host.vifs[guest] };

    if (hop.vif->router != packet->router) {
        router_drop(packet->frame, &packet->router->stats.nat_drops);
        return;
    }
    if (is_isolated(packet, &hop)) {
        router_drop(packet->frame, &packet->router->stats.isolated);
        return;
    }
    packet->guest = guest;
    if (is_fit(packet, &hop))
        leave(packet, &hop);
}
