/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/pool.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "eal/eal.h"
#include "eal/owner.h"
#include "eal/pool_internal.h"
#include "eal/seal.h"
#include "xen/log.h"

#define SHARE_PERCENT 60
#define NR_MIN 256
#define NR_MAX 8192

/* Object header, mbuf, headroom and room, and the stack's pointer: a little more than it takes. */
#define MBUF_COST (64 + sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM + 64)

static struct rte_mempool *pool;
struct owner_map owner_map;

_Static_assert(sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM >=
                   1u << OWNER_SLOT_SHIFT,
               "one mbuf in a slot");

static void mbuf_bounds(struct rte_mempool *mp, void *opaque, void *mbuf, unsigned int index)
{
    uintptr_t *bounds = opaque;

    (void)mp;
    if (index == 0 || (uintptr_t)mbuf < bounds[0])
        bounds[0] = (uintptr_t)mbuf;
    if (index == 0 || (uintptr_t)mbuf > bounds[1])
        bounds[1] = (uintptr_t)mbuf;
}

static void mbuf_note(struct rte_mempool *mp, void *opaque, void *mbuf, unsigned int index)
{
    const size_t slot = owner_slot(mbuf);
    const uintptr_t start = owner_map.lowest + (slot << OWNER_SLOT_SHIFT);

    (void)mp;
    (void)opaque;
    (void)index;
    INVARIANT(owner_map.where[slot] == OWNER_NOWHERE);
    owner_map.where[slot] = (uint8_t)(((uintptr_t)mbuf - start) >> OWNER_ALIGN_SHIFT);
    owner_map.owner[slot] = OWNER_FREE;
    INVARIANT(owner_mbuf(slot) == mbuf);
}

/* The slots are few: the pool is in one piece or in some. */
static int owners_init(void)
{
    uintptr_t bounds[2] = { 0, 0 };
    size_t nr;

    rte_mempool_obj_iter(pool, mbuf_bounds, bounds);
    nr = ((bounds[1] - bounds[0]) >> OWNER_SLOT_SHIFT) + 1;
    owner_map.owner = rte_zmalloc(NULL, nr, 0);
    owner_map.where = rte_malloc(NULL, nr, 0);
    if (!owner_map.owner || !owner_map.where)
        return -ENOMEM;
    memset(owner_map.where, OWNER_NOWHERE, nr);
    owner_map.lowest = bounds[0];
    owner_map.nr_slots = (uint32_t)nr;
    rte_mempool_obj_iter(pool, mbuf_note, NULL);
    ((struct pool_stack *)pool->pool_data)->is_complete = true;
    return 0;
}

/* No caches: there is one thread, and each would cost as much as 128 lcores could use. */
static int pool_make(unsigned int nr)
{
    pool = rte_pktmbuf_pool_create_by_ops("mbufs", nr, 0, 0, RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM,
                                          0, POOL_OPS);
    return pool ? owners_init() : -rte_errno;
}

int pool_init(void)
{
    size_t size, used, nr;
    int err;

    eal_heap_usage(&size, &used);
    nr = (size - used) / 100 * SHARE_PERCENT / MBUF_COST;
    if (nr > NR_MAX)
        nr = NR_MAX;
    if (nr < NR_MIN)
        return -ENOMEM;
    err = pool_make((unsigned int)nr);
    if (err != 0)
        return err;
    log_debug("pool: %zu mbufs, heap of %zu KB", nr, size >> 10);
    return 0;
}

struct rte_mempool *mbuf_pool(void)
{
    return pool;
}

void pool_seal(void)
{
    const struct rte_mempool_memhdr *chunk;

    seal_add("the pool's address", &pool, sizeof(pool));
    seal_add("the pool", pool, sizeof(*pool) + pool->private_data_size);
    seal_add("the map of mbufs", &owner_map, sizeof(owner_map));
    seal_add("the map of mbufs", owner_map.where, owner_map.nr_slots);
    seal_add("the stack of mbufs", pool->pool_data, offsetof(struct pool_stack, nr));
    seal_add("the pool's operations", &rte_mempool_ops_table, sizeof(rte_mempool_ops_table));
    STAILQ_FOREACH(chunk, &pool->mem_list, next)
    seal_add("a chunk of the pool", chunk, sizeof(*chunk));
}
