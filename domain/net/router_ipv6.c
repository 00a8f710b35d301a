/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <netinet/in.h>

#include <rte_ip.h>

#include "net/frame.h"

#define EXTENSION_UNIT 8

/*
 * A routing header of type 0 with addresses still to go to (RFC 5095). The frame's extension
 * headers are whole, and l3_len long with the IPv6 header.
 */
static bool has_source_route(const struct rte_mbuf *frame)
{
    const struct rte_ipv6_hdr *ip = frame_l3_at(frame);
    const uint8_t *bytes = (const uint8_t *)ip;
    uint8_t next = ip->proto;

    for (uint32_t at = sizeof(*ip); at + EXTENSION_UNIT <= frame->l3_len;) {
        if (next == IPPROTO_ROUTING && bytes[at + 2] == 0 && bytes[at + 3] != 0)
            return true;
        next = bytes[at];
        at += (bytes[at + 1] + 1u) * EXTENSION_UNIT;
    }
    return false;
}

/* Link-local addresses are everybody's; others are not the wire's if they are here. */
static bool is_spoofed(const struct packet *packet, const struct address *src)
{
    uint8_t owner = route_find(packet->router->index, src);

    if (router_is_local(packet->router, packet->vif, src))
        return true;
    if (ip6_is_link_local(src))
        return false;
    return packet->vif ? owner != packet->vif->index : owner != ROUTE_NONE;
}

/* Why a packet is not taken: the counter of the reason, or NULL. */
static uint64_t *fault_of(const struct packet *packet, const struct address *src,
                          const struct address *dst)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet->frame, const void *);
    struct router_stats *stats = &packet->router->stats;

    if (frame_l4(packet->frame) == 0)
        return &stats->bad;
    if (!ip6_is_host(src))
        return &stats->martian;
    if (is_spoofed(packet, src))
        return &stats->spoofed;
    if (has_source_route(packet->frame))
        return &stats->source_routed;
    if (ip6_is_multicast(dst) || !rte_is_unicast_ether_addr(&ether->dst_addr))
        return &stats->group;
    return ip6_is_host(dst) ? NULL : &stats->martian;
}

/*
 * A packet that is ours and has passed the filter of its vif. RFC 4291, 2.5.6: link-local ones
 * stay.
 */
static void input_unicast(struct packet *packet)
{
    const struct rte_ipv6_hdr *ip = frame_l3_at(packet->frame);
    struct address src = address_of6(ip->src_addr), dst = address_of6(ip->dst_addr);

    if (router_is_local(packet->router, packet->vif, &dst)) {
        router_local_input(packet, false);
    } else if (ip6_is_link_local(&src) || ip6_is_link_local(&dst)) {
        if (!ip6_is_link_local(&dst))
            router_error(packet, ROUTER_SCOPE, 0);
        router_drop(packet->frame, &packet->router->stats.no_route);
    } else {
        router_forward(packet);
    }
}

void router_ipv6_input(struct packet *packet)
{
    const struct rte_ipv6_hdr *ip = frame_l3_at(packet->frame);
    struct address src = address_of6(ip->src_addr), dst = address_of6(ip->dst_addr);
    struct batch batch;
    uint64_t *fault;

    if (router_nd_input(packet)) {
        rte_pktmbuf_free(packet->frame);
        return;
    }
    fault = fault_of(packet, &src, &dst);
    if (fault) {
        router_drop(packet->frame, fault);
        return;
    }
    packet->frame = router_own(packet->router, packet->frame);
    if (!packet->frame)
        return;
    router_filter_in(packet, &batch);
    for (unsigned int i = 0; i < batch.nr; i++) {
        packet->frame = batch.frames[i];
        input_unicast(packet);
    }
}
