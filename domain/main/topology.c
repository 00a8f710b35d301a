/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/topology.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <rte_random.h>

#include <xen/sched.h>

#include "eal/nic.h"
#include "eal/pool.h"
#include "main/carrier.h"
#include "main/vif_place.h"
#include "net/bridge.h"
#include "net/nat.h"
#include "net/router.h"
#include "net/services.h"
#include "xen/clock.h"
#include "xen/console.h"
#include "xen/domain.h"
#include "xen/log.h"
#include "xen/recovery.h"

#define NS_PER_SECOND 1000000000ull
#define DEFAULT_BRIDGE "xenbr0"

static const struct config *config; /* main's, for ever */
static char names[CONFIG_BRIDGES_MAX * (CONFIG_BRIDGE_NAME_SIZE + 1)];
static char names_with_address[CONFIG_BRIDGES_MAX * (CONFIG_BRIDGE_NAME_SIZE + 1)];

static __noreturn void give_up(const char *name, const char *what, int rc)
{
    log_error("bridge %s: %s: error %d; shutting down", name, what, -rc);
    console_flush_emergency();
    domain_shutdown(SHUTDOWN_poweroff);
}

static void name_add(char *list, size_t size, const char *name)
{
    size_t len = strlen(list);

    snprintf(list + len, size - len, "%s%s", len ? " " : "", name);
}

static bool has_address(const struct config_bridge *bridge)
{
    return bridge->dhcp || bridge->len4 || bridge->len6;
}

static void addresses_fill(const struct config_bridge *bridge, struct router_addresses *addresses)
{
    *addresses = (struct router_addresses){ .has_ip4 = bridge->len4 != 0,
                                            .len4 = bridge->len4,
                                            .has_ip6 = bridge->len6 != 0,
                                            .len6 = bridge->len6,
                                            .has_gateway6 = bridge->has_gateway6 };
    memcpy(&addresses->ip4, bridge->ip4, sizeof(addresses->ip4));
    if (bridge->has_gateway4)
        memcpy(&addresses->gateway4, bridge->gateway4, sizeof(addresses->gateway4));
    memcpy(addresses->ip6, bridge->ip6, sizeof(addresses->ip6));
    memcpy(addresses->gateway6, bridge->gateway6, sizeof(addresses->gateway6));
}

static void forwards_add(const struct config_bridge *bridge, struct router *router)
{
    for (unsigned int i = 0; i < bridge->nr_forwards; i++) {
        const struct config_forward *forward = &bridge->forwards[i];
        rte_be32_t ip4;
        int rc;

        memcpy(&ip4, forward->ip4, sizeof(ip4));
        rc = nat_forward_add(router_index(router), forward->is_udp ? IPPROTO_UDP : IPPROTO_TCP,
                             forward->outside_port, ip4, forward->port);
        if (rc != 0)
            give_up(bridge->name,
                    rc == -EEXIST ? "two forward= of one port" : "a forward= cannot be set", rc);
    }
}

static void router_make(const struct config_bridge *config_bridge, struct bridge *bridge)
{
    struct router_addresses addresses;
    rte_be32_t dns[CONFIG_DNS_MAX];
    struct router *router;
    int rc = router_create(bridge, &router);

    if (rc == 0 && config_bridge->native)
        router_vlan_set(router, config_bridge->native);
    if (rc == 0)
        router_mtu_set(router, config_bridge_mtu(config_bridge));
    addresses_fill(config_bridge, &addresses);
    if (rc == 0 && (addresses.has_ip4 || addresses.has_ip6))
        rc = router_addresses_set(router, &addresses, clock_now());
    if (rc != 0)
        give_up(config_bridge->name, "its addresses cannot be used", rc);
    memcpy(dns, config_bridge->dns, sizeof(dns));
    rc = services_router_add(router, config_bridge->dhcp, dns, config_bridge->nr_dns);
    if (rc != 0)
        give_up(config_bridge->name, "its services cannot be set up", rc);
    forwards_add(config_bridge, router);
    name_add(names_with_address, sizeof(names_with_address), config_bridge->name);
}

static void bridge_make(const struct config_bridge *config_bridge)
{
    struct bridge *bridge;
    int rc = bridge_create(config_bridge->name, &bridge);

    if (rc == 0)
        rc = bridge_group_fwd_mask_set(bridge, config_bridge->group_fwd_mask);
    if (rc != 0)
        give_up(config_bridge->name, "cannot be made", rc);
    name_add(names, sizeof(names), config_bridge->name);
    if (has_address(config_bridge))
        router_make(config_bridge, bridge);
}

static void service_say(const char *line)
{
    log_info("%s", line);
}

void topology_create(const struct config *from)
{
    struct rte_mempool *pool = mbuf_pool();
    bool resuming = recovery_resuming();

    config = from;
    carrier_init();
    names[0] = names_with_address[0] = '\0';
    if (resuming) {
        (void)bridge_resume(pool, (uint32_t)rte_rand());
        (void)nat_resume((uint32_t)rte_rand());
    } else {
        bridge_init(pool, (uint32_t)rte_rand());
        nat_init((uint32_t)rte_rand());
    }
    router_init(pool, (uint32_t)rte_rand());
    if (services_init(rte_rand(), service_say) != 0)
        give_up("-", "no room for the services of routers", -ENOSPC);
    bridge_ageing_set(config->ageing_s * NS_PER_SECOND);
    (void)router_tick(clock_now());
    for (unsigned int i = 0; i < config->nr_bridges; i++)
        bridge_make(&config->bridges[i]);
    vif_place_init(config->policy_required);
}

static bool is_wanted_nic(const struct config_nic *want, const struct port *nic)
{
    if (want->kind == CONFIG_NIC_INDEX)
        return want->index == nic_number(nic);
    return want->kind == CONFIG_NIC_PCI && nic_has_address(nic, want->pci_domain, want->pci_bus,
                                                           want->pci_device, want->pci_function);
}

uint16_t topology_nic_mtu(const struct port *nic)
{
    for (unsigned int b = 0; b < config->nr_bridges; b++)
        if (is_wanted_nic(&config->bridges[b].uplink, nic))
            return config->bridges[b].mtu;
    return 0;
}

static void pins_add(const struct config_bridge *bridge, struct port *nic)
{
    for (unsigned int i = 0; i < bridge->nr_pins; i++) {
        const struct config_pin *pin = &bridge->pins[i];
        struct rte_ether_addr mac;

        memcpy(mac.addr_bytes, pin->mac, sizeof(mac.addr_bytes));
        if (bridge_station_pin(nic, pin->has_vid ? pin->vid : bridge->native, &mac) != 0)
            log_error("bridge %s: its pin= number %u cannot be set: it is somebody else's",
                      bridge->name, i + 1);
    }
}

static void uplink_add(const struct config_bridge *bridge, struct port *nic)
{
    struct router *router = router_find(bridge_find(bridge->name));
    int rc;

    nic->vlans = bridge->has_vlans ? &bridge->vlans : NULL;
    rc = bridge_port_add(bridge_find(bridge->name), nic, true);
    if (rc != 0) {
        log_error("bridge %s: %s cannot be its uplink: %s", bridge->name, nic->name,
                  rc == -EBUSY ? "it is in another bridge" : "no place left");
        return;
    }
    log_info("bridge %s: %s is its uplink", bridge->name, nic->name);
    carrier_uplink_set(bridge_find(bridge->name), nic);
    if (router)
        router_mac_set(router, &nic->mac, clock_now());
    pins_add(bridge, nic);
}

void topology_uplinks_add(struct port *const *nics, unsigned int nr)
{
    for (unsigned int b = 0; b < config->nr_bridges; b++) {
        const struct config_bridge *bridge = &config->bridges[b];
        unsigned int i = 0;

        if (bridge->uplink.kind == CONFIG_NIC_NONE)
            continue;
        while (i < nr && !is_wanted_nic(&bridge->uplink, nics[i]))
            i++;
        if (i < nr)
            uplink_add(bridge, nics[i]);
        else
            log_error("bridge %s has no wire: the NIC of its uplink= is not among the %u NIC%s "
                      "that this domain drives (pci=[...], NICS=)",
                      bridge->name, nr, nr == 1 ? "" : "s");
    }
    carrier_uplinks_known(!recovery_resuming() || !recovery_keeps_nic());
    for (unsigned int i = 0; i < nr; i++)
        if (!nics[i]->bridge)
            log_warn("%s is in no bridge: name it in bridge=NAME,uplink=%s", nics[i]->name,
                     nics[i]->name);
}

/* Behind a cable that was pulled, stations may turn up elsewhere; one that is new may know nobody here. */
void topology_link_changed(struct port *nic)
{
    struct router *router = nic->bridge ? router_find(nic->bridge) : NULL;

    if (!nic->up)
        bridge_port_forget(nic);
    if (nic->up && router) {
        router_announce(router, clock_now());
        services_link_up(router, clock_now());
    }
    vif_carriers_changed();
}

void topology_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now)
{
    if (port->router)
        router_input(port, frames, nr, now);
    else
        bridge_input(port, frames, nr, now);
}

uint64_t topology_tick(uint64_t now)
{
    uint64_t routers, services;

    if (names_with_address[0] == '\0') /* there is no router: each turn of the loop passes here */
        return UINT64_MAX;
    routers = router_tick(now); /* flows too */
    services = services_tick(now);
    return RTE_MIN(routers, services);
}

/* Packets that a router refused its guests, or the wire, for what they are. */
static uint64_t refused_of(const struct router_stats *stats)
{
    return stats->spoofed + stats->source_routed + stats->isolated + stats->filtered +
           stats->nat_drops;
}

void topology_report(void)
{
    static uint64_t reported[CONFIG_BRIDGES_MAX];
    static struct log_limit limits[CONFIG_BRIDGES_MAX];

    for (unsigned int i = 0; i < config->nr_bridges; i++) {
        const struct router *router = router_find(bridge_find(config->bridges[i].name));
        const struct router_stats *stats = router ? router_stats(router) : NULL;

        if (!stats || refused_of(stats) == reported[i])
            continue;
        reported[i] = refused_of(stats);
        log_limited(
            &limits[i], LOG_WARN,
            "bridge %s: its router refused so far: spoofed %lu, source routed %lu, isolated "
            "%lu, by rules %lu, of no flow %lu",
            config->bridges[i].name, stats->spoofed, stats->source_routed, stats->isolated,
            stats->filtered, stats->nat_drops);
    }
}

static struct router *first_router(void)
{
    for (unsigned int i = 0; i < config->nr_bridges; i++) {
        struct router *router = router_find(bridge_find(config->bridges[i].name));

        if (router)
            return router;
    }
    return NULL;
}

int topology_router_find(const char *gatewaydev, const char *bridge, struct router **router_r,
                         const char **why_r)
{
    static char why[sizeof(names_with_address) + 128];
    const char *name = gatewaydev[0] ? gatewaydev : bridge;
    struct bridge *wanted = bridge_find(name);
    struct router *router = wanted ? router_find(wanted) : NULL;

    /* libxl writes its default where the vif line names no bridge. */
    if (!router && !gatewaydev[0] && (!bridge[0] || strcmp(bridge, DEFAULT_BRIDGE) == 0))
        router = first_router();
    if (router) {
        *router_r = router;
        return 0;
    }
    if (!names_with_address[0])
        snprintf(why, sizeof(why),
                 "no bridge has an address: give one bridge=NAME,uplink=NIC,address=dhcp|IP/LEN");
    else
        snprintf(why, sizeof(why), "%s='%.40s' has no address; accepted: %s",
                 gatewaydev[0] ? "gatewaydev" : "bridge", name, names_with_address);
    *why_r = why;
    return -ENOENT;
}

const struct config_bridge *topology_bridge_config(const struct bridge *bridge)
{
    for (unsigned int i = 0; i < config->nr_bridges; i++)
        if (bridge_find(config->bridges[i].name) == bridge)
            return &config->bridges[i];
    return NULL;
}

const char *topology_bridge_names(void)
{
    return names;
}
