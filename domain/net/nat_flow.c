/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_flow.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_jhash.h>

#include "net/nat_mapping.h"

#define BUCKETS NAT_FLOWS /* a power of two */
#define NO_FLOW UINT16_MAX
#define PENDING_CHAINS 64
#define SECOND 1000000000ull
#define PENDING_LIFETIME (60 * SECOND)
#define SEEN_STEP SECOND /* a flow that is used is noted to be so no more often */
#define REAP_MAX 256 /* flows in one tick */

/* Memory that a restart leaves alone; zero at the first start. */
#define OUTLIVE __attribute__((section(".outlive")))

_Static_assert(sizeof(struct nat_key) == 40, "a key is hashed as it lies in memory");

struct list {
    uint16_t oldest, youngest;
};

struct guest {
    uint32_t identity;
    uint16_t count;
    uint64_t evicted;
    struct list lists[NAT_CLASSES];
};

static struct {
    uint32_t seed;
    uint16_t free;
    uint16_t nr_pending;
    uint64_t pending_until; /* ns; 0: not known yet */
    uint64_t tick_at; /* ns; no flow is past its time before */
    uint16_t
        pending[PENDING_CHAINS]; /* by identity: flows of guests that are not there again yet */
    uint16_t inside[BUCKETS], outside[BUCKETS];
    struct guest guests[NAT_GUESTS];
} table;

static struct nat_flow flows[NAT_FLOWS] OUTLIVE;

static uint16_t index_of(const struct nat_flow *flow)
{
    return (uint16_t)(flow - flows);
}

struct nat_key nat_key_of(const struct nat_packet *p, uint8_t guest, uint8_t outside,
                          bool from_guest)
{
    bool is_icmp = nat_packet_is_icmp(p);
    bool is_query_in = is_icmp && p->is_request != from_guest;

    return (struct nat_key){ .inside = from_guest ? p->src : p->dst,
                             .remote = from_guest ? p->dst : p->src,
                             .inside_port = from_guest ? p->src_port : p->dst_port,
                             .remote_port = is_icmp      ? 0
                                            : from_guest ? p->dst_port
                                                         : p->src_port,
                             .protocol = p->protocol,
                             .bits =
                                 (p->is_v6 ? NAT_KEY_V6 : 0) | (is_query_in ? NAT_KEY_QUERY_IN : 0),
                             .guest = guest,
                             .outside = outside };
}

/* The guest's number is another after a restart, perhaps. */
static uint32_t check_of(const struct nat_flow *flow)
{
    struct nat_key key = flow->key;
    uint32_t sum;

    key.guest = 0;
    sum = rte_jhash_32b((const uint32_t *)&key, sizeof(key) / 4, NAT_FLOWS);
    sum = rte_jhash_3words(flow->outside_address,
                           (uint32_t)flow->outside_port << 8 | flow->is_forwarded, flow->identity,
                           sum);
    return sum ? sum : 1;
}

static enum nat_class class_of(const struct nat_flow *flow)
{
    return nat_state_class(flow->state, flow->key.protocol, flow->key.bits & NAT_KEY_V6);
}

/* How long it lives after it was seen: never shorter than its class says. */
static uint64_t lifetime_of(const struct nat_flow *flow)
{
    return nat_class_lifetime(class_of(flow)) + SEEN_STEP;
}

static bool is_expired(const struct nat_flow *flow, uint64_t now)
{
    return now - flow->seen >= lifetime_of(flow);
}

static uint16_t *inside_bucket(const struct nat_key *key)
{
    uint32_t hash = rte_jhash_32b((const uint32_t *)key, sizeof(*key) / 4, table.seed);

    return &table.inside[hash & (BUCKETS - 1)];
}

static uint16_t *outside_bucket(const struct nat_flow *flow)
{
    uint32_t ports = (uint32_t)flow->outside_port << 16 | flow->key.remote_port;
    uint32_t rest = (uint32_t)flow->key.outside << 8 | flow->key.protocol;
    uint32_t hash = rte_jhash_3words(flow->key.remote.words[0], ports, rest, ~table.seed);

    return &table.outside[hash & (BUCKETS - 1)];
}

static bool is_same_outside(const struct nat_flow *a, const struct nat_flow *b)
{
    return a->key.remote.words[0] == b->key.remote.words[0] && a->outside_port == b->outside_port &&
           a->key.remote_port == b->key.remote_port && a->key.protocol == b->key.protocol &&
           a->key.outside == b->key.outside;
}

static struct nat_flow *find_inside(const struct nat_key *key)
{
    for (uint16_t i = *inside_bucket(key); i != NO_FLOW; i = flows[i].inside_next)
        if (memcmp(&flows[i].key, key, sizeof(*key)) == 0)
            return &flows[i];
    return NULL;
}

static struct nat_flow *find_outside(const struct nat_flow *like)
{
    for (uint16_t i = *outside_bucket(like); i != NO_FLOW; i = flows[i].outside_next)
        if (is_same_outside(&flows[i], like))
            return &flows[i];
    return NULL;
}

static struct nat_inside inside_of(const struct nat_flow *flow)
{
    return (struct nat_inside){ .identity = flow->identity,
                                .address = flow->key.inside.words[0],
                                .port = flow->key.inside_port,
                                .protocol = flow->key.protocol,
                                .outside = flow->key.outside };
}

static bool is_mapped(const struct nat_flow *flow)
{
    return flow->outside_address != 0 && !flow->is_forwarded;
}

/* Of a flow in no list and no bucket. */
static void flow_free(struct nat_flow *flow)
{
    flow->check = 0;
    flow->inside_next = table.free;
    table.free = index_of(flow);
}

static void mapping_drop(const struct nat_flow *flow)
{
    struct nat_inside inside = inside_of(flow);

    if (is_mapped(flow))
        nat_mapping_drop(&inside);
}

static struct list *list_of(const struct nat_flow *flow)
{
    return &table.guests[flow->key.guest].lists[class_of(flow)];
}

static void list_append(struct nat_flow *flow)
{
    struct list *list = list_of(flow);
    uint64_t end = flow->seen + lifetime_of(flow);

    if (list->youngest == NO_FLOW && end < table.tick_at)
        table.tick_at = end;
    flow->older = list->youngest;
    flow->younger = NO_FLOW;
    *(list->youngest == NO_FLOW ? &list->oldest : &flows[list->youngest].younger) = index_of(flow);
    list->youngest = index_of(flow);
}

static void list_remove(struct nat_flow *flow)
{
    struct list *list = list_of(flow);

    *(flow->older == NO_FLOW ? &list->oldest : &flows[flow->older].younger) = flow->younger;
    *(flow->younger == NO_FLOW ? &list->youngest : &flows[flow->younger].older) = flow->older;
}

static void flow_link(struct nat_flow *flow)
{
    uint16_t *bucket = inside_bucket(&flow->key);

    flow->inside_next = *bucket;
    *bucket = index_of(flow);
    if (flow->outside_address != 0) {
        bucket = outside_bucket(flow);
        flow->outside_next = *bucket;
        *bucket = index_of(flow);
    }
    list_append(flow);
    table.guests[flow->key.guest].count++;
}

static void flow_close(struct nat_flow *flow)
{
    uint16_t *link = inside_bucket(&flow->key);

    while (*link != index_of(flow))
        link = &flows[*link].inside_next;
    *link = flow->inside_next;
    if (flow->outside_address != 0) {
        for (link = outside_bucket(flow); *link != index_of(flow);)
            link = &flows[*link].outside_next;
        *link = flow->outside_next;
    }
    list_remove(flow);
    table.guests[flow->key.guest].count--;
    mapping_drop(flow);
    flow_free(flow);
}

static void table_init(uint32_t seed)
{
    memset(&table, 0, sizeof(table));
    memset(table.pending, 0xff, sizeof(table.pending));
    memset(table.inside, 0xff, sizeof(table.inside));
    memset(table.outside, 0xff, sizeof(table.outside));
    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        memset(table.guests[i].lists, 0xff, sizeof(table.guests[i].lists));
    table.seed = seed;
    table.free = NO_FLOW;
}

void nat_flow_init(uint32_t seed)
{
    table_init(seed);
    for (unsigned int i = NAT_FLOWS; i-- > 0;)
        flow_free(&flows[i]);
}

static uint16_t *pending_chain(uint32_t identity)
{
    return &table.pending[identity % PENDING_CHAINS];
}

static bool is_sound(const struct nat_flow *flow)
{
    return flow->check != 0 && flow->check == check_of(flow);
}

/* A flow of the last start waits. Its port is kept for it from now on. */
static void flow_wait(struct nat_flow *flow)
{
    struct nat_inside inside = inside_of(flow);
    uint16_t *chain = pending_chain(flow->identity);

    if (nat_state_phase(flow->state) >= NAT_PHASES)
        flow->state = NAT_RESET;
    if (is_mapped(flow) && !nat_mapping_use_port(&inside, flow->outside_port)) {
        flow_free(flow);
        return;
    }
    flow->inside_next = *chain;
    *chain = index_of(flow);
    table.nr_pending++;
}

static int younger_first(const void *a, const void *b)
{
    uint64_t x = flows[*(const uint16_t *)a].seen, y = flows[*(const uint16_t *)b].seen;

    return x > y ? -1 : x < y;
}

/* Each chain is sorted, the oldest first, so that its guest's lists are made by appending. */
unsigned int nat_flow_resume(uint32_t seed)
{
    static uint16_t order[NAT_FLOWS];
    unsigned int nr = 0;

    table_init(seed);
    for (unsigned int i = NAT_FLOWS; i-- > 0;) {
        if (is_sound(&flows[i]))
            order[nr++] = (uint16_t)i;
        else
            flow_free(&flows[i]);
    }
    qsort(order, nr, sizeof(order[0]), younger_first);
    for (unsigned int i = 0; i < nr; i++)
        flow_wait(&flows[order[i]]);
    return table.nr_pending;
}

/* Take a flow that waits out of its chain, for good. */
static void pending_drop(uint16_t *link)
{
    struct nat_flow *flow = &flows[*link];

    *link = flow->inside_next;
    table.nr_pending--;
    mapping_drop(flow);
    flow_free(flow);
}

/* Is it the guest's still, and of nobody else meanwhile? */
static bool may_return(const struct nat_flow *flow, uint8_t outside, rte_be32_t address)
{
    if (flow->key.outside != outside || find_inside(&flow->key))
        return false;
    if (flow->outside_address == 0)
        return true;
    return (address == 0 || flow->outside_address == address) && !find_outside(flow);
}

void nat_flow_guest_add(uint8_t guest, uint32_t identity, uint8_t outside, rte_be32_t address)
{
    uint16_t *link = pending_chain(identity);

    table.guests[guest].identity = identity;
    table.guests[guest].evicted = 0;
    while (*link != NO_FLOW) {
        struct nat_flow *flow = &flows[*link];

        if (flow->identity != identity) {
            link = &flow->inside_next;
            continue;
        }
        flow->key.guest = guest;
        if (!may_return(flow, outside, address)) {
            pending_drop(link);
            continue;
        }
        *link = flow->inside_next;
        table.nr_pending--;
        flow_link(flow);
    }
}

static void list_close(const struct list *list)
{
    while (list->oldest != NO_FLOW)
        flow_close(&flows[list->oldest]);
}

void nat_flow_guest_remove(uint8_t guest)
{
    for (unsigned int c = 0; c < NAT_CLASSES; c++)
        list_close(&table.guests[guest].lists[c]);
}

static void list_outside_set(const struct list *list, uint8_t outside, rte_be32_t address)
{
    uint16_t next;

    for (uint16_t i = list->oldest; i != NO_FLOW; i = next) {
        struct nat_flow *flow = &flows[i];

        next = flow->younger;
        if (flow->outside_address != 0 && flow->key.outside == outside &&
            flow->outside_address != address)
            flow_close(flow);
    }
}

void nat_flow_outside_set(uint8_t outside, rte_be32_t address)
{
    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        for (unsigned int c = 0; c < NAT_CLASSES; c++)
            list_outside_set(&table.guests[i].lists[c], outside, address);
}

unsigned int nat_flow_count(uint8_t guest)
{
    return table.guests[guest].count;
}

uint64_t nat_flow_evicted(uint8_t guest)
{
    return table.guests[guest].evicted;
}

static struct nat_flow *unless_expired(struct nat_flow *flow, uint64_t now)
{
    if (flow && is_expired(flow, now)) {
        flow_close(flow);
        return NULL;
    }
    return flow;
}

struct nat_flow *nat_flow_find(const struct nat_key *key, uint64_t now)
{
    return unless_expired(find_inside(key), now);
}

struct nat_flow *nat_flow_find_outside(const struct nat_packet *p, uint8_t outside, bool is_out,
                                       uint64_t now)
{
    bool is_icmp = nat_packet_is_icmp(p);
    struct nat_flow like = { .key = { .remote = is_out ? p->dst : p->src,
                                      .remote_port = is_icmp  ? 0
                                                     : is_out ? p->dst_port
                                                              : p->src_port,
                                      .protocol = p->protocol,
                                      .outside = outside },
                             .outside_port = is_out ? p->src_port : p->dst_port };

    if (p->is_v6 || (is_icmp && p->is_request != is_out))
        return NULL;
    return unless_expired(find_outside(&like), now);
}

/* The guest's flow that is worth least. It has one. */
static struct nat_flow *least_of(const struct guest *guest)
{
    unsigned int c = 0;

    while (guest->lists[c].oldest == NO_FLOW)
        c++;
    return &flows[guest->lists[c].oldest];
}

/* All flows are taken: whose is to end? NULL: one that waits. */
static struct guest *guest_with_most(struct guest *asking)
{
    struct guest *most = asking;

    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        if (table.guests[i].count > most->count)
            most = &table.guests[i];
    /* What waits belongs to guests that cannot speak for it yet. */
    return most == asking && most->count < NAT_FLOWS / NAT_GUESTS ? NULL : most;
}

static void pending_evict(void)
{
    for (unsigned int i = 0; i < PENDING_CHAINS; i++) {
        if (table.pending[i] == NO_FLOW)
            continue;
        pending_drop(&table.pending[i]);
        return;
    }
}

static struct nat_flow *flow_take(struct guest *asking)
{
    struct nat_flow *flow;

    if (table.free == NO_FLOW) {
        struct guest *guest = guest_with_most(asking);

        if (guest) {
            guest->evicted++;
            flow_close(least_of(guest));
        } else {
            pending_evict();
        }
    }
    flow = &flows[table.free];
    table.free = flow->inside_next;
    return flow;
}

/* Finds out which port outside a new flow has. False: none. */
static bool flow_place(struct nat_flow *flow, const struct nat_flow_plan *plan, uint64_t now)
{
    struct nat_inside inside = inside_of(flow);
    int port = plan->forwarded_port;

    if (plan->outside_address == 0)
        return true;
    if (!flow->is_forwarded)
        port = nat_mapping_use(&inside, plan->is_own_port_only, now);
    if (port < 0)
        return false;
    flow->outside_port = (uint16_t)port;
    if (!find_outside(flow))
        return true;
    mapping_drop(flow);
    return false;
}

struct nat_flow *nat_flow_open(const struct nat_flow_plan *plan, uint64_t now)
{
    struct guest *guest = &table.guests[plan->key.guest];
    struct nat_flow *flow = flow_take(guest);

    *flow = (struct nat_flow){ .key = plan->key,
                               .outside_address = plan->outside_address,
                               .is_forwarded = plan->forwarded_port != 0,
                               .state = plan->state,
                               .seen = now,
                               .identity = guest->identity };
    if (!flow_place(flow, plan, now)) {
        flow_free(flow);
        return NULL;
    }
    flow->check = check_of(flow);
    flow_link(flow);
    return flow;
}

/* RFC 4787 REQ-6: what comes in need not prolong a translated flow, or anybody outside could. */
static bool is_prolonged(const struct nat_flow *flow, bool from_guest)
{
    if (flow->key.protocol == IPPROTO_TCP)
        return nat_state_is_prolonged(flow->state, from_guest);
    return from_guest || flow->outside_address == 0;
}

void nat_flow_see(struct nat_flow *flow, const struct nat_packet *packet, bool from_guest,
                  uint64_t now)
{
    uint8_t next = nat_state_next(flow->state, packet, from_guest);
    bool is_news = flow->key.protocol == IPPROTO_TCP && next != flow->state;

    if (!is_news && (!is_prolonged(flow, from_guest) || now - flow->seen < SEEN_STEP)) {
        flow->state = next; /* of the same class */
        return;
    }
    list_remove(flow);
    flow->state = next;
    flow->seen = now;
    list_append(flow);
}

/* Ends up to nr flows, the oldest of each list, and takes the next one's time. Returns how many. */
static unsigned int list_reap(const struct list *list, unsigned int nr, uint64_t now,
                              uint64_t *next)
{
    unsigned int done = 0;

    while (list->oldest != NO_FLOW) {
        struct nat_flow *flow = &flows[list->oldest];
        uint64_t end = flow->seen + lifetime_of(flow);

        if (!is_expired(flow, now) || done == nr) {
            *next = end < *next ? end : *next;
            break;
        }
        flow_close(flow);
        done++;
    }
    return done;
}

static uint64_t pending_reap(uint64_t now)
{
    if (table.nr_pending == 0)
        return UINT64_MAX;
    if (table.pending_until == 0)
        table.pending_until = now + PENDING_LIFETIME;
    if (now < table.pending_until)
        return table.pending_until;
    while (table.nr_pending > 0)
        pending_evict();
    return UINT64_MAX;
}

uint64_t nat_flow_tick(uint64_t now)
{
    unsigned int left = REAP_MAX;

    if (now < table.tick_at)
        return table.tick_at;
    table.tick_at = pending_reap(now);
    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        for (unsigned int c = 0; table.guests[i].count > 0 && c < NAT_CLASSES; c++)
            left -= list_reap(&table.guests[i].lists[c], left, now, &table.tick_at);
    return table.tick_at;
}
