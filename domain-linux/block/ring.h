/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ring of xen/io/blkif.h, answered strictly in the order of its requests, so that another backend can go on with it after this one's
 * death. Pure: it sees pages and nothing else.
 *
 * At any moment the requests that the frontend has no answer to are those from rsp_prod to req_prod, and their slots hold them: a slot is
 * written to only when its turn to be answered has come. A backend that dies between the writing of a response and that of rsp_prod would
 * leave one for a request; so a response is written by one store of 16 bytes, and bears a mark in bytes that blkif leaves unused (the
 * upper half of what was the request's id). A successor publishes marked ones, and does the rest once more.
 *
 * That a ring was served like this stands in the ring's own page, in the part of its header that xen/io/ring.h leaves unused. What a
 * frontend writes there harms its own disk alone.
 */
#ifndef DOMAIN_LINUX_BLOCK_RING_H
#define DOMAIN_LINUX_BLOCK_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/blkif.h>

#define RING_PAGE_SIZE 4096
#define RING_ORDER_MAX 2 /* 4 pages */
#define RING_SLOTS_MAX 128 /* what 4 pages hold */

enum ring_slot_state {
    RING_SLOT_FREE,
    RING_SLOT_TAKEN, /* being worked on */
    RING_SLOT_DONE, /* has a status, and waits for its turn */
};

struct ring_slot {
    enum ring_slot_state state;
    uint64_t id;
    uint8_t operation;
    int16_t status;
};

struct ring {
    volatile struct blkif_sring *shared; /* not owned */
    uint32_t nr_slots; /* a power of two */
    uint32_t req_cons, rsp_prod; /* our own; what the page says of them is not read again */
    unsigned int nr_taken;
    unsigned int nr_found; /* that were unanswered when the ring was attached to */
    unsigned int nr_finished; /* that were answered, but not published */
    struct ring_slot slots[RING_SLOTS_MAX];
};

/*
 * Begin, or go on, to serve a ring.
 *
 *   pages      2^order pages in a row, mapped writable; they must stay so until the ring is forgotten
 *   order      0 to RING_ORDER_MAX
 *   was_used   the frontend says that it is connected: requests may have been answered, by whomever
 *   identity   of what the requests are for; a ring that was served with another one is refused. NULL: there is nothing to do them with,
 *              and all are to be answered with an error
 *   why_r      set on failure: what is wrong, for a message
 *
 * Returns 0; -EPROTO if its indices make no sense; -EMEDIUMTYPE if it was served with another identity; -ENOTRECOVERABLE if it was
 * served by somebody who does not answer in order. Nothing has been written then.
 */
int ring_attach(struct ring *ring, void *pages, unsigned int order, bool was_used,
                const uint64_t *identity, const char **why_r);

/*
 * The next request.
 *
 *   request_r  its copy: every byte is read once
 *   slot_r     for ring_done()
 *
 * Returns 1, 0 if there is none, or -EPROTO if the frontend says that there are more than the ring has slots.
 */
int ring_take(struct ring *ring, struct blkif_request *request_r, unsigned int *slot_r);

/* A request that was taken has this status (BLKIF_RSP_*). Nothing is written yet. */
void ring_done(struct ring *ring, unsigned int slot, int16_t status);

/* Publish the answers whose turn has come. Returns whether the frontend wants to be notified. */
bool ring_answer(struct ring *ring);

/* Ask for an event at the next request. Returns whether there is one already. */
bool ring_arm(struct ring *ring);

#endif
