/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which addresses are behind which vif of a router: one sorted table for all routers and both IP
 * versions. No two guests share an address, so the prefixes in it do not overlap, and the one that
 * an address is in is the longest: eleven comparisons of numbers find it among 2112. librte_lpm and
 * librte_fib want tables of 64 MB for that, for longest matches that cannot occur.
 */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"

#define ROUTE_MAX 2112 /* 64 vifs with 16 prefixes of each kind, and a router's address for each */
#define ROUTE_NONE 0xff /* nobody's: it is elsewhere, if anywhere */
#define ROUTE_LOCAL 0xfe /* the router's own */

/* Forget all. */
void route_reset(void);

/*
 * Whose an address is: an owner, ROUTE_LOCAL or ROUTE_NONE.
 *
 *   router  of which router
 */
uint8_t route_find(uint8_t router, const struct address *addr);

/*
 * Give a prefix to an owner. What lies in a prefix that the owner has is there already.
 *
 *   owner  a vif's index, or ROUTE_LOCAL (with len 128); the latter is counted, and may be there
 *          already
 *   len    0 to 128: ADDRESS_LEN4 on top for IPv4
 *
 * Returns 0, -EEXIST (part of it is another owner's) or -ENOSPC.
 */
int route_add(uint8_t router, const struct address *addr, uint8_t len, uint8_t owner);

/* Take all prefixes from a vif. */
void route_owner_remove(uint8_t owner);

/* Undo one route_add() of ROUTE_LOCAL. */
void route_local_remove(uint8_t router, const struct address *addr);

/* Call visit for each prefix of an owner, in order. The table must not change meanwhile. */
void route_each(uint8_t owner,
                void (*visit)(void *context, const struct address *first,
                              const struct address *last),
                void *context);

#endif
