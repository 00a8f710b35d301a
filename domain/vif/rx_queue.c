/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that wait for a guest. What a guest can make wait is bounded three ways: in frames, in mbufs
 * (its share of what all guests may hold), and in time, so that a guest which never takes its frames
 * ties up nothing for long.
 */
#include "vif/device.h"
#include "vif/ring_check.h"
#include "vif/rx_plan.h"
#include "vif/tx_frame.h"
#include "xen/clock.h"

/* A chain of less than this always fits: 64 KB in mbufs of 1400 bytes, and some. */
#define SHARE_MIN (TX_FRAME_SEGS_MAX + 8u)

/* So long may a guest take nothing before nobody rests for its sake. */
#define PATIENCE_NS 20000000ull

/* What a vif may hold in all its queues. */
struct share {
    uint32_t frames, mbufs;
};

static struct share queue_share(void)
{
    unsigned int nr = RTE_MAX(vif_nr_connected(), 1u);

    return (struct share){ .frames = WAITING_MAX / nr,
                           .mbufs = RTE_MAX(vif_host.queue_mbufs / nr, SHARE_MIN) };
}

static uint32_t queue_frames_max(const struct vif *vif)
{
    return vif->rx_credit.rate.bytes ? VIF_QUEUE_FULL : VIF_QUEUE_FRAMES;
}

/* Whether the guest takes this frame at all, now or later. */
static bool frame_fits(const struct vif *vif, const struct rte_mbuf *frame)
{
    bool cut = rx_plan_has_extra(frame);
    uint32_t tso = frame->ol_flags & RTE_MBUF_F_TX_IPV6 ? PORT_TX_TSO_V6 : PORT_TX_TSO_V4;

    if (!rx_plan_possible(frame) || (cut && !(vif->port.tx_caps & tso)))
        return false;
    if (!vif->sg && frame->pkt_len + vif->headroom > PAGE_SIZE)
        return false;
    return cut || frame->pkt_len <= vif->port.mtu + RTE_ETHER_HDR_LEN + 2u * RTE_VLAN_HLEN;
}

static bool guest_has_slots(const struct vif_queue *queue)
{
    return READ_ONCE(queue->rx.sring->req_prod) != queue->rx.req_cons;
}

/* room: mbufs that all vifs together may take up yet. */
static bool queue_add(struct vif_queue *queue, struct rte_mbuf *frame, struct share share,
                      uint32_t *room)
{
    struct vif_waiting *waiting = &queue->waiting;
    struct vif *vif = queue->vif;

    if (waiting->list.nr >= queue_frames_max(vif) || vif->nr_waiting >= share.frames ||
        vif->nr_waiting_mbufs + frame->nb_segs > share.mbufs || frame->nb_segs > *room ||
        !waiting_put(&waiting->list, frame))
        return false;
    *room -= frame->nb_segs;
    vif->nr_waiting++;
    vif->nr_waiting_mbufs += frame->nb_segs;
    return true;
}

struct rte_mbuf *vif_waiting_take(struct vif_queue *queue)
{
    struct rte_mbuf *frame = waiting_take(&queue->waiting.list);

    queue->vif->nr_waiting--;
    queue->vif->nr_waiting_mbufs -= frame->nb_segs;
    return frame;
}

/*
 * Full from half of VIF_QUEUE_FULL, or of its mbufs, on, until it is down to a quarter. Not if the guest has taken nothing
 * for a while: nobody waits for one that is slower than that.
 */
static bool queue_is_full(const struct vif_queue *queue, uint32_t part, uint64_t now)
{
    const struct vif_waiting *waiting = &queue->waiting;
    uint32_t nr = waiting->list.nr;

    return (nr > VIF_QUEUE_FULL / part ||
            (nr && queue->vif->nr_waiting_mbufs > queue_share().mbufs / part)) &&
           !(waiting->stuck_ns && now - waiting->stuck_ns > PATIENCE_NS);
}

void vif_fill_look(struct vif *vif, uint64_t now)
{
    uint32_t part = vif->port.is_full ? 4 : 2;
    bool is_full = false;

    for (unsigned int i = 0; i < vif->nr_queues && !is_full; i++)
        is_full = queue_is_full(vif_queue_of(vif, i), part, now);
    vif->port.is_full = is_full;
}

static bool queue_is_open(struct vif_queue *queue)
{
    if (queue->waiting.stalled && guest_has_slots(queue))
        queue->waiting.stalled = false;
    return !queue->waiting.stalled;
}

/* Where there are several, a flow stays in one. */
static struct vif_queue *queue_choose(struct vif *vif, struct rte_mbuf *frame)
{
    return vif_queue_of(vif, hash_queue(&vif->hash, frame, vif->nr_queues));
}

void vif_rx_drop_count(const struct vif_queue *queue)
{
    queue->vif->port.stats.tx_drops++;
    vif_queue_counts(queue)->tx_drops++;
}

/* The last frame of each queue that has grown is timed, unless one is already. before: how long they were */
static void timed_begin(struct vif *vif, const uint32_t before[VIF_QUEUES_MAX])
{
    uint64_t now = clock_now();

    for (unsigned int i = 0; i < vif->nr_queues; i++) {
        struct vif_waiting *waiting = &vif_queue_of(vif, i)->waiting;

        if (waiting->list.nr <= before[i] || waiting->timed_ns)
            continue;
        waiting->timed_ns = now;
        waiting->timed_end = waiting->nr_taken + waiting->list.nr;
    }
}

void vif_rx_enqueue(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct vif *vif = (struct vif *)port;
    struct vif_queue *queue = &vif->queue;
    bool connected = vif->mapped && !vif->broken, several = vif->nr_queues > 1;
    bool open = connected && !several && queue_is_open(queue); /* that queue */
    struct share share = queue_share();
    uint32_t queued = vif_nr_queued_mbufs();
    uint32_t room = vif_host.queue_mbufs > queued ? vif_host.queue_mbufs - queued : 0;
    uint32_t before[VIF_QUEUES_MAX];
    bool is_timed = vif_is_timed();

    for (unsigned int i = 0; is_timed && i < vif->nr_queues; i++)
        before[i] = vif_queue_of(vif, i)->waiting.list.nr;
    moderation_answered(&vif->moderation);
    for (uint16_t i = 0; i < nr; i++) {
        bool fits = connected && frame_fits(vif, frames[i]);

        if (vif->filters_multicast && multicast_filters(&vif->multicast, frames[i])) {
            rte_pktmbuf_free(frames[i]);
            vif->counts.nr_filtered++;
            continue;
        }
        if (fits && several) {
            queue = queue_choose(vif, frames[i]);
            open = queue_is_open(queue);
        }
        if (fits && open && queue_add(queue, frames[i], share, &room))
            continue;
        rte_pktmbuf_free(frames[i]);
        if (fits)
            vif_rx_drop_count(queue);
        else
            port->stats.tx_drops++; /* whichever queue it would have been for */
    }
    if (__builtin_expect(is_timed, 0))
        timed_begin(vif, before);
    if (!vif->nr_waiting_mbufs)
        return;
    vif_queued |= vif_bit(vif);
    if (!port->is_full)
        vif_fill_look(vif, clock_last());
}

void vif_rx_purge(struct vif_queue *queue)
{
    struct vif *vif = queue->vif;

    while (queue->waiting.list.nr) {
        rte_pktmbuf_free(vif_waiting_take(queue));
        vif_rx_drop_count(queue);
    }
    queue->waiting.stuck_ns = 0;
    queue->waiting.timed_ns = 0;
    if (vif->nr_waiting_mbufs)
        return;
    vif->port.is_full = false;
    vif_queued &= ~vif_bit(vif);
}
