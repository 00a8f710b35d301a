/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbour discovery for IPv6 (RFC 4861): solicitations and advertisements as they are on the
 * wire.
 */
#ifndef NET_ND_H
#define NET_ND_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "net/address.h"

#define ND_ROUTER_SOLICIT 133 /* the first and the last ICMPv6 type of neighbour discovery */
#define ND_SOLICIT 135
#define ND_ADVERT 136
#define ND_REDIRECT 137

#define ND_IS_ROUTER 0x80 /* flags of an advertisement */
#define ND_IS_SOLICITED 0x40
#define ND_OVERRIDES 0x20

struct nd {
    uint8_t type; /* ND_SOLICIT or ND_ADVERT */
    uint8_t flags; /* ND_*, of an advertisement */
    struct address src, dst, target;
    bool has_mac;
    struct rte_ether_addr mac; /* the source's (of a solicitation), or the target's */
};

/*
 * Read a solicitation or an advertisement.
 *
 *   frame  parsed (net/frame.h), ICMPv6; not changed
 *   nd_r   set on success only
 *
 * Returns 0, -ENOENT (another type of ICMPv6), or -EINVAL: what RFC 4861, 7.1, has dropped: a hop
 * limit that is not 255 (it came from afar), a wrong checksum or code, cut off, an option of length
 * 0, a group as its target, a solicitation from :: that is not to a group or names a MAC, an
 * advertisement to a group that says it was asked for; and a MAC that is a group's. ND in fragments
 * is dropped too (RFC 6980).
 */
int nd_read(const struct rte_mbuf *frame, struct nd *nd_r);

/*
 * Make a frame with a solicitation or an advertisement, nd->has_mac or not.
 *
 *   from, to  MACs of the frame
 *
 * Returns the caller's frame, or NULL if the pool is empty.
 */
struct rte_mbuf *nd_make(struct rte_mempool *pool, const struct nd *nd,
                         const struct rte_ether_addr *from, const struct rte_ether_addr *to);

/* The MAC that an IPv6 group's frames go to (RFC 2464, 7). */
struct rte_ether_addr nd_group_mac(const struct address *group);

#endif
