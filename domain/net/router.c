/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <errno.h>

#include <rte_jhash.h>

#include "net/bridge.h"
#include "net/nat.h"

#define MTU_DEFAULT 1500

struct router_host router_host;

void router_init(struct rte_mempool *pool, uint32_t seed)
{
    memset(&router_host, 0, sizeof(router_host));
    router_host.pool = pool;
    router_host.seed = seed;
    route_reset();
    router_udp_reset();
}

struct router *router_find(const struct bridge *bridge)
{
    for (unsigned int i = 0; i < router_host.nr; i++)
        if (router_host.routers[i].bridge == bridge)
            return &router_host.routers[i];
    return NULL;
}

unsigned int router_index(const struct router *router)
{
    return router->index;
}

struct bridge *router_bridge(const struct router *router)
{
    return router->bridge;
}

static void mac_put(struct router *router, const struct rte_ether_addr *mac)
{
    router->port.mac = *mac;
    router->link_local = ip6_link_local(mac);
}

/* Locally administered, the same at every start. */
static void mac_make(struct router *router)
{
    const char *name = router->port.name;
    uint32_t hash = rte_jhash(name, (uint32_t)strlen(name), 0);
    struct rte_ether_addr mac = { { 0x02, 0xfe } };

    memcpy(&mac.addr_bytes[2], &hash, sizeof(hash));
    mac_put(router, &mac);
}

static void vlan_put(struct vlan_set *vlans, uint16_t vid)
{
    memset(vlans, 0, sizeof(*vlans));
    vlans->pvid = vid;
    vlans->members[vid / 64] = vlans->untagged[vid / 64] = 1ull << vid % 64;
}

static void port_init(struct router *router)
{
    const char *name = bridge_name(router->bridge);

    router->port.ops = &router_port_ops;
    memcpy(router->port.name, name, strlen(name) + 1);
    router->port.mtu = MTU_DEFAULT;
    router->port.tx_caps =
        PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6 | PORT_TX_TSO_V4 | PORT_TX_TSO_V6 | PORT_TX_MULTI_SEG;
    router->port.up = true;
    router->port.vlans = &router->vlans;
    vlan_put(&router->vlans, 0);
    mac_make(router);
}

/* The MAC is the router's, whatever a guest in the bridge says. */
static int plug(struct router *router)
{
    int err = bridge_port_add(router->bridge, &router->port, false);

    if (err == 0)
        err = bridge_station_pin(&router->port, router->vlans.pvid, &router->port.mac);
    if (err)
        bridge_port_remove(&router->port);
    return err;
}

/* What a bridge knows of a port it learns as the port is plugged in. */
static void plug_again(struct router *router)
{
    bridge_port_remove(&router->port);
    (void)plug(router); /* its place is free */
}

int router_create(struct bridge *bridge, struct router **router_r)
{
    struct router *router = &router_host.routers[router_host.nr];
    int err;

    if (router_find(bridge))
        return -EEXIST;
    if (router_host.nr == ROUTER_MAX)
        return -ENOSPC;
    memset(router, 0, sizeof(*router));
    router->bridge = bridge;
    router->index = (uint8_t)router_host.nr;
    port_init(router);
    neighbours_init(&router->neighbours, &router_neighbour_ops, router,
                    rte_jhash_1word(router->index, router_host.seed));
    err = plug(router);
    if (err) {
        router->bridge = NULL;
        return err;
    }
    router_host.nr++;
    *router_r = router;
    return 0;
}

void router_vlan_set(struct router *router, uint16_t vid)
{
    vlan_put(&router->vlans, vid);
    plug_again(router);
}

void router_mac_set(struct router *router, const struct rte_ether_addr *mac, uint64_t now)
{
    if (!rte_is_valid_assigned_ether_addr(mac) || rte_is_same_ether_addr(mac, &router->port.mac))
        return;
    mac_put(router, mac);
    plug_again(router);
    router_announce(router, now);
}

const struct rte_ether_addr *router_mac(const struct router *router)
{
    return &router->port.mac;
}

void router_mtu_set(struct router *router, uint16_t mtu)
{
    router->port.mtu = mtu;
}

uint16_t router_mtu(const struct router *router)
{
    return router->port.mtu;
}

uint64_t router_tick(uint64_t now)
{
    uint64_t due = nat_tick(now);

    router_host.now = now;
    for (unsigned int i = 0; i < router_host.nr; i++) {
        struct router *router = &router_host.routers[i];

        router_enter(router);
        due = RTE_MIN(due, neighbours_tick(&router->neighbours, now));
        due = RTE_MIN(due, router_announce_tick(router));
        router_leave(router);
    }
    return due;
}

const struct router_stats *router_stats(const struct router *router)
{
    return &router->stats;
}

unsigned int router_neighbours(const struct router *router)
{
    return router->neighbours.nr;
}
