/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done with the requests that a ring holds when we come to it, and another backend was there
 * before. Each is answered once, in order. A slot whose response was written but not pushed has lost its
 * grant: of a tx request id, flags and size survive, so its chain can still be walked; of an rx request
 * the id does, but for extra info.
 *
 * Marks, indices and slots may all be wrong: the first by our own damage, the rest by the guest's will.
 */
#include "vif/device.h"
#include "vif/ring_check.h"

/* Slots of a one-page ring: 12 bytes each on tx, 8 on rx. */
#define TX_SLOTS 256

static struct tx_answer answers[TX_SLOTS];

/* Requests that wait on the ring; 0 if its index makes no sense, which the next burst finds as well. */
static uint32_t tx_waiting(const struct vif *vif)
{
    int nr = ring_requests(READ_ONCE(vif->tx.sring->req_prod), vif->tx.req_cons,
                           vif->tx.rsp_prod_pvt, vif->tx.nr_ents);

    rmb(); /* the slots after the index */
    return nr > 0 ? (uint32_t)nr : 0;
}

static uint32_t rx_waiting(const struct vif *vif)
{
    int nr = ring_requests(READ_ONCE(vif->rx.sring->req_prod), vif->rx.req_cons,
                           vif->rx.rsp_prod_pvt, vif->rx.nr_ents);

    rmb(); /* the slots after the index */
    return nr > 0 ? (uint32_t)nr : 0;
}

/* Walk the whole packets among the next nr requests. Returns their slots, with answers[] filled in. */
static uint32_t tx_walk(const struct vif *vif, uint32_t nr)
{
    struct tx_view view = { vif->tx.sring->ring, vif->tx.nr_ents, vif->tx.req_cons, nr };
    struct tx_packet packet;

    while (view.nr && tx_parse(&view, &packet, &answers[nr - view.nr]) != TX_UNFINISHED) {
        view.cons += packet.nr_ring;
        view.nr -= packet.nr_ring;
    }
    return nr - view.nr;
}

static void tx_fail(struct vif *vif, uint32_t nr)
{
    vif_tx_answer(vif, answers, nr, NETIF_RSP_ERROR);
    vif->tx.req_cons += nr;
    vif_tx_push(vif);
}

void vif_tx_takeover(struct vif *vif)
{
    tx_fail(vif, tx_walk(vif, tx_waiting(vif)));
}

void vif_tx_resume(struct vif *vif)
{
    uint32_t nr = vif->kept.tx_mark - vif->tx.req_cons;

    if (nr > tx_waiting(vif) || tx_walk(vif, nr) != nr)
        vif_tx_takeover(vif);
    else if (nr)
        tx_fail(vif, nr);
}

/* The id of the next request. Its slot may hold extra info by now. */
static uint16_t rx_id(const struct vif *vif)
{
    const struct vif_kept *kept = &vif->kept;

    for (unsigned int i = 0; i < VIF_FLUSH_FRAMES && i < kept->nr_extras; i++)
        if (kept->extras[i].index == (uint16_t)vif->rx.req_cons)
            return kept->extras[i].id;
    return READ_ONCE(RING_GET_REQUEST(&vif->rx, vif->rx.req_cons)->id);
}

static void rx_fail(struct vif *vif, uint32_t nr)
{
    while (nr--) {
        netif_rx_response_t rsp = { .id = rx_id(vif), .status = NETIF_RSP_ERROR };

        vif->rx.req_cons++;
        *RING_GET_RESPONSE(&vif->rx, vif->rx.rsp_prod_pvt) = rsp;
        vif->rx.rsp_prod_pvt++;
    }
    vif_rx_push(vif);
}

void vif_rx_takeover(struct vif *vif)
{
    rx_fail(vif, rx_waiting(vif));
}

void vif_rx_resume(struct vif *vif)
{
    uint32_t nr = vif->kept.rx_mark - vif->rx.req_cons, waiting = rx_waiting(vif);

    rx_fail(vif, nr > waiting ? waiting : nr);
}
