/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/pool.h"

#include <errno.h>
#include <stddef.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

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

/* Drivers may have dynamic fields too. */
static int owner_field_reserve(void)
{
    static const struct rte_mbuf_dynfield field = { .name = "ferry_owner",
                                                    .size = sizeof(uint32_t),
                                                    .align = __alignof__(uint32_t) };
    const size_t offset = offsetof(struct rte_mbuf, dynfield1[OWNER_FIELD]);

    return rte_mbuf_dynfield_register_offset(&field, offset) == (int)offset ? 0 : -rte_errno;
}

static void mbuf_note(struct rte_mempool *mp, void *opaque, void *mbuf, unsigned int index)
{
    struct pool_stack *stack = opaque;

    (void)mp;
    owner_set(mbuf, OWNER_FREE);
    if (index == 0 || (uintptr_t)mbuf < stack->lowest)
        stack->lowest = (uintptr_t)mbuf;
    if ((uintptr_t)mbuf > stack->highest)
        stack->highest = (uintptr_t)mbuf;
}

/* No caches: there is one thread, and each would cost as much as 128 lcores could use. */
static int pool_make(unsigned int nr)
{
    struct pool_stack *stack;

    pool = rte_pktmbuf_pool_create_by_ops("mbufs", nr, 0, 0, RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM,
                                          0, POOL_OPS);
    if (!pool)
        return -rte_errno;
    stack = pool->pool_data;
    rte_mempool_obj_iter(pool, mbuf_note, stack);
    stack->is_complete = true;
    return 0;
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
    err = owner_field_reserve();
    if (err == 0)
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
    seal_add("the stack of mbufs", pool->pool_data, offsetof(struct pool_stack, nr));
    seal_add("the pool's operations", &rte_mempool_ops_table, sizeof(rte_mempool_ops_table));
    STAILQ_FOREACH(chunk, &pool->mem_list, next)
    seal_add("a chunk of the pool", chunk, sizeof(*chunk));
}
