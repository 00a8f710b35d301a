/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A restart that keeps the NICs: their driver, its memory and the hardware go on where they stood.
 * First what does not change is compared, then what changes is looked at for sense, cheap things
 * first; nothing is done to anything before that but to mbufs, which would all be made anew.
 */
#include <stdio.h>

#include <ethdev_driver.h>
#include <rte_ethdev.h>

#include "eal/eal.h"
#include "eal/internal.h"
#include "eal/nic_internal.h"
#include "eal/pool.h"
#include "eal/seal.h"
#include "libc/libc.h"
#include "xen/clock.h"
#include "xen/log.h"
#include "xen/status.h"

#define REASON_SIZE 64
#define NS_PER_US 1000u

/* The archives were built with it. */
_Static_assert(sizeof(struct rte_eth_dev) == 0x4080, "rte_eth_dev of another DPDK");

/* What a driver may have besides what its rings hold: bursts it read ahead, frames not complete yet. */
#define DRIVER_SPARE 64

static const char *damaged(const char *what)
{
    static char reason[REASON_SIZE];

    snprintf(reason, sizeof(reason), "%s: damaged", what);
    return reason;
}

/* All but the link's state and a counter. */
static void data_seal(const struct rte_eth_dev_data *data)
{
    const char *start = (const char *)data;
    const size_t link = offsetof(struct rte_eth_dev_data, dev_link);
    const size_t conf = offsetof(struct rte_eth_dev_data, dev_conf);
    const size_t counter = offsetof(struct rte_eth_dev_data, rx_mbuf_alloc_failed);
    const size_t rest = offsetof(struct rte_eth_dev_data, mac_addrs);

    seal_add("ethdev data", start, link);
    seal_add("ethdev configuration", start + conf, counter - conf);
    seal_add("ethdev data", start + rest, sizeof(*data) - rest);
    seal_add("ethdev queues", data->rx_queues, sizeof(data->rx_queues[0]));
    seal_add("ethdev queues", data->tx_queues, sizeof(data->tx_queues[0]));
    seal_add("ethdev addresses", data->mac_addrs, sizeof(data->mac_addrs[0]));
}

static void nic_seal(const struct nic *nic)
{
    const struct rte_eth_dev *dev = &rte_eth_devices[nic->id];
    const size_t id = offsetof(struct nic, id);

    seal_add("the NIC's port", &nic->port, offsetof(struct port, up));
    seal_add("the NIC", (const char *)nic + id, offsetof(struct nic, backlog) - id);
    seal_add("ethdev", dev, sizeof(*dev));
    seal_add("ethdev operations", &rte_eth_fp_ops[nic->id], sizeof(rte_eth_fp_ops[0]));
    data_seal(dev->data);
}

void eal_seal(void)
{
    unsigned int nr;
    const struct nic *nics = nics_all(&nr);

    seal_begin();
    pool_seal();
    eal_pci_seal();
    eal_intr_seal();
    for (unsigned int i = 0; i < nr; i++)
        nic_seal(&nics[i]);
    seal_close();
}

static const char *heaps_look(void)
{
    if (!libc_malloc_is_sound())
        return damaged("the C library's heap");
    return eal_heap_is_sound() ? NULL : damaged("DPDK's heap");
}

/* Every driver keeps its receive ring about full; what it transmits it holds for as long as it likes. */
static const char *mbufs_take_back(void)
{
    unsigned int nr, min = 0, max = 0;
    const struct nic *nics = nics_all(&nr);

    for (unsigned int i = 0; i < nr; i++) {
        min += nics[i].nr_rx / 2u;
        max += 2u * nics[i].nr_rx + DRIVER_SPARE;
        max += (uint32_t)nics[i].nr_tx * RTE_MAX(nics[i].quirk->tx_chain_max, (uint16_t)1);
    }
    return pool_reclaim(min, max);
}

/*
 * From where the driver looks next: filled, then the device's, then not given to it. Backwards, for
 * the device goes on filling.
 */
static bool rx_ring_makes_sense(const struct nic *nic)
{
    int last = RTE_ETH_RX_DESC_UNAVAIL;

    _Static_assert(RTE_ETH_RX_DESC_AVAIL < RTE_ETH_RX_DESC_DONE &&
                       RTE_ETH_RX_DESC_DONE < RTE_ETH_RX_DESC_UNAVAIL,
                   "the order below");
    for (int i = nic->nr_rx - 1; i >= 0; i--) {
        int status = rte_eth_rx_descriptor_status(nic->id, 0, (uint16_t)i);

        if (status == -ENOTSUP)
            return true;
        if (status < 0 || (status == RTE_ETH_RX_DESC_UNAVAIL && last != status) ||
            (status == RTE_ETH_RX_DESC_AVAIL && last == RTE_ETH_RX_DESC_DONE))
            return false;
        last = status;
    }
    return true;
}

static bool tx_ring_makes_sense(const struct nic *nic)
{
    int first = rte_eth_tx_descriptor_status(nic->id, 0, 0);
    int last = rte_eth_tx_descriptor_status(nic->id, 0, nic->nr_tx - 1);

    return (first >= 0 && last >= 0) || first == -ENOTSUP;
}

static const char *nic_look(const struct nic *nic)
{
    bool rx, tx;

    status_nic_enter();
    rx = rx_ring_makes_sense(nic);
    tx = tx_ring_makes_sense(nic);
    status_nic_leave();
    if (rx && nic->rx_ring)
        rx = nic->quirk->rx_ring_is_sound(nic->rx_ring, nic->nr_rx);
    if (!rx)
        return damaged("the receive ring");
    return tx ? NULL : damaged("the transmit ring");
}

static const char *rings_look(void)
{
    unsigned int nr;
    const struct nic *nics = nics_all(&nr);
    const char *why = NULL;

    for (unsigned int i = 0; i < nr && !why; i++)
        why = nic_look(&nics[i]);
    return why;
}

static const char *sums_look(void)
{
    const char *broken = seal_broken();

    return broken ? damaged(broken) : NULL;
}

const char *eal_resume(void)
{
    static const struct {
        const char *name;
        const char *(*run)(void);
    } steps[] = {
        { "sums", sums_look },   { "heaps", heaps_look },         { "mbufs", mbufs_take_back },
        { "rings", rings_look }, { "alarms", eal_alarms_resume }, { "interrupts", eal_intr_resume },
    };
    char line[128];
    size_t used = 0;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint64_t start_ns = clock_now();
        const char *why = steps[i].run();

        if (why)
            return why;
        used += (size_t)snprintf(line + used, sizeof(line) - used, " %s %u,", steps[i].name,
                                 (unsigned int)((clock_now() - start_ns) / NS_PER_US));
    }
    log_debug("eal: resumed, us:%s %u mbufs free", line, rte_mempool_avail_count(mbuf_pool()));
    return NULL;
}

int nic_resume(struct port **ports_r, unsigned int max)
{
    unsigned int nr;
    struct nic *nics = nics_all(&nr);

    for (unsigned int i = 0; i < nr && i < max; i++) {
        nics[i].port.bridge = NULL;
        nics[i].port.bridge_index = 0;
        nics[i].port.is_plugged = false;
        nics[i].port.nr_staged = 0;
        nics[i].is_armed = false;
        nic_link_resume(&nics[i]);
        nic_watch_forget(&nics[i]);
        nic_watch_begin(&nics[i]);
        ports_r[i] = &nics[i].port;
    }
    return (int)(nr < max ? nr : max);
}
