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

/* Places, of all lists together. */
#define WAITING_MAX 8192u

/* All zero: an empty list. */
struct waiting_list {
    uint32_t nr; /* frames in it */
    uint16_t first, last; /* their places, if there are any */
};

/* All places are free. The lists that there are must be emptied, or forgotten, before. */
void waiting_init(void);

/* The frame becomes the list's and its last one. False, and nothing changes: no place is free. */
bool waiting_put(struct waiting_list *list, struct rte_mbuf *frame);

/* The first frame, which remains the list's; NULL: it is empty. */
struct rte_mbuf *waiting_first(const struct waiting_list *list);

/* Take the first frame, now the caller's, out of a list that has one. */
struct rte_mbuf *waiting_take(struct waiting_list *list);

#endif
