/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merging what a NIC received: TCP segments that follow each other become one
 * frame that stands for them (RTE_MBUF_F_TX_TCP_SEG, see net/port.h), so that a
 * guest takes one long frame instead of forty short ones.
 *
 * What is merged can be cut again (net/segment.h) into the very frames that
 * came in (but for the identification of IPv4 packets with DF, which means
 * nothing), so a port that takes no such frames loses nothing.
 *
 * Ours, not librte_gro: docs/decisions/0005-where-dpdks-packet-libraries-do-not-do.md.
 */
#ifndef NET_GRO_H
#define NET_GRO_H

#include <stdint.h>

#include <rte_mbuf.h>

/* The most mbufs of a merged frame: one of full segments of 1500 bytes, an mbuf each, has no more. */
#define GRO_SEGMENTS_MAX 48

/*
 * Merge within what a NIC had in one turn of the loop.
 *
 *   frames  nr of them; the array is compacted in place.
 *           Nothing was noted of them before (net/frame.h) that is not so.
 *
 * Merged are TCP segments over IPv4 and IPv6, untagged or inside one VLAN tag,
 * whose checksums the NIC found right (or we, over IPv6, where it says nothing), or left out
 * (eal/rx_flags.h), without IP options or extension headers,
 * with ACK and at most PSH set, in one mbuf or in several (frames longer than one), and which differ only in sequence, length and
 * checksum (and IPv4 identification). No connection's segments change order. All else is passed
 * on untouched, in its place.
 *
 * Returns the number of frames left. The segments merged into a frame belong to
 * it as its chain; its IP header is finished, its TCP checksum is the
 * pseudo-header sum.
 */
uint16_t gro_merge(struct rte_mbuf **frames, uint16_t nr);

#endif
