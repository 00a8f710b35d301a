/* SPDX-License-Identifier: BSD-2-Clause */
/* The NIC's side of net/port.h: frames in, frames out, and asking to be woken. */
#include <rte_ethdev.h>

#include "eal/internal.h"
#include "eal/nic_internal.h"
#include "eal/owner.h"
#include "eal/pool.h"
#include "eal/rx_flags.h"
#include "xen/status.h"

/* Of the pieces of such a frame each has a header checksum of its own. */
#define CUT_V4 (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4)

/* What the driver hands out is ours before the driver is left. */
static uint16_t receive(struct nic *nic, struct rte_mbuf **frames, uint16_t nr)
{
    uint16_t got;

    status_nic_enter();
    got = rte_eth_rx_burst(nic->id, 0, frames, nr);
    if (got > 0 && nic->is_armed && nic->quirk->one_interrupt_per_frame)
        nic->is_armed = rte_eth_dev_rx_intr_disable(nic->id, 0) != 0;
    for (uint16_t i = 0; i < got; i++)
        owner_set_frame(frames[i], OWNER_FERRY);
    status_nic_leave();
    return got;
}

static void drop(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    rte_pktmbuf_free_bulk(frames, nr);
    port->stats.tx_drops += nr;
}

static bool is_shared(const struct rte_mbuf *frame)
{
    for (const struct rte_mbuf *segment = frame; segment; segment = segment->next)
        if (rte_mbuf_refcnt_read(segment) > 1)
            return true;
    return false;
}

/*
 * What a NIC holds is its alone (eal/owner.h): of a frame that other ports have too, it gets a copy.
 * Returns how many frames are left, moved together.
 */
static uint16_t frames_own(struct nic *nic, struct rte_mbuf **frames, uint16_t nr)
{
    uint16_t good = 0;

    for (uint16_t i = 0; i < nr; i++) {
        struct rte_mbuf *frame = frames[i];

        if (is_shared(frame)) {
            struct rte_mbuf *copy = rte_pktmbuf_copy(frame, mbuf_pool(), 0, UINT32_MAX);

            nic->port.stats.tx_drops += copy == NULL;
            rte_pktmbuf_free(frame);
            frame = copy;
        }
        if (!frame)
            continue;
        if (nic->sets_ip_sum && (frame->ol_flags & CUT_V4) == CUT_V4)
            frame->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
        frames[good++] = frame;
    }
    return good;
}

/*
 * Let the driver look at the frames, which writes the pseudo-header sum that it wants, and drop those it cannot
 * send. Returns how many are left, moved together.
 */
static uint16_t prepare(struct nic *nic, struct rte_mbuf **frames, uint16_t nr)
{
    uint16_t good = nic->quirk->prepares_sums_only ? nr : 0;

    while (good < nr) {
        status_nic_enter();
        good += rte_eth_tx_prepare(nic->id, 0, frames + good, nr - good);
        status_nic_leave();
        if (good == nr)
            break;
        drop(&nic->port, &frames[good], 1);
        nr--;
        for (uint16_t i = good; i < nr; i++)
            frames[i] = frames[i + 1];
    }
    return good;
}

static uint64_t bytes_of(struct rte_mbuf *const *frames, uint16_t nr)
{
    uint64_t bytes = 0;

    for (uint16_t i = 0; i < nr; i++)
        bytes += frames[i]->pkt_len;
    return bytes;
}

/* Returns how many frames the driver took; the others are ours still. */
static uint16_t transmit(const struct nic *nic, struct rte_mbuf **frames, uint16_t nr)
{
    uint16_t sent;

    status_nic_enter();
    for (uint16_t i = 0; i < nr; i++)
        owner_set_frame(frames[i], OWNER_DRIVER);
    sent = rte_eth_tx_burst(nic->id, 0, frames, nr);
    for (uint16_t i = sent; i < nr; i++)
        owner_set_frame(frames[i], OWNER_FERRY);
    status_nic_leave();
    return sent;
}

/* The same, counted and looked after. */
static uint16_t transmit_some(struct nic *nic, struct rte_mbuf **frames, uint16_t nr)
{
    uint64_t bytes = bytes_of(frames, nr);
    uint16_t sent = transmit(nic, frames, nr);

    if (sent > 0 && !nic->watch_timer.armed)
        nic_watch_begin(nic);
    if (sent == 0 && nr > 0)
        nic_watch_full(nic);
    else
        nic->full_since_ns = 0;
    /* What was sent may be gone. */
    nic->port.stats.tx_frames += sent;
    nic->port.stats.tx_bytes += bytes - bytes_of(frames + sent, nr - sent);
    return sent;
}

/* What the ring has no room for waits in front of all that comes; what has no room there is lost. */
static void nic_tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct nic *nic = nic_of(port);
    uint16_t done = 0;

    nr = prepare(nic, frames, frames_own(nic, frames, nr));
    if (tx_backlog_nr(&nic->backlog) == 0)
        done = transmit_some(nic, frames, nr);
    if (done == nr)
        return;
    done += tx_backlog_put(&nic->backlog, frames + done, nr - done);
    drop(port, frames + done, nr - done);
    port->is_full = true;
}

/* Once in a turn: as much of what waits as has room now. Without a link nothing waits. */
static void backlog_send(struct nic *nic)
{
    struct rte_mbuf **frames;
    uint16_t nr, done;

    do {
        nr = RTE_MIN(tx_backlog_first(&nic->backlog, &frames), PORT_BURST);
        done = nic->port.up ? transmit_some(nic, frames, nr) : nr;
        if (!nic->port.up)
            drop(&nic->port, frames, nr);
        tx_backlog_take(&nic->backlog, done);
    } while (nr > 0 && done == nr);
    nic->port.is_full = nr > 0;
}

static uint16_t nic_rx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct nic *nic = nic_of(port);
    uint64_t bytes = 0;
    uint16_t got = receive(nic, frames, nr);

    if (port->is_full)
        backlog_send(nic);
    for (uint16_t i = 0; i < got; i++) {
        frames[i]->packet_type = 0; /* net/frame.h: not parsed; drivers may leave what was there */
        frames[i]->ol_flags = rx_flags(frames[i], nic->reports_bad_only);
        bytes += frames[i]->pkt_len;
    }
    port->stats.rx_frames += got;
    port->stats.rx_bytes += bytes;
    return got;
}

/* An interrupt asked for is still to come while the device has sent none since. */
static bool is_armed(const struct nic *nic)
{
    return nic->is_armed && nic->armed_events == eal_intr_events(nic->pci->intr_handle);
}

static bool interrupt_ask(struct nic *nic)
{
    nic->armed_events = eal_intr_events(nic->pci->intr_handle);
    status_nic_enter();
    nic->is_armed = rte_eth_dev_rx_intr_enable(nic->id, 0) == 0;
    status_nic_leave();
    return nic->is_armed;
}

static bool nic_arm(struct port *port)
{
    struct nic *nic = nic_of(port);
    bool was_armed = is_armed(nic);
    int status;

    if (nic->polls_rx || port->is_full || (!was_armed && !interrupt_ask(nic)))
        return true;
    status_nic_enter();
    status = rte_eth_rx_descriptor_status(nic->id, 0, 0);
    status_nic_leave();
    /* A driver that cannot say is asked for frames once more. */
    return status < 0 ? !was_armed : status == RTE_ETH_RX_DESC_DONE;
}

const struct port_ops nic_ops = {
    .rx_burst = nic_rx_burst,
    .tx_burst = nic_tx_burst,
    .arm = nic_arm,
};
