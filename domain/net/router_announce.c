/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#define ANNOUNCEMENTS 2 /* RFC 5227, 1.1: ANNOUNCE_NUM, ANNOUNCE_INTERVAL */
#define INTERVAL_NS 2000000000ull

static void solicit(void *context, const struct address *addr, const struct rte_ether_addr *mac)
{
    if (address_is4(addr))
        router_arp_ask(context, addr, mac);
    else
        router_nd_ask(context, addr, mac);
}

static void neighbour_send(void *context, struct rte_mbuf *frame, const struct rte_ether_addr *to)
{
    router_to_bridge(context, frame, to);
}

/* Who sent it is told. */
static void neighbour_fail(void *context, struct rte_mbuf *frame, bool was_asked)
{
    struct packet packet = { .router = context, .frame = frame, .guest = ROUTE_NONE };

    if (was_asked)
        router_error(&packet, ROUTER_NO_HOST, 0);
    router_drop(frame, &packet.router->stats.unreachable);
}

const struct neighbour_ops router_neighbour_ops = { .solicit = solicit,
                                                    .send = neighbour_send,
                                                    .fail = neighbour_fail };

/* Only whole addresses: of a prefix nobody knows which are in use. */
static void announce(void *context, const struct address *first, const struct address *last)
{
    if (!address_is_same(first, last))
        return;
    if (address_is4(first))
        router_arp_announce(context, first);
    else
        router_nd_announce(context, first);
}

/* IPv6 is not translated. */
static void announce_unless_ip4(void *context, const struct address *first,
                                const struct address *last)
{
    if (!address_is4(first))
        announce(context, first, last);
}

void router_announce_vif(struct router_vif *vif)
{
    route_each(vif->index, vif->config.nat ? announce_unless_ip4 : announce, vif->router);
}

static void announce_all(struct router *router)
{
    if (router->addresses.has_ip4)
        announce(router, &router->ip4, &router->ip4);
    if (router->addresses.has_ip6)
        announce(router, &router->ip6, &router->ip6);
    for (unsigned int i = 0; i < ROUTER_VIFS_MAX; i++)
        if (router_host.vifs[i].router == router)
            router_announce_vif(&router_host.vifs[i]);
}

void router_announce(struct router *router, uint64_t now)
{
    router_host.now = now;
    router->nr_announcements = ANNOUNCEMENTS;
    router->announce_due = now;
    router_announce_tick(router);
}

uint64_t router_announce_tick(struct router *router)
{
    if (router->nr_announcements > 0 && router->announce_due <= router_host.now) {
        router->nr_announcements--;
        router->announce_due = router_host.now + INTERVAL_NS;
        router_enter(router);
        announce_all(router);
        router_leave(router);
    }
    return router->nr_announcements > 0 ? router->announce_due : UINT64_MAX;
}
