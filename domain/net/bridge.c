/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/bridge_internal.h"

#include <errno.h>
#include <string.h>

#include <rte_jhash.h>

#include <ferry/vlan.h>

#include "net/egress.h"
#include "net/fdb.h"

/* Without the spanning tree its frames go on, so that others find their loops: a Linux bridge does so too. */
#define FWD_STP (1u << 0)
#define FWD_PAUSE (1u << 1)

_Static_assert(BRIDGE_PORTS_MAX <= 64, "a port is a bit of present");
_Static_assert(BRIDGE_MAX *BRIDGE_PORTS_MAX <= FDB_OWNERS, "a port is an owner of stations");
_Static_assert(FDB_DOMAIN(BRIDGE_MAX - 1, 0) / FDB_DOMAIN(1, 0) == BRIDGE_MAX - 1,
               "a bridge is a part of a domain");

static struct bridge bridges[BRIDGE_MAX];
static unsigned int nr_bridges;

static void bridges_reset(void)
{
    memset(bridges, 0, sizeof(bridges));
    nr_bridges = 0;
}

void bridge_init(struct rte_mempool *pool, uint32_t seed)
{
    bridges_reset();
    egress_init(pool);
    fdb_init(seed);
}

unsigned int bridge_resume(struct rte_mempool *pool, uint32_t seed)
{
    bridges_reset();
    egress_init(pool);
    return fdb_resume(seed);
}

void bridge_ageing_set(uint64_t ageing_ns)
{
    fdb_ageing_set(ageing_ns);
}

int bridge_create(const char *name, struct bridge **bridge_r)
{
    struct bridge *bridge = &bridges[nr_bridges];

    if (name[0] == '\0' || strlen(name) >= BRIDGE_NAME_SIZE)
        return -EINVAL;
    if (bridge_find(name))
        return -EEXIST;
    if (nr_bridges == BRIDGE_MAX)
        return -ENOSPC;
    memcpy(bridge->name, name, strlen(name) + 1);
    bridge->index = nr_bridges++;
    bridge->group_fwd_mask = FWD_STP;
    *bridge_r = bridge;
    return 0;
}

struct bridge *bridge_find(const char *name)
{
    for (unsigned int i = 0; i < nr_bridges; i++)
        if (strcmp(bridges[i].name, name) == 0)
            return &bridges[i];
    return NULL;
}

const char *bridge_name(const struct bridge *bridge)
{
    return bridge->name;
}

int bridge_group_fwd_mask_set(struct bridge *bridge, uint16_t mask)
{
    if (mask & FWD_PAUSE)
        return -EINVAL;
    bridge->group_fwd_mask = mask | FWD_STP;
    return 0;
}

/* A port is known again by its name and its bridge's. */
static uint32_t identity_of(const struct bridge *bridge, const struct port *port)
{
    uint32_t hash = rte_jhash(bridge->name, (uint32_t)strlen(bridge->name), 0);

    return rte_jhash(port->name, (uint32_t)strlen(port->name), hash);
}

int bridge_port_add(struct bridge *bridge, struct port *port, bool uplink)
{
    if (port->bridge)
        return -EBUSY;
    if (bridge->present == UINT64_MAX)
        return -ENOSPC;
    port->bridge = bridge;
    port->bridge_index = __builtin_ctzll(~bridge->present);
    if (fdb_owner_add(bridge_owner(port), uplink ? BRIDGE_STATIONS_UPLINK : BRIDGE_STATIONS_GUEST,
                      identity_of(bridge, port)) == 0) {
        port->bridge = NULL;
        return -ENOSPC;
    }
    if (egress_plug(port) != 0) {
        fdb_owner_remove(bridge_owner(port));
        port->bridge = NULL;
        return -ENOSPC;
    }
    bridge->ports[port->bridge_index] = port;
    bridge->storms[port->bridge_index] = (struct rate){ 0 };
    bridge->present |= 1ull << port->bridge_index;
    fdb_owner_recall(bridge_owner(port), bridge->index);
    return 0;
}

void bridge_port_remove(struct port *port)
{
    struct bridge *bridge = port->bridge;

    if (!bridge)
        return;
    fdb_owner_remove(bridge_owner(port));
    egress_unplug(port);
    bridge->present &= ~(1ull << port->bridge_index);
    bridge->ports[port->bridge_index] = NULL;
    port->bridge = NULL;
}

void bridge_port_forget(struct port *port)
{
    if (port->bridge)
        fdb_owner_flush(bridge_owner(port));
}

unsigned int bridge_port_stations(const struct port *port)
{
    return port->bridge ? fdb_owner_count(bridge_owner(port)) : 0;
}

int bridge_station_pin(struct port *port, uint16_t vid, const struct rte_ether_addr *mac)
{
    if (!port->bridge || vid >= VLAN_IDS || !rte_is_valid_assigned_ether_addr(mac))
        return -EINVAL;
    return fdb_pin(bridge_owner(port), FDB_DOMAIN(port->bridge->index, vid), mac);
}

bool bridge_info(unsigned int index, struct bridge_info *info_r)
{
    const struct bridge *bridge = &bridges[index];

    if (index >= nr_bridges)
        return false;
    *info_r = (struct bridge_info){ .name = bridge->name, .stats = &bridge->stats };
    for (uint64_t left = bridge->present; left; left &= left - 1) {
        info_r->nr_ports++;
        info_r->nr_stations += bridge_port_stations(bridge->ports[__builtin_ctzll(left)]);
    }
    return true;
}

void bridge_flush(void)
{
    egress_flush_all();
}

unsigned int bridge_stations(const struct port *port, struct fdb_station *stations_r,
                             unsigned int max, uint64_t now, unsigned int *nr_known_r)
{
    *nr_known_r = 0;
    return port->bridge ? fdb_stations(bridge_owner(port), stations_r, max, now, nr_known_r) : 0;
}
