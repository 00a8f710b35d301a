/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_flow.h"

#include <netinet/in.h>

#include "net/nat_table.h"

#define REAP_MAX 256 /* flows in one tick */

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

unsigned int nat_flow_count(uint8_t guest)
{
    return nat_table.guests[guest].count;
}

uint64_t nat_flow_evicted(uint8_t guest)
{
    return nat_table.guests[guest].evicted;
}

static struct nat_flow *unless_expired(struct nat_flow *flow, uint64_t now)
{
    if (flow && nat_flow_is_expired(flow, now)) {
        nat_flow_close(flow);
        return NULL;
    }
    return flow;
}

struct nat_flow *nat_flow_find(const struct nat_key *key, uint64_t now)
{
    return unless_expired(nat_table_find(key), now);
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
    return unless_expired(nat_table_find_outside(&like), now);
}

/* The guest's flow that is worth least. It has one. */
static struct nat_flow *least_of(const struct nat_flow_guest *guest)
{
    unsigned int c = 0;

    while (guest->lists[c].oldest == NAT_NO_FLOW_INDEX)
        c++;
    return &nat_flows[guest->lists[c].oldest];
}

/* All flows are taken: whose is to end? NULL: one that waits. */
static struct nat_flow_guest *guest_with_most(struct nat_flow_guest *asking)
{
    struct nat_flow_guest *most = asking;

    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        if (nat_table.guests[i].count > most->count)
            most = &nat_table.guests[i];
    /* What waits belongs to guests that cannot speak for it yet. */
    return most == asking && most->count < NAT_FLOWS / NAT_GUESTS ? NULL : most;
}

static struct nat_flow *flow_take(struct nat_flow_guest *asking)
{
    struct nat_flow *flow;

    if (nat_table.free == NAT_NO_FLOW_INDEX) {
        struct nat_flow_guest *guest = guest_with_most(asking);

        if (guest) {
            guest->evicted++;
            nat_flow_close(least_of(guest));
        } else {
            nat_wait_evict();
        }
    }
    flow = &nat_flows[nat_table.free];
    nat_table.free = flow->inside_next;
    return flow;
}

/* Finds out which port outside a new flow has. False: none. */
static bool flow_place(struct nat_flow *flow, const struct nat_flow_plan *plan, uint64_t now)
{
    struct nat_inside inside = nat_flow_inside(flow);
    int port = plan->forwarded_port;

    if (plan->outside_address == 0)
        return true;
    if (!flow->is_forwarded)
        port = nat_mapping_use(&inside, plan->is_own_port_only, now);
    if (port < 0)
        return false;
    flow->outside_port = (uint16_t)port;
    if (!nat_table_find_outside(flow))
        return true;
    nat_flow_unmap(flow);
    return false;
}

struct nat_flow *nat_flow_open(const struct nat_flow_plan *plan, uint64_t now)
{
    struct nat_flow_guest *guest = &nat_table.guests[plan->key.guest];
    struct nat_flow *flow = flow_take(guest);

    *flow = (struct nat_flow){ .key = plan->key,
                               .outside_address = plan->outside_address,
                               .is_forwarded = plan->forwarded_port != 0,
                               .state = plan->state,
                               .seen = now,
                               .identity = guest->identity };
    if (!flow_place(flow, plan, now)) {
        nat_flow_free(flow);
        return NULL;
    }
    flow->check = nat_flow_check(flow);
    nat_flow_link(flow);
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

    if (!is_news && (!is_prolonged(flow, from_guest) || now - flow->seen < NAT_SEEN_STEP)) {
        flow->state = next; /* of the same class */
        return;
    }
    nat_flow_move(flow, next, now);
}

/* Ends up to nr flows, the oldest of each list, and takes the next one's time. Returns how many. */
static unsigned int list_reap(const struct nat_list *list, unsigned int nr, uint64_t now,
                              uint64_t *next)
{
    unsigned int done = 0;

    while (list->oldest != NAT_NO_FLOW_INDEX) {
        struct nat_flow *flow = &nat_flows[list->oldest];
        uint64_t end = flow->seen + nat_flow_lifetime(flow);

        if (!nat_flow_is_expired(flow, now) || done == nr) {
            *next = end < *next ? end : *next;
            break;
        }
        nat_flow_close(flow);
        done++;
    }
    return done;
}

uint64_t nat_flow_tick(uint64_t now)
{
    unsigned int left = REAP_MAX;

    if (now < nat_table.tick_at)
        return nat_table.tick_at;
    nat_table.tick_at = nat_wait_tick(now);
    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        for (unsigned int c = 0; nat_table.guests[i].count > 0 && c < NAT_CLASSES; c++)
            left -= list_reap(&nat_table.guests[i].lists[c], left, now, &nat_table.tick_at);
    return nat_table.tick_at;
}
