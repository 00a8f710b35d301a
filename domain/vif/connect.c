/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues: taken when a frontend connects, given back whatever made it end. */
#include <errno.h>
#include <stdio.h>

#include "vif/device.h"
#include "xen/clock.h"

uint16_t vif_mtu(const struct vif *vif)
{
    uint16_t wished = vif->control.back.wish.mtu, usual = vif->port.mtu_usual;

    if (wished)
        return wished;
    return usual ? usual : RTE_ETHER_MTU;
}

/* What the guest takes. Cutting into segments needs scatter-gather, and checksums left to it. */
void vif_caps_set(struct vif *vif)
{
    const struct vif_front *front = &vif->control.front;
    uint32_t caps = PORT_TX_MULTI_SEG;
    bool few_slots = false;

    if (!front->no_csum && !vif->port.finish_checksums)
        caps |= PORT_TX_CSUM_V4;
    if (front->ipv6_csum && !vif->port.finish_checksums)
        caps |= PORT_TX_CSUM_V6;
    if (front->gso_tcpv4 && front->sg && (caps & PORT_TX_CSUM_V4))
        caps |= PORT_TX_TSO_V4;
    if (front->gso_tcpv6 && front->sg && (caps & PORT_TX_CSUM_V6))
        caps |= PORT_TX_TSO_V6;
    for (unsigned int i = 0; i < vif->nr_queues; i++)
        few_slots |= vif_queue_of(vif, i)->waiting.has_few_slots;
    /* Linux' frontend drops what takes more than a slot while it has an XDP program. */
    if (few_slots || front->xdp_headroom)
        caps &= ~(uint32_t)(PORT_TX_TSO_V4 | PORT_TX_TSO_V6);
    vif->port.tx_caps = caps;
    vif->sg = front->sg;
    vif->headroom = (uint16_t)front->xdp_headroom;
    vif->rx_notify = front->rx_notify;
    vif->port.mtu = vif_mtu(vif);
    if (!front->sg)
        vif->port.mtu = RTE_MIN(vif->port.mtu, (uint16_t)RTE_ETHER_MTU);
}

static void credit_due(void *ctx)
{
    struct vif *vif = ctx;

    vif->tx_throttled = vif->rx_throttled = false;
    vif_active |= vif_bit(vif);
}

/* Both directions wait for one timer: the first that is due wakes both, and each looks again. */
void vif_throttle(struct vif *vif, const struct credit *credit)
{
    uint64_t due = credit->due_ns;

    if (vif->credit_timer.armed)
        due = RTE_MIN(due, vif->credit_timer.deadline_ns);
    timer_arm(&vif->credit_timer, due, credit_due, vif);
}

/* dom0's policy goes before the vif line. */
void vif_limits_set(struct vif *vif)
{
    const struct port_rate *rx = &vif->port.rx_rate;

    if (!vif->mapped)
        return;
    credit_set(&vif->tx_credit, rx->bytes ? rx : &vif->control.back.wish.rate, clock_now());
    credit_set(&vif->rx_credit, &vif->port.tx_rate, clock_now());
    vif->tx_throttled = vif->rx_throttled = false;
    vif_active |= vif_bit(vif);
    vif_caps_set(vif);
}

static void connected_log(struct vif *vif)
{
    const struct vif_control *c = &vif->control;
    const uint8_t *mac = vif->port.mac.addr_bytes;
    char queues[16] = "";

    if (vif->nr_queues > 1)
        snprintf(queues, sizeof(queues), ", %u queues", vif->nr_queues);
    log_limited(
        &vif->control.limit, LOG_INFO,
        "%s: connected: bridge %s, mac %02x:%02x:%02x:%02x:%02x:%02x, mtu %u%s%s%s%s%s%s%s%s%s%s",
        vif->port.name, c->back.wish.bridge, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
        vif->port.mtu, c->front.sg ? ", sg" : "", c->front.no_csum ? "" : ", csum",
        c->front.ipv6_csum ? ", csum6" : "", vif->port.tx_caps & PORT_TX_TSO_V4 ? ", tso" : "",
        vif->port.tx_caps & PORT_TX_TSO_V6 ? ", tso6" : "",
        c->front.multicast ? ", multicast filter" : "",
        c->front.queue[0].has_split ? ", split events" : "", queues,
        c->front.has_ctrl ? ", control ring" : "", c->takeover ? ", taken over" : "");
}

static void data_begin(struct vif *vif)
{
    vif->mapped = true;
    vif_mapped |= vif_bit(vif);
    vif->broken = NULL;
    vif->event_ns = 0;
    vif->nr_waiting = vif->nr_waiting_mbufs = 0;
    for (unsigned int i = 0; i < vif->nr_queues; i++)
        vif_queue_begin(vif_queue_of(vif, i));
    vif_limits_set(vif);
}

static void data_go(struct vif *vif)
{
    for (unsigned int i = 0; i < vif->nr_queues; i++)
        vif_queue_go(vif_queue_of(vif, i));
    vif->port.up = !vif->broken;
    vif_active |= vif_bit(vif); /* it may have sent before we could hear it */
}

/* The last queue is given back first. */
static void queues_give_back(struct vif *vif)
{
    while (vif->nr_queues) {
        struct vif_queue *queue = vif_queue_of(vif, --vif->nr_queues);

        vif_queue_disconnect(queue);
        if (vif->nr_queues)
            vif_queue_release(queue);
    }
    vif->cost = (struct vif_cost){ 0 };
}

/* The place of the next queue. Returns NULL if there is none. */
static struct vif_queue *queue_next(struct vif *vif)
{
    if (vif->nr_queues == 0)
        return &vif->queue;
    return vif->more[vif->nr_queues - 1] = vif_queue_take(vif);
}

static int queues_connect(struct vif *vif)
{
    const struct vif_front *front = &vif->control.front;

    while (vif->nr_queues < front->queues) {
        struct vif_queue *queue = queue_next(vif);
        int err;

        INVARIANT(queue); /* the budget has them all */
        err = vif_queue_connect(queue, &front->queue[vif->nr_queues]);
        if (err) {
            if (vif->nr_queues)
                vif_queue_release(queue);
            return err;
        }
        queue->marks.nr_extras = 0; /* of other rings */
        queue->index = vif->nr_queues;
        vif->nr_queues++;
    }
    return 0;
}

/*
 * What the frontend asks for must be what it was offered. One that is taken over was offered something
 * by another start, which had the same budget.
 */
static int shape_check(struct vif *vif)
{
    const struct vif_front *front = &vif->control.front;
    struct vif_control *c = &vif->control;
    unsigned int ports = 0;
    struct vif_cost cost;

    for (unsigned int i = 0; i < front->queues; i++) {
        ports += front->queue[i].has_split ? 2 : 1;
        if (front->queue[i].has_split && !vif->offered.split && !c->takeover) {
            snprintf(c->why, sizeof(c->why),
                     "event-channel-tx is there, but no split channels were offered");
            return -EPROTO;
        }
    }
    if (front->queues > vif->offered.queues && !c->takeover) {
        snprintf(c->why, sizeof(c->why), "multi-queue-num-queues is %u, but %u were offered",
                 front->queues, vif->offered.queues);
        return -EPROTO;
    }
    if (front->has_ctrl && !vif->offered.ctrl && !c->takeover) {
        snprintf(c->why, sizeof(c->why), "ctrl-ring-ref is there, but feature-ctrl-ring is 0");
        return -EPROTO;
    }
    cost = budget_cost(front->queues, ports, front->has_ctrl);
    if (!budget_fits(VIF_MAX, vif_cost_of_others(vif), cost)) {
        snprintf(c->why, sizeof(c->why),
                 "multi-queue-num-queues is %u, but other vifs leave no room for them",
                 front->queues);
        return -ENOSPC;
    }
    vif->cost = cost;
    return 0;
}

int vif_connect(struct vif *vif)
{
    int err;

    INVARIANT(!vif->mapped);
    err = shape_check(vif);
    if (!err)
        err = queues_connect(vif);
    if (!err)
        err = vif_ctrl_connect(vif);
    if (err) {
        queues_give_back(vif);
        return err;
    }
    data_begin(vif);
    vif_multicast_begin(vif, false);
    for (unsigned int i = 0; i < vif->nr_queues && vif->control.takeover; i++) {
        vif_tx_takeover(vif_queue_of(vif, i));
        vif_rx_takeover(vif_queue_of(vif, i));
    }
    data_go(vif);
    vif_record_seal(vif);
    vif_ctrl_go(vif, true);
    connected_log(vif);
    return 0;
}

static int queues_resume(struct vif *vif)
{
    const struct vif_record *record = &vif->record;
    unsigned int ports = 0;

    for (unsigned int i = 0; i < record->front.queues; i++) {
        struct vif_queue *queue = &vif->queue;
        int err = i ? vif_queue_retake(vif, record->more[i - 1], &queue) : 0;

        if (!err && i)
            vif->more[i - 1] = queue;
        if (!err) {
            err = vif_queue_reconnect(queue, &record->front.queue[i], &record->held[i]);
            if (err && i)
                vif_queue_release(queue);
        }
        if (err)
            return err;
        queue->index = vif->nr_queues++;
        ports += queue->held.rx_port ? 2 : 1;
    }
    vif->cost = budget_cost(record->front.queues, ports, record->front.has_ctrl);
    return 0;
}

int vif_reconnect(struct vif *vif)
{
    int err;

    INVARIANT(!vif->mapped);
    err = queues_resume(vif);
    if (!err)
        err = vif_ctrl_reconnect(vif);
    if (err) {
        queues_give_back(vif);
        return err;
    }
    data_begin(vif);
    vif_multicast_begin(vif, true);
    for (unsigned int i = 0; i < vif->nr_queues; i++) {
        vif_tx_resume(vif_queue_of(vif, i));
        vif_rx_resume(vif_queue_of(vif, i));
    }
    data_go(vif);
    /* The last start may have died between a push and its notification. */
    for (unsigned int i = 0; i < vif->nr_queues; i++)
        vif_queue_notify(vif_queue_of(vif, i));
    vif_ctrl_go(vif, false);
    return 0;
}

void vif_disconnect(struct vif *vif)
{
    if (!vif->mapped)
        return;
    vif_record_void(vif);
    vif->port.up = false;
    timer_cancel(&vif->credit_timer);
    vif_hold_end(vif);
    vif->moderation = (struct moderation){ 0 };
    vif_ctrl_disconnect(vif);
    queues_give_back(vif);
    vif->mapped = false;
    vif_mapped &= ~vif_bit(vif);
    vif_active &= ~vif_bit(vif);
    vif_broken &= ~vif_bit(vif);
    log_limited(&vif->control.limit, LOG_INFO,
                "%s: disconnected: %lu frames from it, %lu to it, %lu bad, %lu dropped",
                vif->port.name, vif->port.stats.rx_frames, vif->port.stats.tx_frames,
                vif_nr_bad(vif), vif->port.stats.tx_drops);
}

void vif_break(struct vif *vif, const char *why)
{
    if (vif->broken)
        return;
    vif->broken = why;
    vif->port.up = false;
    vif_broken |= vif_bit(vif);
}
