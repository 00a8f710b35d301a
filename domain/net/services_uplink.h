/* SPDX-License-Identifier: BSD-2-Clause */
/* Routers whose addresses come by DHCP. Used by net/services.c only. */
#ifndef NET_SERVICES_UPLINK_H
#define NET_SERVICES_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

struct router;
struct router_udp;

/* None so far. As services_init(); the net sees what is made of the seed. */
void services_uplink_init(uint64_t seed, void (*say)(const char *line));

/* The router has the bridge's MTU. wants_dns: guests' queries go where DHCP says. */
void services_uplink_add(struct router *router, bool wants_dns);

/* For DHCP_CLIENT_PORT. */
void services_uplink_handle(const struct router_udp *udp);

/* As services_tick(). */
uint64_t services_uplink_tick(uint64_t now);

#endif
