/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest transmit: from ring slots to the description of one packet. Pure: touches nothing but its
 * arguments, reads each slot once into a local and decides on the local.
 *
 * A request with extra info MCAST_ADD or MCAST_DEL is no packet: whatever else it says counts for nothing.
 *
 * What is refused costs the guest this packet: more than 20 data slots, a slot that crosses its
 * page, slots larger than the total that the first one gives, less than an Ethernet header, unknown,
 * repeated or not advertised extra info, multicast control with data, segments of a useless size. Slots of no bytes are legal.
 * Source: xen/io/netif.h, "Guest transmit".
 */
#ifndef VIF_TX_PARSE_H
#define VIF_TX_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_ether.h>

#include <xen/xen.h>

#include <xen/io/netif.h>

#include "arch/x86/cpu.h"

/*
 * netif.h demands XEN_NETIF_NR_SLOTS_MIN, 18, of a backend. Frontends were written against Linux' backend,
 * which takes 19 and lives on after 20: those are taken as well.
 */
#define TX_SLOTS_MAX 20

/* Requests on a ring: slots cons .. cons + nr - 1, already checked by ring_requests(). */
struct tx_view {
    const union netif_tx_sring_entry *ring;
    uint32_t nr_ents; /* a power of two */
    uint32_t cons;
    uint32_t nr;
};

/* A request without data that amends the list of multicast addresses (vif/multicast.h). */
enum tx_multicast { TX_MULTICAST_NONE, TX_MULTICAST_ADD, TX_MULTICAST_DELETE };

/* What the response to one ring slot must say. */
struct tx_answer {
    uint16_t id;
    bool extra; /* an extra-info slot: NETIF_RSP_NULL, and no id */
};

struct tx_slot {
    grant_ref_t gref;
    uint16_t offset, size; /* bytes, within one page */
    const uint8_t
        *page; /* mapped (vif/gref.h); NULL, as tx_parse() leaves it: to be copied by its gref */
};

struct tx_packet {
    uint16_t nr_ring; /* ring slots it takes, extra info included */
    uint16_t nr_slots; /* data slots, 1 to TX_SLOTS_MAX */
    uint32_t len; /* bytes; the sum of all slots' sizes */
    uint16_t gso_size; /* TCP payload of a segment; 0: not to be cut */
    bool gso_v6; /* of TCP over IPv6, not IPv4; with gso_size */
    bool csum_blank, data_validated;
    enum tx_multicast multicast;
    struct rte_ether_addr address; /* of TX_MULTICAST */
    const char *why; /* of TX_BAD */
    struct tx_slot slots[TX_SLOTS_MAX];
};

enum tx_verdict {
    TX_FRAME, /* packet is filled in */
    TX_MULTICAST, /* no frame: packet->multicast is to be done with packet->address */
    TX_BAD, /* packet->nr_ring slots are to be answered with an error; packet->why says why */
    TX_UNFINISHED, /* its last slot is not on the ring yet; nothing was consumed */
};

/*
 * Look at the packet that starts at view->cons. view->nr is at least 1.
 *
 *   answers  room for view->nr; the first packet->nr_ring are written unless TX_UNFINISHED
 */
enum tx_verdict tx_parse(const struct tx_view *view, struct tx_packet *packet,
                         struct tx_answer *answers) __must_check;

#endif
