/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_mapping.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_jhash.h>

#define BUCKETS NAT_FLOWS /* a power of two */
#define NO_MAPPING UINT16_MAX

/* Below are ports of services: the domain's own, and port forwards (RFC 4787 REQ-3 only recommends them). */
#define PORT_FIRST 1024u

/* With all of NAT_FLOWS on ports of one parity this many random ones fail once in 2^190 times. */
#define TRIES 64

struct mapping {
    struct nat_inside inside;
    uint16_t outside_port;
    uint16_t uses; /* 0: free */
    uint16_t inside_next, outside_next; /* in their buckets; inside_next also links the free ones */
};

static struct {
    uint32_t seed, counter;
    uint16_t free;
    uint16_t nr_forwards;
    uint16_t inside[BUCKETS], outside[BUCKETS];
    struct nat_forward forwards[NAT_FORWARDS];
    struct mapping mappings[NAT_FLOWS];
} table;

void nat_mapping_init(uint32_t seed)
{
    memset(&table, 0, sizeof(table));
    memset(table.inside, 0xff, sizeof(table.inside));
    memset(table.outside, 0xff, sizeof(table.outside));
    table.seed = seed;
    table.free = NO_MAPPING;
    for (unsigned int i = NAT_FLOWS; i-- > 0;) {
        table.mappings[i].inside_next = table.free;
        table.free = (uint16_t)i;
    }
}

uint32_t nat_random(uint64_t now)
{
    return rte_jhash_3words(table.counter++, (uint32_t)now, (uint32_t)(now >> 32), ~table.seed);
}

static uint16_t *inside_bucket(const struct nat_inside *i)
{
    uint32_t rest = (uint32_t)i->port << 16 | (uint32_t)i->outside << 8 | i->protocol;

    return &table.inside[rte_jhash_3words(i->identity, i->address, rest, table.seed) &
                         (BUCKETS - 1)];
}

static uint16_t *outside_bucket(uint8_t outside, uint8_t protocol, uint16_t port)
{
    uint32_t key = (uint32_t)port << 16 | (uint32_t)outside << 8 | protocol;

    return &table.outside[rte_jhash_1word(key, table.seed) & (BUCKETS - 1)];
}

static bool is_same_inside(const struct nat_inside *a, const struct nat_inside *b)
{
    return a->address == b->address && a->port == b->port && a->identity == b->identity &&
           a->protocol == b->protocol && a->outside == b->outside;
}

static struct mapping *find_inside(const struct nat_inside *inside)
{
    for (uint16_t i = *inside_bucket(inside); i != NO_MAPPING; i = table.mappings[i].inside_next)
        if (is_same_inside(&table.mappings[i].inside, inside))
            return &table.mappings[i];
    return NULL;
}

bool nat_mapping_is_port(uint8_t outside, uint8_t protocol, uint16_t port)
{
    uint16_t next;

    for (uint16_t i = *outside_bucket(outside, protocol, port); i != NO_MAPPING; i = next) {
        const struct mapping *m = &table.mappings[i];

        if (m->outside_port == port && m->inside.protocol == protocol &&
            m->inside.outside == outside)
            return true;
        next = m->outside_next;
    }
    return false;
}

static bool is_free(const struct nat_inside *inside, uint16_t port)
{
    bool is_own = port >= NAT_OWN_PORT_FIRST && port <= NAT_OWN_PORT_LAST;

    if (inside->protocol != IPPROTO_ICMP &&
        (port < PORT_FIRST || is_own ||
         nat_mapping_forward_from(inside->outside, inside->protocol, port)))
        return false;
    return !nat_mapping_is_port(inside->outside, inside->protocol, port);
}

/* There are as many mappings as flows, so there is a free one. */
static struct mapping *mapping_make(const struct nat_inside *inside, uint16_t outside_port)
{
    struct mapping *m = &table.mappings[table.free];
    uint16_t index = table.free;
    uint16_t *in = inside_bucket(inside);
    uint16_t *out = outside_bucket(inside->outside, inside->protocol, outside_port);

    table.free = m->inside_next;
    *m = (struct mapping){
        .inside = *inside, .outside_port = outside_port, .inside_next = *in, .outside_next = *out
    };
    *in = *out = index;
    return m;
}

static int choose_port(const struct nat_inside *inside, bool own_only, uint64_t now)
{
    if (is_free(inside, inside->port))
        return inside->port;
    for (unsigned int i = 0; i < TRIES && !own_only; i++) {
        uint16_t port = (uint16_t)(nat_random(now) & ~1u) | (inside->port & 1);

        if (is_free(inside, port))
            return port;
    }
    return -1;
}

int nat_mapping_use(const struct nat_inside *inside, bool own_only, uint64_t now)
{
    struct mapping *m = find_inside(inside);

    if (!m) {
        int port = choose_port(inside, own_only, now);

        if (port < 0)
            return -1;
        m = mapping_make(inside, (uint16_t)port);
    }
    m->uses++;
    return m->outside_port;
}

bool nat_mapping_use_port(const struct nat_inside *inside, uint16_t outside_port)
{
    struct mapping *m = find_inside(inside);

    if (m ? m->outside_port != outside_port
          : nat_mapping_is_port(inside->outside, inside->protocol, outside_port))
        return false;
    if (!m)
        m = mapping_make(inside, outside_port);
    m->uses++;
    return true;
}

void nat_mapping_drop(const struct nat_inside *inside)
{
    struct mapping *m = find_inside(inside);
    uint16_t index, *link;

    if (!m || --m->uses > 0)
        return;
    index = (uint16_t)(m - table.mappings);
    for (link = inside_bucket(inside); *link != index;)
        link = &table.mappings[*link].inside_next;
    *link = m->inside_next;
    for (link = outside_bucket(inside->outside, inside->protocol, m->outside_port); *link != index;)
        link = &table.mappings[*link].outside_next;
    *link = m->outside_next;
    m->inside_next = table.free;
    table.free = index;
}

int nat_mapping_forward_add(const struct nat_forward *f)
{
    bool is_own = f->outside_port >= NAT_OWN_PORT_FIRST && f->outside_port <= NAT_OWN_PORT_LAST;

    if (f->outside >= NAT_OUTSIDES || is_own || f->outside_port == 0 || f->port == 0 ||
        f->address == 0 || (f->protocol != IPPROTO_TCP && f->protocol != IPPROTO_UDP))
        return -EINVAL;
    if (nat_mapping_forward_from(f->outside, f->protocol, f->outside_port))
        return -EEXIST;
    if (table.nr_forwards == NAT_FORWARDS)
        return -ENOSPC;
    table.forwards[table.nr_forwards++] = *f;
    return 0;
}

const struct nat_forward *nat_mapping_forward_from(uint8_t outside, uint8_t protocol,
                                                   uint16_t outside_port)
{
    for (unsigned int i = 0; i < table.nr_forwards; i++) {
        const struct nat_forward *f = &table.forwards[i];

        if (f->outside_port == outside_port && f->protocol == protocol && f->outside == outside)
            return f;
    }
    return NULL;
}

const struct nat_forward *nat_mapping_forward_to(const struct nat_inside *inside)
{
    for (unsigned int i = 0; i < table.nr_forwards; i++) {
        const struct nat_forward *f = &table.forwards[i];

        if (f->address == inside->address && f->port == inside->port &&
            f->protocol == inside->protocol && f->outside == inside->outside)
            return f;
    }
    return NULL;
}
