/* SPDX-License-Identifier: BSD-2-Clause */
/* The mempool operations of the pool: a stack, for one thread, that notes whom mbufs belong to. */
#include <errno.h>

#include <rte_malloc.h>
#include <rte_mempool.h>

#include "eal/owner.h"
#include "eal/pool_internal.h"
#include "xen/log.h"
#include "xen/status.h"

static int stack_alloc(struct rte_mempool *pool)
{
    struct pool_stack *stack =
        rte_zmalloc(NULL, sizeof(*stack) + pool->size * sizeof(stack->mbufs[0]), 0);

    if (!stack)
        return -ENOMEM;
    stack->size = pool->size;
    pool->pool_data = stack;
    return 0;
}

static void stack_free(struct rte_mempool *pool)
{
    rte_free(pool->pool_data);
}

static int stack_push(struct rte_mempool *pool, void *const *mbufs, unsigned int nr)
{
    struct pool_stack *stack = pool->pool_data;
    struct rte_mbuf **top = stack->mbufs + stack->nr;

    INVARIANT(nr <= stack->size - stack->nr);
    for (unsigned int i = 0; i < nr; i++) {
        INVARIANT(!stack->is_complete || owner_of(mbufs[i]) != OWNER_FREE);
        owner_set(mbufs[i], OWNER_FREE);
        top[i] = mbufs[i];
    }
    stack->nr += nr;
    return 0;
}

static int stack_pop(struct rte_mempool *pool, void **mbufs_r, unsigned int nr)
{
    struct pool_stack *stack = pool->pool_data;
    enum owner owner = status_page->in_nic ? OWNER_DRIVER : OWNER_FERRY;
    struct rte_mbuf **top = stack->mbufs + stack->nr;

    if (nr > stack->nr)
        return -ENOBUFS;
    for (unsigned int i = 0; i < nr; i++) {
        mbufs_r[i] = *--top;
        owner_set(mbufs_r[i], owner);
    }
    stack->nr -= nr;
    return 0;
}

static unsigned int stack_count(const struct rte_mempool *pool)
{
    return ((const struct pool_stack *)pool->pool_data)->nr;
}

#define OPS_NAMED(called)                                                                          \
    {                                                                                              \
        .name = (called), .alloc = stack_alloc, .free = stack_free, .enqueue = stack_push,         \
        .dequeue = stack_pop, .get_count = stack_count,                                            \
    }

static const struct rte_mempool_ops stack_ops = OPS_NAMED(POOL_OPS);

/* rte_mempool_create_empty() wants these to exist, before it is told which to use. */
static const struct rte_mempool_ops default_ops = OPS_NAMED("ring_mp_mc");

RTE_MEMPOOL_REGISTER_OPS(stack_ops);
RTE_MEMPOOL_REGISTER_OPS(default_ops);
