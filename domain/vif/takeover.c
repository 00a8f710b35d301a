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
static uint32_t tx_waiting(const struct vif_queue *queue)
{
    int nr = ring_requests(READ_ONCE(queue->tx.sring->req_prod), queue->tx.req_cons,
                           queue->tx.rsp_prod_pvt, queue->tx.nr_ents);

    rmb(); /* the slots after the index */
    return nr > 0 ? (uint32_t)nr : 0;
}

static uint32_t rx_waiting(const struct vif_queue *queue)
{
    int nr = ring_requests(READ_ONCE(queue->rx.sring->req_prod), queue->rx.req_cons,
                           queue->rx.rsp_prod_pvt, queue->rx.nr_ents);

    rmb(); /* the slots after the index */
    return nr > 0 ? (uint32_t)nr : 0;
}

/* Walk the whole packets among the next nr requests. Returns their slots, with answers[] filled in. */
static uint32_t tx_walk(const struct vif_queue *queue, uint32_t nr)
{
    struct tx_view view = { queue->tx.sring->ring, queue->tx.nr_ents, queue->tx.req_cons, nr };
    struct tx_packet packet;

    while (view.nr && tx_parse(&view, &packet, &answers[nr - view.nr]) != TX_UNFINISHED) {
        view.cons += packet.nr_ring;
        view.nr -= packet.nr_ring;
    }
    return nr - view.nr;
}

static void tx_fail(struct vif_queue *queue, uint32_t nr)
{
    vif_tx_answer(queue, answers, nr, NETIF_RSP_ERROR);
    queue->tx.req_cons += nr;
    vif_tx_push(queue);
}

void vif_tx_takeover(struct vif_queue *queue)
{
    tx_fail(queue, tx_walk(queue, tx_waiting(queue)));
}

void vif_tx_resume(struct vif_queue *queue)
{
    uint32_t nr = queue->marks.tx_mark - queue->tx.req_cons;

    if (nr > tx_waiting(queue) || tx_walk(queue, nr) != nr)
        vif_tx_takeover(queue);
    else if (nr)
        tx_fail(queue, nr);
}

/* The id of the next request. Its slot may hold extra info by now. */
static uint16_t rx_id(const struct vif_queue *queue)
{
    const struct vif_marks *marks = &queue->marks;

    for (unsigned int i = 0; i < VIF_EXTRAS && i < marks->nr_extras; i++)
        if (marks->extras[i].index == (uint16_t)queue->rx.req_cons)
            return marks->extras[i].id;
    return READ_ONCE(RING_GET_REQUEST(&queue->rx, queue->rx.req_cons)->id);
}

static void rx_fail(struct vif_queue *queue, uint32_t nr)
{
    while (nr--) {
        netif_rx_response_t rsp = { .id = rx_id(queue), .status = NETIF_RSP_ERROR };

        queue->rx.req_cons++;
        *RING_GET_RESPONSE(&queue->rx, queue->rx.rsp_prod_pvt) = rsp;
        queue->rx.rsp_prod_pvt++;
    }
    vif_rx_push(queue);
}

void vif_rx_takeover(struct vif_queue *queue)
{
    rx_fail(queue, rx_waiting(queue));
}

void vif_rx_resume(struct vif_queue *queue)
{
    uint32_t nr = queue->marks.rx_mark - queue->rx.req_cons, waiting = rx_waiting(queue);

    rx_fail(queue, nr > waiting ? waiting : nr);
}
