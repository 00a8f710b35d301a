/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multicast addresses that a guest wants frames of. Pure, but for the sum that tells whether a
 * restart left the list whole.
 *
 * An address added twice takes two places, and is deleted twice: as with Linux' backend, which is what
 * frontends are written for. Broadcasts are not filtered.
 * Source: xen/io/netif.h, "feature-multicast-control"; the bound is that of Linux' backend.
 */
#ifndef VIF_MULTICAST_H
#define VIF_MULTICAST_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "arch/x86/cpu.h"

#define MULTICAST_MAX 64

struct multicast_list {
    uint32_t sum; /* over all that follows */
    bool is_whole; /* false: addresses may be missing, so nothing may be filtered by it */
    uint8_t nr;
    struct rte_ether_addr addresses[MULTICAST_MAX];
};

/* No addresses. is_whole: none were added before. */
void multicast_clear(struct multicast_list *list, bool is_whole);

/* Returns 0, -EINVAL for an address of no group or the broadcast one, -ENOSPC when the list is full. */
int multicast_add(struct multicast_list *list, const struct rte_ether_addr *address) __must_check;

/* Take out one entry of an address; one that is not there is not missed. */
void multicast_delete(struct multicast_list *list, const struct rte_ether_addr *address);

/* Is the list as it was left? */
bool multicast_is_sound(const struct multicast_list *list);

/* Must this frame be kept from a guest that asked for the list to be applied? */
bool multicast_filters(const struct multicast_list *list, const struct rte_mbuf *frame);

#endif
