/* SPDX-License-Identifier: BSD-2-Clause */
/* Indices that no sane frontend writes (XSA-39 and its kin): the vif is closed, with a reason. */
#include <string.h>

#include "arch/x86/cpu.h"
#include "attack.h"
#include "frame.h"
#include "ring.h"
#include "wait.h"

static const char *tx_prod_set(struct front *f, RING_IDX prod)
{
    WRITE_ONCE(f->tx->req_prod, prod);
    front_kick(f);
    return front_expect_closed(f);
}

static const char *tx_far_forward(struct front *f)
{
    return tx_prod_set(f, f->tx_prod + 0x40000000);
}

static const char *tx_half_way(struct front *f)
{
    return tx_prod_set(f, f->tx_prod + 0x80000000);
}

static const char *tx_one_too_many(struct front *f)
{
    return tx_prod_set(f, f->tx_prod + FRONT_SLOTS + 1);
}

static const char *tx_one_back(struct front *f)
{
    return tx_prod_set(f, f->tx_prod - 1);
}

static const char *tx_far_back(struct front *f)
{
    return tx_prod_set(f, f->tx_prod - 0x7fffffff);
}

/* The rx index is looked at when a packet is on its way to us. */
static const char *rx_prod_set(struct front *f, RING_IDX prod)
{
    uint8_t frame[60];

    WRITE_ONCE(f->rx->req_prod, prod);
    frame_arp(f, frame, sizeof(frame));
    tx_frame(f, frame, sizeof(frame), 0, NULL);
    return front_expect_closed(f);
}

static const char *rx_far_forward(struct front *f)
{
    return rx_prod_set(f, f->rx_prod + 0x40000000);
}

static const char *rx_one_too_many(struct front *f)
{
    return rx_prod_set(f, f->rx_cons + FRONT_SLOTS + 1);
}

static const char *rx_back(struct front *f)
{
    return rx_prod_set(f, f->rx_cons - 1);
}

static const char *rx_far_back(struct front *f)
{
    return rx_prod_set(f, f->rx_cons - 0x7fffffff);
}

/* Nothing of the backend may depend on what we ask to be told. */
static const char *events_nonsense(struct front *f)
{
    static const RING_IDX by[] = { 0x80000000, -1u, -1000u, 1000, 0 };

    f->dirty = true;
    for (unsigned int i = 0; i < ARRAY_LEN(by); i++) {
        const char *bad;

        WRITE_ONCE(f->tx->rsp_event, f->tx_cons + by[i]);
        WRITE_ONCE(f->rx->rsp_event, f->rx_cons + by[i]);
        bad = frame_alive(f);
        if (bad)
            return why("rsp_event off by %x: %s", by[i], bad);
    }
    return NULL;
}

/* The backend's own fields of the page, overwritten: it must have its own copies. */
static const char *page_scribble(struct front *f)
{
    f->dirty = true;
    for (unsigned int i = 0; i < 5; i++) {
        const char *bad;

        f->tx->rsp_prod = f->rx->req_event = f->tx->req_event = 0xa5a5a5a5u * i;
        memset(f->tx->__pad, 0xa5, sizeof(f->tx->__pad));
        memset(&f->tx->pvt, 0xa5, sizeof(f->tx->pvt));
        frame_arp(f, front_tx_data[0], 60);
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
        tx_push(f);
        bad = tx_judge(f, NETIF_RSP_OKAY);
        if (bad)
            return bad;
    }
    return NULL;
}

/* Requests overwritten as soon as they are out, and their answers too. */
static const char *ring_wiped(struct front *f)
{
    f->dirty = true;
    for (unsigned int i = 0; i < 40; i++) {
        frame_arp(f, front_tx_data[0], 60);
        for (unsigned int slot = 0; slot < 100; slot++)
            tx_slot(f, f->tx_refs[0], 0, 60, 0);
        tx_push(f);
        memset(f->tx->ring, (int)i * 7, sizeof(f->tx->ring[0]) * FRONT_SLOTS);
        tx_end(f);
        if (!tx_drain(f, 3000))
            return front_is_closed(f) ? NULL : why("neither answered nor closed");
    }
    return NULL;
}

const struct attack attacks_ring[] = {
    { "ring", "tx_far_forward", tx_far_forward, false },
    { "ring", "tx_half_way", tx_half_way, false },
    { "ring", "tx_one_too_many", tx_one_too_many, false },
    { "ring", "tx_one_back", tx_one_back, false },
    { "ring", "tx_far_back", tx_far_back, false },
    { "ring", "rx_far_forward", rx_far_forward, false },
    { "ring", "rx_one_too_many", rx_one_too_many, false },
    { "ring", "rx_back", rx_back, false },
    { "ring", "rx_far_back", rx_far_back, false },
    { "ring", "events_nonsense", events_nonsense, false },
    { "ring", "page_scribble", page_scribble, false },
    { "ring", "ring_wiped", ring_wiped, false },
    { 0 },
};
