/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <netinet/in.h>

#include <rte_ip.h>

#include "net/frame.h"
#include "net/icmp.h"
#include "net/nat.h"

/* How many a second, and how many at once. */
#define MS 1000000ull
#define ERRORS_GUEST_NS (50 * MS)
#define ERRORS_GUEST_BURST 20
#define ERRORS_BRIDGE_NS (10 * MS)
#define ERRORS_BRIDGE_BURST 50
#define ERRORS_ALL_NS (5 * MS)
#define ERRORS_ALL_BURST 100
#define ECHOES_NS (1 * MS)
#define ECHOES_BURST 128

#define IP6_NEXT_AT 6 /* where the IPv6 header names what follows */

static bool may_tell(struct router *router, struct router_vif *vif)
{
    bool may =
        vif ? rate_take(&vif->rates.errors, ERRORS_GUEST_NS, ERRORS_GUEST_BURST, router_host.now)
            : rate_take(&router->rates.errors, ERRORS_BRIDGE_NS, ERRORS_BRIDGE_BURST,
                        router_host.now);

    if (may && rate_take(&router_host.errors, ERRORS_ALL_NS, ERRORS_ALL_BURST, router_host.now))
        return true;
    router->stats.icmp_limited++;
    return false;
}

/* The vif whose guest sent a packet: the one it came through, or by its address. */
static struct router_vif *sender_of(const struct packet *packet, const struct address *src)
{
    uint8_t owner = packet->vif ? packet->vif->index : route_find(packet->router->index, src);

    return owner < ROUTER_VIFS_MAX ? &router_host.vifs[owner] : NULL;
}

/*
 * An error about a packet that was translated goes to where the packet came from by way of
 * translation, too: outside if it was on its way in, or to the guest; NAT_TURNED: from one guest to another.
 */
static enum nat_verdict translate(const struct packet *packet, struct rte_mbuf *made)
{
    const struct router_addresses *own = &packet->router->addresses;
    const struct rte_ipv4_hdr *ip;
    uint8_t guest;

    frame_parse(made);
    ip = frame_l3_at(made);
    if (packet->guest != ROUTE_NONE)
        return nat_out(packet->guest, made, router_host.now, &guest);
    if (own->has_ip4 && ip->dst_addr == own->ip4)
        return nat_in(packet->router->index, made, router_host.now, &guest);
    return NAT_OK;
}

static void error4_send(const struct packet *packet, struct router_vif *vif, struct rte_mbuf *made)
{
    enum nat_verdict verdict = translate(packet, made);

    if (verdict == NAT_OK || verdict == NAT_TURNED) {
        packet->router->stats.icmp_sent++;
        router_emit(packet->router, vif, made);
    } else if (verdict != NAT_HELD) {
        rte_pktmbuf_free(made);
    }
}

static void error4(const struct packet *packet, const struct icmp_error *error)
{
    const struct rte_ipv4_hdr *ip = frame_l3_at(packet->frame);
    struct address src = address_of4(ip->src_addr);
    struct router_vif *vif = sender_of(packet, &src);
    rte_be32_t from = router_ip4_toward(packet->router, vif);
    struct rte_mbuf *made;

    if (!icmp4_error_is_allowed(packet->frame) || from == 0 || !may_tell(packet->router, vif))
        return;
    made = icmp4_error_make(router_host.pool, packet->frame, from, error);
    if (made)
        error4_send(packet, vif, made);
}

/*
 * From the router's address there; a link-local one where there is no other, or to a link-local
 * one.
 */
static struct address ip6_toward(const struct router *router, const struct router_vif *vif,
                                 const struct address *dst)
{
    if (router->addresses.has_ip6 && !ip6_is_link_local(dst))
        return router->ip6;
    return vif ? ip6_link_local(&ROUTER_GUEST_MAC) : router->link_local;
}

static void error6(const struct packet *packet, const struct icmp_error *error)
{
    const struct rte_ipv6_hdr *ip = frame_l3_at(packet->frame);
    struct address src = address_of6(ip->src_addr);
    struct router_vif *vif = sender_of(packet, &src);
    struct address from = ip6_toward(packet->router, vif, &src);
    struct rte_mbuf *made;

    if (!icmp6_error_is_allowed(packet->frame, error->type == ICMP6_TOO_BIG) ||
        router_is_local(packet->router, vif, &src) || !may_tell(packet->router, vif))
        return;
    made = icmp6_error_make(router_host.pool, packet->frame, &from, error);
    if (!made)
        return;
    packet->router->stats.icmp_sent++;
    router_emit(packet->router, vif, made);
}

void router_error(const struct packet *packet, enum router_fault fault, uint32_t word)
{
    static const struct {
        struct icmp_error v4, v6;
    } errors[] = {
        [ROUTER_TTL] = { { ICMP_TIME_EXCEEDED, 0, 0 }, { ICMP6_TIME_EXCEEDED, 0, 0 } },
        [ROUTER_NO_ROUTE] = { { ICMP_UNREACHABLE, ICMP_UNREACHABLE_NET, 0 },
                              { ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_ROUTE, 0 } },
        [ROUTER_NO_HOST] = { { ICMP_UNREACHABLE, ICMP_UNREACHABLE_HOST, 0 },
                             { ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_ADDRESS, 0 } },
        [ROUTER_TOO_BIG] = { { ICMP_UNREACHABLE, ICMP_UNREACHABLE_NEEDS_CUT, 0 },
                             { ICMP6_TOO_BIG, 0, 0 } },
        [ROUTER_NO_PROTOCOL] = { { ICMP_UNREACHABLE, ICMP_UNREACHABLE_PROTOCOL, 0 },
                                 { ICMP6_PARAMETER, ICMP6_PARAMETER_NEXT, IP6_NEXT_AT } },
        [ROUTER_NO_PORT] = { { ICMP_UNREACHABLE, ICMP_UNREACHABLE_PORT, 0 },
                             { ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_PORT, 0 } },
        [ROUTER_SCOPE] = { { ICMP_UNREACHABLE, ICMP_UNREACHABLE_NET, 0 },
                           { ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_SCOPE, 0 } },
    };
    bool is_ipv4 = frame_is_ipv4(packet->frame);
    struct icmp_error error = is_ipv4 ? errors[fault].v4 : errors[fault].v6;

    if (word)
        error.word = word;
    if (is_ipv4)
        error4(packet, &error);
    else
        error6(packet, &error);
}

/* Behind extension headers it is another byte that names the protocol: then nothing is said. */
static void refuse(struct packet *packet, enum router_fault fault)
{
    if (frame_is_ipv4(packet->frame) || packet->frame->l3_len == sizeof(struct rte_ipv6_hdr))
        router_error(packet, fault, 0);
    router_drop(packet->frame, &packet->router->stats.other);
}

static void icmp_input(struct packet *packet)
{
    struct router *router = packet->router;
    struct rate *rate = packet->vif ? &packet->vif->rates.echoes : &router->rates.echoes;
    int err;

    if (!rate_take(rate, ECHOES_NS, ECHOES_BURST, router_host.now)) {
        router_drop(packet->frame, &router->stats.icmp_limited);
        return;
    }
    err = frame_is_ipv4(packet->frame) ? icmp4_echo_answer(packet->frame)
                                       : icmp6_echo_answer(packet->frame);
    if (err) {
        router_drop(packet->frame, err == -EINVAL ? &router->stats.bad : &router->stats.other);
        return;
    }
    router->stats.echoes++;
    router_emit(router, packet->vif, packet->frame);
}

/* Fragments are not put together: nobody needs long packets of a router. */
static void unicast_input(struct packet *packet)
{
    uint32_t l4 = frame_l4(packet->frame);

    if (l4 == RTE_PTYPE_L4_ICMP)
        icmp_input(packet);
    else if (l4 == RTE_PTYPE_L4_UDP && router_udp_input(packet))
        rte_pktmbuf_free(packet->frame);
    else if (l4 == RTE_PTYPE_L4_UDP)
        refuse(packet, ROUTER_NO_PORT);
    else if (packet->vif && (l4 == RTE_PTYPE_L4_TCP || l4 == RTE_PTYPE_L4_NONFRAG))
        refuse(packet, ROUTER_NO_PROTOCOL);
    else /* silence, for what may still be opened from inside (RFC 5382, REQ-4) */
        router_drop(packet->frame, &packet->router->stats.other);
}

void router_local_input(struct packet *packet, bool is_group)
{
    struct router_stats *stats = &packet->router->stats;

    if (is_group) {
        bool is_heard = frame_l4(packet->frame) == RTE_PTYPE_L4_UDP && router_udp_input(packet);

        router_drop(packet->frame, is_heard ? &stats->local4 : &stats->group);
        return;
    }
    if (frame_is_ipv4(packet->frame))
        stats->local4++;
    else
        stats->local6++;
    unicast_input(packet);
}
