/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "net/dhcp_server.h"
#include "net/dns_forward.h"
#include "net/nat.h"
#include "net/router.h"
#include "net/services_uplink.h"

#define MTU_USUAL 1500
#define IP_AND_UDP 28 /* bytes of headers */

_Static_assert(DNS_GUESTS >= ROUTER_VIFS_MAX, "each vif has a number for its guest");
_Static_assert(DNS_UPSTREAMS >= ROUTER_MAX, "each router has servers upstream");
_Static_assert(DNS_OWN_PORT_FIRST == NAT_OWN_PORT_FIRST && DNS_OWN_PORT_LAST == NAT_OWN_PORT_LAST,
               "ports that translation leaves alone");
_Static_assert(SERVICES_DNS_MAX <= DNS_SERVERS_MAX && DHCP_DNS_MAX <= DNS_SERVERS_MAX,
               "all servers can be asked");

/* Vifs that are served. */
static struct {
    const struct port *port; /* NULL: unused */
    uint8_t dhcp_len;
} guests[ROUTER_VIFS_MAX];

/* Routers that are served. */
static struct {
    struct router *router; /* NULL: unused */
    bool has_dns; /* there are servers to ask, or may be */
} routers[ROUTER_MAX];

static bool is_served(const struct port *port)
{
    return port && port->router && guests[router_vif_index(port)].port == port;
}

/* The router's address toward a guest; 0: it has none. */
static rte_be32_t router_toward(const struct port *port)
{
    const struct router_vif_config *config = router_vif_config(port);

    return config->router_ip4 ? config->router_ip4 : router_addresses(router_of(port))->ip4;
}

/* What a guest is told about its MTU: nothing if it is the usual one. */
static uint16_t guest_mtu(const struct port *port)
{
    uint16_t uplink = router_mtu(router_of(port));
    uint16_t mtu = uplink < MTU_USUAL ? RTE_MIN(port->mtu, uplink) : port->mtu;

    return mtu == MTU_USUAL ? 0 : mtu;
}

static bool has_dns(const struct port *port)
{
    return routers[router_index(router_of(port))].has_dns;
}

static void dhcp_config_make(const struct port *port, struct dhcp_server_config *config)
{
    const struct router_vif_config *vif = router_vif_config(port);
    rte_be32_t router = router_toward(port);
    uint8_t len = guests[router_vif_index(port)].dhcp_len;

    *config = (struct dhcp_server_config){ .mac = vif->guest_mac,
                                           .addr = vif->ip4[0].addr,
                                           .router = router,
                                           .has_dns = vif->serve_dns && has_dns(port),
                                           .mtu = guest_mtu(port) };
    config->len = dhcp_server_prefix_len(config->addr, router, len);
}

/* What cannot be sent is lost, as it might be on its way: it is asked for again. */
static void send(struct router *router, struct port *vif, rte_be32_t src, uint16_t sport,
                 rte_be32_t dst, uint16_t dport, const void *payload, uint16_t len, uint64_t now)
{
    int err = router_udp_send(router, vif, src, sport, dst, dport, payload, len, NULL, now);

    (void)err;
}

static void dhcp_server_handle(const struct router_udp *udp)
{
    static struct dhcp_server_answer answer;
    struct dhcp_server_config config;

    if (!is_served(udp->vif) || router_toward(udp->vif) == 0 ||
        router_vif_config(udp->vif)->nr_ip4 == 0)
        return;
    dhcp_config_make(udp->vif, &config);
    if (dhcp_server_input(&config, udp->payload, udp->len, &answer) > 0)
        send(udp->router, udp->vif, config.router, DHCP_SERVER_PORT, answer.dst, DHCP_CLIENT_PORT,
             answer.data, answer.len, udp->now);
}

/* A guest's query, to its router's address and no group's. */
static void dns_query_handle(const struct router_udp *udp)
{
    const struct router_addresses *own = router_addresses(udp->router);
    struct dns_asker asker;

    if (!is_served(udp->vif) || udp->sport == 0 || udp->dst == 0 || udp->vif->mtu <= IP_AND_UDP ||
        (udp->dst != router_toward(udp->vif) && udp->dst != own->ip4))
        return;
    asker = (struct dns_asker){ .guest = (uint8_t)router_vif_index(udp->vif),
                                .upstream = (uint8_t)router_index(udp->router),
                                .addr = udp->src,
                                .server = udp->dst,
                                .port = udp->sport,
                                .answer_max = udp->vif->mtu - IP_AND_UDP };
    dns_forward_query(&asker, udp->payload, udp->len, udp->now);
}

/* From the bridge, or from a guest that is a server. */
static void dns_answer_handle(const struct router_udp *udp)
{
    dns_forward_answer((uint8_t)router_index(udp->router), udp->src, udp->sport, udp->dport,
                       udp->payload, udp->len, udp->now);
}

static void dns_ask(uint8_t upstream, uint16_t port, rte_be32_t server, const void *payload,
                    uint16_t len, uint64_t now)
{
    struct router *router = routers[upstream].router;

    if (router && router_addresses(router)->has_ip4)
        send(router, NULL, router_addresses(router)->ip4, port, server, DNS_PORT, payload, len,
             now);
}

static void dns_answer(const struct dns_asker *asker, const void *payload, uint16_t len,
                       uint64_t now)
{
    struct port *port = router_vif_port(asker->guest);

    if (port)
        send(router_of(port), port, asker->server, DNS_PORT, asker->addr, asker->port, payload, len,
             now);
}

static const struct dns_forward_ops dns_ops = { dns_ask, dns_answer };

int services_init(uint64_t seed, void (*say)(const char *line))
{
    memset(guests, 0, sizeof(guests));
    memset(routers, 0, sizeof(routers));
    dns_forward_init(&dns_ops, (uint32_t)seed);
    services_uplink_init(seed >> 32, say);
    if (router_udp_handler_set(DHCP_SERVER_PORT, dhcp_server_handle) ||
        router_udp_handler_set(DHCP_CLIENT_PORT, services_uplink_handle) ||
        router_udp_handler_set(DNS_PORT, dns_query_handle) ||
        router_udp_handler_range_set(DNS_OWN_PORT_FIRST, DNS_OWN_PORT_LAST, dns_answer_handle))
        return -ENOSPC;
    return 0;
}

int services_router_add(struct router *router, bool dhcp, const rte_be32_t *dns,
                        unsigned int nr_dns)
{
    unsigned int index = router_index(router);

    if (nr_dns > SERVICES_DNS_MAX)
        return -EINVAL;
    if (routers[index].router)
        return -EEXIST;
    routers[index].router = router;
    routers[index].has_dns = dhcp || nr_dns > 0;
    dns_forward_servers_set((uint8_t)index, dns, nr_dns);
    if (dhcp)
        services_uplink_add(router, nr_dns == 0);
    return 0;
}

int services_vif_add(const struct port *port, uint8_t dhcp_len)
{
    struct router *router = router_of(port);

    if (!router || routers[router_index(router)].router != router || dhcp_len > 32)
        return -EINVAL;
    guests[router_vif_index(port)].port = port;
    guests[router_vif_index(port)].dhcp_len = dhcp_len ? dhcp_len : 32;
    return 0;
}

void services_vif_remove(const struct port *port)
{
    for (unsigned int i = 0; i < ROUTER_VIFS_MAX; i++)
        if (guests[i].port == port) {
            guests[i].port = NULL;
            dns_forward_guest_remove((uint8_t)i);
        }
}

uint64_t services_tick(uint64_t now)
{
    uint64_t uplinks = services_uplink_tick(now), queries = dns_forward_tick(now);

    return RTE_MIN(uplinks, queries);
}
