/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The topology that the configuration asks for: bridges, their uplinks, and routers where bridges have
 * addresses. Made at boot; vifs join it by main/vif_place.h.
 */
#ifndef MAIN_TOPOLOGY_H
#define MAIN_TOPOLOGY_H

#include <stdint.h>

#include "main/config.h"
#include "net/port.h"

struct bridge;
struct router;

/* Make it all, anew or after a restart. Ends the domain with a log line if the tables cannot hold it. */
void topology_create(const struct config *config);

/* What the configuration says of a NIC's longest packet, bytes: mtu= of the bridge whose uplink it is; 0: nothing. */
uint16_t topology_nic_mtu(const struct port *nic);

/*
 * Put NICs where the configuration wants them; what it names and is not there, and what is there
 * and is named nowhere, is logged.
 *
 *   nics  nr of them, in the order of pci=[...]
 */
void topology_uplinks_add(struct port *const *nics, unsigned int nr);

/* A NIC's link has come up, or gone down. */
void topology_link_changed(struct port *nic);

/* Frames that came in through a port; nr of them, which pass on. */
void topology_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now);

/* What is due in routers and their services, each turn of the loop. Returns when to call again at the latest, ns. */
uint64_t topology_tick(uint64_t now);

/* Say on the console, not too often, what routers refused. */
void topology_report(void);

/*
 * The bridge whose router a vif is to be behind.
 *
 *   gatewaydev  "" or the bridge's name
 *   bridge      the vif's bridge=: counts if gatewaydev is ""
 *   router_r    set on success only; of the first bridge with an address if bridge is "" or libxl's
 *               default, xenbr0, and that has none
 *
 * Returns 0, or -ENOENT with *why_r, valid until the next call.
 */
int topology_router_find(const char *gatewaydev, const char *bridge, struct router **router_r,
                         const char **why_r) __attribute__((warn_unused_result));

/* What the configuration says about a bridge. */
const struct config_bridge *topology_bridge_config(const struct bridge *bridge);

/* Names of all bridges, for sentences. */
const char *topology_bridge_names(void);

#endif
