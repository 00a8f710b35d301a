/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one pool of mbufs: for the NICs' rings, for frames from guests, for copies.
 *
 * Free ones lie on a stack: the one freed last, whose lines are in the processor's cache, is the
 * next to be used.
 */
#ifndef EAL_POOL_H
#define EAL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "arch/x86/cpu.h"

/* Bytes of a frame that an mbuf holds, behind RTE_PKTMBUF_HEADROOM. */
#define POOL_MBUF_ROOM 2048

/*
 * Make the pool, sized by the heap: about 60 % of it, so that rings and tables find the rest.
 * Called by eal_init(). Returns 0 or -ENOMEM.
 */
int pool_init(void) __must_check;

/* NULL before eal_init(). */
struct rte_mempool *mbuf_pool(void);

/*
 * After a restart: look at every mbuf, free those that were ours, leave those that a driver holds.
 * Ours that a driver's indirect segments point into stay too, with as many references.
 *
 *   driver_min, driver_max  how many mbufs the drivers can hold
 *
 * Returns NULL, or what is wrong; then the pool is of no use, nor is what drivers have of it.
 */
const char *pool_reclaim(unsigned int driver_min, unsigned int driver_max) __must_check;

/* Name what of the pool does not change (eal/seal.h). */
void pool_seal(void);

/* Whether a machine address is where a driver's mbuf has its data, behind the headroom. */
bool pool_is_room_of_driver(uint64_t maddr) __must_check;

#endif
