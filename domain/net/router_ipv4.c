/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "net/frame.h"

#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define BROADCAST RTE_BE32(0xffffffff)

#define OPTION_COPIED 0x80
#define OPTION_LSRR (OPTION_COPIED | 3)
#define OPTION_SSRR (OPTION_COPIED | 9)

/* With a prefix length of 31 or 32 no address is set aside (RFC 3021). */
bool router_is_broadcast(const struct router *router, rte_be32_t addr)
{
    uint8_t len = router->addresses.len4;
    struct address last = address_last(&router->ip4, ADDRESS_LEN4 + len);
    struct address first = address_first(&router->ip4, ADDRESS_LEN4 + len);

    if (addr == BROADCAST)
        return true;
    return router->addresses.has_ip4 && len <= 30 &&
           (addr == address_to4(&last) || addr == address_to4(&first));
}

rte_be32_t router_ip4_toward(const struct router *router, const struct router_vif *vif)
{
    if (vif && vif->config.router_ip4)
        return vif->config.router_ip4;
    return router->addresses.ip4; /* 0 while there is none */
}

/* The destination port of UDP; 0 for all else. */
static uint16_t udp_port_to(const struct rte_mbuf *frame)
{
    const struct rte_udp_hdr *udp = frame_l4_at(frame);

    return frame_l4(frame) == RTE_PTYPE_L4_UDP ? rte_be_to_cpu_16(udp->dst_port) : 0;
}

/* A source route, or options that cannot be told. RFC 1122, 3.2.1.8. */
static bool has_source_route(const struct rte_ipv4_hdr *ip, uint32_t len)
{
    const uint8_t *options = (const uint8_t *)(ip + 1);
    uint32_t left = len - sizeof(*ip);

    while (left > 0 && options[0] != RTE_IPV4_HDR_OPT_EOL) {
        uint32_t size = options[0] == RTE_IPV4_HDR_OPT_NOP ? 1 : left > 1 ? options[1] : 0;

        if (size == 0 || size > left || (size == 1 && options[0] != RTE_IPV4_HDR_OPT_NOP) ||
            options[0] == OPTION_LSRR || options[0] == OPTION_SSRR)
            return true;
        options += size;
        left -= size;
    }
    return false;
}

/* A guest that has no address yet asks for one (RFC 2131, 4.1). */
static bool is_dhcp_request(const struct packet *packet, const struct rte_ipv4_hdr *ip)
{
    return packet->vif && ip->src_addr == 0 && ip->dst_addr == BROADCAST &&
           udp_port_to(packet->frame) == DHCP_SERVER;
}

/*
 * While the router has no address it takes a DHCP server's answers to whatever address it is
 * offered.
 */
static bool is_dhcp_answer(const struct packet *packet)
{
    return !packet->vif && !packet->router->addresses.has_ip4 &&
           udp_port_to(packet->frame) == DHCP_CLIENT;
}

/* A guest has its own addresses, the wire has none of the router's and its guests'. */
static bool is_spoofed(const struct packet *packet, const struct rte_ipv4_hdr *ip)
{
    struct address src = address_of4(ip->src_addr);
    uint8_t owner = route_find(packet->router->index, &src);

    if (packet->vif)
        return owner != packet->vif->index;
    return owner != ROUTE_NONE ||
           (packet->router->addresses.has_ip4 && ip->src_addr == packet->router->addresses.ip4);
}

static bool is_group(const struct router *router, rte_be32_t addr)
{
    return ip4_is_multicast(addr) || router_is_broadcast(router, addr);
}

/* To a group: nobody's here unless it is a broadcast to a port with a handler. */
static bool is_unheard(const struct packet *packet, rte_be32_t dst)
{
    return ip4_is_multicast(dst) || (router_is_broadcast(packet->router, dst) &&
                                     !router_udp_is_heard(packet->vif, packet->frame));
}

/* Why a packet is not taken: the counter of the reason, or NULL. RFC 1812, 5.2.2 and 5.3. */
static uint64_t *fault_of(const struct packet *packet, const struct rte_ipv4_hdr *ip)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet->frame, const void *);
    struct router_stats *stats = &packet->router->stats;

    if (rte_raw_cksum(ip, packet->frame->l3_len) != 0xffff)
        return &stats->bad;
    if (has_source_route(ip, packet->frame->l3_len))
        return &stats->source_routed;
    if (is_dhcp_request(packet, ip))
        return NULL;
    if (!ip4_is_host(ip->src_addr) || router_is_broadcast(packet->router, ip->src_addr))
        return &stats->martian;
    if (is_spoofed(packet, ip))
        return &stats->spoofed;
    if (is_group(packet->router, ip->dst_addr))
        return is_unheard(packet, ip->dst_addr) ? &stats->group : NULL;
    if (!ip4_is_host(ip->dst_addr))
        return &stats->martian;
    return rte_is_unicast_ether_addr(&ether->dst_addr) ? NULL : &stats->group;
}

bool router_is_local(const struct router *router, const struct router_vif *vif,
                     const struct address *addr)
{
    struct address link_local = vif ? ip6_link_local(&ROUTER_GUEST_MAC) : router->link_local;

    if (address_is4(addr))
        return (router->addresses.has_ip4 && address_is_same(addr, &router->ip4)) ||
               route_find(router->index, addr) == ROUTE_LOCAL;
    return (router->addresses.has_ip6 && address_is_same(addr, &router->ip6)) ||
           address_is_same(addr, &link_local);
}

/* To the router's address in its bridge: what translation knows is for a guest. */
static bool is_to_outside(const struct packet *packet, rte_be32_t dst)
{
    return packet->router->addresses.has_ip4 && dst == packet->router->addresses.ip4;
}

/*
 * From the wire, or from a guest that is translated: a port forward may lead to a guest. For routed guests
 * there are none: among guests of one router nothing is translated, the answer would not be either.
 */
static void input_to_outside(struct packet *packet)
{
    struct batch batch = { .nr = 1, .frames = { packet->frame } };
    uint8_t guest = ROUTE_NONE;
    bool is_local = true;

    if (!packet->vif)
        router_nat_in(packet, &batch, &guest, &is_local);
    else if (packet->vif->config.nat)
        router_nat_out(packet, &batch, &guest, &is_local);
    for (unsigned int i = 0; i < batch.nr; i++) {
        packet->frame = batch.frames[i];
        if (is_local)
            router_local_input(packet, false);
        else
            router_forward_to_guest(packet, guest);
    }
}

/* A packet that is ours and has passed the filter of its vif. */
static void input_unicast(struct packet *packet)
{
    const struct rte_ipv4_hdr *ip = frame_l3_at(packet->frame);
    struct address dst = address_of4(ip->dst_addr);

    if (is_to_outside(packet, ip->dst_addr))
        input_to_outside(packet);
    else if (router_is_local(packet->router, packet->vif, &dst) || is_dhcp_answer(packet))
        router_local_input(packet, false);
    else
        router_forward(packet);
}

void router_ipv4_input(struct packet *packet)
{
    const struct rte_ipv4_hdr *ip = frame_l3_at(packet->frame);
    uint64_t *fault = fault_of(packet, ip);
    struct batch batch;

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
        ip = frame_l3_at(packet->frame);
        if (is_group(packet->router, ip->dst_addr))
            router_local_input(packet, true);
        else
            input_unicast(packet);
    }
}
