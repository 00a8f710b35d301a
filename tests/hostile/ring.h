/* SPDX-License-Identifier: BSD-2-Clause */
/* The two rings from the guest's side, and frames over them. */
#ifndef HOSTILE_RING_H
#define HOSTILE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "front.h"

/* Any of the answers a backend may give. */
#define TX_ANY 100

/* A slot, whatever is in it. Pushed by tx_push(). */
void tx_slot(struct front *f, grant_ref_t ref, unsigned int offset, unsigned int size,
             unsigned int flags);
void tx_extra(struct front *f, struct netif_extra_info extra);
struct netif_extra_info tx_gso(uint16_t size, uint8_t type);
void tx_push(struct front *f);

/* Two slots of zeros, pushed: they end whatever packet the slots before them may have begun. */
void tx_end(struct front *f);

/*
 * Wait for the answers to all that was pushed: in order, each with its id, NETIF_RSP_NULL for extra
 * info, and `want` for the rest (NETIF_RSP_OKAY, NETIF_RSP_ERROR, TX_ANY).
 */
const char *tx_judge(struct front *f, int want);

/* The same without looking at them; false if they do not come. */
bool tx_drain(struct front *f, unsigned int ms);

/*
 * Put a frame out in pieces, one to a page: piece i is sizes[i] bytes long. The first slot's size is
 * the sum. `extra` may be NULL.
 */
void tx_pieces(struct front *f, const uint8_t *frame, const uint16_t *sizes, unsigned int nr,
               unsigned int flags, const struct netif_extra_info *extra);

/* A good frame in as few slots as it takes, pushed. */
void tx_frame(struct front *f, const uint8_t *frame, uint32_t len, unsigned int flags,
              const struct netif_extra_info *extra);

/* The packet's first FRONT_FRAME_SIZE bytes, and what came with them. */
struct rx_frame {
    uint32_t len;
    uint16_t flags; /* NETRXF_* of the first response */
    uint16_t gso_size;
    uint16_t offset; /* of the first response */
    uint8_t hash_type; /* 1 + _XEN_NETIF_CTRL_HASH_TYPE_*; 0: no hash came with it */
    uint32_t hash;
    int16_t status; /* of the first response */
    uint8_t data[FRONT_FRAME_SIZE];
};

/* Give the backend all buffers that we have. */
void rx_fill(struct front *f);

/* Put one request on the ring, with any reference. Not pushed. */
void rx_slot(struct front *f, grant_ref_t ref);
void rx_push(struct front *f);

/* The next received packet, valid until the next call; NULL: there is none. */
const struct rx_frame *rx_take(struct front *f);

/* Look at all that was received, and forget it. Returns how many packets. */
unsigned int rx_drain(struct front *f);

#endif
