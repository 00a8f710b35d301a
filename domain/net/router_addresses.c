/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <errno.h>

#include "net/nat.h"

#define LEN4_WITH_BROADCAST 30 /* longer prefixes have no addresses that are set aside (RFC 3021) */

/* The first or the last address of the IPv4 prefix that net is in. */
static bool is_set_aside(const struct address *addr, const struct address *net, uint8_t len)
{
    struct address first = address_first(net, ADDRESS_LEN4 + len);
    struct address last = address_last(net, ADDRESS_LEN4 + len);

    return len <= LEN4_WITH_BROADCAST &&
           (address_is_same(addr, &first) || address_is_same(addr, &last));
}

/* A gateway of IPv4. If the prefix is one address, others are on the link all the same. */
static bool gateway4_is_right(const struct router *router, const struct router_addresses *a,
                              const struct address *ip4)
{
    struct address gateway = address_of4(a->gateway4);

    if (!ip4_is_host(a->gateway4) || a->gateway4 == a->ip4 ||
        route_find(router->index, &gateway) != ROUTE_NONE)
        return false;
    return a->len4 == 32 || (address_is_in(&gateway, ip4, ADDRESS_LEN4 + a->len4) &&
                             !is_set_aside(&gateway, ip4, a->len4));
}

static bool ip4_is_right(const struct router *router, const struct router_addresses *a)
{
    struct address ip4 = address_of4(a->ip4);

    if (!a->has_ip4)
        return true;
    return ip4_is_host(a->ip4) && a->len4 >= 1 && a->len4 <= 32 &&
           !is_set_aside(&ip4, &ip4, a->len4) &&
           route_find(router->index, &ip4) >= ROUTER_VIFS_MAX &&
           (a->gateway4 == 0 || gateway4_is_right(router, a, &ip4));
}

static bool gateway6_is_right(const struct router *router, const struct router_addresses *a,
                              const struct address *ip6)
{
    struct address gateway = address_of6(a->gateway6);

    if (!a->has_ip6 || !ip6_is_host(&gateway) || address_is_same(&gateway, ip6) ||
        address_is_same(&gateway, &router->link_local) ||
        route_find(router->index, &gateway) != ROUTE_NONE)
        return false;
    return a->len6 == 128 || ip6_is_link_local(&gateway) || address_is_in(&gateway, ip6, a->len6);
}

static bool ip6_is_right(const struct router *router, const struct router_addresses *a)
{
    struct address ip6 = address_of6(a->ip6);

    if (a->has_gateway6 && !gateway6_is_right(router, a, &ip6))
        return false;
    return !a->has_ip6 || (ip6_is_host(&ip6) && !ip6_is_link_local(&ip6) && a->len6 >= 1 &&
                           a->len6 <= 128 && route_find(router->index, &ip6) >= ROUTER_VIFS_MAX);
}

/* What is not said is 0. */
static struct router_addresses normal_form(const struct router_addresses *from)
{
    struct router_addresses a;

    memset(&a, 0, sizeof(a));
    a.has_ip4 = from->has_ip4;
    a.has_ip6 = from->has_ip6;
    a.has_gateway6 = from->has_gateway6;
    a.ip4 = a.has_ip4 ? from->ip4 : 0;
    a.gateway4 = a.has_ip4 ? from->gateway4 : 0;
    a.len4 = a.has_ip4 ? from->len4 : 0;
    a.len6 = a.has_ip6 ? from->len6 : 0;
    if (a.has_ip6)
        memcpy(a.ip6, from->ip6, sizeof(a.ip6));
    if (a.has_gateway6)
        memcpy(a.gateway6, from->gateway6, sizeof(a.gateway6));
    return a;
}

int router_addresses_set(struct router *router, const struct router_addresses *addresses,
                         uint64_t now)
{
    struct router_addresses a = normal_form(addresses);

    if (!ip4_is_right(router, &a) || !ip6_is_right(router, &a))
        return -EINVAL;
    router_host.now = now;
    router->addresses = a;
    router->ip4 = a.has_ip4 ? address_of4(a.ip4) : (struct address){ 0 };
    router->gateway4 = a.gateway4 ? address_of4(a.gateway4) : (struct address){ 0 };
    router->ip6 = address_of6(a.ip6);
    router->gateway6 = address_of6(a.gateway6);
    neighbours_flush(&router->neighbours);
    nat_outside_set(router->index, a.ip4, now);
    router_announce(router, now);
    return 0;
}

const struct router_addresses *router_addresses(const struct router *router)
{
    return &router->addresses;
}
