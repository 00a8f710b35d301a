/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that wait for a guest. What a guest can make wait is bounded three ways: in frames, in mbufs
 * (its share of what all guests may hold), and in time, so that a guest which never takes its frames
 * ties up nothing for long.
 */
#include "vif/device.h"
#include "vif/ring_check.h"
#include "vif/rx_plan.h"

/* A chain of less than this always fits: 64 KB in the pool's mbufs, and some. */
#define SHARE_MIN 40u

static uint32_t queue_share(void)
{
    unsigned int nr = vif_nr_connected();
    uint32_t share = vif_host.queue_mbufs / (nr ? nr : 1);

    return RTE_MAX(share, SHARE_MIN);
}

/* Whether the guest takes this frame at all, now or later. */
static bool frame_fits(const struct vif *vif, const struct rte_mbuf *frame)
{
    bool cut = rx_plan_has_extra(frame);

    if (!rx_plan_possible(frame) || (cut && !(vif->port.tx_caps & PORT_TX_TSO_V4)))
        return false;
    if (!vif->sg && frame->pkt_len > PAGE_SIZE)
        return false;
    return cut || frame->pkt_len <= vif->port.mtu + RTE_ETHER_HDR_LEN + 2u * RTE_VLAN_HLEN;
}

static bool guest_has_slots(const struct vif *vif)
{
    return READ_ONCE(vif->rx.sring->req_prod) != vif->rx.req_cons;
}

/* share: mbufs that this vif may hold; room: that all together may take up yet. */
static bool queue_add(struct vif *vif, struct rte_mbuf *frame, uint32_t share, uint32_t *room)
{
    struct vif_queue *q = &vif->queue;

    if (q->tail - q->head == VIF_QUEUE_FRAMES || q->nr_mbufs + frame->nb_segs > share ||
        frame->nb_segs > *room)
        return false;
    *room -= frame->nb_segs;
    q->frames[q->tail++ % VIF_QUEUE_FRAMES] = frame;
    q->nr_mbufs += frame->nb_segs;
    return true;
}

void vif_rx_enqueue(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct vif *vif = (struct vif *)port;
    bool open = vif->mapped && !vif->broken;
    uint32_t share = open ? queue_share() : 0, queued = vif_nr_queued_mbufs();
    uint32_t room = vif_host.queue_mbufs > queued ? vif_host.queue_mbufs - queued : 0;

    if (open && vif->queue.stalled && guest_has_slots(vif))
        vif->queue.stalled = false;
    open = open && !vif->queue.stalled;
    for (uint16_t i = 0; i < nr; i++) {
        if (open && frame_fits(vif, frames[i]) && queue_add(vif, frames[i], share, &room))
            continue;
        rte_pktmbuf_free(frames[i]);
        port->stats.tx_drops++;
    }
    if (vif->queue.head != vif->queue.tail)
        vif_queued |= vif_bit(vif);
}

void vif_rx_purge(struct vif *vif)
{
    struct vif_queue *q = &vif->queue;

    while (q->head != q->tail) {
        rte_pktmbuf_free(q->frames[q->head++ % VIF_QUEUE_FRAMES]);
        vif->port.stats.tx_drops++;
    }
    q->nr_mbufs = 0;
    q->stuck_ns = 0;
    vif_queued &= ~vif_bit(vif);
}
