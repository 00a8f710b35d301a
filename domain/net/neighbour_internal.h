/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of neighbours: entries, whose they are, and what waits for them. Used by neighbour*.c
 * only.
 */
#ifndef NET_NEIGHBOUR_INTERNAL_H
#define NET_NEIGHBOUR_INTERNAL_H

#include "net/neighbour.h"

enum neighbour_state {
    NEIGHBOUR_IS_UNUSED,
    NEIGHBOUR_IS_ASKED, /* everybody was asked */
    NEIGHBOUR_IS_KNOWN,
    NEIGHBOUR_IS_ASKED_AGAIN, /* known, and asked whether it is still there */
    NEIGHBOUR_IS_FAILED, /* did not answer */
};

/* The entry of an address, or NULL. */
struct neighbour *neighbour_find(struct neighbours *table, const struct address *addr);

/*
 * A new entry, in no state yet; NULL: its owner may have no more. Others may be forgotten for it.
 */
struct neighbour *neighbour_create(struct neighbours *table, uint8_t owner, bool pinned,
                                   const struct address *addr);

/* Free an entry; what waits for it has nowhere to go. */
void neighbour_forget(struct neighbours *table, struct neighbour *n);

/* Make an entry somebody's, with what waits for it. */
void neighbour_own(struct neighbours *table, struct neighbour *n, uint8_t owner, bool pinned);

/* Count buffers that wait for an entry's neighbour: so many more, or fewer. */
void neighbour_held_account(struct neighbours *table, const struct neighbour *n, int segs);

/* Take out what waits for a neighbour; returns how many frames that are, the caller's. */
unsigned int neighbour_held_take(struct neighbours *table, struct neighbour *n,
                                 struct rte_mbuf *frames[NEIGHBOUR_HELD_MAX]);

/* Let what waits for a neighbour fail. */
void neighbour_held_fail(struct neighbours *table, struct neighbour *n, bool was_asked);

#endif
