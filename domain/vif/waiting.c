/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/waiting.h"

#include "xen/log.h"

#define NONE UINT16_MAX

static struct place {
    struct rte_mbuf *frame;
    uint16_t next; /* in its list, or the next free one; of the last one of a list: of no meaning */
} places[WAITING_MAX];

/* The place freed last is used next: its line is in the processor's cache. */
static uint16_t first_free = NONE;

_Static_assert(WAITING_MAX <= NONE, "places are told apart by 16 bits");

void waiting_init(void)
{
    for (uint32_t i = 0; i < WAITING_MAX; i++)
        places[i].next = (uint16_t)(i + 1 < WAITING_MAX ? i + 1 : NONE);
    first_free = 0;
}

bool waiting_put(struct waiting_list *list, struct rte_mbuf *frame)
{
    uint16_t place = first_free;

    if (place == NONE)
        return false;
    first_free = places[place].next;
    places[place].frame = frame;
    if (list->nr++)
        places[list->last].next = place;
    else
        list->first = place;
    list->last = place;
    return true;
}

struct rte_mbuf *waiting_first(const struct waiting_list *list)
{
    return list->nr ? places[list->first].frame : NULL;
}

struct rte_mbuf *waiting_take(struct waiting_list *list)
{
    uint16_t place = list->first;

    INVARIANT(list->nr);
    list->nr--;
    list->first = places[place].next;
    places[place].next = first_free;
    first_free = place;
    return places[place].frame;
}
