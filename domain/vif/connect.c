/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings and ports: taken when a frontend connects, given back whatever made it end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vif/device.h"
#include "vif/ring_check.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

/* Any of the vif's ports rang: the loop will look at its rings. Nothing else is done here. */
static void rings_event(void *ctx)
{
    vif_active |= vif_bit(ctx);
}

static int why_set(struct vif *vif, const char *node, int err)
{
    snprintf(vif->control.why, sizeof(vif->control.why), "%s cannot be used: error %d", node, -err);
    return err;
}

static void rings_unmap(struct vif *vif)
{
    gnttab_unmap(vif->tx_slot);
    gnttab_unmap(vif->rx_slot);
}

/*
 * The ring goes on where its last response stands: 0 for a new one.
 * Source: BACK_RING_ATTACH in xen/io/ring.h.
 */
static int rings_attach(struct vif *vif, netif_tx_sring_t *txs, netif_rx_sring_t *rxs)
{
    RING_IDX tx_rsp = READ_ONCE(txs->rsp_prod), rx_rsp = READ_ONCE(rxs->rsp_prod);
    int err;

    BACK_RING_ATTACH(&vif->tx, txs, tx_rsp, PAGE_SIZE);
    BACK_RING_ATTACH(&vif->rx, rxs, rx_rsp, PAGE_SIZE);
    err = ring_requests(READ_ONCE(txs->req_prod), tx_rsp, tx_rsp, vif->tx.nr_ents);
    if (err < 0)
        return why_set(vif, "the index on tx-ring-ref", err);
    err = ring_requests(READ_ONCE(rxs->req_prod), rx_rsp, rx_rsp, vif->rx.nr_ents);
    return err < 0 ? why_set(vif, "the index on rx-ring-ref", err) : 0;
}

static int rings_map(struct vif *vif)
{
    struct vif_front *front = &vif->control.front;
    void *txs, *rxs;
    int err;

    err = gnttab_map(vif->guest, front->tx_ref, &txs, &vif->tx_slot);
    if (err)
        return why_set(vif, "tx-ring-ref", err);
    err = gnttab_map(vif->guest, front->rx_ref, &rxs, &vif->rx_slot);
    if (err) {
        gnttab_unmap(vif->tx_slot);
        return why_set(vif, "rx-ring-ref", err);
    }
    err = rings_attach(vif, txs, rxs);
    if (err)
        rings_unmap(vif);
    return err;
}

static int rings_resume(struct vif *vif)
{
    const struct vif_record *record = &vif->kept.record;
    void *txs, *rxs;
    int err;

    if (gnttab_resume(record->tx_slot, vif->guest, record->front.tx_ref, &txs))
        return why_set(vif, "the tx ring's mapping", -ENOENT);
    if (gnttab_resume(record->rx_slot, vif->guest, record->front.rx_ref, &rxs)) {
        gnttab_unmap(record->tx_slot);
        return why_set(vif, "the rx ring's mapping", -ENOENT);
    }
    vif->tx_slot = record->tx_slot;
    vif->rx_slot = record->rx_slot;
    err = rings_attach(vif, txs, rxs);
    if (err)
        rings_unmap(vif);
    return err;
}

static int ports_bind(struct vif *vif)
{
    struct vif_front *front = &vif->control.front;
    int err;

    vif->rx_port = 0;
    if (front->has_split && vif->index >= VIF_SPLIT_PLACES)
        return why_set(vif, "event-channel-tx (no split channels were offered)", -EPROTO);
    err = evtchn_bind_interdomain(vif->guest, front->port_tx, rings_event, vif, &vif->tx_port);
    if (err)
        return why_set(vif, front->has_split ? "event-channel-tx" : "event-channel", err);
    if (!front->has_split)
        return 0;
    err = evtchn_bind_interdomain(vif->guest, front->port_rx, rings_event, vif, &vif->rx_port);
    if (err) {
        evtchn_close(vif->tx_port);
        vif->rx_port = 0;
        return why_set(vif, "event-channel-rx", err);
    }
    return 0;
}

static int port_resume(struct vif *vif, evtchn_port_t port)
{
    return evtchn_resume(port, vif->guest, EVTCHNSTAT_interdomain, rings_event, vif);
}

static int ports_resume(struct vif *vif)
{
    const struct vif_record *record = &vif->kept.record;

    if (port_resume(vif, record->tx_port))
        return why_set(vif, "the event channel", -ENOENT);
    if (record->rx_port && port_resume(vif, record->rx_port)) {
        evtchn_close(record->tx_port);
        return why_set(vif, "the second event channel", -ENOENT);
    }
    vif->tx_port = record->tx_port;
    vif->rx_port = record->rx_port;
    return 0;
}

/* What the guest takes. Cutting into segments needs scatter-gather, and v4 checksums left to it. */
static void caps_set(struct vif *vif)
{
    const struct vif_front *front = &vif->control.front;
    uint32_t caps = PORT_TX_MULTI_SEG;

    if (!front->no_csum && !vif->port.finish_checksums)
        caps |= PORT_TX_CSUM_V4;
    if (front->ipv6_csum && !vif->port.finish_checksums)
        caps |= PORT_TX_CSUM_V6;
    if (front->gso_tcpv4 && front->sg && (caps & PORT_TX_CSUM_V4))
        caps |= PORT_TX_TSO_V4;
    vif->port.tx_caps = caps;
    vif->sg = front->sg;
    vif->rx_notify = front->rx_notify;
    vif->port.mtu = vif->control.back.wish.mtu;
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
    caps_set(vif);
}

static void connected_log(struct vif *vif)
{
    const struct vif_control *c = &vif->control;
    const uint8_t *mac = vif->port.mac.addr_bytes;

    log_limited(&vif->control.limit, LOG_INFO,
                "%s: connected: bridge %s, mac %02x:%02x:%02x:%02x:%02x:%02x, mtu %u%s%s%s%s%s%s",
                vif->port.name, c->back.wish.bridge, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
                vif->port.mtu, c->front.sg ? ", sg" : "", c->front.no_csum ? "" : ", csum",
                c->front.ipv6_csum ? ", csum6" : "",
                vif->port.tx_caps & PORT_TX_TSO_V4 ? ", tso" : "",
                c->front.has_split ? ", split events" : "", c->takeover ? ", taken over" : "");
}

static void data_begin(struct vif *vif)
{
    vif->mapped = true;
    vif_mapped |= vif_bit(vif);
    vif->broken = NULL;
    vif->tx_unfinished = false;
    memset(&vif->queue, 0, sizeof(vif->queue));
    vif_limits_set(vif);
}

static void data_go(struct vif *vif)
{
    vif->kept.tx_mark = vif->tx.req_cons;
    vif->kept.rx_mark = vif->rx.req_cons;
    vif->port.up = !vif->broken;
    vif_active |= vif_bit(vif); /* it may have sent before we could hear it */
}

int vif_connect(struct vif *vif)
{
    int err;

    INVARIANT(!vif->mapped);
    err = rings_map(vif);
    if (err)
        return err;
    err = ports_bind(vif);
    if (err) {
        rings_unmap(vif);
        return err;
    }
    data_begin(vif);
    vif->kept.nr_extras = 0; /* of other rings */
    if (vif->control.takeover) {
        vif_tx_takeover(vif);
        vif_rx_takeover(vif);
    }
    data_go(vif);
    vif_record_seal(vif);
    connected_log(vif);
    return 0;
}

int vif_reconnect(struct vif *vif)
{
    int err;

    INVARIANT(!vif->mapped);
    err = rings_resume(vif);
    if (err)
        return err;
    err = ports_resume(vif);
    if (err) {
        rings_unmap(vif);
        return err;
    }
    data_begin(vif);
    vif_tx_resume(vif);
    vif_rx_resume(vif);
    data_go(vif);
    /* The last start may have died between a push and its notification. */
    evtchn_notify(vif->tx_port);
    if (vif->rx_port)
        evtchn_notify(vif->rx_port);
    return 0;
}

void vif_disconnect(struct vif *vif)
{
    if (!vif->mapped)
        return;
    vif_record_void(vif);
    vif->port.up = false;
    timer_cancel(&vif->credit_timer);
    vif_rx_purge(vif);
    evtchn_close(vif->tx_port);
    evtchn_close(vif->rx_port);
    rings_unmap(vif);
    vif->mapped = false;
    vif_mapped &= ~vif_bit(vif);
    vif->tx.sring = NULL;
    vif->rx.sring = NULL;
    vif_active &= ~vif_bit(vif);
    vif_broken &= ~vif_bit(vif);
    log_limited(&vif->control.limit, LOG_INFO,
                "%s: disconnected: %lu frames from it, %lu to it, %lu bad, %lu dropped",
                vif->port.name, vif->port.stats.rx_frames, vif->port.stats.tx_frames, vif->rx_bad,
                vif->port.stats.tx_drops);
}

void vif_break(struct vif *vif, const char *why)
{
    if (vif->broken)
        return;
    vif->broken = why;
    vif->port.up = false;
    vif_broken |= vif_bit(vif);
}
