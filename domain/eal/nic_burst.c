/* SPDX-License-Identifier: BSD-2-Clause */
/* The NIC's side of net/port.h: frames in, frames out, and asking to be woken. */
#include <rte_ethdev.h>

#include "eal/internal.h"
#include "eal/nic_internal.h"
#include "eal/rx_flags.h"

static uint16_t nic_rx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct nic *nic = nic_of(port);
    uint64_t bytes = 0;
    uint16_t got = rte_eth_rx_burst(nic->id, 0, frames, nr);

    for (uint16_t i = 0; i < got; i++) {
        frames[i]->ol_flags = rx_flags(frames[i], nic->quirk->reports_bad_only);
        bytes += frames[i]->pkt_len;
    }
    port->stats.rx_frames += got;
    port->stats.rx_bytes += bytes;
    return got;
}

static void drop(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    rte_pktmbuf_free_bulk(frames, nr);
    port->stats.tx_drops += nr;
}

/*
 * Let the driver look at the frames, which writes the pseudo-header sum that is there already, and
 * drop those it cannot send. Returns how many are left, moved together.
 */
static uint16_t prepare(struct nic *nic, struct rte_mbuf **frames, uint16_t nr)
{
    uint16_t good = 0;

    while (good < nr) {
        good += rte_eth_tx_prepare(nic->id, 0, frames + good, nr - good);
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

static void nic_tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct nic *nic = nic_of(port);
    uint64_t bytes;
    uint16_t sent;

    nr = prepare(nic, frames, nr);
    bytes = bytes_of(frames, nr);
    sent = rte_eth_tx_burst(nic->id, 0, frames, nr);
    /* What was sent may be gone; what was not is ours still. */
    if (sent < nr) {
        bytes -= bytes_of(frames + sent, nr - sent);
        drop(port, frames + sent, nr - sent);
    }
    port->stats.tx_frames += sent;
    port->stats.tx_bytes += bytes;
}

/* An interrupt asked for is still to come while the device has sent none since. */
static bool interrupt_ask(struct nic *nic)
{
    uint32_t events = eal_intr_events(nic->pci->intr_handle);

    if (nic->is_armed && nic->armed_events == events)
        return true;
    nic->armed_events = events;
    nic->is_armed = rte_eth_dev_rx_intr_enable(nic->id, 0) == 0;
    return nic->is_armed;
}

static bool nic_arm(struct port *port)
{
    struct nic *nic = nic_of(port);

    if (nic->polls_rx || !interrupt_ask(nic))
        return true;
    return rte_eth_rx_descriptor_status(nic->id, 0, 0) == RTE_ETH_RX_DESC_DONE;
}

const struct port_ops nic_ops = {
    .rx_burst = nic_rx_burst,
    .tx_burst = nic_tx_burst,
    .arm = nic_arm,
};
