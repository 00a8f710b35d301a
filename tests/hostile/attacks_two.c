/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two vCPUs: one sends, the other changes at the same moment what the backend is looking at (XSA-155). Whatever it
 * reads, it answers or closes the vif with a sentence.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "arch/x86/cpu.h"
#include "attack.h"
#include "canary.h"
#include "ctrl.h"
#include "frame.h"
#include "second.h"
#include "wait.h"
#include "xen/clock.h"
#include "xen/domain.h"

#define DIR "device/vif/0"
#define ROUNDS 40
#define CHANGED 48u
#define ANSWER_MS 3000
#define INDEX_ROUNDS 2
#define NODE_WRITES 60
#define STATE_WRITES 40
#define STORM_PROOFS 5

/* Where the CHANGED slots of the tx ring begin that the second vCPU changes. */
static RING_IDX changed_begin;

/* Answered, or closed with a sentence: then connected anew. *nr_closed counts. */
static const char *answered_or_closed(struct front *f, unsigned int *nr_closed)
{
    const char *bad;

    if (tx_drain(f, ANSWER_MS))
        return canaries_whole();
    second_end();
    bad = front_expect_closed(f);
    if (bad)
        return why("neither answered nor closed: %s", bad);
    (*nr_closed)++;
    bad = front_close(f);
    if (!bad)
        bad = front_open(f);
    return bad ? bad : canaries_whole();
}

/* Races in which the step changes slots that fill() has put there. */
static const char *slots_race(struct front *f, second_fn *step, void (*fill)(struct front *f))
{
    unsigned int nr_closed = 0, rounds = 0;
    unsigned long turns = 0;
    const char *bad = NULL;

    canaries_set(f);
    for (; rounds < ROUNDS && !bad; rounds++) {
        RING_IDX begin = f->tx_prod;

        WRITE_ONCE(changed_begin, begin);
        fill(f);
        second_begin(step, f);
        tx_push(f);
        tx_end(f); /* these two stay as they are: whatever was begun ends here */
        bad = answered_or_closed(f, &nr_closed);
        turns += second_end();
        rx_drain(f);
    }
    note("%u rounds, %lu changes, closed %u times", rounds, turns, nr_closed);
    if (!bad && turns < ROUNDS)
        bad = why("the second vCPU made %lu changes in %u rounds", turns, rounds);
    return bad;
}

static void arps_fill(struct front *f)
{
    frame_arp(f, front_tx_data[0], 60);
    for (unsigned int i = 0; i < CHANGED; i++)
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
}

static struct netif_tx_request *changed_slot(struct front *f, uint32_t n)
{
    RING_IDX at = READ_ONCE(changed_begin) + n % CHANGED;

    return &f->tx->ring[at % FRONT_SLOTS].req;
}

static void slots_step(struct front *f)
{
    static const uint16_t sizes[] = { 0, 13, 14, 60, 1500, 4096, 4097, 65535 };
    uint32_t n = second_random();
    struct netif_tx_request *req = changed_slot(f, second_random());

    switch (n & 7) {
    case 0:
        WRITE_ONCE(req->size, sizes[n / 8 % ARRAY_LEN(sizes)]);
        break;
    case 1:
        WRITE_ONCE(req->offset, (uint16_t)(n >> 16));
        break;
    case 2:
        WRITE_ONCE(req->flags, (uint16_t)(n / 8 & 15));
        break;
    case 3:
        WRITE_ONCE(req->gref, n & 8 ? f->tx_refs[n / 16 % FRONT_TX_PAGES] : n);
        break;
    case 4:
        WRITE_ONCE(req->id, (uint16_t)(n >> 8));
        break;
    default: /* good again, a word at a time */
        WRITE_ONCE(req->gref, f->tx_refs[0]);
        WRITE_ONCE(req->offset, 0);
        WRITE_ONCE(req->flags, 0);
        WRITE_ONCE(req->size, 60);
        break;
    }
}

static const char *two_slots(struct front *f)
{
    return slots_race(f, slots_step, arps_fill);
}

/* Packets to be cut, each with its extra-info slot. */
static void gso_fill(struct front *f)
{
    static uint8_t frame[FRONT_FRAME_SIZE];
    const struct netif_extra_info gso = tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4);
    const uint16_t sizes[] = { 4096, 4096, 1500 };

    frame_tcp4(f, frame, frame_nobody, 4096 + 4096 + 1500 - FRAME_TCP4_LEN);
    for (unsigned int i = 0; i < CHANGED / 4; i++)
        tx_pieces(f, frame, sizes, 3, NETTXF_csum_blank, &gso);
}

/* Any 32 bits of any slot, extra info too; and what a chain of extra info is made of. */
static void words_step(struct front *f)
{
    uint32_t n = second_random();
    struct netif_tx_request *req = changed_slot(f, second_random());
    struct netif_extra_info *extra = (struct netif_extra_info *)req;

    switch (n & 7) {
    case 0:
        WRITE_ONCE(((uint32_t *)req)[n / 8 % 3], second_random());
        break;
    case 1:
        WRITE_ONCE(extra->type, (uint8_t)(n / 8 % (XEN_NETIF_EXTRA_TYPE_MAX + 1)));
        break;
    case 2:
        WRITE_ONCE(extra->flags, (uint8_t)(n / 8 & XEN_NETIF_EXTRA_FLAG_MORE));
        break;
    case 3:
        WRITE_ONCE(extra->u.gso.size, (uint16_t)(n & 8 ? n >> 16 : n >> 31));
        break;
    case 4:
        WRITE_ONCE(extra->u.gso.type, (uint8_t)(n / 8 % 4));
        break;
    default:
        WRITE_ONCE(req->gref, f->tx_refs[n / 8 % FRONT_TX_PAGES]);
        WRITE_ONCE(req->flags, (uint16_t)(n >> 16 & 15));
        break;
    }
}

static const char *two_extras(struct front *f)
{
    return slots_race(f, words_step, gso_fill);
}

/* The frames' own bytes while they are copied: lengths, protocols and offsets of their headers. */
static void headers_step(struct front *f)
{
    static const uint8_t values[] = { 0, 1, 0x45, 0x4f, 6, 17, 0x08, 0x81, 0x86, 0xdd, 0xff };
    uint32_t n = second_random();
    uint8_t *page = front_tx_data[n % 3];

    (void)f;
    WRITE_ONCE(page[n / 4 % 96],
               n & 0x10000 ? values[n / 512 % sizeof(values)] : (uint8_t)(n >> 24));
}

static const char *two_headers(struct front *f)
{
    return slots_race(f, headers_step, gso_fill);
}

static void arp_send(struct front *f)
{
    RING_IDX waiting = f->tx_prod - READ_ONCE(f->tx->rsp_prod);

    if (waiting < FRONT_SLOTS - 2) {
        frame_arp(f, front_tx_data[0], 60);
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
        wmb();
        WRITE_ONCE(f->tx->req_prod, f->tx_prod);
    }
    front_kick(f);
}

static bool closed_while_sending(void *ctx)
{
    arp_send(ctx);
    return front_is_closed(ctx);
}

static const uint32_t bad_steps[] = {
    0, 0, 3, FRONT_SLOTS + 1, 0x40000000, 0x80000000, 0xffffffff
};

static void tx_index_step(struct front *f)
{
    WRITE_ONCE(f->tx->req_prod, f->tx_prod + bad_steps[second_random() % ARRAY_LEN(bad_steps)]);
}

static void rx_index_step(struct front *f)
{
    WRITE_ONCE(f->rx->req_prod, f->rx_prod + bad_steps[second_random() % ARRAY_LEN(bad_steps)]);
}

/* An index that is now good and now bad: sooner or later a bad one is read, and the vif is closed. */
static const char *index_race(struct front *f, second_fn *step)
{
    canaries_set(f);
    for (unsigned int round = 0; round < INDEX_ROUNDS; round++) {
        const char *bad = NULL;

        second_begin(step, f);
        if (!wait_until(closed_while_sending, f, ANSWER_MS))
            bad =
                why("round %u: not closed; the backend's state is %d", round, front_back_state(f));
        second_end();
        if (!bad)
            bad = front_expect_closed(f);
        if (!bad)
            bad = front_close(f);
        if (!bad)
            bad = front_open(f);
        if (!bad)
            bad = canaries_whole();
        if (bad)
            return bad;
    }
    return NULL;
}

static const char *two_tx_index(struct front *f)
{
    return index_race(f, tx_index_step);
}

static const char *two_rx_index(struct front *f)
{
    return index_race(f, rx_index_step);
}

/* What is the backend's to write: it must not believe what it reads there. */
static void answers_step(struct front *f)
{
    uint32_t n = second_random();

    WRITE_ONCE(f->tx->rsp_prod, second_random());
    WRITE_ONCE(f->rx->rsp_prod, second_random());
    WRITE_ONCE(f->tx->rsp_event, n);
    WRITE_ONCE(f->rx->rsp_event, ~n);
    WRITE_ONCE(f->tx->req_event, n * 3);
    WRITE_ONCE(f->rx->req_event, n * 5);
    WRITE_ONCE(f->tx->ring[n % FRONT_SLOTS].rsp.status, (int16_t)n);
}

static const char *two_answers(struct front *f)
{
    const char *bad = NULL;

    canaries_set(f);
    f->dirty = true;
    for (unsigned int round = 0; round < ROUNDS / 3 && !bad; round++) {
        frame_arp(f, front_tx_data[0], 60);
        second_begin(answers_step, f);
        for (unsigned int i = 0; i < CHANGED; i++)
            tx_slot(f, f->tx_refs[0], 0, 60, 0);
        tx_push(f);
        wait_ms(5);
        second_end();
        tx_end(f); /* its answer puts rsp_prod right */
        if (!tx_drain(f, ANSWER_MS))
            bad = why("round %u: not answered; the backend's state is %d", round,
                      front_back_state(f));
    }
    return bad ? bad : canaries_whole();
}

/* Requests for receiving, changed while packets come for them: never through a reference that was not meant for it. */
static void rx_slots_step(struct front *f)
{
    uint32_t n = second_random();
    RING_IDX at = READ_ONCE(f->rx->rsp_prod) + n % FRONT_RX_PAGES;
    struct netif_rx_request *req = &f->rx->ring[at % FRONT_SLOTS].req;

    switch (n >> 8 & 3) {
    case 0:
        WRITE_ONCE(req->gref, n & 0x10000 ? canary_read_only() : canary_of_another());
        break;
    case 1:
        WRITE_ONCE(req->gref, n & 0x10000 ? GREF_UNUSED : n);
        break;
    case 2:
        WRITE_ONCE(req->id, (uint16_t)(n >> 16));
        break;
    default:
        WRITE_ONCE(req->gref, f->rx_refs[n >> 16 & (FRONT_RX_PAGES - 1)]);
        break;
    }
}

static const char *two_rx_slots(struct front *f)
{
    unsigned int received = 0, refused = 0;
    const struct rx_frame *in;
    const char *bad = NULL;

    canaries_set(f);
    f->dirty = true;
    second_begin(rx_slots_step, f);
    for (unsigned int round = 0; round < ROUNDS && !bad; round++) {
        for (unsigned int i = 0; i < 16; i++)
            arp_send(f);
        wait_ms(5);
        while ((in = rx_take(f))) {
            received++;
            refused += in->status < 0;
        }
        if (!tx_drain(f, ANSWER_MS))
            bad = why("round %u: not answered; the backend's state is %d", round,
                      front_back_state(f));
    }
    second_end();
    note("%u packets came, %u of them refused by Xen", received, refused);
    if (!bad && (refused == 0 || refused == received))
        bad = why("%u of %u packets were refused: nothing was changed in time", refused, received);
    return bad ? bad : canaries_whole();
}

/* The second vCPU sends: frames for bridges alone, which go nowhere, and now and then one for everybody. */
static void sending_step(struct front *f)
{
    RING_IDX waiting = f->tx_prod - READ_ONCE(f->tx->rsp_prod);

    if (waiting < FRONT_SLOTS - 2) {
        tx_slot(f, f->tx_refs[f->tx_prod % 64 ? 1 : 0], 0, 60, 0);
        wmb();
        WRITE_ONCE(f->tx->req_prod, f->tx_prod);
    }
    if (f->tx_prod % 8 == 0)
        second_kick(f);
}

static void sending_begin(struct front *f)
{
    static const uint8_t bridges[6] = { 0x01, 0x80, 0xc2, 0, 0, 0x0e };

    frame_arp(f, front_tx_data[0], 60);
    frame_arp(f, front_tx_data[1], 60);
    memcpy(front_tx_data[1], bridges, sizeof(bridges));
    f->dirty = true;
    second_begin(sending_step, f);
}

/* front_publish() writes them all next time. */
static void nodes_forget(struct front *f)
{
    for (enum front_node node = 0; node < NODE_NR; node++)
        f->written[node][0] = '\x7f';
}

/* The frontend's nodes under a connected vif, with sense and without, while it sends. */
static const char *two_nodes(struct front *f)
{
    static const char *const values[] = { "0", "1", "8", "4294967295", "-1", "x", "", "2" };
    RING_IDX before = f->tx_prod;
    const char *bad = NULL;
    char path[64];

    sending_begin(f);
    for (unsigned int i = 0; i < NODE_WRITES && !bad; i++) {
        snprintf(path, sizeof(path), DIR "/%s", front_nodes[random_u32() % NODE_NR]);
        if (store_write(path, values[random_u32() % ARRAY_LEN(values)]) != 0)
            bad = why("cannot write %s", path);
    }
    second_end();
    front_kick(f); /* it may have been stopped between frames and their event */
    nodes_forget(f);
    if (!bad && front_is_closed(f))
        return front_expect_closed(f);
    note("%u frames sent meanwhile", f->tx_prod - before);
    if (!bad && f->tx_prod == before)
        bad = why("no frame was sent meanwhile");
    if (!bad && !tx_drain(f, ANSWER_MS))
        bad = why("not answered; the backend's state is %d", front_back_state(f));
    return bad;
}

/* The state node in no order, while frames and events go on coming over rings that may be gone. */
static const char *two_states(struct front *f)
{
    RING_IDX before = f->tx_prod;
    const char *bad = NULL;

    sending_begin(f);
    for (unsigned int i = 0; i < STATE_WRITES && !bad; i++)
        bad = front_state_set((int)(random_u32() % 9));
    second_end();
    note("%u frames sent meanwhile", f->tx_prod - before);
    return bad;
}

static void storm_step(struct front *f)
{
    second_kick(f);
}

/* Events without end from one vCPU cost the other one's frames nothing but time. */
static const char *two_storm(struct front *f)
{
    const char *bad = NULL;
    unsigned long events;

    second_begin(storm_step, f);
    for (unsigned int i = 0; i < STORM_PROOFS && !bad; i++)
        bad = frame_alive(f);
    events = second_end();
    note("%lu events", events);
    return bad;
}

static void ctrl_step(struct front *f)
{
    uint32_t n = second_random();
    RING_IDX at = READ_ONCE(ctrl_ring.sring->rsp_prod) + n % 32;
    struct xen_netif_ctrl_request *req = &ctrl_ring.sring->ring[at % RING_SIZE(&ctrl_ring)].req;

    (void)f;
    switch (n >> 8 & 3) {
    case 0:
        WRITE_ONCE(req->type, (uint16_t)(n >> 16 & 15));
        break;
    case 1:
        WRITE_ONCE(req->data[n >> 16 & 1], n & 0x40000 ? ctrl_data_ref : second_random());
        break;
    case 2:
        WRITE_ONCE(req->data[(n >> 16) % 3], n >> 24);
        break;
    default:
        WRITE_ONCE(((uint32_t *)ctrl_data)[n >> 16 & 1023], second_random());
        break;
    }
}

static bool ctrl_answered(void *ctx)
{
    (void)ctx;
    return READ_ONCE(ctrl_ring.sring->rsp_prod) == ctrl_ring.req_prod_pvt;
}

/* Requests of the control ring, and the page that they name, while frames go. */
static const char *two_ctrl(struct front *f)
{
    const char *bad = ctrl_open(f);

    canaries_set(f);
    for (unsigned int round = 0; round < ROUNDS / 2 && !bad; round++) {
        second_begin(ctrl_step, f);
        for (unsigned int i = 0; i < 32; i++)
            ctrl_put((uint16_t)(1 + i % 10), i & 1 ? ctrl_data_ref : i, 40 + i, i);
        ctrl_push(f);
        for (unsigned int i = 0; i < 8; i++)
            arp_send(f);
        if (!wait_until(ctrl_answered, NULL, ANSWER_MS) && !front_is_closed(f))
            bad = why("round %u: %u of %u control requests answered", round,
                      ctrl_ring.sring->rsp_prod, ctrl_ring.req_prod_pvt);
        second_end();
        if (!bad && front_is_closed(f)) {
            bad = front_expect_closed(f);
            return bad ? bad : canaries_whole();
        }
        ctrl_ring.rsp_cons = ctrl_ring.req_prod_pvt;
        if (!bad && !tx_drain(f, ANSWER_MS))
            bad = why("round %u: frames not answered", round);
        rx_drain(f);
    }
    return bad ? bad : canaries_whole();
}

/* Everything at once, until the domain is no more. */
static void vanish_step(struct front *f)
{
    slots_step(f);
    rx_slots_step(f);
    WRITE_ONCE(f->tx->req_prod, f->tx_prod);
    second_kick(f);
}

static const char *two_vanish(struct front *f)
{
    uint64_t end = clock_now() + 1000000000ull;

    say("leaving with traffic in flight");
    canaries_set(f);
    second_begin(vanish_step, f);
    while (clock_now() < end)
        arp_send(f);
    domain_shutdown(SHUTDOWN_poweroff);
}

const struct attack attacks_two[] = {
    { "two", "two_slots", two_slots, false },
    { "two", "two_extras", two_extras, false },
    { "two", "two_headers", two_headers, false },
    { "two", "two_tx_index", two_tx_index, false },
    { "two", "two_rx_index", two_rx_index, false },
    { "two", "two_answers", two_answers, false },
    { "two", "two_rx_slots", two_rx_slots, false },
    { "two", "two_nodes", two_nodes, false },
    { "two", "two_states", two_states, false },
    { "two", "two_storm", two_storm, false },
    { "two", "two_ctrl", two_ctrl, false },
    { "two_vanish", "two_vanish", two_vanish, true },
    { 0 },
};
