/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest transmit: from ring slots to the description of one packet. Pure: touches nothing but its
 * arguments, reads each slot once into a local and decides on the local.
 *
 * What is refused costs the guest this packet: 0 or more than 18 data slots, a slot that crosses its
 * page, slots larger than the total that the first one gives, less than an Ethernet header, unknown,
 * repeated or not advertised extra info, segments of a useless size. Slots of no bytes are legal.
 * Source: xen/io/netif.h, "Guest transmit".
 */
#ifndef VIF_TX_PARSE_H
#define VIF_TX_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/netif.h>

#include "arch/x86/cpu.h"

#define TX_SLOTS_MAX XEN_NETIF_NR_SLOTS_MIN

/* Requests on a ring: slots cons .. cons + nr - 1, already checked by ring_requests(). */
struct tx_view {
    const union netif_tx_sring_entry *ring;
    uint32_t nr_ents; /* a power of two */
    uint32_t cons;
    uint32_t nr;
};

/* What the response to one ring slot must say. */
struct tx_answer {
    uint16_t id;
    bool extra; /* an extra-info slot: NETIF_RSP_NULL, and no id */
};

struct tx_slot {
    grant_ref_t gref;
    uint16_t offset, size; /* bytes, within one page */
};

struct tx_packet {
    uint16_t nr_ring; /* ring slots it takes, extra info included */
    uint16_t nr_slots; /* data slots, 1 to TX_SLOTS_MAX */
    uint32_t len; /* bytes; the sum of all slots' sizes */
    uint16_t gso_size; /* TCP payload of a segment; 0: not to be cut */
    bool csum_blank, data_validated;
    const char *why; /* of TX_BAD */
    struct tx_slot slots[TX_SLOTS_MAX];
};

enum tx_verdict {
    TX_FRAME, /* packet is filled in */
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
