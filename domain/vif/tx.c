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
#include "xen/gnttab.h"

#define RING_SLOTS_MAX 256 /* of a one-page ring of 12-byte slots */

/* One packet of the burst. */
struct tx_entry {
    struct rte_mbuf *frame; /* NULL: answered with status as it is */
    uint16_t first_op, nr_ops;
    uint16_t first_answer, nr_answers;
    uint16_t gso_size;
    bool gso_v6, csum_blank, data_validated;
    int16_t status; /* NETIF_RSP_* */
};

/* The burst in hand. One for all: it lives within one call. */
static struct tx_burst {
    unsigned int nr_entries, nr_ops, nr_answers;
    struct tx_entry entries[PORT_BURST];
    struct tx_answer answers[RING_SLOTS_MAX];
    gnttab_copy_t ops[GNTTAB_COPY_BATCH];
    struct tx_stock stock;
} burst;

_Static_assert(TX_FRAME_OPS_MAX <= GNTTAB_COPY_BATCH, "a packet must fit into an empty burst");

/* Which of its slots lie in pages that the guest left with us. */
static void pages_find(const struct vif_queue *queue, struct tx_packet *packet)
{
    for (unsigned int i = 0; i < packet->nr_slots && queue->nr_grefs; i++)
        packet->slots[i].page = gref_page(queue, packet->slots[i].gref, false);
}

static void entry_add(struct vif_queue *queue, struct tx_packet *packet, enum tx_verdict verdict)
{
    struct vif *vif = queue->vif;
    struct tx_entry *entry = &burst.entries[burst.nr_entries++];

    *entry = (struct tx_entry){ .first_op = (uint16_t)burst.nr_ops,
                                .first_answer = (uint16_t)burst.nr_answers,
                                .nr_answers = packet->nr_ring,
                                .gso_size = packet->gso_size,
                                .gso_v6 = packet->gso_v6,
                                .csum_blank = packet->csum_blank,
                                .data_validated = packet->data_validated,
                                .status = NETIF_RSP_ERROR };
    burst.nr_answers += packet->nr_ring;
    if (verdict == TX_MULTICAST)
        entry->status = vif_multicast_amend(vif, packet);
    if (verdict != TX_FRAME)
        return;
    if (vif->tx_cut && tx_frame_lies_as_pieces(packet->len, vif->tx_headers, packet->gso_size))
        entry->frame = tx_frame_alloc(&burst.stock, packet->len, vif->tx_headers + packet->gso_size,
                                      packet->gso_size);
    else
        entry->frame = tx_frame_alloc(&burst.stock, packet->len, VIF_MBUF_ROOM, VIF_MBUF_ROOM);
    if (!entry->frame) {
        entry->status = NETIF_RSP_DROPPED;
        return;
    }
    pages_find(queue, packet);
    entry->nr_ops =
        (uint16_t)tx_frame_ops(entry->frame, packet, vif->guest, &burst.ops[burst.nr_ops]);
    burst.nr_ops += entry->nr_ops;
}

/* Take up to nr packets off the ring. */
static void burst_gather(struct vif_queue *queue, uint16_t nr)
{
    struct vif *vif = queue->vif;
    RING_IDX prod = READ_ONCE(queue->tx.sring->req_prod);
    int ready = ring_requests(prod, queue->tx.req_cons, queue->tx.rsp_prod_pvt, queue->tx.nr_ents);
    struct tx_view view = { .ring = queue->tx.sring->ring, .nr_ents = queue->tx.nr_ents };

    uint64_t now;

    rmb(); /* the slots after the index */
    burst.nr_entries = burst.nr_ops = burst.nr_answers = 0;
    if (ready < 0) {
        vif_break(vif, "its tx ring's req_prod makes no sense");
        return;
    }
    view.nr = (uint32_t)ready;
    now = vif->tx_credit.rate.bytes ? clock_now() : 0;
    if (view.nr > 1 && nr > 1) /* each packet has a slot, and needs an mbuf */
        tx_stock_fill(&burst.stock, RTE_MIN(view.nr, (uint32_t)nr));
    while (view.nr && burst.nr_entries < nr &&
           burst.nr_ops + TX_FRAME_OPS_MAX <= GNTTAB_COPY_BATCH) {
        struct tx_packet packet;
        enum tx_verdict verdict;

        view.cons = queue->tx.req_cons;
        verdict = tx_parse(&view, &packet, &burst.answers[burst.nr_answers]);
        queue->tx_unfinished = verdict == TX_UNFINISHED;
        queue->tx_seen = prod;
        if (verdict == TX_UNFINISHED) {
            if (view.nr == queue->tx.nr_ents)
                vif_break(vif, "a packet fills its tx ring and has no end");
            return;
        }
        if (verdict == TX_FRAME && !credit_take(&vif->tx_credit, packet.len, now)) {
            vif->tx_throttled = true;
            vif_throttle(vif, &vif->tx_credit);
            return;
        }
        entry_add(queue, &packet, verdict);
        queue->tx.req_cons += packet.nr_ring;
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
static void entry_settle(const struct vif_queue *queue, struct tx_entry *entry)
{
    struct vif *vif = queue->vif;
    struct port_stats *stats = &vif->port.stats;

    if (entry->status == NETIF_RSP_OKAY) /* it amended the multicast list */
        return;
    if (entry->frame && copies_okay(entry) &&
        tx_frame_describe(entry->frame, entry->csum_blank, entry->data_validated, entry->gso_size,
                          entry->gso_v6) == 0) {
        entry->status = NETIF_RSP_OKAY;
        if (entry->gso_size)
            vif->tx_headers = entry->frame->l2_len + entry->frame->l3_len + entry->frame->l4_len;
        stats->rx_frames++;
        stats->rx_bytes += rte_pktmbuf_pkt_len(entry->frame);
        return;
    }
    rte_pktmbuf_free(entry->frame);
    entry->frame = NULL;
    stats->rx_errors++;
    vif_queue_counts(queue)->rx_bad++;
}

/*
 * An extra-info slot's answer leaves its first two bytes, type and flags, as they were: whoever takes
 * the ring over after us can still walk a chain that was answered but not pushed.
 */
void vif_tx_answer(struct vif_queue *queue, const struct tx_answer *answers, unsigned int nr,
                   int16_t status)
{
    for (unsigned int i = 0; i < nr; i++) {
        netif_tx_response_t *rsp = RING_GET_RESPONSE(&queue->tx, queue->tx.rsp_prod_pvt);

        if (!answers[i].extra)
            WRITE_ONCE(rsp->id, answers[i].id);
        WRITE_ONCE(rsp->status, answers[i].extra ? NETIF_RSP_NULL : status);
        queue->tx.rsp_prod_pvt++;
    }
}

void vif_tx_push(struct vif_queue *queue)
{
    netif_tx_sring_t *sring = queue->tx.sring;

    if (ring_push(&sring->rsp_prod, &sring->rsp_event, READ_ONCE(sring->rsp_prod),
                  queue->tx.rsp_prod_pvt))
        vif_notify(queue, queue->held.tx_port);
}

/* before: what the vif had counted when the burst began */
static void burst_count(const struct vif_queue *queue, uint64_t frames_before,
                        uint64_t bytes_before)
{
    const struct port_stats *stats = &queue->vif->port.stats;
    struct vif_queue_stats *counts = vif_queue_counts(queue);

    counts->nr_copies += burst.nr_ops;
    counts->rx_frames += stats->rx_frames - frames_before;
    counts->rx_bytes += stats->rx_bytes - bytes_before;
}

static uint16_t queue_burst(struct vif_queue *queue, struct rte_mbuf **frames, uint16_t nr)
{
    struct vif *vif = queue->vif;
    const uint64_t frames_before = vif->port.stats.rx_frames,
                   bytes_before = vif->port.stats.rx_bytes;
    uint16_t nr_frames = 0;

    burst.stock.pool = vif_host.pool;
    burst_gather(queue, nr);
    tx_stock_return(&burst.stock);
    if (burst.nr_entries == 0)
        return 0;
    /* From here on: a packet that kills us is among those that the next start refuses. */
    WRITE_ONCE(queue->marks.tx_mark, queue->tx.req_cons);
    barrier(); /* the mark before the responses */
    gnttab_copy(burst.ops, burst.nr_ops);
    for (unsigned int i = 0; i < burst.nr_entries; i++) {
        struct tx_entry *entry = &burst.entries[i];

        entry_settle(queue, entry);
        vif_tx_answer(queue, &burst.answers[entry->first_answer], entry->nr_answers, entry->status);
        if (entry->frame)
            frames[nr_frames++] = entry->frame;
    }
    INVARIANT(queue->tx.rsp_prod_pvt == queue->tx.req_cons);
    burst_count(queue, frames_before, bytes_before);
    vif_tx_push(queue);
    return nr_frames;
}

/* Several queues share the budget of one vif. Each turn begins with another one. */
static uint16_t queues_burst(struct vif *vif, struct rte_mbuf **frames, uint16_t nr)
{
    unsigned int first = vif->turn = (uint8_t)((vif->turn + 1u) % vif->nr_queues);
    uint16_t got = 0;

    for (unsigned int i = 0; i < vif->nr_queues && got < nr; i++) {
        if (vif->broken || vif->tx_throttled)
            break;
        got = (uint16_t)(got + queue_burst(vif_queue_of(vif, (first + i) % vif->nr_queues),
                                           frames + got, (uint16_t)(nr - got)));
    }
    return got;
}

uint16_t vif_tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct vif *vif = (struct vif *)port;

    INVARIANT(nr <= PORT_BURST);
    if (!vif->mapped || vif->broken || vif->tx_throttled)
        return 0;
    return vif->nr_queues == 1 ? queue_burst(&vif->queue, frames, nr)
                               : queues_burst(vif, frames, nr);
}
