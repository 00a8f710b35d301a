/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of frames that wait for guests, first in, first out. Their places come from one table: a list may
 * become long while others are short, and takes no memory while it is empty. (The mbufs themselves cannot be
 * linked: a flooded one waits for several guests.)
 */
#ifndef VIF_WAITING_H
#define VIF_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "xen/log.h"

/* Places, of all lists together. */
#define WAITING_MAX 8192u

/* All zero: an empty list. */
struct waiting_list {
    uint32_t nr; /* frames in it */
    uint16_t first, last; /* their places, if there are any */
};

/* All places are free. The lists that there are must be emptied, or forgotten, before. */
void waiting_init(void);

/* Not for others: what the functions below are made of. */
struct waiting_place {
    struct rte_mbuf *frame;
    uint16_t next; /* in its list, or the next free one; of the last one of a list: of no meaning */
};
#define WAITING_NONE UINT16_MAX
extern struct waiting_place waiting_places[WAITING_MAX];
extern uint16_t waiting_first_free;

/* The frame becomes the list's and its last one. False, and nothing changes: no place is free. */
static inline bool waiting_put(struct waiting_list *list, struct rte_mbuf *frame)
{
    uint16_t place = waiting_first_free;

    if (place == WAITING_NONE)
        return false;
    waiting_first_free = waiting_places[place].next;
    waiting_places[place].frame = frame;
    if (list->nr++)
        waiting_places[list->last].next = place;
    else
        list->first = place;
    list->last = place;
    return true;
}

/* The first frame, which remains the list's; NULL: it is empty. */
static inline struct rte_mbuf *waiting_first(const struct waiting_list *list)
{
    return list->nr ? waiting_places[list->first].frame : NULL;
}

/* Take the first frame, now the caller's, out of a list that has one. */
static inline struct rte_mbuf *waiting_take(struct waiting_list *list)
{
    uint16_t place = list->first;

    INVARIANT(list->nr);
    list->nr--;
    list->first = waiting_places[place].next;
    waiting_places[place].next = waiting_first_free;
    waiting_first_free = place;
    return waiting_places[place].frame;
}

#endif
