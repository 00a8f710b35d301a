/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/egress.h"

#include <errno.h>
#include <string.h>

#include <rte_ip.h>

#include "net/checksum.h"
#include "net/frame.h"
#include "net/segment.h"
#include "net/tag.h"

#define WORDS (EGRESS_PORTS_MAX / 64)

/* No port is flushed more often in one turn. */
#define FLUSH_ROUNDS 8

_Static_assert(EGRESS_PORTS_MAX % 64 == 0, "a port is a bit of dirty");
_Static_assert(EGRESS_PORTS_MAX <= UINT8_MAX, "egress_index is a byte");

static struct rte_mempool *copies;
static struct port *ports[EGRESS_PORTS_MAX];
static uint64_t dirty[WORDS]; /* bit i % 64 of i / 64: ports[i] was given frames */
static bool is_cutting; /* put_cut() is at work */
static struct port_notes notes;

void egress_init(struct rte_mempool *pool)
{
    copies = pool;
    memset(ports, 0, sizeof(ports));
    memset(dirty, 0, sizeof(dirty));
    is_cutting = false;
}

struct port_notes *egress_notes(void)
{
    return &notes;
}

/* What a port says of itself may be left from before a restart. */
static bool is_open(const struct port *port)
{
    return port->egress_index < EGRESS_PORTS_MAX && ports[port->egress_index] == port;
}

int egress_plug(struct port *port)
{
    unsigned int i = 0;

    if (is_open(port))
        return 0;
    while (i < EGRESS_PORTS_MAX && ports[i])
        i++;
    if (i == EGRESS_PORTS_MAX)
        return -ENOSPC;
    ports[i] = port;
    port->egress_index = (uint8_t)i;
    port->is_plugged = true;
    port->is_dirty = false;
    port->nr_staged = 0;
    return 0;
}

static void dirty_set(struct port *port)
{
    port->is_dirty = true;
    dirty[port->egress_index / 64] |= 1ull << port->egress_index % 64;
}

static void dirty_clear(struct port *port)
{
    port->is_dirty = false;
    dirty[port->egress_index / 64] &= ~(1ull << port->egress_index % 64);
}

void egress_unplug(struct port *port)
{
    port->is_plugged = false;
    if (!is_open(port))
        return;
    port->stats.tx_drops += port->nr_staged;
    rte_pktmbuf_free_bulk(port->staged, port->nr_staged);
    port->nr_staged = 0;
    dirty_clear(port);
    ports[port->egress_index] = NULL;
}

static void drop(struct port *port, struct rte_mbuf *frame)
{
    port->stats.tx_drops++;
    rte_pktmbuf_free(frame);
}

void (*egress_tap)(const struct port *port, struct rte_mbuf *const *frames, uint16_t nr);

static void send_staged(struct port *port)
{
    uint16_t nr = port->nr_staged;

    port->nr_staged = 0;
    if (__builtin_expect(egress_tap != NULL, 0))
        egress_tap(port, port->staged, nr);
    port->ops->tx_burst(port, port->staged, nr);
}

/* tx_burst may have closed the port: then nobody would flush it. */
static void stage(struct port *port, struct rte_mbuf *frame)
{
    if (!port->is_plugged) {
        drop(port, frame);
        return;
    }
    if (port->is_full && !(*rte_pktmbuf_mtod(frame, const uint8_t *) & RTE_ETHER_GROUP_ADDR))
        notes.full = port;
    if (!port->is_dirty)
        dirty_set(port);
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
    if ((needed & ~PORT_TX_MULTI_SEG) && frame->l2_len > RTE_ETHER_HDR_LEN)
        needed |= PORT_TX_TAGGED;
    return needed;
}

static bool is_tagged(struct rte_mbuf *frame)
{
    return frame_parse(frame) && frame_is_tagged(frame);
}

/* Longer than the frames of a port's MTU; a tag comes on top. */
static bool is_too_long(const struct port *port, struct rte_mbuf *frame, uint32_t len)
{
    uint32_t longest = port->mtu + RTE_ETHER_HDR_LEN;

    if (len <= longest)
        return false;
    return len > longest + RTE_VLAN_HLEN || !is_tagged(frame);
}

/* Of the longest piece of a frame for several, bytes. */
static uint32_t piece_len(const struct rte_mbuf *frame)
{
    return frame->l2_len + frame->l3_len + frame->l4_len + frame->tso_segsz;
}

/* Some hardware stops, or drops the frame, when it is asked for smaller segments. */
#define HARDWARE_SEGMENT_MIN 256

/* What hardware can be asked to cut. */
static bool is_for_hardware(const struct port *port, struct rte_mbuf *frame)
{
    return frame->nb_segs <= port->tx_segments_max && frame->tso_segsz >= HARDWARE_SEGMENT_MIN &&
           !(frame->ol_flags & RTE_MBUF_F_TX_IPV6 &&
             frame->l3_len != sizeof(struct rte_ipv6_hdr)) &&
           !is_too_long(port, frame, piece_len(frame));
}

/*
 * What the port cannot do of what the frame needs. Hardware and DPDK's tx_prepare take the L4 header
 * to follow a bare IPv6 header: behind extension headers the checksum is not left to any port. Neither
 * is it behind two tags, of which emulated hardware (QEMU's e1000e) sees one.
 */
static uint32_t caps_missing(const struct port *port, struct rte_mbuf *frame)
{
    uint32_t takes = port->finish_checksums ? PORT_TX_MULTI_SEG & port->tx_caps : port->tx_caps;
    uint32_t needed, missing;

    if (!(frame->ol_flags & CHECKSUM_UNFINISHED) && frame->nb_segs == 1)
        return 0;
    needed = caps_needed(frame);
    missing = needed & ~takes;
    if ((needed & PORT_TX_CSUM_V6) && frame->l3_len != sizeof(struct rte_ipv6_hdr))
        missing |= PORT_TX_CSUM_V6;
    if (frame->l2_len > RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
        missing |= needed & ~PORT_TX_MULTI_SEG;
    if ((needed & PORT_TX_TSO) && port->tx_segments_max > 0 && !is_for_hardware(port, frame))
        missing |= needed & PORT_TX_TSO;
    return missing;
}

struct rte_mbuf *egress_own(struct rte_mbuf *frame, uint16_t headroom)
{
    struct rte_mbuf *copy;

    if (rte_mbuf_refcnt_read(frame) == 1 && RTE_MBUF_DIRECT(frame) &&
        rte_pktmbuf_headroom(frame) >= headroom)
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
        fit = egress_own(frame, 0);
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

/* Returns the number of pieces, and the frame is gone; or less than 0. */
static int cut(struct rte_mbuf *frame, struct rte_mbuf **pieces)
{
    int nr = segment_in_place(frame, pieces, PORT_SEGMENTS_MAX);

    if (nr == 0) {
        nr = segment_frame(frame, copies, pieces, PORT_SEGMENTS_MAX);
        if (nr > 0)
            rte_pktmbuf_free(frame);
    }
    return nr;
}

/* Stage the pieces of a frame: what the first one needs all others do, if they have as many segments. */
static void put_pieces(struct port *port, struct rte_mbuf **pieces, int nr)
{
    uint16_t nr_segs = pieces[0]->nb_segs;
    bool fit = !caps_missing(port, pieces[0]);

    for (int i = 0; i < nr; i++)
        if (fit && pieces[i]->nb_segs == nr_segs)
            stage(port, pieces[i]);
        else
            put_plain(port, pieces[i]);
}

/* Cut a frame for several and stage the pieces. */
static void put_cut(struct port *port, struct rte_mbuf *frame)
{
    static struct rte_mbuf *pieces[PORT_SEGMENTS_MAX];
    int nr = -1;

    if (!is_cutting && !is_too_long(port, frame, piece_len(frame)))
        nr = cut(frame, pieces);
    if (nr < 0) {
        drop(port, frame);
        return;
    }
    notes.nr_cut++;
    is_cutting = true;
    put_pieces(port, pieces, nr);
    is_cutting = false;
}

/* A frame with the tag in it that lay beside it. NULL: no memory, and the frame stays the caller's. */
static struct rte_mbuf *with_tag(struct rte_mbuf *frame)
{
    struct rte_mbuf *own = egress_own(frame, TAG_LEN);

    if (own)
        tag_insert(own);
    return own;
}

/* NICs, the emulated ones at least, do not agree on what a tag is in front of another. */
static bool takes_tag_beside(const struct port *port, const struct rte_mbuf *frame)
{
    return (port->tx_caps & PORT_TX_VLAN) && !tag_is_in_front(frame);
}

static void put(struct port *port, struct rte_mbuf *frame)
{
    bool for_several = frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG;

    if (!port->up || (!for_several && is_too_long(port, frame, frame->pkt_len)))
        drop(port, frame);
    else if (!caps_missing(port, frame))
        stage(port, frame);
    else if (for_several)
        put_cut(port, frame);
    else
        put_plain(port, frame);
}

void egress_put(struct port *port, struct rte_mbuf *frame)
{
    struct rte_mbuf *fit = frame;

    if (tag_is_beside(frame) && !takes_tag_beside(port, frame))
        fit = with_tag(frame);
    if (fit)
        put(port, fit);
    else
        drop(port, frame);
}

/* Either operation may close the port. */
static void flush_one(struct port *port)
{
    dirty_clear(port);
    if (port->nr_staged > 0)
        send_staged(port);
    if (port->is_plugged && port->ops->flush)
        port->ops->flush(port);
}

static bool any_dirty(void)
{
    uint64_t any = 0;

    for (unsigned int w = 0; w < WORDS; w++)
        any |= dirty[w];
    return any != 0;
}

/* Each port that is dirty, once. */
static void flush_round(void)
{
    for (unsigned int w = 0; w < WORDS; w++) {
        uint64_t passed = 0, left;

        while ((left = dirty[w] & ~passed) != 0) {
            unsigned int bit = (unsigned int)__builtin_ctzll(left);

            passed |= (2ull << bit) - 1; /* and all before it, for the next round */
            flush_one(ports[w * 64 + bit]);
        }
    }
}

void egress_flush_all(void)
{
    for (unsigned int i = 0; i < FLUSH_ROUNDS && any_dirty(); i++)
        flush_round();
}
