/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting a frame that stands for several (RTE_MBUF_F_TX_TCP_SEG, see
 * net/port.h) into frames that fit a wire.
 */
#ifndef NET_SEGMENT_H
#define NET_SEGMENT_H

#include <stdint.h>

#include <rte_mbuf.h>

/*
 * Cut a TCP frame over IPv4 or IPv6.
 *
 *   frame   with _TCP_SEG, _IPV4 or _IPV6, tso_segsz; may be shared, is not changed and stays the
 *           caller's; it may have tags, and is parsed (net/frame.h) if it was not
 *   pool    for the pieces; a buffer holds the headers at least
 *   pieces  the frames made, in order, parsed; the caller's. They may refer to the
 *           frame's buffers (which then live as long as the pieces), have more
 *           than one segment, and their TCP checksum is unfinished.
 *   max     room in pieces, frames
 *
 * Returns the number of pieces, 1 at least, or, having made none:
 *   -EINVAL  the headers are not what the flags say, not in the first segment,
 *            fragmented, or IPv6 has extension headers
 *   -E2BIG   more than max pieces
 *   -ENOMEM  the pool is empty
 *
 * IPv4 is cut by librte_gso, without copying the payload; IPv6, which that
 * library cannot cut (22.11), by copying. Either way the headers are ours:
 * FIN and PSH only on the last piece, CWR only on the first (RFC 3168, 6.1.2),
 * IPv4 identification counting up.
 */
int segment_frame(struct rte_mbuf *frame, struct rte_mempool *pool, struct rte_mbuf **pieces,
                  uint16_t max);

/*
 * The same for a frame that lies in memory as its pieces: headers and tso_segsz bytes in the first segment,
 * tso_segsz (the last may have less) in each further one, each nobody else's and with room for the headers
 * in front. Nothing but headers is copied, and no mbuf is needed.
 *
 * Returns the number of pieces, of one segment each, whose memory is the frame's, which is gone; or 0, and
 * nothing has changed: it does not lie so, or segment_frame() would refuse it.
 */
int segment_in_place(struct rte_mbuf *frame, struct rte_mbuf **pieces, uint16_t max);

#endif
