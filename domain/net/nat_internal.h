/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nat.c, nat_translate.c and nat_track.c share.
 */
#ifndef NET_NAT_INTERNAL_H
#define NET_NAT_INTERNAL_H

#include "net/nat.h"
#include "net/nat_fragment.h"
#include "net/nat_packet.h"

struct nat_guest {
    bool is_there;
    uint8_t outside;
    rte_be32_t address; /* for port forwards; 0: none */
    struct nat_stats stats;
};

struct nat_outside {
    rte_be32_t address; /* 0: none */
    struct nat_stats stats;
};

struct nat {
    struct nat_guest guests[NAT_GUESTS];
    struct nat_outside outsides[NAT_OUTSIDES];
    bool may_release; /* frames that wait for the first fragment of this packet: */
    struct nat_fragment_key released;
    uint64_t now; /* ns; of the last call */
};

extern struct nat nat;

/* A frame on its way. */
struct nat_transit {
    struct rte_mbuf *frame;
    struct nat_packet packet;
    enum nat_path path;
    uint8_t owner; /* of the path */
    uint64_t now;
};

/*
 * The functions that handle a frame return what becomes of it, an enum nat_verdict, or -(enum nat_reason).
 * Their callers count.
 */

static inline void nat_count_drop(struct nat_stats *stats, int verdict)
{
    stats->dropped[-verdict]++;
}

/* A fragment whose first did not come is counted. */
void nat_held_count(const struct nat_fragment_key *key);

/*
 * Of a later fragment: what was noted of its first. NAT_OK and note_r, or NAT_HELD (there is no note), or
 * a reason.
 */
int nat_later_find(const struct nat_transit *transit, struct nat_note **note_r);

/* Of a first fragment, before anything is done with it: 0, or -NAT_FRAGMENT if there was another first. */
int nat_first_check(const struct nat_transit *transit);

/*
 * Note that a first fragment, which others follow, is on its way: what waited for it may go on.
 * Returns the note; of a packet that leaves, the id is one that was chosen for it.
 */
struct nat_note *nat_first_note(const struct nat_transit *transit, uint8_t guest);

/* The same as nat_out(), nat_in() and nat_track(), for frames that have waited too. */
int nat_translate_out(uint8_t guest, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r);
int nat_translate_in(uint8_t outside, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r);
int nat_track_frame(uint8_t guest, struct rte_mbuf *frame, bool from_guest, uint64_t now);

/* A call begins that may release frames. */
void nat_call_begin(uint64_t now);

#endif
