/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of flows (docs/decisions/0010). Used by nat*.c only; net/nat.h says what holds for it.
 */
#ifndef NET_NAT_FLOW_H
#define NET_NAT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "net/nat.h"
#include "net/nat_packet.h"
#include "net/nat_state.h"

/* The two ends of a flow, as its guest sees them. There is no padding. */
struct nat_key {
    struct nat_address inside, remote;
    uint16_t inside_port, remote_port; /* ICMP queries: the id, and 0 */
    uint8_t protocol, bits; /* NAT_KEY_* */
    uint8_t guest, outside;
};

#define NAT_KEY_V6 1u
#define NAT_KEY_QUERY_IN 2u /* an ICMP query to the guest */

struct nat_flow {
    struct nat_key key;
    rte_be32_t outside_address; /* 0: the flow is tracked only */
    uint16_t outside_port;
    uint8_t is_forwarded; /* the port is that of a port forward, not of a mapping; 0 or 1 */
    uint8_t state; /* net/nat_state.h */
    uint64_t seen; /* ns */
    uint32_t identity; /* of the guest */
    uint32_t check; /* over all of the above but state, seen and key.guest; 0: this is no flow */
    uint16_t inside_next,
        outside_next; /* in their buckets; inside_next also links free and waiting ones */
    uint16_t older, younger; /* among those of the guest of the same class */
};

/* What a flow is to be. */
struct nat_flow_plan {
    struct nat_key key;
    rte_be32_t outside_address; /* 0: tracked only */
    uint16_t forwarded_port; /* that of a port forward, or 0: choose one */
    bool is_own_port_only; /* choose no other than the guest's */
    uint8_t state;
};

/* The key of a packet's flow. */
struct nat_key nat_key_of(const struct nat_packet *packet, uint8_t guest, uint8_t outside,
                          bool from_guest);

void nat_flow_init(uint32_t seed);
unsigned int nat_flow_resume(uint32_t seed);

/*
 * A guest may have flows, and has those again that waited for it: of its outside, by way of this address
 * (0: of any).
 */
void nat_flow_guest_add(uint8_t guest, uint32_t identity, uint8_t outside, rte_be32_t address);

/* End all flows of a guest. */
void nat_flow_guest_remove(uint8_t guest);

/* End the flows of an outside that go by way of another address than this one. */
void nat_flow_outside_set(uint8_t outside, rte_be32_t address);

/* How many a guest has, and how many it had to give up before their time since it was added. */
unsigned int nat_flow_count(uint8_t guest);
uint64_t nat_flow_evicted(uint8_t guest);

/* The flow, unless it is past its time; NULL: none. */
struct nat_flow *nat_flow_find(const struct nat_key *key, uint64_t now);

/* The same by how a packet looks outside; is_out: it has left, or else it comes in. */
struct nat_flow *nat_flow_find_outside(const struct nat_packet *packet, uint8_t outside,
                                       bool is_out, uint64_t now);

/*
 * Open a flow that nat_flow_find() does not find, of a guest that was added. Another one may end for it.
 * Returns NULL if no port is free, or another flow is the same outside.
 */
struct nat_flow *nat_flow_open(const struct nat_flow_plan *plan, uint64_t now);

/* A packet of the flow has passed. */
void nat_flow_see(struct nat_flow *flow, const struct nat_packet *packet, bool from_guest,
                  uint64_t now);

/*
 * End flows past their time, those of guests a few at a time, and those that have waited for too long.
 * Returns when the next will be, or UINT64_MAX.
 */
uint64_t nat_flow_tick(uint64_t now);

#endif
