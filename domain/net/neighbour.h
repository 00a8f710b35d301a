/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbours on the wire: which MAC has an IP address. ARP and ND share this; what a question looks
 * like is the business of whoever owns the table.
 *
 * Who causes an entry owns it. An owner has a quota, and what guests may have together leaves room
 * for the router's own. A guest that looks for a whole network pushes out its own entries, and is
 * refused new ones while all of its own are still asked for: that bounds what it can have asked.
 * When the guests' part is full, the guest with the most entries gives one up. Gateways are never
 * given up. An entry that is given up goes to another who used it, if there is one.
 *
 * While a neighbour is asked for, NEIGHBOUR_HELD_MAX frames wait for it, the latest ones; how much
 * may wait is bounded for each owner and for the table.
 */
#ifndef NET_NEIGHBOUR_H
#define NET_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "net/address.h"

#define NEIGHBOUR_MAX 128 /* in one table */
#define NEIGHBOUR_OWNERS 65 /* guests by index, and the router */
#define NEIGHBOUR_ROUTER 64 /* the router as an owner */
#define NEIGHBOUR_QUOTA 16 /* of a guest */
#define NEIGHBOUR_QUOTA_ROUTER 32 /* set aside */
#define NEIGHBOUR_HELD_MAX 3 /* frames that wait for one neighbour */
#define NEIGHBOUR_SEGS_OWNER 24 /* buffers that wait for one owner's neighbours */
#define NEIGHBOUR_SEGS_MAX 128 /* buffers that wait, in one table */
#define NEIGHBOUR_TRIES 3
#define NEIGHBOUR_RETRY_NS 1000000000ull /* between tries */
#define NEIGHBOUR_FRESH_NS                                                                         \
    30000000000ull /* what was heard so long ago is asked again when it is used */
#define NEIGHBOUR_FAILED_NS 3000000000ull /* who did not answer is not asked again for so long */

#define NEIGHBOUR_NONE 0xff

struct neighbour_ops {
    /* Ask for an address: everybody if mac is NULL, or the neighbour that had it. */
    void (*solicit)(void *context, const struct address *addr, const struct rte_ether_addr *mac);
    /* Send a frame, which passes to it, to its neighbour. */
    void (*send)(void *context, struct rte_mbuf *frame, const struct rte_ether_addr *mac);
    /*
     * A frame, which passes to it, has nowhere to go: was_asked: its neighbour does not answer; or
     * there was no room.
     */
    void (*fail)(void *context, struct rte_mbuf *frame, bool was_asked);
};

struct neighbour {
    struct address addr;
    uint64_t fresh_until; /* ns; from then on it is asked again when it is used */
    uint64_t used; /* ns */
    uint64_t due; /* of the next step, ns; UINT64_MAX: none */
    struct rte_mbuf *held[NEIGHBOUR_HELD_MAX];
    struct rte_ether_addr mac;
    uint8_t nr_held;
    uint8_t state, tries;
    uint8_t owner;
    uint8_t other; /* used it last, besides its owner; NEIGHBOUR_NONE: nobody */
    uint8_t next; /* in its bucket, or free; NEIGHBOUR_NONE: the last */
    bool is_pinned;
};

struct neighbours {
    const struct neighbour_ops *ops;
    void *context;
    uint32_t seed;
    uint64_t due; /* of the first step of any; UINT64_MAX: none */
    uint8_t nr, free;
    uint8_t nr_guests; /* entries that are guests' */
    uint16_t segs; /* buffers that wait */
    uint8_t nr_of[NEIGHBOUR_OWNERS];
    uint16_t segs_of[NEIGHBOUR_OWNERS];
    uint8_t buckets[NEIGHBOUR_MAX];
    struct neighbour entries[NEIGHBOUR_MAX];
};

/* Start with an empty table, which stays the caller's. The seed is random, unknown to guests. */
void neighbours_init(struct neighbours *table, const struct neighbour_ops *ops, void *context,
                     uint32_t seed);

/*
 * Send a frame to a neighbour, now, or when it has answered. The frame passes to the table.
 *
 *   owner   on whose behalf: a guest's index or NEIGHBOUR_ROUTER
 *   pinned  a gateway
 */
void neighbour_output(struct neighbours *table, uint8_t owner, bool pinned,
                      const struct address *addr, struct rte_mbuf *frame, uint64_t now);

/* What was heard about a neighbour. */
enum neighbour_news {
    NEIGHBOUR_MENTIONED, /* where it is, known so far or not (RFC 826; RFC 4861, 7.2.3) */
    NEIGHBOUR_MOVED, /* where it is, for those who know it */
    NEIGHBOUR_ANSWERED, /* it answered, and where it is */
    NEIGHBOUR_THERE, /* it answered; if it is known to be elsewhere, that stays (RFC 4861, 7.2.5) */
};

/*
 * Take note of that.
 *
 *   mac  ignored if it is a group's or nobody's; NULL: nothing was said, with NEIGHBOUR_THERE only
 */
void neighbour_heard(struct neighbours *table, const struct address *addr,
                     const struct rte_ether_addr *mac, enum neighbour_news news, uint64_t now);

/* An owner goes away: its entries go to others that use them, or are forgotten. */
void neighbour_owner_remove(struct neighbours *table, uint8_t owner);

/* Forget all; frames that wait are freed. */
void neighbours_flush(struct neighbours *table);

/* Do what is due. Returns when there is more, ns; UINT64_MAX: never. */
uint64_t neighbours_tick(struct neighbours *table, uint64_t now);

#endif
