/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_state.h"

#include <netinet/in.h>

#include <rte_tcp.h>

#define SECOND 1000000000ull

static bool is_by_remote(uint8_t state)
{
    return state & NAT_BY_REMOTE;
}

static bool is_syn_alone(uint8_t flags)
{
    return (flags & (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_RST_FLAG)) == RTE_TCP_SYN_FLAG;
}

/* A segment from the midst of a connection; its end (FIN) too, so that both ends hear of it. */
static bool is_midst(uint8_t flags)
{
    return (flags & (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_RST_FLAG)) == RTE_TCP_ACK_FLAG;
}

uint8_t nat_state_first(const struct nat_packet *packet, bool from_guest)
{
    uint8_t opener = from_guest ? 0 : NAT_BY_REMOTE;

    if (nat_packet_is_icmp(packet))
        return packet->is_request ? NAT_OPENING | opener : NAT_STATE_NONE;
    if (packet->protocol != IPPROTO_TCP || is_syn_alone(packet->tcp_flags))
        return NAT_OPENING | opener;
    return is_midst(packet->tcp_flags) ? NAT_PICKED | opener : NAT_STATE_NONE;
}

static enum nat_phase phase_after_fin(enum nat_phase phase, bool from_guest)
{
    enum nat_phase half = from_guest ? NAT_FIN_GUEST : NAT_FIN_REMOTE;

    return phase == NAT_ESTABLISHED || phase == half ? half : NAT_CLOSING;
}

/* In NAT_ESTABLISHED, NAT_FIN_GUEST, NAT_FIN_REMOTE. */
static enum nat_phase phase_connected(enum nat_phase phase, uint8_t flags, bool from_guest)
{
    if (flags & RTE_TCP_RST_FLAG)
        return NAT_RESET;
    return flags & RTE_TCP_FIN_FLAG ? phase_after_fin(phase, from_guest) : phase;
}

/* A SYN that crosses the first one is a simultaneous open: RFC 5382 REQ-2. */
static enum nat_phase phase_opening(enum nat_phase phase, uint8_t flags, bool is_opener)
{
    if (flags & RTE_TCP_RST_FLAG)
        return NAT_RESET;
    return !is_opener && (flags & RTE_TCP_SYN_FLAG) ? NAT_ESTABLISHED : phase;
}

/* The connection is one if the other side goes on with it. */
static enum nat_phase phase_picked(uint8_t flags, bool is_opener, bool from_guest)
{
    if (is_opener && !(flags & RTE_TCP_RST_FLAG))
        return NAT_PICKED;
    return phase_connected(NAT_ESTABLISHED, flags, from_guest);
}

static uint8_t tcp_next(uint8_t state, uint8_t flags, bool from_guest)
{
    bool is_opener = from_guest != is_by_remote(state);
    uint8_t opener = state & NAT_BY_REMOTE;
    enum nat_phase phase = nat_state_phase(state);

    switch (phase) {
    case NAT_OPENING:
        return phase_opening(phase, flags, is_opener) | opener;
    case NAT_PICKED:
        return phase_picked(flags, is_opener, from_guest) | opener;
    case NAT_CLOSING:
    case NAT_RESET:
        /* The ports are used again. */
        if (is_syn_alone(flags))
            return NAT_OPENING | (from_guest ? 0 : NAT_BY_REMOTE);
        /* The RST may have been forged, or ignored by its receiver: RFC 7857, 2.2. */
        if (phase == NAT_RESET && !(flags & RTE_TCP_RST_FLAG))
            return NAT_ESTABLISHED | opener;
        return state;
    default:
        return phase_connected(phase, flags, from_guest) | opener;
    }
}

uint8_t nat_state_next(uint8_t state, const struct nat_packet *packet, bool from_guest)
{
    if (packet->protocol == IPPROTO_TCP)
        return tcp_next(state, packet->tcp_flags, from_guest);
    return from_guest == is_by_remote(state) ? NAT_ESTABLISHED | (state & NAT_BY_REMOTE) : state;
}

enum nat_class nat_state_class(uint8_t state, uint8_t protocol, bool is_v6)
{
    uint8_t phase = nat_state_phase(state);

    if (protocol == (is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
        return NAT_ICMP;
    if (protocol != IPPROTO_TCP)
        return NAT_UDP;
    return phase >= NAT_ESTABLISHED && phase <= NAT_FIN_REMOTE ? NAT_TCP_LONG : NAT_TCP_SHORT;
}

uint64_t nat_class_lifetime(enum nat_class of)
{
    static const uint64_t lifetimes[NAT_CLASSES] = {
        [NAT_TCP_SHORT] = 240 * SECOND, /* RFC 5382 REQ-5: 4 minutes at least */
        [NAT_ICMP] = 60 * SECOND, /* RFC 5508 REQ-2 */
        [NAT_UDP] = 300 * SECOND, /* RFC 4787 REQ-5: 2 minutes at least, 5 recommended */
        [NAT_TCP_LONG] = 7440 * SECOND, /* RFC 5382 REQ-5: 2 hours 4 minutes at least */
    };

    return lifetimes[of];
}

bool nat_state_is_prolonged(uint8_t state, bool from_guest)
{
    uint8_t phase = nat_state_phase(state);

    if (phase == NAT_OPENING || phase == NAT_PICKED)
        return from_guest != is_by_remote(state);
    return phase != NAT_CLOSING && phase != NAT_RESET;
}
