/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/bridge.h"

#include <errno.h>
#include <string.h>

#include <rte_jhash.h>
#include <rte_prefetch.h>

#include "net/egress.h"
#include "net/fdb.h"

struct bridge {
    char name[BRIDGE_NAME_SIZE];
    uint8_t index;
    uint64_t present; /* bit i: ports[i] is set */
    struct port *ports[BRIDGE_PORTS_MAX];
};

_Static_assert(BRIDGE_PORTS_MAX <= 64, "a port is a bit of present");
_Static_assert(BRIDGE_MAX *BRIDGE_PORTS_MAX <= FDB_OWNERS, "a port is an owner of stations");
_Static_assert(FDB_DOMAIN(BRIDGE_MAX - 1, 0) / FDB_DOMAIN(1, 0) == BRIDGE_MAX - 1,
               "a bridge is a part of a domain");

static struct bridge bridges[BRIDGE_MAX];
static unsigned int nr_bridges;

/* What became of a frame's addresses, kept for the frames right behind it. */
struct verdict {
    uint8_t addresses[2 * RTE_ETHER_ADDR_LEN]; /* destination and source */
    struct port *to; /* NULL: flood */
};

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

static uint16_t owner_of(const struct port *port)
{
    return port->bridge->index * BRIDGE_PORTS_MAX + port->bridge_index;
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
    if (fdb_owner_add(owner_of(port), uplink ? BRIDGE_STATIONS_UPLINK : BRIDGE_STATIONS_GUEST,
                      identity_of(bridge, port)) == 0) {
        port->bridge = NULL;
        return -ENOSPC;
    }
    if (egress_plug(port) != 0) {
        fdb_owner_remove(owner_of(port));
        port->bridge = NULL;
        return -ENOSPC;
    }
    bridge->ports[port->bridge_index] = port;
    bridge->present |= 1ull << port->bridge_index;
    fdb_owner_recall(owner_of(port), bridge->index);
    return 0;
}

void bridge_port_remove(struct port *port)
{
    struct bridge *bridge = port->bridge;

    if (!bridge)
        return;
    fdb_owner_remove(owner_of(port));
    egress_unplug(port);
    bridge->present &= ~(1ull << port->bridge_index);
    bridge->ports[port->bridge_index] = NULL;
    port->bridge = NULL;
}

void bridge_port_forget(struct port *port)
{
    if (port->bridge)
        fdb_owner_flush(owner_of(port));
}

unsigned int bridge_port_stations(const struct port *port)
{
    return port->bridge ? fdb_owner_count(owner_of(port)) : 0;
}

/* Sending may take ports out of the bridge, this one's target or another. */
static void flood(struct bridge *bridge, uint8_t ingress, struct rte_mbuf *frame)
{
    uint64_t targets = bridge->present & ~(1ull << ingress);

    while (targets) {
        struct port *port = bridge->ports[__builtin_ctzll(targets)];

        targets &= targets - 1;
        if (!port)
            continue;
        if (targets == 0) {
            egress_put(port, frame);
            return;
        }
        rte_pktmbuf_refcnt_update(frame, 1);
        egress_put(port, frame);
    }
    rte_pktmbuf_free(frame);
}

/* 01:80:C2:00:00:00 to 0F */
static bool is_link_local(const struct rte_ether_addr *mac)
{
    static const uint8_t prefix[] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

    return memcmp(mac->addr_bytes, prefix, sizeof(prefix)) == 0 && mac->addr_bytes[5] <= 0x0f;
}

/* Free a frame that cannot be forwarded; false if it can. */
static bool reject(struct port *port, struct rte_mbuf *frame)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

    if (!port->bridge || frame->data_len < RTE_ETHER_HDR_LEN ||
        !rte_is_valid_assigned_ether_addr(&ether->src_addr))
        port->stats.rx_errors++;
    else if (!is_link_local(&ether->dst_addr))
        return false;
    rte_pktmbuf_free(frame);
    return true;
}

/* Learn where a frame came from and find out where it goes. */
static void decide(struct port *port, const struct rte_ether_hdr *ether, uint64_t now,
                   struct verdict *verdict)
{
    uint16_t domain = FDB_DOMAIN(port->bridge->index, 0), owner = FDB_NONE;

    (void)fdb_learn(owner_of(port), domain, &ether->src_addr, now);
    if (rte_is_unicast_ether_addr(&ether->dst_addr))
        owner = fdb_lookup(domain, &ether->dst_addr, now);
    memcpy(verdict->addresses, ether, sizeof(verdict->addresses));
    verdict->to = owner == FDB_NONE ? NULL : port->bridge->ports[owner % BRIDGE_PORTS_MAX];
}

/* Still right for a frame? Not if its port was unplugged in between. */
static bool verdict_holds(const struct verdict *verdict, const struct bridge *bridge,
                          const struct rte_ether_hdr *ether)
{
    return memcmp(verdict->addresses, ether, sizeof(verdict->addresses)) == 0 &&
           (!verdict->to || verdict->to->bridge == bridge);
}

void bridge_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now)
{
    struct verdict verdict = { 0 }; /* holds for no valid frame: nobody's address is 0 */

    for (uint16_t i = 0; i < nr; i++)
        rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
    for (uint16_t i = 0; i < nr; i++) {
        const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frames[i], const void *);

        if (reject(port, frames[i]))
            continue;
        if (!verdict_holds(&verdict, port->bridge, ether))
            decide(port, ether, now, &verdict);
        if (!verdict.to)
            flood(port->bridge, port->bridge_index, frames[i]);
        else if (verdict.to == port)
            rte_pktmbuf_free(frames[i]);
        else
            egress_put(verdict.to, frames[i]);
    }
}

void bridge_flush(void)
{
    egress_flush_all();
}
