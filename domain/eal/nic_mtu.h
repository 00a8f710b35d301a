/* SPDX-License-Identifier: BSD-2-Clause */
/* How long the packets of a NIC may be. Pure: from what its driver says of it. */
#ifndef EAL_NIC_MTU_H
#define EAL_NIC_MTU_H

#include <stdint.h>

#include <rte_ethdev.h>

/*
 * The largest MTU that a NIC can have here, bytes. A VLAN tag comes on top.
 *
 *   info   of rte_eth_dev_info_get()
 *   why_r  in which words it is no more, with a blank or punctuation in front; "": it is all that the driver has
 *
 * More than 1500 only of what receives and transmits frames as chains of mbufs, since one does not hold
 * them, and tells how long they may be.
 * Source: rte_ethdev.h, struct rte_eth_dev_info; rte_ethdev.c, eth_dev_validate_mtu().
 */
uint16_t nic_mtu_max(const struct rte_eth_dev_info *info, const char **why_r);

#endif
