/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/pool.h"

#include <errno.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "eal/eal.h"
#include "xen/log.h"

#define SHARE_PERCENT 60
#define NR_MIN 256
#define NR_MAX 8192

/* Object header, mbuf, headroom and room, and the ring's pointer: a little more than it takes. */
#define MBUF_COST (64 + sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM + 64)

static struct rte_mempool *pool;

/*
 * No caches, each of which would cost as much as 128 lcores could use, and the ring without atomic
 * operations: there is one thread.
 */
int pool_init(void)
{
    size_t size, used, nr;

    eal_heap_usage(&size, &used);
    nr = (size - used) / 100 * SHARE_PERCENT / MBUF_COST;
    if (nr > NR_MAX)
        nr = NR_MAX;
    if (nr < NR_MIN)
        return -ENOMEM;
    pool = rte_pktmbuf_pool_create_by_ops("mbufs", (unsigned int)nr, 0, 0,
                                          RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM, 0, "ring_sp_sc");
    if (!pool)
        return -rte_errno;
    log_debug("pool: %zu mbufs, heap of %zu KB", nr, size >> 10);
    return 0;
}

struct rte_mempool *mbuf_pool(void)
{
    return pool;
}
