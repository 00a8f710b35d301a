/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP and UDP checksums of frames whose metadata is as net/port.h says.
 */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include <stdbool.h>

#include <rte_mbuf.h>

/* Flags that say what is unfinished about a frame. */
#define CHECKSUM_UNFINISHED                                                                        \
    (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6)

/* Does the L4 checksum field hold the pseudo-header sum only? */
static inline bool checksum_is_unfinished(const struct rte_mbuf *frame)
{
    return (frame->ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0;
}

/*
 * The ones' complement sum, not complemented, of everything from offset to the end of a frame, bytes
 * paired from offset on; 0xffff where a right checksum is part of it. Source: RFC 1071.
 */
uint16_t checksum_sum_from(const struct rte_mbuf *frame, uint32_t offset);

/*
 * Finish the L4 checksum of a frame and clear the flags that asked for it.
 *
 *   frame  with _TCP_CKSUM or _UDP_CKSUM, l2_len and l3_len; its first segment
 *          is ours alone (reference count one, own buffer)
 *
 * Returns 0, or -EINVAL and an unchanged frame if the checksum field is not in
 * the first segment or the protocol is another.
 * Source: RFC 1071; RFC 768 (a UDP checksum that comes out as 0 is sent as
 * 0xffff); netif.h, NETTXF_csum_blank.
 */
int checksum_finish(struct rte_mbuf *frame);

#endif
