/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/egress.h"

#include <rte_ip.h>

#include "net/checksum.h"
#include "net/segment.h"

static struct rte_mempool *copies;

void egress_init(struct rte_mempool *pool)
{
    copies = pool;
}

static void drop(struct port *port, struct rte_mbuf *frame)
{
    port->stats.tx_drops++;
    rte_pktmbuf_free(frame);
}

static void send_staged(struct port *port)
{
    uint16_t nr = port->nr_staged;

    port->nr_staged = 0;
    port->ops->tx_burst(port, port->staged, nr);
}

/* tx_burst may have taken the port out of its bridge: then nobody would flush it. */
static void stage(struct port *port, struct rte_mbuf *frame)
{
    if (!port->bridge) {
        drop(port, frame);
        return;
    }
    port->staged[port->nr_staged++] = frame;
    if (port->nr_staged == PORT_BURST)
        send_staged(port);
}

/* PORT_TX_*: what a port must take to be given the frame as it is. */
static uint32_t caps_needed(const struct rte_mbuf *frame)
{
    bool v6 = frame->ol_flags & RTE_MBUF_F_TX_IPV6;
    uint32_t needed = frame->nb_segs > 1 ? PORT_TX_MULTI_SEG : 0;

    if (frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
        needed |= v6 ? PORT_TX_TSO_V6 : PORT_TX_TSO_V4;
    else if (checksum_is_unfinished(frame))
        needed |= v6 ? PORT_TX_CSUM_V6 : PORT_TX_CSUM_V4;
    return needed;
}

/*
 * What the port cannot do of what the frame needs. Hardware and DPDK's tx_prepare take the L4 header
 * to follow a bare IPv6 header: behind extension headers the checksum is not left to any port.
 */
static uint32_t caps_missing(const struct port *port, const struct rte_mbuf *frame)
{
    uint32_t needed = caps_needed(frame), missing = needed & ~port->tx_caps;

    if ((needed & PORT_TX_CSUM_V6) && frame->l3_len != sizeof(struct rte_ipv6_hdr))
        missing |= PORT_TX_CSUM_V6;
    return missing;
}

static bool is_vlan_tagged(const struct rte_mbuf *frame)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

    return ether->ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN) ||
           ether->ether_type == RTE_BE16(RTE_ETHER_TYPE_QINQ);
}

static bool is_too_long(const struct port *port, const struct rte_mbuf *frame)
{
    uint32_t longest = port->mtu + RTE_ETHER_HDR_LEN;

    if (frame->pkt_len <= longest)
        return false;
    return frame->pkt_len > longest + RTE_VLAN_HLEN || !is_vlan_tagged(frame);
}

/* The frame as one that we may write to at its start: itself or a copy. NULL: no memory. */
static struct rte_mbuf *make_writable(struct rte_mbuf *frame)
{
    struct rte_mbuf *copy;

    if (rte_mbuf_refcnt_read(frame) == 1 && RTE_MBUF_DIRECT(frame))
        return frame;
    copy = rte_pktmbuf_copy(frame, copies, 0, UINT32_MAX);
    if (copy)
        rte_pktmbuf_free(frame);
    return copy;
}

/* A frame whose chain the port does not take, as one segment. NULL: no memory, or too long. */
static struct rte_mbuf *make_linear(struct rte_mbuf *frame)
{
    struct rte_mbuf *copy = rte_pktmbuf_copy(frame, copies, 0, UINT32_MAX);

    if (copy && copy->nb_segs > 1) {
        rte_pktmbuf_free(copy);
        return NULL;
    }
    if (copy)
        rte_pktmbuf_free(frame);
    return copy;
}

/* Stage a frame that stands for no other, after making it what the port takes. */
static void put_plain(struct port *port, struct rte_mbuf *frame)
{
    uint32_t missing = caps_missing(port, frame);
    struct rte_mbuf *fit = frame;

    if (missing & PORT_TX_MULTI_SEG)
        fit = make_linear(frame);
    else if (missing)
        fit = make_writable(frame);
    if (!fit) {
        drop(port, frame);
        return;
    }
    if ((missing & ~PORT_TX_MULTI_SEG) && checksum_finish(fit) != 0) {
        drop(port, fit);
        return;
    }
    stage(port, fit);
}

/* Cut a frame for several and stage the pieces. */
static void put_cut(struct port *port, struct rte_mbuf *frame)
{
    static struct rte_mbuf *pieces[SEGMENT_MAX];
    int nr = -1;

    if (frame->l3_len + frame->l4_len + frame->tso_segsz <= port->mtu)
        nr = segment_frame(frame, copies, pieces, SEGMENT_MAX);
    if (nr < 0) {
        drop(port, frame);
        return;
    }
    rte_pktmbuf_free(frame);
    for (int i = 0; i < nr; i++)
        put_plain(port, pieces[i]);
}

void egress_put(struct port *port, struct rte_mbuf *frame)
{
    bool for_several = frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG;

    if (!port->up || (!for_several && is_too_long(port, frame)))
        drop(port, frame);
    else if (!caps_missing(port, frame))
        stage(port, frame);
    else if (for_several)
        put_cut(port, frame);
    else
        put_plain(port, frame);
}

void egress_flush(struct port *port)
{
    if (port->nr_staged > 0)
        send_staged(port);
    if (port->ops->flush)
        port->ops->flush(port);
}

void egress_discard(struct port *port)
{
    port->stats.tx_drops += port->nr_staged;
    rte_pktmbuf_free_bulk(port->staged, port->nr_staged);
    port->nr_staged = 0;
}
