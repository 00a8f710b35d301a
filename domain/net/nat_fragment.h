/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments (RFC 4787 REQ-14). Only the first has ports; what became of it is noted for the others, and
 * those that come before it are kept for a while. Used by nat*.c only.
 *
 * A guest has NAT_NOTES_GUEST notes: of its packets that are under way at once, the oldest is forgotten
 * for the next. Of frames, NAT_HELD_GUEST are kept for what a guest sends or (tracked) is sent, and
 * NAT_HELD_OUTSIDE for what comes in from an outside: when these are taken, the sender with most of them
 * gives up its oldest to one with fewer.
 */
#ifndef NET_NAT_FRAGMENT_H
#define NET_NAT_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "net/nat.h"
#include "net/nat_packet.h"

#define NAT_NOTES_GUEST 8
#define NAT_HELD_MAX 64
#define NAT_HELD_GUEST 4
#define NAT_HELD_OUTSIDE 16

/* Where a packet is on its way. */
enum nat_path {
    NAT_PATH_OUT, /* to nat_out(); the owner is the guest */
    NAT_PATH_IN, /* to nat_in(); the owner is the outside */
    NAT_PATH_FROM, /* to nat_track() or nat_track_open(), from the guest */
    NAT_PATH_TO, /* the same, to the guest */
};

/* Which packet a fragment is of. There is no padding. */
struct nat_fragment_key {
    struct nat_address src, dst;
    uint32_t id;
    uint8_t protocol, is_v6, path, owner;
};

/* What became of the first fragment. */
struct nat_note {
    uint64_t seen; /* ns */
    rte_be32_t address; /* that was put in, where the packet is translated */
    uint16_t id; /* the same */
    uint16_t src_port, dst_port; /* of the first, as it came */
    uint8_t guest;
    uint32_t first_end; /* bytes that the first has */
};

struct nat_fragment_key nat_fragment_key_of(const struct nat_packet *packet, enum nat_path path,
                                            uint8_t owner);

/* Nothing is noted, nothing is kept (any more: mbufs are not freed). */
void nat_fragment_init(uint32_t seed);

/* What was noted of a packet at most 15 s ago (RFC 791), or NULL. */
struct nat_note *nat_note_find(const struct nat_fragment_key *key, uint64_t now);

/* Note something, in place of the guest's oldest note; the key is not noted yet. Returns the note. */
struct nat_note *nat_note_make(const struct nat_fragment_key *key, const struct nat_note *note);

/* The next IPv4 id for packets that leave. */
uint16_t nat_fragment_id(void);

/* A frame that was kept for this packet is given up, and freed. */
typedef void nat_held_lost(const struct nat_fragment_key *key);

/*
 * Keep a frame until its first fragment is there, at most 2 s.
 *
 *   lost  is told of another's that had to make room
 *
 * Returns false if too many are kept; the frame stays the caller's.
 */
bool nat_fragment_hold(const struct nat_fragment_key *key, struct rte_mbuf *frame, uint64_t now,
                       nat_held_lost *lost) __attribute__((warn_unused_result));

/* A frame that was kept for this packet: it is the caller's. NULL: none. */
struct rte_mbuf *nat_fragment_take(const struct nat_fragment_key *key);

/* Free what was kept on this path for this owner. */
void nat_held_forget(enum nat_path path, uint8_t owner);

/* Forget what was noted for this guest. */
void nat_note_forget(uint8_t guest);

/*
 * Free what was kept for too long. Returns when the next will have been, or UINT64_MAX.
 *
 *   lost  is told of each
 */
uint64_t nat_fragment_tick(uint64_t now, nat_held_lost *lost);

#endif
