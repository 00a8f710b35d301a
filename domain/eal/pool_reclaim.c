/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool after a restart. Nothing is believed but whom an mbuf belongs to: where it is says all that
 * must be true of a free one, and ours are written anew. The driver's are compared, not touched.
 *
 * There are thousands, most of them free and in no cache: those are put on the stack unseen, and
 * looked at later.
 */
#include <stdio.h>

#include <rte_mbuf.h>
#include <rte_memory.h>

#include "eal/owner.h"
#include "eal/pool.h"
#include "eal/pool_internal.h"
#include "xen/clock.h"
#include "xen/recovery.h"
#include "xen/timer.h"

#define REASON_SIZE 64
#define EXTENT_SHIFT 21 /* DPDK's segments: contiguous machine memory */
#define EXTENTS 16 /* whose addresses are remembered */

#define LOOK_INTERVAL_NS 10000000ull
#define LOOK_AT 256 /* mbufs each time */

struct reclaim {
    struct rte_mempool *pool;
    struct pool_stack *stack;
    struct rte_mbuf *ours; /* linked by next, without references */
    unsigned int nr_driver, nr_ours;
    unsigned int indirect; /* the driver's indirect ones lie on the stack from here to its end */
};

static const char *wrong(const char *what, const void *where)
{
    static char reason[REASON_SIZE];

    snprintf(reason, sizeof(reason), "mbuf %p: %s", where, what);
    return reason;
}

/* The mempool's header in front of an mbuf, which whatever ran over the end of the one before has hit. */
static bool has_header(const struct rte_mempool *pool, const struct rte_mbuf *mbuf, rte_iova_t iova)
{
    const struct rte_mempool_objhdr *header = (const struct rte_mempool_objhdr *)mbuf - 1;

    return header->mp == pool && header->iova == iova;
}

/* Its buffer is its own. */
static bool is_whole(const struct rte_mempool *pool, const struct rte_mbuf *mbuf)
{
    const rte_iova_t iova = rte_mem_virt2iova(mbuf);

    return mbuf->buf_addr == (const void *)(mbuf + 1) &&
           rte_mbuf_iova_get(mbuf) == iova + sizeof(*mbuf) &&
           mbuf->buf_len == RTE_PKTMBUF_HEADROOM + POOL_MBUF_ROOM && mbuf->pool == pool &&
           mbuf->priv_size == 0 && rte_mbuf_refcnt_read(mbuf) == 1 && RTE_MBUF_DIRECT(mbuf) &&
           has_header(pool, mbuf, iova);
}

void pool_look(struct pool_stack *stack, uint32_t from)
{
    while (stack->nr_unseen > from) {
        const struct rte_mbuf *mbuf = stack->mbufs[--stack->nr_unseen];

        if (!is_whole(mbuf_pool(), mbuf) || mbuf->next || mbuf->nb_segs != 1)
            recovery_restart_nic(wrong("free, and damaged", mbuf));
    }
}

static struct timer look_timer;

static void look_fire(void *ctx)
{
    struct pool_stack *stack = ctx;

    pool_look(stack, stack->nr_unseen > LOOK_AT ? stack->nr_unseen - LOOK_AT : 0);
    if (stack->nr_unseen > 0)
        timer_arm(&look_timer, clock_now() + LOOK_INTERVAL_NS, look_fire, stack);
}

/* As rte_pktmbuf_init() makes them, but for the reference. */
static const char *ours_take(struct reclaim *reclaim, struct rte_mbuf *mbuf)
{
    const rte_iova_t iova = rte_mem_virt2iova(mbuf);

    if (!has_header(reclaim->pool, mbuf, iova))
        return wrong("ours, and damaged", mbuf);
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
    reclaim->nr_ours++;
    return NULL;
}

static const char *drivers_look_at(struct reclaim *reclaim, struct rte_mbuf *mbuf)
{
    reclaim->nr_driver++;
    if (mbuf->next && !owner_is_mbuf(mbuf->next))
        return wrong("the driver's, and leads nowhere", mbuf);
    if (RTE_MBUF_CLONED(mbuf) && !RTE_MBUF_HAS_EXTBUF(mbuf) && mbuf->pool == reclaim->pool &&
        rte_mbuf_refcnt_read(mbuf) == 1 && reclaim->indirect > reclaim->stack->nr)
        reclaim->stack->mbufs[--reclaim->indirect] = mbuf;
    else if (!is_whole(reclaim->pool, mbuf))
        return wrong("the driver's, and damaged", mbuf);
    return NULL;
}

static const char *slot_take(struct reclaim *reclaim, uint32_t slot)
{
    struct pool_stack *stack = reclaim->stack;

    switch (owner_map.owner[slot]) {
    case OWNER_NONE:
        return NULL;
    case OWNER_FREE:
        if (stack->nr == reclaim->indirect)
            return "more mbufs than there are";
        stack->mbufs[stack->nr++] = owner_mbuf(slot);
        return NULL;
    case OWNER_FERRY:
        return ours_take(reclaim, owner_mbuf(slot));
    case OWNER_DRIVER:
        return drivers_look_at(reclaim, owner_mbuf(slot));
    default:
        return wrong("nobody's", owner_mbuf(slot));
    }
}

static const char *slots_take(struct reclaim *reclaim)
{
    const char *why = NULL;

    for (uint32_t slot = 0; slot < owner_map.nr_slots && !why; slot++)
        if ((owner_map.where[slot] == OWNER_NOWHERE) != (owner_map.owner[slot] == OWNER_NONE))
            why = "the owners of mbufs are damaged";
        else
            why = slot_take(reclaim, slot);
    return why;
}

/* A reference for each of the driver's segments that points into one of ours. */
static const char *parents_hold(struct reclaim *reclaim)
{
    for (unsigned int i = reclaim->indirect; i < reclaim->stack->size; i++) {
        struct rte_mbuf *mbuf = reclaim->stack->mbufs[i], *parent = rte_mbuf_from_indirect(mbuf);

        if (mbuf->priv_size != 0 || !owner_is_mbuf(parent) || owner_of(parent) != OWNER_FERRY ||
            rte_mbuf_iova_get(mbuf) != rte_mbuf_iova_get(parent))
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
    struct reclaim reclaim = { .pool = pool, .stack = stack, .indirect = stack->size };
    const char *why;

    stack->nr = 0;
    stack->nr_unseen = 0;
    why = slots_take(&reclaim);
    if (!why)
        why = parents_hold(&reclaim);
    if (why)
        return why;
    if (reclaim.nr_driver < driver_min || reclaim.nr_driver > driver_max)
        return "the driver holds fewer or more mbufs than it can";
    if (stack->nr + reclaim.nr_ours + reclaim.nr_driver != pool->populated_size)
        return "there are fewer mbufs than there were";
    stack->nr_unseen = stack->nr;
    ours_free(&reclaim);
    look_timer = (struct timer){ 0 };
    timer_arm(&look_timer, clock_now() + LOOK_INTERVAL_NS, look_fire, stack);
    return NULL;
}

/* The address behind a machine address in DPDK's memory; NULL if there is none. */
static const char *address_of(uint64_t maddr)
{
    static struct {
        uint64_t extent; /* its machine address; 0: none */
        const char *start;
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
    const uintptr_t room = (uintptr_t)address_of(maddr);
    const void *mbuf = (const void *)(room - RTE_PKTMBUF_HEADROOM - sizeof(struct rte_mbuf));

    return room != 0 && owner_is_mbuf(mbuf) && owner_of(mbuf) == OWNER_DRIVER;
}
