/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include "net/bridge.h"
#include "net/frame.h"

void router_enter(struct router *router)
{
    router->depth++;
}

void router_leave(struct router *router)
{
    if (--router->depth == 0)
        router_flush(router);
}

void router_flush(struct router *router)
{
    struct rte_mbuf *frames[ROUTER_QUEUE];
    uint16_t nr = router->nr_queued;

    memcpy(frames, router->queue, nr * sizeof(frames[0]));
    router->nr_queued = 0;
    for (uint16_t i = 0; i < nr; i++)
        router->port.stats.rx_bytes += frames[i]->pkt_len;
    router->port.stats.rx_frames += nr;
    if (nr > 0)
        bridge_input(&router->port, frames, nr, router_host.now);
}

/* Frames have no tags here: the port's VLAN has none, and a guest has no VLANs. */
static void input_one(struct packet *packet)
{
    frame_parse(packet->frame);
    if (packet->frame->packet_type == 0 || frame_is_tagged(packet->frame))
        router_drop(packet->frame, &packet->router->stats.other);
    else if (frame_is_bad_ip(packet->frame))
        router_drop(packet->frame, &packet->router->stats.bad);
    else if (frame_is_ipv4(packet->frame))
        router_ipv4_input(packet);
    else if (frame_is_ipv6(packet->frame))
        router_ipv6_input(packet);
    else if (frame_ethertype(packet->frame) == RTE_ETHER_TYPE_ARP)
        router_arp_input(packet);
    else
        router_drop(packet->frame, &packet->router->stats.other);
}

/* For the router, or for a group. A frame shorter than a header is for nobody. */
static bool is_for(const struct rte_mbuf *frame, const struct rte_ether_addr *mac)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

    return frame->data_len >= sizeof(*ether) && (rte_is_same_ether_addr(&ether->dst_addr, mac) ||
                                                 rte_is_multicast_ether_addr(&ether->dst_addr));
}

/* What the bridge has for the router. What the router has for the bridge follows by flush. */
static void tx_burst(struct port *port, struct rte_mbuf **burst, uint16_t nr)
{
    struct router *router = (struct router *)port;
    struct rte_mbuf *frames[PORT_BURST];

    memcpy(frames, burst,
           nr * sizeof(frames[0])); /* the port's own array may be filled meanwhile */
    router->depth++;
    for (uint16_t i = 0; i < nr; i++) {
        struct packet packet = { .router = router, .frame = frames[i], .guest = ROUTE_NONE };

        port->stats.tx_frames++;
        port->stats.tx_bytes += frames[i]->pkt_len;
        if (is_for(frames[i], &port->mac))
            input_one(&packet);
        else
            router_drop(frames[i], &router->stats.other);
    }
    router->depth--;
}

static void flush(struct port *port)
{
    router_flush((struct router *)port);
}

const struct port_ops router_port_ops = { .tx_burst = tx_burst, .flush = flush };

static bool is_from(const struct rte_mbuf *frame, const struct rte_ether_addr *mac)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

    return rte_is_same_ether_addr(&ether->src_addr, mac);
}

/* One frame from a guest, whose vif may have gone away with the one before. */
static void vif_input(struct port *port, struct rte_mbuf *frame)
{
    struct router_vif *vif = port->router;
    struct packet packet = { .vif = vif, .frame = frame, .guest = ROUTE_NONE };

    if (!vif) {
        router_drop(frame, &port->stats.rx_errors);
        return;
    }
    packet.router = vif->router;
    if (!is_for(frame, &ROUTER_GUEST_MAC))
        router_drop(frame, &vif->router->stats.other);
    else if (!is_from(frame, &vif->config.guest_mac))
        router_drop(frame, &vif->router->stats.spoofed);
    else
        input_one(&packet);
}

void router_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now)
{
    struct router *router = port->router ? port->router->router : NULL;

    router_host.now = now;
    if (router)
        router_enter(router);
    for (uint16_t i = 0; i < nr; i++)
        vif_input(port, frames[i]);
    if (router)
        router_leave(router);
}
