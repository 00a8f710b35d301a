/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <rte_ip.h>
#include <rte_ip_frag.h>

#include "net/bridge.h"
#include "net/checksum.h"
#include "net/egress.h"
#include "net/frame.h"

/* A packet of 64 KB in pieces for an MTU of 1280; smaller MTUs have no longer packets cut. */
#define PIECES_MAX 56

void router_drop(struct rte_mbuf *frame, uint64_t *counter)
{
    (*counter)++;
    rte_pktmbuf_free(frame);
}

struct rte_mbuf *router_own(struct router *router, struct rte_mbuf *frame)
{
    uint32_t end = frame_packet_end(frame);

    if (rte_mbuf_refcnt_read(frame) > 1 || !RTE_MBUF_DIRECT(frame)) {
        struct rte_mbuf *copy = rte_pktmbuf_copy(frame, router_host.pool, 0, end);

        if (!copy) {
            router_drop(frame, &router->stats.no_memory);
            return NULL;
        }
        rte_pktmbuf_free(frame);
        return copy;
    }
    if (frame->pkt_len > end)
        frame_trim(frame);
    return frame;
}

uint32_t router_packet_size(const struct rte_mbuf *frame)
{
    if (frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
        return (uint32_t)frame->l3_len + frame->l4_len + frame->tso_segsz;
    return frame->pkt_len - frame->l2_len;
}

uint16_t router_hop_mtu(const struct router *router, const struct hop *hop)
{
    return hop->vif && hop->vif->router ? hop->vif->port->mtu : router->port.mtu;
}

static bool is_on_link(const struct router *router, const struct address *dst)
{
    const struct router_addresses *own = &router->addresses;

    if (address_is4(dst))
        return own->has_ip4 && address_is_in(dst, &router->ip4, ADDRESS_LEN4 + own->len4);
    return ip6_is_link_local(dst) || (own->has_ip6 && address_is_in(dst, &router->ip6, own->len6));
}

bool router_hop_find(struct router *router, const struct address *dst, uint8_t owner,
                     struct hop *hop_r)
{
    const struct router_addresses *own = &router->addresses;
    const struct address *gateway = address_is4(dst) ? &router->gateway4 : &router->gateway6;
    bool has_gateway = address_is4(dst) ? own->has_ip4 && own->gateway4 : own->has_gateway6;
    uint8_t guest = route_find(router->index, dst);

    *hop_r = (struct hop){ .owner = owner };
    if (guest < ROUTER_VIFS_MAX) {
        hop_r->vif = &router_host.vifs[guest];
        return true;
    }
    if (guest == ROUTE_LOCAL || !(is_on_link(router, dst) || has_gateway))
        return false;
    hop_r->next = is_on_link(router, dst) ? *dst : *gateway;
    hop_r->is_gateway = has_gateway && address_is_same(&hop_r->next, gateway);
    return true;
}

static void ethernet_put(struct rte_mbuf *frame, const struct rte_ether_addr *to,
                         const struct rte_ether_addr *from)
{
    struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, struct rte_ether_hdr *);

    ether->dst_addr = *to;
    ether->src_addr = *from;
}

void router_to_bridge(struct router *router, struct rte_mbuf *frame,
                      const struct rte_ether_addr *to)
{
    ethernet_put(frame, to, &router->port.mac);
    router->queue[router->nr_queued++] = frame;
    if (router->nr_queued == ROUTER_QUEUE)
        router_flush(router);
}

void router_to_vif(struct router_vif *vif, struct rte_mbuf *frame)
{
    if (!vif->router) { /* sending to it may have closed it */
        rte_pktmbuf_free(frame);
        return;
    }
    ethernet_put(frame, &vif->config.guest_mac, &ROUTER_GUEST_MAC);
    egress_put(vif->port, frame);
}

static void transmit_one(struct router *router, const struct hop *hop, struct rte_mbuf *frame)
{
    if (hop->vif)
        router_to_vif(hop->vif, frame);
    else
        neighbour_output(&router->neighbours, hop->owner, hop->is_gateway, &hop->next, frame,
                         router_host.now);
}

/*
 * Puts the Ethernet header back that the library does not know, and finishes the IPv4 header.
 * Returns the piece as a frame of its own, in one buffer as far as one holds it, so that its
 * headers lie together; NULL: no memory. The piece is gone in either case.
 */
static struct rte_mbuf *piece_finish(struct rte_mbuf *piece, const struct rte_ether_hdr *ether)
{
    struct rte_mbuf *frame = NULL;
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(piece, struct rte_ipv4_hdr *);
    void *at = rte_pktmbuf_prepend(piece, sizeof(*ether));

    if (at) {
        memcpy(at, ether, sizeof(*ether));
        ip->hdr_checksum = 0;
        ip->hdr_checksum = rte_ipv4_cksum(ip);
        piece->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;
        frame = rte_pktmbuf_copy(piece, router_host.pool, 0, UINT32_MAX);
    }
    rte_pktmbuf_free(piece);
    if (!frame)
        return NULL;
    frame_forget(frame);
    (void)frame_parse(frame);
    return frame;
}

/* Cut a packet, which is ours. */
static void transmit_cut(struct router *router, const struct hop *hop, struct rte_mbuf *frame)
{
    struct rte_mbuf *pieces[PIECES_MAX];
    struct rte_ether_hdr ether;
    int nr = -1;

    memcpy(&ether, rte_pktmbuf_mtod(frame, const void *), sizeof(ether));
    if (!checksum_is_unfinished(frame) || checksum_finish(frame) == 0) {
        rte_pktmbuf_adj(frame, frame->l2_len);
        nr = rte_ipv4_fragment_packet(frame, pieces, PIECES_MAX, router_hop_mtu(router, hop),
                                      router_host.pool, router_host.pool);
    }
    if (nr <= 0) {
        router_drop(frame, nr == -ENOMEM ? &router->stats.no_memory : &router->stats.too_big);
        return;
    }
    rte_pktmbuf_free(frame);
    router->stats.fragmented++;
    for (int i = 0; i < nr; i++) {
        struct rte_mbuf *piece = piece_finish(pieces[i], &ether);

        if (piece)
            transmit_one(router, hop, piece);
        else
            router->stats.no_memory++;
    }
}

/* A frame for several is not cut in fragments, it is cut in shorter segments. */
static bool segments_shorten(struct rte_mbuf *frame, uint16_t mtu)
{
    uint32_t headers = (uint32_t)frame->l3_len + frame->l4_len;

    if (headers >= mtu)
        return false;
    frame->tso_segsz = mtu - headers;
    return true;
}

void router_transmit(struct router *router, const struct hop *hop, struct rte_mbuf *frame)
{
    uint16_t mtu = router_hop_mtu(router, hop);

    if (router_packet_size(frame) <= mtu || !frame_is_ipv4(frame))
        transmit_one(router, hop, frame);
    else if (!(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
        transmit_cut(router, hop, frame);
    else if (segments_shorten(frame, mtu))
        transmit_one(router, hop, frame);
    else
        router_drop(frame, &router->stats.too_big);
}

static struct address destination_of(const struct rte_mbuf *frame)
{
    const struct rte_ipv4_hdr *ip4 = frame_l3_at(frame);
    const struct rte_ipv6_hdr *ip6 = frame_l3_at(frame);

    return frame_is_ipv4(frame) ? address_of4(ip4->dst_addr) : address_of6(ip6->dst_addr);
}

void router_emit(struct router *router, struct router_vif *vif, struct rte_mbuf *frame)
{
    struct hop hop = { .vif = vif, .owner = NEIGHBOUR_ROUTER };
    struct address dst;

    frame_parse(frame);
    dst = destination_of(frame);
    if (vif || router_hop_find(router, &dst, NEIGHBOUR_ROUTER, &hop))
        router_transmit(router, &hop, frame);
    else
        router_drop(frame, &router->stats.no_route);
}
