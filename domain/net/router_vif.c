/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <errno.h>

#include "net/egress.h"
#include "net/nat.h"

static const char why_none[] = "no address; accepted: at least one, of the guest";
static const char why_many[] = "too many addresses; accepted: 16 of each kind";
static const char why_len[] = "a prefix length out of range";
static const char why_kind[] = "not a host's address, or a prefix with such in it";
static const char why_taken[] = "another guest's address, the router's, or its gateway's";
static const char why_mac[] = "the guest's MAC cannot be a host's, or is the router's";
static const char why_index[] = "no place for more guests";

/* Is one of the router's addresses in its bridge, or a gateway, in this prefix? */
static bool has_routers(const struct router *router, const struct address *addr, uint8_t len)
{
    const struct address *own[] = { &router->ip4, &router->gateway4, &router->ip6,
                                    &router->gateway6 };

    for (unsigned int i = 0; i < RTE_DIM(own); i++)
        if (!ip6_is_unspecified(own[i]) && address_is_in(own[i], addr, len))
            return true;
    return false;
}

/* Returns NULL, or why not. */
static const char *prefix_add(struct router *router, uint8_t index, const struct address *addr,
                              uint8_t len)
{
    if (has_routers(router, addr, len) || route_add(router->index, addr, len, index) != 0)
        return why_taken;
    return NULL;
}

static const char *prefix4_add(struct router *router, uint8_t index,
                               const struct router_prefix4 *prefix)
{
    struct address addr = address_of4(prefix->addr), first, last;

    if (prefix->len < 1 || prefix->len > 32)
        return why_len;
    first = address_first(&addr, ADDRESS_LEN4 + prefix->len);
    last = address_last(&addr, ADDRESS_LEN4 + prefix->len);
    if (!ip4_is_host(address_to4(&first)) || !ip4_is_host(address_to4(&last)) ||
        ip4_is_link_local(prefix->addr))
        return why_kind;
    return prefix_add(router, index, &addr, ADDRESS_LEN4 + prefix->len);
}

/* A link-local prefix says nothing to a router: such addresses are each guest's. */
static const char *prefix6_add(struct router *router, uint8_t index,
                               const struct router_prefix6 *prefix)
{
    struct address addr = address_of6(prefix->addr), first, last;

    if (prefix->len < 1 || prefix->len > 128)
        return why_len;
    first = address_first(&addr, prefix->len);
    last = address_last(&addr, prefix->len);
    if (ip6_is_link_local(&first) && ip6_is_link_local(&last))
        return NULL;
    if (!ip6_is_host(&first) || !ip6_is_host(&last) || ip6_is_link_local(&first) ||
        ip6_is_link_local(&last))
        return why_kind;
    return prefix_add(router, index, &addr, prefix->len);
}

/* The router's address toward the guest. */
static const char *router_ip4_add(struct router *router, rte_be32_t ip4)
{
    struct address addr = address_of4(ip4);

    if (ip4 == 0)
        return NULL;
    if (!ip4_is_host(ip4) || ip4_is_link_local(ip4))
        return why_kind;
    if ((router->addresses.gateway4 && ip4 == router->addresses.gateway4) ||
        route_add(router->index, &addr, ADDRESS_LEN4 + 32, ROUTE_LOCAL) != 0)
        return why_taken;
    return NULL;
}

static void router_ip4_remove(struct router *router, rte_be32_t ip4)
{
    struct address addr = address_of4(ip4);

    if (ip4)
        route_local_remove(router->index, &addr);
}

/* Returns NULL, or why not; then some of them may be there. */
static const char *prefixes_add(struct router *router, uint8_t index,
                                const struct router_vif_config *config)
{
    const char *why = NULL;

    for (unsigned int i = 0; !why && i < config->nr_ip4; i++)
        why = prefix4_add(router, index, &config->ip4[i]);
    for (unsigned int i = 0; !why && i < config->nr_ip6; i++)
        why = prefix6_add(router, index, &config->ip6[i]);
    return why;
}

static const char *config_check(const struct router_vif_config *config, unsigned int index)
{
    struct rte_ether_addr routers = ROUTER_GUEST_MAC;

    if (index >= ROUTER_VIFS_MAX)
        return why_index;
    if (config->nr_ip4 + config->nr_ip6 == 0)
        return why_none;
    if (config->nr_ip4 > ROUTER_PREFIXES_MAX || config->nr_ip6 > ROUTER_PREFIXES_MAX)
        return why_many;
    if (!rte_is_valid_assigned_ether_addr(&config->guest_mac) ||
        rte_is_same_ether_addr(&config->guest_mac, &routers))
        return why_mac;
    return NULL;
}

/* Returns NULL, or why not, and nothing has changed. */
static const char *routes_add(struct router *router, uint8_t index,
                              const struct router_vif_config *config)
{
    const char *why = prefixes_add(router, index, config);

    if (!why)
        why = router_ip4_add(router, config->router_ip4);
    if (why)
        route_owner_remove(index);
    return why;
}

/* The guest's first address is the one that port forwards lead to. */
static int flows_add(struct router *router, uint8_t index, const struct router_vif_config *config)
{
    int err = nat_guest_add(index, config->identity, config->nat ? router->index : NAT_NO_OUTSIDE);

    if (err == 0)
        nat_guest_address_set(index, config->nr_ip4 > 0 ? config->ip4[0].addr : 0);
    return err;
}

int router_vif_add(struct router *router, struct port *port, unsigned int index,
                   const struct router_vif_config *config, const char **why_r)
{
    const char *why = config_check(config, index);
    struct router_vif *vif = &router_host.vifs[index % ROUTER_VIFS_MAX];
    int err;

    if (!why && (port->bridge || port->router || vif->router))
        return -EBUSY;
    if (!why)
        why = routes_add(router, index, config);
    if (why) {
        *why_r = why;
        return -EINVAL;
    }
    err = flows_add(router, index, config);
    if (err == 0) {
        err = egress_plug(port);
        if (err)
            nat_guest_remove(index);
    }
    if (err) {
        router_ip4_remove(router, config->router_ip4);
        route_owner_remove(index);
        return err;
    }
    *vif = (struct router_vif){ .router = router, .port = port, .index = index, .config = *config };
    port->router = vif;
    router_enter(router);
    router_announce_vif(vif);
    router_leave(router);
    return 0;
}

void router_vif_remove(struct port *port)
{
    struct router_vif *vif = port->router;

    if (!vif)
        return;
    neighbour_owner_remove(&vif->router->neighbours, vif->index);
    router_ip4_remove(vif->router, vif->config.router_ip4);
    route_owner_remove(vif->index);
    nat_guest_remove(vif->index);
    egress_unplug(port);
    port->router = NULL;
    vif->router = NULL; /* the rest stays: frames may be on their way to it */
}

struct router *router_of(const struct port *port)
{
    return port->router ? port->router->router : NULL;
}

unsigned int router_vif_index(const struct port *port)
{
    return port->router->index;
}

const struct router_vif_config *router_vif_config(const struct port *port)
{
    return &port->router->config;
}

struct port *router_vif_port(unsigned int index)
{
    const struct router_vif *vif = &router_host.vifs[index % ROUTER_VIFS_MAX];

    return index < ROUTER_VIFS_MAX && vif->router ? vif->port : NULL;
}
