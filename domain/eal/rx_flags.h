/* SPDX-License-Identifier: BSD-2-Clause */
/* What a driver says of a received frame's checksums and VLAN tag, as net/port.h has it. */
#ifndef EAL_RX_FLAGS_H
#define EAL_RX_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/*
 * The frame's flags for a port: RTE_MBUF_F_RX_L4_CKSUM_GOOD and _IP_CKSUM_GOOD where they hold,
 * RTE_MBUF_F_TX_VLAN for a tag that was taken off, the flags of an unfinished checksum (with l2_len and
 * l3_len in the frame) for one that comes from a machine beside us and was never on a wire, those of a frame for
 * several (with tso_segsz) if the driver received it so and it can be cut, and no other. The frame is the caller's
 * alone, and not parsed.
 *
 *   bad_only  the driver has the hardware check, and reports only what it found bad: silence about
 *             a frame that the hardware surely checks is good news. Surely: IPv4 with a whole TCP or
 *             UDP packet in it, no fragment, and no tag but one that the hardware took off.
 *
 * Source: Intel 82574 datasheet, 7.1.10 "Receive packet checksum offloading"; virtio 1.2, 5.1.6.4
 * "Processing of Incoming Packets", VIRTIO_NET_HDR_F_NEEDS_CSUM, which DPDK's driver tells as
 * RTE_MBUF_F_RX_L4_CKSUM_NONE.
 */
uint64_t rx_flags(struct rte_mbuf *frame, bool bad_only);

#endif
