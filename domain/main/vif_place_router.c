/* SPDX-License-Identifier: BSD-2-Clause */
/* Vifs behind routers: script=vif-route and vif-nat. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ferry/address.h>

#include <rte_jhash.h>

#include "main/topology.h"
#include "main/vif_place_internal.h"
#include "net/bridge.h"
#include "net/router.h"
#include "net/services.h"

#define NAT_ROUTER_OFFSET 127 /* from a guest's address to its router's, as vif-nat does */
#define NAT_DEFAULT_LEN 16
#define IPV6_MTU_MIN 1280 /* RFC 8200, 5 */

/* The next address of a list that blanks or commas divide; false at its end. */
static bool address_next(const char **list, const char **at_r, size_t *len_r)
{
    static const char separators[] = " ,\t";

    *at_r = *list + strspn(*list, separators);
    *len_r = strcspn(*at_r, separators);
    *list = *at_r + *len_r;
    return *len_r > 0;
}

static int addresses_take(const struct vif_wish *wish, struct router_vif_config *config)
{
    const char *list = wish->ip, *at;
    size_t len;

    while (address_next(&list, &at, &len)) {
        uint8_t addr[16], bits;
        bool is_ip6;

        if (prefix_parse(at, len, &is_ip6, addr, &bits) || bits == 0) {
            snprintf(place_why, sizeof(place_why),
                     "ip='%.*s' is no address; accepted: IPv4 and IPv6 addresses with or without "
                     "/LEN, divided by blanks",
                     (int)RTE_MIN(len, (size_t)40), at);
            return -EINVAL;
        }
        if ((is_ip6 ? config->nr_ip6 : config->nr_ip4) == ROUTER_PREFIXES_MAX) {
            snprintf(place_why, sizeof(place_why),
                     "ip= has too many addresses; accepted: %u of each kind", ROUTER_PREFIXES_MAX);
            return -EINVAL;
        }
        if (is_ip6) {
            memcpy(config->ip6[config->nr_ip6].addr, addr, 16);
            config->ip6[config->nr_ip6++].len = bits;
        } else {
            memcpy(&config->ip4[config->nr_ip4].addr, addr, 4);
            config->ip4[config->nr_ip4++].len = bits;
        }
    }
    return 0;
}

/* As the script does without ip=: 10, the domain's id in two bytes, the vif's number from 1. */
static void nat_address_make(const struct vif_wish *wish, struct router_vif_config *config)
{
    uint32_t addr = 10u << 24 | (uint32_t)wish->guest << 8 | ((wish->handle + 1u) & 0xff);

    config->nr_ip4 = 1;
    config->ip4[0] =
        (struct router_prefix4){ .addr = rte_cpu_to_be_32(addr), .len = NAT_DEFAULT_LEN };
}

/* A vif-nat guest has one IPv4 address, and its router one that is 127 above it. */
static int nat_settle(const struct vif_wish *wish, struct router_vif_config *config)
{
    uint32_t addr;

    config->nat = config->serve_dhcp = config->serve_dns = true;
    if (!wish->ip[0])
        nat_address_make(wish, config);
    if (config->nr_ip4 != 1 || config->nr_ip6 != 0) {
        snprintf(place_why, sizeof(place_why),
                 "ip='%.40s': vif-nat takes one IPv4 address (none: it is made from "
                 "the domain's id); IPv6 is routed by vif-route",
                 wish->ip);
        return -EINVAL;
    }
    addr = rte_be_to_cpu_32(config->ip4[0].addr);
    if ((addr & 0xff) == 0 || (addr & 0xff) + NAT_ROUTER_OFFSET >= 255) {
        snprintf(place_why, sizeof(place_why),
                 "ip='%.40s': vif-nat gives the router the address %u above it; "
                 "accepted: last numbers from 1 to %u",
                 wish->ip, NAT_ROUTER_OFFSET, 254 - NAT_ROUTER_OFFSET);
        return -EINVAL;
    }
    config->router_ip4 = rte_cpu_to_be_32(addr + NAT_ROUTER_OFFSET);
    return 0;
}

/* A guest's addresses are of no use behind a router that has none of their kind. */
static int families_check(const struct router *router, const struct vif_wish *wish,
                          const struct router_vif_config *config)
{
    const struct config_bridge *bridge = topology_bridge_config(router_bridge(router));
    bool has_ip4 = bridge->dhcp || bridge->len4;

    if (config->nr_ip4 && !has_ip4)
        snprintf(place_why, sizeof(place_why),
                 "script=%s: bridge %s has no IPv4 address; accepted: with "
                 "address=dhcp or address=IP/LEN in extra=",
                 wish->script, bridge->name);
    else if (config->nr_ip6 && !bridge->len6)
        snprintf(place_why, sizeof(place_why),
                 "script=%s: bridge %s has no IPv6 address; accepted: with "
                 "address6=IP/LEN in extra=",
                 wish->script, bridge->name);
    else
        return 0;
    return -EINVAL;
}

/* Neither are IPv6 addresses of use to one that no IPv6 is sent to. */
static int mtu_check(const struct vif_wish *wish, const struct router_vif_config *config)
{
    if (config->nr_ip6 == 0 || wish->mtu == 0 || wish->mtu >= IPV6_MTU_MIN)
        return 0;
    snprintf(place_why, sizeof(place_why),
             "mtu='%u' is less than IPv6 needs; accepted: %u and more, or no IPv6 address in ip=",
             wish->mtu, IPV6_MTU_MIN);
    return -EINVAL;
}

static int routed_wish_check(const struct vif_wish *wish, const struct policy *policy)
{
    if (wish->vlan[0] || policy->vlan[0])
        snprintf(place_why, sizeof(place_why),
                 "vlan='%.40s': a routed vif is in no VLAN; accepted: with "
                 "script=vif-bridge or script=vif-openvswitch",
                 wish->vlan[0] ? wish->vlan : policy->vlan);
    else if (policy->nr_stations)
        snprintf(place_why, sizeof(place_why), "the policy's `station` is for vifs in bridges");
    else
        return 0;
    return -EINVAL;
}

/* A guest is known by its MAC after a restart, and when it comes again with another id. */
static uint32_t identity_of(const struct rte_ether_addr *mac, bool is_nat)
{
    uint32_t words[2] = { 0 };

    memcpy(words, mac, sizeof(*mac));
    return rte_jhash_2words(words[0], words[1], is_nat);
}

/* The guest's own addresses, each by itself in the router; with its length for DHCP in ip4[0] of config. */
int place_router_attach(struct port *port, const struct vif_wish *wish, const struct policy *policy,
                        bool is_nat)
{
    static struct router_vif_config config;
    struct place *place = &place_table[wish->index];
    const char *what = "";
    struct router *router;
    uint8_t dhcp_len;
    int err = routed_wish_check(wish, policy);

    memset(&config, 0, sizeof(config));
    if (!err && topology_router_find(wish->gatewaydev, wish->bridge, &router, &what)) {
        snprintf(place_why, sizeof(place_why), "script=%s: %s", wish->script, what);
        err = -ENOENT;
    }
    if (!err)
        err = addresses_take(wish, &config);
    if (!err && !is_nat && config.nr_ip4 + config.nr_ip6 == 0) {
        snprintf(place_why, sizeof(place_why),
                 "script=vif-route needs ip=: nobody could reach the guest");
        err = -EINVAL;
    }
    if (!err && is_nat)
        err = nat_settle(wish, &config);
    if (!err)
        err = families_check(router, wish, &config);
    if (!err)
        err = mtu_check(wish, &config);
    if (!err)
        err = place_filter_make(&place->filter, wish, policy, true);
    if (err)
        return err;
    config.guest_mac = wish->mac;
    config.identity = identity_of(&wish->mac, is_nat);
    dhcp_len = config.ip4[0].len;
    if (is_nat)
        config.ip4[0].len = 32; /* no more of the net than its address is the guest's */
    port->vlans = NULL;
    port->filter = filter_is_needed(&place->filter) ? &place->filter : NULL;
    place_limits_set(port, router_bridge(router), policy);
    port->mtu_usual = CONFIG_MTU_USUAL; /* vif-route and vif-nat set none */
    err = router_vif_add(router, port, wish->index, &config, &what);
    if (err) {
        snprintf(place_why, sizeof(place_why), "ip='%.40s': %s", wish->ip,
                 err == -EINVAL ? what : "no place");
        return err;
    }
    err = is_nat ? services_vif_add(port, dhcp_len) : 0;
    log_info("%s: behind the router of bridge %s, by %s", port->name,
             bridge_name(router_bridge(router)), wish->script);
    return err;
}

static bool same_rules(const struct policy *a, const struct policy *b)
{
    return a->nr_rules == b->nr_rules &&
           memcmp(a->rules, b->rules, a->nr_rules * sizeof(a->rules[0])) == 0 &&
           memcmp(a->deny_default, b->deny_default, sizeof(a->deny_default)) == 0;
}

void place_router_remove(struct port *port)
{
    services_vif_remove(port);
    router_vif_remove(port);
}

/*
 * The vif is behind its router and stays there, with its flows; but with other rules it comes anew, so that they
 * are asked about each flow again.
 */
int place_router_replace(struct port *port, const struct vif_wish *wish,
                         const struct policy *policy, const struct policy *old)
{
    struct place *place = &place_table[wish->index];
    bool is_nat = router_vif_config(port)->nat;
    int err = routed_wish_check(wish, policy);

    if (err)
        return err;
    if (!same_rules(old, policy)) {
        place_router_remove(port);
        err = place_router_attach(port, wish, policy, is_nat);
        if (err && place_router_attach(port, wish, old, is_nat))
            log_error("%s: behind no router any more", port->name);
        return err;
    }
    err = place_filter_make(&place->filter, wish, policy, true);
    port->filter = filter_is_needed(&place->filter) ? &place->filter : NULL;
    place_limits_set(port, router_bridge(router_of(port)), policy);
    return err;
}
