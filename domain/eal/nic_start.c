/* SPDX-License-Identifier: BSD-2-Clause */
/* From a probed device to one that carries frames. */
#include <errno.h>

#include <stdio.h>

#include <ethdev_driver.h>
#include <rte_ethdev.h>
#include <rte_memzone.h>

#include "eal/nic_internal.h"
#include "eal/pool.h"
#include "xen/clock.h"
#include "xen/log.h"
#include "xen/status.h"

#define DESCRIPTORS_MIN 64
#define DESCRIPTORS_MAX 512
#define POOL_SHARE 8 /* a ring holds at most one of so many mbufs of the pool */
#define LINK_POLL_NS 1000000000ull

#define RX_OFFLOADS                                                                                \
    (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM | \
     RTE_ETH_RX_OFFLOAD_VLAN_STRIP)
#define TX_L4_CKSUM (RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
#define TX_OFFLOADS                                                                                \
    (TX_L4_CKSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS |                 \
     RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_TCP_TSO)

/* The offload flags of IPv4 and IPv6 are one. */
static uint32_t port_caps(uint64_t offloads)
{
    uint32_t caps = 0;

    if ((offloads & TX_L4_CKSUM) == TX_L4_CKSUM)
        caps |= PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6 | PORT_TX_TAGGED; /* told where headers are */
    if (offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
        caps |= PORT_TX_MULTI_SEG;
    if (offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT)
        caps |= PORT_TX_VLAN;
    if ((offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) && (caps & PORT_TX_CSUM_V4))
        caps |= PORT_TX_TSO_V4 | PORT_TX_TSO_V6;
    return caps;
}

static void link_show(struct nic *nic)
{
    struct rte_eth_link link;
    int err;

    status_nic_enter();
    err = rte_eth_link_get_nowait(nic->id, &link);
    status_nic_leave();
    if (err != 0)
        return;
    nic->port.speed = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
    if (link.link_status == nic->port.up)
        return;
    nic->port.up = link.link_status;
    nic->full_since_ns = 0;
    if (!nic->port.up)
        log_info("%s: link down", nic->port.name);
    else if (!nic->port.speed)
        log_info("%s: link up", nic->port.name);
    else
        log_info("%s: link up, %u Mb/s, %s duplex", nic->port.name, nic->port.speed,
                 link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX ? "full" : "half");
}

static int link_event(uint16_t id, enum rte_eth_event_type event, void *ctx, void *ret)
{
    (void)id;
    (void)event;
    (void)ret;
    link_show(ctx);
    return 0;
}

static void link_poll(void *ctx)
{
    struct nic *nic = ctx;

    link_show(nic);
    nic_watch_second(nic);
    timer_arm(&nic->link_timer, clock_now() + LINK_POLL_NS, link_poll, nic);
}

static uint16_t descriptors(const struct nic *nic, const struct rte_eth_desc_lim *limit)
{
    unsigned int most = nic->quirk->descriptors_max ? nic->quirk->descriptors_max : DESCRIPTORS_MAX;
    unsigned int nr = mbuf_pool()->size / POOL_SHARE;

    if (nr > most)
        nr = most;
    if (nr < DESCRIPTORS_MIN)
        nr = DESCRIPTORS_MIN;
    return (uint16_t)RTE_ALIGN_FLOOR(nr, limit->nb_align ? limit->nb_align : 1);
}

static bool has_link_interrupt(const struct nic *nic, const struct rte_eth_dev_info *info)
{
    return (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0 && !nic->quirk->polls_link;
}

/*
 * Long frames come in pieces, for an mbuf has 2 KB; frames for several do, too, from a device that fills several
 * buffers with one. Without them nothing is asked that was not always asked.
 */
static uint64_t rx_offloads(const struct nic *nic, const struct rte_eth_dev_info *info)
{
    const uint64_t uncut = RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER;
    uint64_t offloads = info->rx_offload_capa & RX_OFFLOADS;

    if (nic->quirk->receives_uncut && (info->rx_offload_capa & uncut) == uncut)
        offloads |= uncut;
    return nic->mtu > RTE_ETHER_MTU ? offloads | RTE_ETH_RX_OFFLOAD_SCATTER : offloads;
}

static int configure(struct nic *nic, const struct rte_eth_dev_info *info, bool has_rx_interrupt)
{
    struct rte_eth_conf conf = {
        .rxmode.mtu = nic->mtu > RTE_ETHER_MTU ? nic->mtu : 0,
        .rxmode.offloads = rx_offloads(nic, info),
        .txmode.offloads = info->tx_offload_capa & TX_OFFLOADS,
        .intr_conf.lsc = has_link_interrupt(nic, info),
        .intr_conf.rxq = has_rx_interrupt,
    };

    nic->port.tx_caps = port_caps(conf.txmode.offloads);
    nic->sets_ip_sum = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    nic->polls_rx = !has_rx_interrupt;
    return rte_eth_dev_configure(nic->id, 1, 1, &conf);
}

/* format: the quirk's; NULL: not known. */
static const struct rte_memzone *ring_find(const struct nic *nic, const char *format)
{
    char name[RTE_MEMZONE_NAMESIZE];

    if (!format)
        return NULL;
    snprintf(name, sizeof(name), format, (unsigned int)nic->id);
    return rte_memzone_lookup(name);
}

/* A frame to be cut must leave room in the ring for others. */
static uint16_t tso_segments(const struct nic *nic, const struct rte_eth_desc_lim *limit)
{
    uint16_t most = nic->nr_tx / 2;

    return limit->nb_seg_max > 0 && limit->nb_seg_max < most ? limit->nb_seg_max : most;
}

static int queues_set(struct nic *nic, const struct rte_eth_dev_info *info)
{
    uint16_t nr_rx = descriptors(nic, &info->rx_desc_lim);
    uint16_t nr_tx = descriptors(nic, &info->tx_desc_lim);
    struct rte_eth_rxconf rx = info->default_rxconf;
    struct rte_eth_txconf tx = info->default_txconf;
    int err = rte_eth_dev_adjust_nb_rx_tx_desc(nic->id, &nr_rx, &nr_tx);

    rx.offloads = rx_offloads(nic, info);
    tx.offloads = info->tx_offload_capa & TX_OFFLOADS;
    if (err == 0)
        err = rte_eth_rx_queue_setup(nic->id, 0, nr_rx, 0, &rx, mbuf_pool());
    if (err == 0)
        err = rte_eth_tx_queue_setup(nic->id, 0, nr_tx, 0, &tx);
    nic->nr_rx = nr_rx;
    nic->nr_tx = nr_tx;
    nic->port.tx_segments_max = tso_segments(nic, &info->tx_desc_lim);
    nic->rx_ring = ring_find(nic, nic->quirk->rx_ring);
    nic->tx_ring = ring_find(nic, nic->quirk->tx_ring);
    return err;
}

/* Receive interrupts are asked for first: only the driver knows whether it has them. */
static int start_with(struct nic *nic, const struct rte_eth_dev_info *info, bool has_rx_interrupt)
{
    int err = configure(nic, info, has_rx_interrupt);

    if (err == 0)
        err = queues_set(nic, info);
    if (err == 0)
        err = rte_eth_dev_start(nic->id);
    return err;
}

static int link_follow(struct nic *nic, const struct rte_eth_dev_info *info)
{
    int err = 0;

    if (has_link_interrupt(nic, info))
        err = rte_eth_dev_callback_register(nic->id, RTE_ETH_EVENT_INTR_LSC, link_event, nic);
    else
        link_poll(nic);
    link_show(nic);
    return err;
}

void nic_link_resume(struct nic *nic)
{
    bool polls = nic->link_timer.fn != NULL;

    nic->link_timer = (struct timer){ 0 };
    if (polls)
        link_poll(nic);
    else
        link_show(nic);
}

static void offloads_show(const struct nic *nic)
{
    uint64_t rx = rte_eth_devices[nic->id].data->dev_conf.rxmode.offloads;

    log_info("%s: the hardware %s checksums, %s TCP, %s VLAN tags off and %s them on",
             nic->port.name, nic->port.tx_caps & PORT_TX_CSUM_V4 ? "finishes" : "does not finish",
             nic->port.tx_caps & PORT_TX_TSO_V4 ? "cuts" : "does not cut",
             rx & RTE_ETH_RX_OFFLOAD_VLAN_STRIP ? "takes" : "does not take",
             nic->port.tx_caps & PORT_TX_VLAN ? "puts" : "does not put");
    if (nic->mtu != 0)
        log_info("%s: MTU %u%s", nic->port.name, nic->port.mtu,
                 nic->mtu > RTE_ETHER_MTU ? ", longer frames come as chains" : "");
}

int nic_start(struct nic *nic, uint16_t mtu)
{
    struct rte_eth_dev_info info;
    int err = rte_eth_dev_info_get(nic->id, &info);

    nic->mtu = mtu;
    if (err != 0)
        return err;
    err = start_with(nic, &info, true);
    if (err != 0)
        err = start_with(nic, &info, false);
    if (err == 0 && (nic->polls_rx || rte_eth_dev_rx_intr_enable(nic->id, 0) != 0)) {
        log_warn("%s: its driver has no receive interrupts: this domain will never sleep",
                 nic->port.name);
        nic->polls_rx = true;
    }
    if (err == 0)
        err = rte_eth_promiscuous_enable(nic->id);
    if (err == 0)
        err = rte_eth_dev_get_mtu(nic->id, &nic->port.mtu);
    if (err == 0 && nic->port.mtu < mtu)
        err = -EMSGSIZE;
    if (err != 0)
        return err;
    if (mtu != 0)
        nic->port.mtu = mtu; /* a smaller one is kept to by us */
    if (nic->quirk->after_start)
        nic->quirk->after_start(nic->pci);
    offloads_show(nic);
    return link_follow(nic, &info);
}
