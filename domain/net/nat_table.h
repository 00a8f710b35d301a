/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the table of flows lies in memory: places, buckets, lists, waiting chains. Used by nat_table.c,
 * nat_flow.c and nat_wait.c only.
 */
#ifndef NET_NAT_TABLE_H
#define NET_NAT_TABLE_H

#include "net/nat_flow.h"
#include "net/nat_mapping.h"

#define NAT_BUCKETS NAT_FLOWS /* a power of two */
#define NAT_NO_FLOW_INDEX UINT16_MAX
#define NAT_WAITING_CHAINS 64
#define NAT_SEEN_STEP 1000000000ull /* ns: a flow that is used is noted to be so no more often */

struct nat_list {
    uint16_t oldest, youngest;
};

struct nat_flow_guest {
    uint32_t identity;
    uint16_t count;
    uint64_t evicted;
    struct nat_list lists[NAT_CLASSES];
};

struct nat_table {
    uint32_t seed;
    uint16_t free;
    uint16_t nr_waiting;
    uint64_t waiting_until; /* ns; 0: not known yet */
    uint64_t tick_at; /* ns; no flow is past its time before */
    uint16_t
        waiting[NAT_WAITING_CHAINS]; /* by identity: flows of guests that are not there again yet */
    uint16_t inside[NAT_BUCKETS], outside[NAT_BUCKETS];
    struct nat_flow_guest guests[NAT_GUESTS];
};

extern struct nat_table nat_table;
extern struct nat_flow nat_flows[NAT_FLOWS];

static inline uint16_t nat_flow_index(const struct nat_flow *flow)
{
    return (uint16_t)(flow - nat_flows);
}

static inline enum nat_class nat_flow_class(const struct nat_flow *flow)
{
    return nat_state_class(flow->state, flow->key.protocol, flow->key.bits & NAT_KEY_V6);
}

/* How long a flow lives after it was seen, ns: never shorter than its class says. */
uint64_t nat_flow_lifetime(const struct nat_flow *flow);

static inline bool nat_flow_is_expired(const struct nat_flow *flow, uint64_t now)
{
    return now - flow->seen >= nat_flow_lifetime(flow);
}

/* Is a port outside the flow's by a mapping? */
static inline bool nat_flow_is_mapped(const struct nat_flow *flow)
{
    return flow->outside_address != 0 && !flow->is_forwarded;
}

/* The check that a flow must have; not 0. */
uint32_t nat_flow_check(const struct nat_flow *flow);

/* The end of its mapping. */
struct nat_inside nat_flow_inside(const struct nat_flow *flow);

/* No flows, no guests; no place is free yet. */
void nat_table_init(uint32_t seed);

/* Make the place of a flow that is in no list and no bucket free. */
void nat_flow_free(struct nat_flow *flow);

/* Put a flow into buckets and its guest's list, as the youngest; the reverse, and free its place. */
void nat_flow_link(struct nat_flow *flow);
void nat_flow_close(struct nat_flow *flow);

/* Move a flow whose state and time are to be these to the young end of its list. */
void nat_flow_move(struct nat_flow *flow, uint8_t state, uint64_t seen);

/* The flow with this key; the one that looks like this outside. Expired ones too. NULL: none. */
struct nat_flow *nat_table_find(const struct nat_key *key);
struct nat_flow *nat_table_find_outside(const struct nat_flow *like);

/* End the mapping's use by a flow that is not linked. */
void nat_flow_unmap(const struct nat_flow *flow);

/* nat_wait.c: end one flow that waits; there is one. End those that have waited for too long. */
void nat_wait_evict(void);
uint64_t nat_wait_tick(uint64_t now);

#endif
