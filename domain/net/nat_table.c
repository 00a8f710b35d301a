/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_table.h"

#include <string.h>

#include <rte_jhash.h>

/* Memory that a restart leaves alone; zero at the first start. */
#define OUTLIVE __attribute__((section(".outlive")))

_Static_assert(sizeof(struct nat_key) == 40, "a key is hashed as it lies in memory");

struct nat_table nat_table;
struct nat_flow nat_flows[NAT_FLOWS] OUTLIVE;

static uint32_t key_hash(const struct nat_key *key, uint32_t seed)
{
    uint32_t words[sizeof(*key) / sizeof(uint32_t)];

    memcpy(words, key, sizeof(words));
    return rte_jhash_32b(words, RTE_DIM(words), seed);
}

/* The guest's number is another after a restart, perhaps. */
uint32_t nat_flow_check(const struct nat_flow *flow)
{
    struct nat_key key = flow->key;
    uint32_t sum;

    key.guest = 0;
    sum = key_hash(&key, NAT_FLOWS);
    sum = rte_jhash_3words(flow->outside_address,
                           (uint32_t)flow->outside_port << 8 | flow->is_forwarded, flow->identity,
                           sum);
    return sum ? sum : 1;
}

uint64_t nat_flow_lifetime(const struct nat_flow *flow)
{
    return nat_class_lifetime(nat_flow_class(flow)) + NAT_SEEN_STEP;
}

static uint16_t *inside_bucket(const struct nat_key *key)
{
    return &nat_table.inside[key_hash(key, nat_table.seed) & (NAT_BUCKETS - 1)];
}

static uint16_t *outside_bucket(const struct nat_flow *flow)
{
    uint32_t ports = (uint32_t)flow->outside_port << 16 | flow->key.remote_port;
    uint32_t rest = (uint32_t)flow->key.outside << 8 | flow->key.protocol;
    uint32_t hash = rte_jhash_3words(flow->key.remote.words[0], ports, rest, ~nat_table.seed);

    return &nat_table.outside[hash & (NAT_BUCKETS - 1)];
}

static bool is_same_outside(const struct nat_flow *a, const struct nat_flow *b)
{
    return a->key.remote.words[0] == b->key.remote.words[0] && a->outside_port == b->outside_port &&
           a->key.remote_port == b->key.remote_port && a->key.protocol == b->key.protocol &&
           a->key.outside == b->key.outside;
}

struct nat_flow *nat_table_find(const struct nat_key *key)
{
    for (uint16_t i = *inside_bucket(key); i != NAT_NO_FLOW_INDEX; i = nat_flows[i].inside_next)
        if (memcmp(&nat_flows[i].key, key, sizeof(*key)) == 0)
            return &nat_flows[i];
    return NULL;
}

struct nat_flow *nat_table_find_outside(const struct nat_flow *like)
{
    for (uint16_t i = *outside_bucket(like); i != NAT_NO_FLOW_INDEX; i = nat_flows[i].outside_next)
        if (is_same_outside(&nat_flows[i], like))
            return &nat_flows[i];
    return NULL;
}

struct nat_inside nat_flow_inside(const struct nat_flow *flow)
{
    return (struct nat_inside){ .identity = flow->identity,
                                .address = flow->key.inside.words[0],
                                .port = flow->key.inside_port,
                                .protocol = flow->key.protocol,
                                .outside = flow->key.outside };
}

/* Of a flow in no list and no bucket. */
void nat_flow_free(struct nat_flow *flow)
{
    flow->check = 0;
    flow->inside_next = nat_table.free;
    nat_table.free = nat_flow_index(flow);
}

void nat_flow_unmap(const struct nat_flow *flow)
{
    struct nat_inside inside = nat_flow_inside(flow);

    if (nat_flow_is_mapped(flow))
        nat_mapping_drop(&inside);
}

static struct nat_list *list_of(const struct nat_flow *flow)
{
    return &nat_table.guests[flow->key.guest].lists[nat_flow_class(flow)];
}

static void list_append(struct nat_flow *flow)
{
    struct nat_list *list = list_of(flow);
    uint64_t end = flow->seen + nat_flow_lifetime(flow);

    if (list->youngest == NAT_NO_FLOW_INDEX && end < nat_table.tick_at)
        nat_table.tick_at = end;
    flow->older = list->youngest;
    flow->younger = NAT_NO_FLOW_INDEX;
    *(list->youngest == NAT_NO_FLOW_INDEX ? &list->oldest : &nat_flows[list->youngest].younger) =
        nat_flow_index(flow);
    list->youngest = nat_flow_index(flow);
}

static void list_remove(struct nat_flow *flow)
{
    struct nat_list *list = list_of(flow);

    *(flow->older == NAT_NO_FLOW_INDEX ? &list->oldest : &nat_flows[flow->older].younger) =
        flow->younger;
    *(flow->younger == NAT_NO_FLOW_INDEX ? &list->youngest : &nat_flows[flow->younger].older) =
        flow->older;
}

void nat_flow_link(struct nat_flow *flow)
{
    uint16_t *bucket = inside_bucket(&flow->key);

    flow->inside_next = *bucket;
    *bucket = nat_flow_index(flow);
    if (flow->outside_address != 0) {
        bucket = outside_bucket(flow);
        flow->outside_next = *bucket;
        *bucket = nat_flow_index(flow);
    }
    list_append(flow);
    nat_table.guests[flow->key.guest].count++;
}

void nat_flow_close(struct nat_flow *flow)
{
    uint16_t *link = inside_bucket(&flow->key);

    while (*link != nat_flow_index(flow))
        link = &nat_flows[*link].inside_next;
    *link = flow->inside_next;
    if (flow->outside_address != 0) {
        for (link = outside_bucket(flow); *link != nat_flow_index(flow);)
            link = &nat_flows[*link].outside_next;
        *link = flow->outside_next;
    }
    list_remove(flow);
    nat_table.guests[flow->key.guest].count--;
    nat_flow_unmap(flow);
    nat_flow_free(flow);
}

void nat_flow_move(struct nat_flow *flow, uint8_t state, uint64_t seen)
{
    list_remove(flow);
    flow->state = state;
    flow->seen = seen;
    list_append(flow);
}

void nat_table_init(uint32_t seed)
{
    memset(&nat_table, 0, sizeof(nat_table));
    memset(nat_table.waiting, 0xff, sizeof(nat_table.waiting));
    memset(nat_table.inside, 0xff, sizeof(nat_table.inside));
    memset(nat_table.outside, 0xff, sizeof(nat_table.outside));
    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        memset(nat_table.guests[i].lists, 0xff, sizeof(nat_table.guests[i].lists));
    nat_table.seed = seed;
    nat_table.free = NAT_NO_FLOW_INDEX;
}
