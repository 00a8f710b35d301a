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
#include "xen/gnttab.h"
#include "xen/status.h"

#define BATCH_FRAMES 128 /* of all vifs in one batch */
#define STALL_NS 1000000000ull /* no room for so long: what waits is dropped */

/* One frame of the batch; its requests are read, its responses not written. */
struct rx_entry {
    struct vif_queue *queue;
    struct rte_mbuf *frame;
    uint16_t first_op, nr_ops;
    uint16_t nr_slots; /* of data */
    uint8_t nr_extras; /* extra-info slots, after the first */
    uint32_t hash_type, hash; /* of the hash's; 0: there is none */
    uint16_t ids[RX_SLOTS_MAX]; /* as requested, in ring order, the extra-info slots' too */
};

static struct {
    unsigned int nr_entries, nr_ops;
    struct rx_entry entries[BATCH_FRAMES];
    gnttab_copy_t ops[GNTTAB_COPY_BATCH];
} batch;

_Static_assert(RX_FRAME_OPS_MAX <= GNTTAB_COPY_BATCH, "a frame must fit into an empty batch");

static struct netif_rx_request request_take(struct vif_queue *queue)
{
    struct netif_rx_request req;

    RING_COPY_REQUEST(&queue->rx, queue->rx.req_cons, &req);
    queue->rx.req_cons++;
    return req;
}

/* Extra-info slots of a frame: for what it is to be cut into, and for the hash that the guest wants. */
static unsigned int extras_needed(const struct vif_queue *queue, struct rte_mbuf *frame)
{
    const struct vif_hash *hash = &queue->vif->hash;

    return rx_plan_has_extra(frame) + (hash->flags && hash_frame_type(hash, frame));
}

/* A response with extra info destroys the id, which the next start may have to answer. */
static uint16_t extra_take(struct vif_queue *queue)
{
    struct vif_extra extra = { .index = (uint16_t)queue->rx.req_cons };

    extra.id = request_take(queue).id;
    queue->marks.extras[queue->marks.nr_extras++ % VIF_EXTRAS] = extra;
    return extra.id;
}

/* The first queued frame goes into the batch. The caller saw that there are slots and room. */
static void entry_gather(struct vif_queue *queue)
{
    struct rx_entry *entry = &batch.entries[batch.nr_entries++];
    struct rx_slot slots[RX_DATA_SLOTS_MAX];
    unsigned int nr_ids = 0;

    entry->queue = queue;
    entry->frame = vif_waiting_take(queue);
    entry->nr_slots = (uint16_t)rx_plan_data_slots(entry->frame, queue->vif->headroom);
    entry->nr_extras = (uint8_t)extras_needed(queue, entry->frame);
    entry->hash_type = 0;
    if (queue->vif->hash.flags)
        entry->hash_type = hash_frame(&queue->vif->hash, entry->frame, &entry->hash);
    for (unsigned int i = 0; i < entry->nr_slots; i++) {
        struct netif_rx_request req = request_take(queue);

        slots[i] = (struct rx_slot){ req.gref, gref_page(queue, req.gref, true) };
        entry->ids[nr_ids++] = req.id;
        for (unsigned int j = 0; i == 0 && j < entry->nr_extras; j++)
            entry->ids[nr_ids++] = extra_take(queue);
    }
    entry->first_op = (uint16_t)batch.nr_ops;
    entry->nr_ops = (uint16_t)rx_plan_ops(entry->frame, queue->vif->headroom, slots,
                                          queue->vif->guest, &batch.ops[batch.nr_ops]);
    batch.nr_ops += entry->nr_ops;
}

static bool copies_okay(const struct rx_entry *entry)
{
    for (unsigned int i = 0; i < entry->nr_ops; i++)
        if (batch.ops[entry->first_op + i].status != GNTST_okay)
            return false;
    return true;
}

static void extra_answer(struct vif_queue *queue, struct netif_extra_info extra)
{
    memcpy(RING_GET_RESPONSE(&queue->rx, queue->rx.rsp_prod_pvt), &extra, sizeof(extra));
    queue->rx.rsp_prod_pvt++;
}

static void extras_answer(const struct rx_entry *entry)
{
    struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO };

    if (rx_plan_has_extra(entry->frame)) {
        extra.flags = entry->hash_type ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
        extra.u.gso.size = entry->frame->tso_segsz;
        extra.u.gso.type = entry->frame->ol_flags & RTE_MBUF_F_TX_IPV6 ? XEN_NETIF_GSO_TYPE_TCPV6
                                                                       : XEN_NETIF_GSO_TYPE_TCPV4;
        extra_answer(entry->queue, extra);
    }
    if (!entry->hash_type)
        return;
    extra = (struct netif_extra_info){ .type = XEN_NETIF_EXTRA_TYPE_HASH };
    extra.u.hash.type = (uint8_t)__builtin_ctz(entry->hash_type);
    extra.u.hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
    memcpy(extra.u.hash.value, &entry->hash, sizeof(extra.u.hash.value));
    extra_answer(entry->queue, extra);
}

/* A packet with a failed copy keeps its shape, so that the guest steps over all of it. */
static void entry_answer(const struct rx_entry *entry, bool okay)
{
    struct vif_queue *queue = entry->queue;
    const uint16_t *id = entry->ids;
    uint32_t left = entry->frame->pkt_len;
    uint16_t flags = rx_plan_flags(entry->frame), offset = queue->vif->headroom;

    if (entry->nr_extras)
        flags |= NETRXF_extra_info;
    for (unsigned int i = 0; i < entry->nr_slots; i++, offset = 0) {
        uint32_t size = RTE_MIN(left, (uint32_t)PAGE_SIZE - offset);
        netif_rx_response_t rsp = { .id = *id++,
                                    .offset = offset,
                                    .flags = i ? 0 : flags,
                                    .status = okay ? (int16_t)size : NETIF_RSP_ERROR };

        left -= size;
        if (left)
            rsp.flags |= NETRXF_more_data;
        *RING_GET_RESPONSE(&queue->rx, queue->rx.rsp_prod_pvt) = rsp;
        queue->rx.rsp_prod_pvt++;
        if (i == 0) {
            extras_answer(entry);
            id += entry->nr_extras;
        }
    }
}

/* What went to a queue in one go. */
static void sent_count(const struct vif_queue *queue, uint32_t frames, uint64_t bytes,
                       uint32_t copies)
{
    struct vif_queue_stats *counts = vif_queue_counts(queue);
    struct port_stats *stats = &queue->vif->port.stats;

    stats->tx_frames += frames;
    stats->tx_bytes += bytes;
    counts->nr_copies += copies;
    counts->tx_frames += frames;
    counts->tx_bytes += bytes;
}

/* Settle the entries of one queue, which lie together, from first on. Returns where the next queue's are. */
static unsigned int entries_settle(unsigned int first)
{
    const struct vif_queue *queue = batch.entries[first].queue;
    uint32_t frames = 0, copies = 0;
    uint64_t bytes = 0;
    unsigned int i = first;

    for (; i < batch.nr_entries && batch.entries[i].queue == queue; i++) {
        struct rx_entry *entry = &batch.entries[i];
        bool okay = copies_okay(entry);

        entry_answer(entry, okay);
        copies += entry->nr_ops;
        if (okay) {
            frames++;
            bytes += entry->frame->pkt_len;
        } else {
            vif_rx_drop_count(queue);
        }
        rte_pktmbuf_free(entry->frame);
    }
    sent_count(queue, frames, bytes, copies);
    return i;
}

static void batch_run(void)
{
    gnttab_copy(batch.ops, batch.nr_ops);
    for (unsigned int i = 0; i < batch.nr_entries;)
        i = entries_settle(i);
    batch.nr_entries = batch.nr_ops = 0;
}

static unsigned int slots_of(const struct vif_queue *queue, struct rte_mbuf *frame)
{
    return rx_plan_data_slots(frame, queue->vif->headroom) + extras_needed(queue, frame);
}

/* Of the first frame that waits. */
static unsigned int slots_needed(const struct vif_queue *queue)
{
    return slots_of(queue, waiting_first(&queue->waiting.list));
}

static int slots_free(struct vif_queue *queue)
{
    int nr = ring_requests(READ_ONCE(queue->rx.sring->req_prod), queue->rx.req_cons,
                           queue->rx.rsp_prod_pvt, queue->rx.nr_ents);

    rmb(); /* the slots after the index */
    if (nr < 0)
        vif_break(queue->vif, "its rx ring's req_prod makes no sense");
    return nr;
}

static bool queue_empty(const struct vif_queue *queue)
{
    return !queue->waiting.list.nr;
}

/* Responses may be written as far as requests were taken: the next start must know. */
static void mark_set(struct vif_queue *queue)
{
    WRITE_ONCE(queue->marks.rx_mark, queue->rx.req_cons);
    barrier(); /* the mark before the responses */
}

/* Frames that stand for several are for this guest, or not any more. */
static void few_slots_set(struct vif_queue *queue, bool few)
{
    struct vif *vif = queue->vif;

    queue->waiting.has_few_slots = few;
    vif_caps_set(vif);
    log_limited(&vif->control.limit, LOG_INFO,
                few ? "%s: it never offers room for a long frame: it is sent short ones"
                    : "%s: it offers room for long frames now",
                vif->port.name);
}

/* As much of what waits as has room in the guest. */
static void queue_gather(struct vif_queue *queue)
{
    struct vif *vif = queue->vif;
    int nr_free = vif->rx_throttled ? 0 : slots_free(queue);
    uint64_t now = vif->rx_credit.rate.bytes ? clock_now() : 0;
    unsigned int nr = 0;

    if (nr_free > (int)queue->waiting.most_slots)
        queue->waiting.most_slots = (uint32_t)nr_free;
    if (queue->waiting.has_few_slots && nr_free >= (int)RX_DATA_SLOTS_MAX + 1)
        few_slots_set(queue, false);
    for (; nr < VIF_FLUSH_FRAMES && !queue_empty(queue); nr++) {
        struct rte_mbuf *frame = waiting_first(&queue->waiting.list);
        int needed = (int)slots_of(queue, frame);

        if (nr_free < needed)
            break;
        if (!credit_take(&vif->rx_credit, frame->pkt_len, now)) {
            vif->rx_throttled = true;
            vif_throttle(vif, &vif->rx_credit);
            break;
        }
        if (batch.nr_entries == BATCH_FRAMES ||
            batch.nr_ops + rx_plan_ops_bound(frame, vif->headroom) > GNTTAB_COPY_BATCH) {
            mark_set(queue);
            batch_run();
        }
        entry_gather(queue);
        nr_free -= needed;
        queue->waiting.stuck_ns = 0;
    }
    queue->waiting.nr_taken += nr;
    mark_set(queue);
}

void vif_rx_push(struct vif_queue *queue)
{
    netif_rx_sring_t *sring = queue->rx.sring;
    RING_IDX before = READ_ONCE(sring->rsp_prod);

    if (before == queue->rx.rsp_prod_pvt)
        return;
    if (ring_push(&sring->rsp_prod, &sring->rsp_event, before, queue->rx.rsp_prod_pvt))
        vif_notify(queue, queue->held.rx_port ? queue->held.rx_port : queue->held.tx_port);
}

/* The first frame found no room in time, and perhaps never can. */
static void stuck_drop(struct vif_queue *queue)
{
    const struct vif_waiting *waiting = &queue->waiting;
    const struct rte_mbuf *frame = waiting_first(&waiting->list);

    if (rx_plan_has_extra(frame) && waiting->most_slots &&
        slots_needed(queue) > waiting->most_slots)
        few_slots_set(queue, true);
    vif_rx_purge(queue);
}

/* If the frame that is timed is in the guest by now, so is its time. */
static void timed_settle(struct vif_waiting *waiting)
{
    if ((int32_t)(waiting->nr_taken - waiting->timed_end) < 0)
        return;
    vif_host.time_take(FERRY_LATENCY_QUEUED, clock_now() - waiting->timed_ns);
    waiting->timed_ns = 0;
}

/* What still waits found no room (or had no turn). */
static void queue_settle(struct vif_queue *queue, uint64_t now)
{
    struct vif *vif = queue->vif;
    struct vif_waiting *waiting = &queue->waiting;

    vif_rx_push(queue);
    if (__builtin_expect(waiting->timed_ns != 0, 0))
        timed_settle(waiting);
    if (queue_empty(queue) || vif->broken) {
        vif_rx_purge(queue);
    } else if (vif->rx_throttled) {
        waiting->stuck_ns = 0;
    } else if (!vif->rx_notify) {
        /* It will not say when there is room: only what merely had no turn stays. */
        if (slots_free(queue) < (int)slots_needed(queue))
            stuck_drop(queue);
    } else if (!waiting->stuck_ns) {
        waiting->stuck_ns = now;
    } else if (now - waiting->stuck_ns > STALL_NS) {
        stuck_drop(queue);
        waiting->stalled = true;
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
        for (unsigned int i = 0; i < vif->nr_queues; i++)
            queue_gather(vif_queue_of(vif, i));
    }
    batch_run();
    now = clock_last();
    for (uint64_t left = todo; left; left &= left - 1) {
        struct vif *vif = &vif_table[__builtin_ctzll(left)];

        for (unsigned int i = 0; i < vif->nr_queues; i++)
            queue_settle(vif_queue_of(vif, i), now);
        if (vif->port.is_full)
            vif_fill_look(vif, now);
    }
}

/* The guest's receive side: true if a queued frame can go now; else it will tell us. */
static bool rx_arm(struct vif_queue *queue)
{
    RING_IDX cons = queue->rx.req_cons;

    if (queue_empty(queue) || queue->vif->rx_throttled)
        return false;
    if (slots_free(queue) >= (int)slots_needed(queue))
        return true;
    WRITE_ONCE(queue->rx.sring->req_event, cons + slots_needed(queue));
    mb(); /* the wish before the second look */
    return slots_free(queue) >= (int)slots_needed(queue);
}

static bool tx_work(const struct vif_queue *queue)
{
    RING_IDX prod = READ_ONCE(queue->tx.sring->req_prod);

    return prod != queue->tx.req_cons && !(queue->tx_unfinished && prod == queue->tx_seen);
}

/* packets: how many from now on are to come before the guest notifies. */
static bool tx_arm(struct vif_queue *queue, uint32_t packets)
{
    RING_IDX next = queue->tx_unfinished ? queue->tx_seen : queue->tx.req_cons;

    if (queue->vif->tx_throttled || queue->vif->held_by)
        return false;
    if (tx_work(queue))
        return true;
    WRITE_ONCE(queue->tx.sring->req_event, next + packets);
    mb(); /* the wish before the second look */
    return tx_work(queue);
}

bool vif_arm(struct port *port)
{
    struct vif *vif = (struct vif *)port;
    bool work = false;
    uint32_t packets;

    if (!vif->mapped || vif->broken)
        return vif->broken;
    packets = moderation_packets(&vif->moderation, clock_last());
    for (unsigned int i = 0; i < vif->nr_queues; i++) {
        work |= tx_arm(vif_queue_of(vif, i), packets);
        work |= rx_arm(vif_queue_of(vif, i));
    }
    if (!work && !vif->broken && !vif->held_by && !vif->moderation.due_ns)
        vif_active &= ~vif_bit(vif);
    return work || vif->broken;
}
