/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network address translation for IPv4 guests (masquerading and port forwards), and the flows of
 * guests that are routed without translation (rules that know replies). One table holds the flows
 * of both.
 *
 * Mapping is endpoint-independent: one address and port of a guest is one port outside, whoever it
 * talks to (RFC 4787 REQ-1, RFC 5382 REQ-1). Filtering is address- and port-dependent: only whom the
 * guest talked to gets through, port forwards apart (RFC 4787, 5; as strict as Linux, and stricter than
 * REQ-8 asks for). TCP, UDP and ICMP queries are translated, and ICMP errors about them; frames of other
 * protocols (GRE, ESP, SCTP and so on) are dropped and counted.
 *
 * Flows outlive a restart of the kernel, each with a check of its own; they wait for their guests,
 * known by an identity. After a loss of memory a TCP connection of which the guest, or the peer of a
 * port forward, sends a segment is taken up again with the port it had, if that is free.
 *
 * No guest has a fixed share of the table. When it is full the guest with the most flows gives up one:
 * a TCP connection that is not established or is closing, an ICMP query, a UDP flow, or else the
 * established TCP connection that was idle for longest. So a guest that opens flows without end pays
 * with its own, and n guests are sure of NAT_FLOWS / n each.
 *
 * Guests and outsides are numbered by the caller. Times are nanoseconds of a clock that does not go
 * backwards, over restarts too.
 */
#ifndef NET_NAT_H
#define NET_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#define NAT_GUESTS 64
#define NAT_OUTSIDES 4
#define NAT_FORWARDS 32
#define NAT_FLOWS 4096

#define NAT_NO_OUTSIDE UINT8_MAX /* of a guest that is routed as it is, not translated */
#define NAT_NO_GUEST UINT8_MAX

/*
 * Ports outside are chosen from 1024 to 65535, without these, which are the domain's own: for its DNS
 * queries, say. Below 1024 there are port forwards only.
 */
#define NAT_OWN_PORT_FIRST 2048
#define NAT_OWN_PORT_LAST 4095

enum nat_verdict {
    NAT_OK, /* translated: goes on, outside or to the guest */
    NAT_TURNED, /* translated twice: from one guest to another by way of their outside address */
    NAT_LOCAL, /* unchanged: belongs to no flow, and is addressed to the domain */
    NAT_HELD, /* a fragment that came before its first: kept, not the caller's any more */
    NAT_DROP, /* counted; the caller frees it */
};

/* Why frames are dropped. */
enum nat_reason {
    NAT_BAD = 1, /* headers cut off or contradictory, or not in the first segment */
    NAT_PROTOCOL, /* neither TCP nor UDP nor an ICMP message that can be translated */
    NAT_NO_ADDRESS, /* the outside has none yet */
    NAT_NO_FLOW, /* a reply, an error or a TCP segment that belongs to no flow */
    NAT_NO_PORT, /* none that is free was found outside, or the flow is another's already */
    NAT_FRAGMENT, /* overlaps the first, hides the L4 header, has an unfinished checksum */
    NAT_UNHELD, /* a fragment without its first: too many are kept, or it was for too long */
    NAT_REASONS
};

struct nat_stats {
    uint64_t out_frames, in_frames; /* translated, or of a tracked flow; from the guest, to it */
    uint64_t opened, evicted; /* flows; evicted: before their time, for want of room */
    uint64_t dropped[NAT_REASONS];
};

/*
 * Start without flows, guests, outsides and forwards. Once, before all else.
 *
 *   seed  random, unknown to guests
 */
void nat_init(uint32_t seed);

/*
 * The same after a restart of the kernel, but the flows that are whole wait for their guests. Returns
 * how many there are. Those whose guests are not there after a minute of nat_tick() end.
 */
unsigned int nat_resume(uint32_t seed);

/*
 * A guest is there; it has the flows again that it had before a restart.
 *
 *   guest     0 to NAT_GUESTS - 1, not there so far
 *   identity  what it is known by after a restart; differs from others'
 *   outside   0 to NAT_OUTSIDES - 1, or NAT_NO_OUTSIDE for one that is only tracked
 *
 * Returns 0, -EINVAL (a number out of range) or -EBUSY (is there).
 */
int nat_guest_add(uint8_t guest, uint32_t identity, uint8_t outside)
    __attribute__((warn_unused_result));

/* Set the guest's IPv4 address, by which port forwards find it; 0: none (yet). Flows stay. */
void nat_guest_address_set(uint8_t guest, rte_be32_t address);

/* The guest goes away: its flows end, frames kept for it are freed. Nothing if it is not there. */
void nat_guest_remove(uint8_t guest);

/*
 * Set the IPv4 address of an outside. Flows by way of another address end; those by way of this one
 * go on, after it was away (0: none) too.
 */
void nat_outside_set(uint8_t outside, rte_be32_t address, uint64_t now);

/*
 * Let a port outside lead to a guest.
 *
 *   protocol  IPPROTO_TCP or IPPROTO_UDP
 *   ports     host byte order, 1 to 65535; not one of the domain's own
 *
 * Returns 0, -EINVAL, -EEXIST (the outside's port leads somewhere) or -ENOSPC (NAT_FORWARDS).
 */
int nat_forward_add(uint8_t outside, uint8_t protocol, uint16_t outside_port, rte_be32_t address,
                    uint16_t port) __attribute__((warn_unused_result));

/*
 * Translate a frame from a guest with an outside.
 *
 *   frame    parsed (net/frame.h), IPv4; its first segment is ours to write to. TTL is not looked at.
 *   guest_r  set with NAT_TURNED only: the guest that the frame is for
 *
 * NAT_LOCAL: to the outside's own address, with no port forward or mapping there.
 *
 * An ICMP error that the router itself makes about a frame that nat_in() has translated, or this function has
 * turned, comes out right by way of this function, as if the guest that the frame is for had sent it.
 */
enum nat_verdict nat_out(uint8_t guest, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r)
    __attribute__((warn_unused_result));

/*
 * Translate a frame that came in from outside.
 *
 *   frame    as above
 *   guest_r  set with NAT_OK only: the guest that the frame is for
 *
 * NAT_LOCAL: not to the outside's address, or of no flow: an echo request, a reply to the domain's own
 * DNS query, a connection attempt. To the latter a TCP RST or ICMP error must not be sent at once
 * (RFC 5382 REQ-4); silence is right.
 */
enum nat_verdict nat_in(uint8_t outside, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r)
    __attribute__((warn_unused_result));

/*
 * After each call that said NAT_OK or NAT_TURNED, and after nat_track() and nat_track_open(): the next
 * frame that was kept and that this call has made translatable. It is the caller's and goes the same way
 * as that call's frame. NULL: no more. Those not asked for before the next call are freed when their time is
 * over.
 */
struct rte_mbuf *nat_released(void);

/* What nat_track() says. A negative number is -(enum nat_reason): counted, the caller frees the frame. */
#define NAT_TRACK_NEW 0 /* of no flow yet: the caller's rules decide */
#define NAT_TRACK_KNOWN 1 /* of a flow, or an ICMP error about one */
#define NAT_TRACK_HELD 2 /* as NAT_HELD */

/*
 * Does a frame belong to a flow that was opened before?
 *
 *   guest       may have an outside or none; of one with an outside the frame is as the guest sees it: it
 *               comes before nat_out() and after nat_in(). A flow of a port forward is new until the guest
 *               has answered.
 *   frame       parsed, IPv4 or IPv6, unchanged
 *   from_guest  or else to it
 *
 * ICMP messages that are neither queries nor errors, neighbour discovery say, are always new.
 */
int nat_track(uint8_t guest, struct rte_mbuf *frame, bool from_guest, uint64_t now)
    __attribute__((warn_unused_result));

/*
 * The caller's rules let a frame pass that nat_track() called new: frames of its flow are known from now
 * on, in both directions. For a guest without an outside; for others nat_out() and nat_in() open flows, but
 * one of a port forward is new, and the guest cannot answer on it unasked, until this was called for it.
 * Returns 0, or -(enum nat_reason) as above.
 */
int nat_track_open(uint8_t guest, struct rte_mbuf *frame, bool from_guest, uint64_t now)
    __attribute__((warn_unused_result));

/*
 * End what is past its time: flows, fragments kept (at most 2 s). Returns when it has to be called again
 * at the latest, UINT64_MAX if there is nothing to wait for.
 */
uint64_t nat_tick(uint64_t now);

/* Counters of a guest since it was added, and of frames from outside that came to no guest. */
const struct nat_stats *nat_guest_stats(uint8_t guest);
const struct nat_stats *nat_outside_stats(uint8_t outside);

/* How many flows a guest has, those past their time included until they are reused. */
unsigned int nat_guest_flows(uint8_t guest);

#endif
