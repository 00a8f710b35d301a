/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/nic_mtu.h"

#include <rte_common.h>
#include <rte_ether.h>

#define OVERHEAD (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN + RTE_ETHER_CRC_LEN)

/* Drivers that name no MTU name the longest frame, of which they do not all count the tag in. */
static uint16_t driver_max(const struct rte_eth_dev_info *info)
{
    uint32_t most = info->max_mtu;

    if (info->max_mtu == UINT16_MAX)
        most = info->max_rx_pktlen > OVERHEAD ? info->max_rx_pktlen - OVERHEAD : 0;
    return (uint16_t)RTE_MIN(most, (uint32_t)UINT16_MAX);
}

uint16_t nic_mtu_max(const struct rte_eth_dev_info *info, const char **why_r)
{
    uint16_t most = driver_max(info);

    *why_r = "";
    if (most > RTE_ETHER_MTU && !(info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER))
        *why_r = ": it does not receive a frame in several buffers";
    else if (most > RTE_ETHER_MTU && !(info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
        *why_r = ": it does not transmit a frame from several buffers";
    else if (most < RTE_ETHER_MTU && info->max_mtu == UINT16_MAX)
        return RTE_ETHER_MTU; /* a frame of 1518 bytes: without long ones, that is all that there is */
    else
        return most;
    return RTE_ETHER_MTU;
}
