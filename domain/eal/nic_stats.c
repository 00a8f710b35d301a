/* SPDX-License-Identifier: BSD-2-Clause */
/* What a NIC and its driver tell of themselves: for statistics only. */
#include <rte_ethdev.h>

#include "eal/nic_internal.h"
#include "xen/status.h"

static uint32_t rx_filled(const struct nic *nic)
{
    int nr;

    status_nic_enter();
    nr = rte_eth_rx_queue_count(nic->id, 0);
    status_nic_leave();
    return nr < 0 ? NIC_UNKNOWN : RTE_MIN((uint32_t)nr, (uint32_t)nic->nr_rx);
}

void nic_rings(struct port *port, struct nic_rings *rings_r)
{
    struct nic *nic = nic_of(port);
    struct watch_look look;

    *rings_r = (struct nic_rings){ .rx_filled = rx_filled(nic),
                                   .rx_size = nic->nr_rx,
                                   .tx_used = NIC_UNKNOWN,
                                   .tx_size = nic->nr_tx,
                                   .nr_backlog = tx_backlog_nr(&nic->backlog) };
    if (nic_device_look(nic, &look) && look.tx_round != 0)
        rings_r->tx_used = RTE_MIN(watch_tx_used(&look), (uint32_t)nic->nr_tx);
}

bool nic_errors(struct port *port, struct nic_errors *errors_r)
{
    struct nic *nic = nic_of(port);
    struct rte_eth_stats stats;
    struct watch_look look;
    int err;

    if (!nic->quirk->tells_errors || (nic_device_look(nic, &look) && look.is_gone))
        return false;
    status_nic_enter();
    err = rte_eth_stats_get(nic->id, &stats);
    status_nic_leave();
    if (err)
        return false;
    nic_missed_add(nic, stats.imissed);
    *errors_r = (struct nic_errors){ .nr_missed = nic->nr_missed,
                                     .nr_no_buffers = stats.rx_nombuf,
                                     .nr_rx_errors = stats.ierrors,
                                     .nr_tx_errors = stats.oerrors };
    return true;
}
