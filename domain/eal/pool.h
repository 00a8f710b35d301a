/* SPDX-License-Identifier: BSD-2-Clause */
/* The one pool of mbufs: for the NICs' rings, for frames from guests, for copies. */
#ifndef EAL_POOL_H
#define EAL_POOL_H

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

#endif
