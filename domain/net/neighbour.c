/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/neighbour.h"

#include <rte_jhash.h>

#define PINNED_MAX 2 /* a gateway of each IP version */
#define GUESTS_MAX (NEIGHBOUR_MAX - NEIGHBOUR_QUOTA_ROUTER - PINNED_MAX)

enum state {
    UNUSED,
    ASKED, /* everybody was asked */
    KNOWN,
    ASKED_AGAIN, /* known, and asked whether it is still there */
    FAILED, /* did not answer */
};

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

static struct neighbour *find(struct neighbours *table, const struct address *addr)
{
    for (uint8_t i = *bucket_of(table, addr); i != NEIGHBOUR_NONE; i = table->entries[i].next)
        if (address_is_same(&table->entries[i].addr, addr))
            return &table->entries[i];
    return NULL;
}

static void schedule(struct neighbours *table, struct neighbour *n, uint64_t due)
{
    n->due = due;
    if (due < table->due)
        table->due = due;
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

static void held_account(struct neighbours *table, const struct neighbour *n, int segs)
{
    table->segs += segs;
    table->segs_of[n->owner] += segs;
}

/* Takes out what waits for a neighbour; returns how many frames that are. */
static unsigned int held_take(struct neighbours *table, struct neighbour *n,
                              struct rte_mbuf *frames[NEIGHBOUR_HELD_MAX])
{
    unsigned int nr = n->nr_held;

    for (unsigned int i = 0; i < nr; i++) {
        frames[i] = n->held[i];
        held_account(table, n, -(int)frames[i]->nb_segs);
    }
    n->nr_held = 0;
    return nr;
}

static void held_fail(struct neighbours *table, struct neighbour *n, bool was_asked)
{
    struct rte_mbuf *frames[NEIGHBOUR_HELD_MAX];
    unsigned int nr = held_take(table, n, frames);

    for (unsigned int i = 0; i < nr; i++)
        table->ops->fail(table->context, frames[i], was_asked);
}

static void held_send(struct neighbours *table, struct neighbour *n)
{
    struct rte_mbuf *frames[NEIGHBOUR_HELD_MAX];
    unsigned int nr = held_take(table, n, frames);
    struct rte_ether_addr mac = n->mac;

    for (unsigned int i = 0; i < nr; i++)
        table->ops->send(table->context, frames[i], &mac);
}

/* The oldest makes room for the latest. */
static void hold(struct neighbours *table, struct neighbour *n, struct rte_mbuf *frame)
{
    if (n->nr_held == NEIGHBOUR_HELD_MAX) {
        struct rte_mbuf *oldest = n->held[0];

        held_account(table, n, -(int)oldest->nb_segs);
        memmove(&n->held[0], &n->held[1], sizeof(n->held) - sizeof(n->held[0]));
        n->nr_held--;
        table->ops->fail(table->context, oldest, false);
    }
    if (table->segs + frame->nb_segs > NEIGHBOUR_SEGS_MAX ||
        table->segs_of[n->owner] + frame->nb_segs > NEIGHBOUR_SEGS_OWNER) {
        table->ops->fail(table->context, frame, false);
        return;
    }
    held_account(table, n, frame->nb_segs);
    n->held[n->nr_held++] = frame;
}

static void forget(struct neighbours *table, struct neighbour *n)
{
    uint8_t index = (uint8_t)(n - table->entries);
    uint8_t *link = bucket_of(table, &n->addr);

    while (*link != index)
        link = &table->entries[*link].next;
    *link = n->next;
    count(table, n, -1);
    table->nr--;
    n->state = UNUSED;
    n->due = UINT64_MAX;
    n->next = table->free;
    table->free = index;
    held_fail(table, n, false);
}

static bool has_room(const struct neighbours *table, uint8_t owner)
{
    return table->nr_of[owner] <
           (owner == NEIGHBOUR_ROUTER ? NEIGHBOUR_QUOTA_ROUTER : NEIGHBOUR_QUOTA);
}

/* Make an entry somebody's, with what waits for it. */
static void own(struct neighbours *table, struct neighbour *n, uint8_t owner, bool pinned)
{
    uint16_t segs = 0;

    for (unsigned int i = 0; i < n->nr_held; i++)
        segs += n->held[i]->nb_segs;
    held_account(table, n, -segs);
    count(table, n, -1);
    n->owner = owner;
    n->is_pinned = pinned;
    count(table, n, 1);
    held_account(table, n, segs);
}

/* Let another who uses an entry have it; false if there is none. */
static bool pass_on(struct neighbours *table, struct neighbour *n)
{
    uint8_t other = n->other;

    n->other = NEIGHBOUR_NONE;
    if (other == NEIGHBOUR_NONE || n->state == ASKED || !has_room(table, other) ||
        (n->owner == NEIGHBOUR_ROUTER && table->nr_guests >= GUESTS_MAX))
        return false;
    own(table, n, other, false);
    return true;
}

/* Which to give up first: those that failed, those not used for longest, those still asked for. */
static uint64_t worth_of(const struct neighbour *n)
{
    if (n->state == FAILED)
        return 0;
    return n->state == ASKED ? UINT64_MAX : n->used;
}

/* Have an owner give up one entry; false: there is none, or all are asked for and is_forced is not set. */
static bool give_up(struct neighbours *table, uint8_t owner, bool is_forced)
{
    struct neighbour *least = NULL;

    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &table->entries[i];

        if (n->state == UNUSED || n->owner != owner || n->is_pinned ||
            (n->state == ASKED && !is_forced))
            continue;
        if (!least || worth_of(n) < worth_of(least))
            least = n;
    }
    if (!least)
        return false;
    if (!pass_on(table, least))
        forget(table, least);
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

/* Make room for one more entry of a guest; the one with the most has one more than this one at least, or it is this one. */
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

/* A new entry, in no state yet; NULL: its owner may have no more. */
static struct neighbour *create(struct neighbours *table, uint8_t owner, bool pinned,
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

static void ask(struct neighbours *table, struct neighbour *n, enum state state, uint64_t now)
{
    n->tries = n->state == state ? n->tries + 1 : 1;
    n->state = state;
    schedule(table, n, now + NEIGHBOUR_RETRY_NS);
    table->ops->solicit(table->context, &n->addr, state == ASKED ? NULL : &n->mac);
}

static void known_output(struct neighbours *table, struct neighbour *n, struct rte_mbuf *frame,
                         uint64_t now)
{
    struct rte_ether_addr mac = n->mac;

    if (n->state == KNOWN && now >= n->fresh_until)
        ask(table, n, ASKED_AGAIN, now);
    table->ops->send(table->context, frame, &mac);
}

void neighbour_output(struct neighbours *table, uint8_t owner, bool pinned,
                      const struct address *addr, struct rte_mbuf *frame, uint64_t now)
{
    struct neighbour *n = find(table, addr);

    if (!n) {
        n = create(table, owner, pinned, addr);
        if (!n) {
            table->ops->fail(table->context, frame, false);
            return;
        }
        ask(table, n, ASKED, now);
    }
    n->used = now;
    if (pinned && !n->is_pinned)
        own(table, n, NEIGHBOUR_ROUTER, true);
    else if (owner != n->owner && !n->is_pinned)
        n->other = owner;
    if (n->state == ASKED)
        hold(table, n, frame);
    else if (n->state == FAILED)
        table->ops->fail(table->context, frame, true);
    else
        known_output(table, n, frame, now);
}

/* Where a neighbour is, and until when that needs no question. */
static void learn(struct neighbours *table, struct neighbour *n, const struct rte_ether_addr *mac,
                  uint64_t fresh_until)
{
    n->mac = *mac;
    n->state = KNOWN;
    n->fresh_until = fresh_until;
    n->due = UINT64_MAX;
    held_send(table, n);
}

/* Is this news about a neighbour that is known to be where it was? */
static bool is_where_it_was(const struct neighbour *n, const struct rte_ether_addr *mac)
{
    return (n->state == KNOWN || n->state == ASKED_AGAIN) &&
           (!mac || rte_is_same_ether_addr(&n->mac, mac));
}

static struct neighbour *find_or_mention(struct neighbours *table, const struct address *addr,
                                         enum neighbour_news news, uint64_t now)
{
    struct neighbour *n = find(table, addr);

    if (n || news != NEIGHBOUR_MENTIONED)
        return n;
    n = create(table, NEIGHBOUR_ROUTER, false, addr);
    if (n)
        n->used = now;
    return n;
}

void neighbour_heard(struct neighbours *table, const struct address *addr,
                     const struct rte_ether_addr *mac, enum neighbour_news news, uint64_t now)
{
    struct neighbour *n;
    bool is_news;

    if (mac && !rte_is_valid_assigned_ether_addr(mac))
        return;
    n = find_or_mention(table, addr, news, now);
    if (!n)
        return;
    is_news = !is_where_it_was(n, mac);
    if (news == NEIGHBOUR_ANSWERED || (news == NEIGHBOUR_THERE && !is_news))
        learn(table, n, mac ? mac : &n->mac, now + NEIGHBOUR_FRESH_NS);
    else if (news == NEIGHBOUR_THERE && mac && (n->state == ASKED || n->state == FAILED))
        learn(table, n, mac, now + NEIGHBOUR_FRESH_NS);
    else if (news != NEIGHBOUR_THERE && is_news)
        learn(table, n, mac, 0);
}

void neighbour_owner_remove(struct neighbours *table, uint8_t owner)
{
    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &table->entries[i];

        if (n->state == UNUSED)
            continue;
        if (n->other == owner)
            n->other = NEIGHBOUR_NONE;
        if (n->owner == owner && !n->is_pinned && !pass_on(table, n))
            forget(table, n);
    }
}

void neighbours_flush(struct neighbours *table)
{
    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++)
        if (table->entries[i].state != UNUSED)
            forget(table, &table->entries[i]);
}

static void step(struct neighbours *table, struct neighbour *n, uint64_t now)
{
    if (n->state == FAILED) {
        forget(table, n);
    } else if (n->tries < NEIGHBOUR_TRIES) {
        ask(table, n, n->state, now);
    } else if (n->state == ASKED_AGAIN) {
        ask(table, n, ASKED, now);
    } else {
        n->state = FAILED;
        schedule(table, n, now + NEIGHBOUR_FAILED_NS);
        held_fail(table, n, true);
    }
}

uint64_t neighbours_tick(struct neighbours *table, uint64_t now)
{
    if (now < table->due)
        return table->due;
    table->due = UINT64_MAX;
    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &table->entries[i];

        if (n->state == UNUSED || n->due == UINT64_MAX)
            continue;
        if (n->due <= now)
            step(table, n, now);
        if (n->due < table->due) /* a later one may have been set by step() */
            table->due = n->due;
    }
    return table->due;
}
