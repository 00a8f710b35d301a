/* SPDX-License-Identifier: BSD-2-Clause */
/* What bridge.c (bridges and their ports) and bridge_forward.c (frames) share. */
#ifndef NET_BRIDGE_INTERNAL_H
#define NET_BRIDGE_INTERNAL_H

#include "net/bridge.h"
#include "net/rate.h"

struct bridge {
    char name[BRIDGE_NAME_SIZE];
    uint8_t index;
    uint16_t group_fwd_mask; /* bit n: frames to 01:80:C2:00:00:0n are forwarded */
    uint64_t present; /* bit i: ports[i] is set */
    struct port *ports[BRIDGE_PORTS_MAX];
    struct bridge_stats stats;
    struct rate storms[BRIDGE_PORTS_MAX]; /* of what ports flood */
};

/* A port of a bridge as an owner of stations (net/fdb.h), and back. */
static inline uint16_t bridge_owner(const struct port *port)
{
    return port->bridge->index * BRIDGE_PORTS_MAX + port->bridge_index;
}

static inline struct port *bridge_owner_port(const struct bridge *bridge, uint16_t owner)
{
    return bridge->ports[owner % BRIDGE_PORTS_MAX];
}

#endif
