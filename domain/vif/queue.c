/* SPDX-License-Identifier: BSD-2-Clause */
/* The rings and ports of one queue. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vif/device.h"
#include "vif/ring_check.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

/* One of the queue's ports rang: the loop will look at the vif's rings. Nothing else is done here. */
static void rings_event(void *ctx)
{
    const struct vif_queue *queue = ctx;
    struct vif *vif = queue->vif;

    vif_active |= vif_bit(vif);
    vif_queue_counts(queue)->nr_events++;
    if (vif_is_timed() && !vif->event_ns)
        vif->event_ns = clock_now();
}

/* nodes of one of several queues are told apart as in xenstore. */
static int why_set(const struct vif_queue *queue, const char *node, int err)
{
    struct vif_control *c = &queue->vif->control;
    char dir[16] = "";

    if (c->front.queues > 1)
        snprintf(dir, sizeof(dir), "queue-%u/", queue->vif->nr_queues); /* the next one */
    snprintf(c->why, sizeof(c->why), "%s%s cannot be used: error %d", dir, node, -err);
    return err;
}

static void rings_unmap(struct vif_queue *queue)
{
    gnttab_unmap(queue->held.tx_slot);
    gnttab_unmap(queue->held.rx_slot);
}

/*
 * The ring goes on where its last response stands: 0 for a new one.
 * Source: BACK_RING_ATTACH in xen/io/ring.h.
 */
static int rings_attach(struct vif_queue *queue, netif_tx_sring_t *txs, netif_rx_sring_t *rxs)
{
    RING_IDX tx_rsp = READ_ONCE(txs->rsp_prod), rx_rsp = READ_ONCE(rxs->rsp_prod);
    int err;

    BACK_RING_ATTACH(&queue->tx, txs, tx_rsp, PAGE_SIZE);
    BACK_RING_ATTACH(&queue->rx, rxs, rx_rsp, PAGE_SIZE);
    err = ring_requests(READ_ONCE(txs->req_prod), tx_rsp, tx_rsp, queue->tx.nr_ents);
    if (err < 0)
        return why_set(queue, "the index on tx-ring-ref", err);
    err = ring_requests(READ_ONCE(rxs->req_prod), rx_rsp, rx_rsp, queue->rx.nr_ents);
    return err < 0 ? why_set(queue, "the index on rx-ring-ref", err) : 0;
}

static int rings_map(struct vif_queue *queue, const struct vif_front_queue *front)
{
    struct vif_queue_held *held = &queue->held;
    struct vif *vif = queue->vif;
    void *txs, *rxs;
    int err;

    err = gnttab_map(vif->guest, front->tx_ref, &txs, &held->tx_slot);
    if (err)
        return why_set(queue, "tx-ring-ref", err);
    err = gnttab_map(vif->guest, front->rx_ref, &rxs, &held->rx_slot);
    if (err) {
        gnttab_unmap(held->tx_slot);
        return why_set(queue, "rx-ring-ref", err);
    }
    err = rings_attach(queue, txs, rxs);
    if (err)
        rings_unmap(queue);
    return err;
}

static int rings_resume(struct vif_queue *queue, const struct vif_front_queue *front,
                        const struct vif_queue_held *held)
{
    struct vif *vif = queue->vif;
    void *txs, *rxs;
    int err;

    if (gnttab_resume(held->tx_slot, vif->guest, front->tx_ref, &txs))
        return why_set(queue, "the tx ring's mapping", -ENOENT);
    if (gnttab_resume(held->rx_slot, vif->guest, front->rx_ref, &rxs)) {
        gnttab_unmap(held->tx_slot);
        return why_set(queue, "the rx ring's mapping", -ENOENT);
    }
    queue->held = *held;
    err = rings_attach(queue, txs, rxs);
    if (err)
        rings_unmap(queue);
    return err;
}

static int ports_bind(struct vif_queue *queue, const struct vif_front_queue *front)
{
    struct vif_queue_held *held = &queue->held;
    domid_t guest = queue->vif->guest;
    int err;

    held->rx_port = 0;
    err = evtchn_bind_interdomain(guest, front->port_tx, rings_event, queue, &held->tx_port);
    if (err)
        return why_set(queue, front->has_split ? "event-channel-tx" : "event-channel", err);
    if (!front->has_split)
        return 0;
    err = evtchn_bind_interdomain(guest, front->port_rx, rings_event, queue, &held->rx_port);
    if (err) {
        evtchn_close(held->tx_port);
        held->rx_port = 0;
        return why_set(queue, "event-channel-rx", err);
    }
    return 0;
}

static int port_resume(struct vif_queue *queue, evtchn_port_t port)
{
    return evtchn_resume(port, queue->vif->guest, EVTCHNSTAT_interdomain, rings_event, queue);
}

static int ports_resume(struct vif_queue *queue, const struct vif_queue_held *held)
{
    if (port_resume(queue, held->tx_port))
        return why_set(queue, "the event channel", -ENOENT);
    if (held->rx_port && port_resume(queue, held->rx_port)) {
        evtchn_close(held->tx_port);
        return why_set(queue, "the second event channel", -ENOENT);
    }
    return 0;
}

int vif_queue_connect(struct vif_queue *queue, const struct vif_front_queue *front)
{
    int err = rings_map(queue, front);

    if (err)
        return err;
    err = ports_bind(queue, front);
    if (err)
        rings_unmap(queue);
    return err;
}

int vif_queue_reconnect(struct vif_queue *queue, const struct vif_front_queue *front,
                        const struct vif_queue_held *held)
{
    int err = rings_resume(queue, front, held);

    if (err)
        return err;
    err = ports_resume(queue, held);
    if (err)
        rings_unmap(queue);
    return err;
}

void vif_queue_disconnect(struct vif_queue *queue)
{
    vif_rx_purge(queue);
    evtchn_close(queue->held.tx_port);
    evtchn_close(queue->held.rx_port);
    rings_unmap(queue);
    queue->tx.sring = NULL;
    queue->rx.sring = NULL;
}

void vif_queue_begin(struct vif_queue *queue)
{
    queue->tx_unfinished = false;
    memset(&queue->waiting, 0, sizeof(queue->waiting));
}

void vif_queue_go(struct vif_queue *queue)
{
    queue->marks.tx_mark = queue->tx.req_cons;
    queue->marks.rx_mark = queue->rx.req_cons;
}

void vif_notify(const struct vif_queue *queue, evtchn_port_t port)
{
    vif_queue_counts(queue)->nr_notified++;
    evtchn_notify(port);
}

void vif_queue_notify(const struct vif_queue *queue)
{
    vif_notify(queue, queue->held.tx_port);
    if (queue->held.rx_port)
        vif_notify(queue, queue->held.rx_port);
}
