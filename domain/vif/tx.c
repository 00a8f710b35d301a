/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest transmit: a burst of packets is parsed, copied by one batch of grant copies into mbufs, its
 * headers are read from the copy, and every slot is answered, in order and whole packets at a time.
 * Order (recovery needs it): copy, write responses, push, notify.
 * Source: xen/io/netif.h, "Guest transmit"; xen/grant_table.h, GNTTABOP_copy.
 */
#include <errno.h>
#include <string.h>

#include "vif/device.h"
#include "vif/ring_check.h"
#include "vif/tx_frame.h"
#include "vif/tx_parse.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define RING_SLOTS_MAX 256 /* of a one-page ring of 12-byte slots */

/* One packet of the burst. */
struct tx_entry {
    struct rte_mbuf *frame; /* NULL: answered with status as it is */
    uint16_t first_op, nr_ops;
    uint16_t first_answer, nr_answers;
    uint16_t gso_size;
    bool csum_blank, data_validated;
    int16_t status; /* NETIF_RSP_* */
};

/* The burst in hand. One for all: it lives within one call. */
static struct tx_burst {
    unsigned int nr_entries, nr_ops, nr_answers;
    struct tx_entry entries[PORT_BURST];
    struct tx_answer answers[RING_SLOTS_MAX];
    gnttab_copy_t ops[GNTTAB_COPY_BATCH];
} burst;

_Static_assert(TX_FRAME_OPS_MAX <= GNTTAB_COPY_BATCH, "a packet must fit into an empty burst");

static void entry_add(struct vif *vif, const struct tx_packet *packet, enum tx_verdict verdict)
{
    struct tx_entry *entry = &burst.entries[burst.nr_entries++];

    *entry = (struct tx_entry){ .first_op = (uint16_t)burst.nr_ops,
                                .first_answer = (uint16_t)burst.nr_answers,
                                .nr_answers = packet->nr_ring,
                                .gso_size = packet->gso_size,
                                .csum_blank = packet->csum_blank,
                                .data_validated = packet->data_validated,
                                .status = NETIF_RSP_ERROR };
    burst.nr_answers += packet->nr_ring;
    if (verdict != TX_FRAME)
        return;
    entry->frame = tx_frame_alloc(vif_host.pool, packet->len);
    if (!entry->frame) {
        entry->status = NETIF_RSP_DROPPED;
        return;
    }
    entry->nr_ops =
        (uint16_t)tx_frame_ops(entry->frame, packet, vif->guest, &burst.ops[burst.nr_ops]);
    burst.nr_ops += entry->nr_ops;
}

/* Take up to nr packets off the ring. */
static void burst_gather(struct vif *vif, uint16_t nr)
{
    RING_IDX prod = READ_ONCE(vif->tx.sring->req_prod);
    int ready = ring_requests(prod, vif->tx.req_cons, vif->tx.rsp_prod_pvt, vif->tx.nr_ents);
    struct tx_view view = { .ring = vif->tx.sring->ring, .nr_ents = vif->tx.nr_ents };

    uint64_t now;

    rmb(); /* the slots after the index */
    burst.nr_entries = burst.nr_ops = burst.nr_answers = 0;
    if (ready < 0) {
        vif_break(vif, "its tx ring's req_prod makes no sense");
        return;
    }
    view.nr = (uint32_t)ready;
    now = vif->tx_credit.rate.bytes ? clock_now() : 0;
    while (view.nr && burst.nr_entries < nr &&
           burst.nr_ops + TX_FRAME_OPS_MAX <= GNTTAB_COPY_BATCH) {
        struct tx_packet packet;
        enum tx_verdict verdict;

        view.cons = vif->tx.req_cons;
        verdict = tx_parse(&view, &packet, &burst.answers[burst.nr_answers]);
        vif->tx_unfinished = verdict == TX_UNFINISHED;
        vif->tx_seen = prod;
        if (verdict == TX_UNFINISHED) {
            if (view.nr == vif->tx.nr_ents)
                vif_break(vif, "a packet fills its tx ring and has no end");
            return;
        }
        if (verdict == TX_FRAME && !credit_take(&vif->tx_credit, packet.len, now)) {
            vif->tx_throttled = true;
            vif_throttle(vif, &vif->tx_credit);
            return;
        }
        entry_add(vif, &packet, verdict);
        vif->tx.req_cons += packet.nr_ring;
        view.nr -= packet.nr_ring;
    }
}

static bool copies_okay(const struct tx_entry *entry)
{
    for (unsigned int i = 0; i < entry->nr_ops; i++)
        if (burst.ops[entry->first_op + i].status != GNTST_okay)
            return false;
    return true;
}

/* After the copy: a good entry keeps its frame, a bad one loses it and tells the guest. */
static void entry_settle(struct vif *vif, struct tx_entry *entry)
{
    struct port_stats *stats = &vif->port.stats;

    if (entry->frame && copies_okay(entry) &&
        tx_frame_describe(entry->frame, entry->csum_blank, entry->data_validated,
                          entry->gso_size) == 0) {
        entry->status = NETIF_RSP_OKAY;
        stats->rx_frames++;
        stats->rx_bytes += rte_pktmbuf_pkt_len(entry->frame);
        return;
    }
    rte_pktmbuf_free(entry->frame);
    entry->frame = NULL;
    stats->rx_errors++;
    vif->rx_bad++;
}

/*
 * An extra-info slot's answer leaves its first two bytes, type and flags, as they were: whoever takes
 * the ring over after us can still walk a chain that was answered but not pushed.
 */
void vif_tx_answer(struct vif *vif, const struct tx_answer *answers, unsigned int nr,
                   int16_t status)
{
    for (unsigned int i = 0; i < nr; i++) {
        netif_tx_response_t *rsp = RING_GET_RESPONSE(&vif->tx, vif->tx.rsp_prod_pvt);

        if (!answers[i].extra)
            WRITE_ONCE(rsp->id, answers[i].id);
        WRITE_ONCE(rsp->status, answers[i].extra ? NETIF_RSP_NULL : status);
        vif->tx.rsp_prod_pvt++;
    }
}

void vif_tx_push(struct vif *vif)
{
    RING_IDX before = READ_ONCE(vif->tx.sring->rsp_prod), event;

    wmb(); /* responses before the index */
    WRITE_ONCE(vif->tx.sring->rsp_prod, vif->tx.rsp_prod_pvt);
    mb(); /* the index before the look at rsp_event */
    event = READ_ONCE(vif->tx.sring->rsp_event);
    if (ring_notify_due(before, vif->tx.rsp_prod_pvt, event))
        evtchn_notify(vif->tx_port);
}

uint16_t vif_tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct vif *vif = (struct vif *)port;
    uint16_t nr_frames = 0;

    INVARIANT(nr <= PORT_BURST);
    if (!vif->mapped || vif->broken || vif->tx_throttled)
        return 0;
    burst_gather(vif, nr);
    if (burst.nr_entries == 0)
        return 0;
    /* From here on: a packet that kills us is among those that the next start refuses. */
    WRITE_ONCE(vif->kept.tx_mark, vif->tx.req_cons);
    barrier(); /* the mark before the responses */
    gnttab_copy(burst.ops, burst.nr_ops);
    for (unsigned int i = 0; i < burst.nr_entries; i++) {
        struct tx_entry *entry = &burst.entries[i];

        entry_settle(vif, entry);
        vif_tx_answer(vif, &burst.answers[entry->first_answer], entry->nr_answers, entry->status);
        if (entry->frame)
            frames[nr_frames++] = entry->frame;
    }
    INVARIANT(vif->tx.rsp_prod_pvt == vif->tx.req_cons);
    vif_tx_push(vif);
    return nr_frames;
}
