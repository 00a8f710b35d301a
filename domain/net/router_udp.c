/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "net/checksum.h"
#include "net/frame.h"

#define HANDLERS_MAX 8
#define TTL 64
#define DNS_PORT 53
#define DHCP_PORT 67
#define BROADCAST RTE_BE32(0xffffffff)
#define HEADERS (RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr))

static struct udp_handler {
    uint16_t first, last;
    void (*handler)(const struct router_udp *udp);
} handlers[HANDLERS_MAX];

void router_udp_reset(void)
{
    memset(handlers, 0, sizeof(handlers));
}

/* The handler of exactly these ports, or a free one (first 0, last 0); NULL: there is neither. */
static struct udp_handler *slot_of(uint16_t first, uint16_t last)
{
    for (unsigned int i = 0; i < HANDLERS_MAX; i++)
        if (handlers[i].handler && handlers[i].first == first && handlers[i].last == last)
            return &handlers[i];
    for (unsigned int i = 0; i < HANDLERS_MAX; i++)
        if (!handlers[i].handler)
            return &handlers[i];
    return NULL;
}

int router_udp_handler_range_set(uint16_t first, uint16_t last,
                                 void (*handler)(const struct router_udp *udp))
{
    struct udp_handler *slot = slot_of(first, last);

    if (!slot)
        return handler ? -ENOSPC : 0;
    *slot = (struct udp_handler){ first, last, handler };
    return 0;
}

int router_udp_handler_set(uint16_t port, void (*handler)(const struct router_udp *udp))
{
    return router_udp_handler_range_set(port, port, handler);
}

/* The one with the fewest ports, if there is any for this port. */
static const struct udp_handler *handler_of(const struct router_vif *vif, uint16_t port)
{
    const struct udp_handler *best = NULL;

    if ((port == DNS_PORT && !(vif && vif->config.serve_dns)) ||
        (port == DHCP_PORT && !(vif && vif->config.serve_dhcp)))
        return NULL;
    for (unsigned int i = 0; i < HANDLERS_MAX; i++) {
        const struct udp_handler *h = &handlers[i];

        if (h->handler && port >= h->first && port <= h->last &&
            (!best || h->last - h->first < best->last - best->first))
            best = h;
    }
    return best;
}

bool router_udp_is_heard(const struct router_vif *vif, const struct rte_mbuf *frame)
{
    const struct rte_udp_hdr *udp = frame_l4_at(frame);

    return frame_l4(frame) == RTE_PTYPE_L4_UDP &&
           handler_of(vif, rte_be_to_cpu_16(udp->dst_port)) != NULL;
}

/* A checksum that another port has verified, or that never left this machine, needs no look. */
static bool checksum_is_right(const struct rte_mbuf *frame, const struct rte_ipv4_hdr *ip,
                              const struct rte_udp_hdr *udp)
{
    struct rte_ipv4_hdr pseudo = *ip;
    uint32_t sum;

    if (udp->dgram_cksum == 0 || checksum_is_unfinished(frame) ||
        (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        return true;
    sum = (uint32_t)rte_ipv4_phdr_cksum(&pseudo, 0) +
          checksum_sum_from(frame, frame->l2_len + frame->l3_len);
    return __rte_raw_cksum_reduce(sum) == 0xffff;
}

/* The frame ends with its packet (router_own()). */
static bool is_whole(const struct rte_mbuf *frame, const struct rte_udp_hdr *udp)
{
    uint32_t len = frame->pkt_len - frame->l2_len - frame->l3_len;

    return rte_be_to_cpu_16(udp->dgram_len) == len && len <= sizeof(*udp) + ROUTER_UDP_MAX;
}

bool router_udp_input(const struct packet *packet)
{
    static uint8_t linear[ROUTER_UDP_MAX];
    struct rte_mbuf *frame = packet->frame;
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const void *);
    const struct rte_ipv4_hdr *ip = frame_l3_at(frame);
    const struct rte_udp_hdr *udp = frame_l4_at(frame);
    const struct udp_handler *handler = handler_of(packet->vif, rte_be_to_cpu_16(udp->dst_port));
    uint32_t at = frame->l2_len + frame->l3_len + sizeof(*udp);
    struct router_udp given = { .router = packet->router,
                                .vif = packet->vif ? packet->vif->port : NULL,
                                .sport = rte_be_to_cpu_16(udp->src_port),
                                .dport = rte_be_to_cpu_16(udp->dst_port),
                                .src_mac = ether->src_addr,
                                .len = frame->pkt_len - at,
                                .now = router_host.now };

    if (!handler || !frame_is_ipv4(frame))
        return false;
    if (!is_whole(frame, udp) || !checksum_is_right(frame, ip, udp)) {
        packet->router->stats.bad++;
        return true;
    }
    given.src = ip->src_addr;
    given.dst = ip->dst_addr;
    given.payload = rte_pktmbuf_read(frame, at, given.len, linear);
    handler->handler(&given);
    return true;
}

/* Put the headers in front of a payload that is there. */
static void headers_put(uint8_t *bytes, rte_be32_t src, uint16_t sport, rte_be32_t dst,
                        uint16_t dport, uint16_t len)
{
    struct rte_ether_hdr ether = { .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4) };
    struct rte_ipv4_hdr ip = { .version_ihl = RTE_IPV4_VHL_DEF,
                               .total_length = rte_cpu_to_be_16(len + HEADERS - RTE_ETHER_HDR_LEN),
                               .fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
                               .time_to_live = TTL,
                               .next_proto_id = IPPROTO_UDP,
                               .src_addr = src,
                               .dst_addr = dst };
    struct rte_udp_hdr udp = { .src_port = rte_cpu_to_be_16(sport),
                               .dst_port = rte_cpu_to_be_16(dport),
                               .dgram_len = rte_cpu_to_be_16(len + sizeof(udp)) };

    ip.hdr_checksum = rte_ipv4_cksum(&ip);
    memcpy(bytes, &ether, sizeof(ether));
    memcpy(bytes + sizeof(ether), &ip, sizeof(ip));
    memcpy(bytes + sizeof(ether) + sizeof(ip), &udp, sizeof(udp));
    udp.dgram_cksum = rte_ipv4_udptcp_cksum(&ip, bytes + sizeof(ether) + sizeof(ip));
    memcpy(bytes + sizeof(ether) + sizeof(ip), &udp, sizeof(udp));
}

/* Where it goes: a MAC in the bridge, or by way of a hop. */
static int packet_send(struct router *router, struct port *vif, rte_be32_t dst,
                       const struct rte_ether_addr *to_mac, struct rte_mbuf *frame)
{
    static const struct rte_ether_addr everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
    struct address addr = address_of4(dst);
    struct hop hop;

    if (vif)
        router_emit(router, vif->router, frame);
    else if (to_mac || router_is_broadcast(router, dst))
        router_to_bridge(router, frame, to_mac ? to_mac : &everybody);
    else if (router_hop_find(router, &addr, NEIGHBOUR_ROUTER, &hop))
        router_emit(router, NULL, frame);
    else
        return -ENETUNREACH;
    return 0;
}

int router_udp_send(struct router *router, struct port *vif, rte_be32_t src, uint16_t sport,
                    rte_be32_t dst, uint16_t dport, const void *payload, uint16_t len,
                    const struct rte_ether_addr *to_mac, uint64_t now)
{
    uint16_t mtu = vif ? vif->mtu : router->port.mtu;
    struct rte_mbuf *frame;
    uint8_t *bytes;
    int err;

    if (len > ROUTER_UDP_MAX || len + HEADERS - RTE_ETHER_HDR_LEN > mtu)
        return -EMSGSIZE;
    if (vif && (!vif->router || vif->router->router != router))
        return -ENETUNREACH;
    frame = rte_pktmbuf_alloc(router_host.pool);
    if (!frame)
        return -ENOMEM;
    bytes = (uint8_t *)rte_pktmbuf_append(frame, HEADERS + len);
    if (!bytes) {
        rte_pktmbuf_free(frame);
        return -EMSGSIZE;
    }
    memcpy(bytes + HEADERS, payload, len);
    headers_put(bytes, src, sport, dst, dport, len);
    frame_parse(frame);
    router_host.now = now;
    router_enter(router);
    err = packet_send(router, vif, dst, to_mac, frame);
    router_leave(router);
    if (err)
        rte_pktmbuf_free(frame);
    return err;
}
