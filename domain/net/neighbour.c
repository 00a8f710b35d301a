/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/neighbour_internal.h"

static void schedule(struct neighbours *table, struct neighbour *n, uint64_t due)
{
    n->due = due;
    if (due < table->due)
        table->due = due;
}

static void held_send(struct neighbours *table, struct neighbour *n)
{
    struct rte_mbuf *frames[NEIGHBOUR_HELD_MAX];
    unsigned int nr = neighbour_held_take(table, n, frames);
    struct rte_ether_addr mac = n->mac;

    for (unsigned int i = 0; i < nr; i++)
        table->ops->send(table->context, frames[i], &mac);
}

/* The oldest makes room for the latest. */
static void hold(struct neighbours *table, struct neighbour *n, struct rte_mbuf *frame)
{
    if (n->nr_held == NEIGHBOUR_HELD_MAX) {
        struct rte_mbuf *oldest = n->held[0];

        neighbour_held_account(table, n, -(int)oldest->nb_segs);
        memmove(&n->held[0], &n->held[1], sizeof(n->held) - sizeof(n->held[0]));
        n->nr_held--;
        table->ops->fail(table->context, oldest, false);
    }
    if (table->segs + frame->nb_segs > NEIGHBOUR_SEGS_MAX ||
        table->segs_of[n->owner] + frame->nb_segs > NEIGHBOUR_SEGS_OWNER) {
        table->ops->fail(table->context, frame, false);
        return;
    }
    neighbour_held_account(table, n, frame->nb_segs);
    n->held[n->nr_held++] = frame;
}

static void ask(struct neighbours *table, struct neighbour *n, enum neighbour_state state,
                uint64_t now)
{
    n->tries = n->state == state ? n->tries + 1 : 1;
    n->state = state;
    schedule(table, n, now + NEIGHBOUR_RETRY_NS);
    table->ops->solicit(table->context, &n->addr, state == NEIGHBOUR_IS_ASKED ? NULL : &n->mac);
}

static void known_output(struct neighbours *table, struct neighbour *n, struct rte_mbuf *frame,
                         uint64_t now)
{
    struct rte_ether_addr mac = n->mac;

    if (n->state == NEIGHBOUR_IS_KNOWN && now >= n->fresh_until)
        ask(table, n, NEIGHBOUR_IS_ASKED_AGAIN, now);
    table->ops->send(table->context, frame, &mac);
}

void neighbour_output(struct neighbours *table, uint8_t owner, bool pinned,
                      const struct address *addr, struct rte_mbuf *frame, uint64_t now)
{
    struct neighbour *n = neighbour_find(table, addr);

    if (!n) {
        n = neighbour_create(table, owner, pinned, addr);
        if (!n) {
            table->ops->fail(table->context, frame, false);
            return;
        }
        ask(table, n, NEIGHBOUR_IS_ASKED, now);
    }
    n->used = now;
    if (pinned && !n->is_pinned)
        neighbour_own(table, n, NEIGHBOUR_ROUTER, true);
    else if (owner != n->owner && !n->is_pinned)
        n->other = owner;
    if (n->state == NEIGHBOUR_IS_ASKED)
        hold(table, n, frame);
    else if (n->state == NEIGHBOUR_IS_FAILED)
        table->ops->fail(table->context, frame, true);
    else
        known_output(table, n, frame, now);
}

/* Where a neighbour is, and until when that needs no question. */
static void learn(struct neighbours *table, struct neighbour *n, const struct rte_ether_addr *mac,
                  uint64_t fresh_until)
{
    n->mac = *mac;
    n->state = NEIGHBOUR_IS_KNOWN;
    n->fresh_until = fresh_until;
    n->due = UINT64_MAX;
    held_send(table, n);
}

/* Is this news about a neighbour that is known to be where it was? */
static bool is_where_it_was(const struct neighbour *n, const struct rte_ether_addr *mac)
{
    return (n->state == NEIGHBOUR_IS_KNOWN || n->state == NEIGHBOUR_IS_ASKED_AGAIN) &&
           (!mac || rte_is_same_ether_addr(&n->mac, mac));
}

static struct neighbour *find_or_mention(struct neighbours *table, const struct address *addr,
                                         enum neighbour_news news, uint64_t now)
{
    struct neighbour *n = neighbour_find(table, addr);

    if (n || news != NEIGHBOUR_MENTIONED)
        return n;
    n = neighbour_create(table, NEIGHBOUR_ROUTER, false, addr);
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
    else if (news == NEIGHBOUR_THERE && mac &&
             (n->state == NEIGHBOUR_IS_ASKED || n->state == NEIGHBOUR_IS_FAILED))
        learn(table, n, mac, now + NEIGHBOUR_FRESH_NS);
    else if (news != NEIGHBOUR_THERE && is_news)
        learn(table, n, mac, 0);
}

static void step(struct neighbours *table, struct neighbour *n, uint64_t now)
{
    if (n->state == NEIGHBOUR_IS_FAILED) {
        neighbour_forget(table, n);
    } else if (n->tries < NEIGHBOUR_TRIES) {
        ask(table, n, n->state, now);
    } else if (n->state == NEIGHBOUR_IS_ASKED_AGAIN) {
        ask(table, n, NEIGHBOUR_IS_ASKED, now);
    } else {
        n->state = NEIGHBOUR_IS_FAILED;
        schedule(table, n, now + NEIGHBOUR_FAILED_NS);
        neighbour_held_fail(table, n, true);
    }
}

uint64_t neighbours_tick(struct neighbours *table, uint64_t now)
{
    if (now < table->due)
        return table->due;
    table->due = UINT64_MAX;
    for (unsigned int i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &table->entries[i];

        if (n->state == NEIGHBOUR_IS_UNUSED || n->due == UINT64_MAX)
            continue;
        if (n->due <= now)
            step(table, n, now);
        if (n->due < table->due) /* a later one may have been set by step() */
            table->due = n->due;
    }
    return table->due;
}
