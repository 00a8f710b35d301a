/* SPDX-License-Identifier: BSD-2-Clause */
/* What a driver says of a received frame's checksums and VLAN tag, as net/port.h has it. */
#ifndef EAL_RX_FLAGS_H
#define EAL_RX_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/*
 * The frame's flags for a port: RTE_MBUF_F_RX_L4_CKSUM_GOOD and _IP_CKSUM_GOOD where they hold,
 * RTE_MBUF_F_TX_VLAN for a tag that was taken off, and no other.
 *
 *   bad_only  the driver has the hardware check, and reports only what it found bad: silence about
 *             a frame that the hardware surely checks is good news. Surely: IPv4 with a whole TCP or
 *             UDP packet in it, no fragment, and no tag but one that the hardware took off.
 *
 * Source: Intel 82574 datasheet, 7.1.10 "Receive packet checksum offloading".
 */
uint64_t rx_flags(const struct rte_mbuf *frame, bool bad_only);

#endif
