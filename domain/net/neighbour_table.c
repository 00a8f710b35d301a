/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/neighbour_internal.h"

#include <rte_jhash.h>

#define PINNED_MAX 2 /* a gateway of each IP version */
#define GUESTS_MAX (NEIGHBOUR_MAX - NEIGHBOUR_QUOTA_ROUTER - PINNED_MAX)

_Static_assert(NEIGHBOUR_MAX < NEIGHBOUR_NONE, "an index fits");

void neighbours_init(struct neighbours *table, const struct neighbour_ops *ops, void *context,
                     uint32_t seed)
{
    memset(table, 0, sizeof(*table));
    table->ops = ops;
    table->context = context;
    table->seed = seed;
    table->due = UINT64_MAX;
    memset(table->buckets, NEIGHBOUR_NONE, sizeof(table->buckets));
    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++)
        table->entries[i].next = i + 1 < NEIGHBOUR_MAX ? i + 1 : NEIGHBOUR_NONE;
}

static uint8_t *bucket_of(struct neighbours *table, const struct address *addr)
{
    uint32_t hash = rte_jhash_3words((uint32_t)addr->lo, (uint32_t)(addr->lo >> 32),
                                     (uint32_t)addr->hi ^ (uint32_t)(addr->hi >> 32), table->seed);

    return &table->buckets[hash % NEIGHBOUR_MAX];
}

struct neighbour *neighbour_find(struct neighbours *table, const struct address *addr)
{
    for (uint8_t i = *bucket_of(table, addr); i != NEIGHBOUR_NONE; i = table->entries[i].next)
        if (address_is_same(&table->entries[i].addr, addr))
            return &table->entries[i];
    return NULL;
}

/* Pinned entries are in no quota. */
static void count(struct neighbours *table, const struct neighbour *n, int by)
{
    if (n->is_pinned)
        return;
    table->nr_of[n->owner] += by;
    if (n->owner != NEIGHBOUR_ROUTER)
        table->nr_guests += by;
}

void neighbour_held_account(struct neighbours *table, const struct neighbour *n, int segs)
{
    table->segs += segs;
    table->segs_of[n->owner] += segs;
}

unsigned int neighbour_held_take(struct neighbours *table, struct neighbour *n,
                                 struct rte_mbuf *frames[NEIGHBOUR_HELD_MAX])
{
    unsigned int nr = n->nr_held;

    for (unsigned int i = 0; i < nr; i++) {
        frames[i] = n->held[i];
        neighbour_held_account(table, n, -(int)frames[i]->nb_segs);
    }
    n->nr_held = 0;
    return nr;
}

void neighbour_held_fail(struct neighbours *table, struct neighbour *n, bool was_asked)
{
    struct rte_mbuf *frames[NEIGHBOUR_HELD_MAX];
    unsigned int nr = neighbour_held_take(table, n, frames);

    for (unsigned int i = 0; i < nr; i++)
        table->ops->fail(table->context, frames[i], was_asked);
}

void neighbour_forget(struct neighbours *table, struct neighbour *n)
{
    uint8_t index = (uint8_t)(n - table->entries);
    uint8_t *link = bucket_of(table, &n->addr);

    while (*link != index)
        link = &table->entries[*link].next;
    *link = n->next;
    count(table, n, -1);
    table->nr--;
    n->state = NEIGHBOUR_IS_UNUSED;
    n->due = UINT64_MAX;
    n->next = table->free;
    table->free = index;
    neighbour_held_fail(table, n, false);
}

static bool has_room(const struct neighbours *table, uint8_t owner)
{
    return table->nr_of[owner] <
           (owner == NEIGHBOUR_ROUTER ? NEIGHBOUR_QUOTA_ROUTER : NEIGHBOUR_QUOTA);
}

void neighbour_own(struct neighbours *table, struct neighbour *n, uint8_t owner, bool pinned)
{
    uint16_t segs = 0;

    for (unsigned int i = 0; i < n->nr_held; i++)
        segs += n->held[i]->nb_segs;
    neighbour_held_account(table, n, -segs);
    count(table, n, -1);
    n->owner = owner;
    n->is_pinned = pinned;
    count(table, n, 1);
    neighbour_held_account(table, n, segs);
}

/* Let another who uses an entry have it; false if there is none. */
static bool pass_on(struct neighbours *table, struct neighbour *n)
{
    uint8_t other = n->other;

    n->other = NEIGHBOUR_NONE;
    if (other == NEIGHBOUR_NONE || n->state == NEIGHBOUR_IS_ASKED || !has_room(table, other) ||
        (n->owner == NEIGHBOUR_ROUTER && table->nr_guests >= GUESTS_MAX))
        return false;
    neighbour_own(table, n, other, false);
    return true;
}

/* Which to give up first: those that failed, those not used for longest, those still asked for. */
static uint64_t worth_of(const struct neighbour *n)
{
    if (n->state == NEIGHBOUR_IS_FAILED)
        return 0;
    return n->state == NEIGHBOUR_IS_ASKED ? UINT64_MAX : n->used;
}

/*
 * Have an owner give up one entry; false: there is none, or all are asked for and is_forced is not
 * set.
 */
static bool give_up(struct neighbours *table, uint8_t owner, bool is_forced)
{
    struct neighbour *least = NULL;

    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &table->entries[i];

        if (n->state == NEIGHBOUR_IS_UNUSED || n->owner != owner || n->is_pinned ||
            (n->state == NEIGHBOUR_IS_ASKED && !is_forced))
            continue;
        if (!least || worth_of(n) < worth_of(least))
            least = n;
    }
    if (!least)
        return false;
    if (!pass_on(table, least))
        neighbour_forget(table, least);
    return true;
}

static uint8_t richest_guest(const struct neighbours *table)
{
    uint8_t richest = 0;

    for (uint8_t i = 1; i < NEIGHBOUR_ROUTER; i++)
        if (table->nr_of[i] > table->nr_of[richest])
            richest = i;
    return richest;
}

/*
 * Make room for one more entry of a guest; the one with the most has one more than this one at
 * least, or it is this one.
 */
static bool guests_make_room(struct neighbours *table, uint8_t owner)
{
    while (table->nr_guests >= GUESTS_MAX) {
        uint8_t richest = richest_guest(table);

        if (table->nr_of[richest] <= table->nr_of[owner] + 1)
            richest = owner;
        if (!give_up(table, richest, richest != owner))
            return false;
    }
    return true;
}

static bool make_room(struct neighbours *table, uint8_t owner)
{
    if (!has_room(table, owner) && !give_up(table, owner, false))
        return false;
    return owner == NEIGHBOUR_ROUTER || guests_make_room(table, owner);
}

struct neighbour *neighbour_create(struct neighbours *table, uint8_t owner, bool pinned,
                                   const struct address *addr)
{
    struct neighbour *n;
    uint8_t *bucket;

    if (!pinned && !make_room(table, owner))
        return NULL;
    if (table->free == NEIGHBOUR_NONE)
        return NULL;
    n = &table->entries[table->free];
    table->free = n->next;
    bucket = bucket_of(table, addr);
    *n = (struct neighbour){ .addr = *addr,
                             .due = UINT64_MAX,
                             .owner = pinned ? NEIGHBOUR_ROUTER : owner,
                             .other = NEIGHBOUR_NONE,
                             .next = *bucket,
                             .is_pinned = pinned };
    *bucket = (uint8_t)(n - table->entries);
    table->nr++;
    count(table, n, 1);
    return n;
}

void neighbour_owner_remove(struct neighbours *table, uint8_t owner)
{
    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &table->entries[i];

        if (n->state == NEIGHBOUR_IS_UNUSED)
            continue;
        if (n->other == owner)
            n->other = NEIGHBOUR_NONE;
        if (n->owner == owner && !n->is_pinned && !pass_on(table, n))
            neighbour_forget(table, n);
    }
}

void neighbours_flush(struct neighbours *table)
{
    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++)
        if (table->entries[i].state != NEIGHBOUR_IS_UNUSED)
            neighbour_forget(table, &table->entries[i]);
}
