/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a router does over UDP: its own address by DHCP toward the bridge; DHCP and DNS toward its guests. This ties
 * net/dhcp_client.h, net/dhcp_server.h and net/dns_forward.h to net/router.h.
 *
 * A turn of the loop: router_tick(now), then services_tick(now), then frames are handed in.
 *
 * A lease outlives a restart of the kernel: the first services_tick() gives the router its address back, and the
 * server is asked afterwards. Guests lose nothing, for nothing is remembered about them.
 */
#ifndef NET_SERVICES_H
#define NET_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#define SERVICES_DNS_MAX 3 /* servers that can be configured */

struct port;
struct router;

/*
 * Start, anew or after a restart. Once, after router_init(), whose UDP handlers it sets.
 *
 *   seed  random, and unknown to everybody. DHCP's part of it is the upper half, DNS' the lower: the whole net
 *         sees what is made of the former.
 *   say   given lines for the console, without line feed; few, whatever anybody sends
 *
 * Returns 0, or -ENOSPC: the router has no room for the handlers.
 */
int services_init(uint64_t seed, void (*say)(const char *line));

/*
 * Serve a router and its guests.
 *
 *   router  for ever; its MTU is that of the bridge
 *   dhcp    its IPv4 address in the bridge comes and goes by DHCP, and its MTU if that is below the bridge's; other
 *           addresses of it stay as they are
 *   dns     where guests' queries go, nr_dns servers; none: where DHCP says. Without either guests are told of no DNS
 *           server, and queries are answered with a failure
 *
 * Returns 0, -EEXIST (it is served already) or -EINVAL (too many servers).
 */
int services_router_add(struct router *router, bool dhcp, const rte_be32_t *dns,
                        unsigned int nr_dns) __attribute__((warn_unused_result));

/*
 * Serve the guest of a vif, as its router_vif_config says: DHCP, DNS, both or none.
 *
 *   port      behind a router that is served (router_vif_add())
 *   dhcp_len  prefix length that the guest is told to use, of its first address; 0: it has none. See
 *             dhcp_server_prefix_len().
 *
 * Returns 0, or -EINVAL: behind no such router, a length above 32.
 */
int services_vif_add(const struct port *port, uint8_t dhcp_len) __attribute__((warn_unused_result));

/* Serve it no longer, before router_vif_remove(). Nothing happens if it is not served. */
void services_vif_remove(const struct port *port);

/* The link of a router's uplink has come up: its lease is looked after at once. */
void services_link_up(const struct router *router, uint64_t now);

/* Do what is due, ns. Returns when to call again at the latest; UINT64_MAX: never. */
uint64_t services_tick(uint64_t now);

#endif
