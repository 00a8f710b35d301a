/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest receive: queued frames of all guests are copied by one batch of grant copies, then each
 * packet's slots are answered, in order; response i lies in slot i.
 * Order (recovery needs it): copy, write responses, push, notify.
 * Source: xen/io/netif.h, "Guest receive"; xen/grant_table.h, GNTTABOP_copy.
 */
#include <string.h>

#include "vif/device.h"
#include "vif/ring_check.h"
#include "vif/rx_plan.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/status.h"

#define BATCH_FRAMES 128 /* of all vifs in one batch */
#define STALL_NS 1000000000ull /* no room for so long: what waits is dropped */

/* One frame of the batch; its requests are read, its responses not written. */
struct rx_entry {
    struct vif *vif;
    struct rte_mbuf *frame;
    uint16_t first_op, nr_ops;
    uint16_t nr_slots; /* of data */
    bool extra;
    uint16_t ids[RX_SLOTS_MAX]; /* as requested, in ring order, the extra-info slot's too */
};

static struct {
    unsigned int nr_entries, nr_ops;
    struct rx_entry entries[BATCH_FRAMES];
    gnttab_copy_t ops[GNTTAB_COPY_BATCH];
} batch;

_Static_assert(RX_FRAME_OPS_MAX <= GNTTAB_COPY_BATCH, "a frame must fit into an empty batch");

static struct netif_rx_request request_take(struct vif *vif)
{
    struct netif_rx_request req;

    RING_COPY_REQUEST(&vif->rx, vif->rx.req_cons, &req);
    vif->rx.req_cons++;
    return req;
}

/* A response with extra info destroys the id, which the next start may have to answer. */
static uint16_t extra_take(struct vif *vif)
{
    struct vif_extra extra = { .index = (uint16_t)vif->rx.req_cons };

    extra.id = request_take(vif).id;
    vif->kept.extras[vif->kept.nr_extras++ % VIF_FLUSH_FRAMES] = extra;
    return extra.id;
}

/* The first queued frame goes into the batch. The caller saw that there are slots and room. */
static void entry_gather(struct vif *vif)
{
    struct vif_queue *q = &vif->queue;
    struct rx_entry *entry = &batch.entries[batch.nr_entries++];
    grant_ref_t grefs[RX_DATA_SLOTS_MAX];
    unsigned int nr_ids = 0;

    entry->vif = vif;
    entry->frame = q->frames[q->head++ % VIF_QUEUE_FRAMES];
    q->nr_mbufs -= entry->frame->nb_segs;
    entry->nr_slots = (uint16_t)rx_plan_data_slots(entry->frame);
    entry->extra = rx_plan_has_extra(entry->frame);
    for (unsigned int i = 0; i < entry->nr_slots; i++) {
        struct netif_rx_request req = request_take(vif);

        grefs[i] = req.gref;
        entry->ids[nr_ids++] = req.id;
        if (i == 0 && entry->extra)
            entry->ids[nr_ids++] = extra_take(vif);
    }
    entry->first_op = (uint16_t)batch.nr_ops;
    entry->nr_ops =
        (uint16_t)rx_plan_ops(entry->frame, grefs, vif->guest, &batch.ops[batch.nr_ops]);
    batch.nr_ops += entry->nr_ops;
}

static bool copies_okay(const struct rx_entry *entry)
{
    for (unsigned int i = 0; i < entry->nr_ops; i++)
        if (batch.ops[entry->first_op + i].status != GNTST_okay)
            return false;
    return true;
}

static void extra_answer(struct vif *vif, const struct rte_mbuf *frame)
{
    struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO };

    extra.u.gso.size = frame->tso_segsz;
    extra.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
    memcpy(RING_GET_RESPONSE(&vif->rx, vif->rx.rsp_prod_pvt), &extra, sizeof(extra));
    vif->rx.rsp_prod_pvt++;
}

/* A packet with a failed copy keeps its shape, so that the guest steps over all of it. */
static void entry_answer(const struct rx_entry *entry, bool okay)
{
    struct vif *vif = entry->vif;
    const uint16_t *id = entry->ids;
    uint32_t left = entry->frame->pkt_len;

    for (unsigned int i = 0; i < entry->nr_slots; i++) {
        uint32_t size = RTE_MIN(left, (uint32_t)PAGE_SIZE);
        netif_rx_response_t rsp = { .id = *id++,
                                    .flags = i ? 0 : rx_plan_flags(entry->frame),
                                    .status = okay ? (int16_t)size : NETIF_RSP_ERROR };

        left -= size;
        if (left)
            rsp.flags |= NETRXF_more_data;
        *RING_GET_RESPONSE(&vif->rx, vif->rx.rsp_prod_pvt) = rsp;
        vif->rx.rsp_prod_pvt++;
        if (i == 0 && entry->extra) {
            extra_answer(vif, entry->frame);
            id++;
        }
    }
}

static void batch_run(void)
{
    gnttab_copy(batch.ops, batch.nr_ops);
    for (unsigned int i = 0; i < batch.nr_entries; i++) {
        struct rx_entry *entry = &batch.entries[i];
        struct port_stats *stats = &entry->vif->port.stats;
        bool okay = copies_okay(entry);

        entry_answer(entry, okay);
        if (okay) {
            stats->tx_frames++;
            stats->tx_bytes += entry->frame->pkt_len;
        } else {
            stats->tx_drops++;
        }
        rte_pktmbuf_free(entry->frame);
    }
    batch.nr_entries = batch.nr_ops = 0;
}

static unsigned int slots_needed(const struct vif *vif)
{
    const struct rte_mbuf *frame = vif->queue.frames[vif->queue.head % VIF_QUEUE_FRAMES];

    return rx_plan_data_slots(frame) + rx_plan_has_extra(frame);
}

static int slots_free(struct vif *vif)
{
    int nr = ring_requests(READ_ONCE(vif->rx.sring->req_prod), vif->rx.req_cons,
                           vif->rx.rsp_prod_pvt, vif->rx.nr_ents);

    rmb(); /* the slots after the index */
    if (nr < 0)
        vif_break(vif, "its rx ring's req_prod makes no sense");
    return nr;
}

static bool queue_empty(const struct vif *vif)
{
    return vif->queue.head == vif->queue.tail;
}

/* Responses may be written as far as requests were taken: the next start must know. */
static void mark_set(struct vif *vif)
{
    WRITE_ONCE(vif->kept.rx_mark, vif->rx.req_cons);
    barrier(); /* the mark before the responses */
}

/* As much of the queue as has room in the guest. */
static void vif_gather(struct vif *vif)
{
    int nr_free = vif->rx_throttled ? 0 : slots_free(vif);
    uint64_t now = vif->rx_credit.rate.bytes ? clock_now() : 0;

    for (unsigned int i = 0; i < VIF_FLUSH_FRAMES && !queue_empty(vif); i++) {
        const struct rte_mbuf *frame = vif->queue.frames[vif->queue.head % VIF_QUEUE_FRAMES];
        int needed = (int)slots_needed(vif);

        if (nr_free < needed)
            break;
        if (!credit_take(&vif->rx_credit, frame->pkt_len, now)) {
            vif->rx_throttled = true;
            vif_throttle(vif, &vif->rx_credit);
            break;
        }
        if (batch.nr_entries == BATCH_FRAMES ||
            batch.nr_ops + rx_plan_ops_bound(frame) > GNTTAB_COPY_BATCH) {
            mark_set(vif);
            batch_run();
        }
        entry_gather(vif);
        nr_free -= needed;
        vif->queue.stuck_ns = 0;
    }
    mark_set(vif);
}

void vif_rx_push(struct vif *vif)
{
    RING_IDX before = READ_ONCE(vif->rx.sring->rsp_prod), event;

    if (before == vif->rx.rsp_prod_pvt)
        return;
    wmb(); /* responses before the index */
    WRITE_ONCE(vif->rx.sring->rsp_prod, vif->rx.rsp_prod_pvt);
    mb(); /* the index before the look at rsp_event */
    event = READ_ONCE(vif->rx.sring->rsp_event);
    if (ring_notify_due(before, vif->rx.rsp_prod_pvt, event))
        evtchn_notify(vif->rx_port ? vif->rx_port : vif->tx_port);
}

/* What is left in the queue found no room (or had no turn). */
static void vif_settle(struct vif *vif, uint64_t now)
{
    struct vif_queue *q = &vif->queue;

    vif_rx_push(vif);
    if (queue_empty(vif) || vif->broken) {
        vif_rx_purge(vif);
    } else if (vif->rx_throttled) {
        q->stuck_ns = 0;
    } else if (!vif->rx_notify) {
        /* It will not say when there is room: only what merely had no turn stays. */
        if (slots_free(vif) < (int)slots_needed(vif))
            vif_rx_purge(vif);
    } else if (!q->stuck_ns) {
        q->stuck_ns = now;
    } else if (now - q->stuck_ns > STALL_NS) {
        vif_rx_purge(vif);
        q->stalled = true;
    }
}

void vif_flush_all(void)
{
    uint64_t todo = vif_queued, now;

    if (!todo)
        return;
    for (uint64_t left = todo; left; left &= left - 1) {
        struct vif *vif = &vif_table[__builtin_ctzll(left)];

        status_port_set(vif->port.name);
        vif_gather(vif);
    }
    batch_run();
    now = clock_now();
    for (uint64_t left = todo; left; left &= left - 1)
        vif_settle(&vif_table[__builtin_ctzll(left)], now);
}

/* The guest's receive side: true if a queued frame can go now; else it will tell us. */
static bool rx_arm(struct vif *vif)
{
    RING_IDX cons = vif->rx.req_cons;

    if (queue_empty(vif) || vif->rx_throttled)
        return false;
    if (slots_free(vif) >= (int)slots_needed(vif))
        return true;
    WRITE_ONCE(vif->rx.sring->req_event, cons + slots_needed(vif));
    mb(); /* the wish before the second look */
    return slots_free(vif) >= (int)slots_needed(vif);
}

static bool tx_work(const struct vif *vif)
{
    RING_IDX prod = READ_ONCE(vif->tx.sring->req_prod);

    return prod != vif->tx.req_cons && !(vif->tx_unfinished && prod == vif->tx_seen);
}

static bool tx_arm(struct vif *vif)
{
    RING_IDX next = vif->tx_unfinished ? vif->tx_seen : vif->tx.req_cons;

    if (vif->tx_throttled)
        return false;
    if (tx_work(vif))
        return true;
    WRITE_ONCE(vif->tx.sring->req_event, next + 1);
    mb(); /* the wish before the second look */
    return tx_work(vif);
}

bool vif_arm(struct port *port)
{
    struct vif *vif = (struct vif *)port;
    bool work;

    if (!vif->mapped || vif->broken)
        return vif->broken;
    work = tx_arm(vif);
    work |= rx_arm(vif);
    if (!work && !vif->broken)
        vif_active &= ~vif_bit(vif);
    return work || vif->broken;
}
