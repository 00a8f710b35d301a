/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool after a restart. Nothing is believed but whom an mbuf belongs to: where it is says all that
 * must be true of a free one, and ours are written anew. The driver's are compared, not touched.
 */
#include <stdio.h>

#include <rte_mbuf.h>
#include <rte_memory.h>

#include "eal/owner.h"
#include "eal/pool.h"
#include "eal/pool_internal.h"

#define REASON_SIZE 64
#define EXTENT_SHIFT 21 /* DPDK's segments: contiguous machine memory */
#define EXTENTS 16 /* whose addresses are remembered */

struct reclaim {
    struct rte_mempool *pool;
    struct pool_stack *stack;
    struct rte_mbuf *ours; /* linked by next, without references */
    unsigned int nr_driver;
    unsigned int indirect; /* the driver's indirect ones lie on the stack from here to its end */
};

static const char *wrong(const char *what, const void *where)
{
    static char reason[REASON_SIZE];

    snprintf(reason, sizeof(reason), "mbuf %p: %s", where, what);
    return reason;
}

/* Whether an mbuf of the pool's is there: its header says so, and its machine address, which nothing
 * else that looks like a header has. */
static bool is_mbuf(const struct rte_mempool *pool, const void *mbuf)
{
    const struct pool_stack *stack = pool->pool_data;
    const struct rte_mempool_objhdr *header;

    if ((uintptr_t)mbuf < stack->lowest || (uintptr_t)mbuf > stack->highest ||
        (uintptr_t)mbuf % RTE_CACHE_LINE_SIZE != 0)
        return false;
    header = (const struct rte_mempool_objhdr *)mbuf - 1;
    return header->mp == pool && header->iova == rte_mem_virt2iova(mbuf);
}

/* Its buffer is its own. */
static bool is_whole(const struct reclaim *reclaim, const struct rte_mbuf *mbuf, rte_iova_t iova)
{
    return mbuf->buf_addr == (const void *)(mbuf + 1) &&
           rte_mbuf_iova_get(mbuf) == iova + sizeof(*mbuf) &&
           mbuf->buf_len == RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM && mbuf->pool == reclaim->pool &&
           mbuf->priv_size == 0 && rte_mbuf_refcnt_read(mbuf) == 1 && RTE_MBUF_DIRECT(mbuf);
}

static const char *free_take(struct reclaim *reclaim, struct rte_mbuf *mbuf, rte_iova_t iova)
{
    if (!is_whole(reclaim, mbuf, iova) || mbuf->next || mbuf->nb_segs != 1)
        return wrong("free, and damaged", mbuf);
    reclaim->stack->mbufs[reclaim->stack->nr++] = mbuf;
    return NULL;
}

/* As rte_pktmbuf_init() makes them, but for the reference. */
static void ours_take(struct reclaim *reclaim, struct rte_mbuf *mbuf, rte_iova_t iova)
{
    mbuf->buf_addr = mbuf + 1;
    rte_mbuf_iova_set(mbuf, iova + sizeof(*mbuf));
    mbuf->buf_len = RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM;
    mbuf->data_off = RTE_PKTMBUF_HEADROOM;
    mbuf->data_len = 0;
    mbuf->pkt_len = 0;
    mbuf->ol_flags = 0;
    mbuf->nb_segs = 1;
    mbuf->priv_size = 0;
    mbuf->shinfo = NULL;
    mbuf->pool = reclaim->pool;
    mbuf->port = RTE_MBUF_PORT_INVALID;
    rte_mbuf_refcnt_set(mbuf, 0);
    mbuf->next = reclaim->ours;
    reclaim->ours = mbuf;
}

static const char *drivers_look_at(struct reclaim *reclaim, struct rte_mbuf *mbuf, rte_iova_t iova)
{
    reclaim->nr_driver++;
    if (mbuf->next && !is_mbuf(reclaim->pool, mbuf->next))
        return wrong("the driver's, and leads nowhere", mbuf);
    if (RTE_MBUF_CLONED(mbuf) && !RTE_MBUF_HAS_EXTBUF(mbuf) && mbuf->pool == reclaim->pool &&
        rte_mbuf_refcnt_read(mbuf) == 1)
        reclaim->stack->mbufs[--reclaim->indirect] = mbuf;
    else if (!is_whole(reclaim, mbuf, iova))
        return wrong("the driver's, and damaged", mbuf);
    return NULL;
}

static const char *mbuf_take(struct reclaim *reclaim, struct rte_mbuf *mbuf, rte_iova_t iova)
{
    switch (owner_of(mbuf)) {
    case OWNER_FREE:
        return free_take(reclaim, mbuf, iova);
    case OWNER_FERRY:
        ours_take(reclaim, mbuf, iova);
        return NULL;
    case OWNER_DRIVER:
        return drivers_look_at(reclaim, mbuf, iova);
    default:
        return wrong("nobody's", mbuf);
    }
}

/* A link that leads astray makes the list end early, or too late. */
static const char *mbufs_walk(struct reclaim *reclaim)
{
    const struct rte_mempool *pool = reclaim->pool;
    const struct rte_mempool_objhdr *header = STAILQ_FIRST(&pool->elt_list);
    const char *why = NULL;

    for (uint32_t i = 0; i < pool->populated_size && !why; i++) {
        struct rte_mbuf *mbuf = header ? (struct rte_mbuf *)(uintptr_t)(header + 1) : NULL;

        if (!is_mbuf(pool, mbuf))
            return wrong("not where it was", mbuf);
        why = mbuf_take(reclaim, mbuf, header->iova);
        header = STAILQ_NEXT(header, next);
    }
    return why || !header ? why : wrong("one too many", header);
}

/* A reference for each of the driver's segments that points into one of ours. */
static const char *parents_hold(struct reclaim *reclaim)
{
    for (unsigned int i = reclaim->indirect; i < reclaim->stack->size; i++) {
        struct rte_mbuf *mbuf = reclaim->stack->mbufs[i], *parent = rte_mbuf_from_indirect(mbuf);

        if (mbuf->priv_size != 0 || !is_mbuf(reclaim->pool, parent) ||
            owner_of(parent) != OWNER_FERRY || rte_mbuf_iova_get(mbuf) != rte_mbuf_iova_get(parent))
            return wrong("the driver's, and points nowhere", mbuf);
        rte_mbuf_refcnt_update(parent, 1);
    }
    return NULL;
}

static void ours_free(struct reclaim *reclaim)
{
    struct rte_mbuf *next;

    for (struct rte_mbuf *mbuf = reclaim->ours; mbuf; mbuf = next) {
        next = mbuf->next;
        mbuf->next = NULL;
        if (rte_mbuf_refcnt_read(mbuf) > 0)
            continue;
        rte_mbuf_refcnt_set(mbuf, 1);
        owner_set(mbuf, OWNER_FREE);
        reclaim->stack->mbufs[reclaim->stack->nr++] = mbuf;
    }
}

const char *pool_reclaim(unsigned int driver_min, unsigned int driver_max)
{
    struct rte_mempool *pool = mbuf_pool();
    struct pool_stack *stack = pool->pool_data;
    struct reclaim reclaim = {
        .pool = pool,
        .stack = stack,
        .indirect = stack->size,
    };
    const char *why;

    stack->nr = 0;
    why = mbufs_walk(&reclaim);
    if (!why)
        why = parents_hold(&reclaim);
    if (why)
        return why;
    if (reclaim.nr_driver < driver_min || reclaim.nr_driver > driver_max)
        return "the driver holds fewer or more mbufs than it can";
    ours_free(&reclaim);
    return NULL;
}

/* The address behind a machine address in DPDK's memory; NULL if there is none. */
static void *address_of(uint64_t maddr)
{
    static struct {
        uint64_t extent; /* its machine address; 0: none */
        char *start;
    } known[EXTENTS];
    const uint64_t extent = maddr >> EXTENT_SHIFT << EXTENT_SHIFT;
    const unsigned int i = (maddr >> EXTENT_SHIFT) % EXTENTS;

    if (known[i].extent != extent || extent == 0) {
        known[i].start = rte_mem_iova2virt(extent);
        known[i].extent = known[i].start ? extent : 0;
    }
    return known[i].start ? known[i].start + (maddr - extent) : NULL;
}

bool pool_is_room_of_driver(uint64_t maddr)
{
    const char *room = address_of(maddr);
    const struct rte_mbuf *mbuf;

    if ((uintptr_t)room < RTE_PKTMBUF_HEADROOM + sizeof(*mbuf))
        return false;
    mbuf = (const void *)(room - RTE_PKTMBUF_HEADROOM - sizeof(*mbuf));
    return is_mbuf(mbuf_pool(), mbuf) && owner_of(mbuf) == OWNER_DRIVER;
}
