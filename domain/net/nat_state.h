/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a flow has come, and how long it may be idle. Used by nat*.c only.
 *
 * TCP is followed by its flags alone, as RFC 6146, 3.5.2.2, with what RFC 7857, 2 changes.
 */
#ifndef NET_NAT_STATE_H
#define NET_NAT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/nat_packet.h"

enum nat_phase {
    NAT_OPENING, /* the other side has not answered yet */
    NAT_PICKED, /* the same, of a TCP connection whose beginning was not seen */
    NAT_ESTABLISHED,
    NAT_FIN_GUEST, /* the guest has closed its side */
    NAT_FIN_REMOTE,
    NAT_CLOSING, /* both have */
    NAT_RESET,
    NAT_PHASES
};

/* A state is a phase, and this if the first frame was to the guest, not from it. */
#define NAT_BY_REMOTE 0x80
#define NAT_ADMITTED 0x40 /* such a one, that the guest's rules have let through */
#define NAT_STATE_NONE UINT8_MAX

/* The kinds of flow; of a guest that must give one up the first go first. */
enum nat_class {
    NAT_TCP_SHORT, /* not established, or closing */
    NAT_ICMP,
    NAT_UDP, /* and what else is tracked */
    NAT_TCP_LONG,
    NAT_CLASSES
};

static inline uint8_t nat_state_phase(uint8_t state)
{
    return state & (uint8_t) ~(NAT_BY_REMOTE | NAT_ADMITTED);
}

/*
 * The state of a flow that begins with this packet. NAT_STATE_NONE if none can: ICMP replies, TCP
 * segments with RST or with both SYN and ACK.
 */
uint8_t nat_state_first(const struct nat_packet *packet, bool from_guest);

/* The state after another packet of the flow. */
uint8_t nat_state_next(uint8_t state, const struct nat_packet *packet, bool from_guest);

enum nat_class nat_state_class(uint8_t state, uint8_t protocol, bool is_v6);

/* How long flows of a class live without being used, ns. */
uint64_t nat_class_lifetime(enum nat_class of);

/* Does a packet that leaves the state of a TCP flow as it is prolong its life? */
bool nat_state_is_prolonged(uint8_t state, bool from_guest);

#endif
