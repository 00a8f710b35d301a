/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/route.h"

#include <errno.h>

struct route {
    struct address first, last;
    uint8_t router, owner;
    uint16_t uses; /* of ROUTE_LOCAL */
};

static struct route routes[ROUTE_MAX];
static unsigned int nr_routes;

void route_reset(void)
{
    nr_routes = 0;
}

static bool is_before(const struct route *route, uint8_t router, const struct address *addr)
{
    return route->router < router ||
           (route->router == router && address_is_less(&route->last, addr));
}

/* The first route that ends at addr or behind it; nr_routes if there is none. */
static unsigned int position_of(uint8_t router, const struct address *addr)
{
    unsigned int from = 0, to = nr_routes;

    while (from < to) {
        unsigned int middle = (from + to) / 2;

        if (is_before(&routes[middle], router, addr))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Does the route at this position have addresses up to last? */
static bool begins_by(unsigned int at, uint8_t router, const struct address *last)
{
    return at < nr_routes && routes[at].router == router &&
           !address_is_less(last, &routes[at].first);
}

uint8_t route_find(uint8_t router, const struct address *addr)
{
    unsigned int at = position_of(router, addr);

    return begins_by(at, router, addr) ? routes[at].owner : ROUTE_NONE;
}

static void remove_at(unsigned int at)
{
    nr_routes--;
    memmove(&routes[at], &routes[at + 1], (nr_routes - at) * sizeof(routes[0]));
}

static void insert_at(unsigned int at, const struct route *route)
{
    memmove(&routes[at + 1], &routes[at], (nr_routes - at) * sizeof(routes[0]));
    routes[at] = *route;
    nr_routes++;
}

/* Prefixes are in each other or apart: is the new one in this? */
static bool contains(const struct route *route, const struct route *new)
{
    return !address_is_less(&new->first, &route->first) &&
           !address_is_less(&route->last, &new->last);
}

int route_add(uint8_t router, const struct address *addr, uint8_t len, uint8_t owner)
{
    struct route new = { .first = address_first(addr, len),
                         .last = address_last(addr, len),
                         .router = router,
                         .owner = owner,
                         .uses = 1 };
    unsigned int at = position_of(router, &new.first);

    for (unsigned int i = at; begins_by(i, router, &new.last); i++)
        if (routes[i].owner != owner)
            return -EEXIST;
    if (begins_by(at, router, &new.last) && contains(&routes[at], &new)) {
        routes[at].uses++;
        return 0;
    }
    while (begins_by(at, router, &new.last))
        remove_at(at);
    if (nr_routes == ROUTE_MAX)
        return -ENOSPC;
    insert_at(at, &new);
    return 0;
}

void route_owner_remove(uint8_t owner)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < nr_routes; i++)
        if (routes[i].owner != owner)
            routes[nr++] = routes[i];
    nr_routes = nr;
}

void route_local_remove(uint8_t router, const struct address *addr)
{
    unsigned int at = position_of(router, addr);

    if (begins_by(at, router, addr) && routes[at].owner == ROUTE_LOCAL && --routes[at].uses == 0)
        remove_at(at);
}

void route_each(uint8_t owner,
                void (*visit)(void *context, const struct address *first,
                              const struct address *last),
                void *context)
{
    for (unsigned int i = 0; i < nr_routes; i++)
        if (routes[i].owner == owner)
            visit(context, &routes[i].first, &routes[i].last);
}
