/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest transmit: the mbufs that a packet is copied into, and what their metadata must say. */
#ifndef VIF_TX_FRAME_H
#define VIF_TX_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "arch/x86/cpu.h"
#include "net/port.h"
#include "vif/tx_parse.h"
#include "vif/vif.h"
#include "xen/gnttab.h"

/*
 * Most copies of one packet: one ends at each end of a slot and of an mbuf, and where an mbuf's
 * buffer, shorter than a page, crosses into the next page.
 */
#define TX_FRAME_SEGS_MAX 48
#define TX_FRAME_OPS_MAX (TX_SLOTS_MAX + 2 * TX_FRAME_SEGS_MAX)

/* Mbufs that were taken from the pool at once, which costs less than one by one. They are the stock's until a frame has them. */
struct tx_stock {
    struct rte_mempool *pool;
    unsigned int nr;
    struct rte_mbuf *mbufs[PORT_BURST];
};

/* Have nr at hand, PORT_BURST at most, if the pool has as many; else, none. The stock is empty before. */
void tx_stock_fill(struct tx_stock *stock, unsigned int nr);

/* Give back those that are left. */
void tx_stock_return(struct tx_stock *stock);

/*
 * A chain with room for len bytes, lengths set, contents not. NULL when stock and pool are empty.
 *
 *   first, rest  bytes in the first mbuf and in each further one; VIF_MBUF_ROOM at most
 */
struct rte_mbuf *tx_frame_alloc(struct tx_stock *stock, uint32_t len, uint16_t first,
                                uint16_t rest);

/*
 * Should a frame to be cut lie in memory as its pieces, one in each mbuf, with room for headers in front
 * (net/segment.h)? Only if there are not too many of them, and each fits into an mbuf.
 *
 *   headers  bytes that its headers are expected to have
 */
bool tx_frame_lies_as_pieces(uint32_t len, uint16_t headers, uint16_t gso_size);

/*
 * The copies that fill the chain from the packet's slots. What lies in mapped pages is copied at once.
 *
 *   ops  room for TX_FRAME_OPS_MAX
 *
 * Returns the number of those left to do.
 */
unsigned int tx_frame_ops(struct rte_mbuf *frame, const struct tx_packet *packet, domid_t guest,
                          gnttab_copy_t *ops);

/*
 * Set the metadata that net/port.h asks for, from the copied headers. What lies behind a packet with a
 * blank checksum is cut off. A frame to be cut is TCP over IPv4, or over IPv6 (gso_v6) without
 * extension headers.
 * Returns 0, or -EPROTO when the headers do not allow what the guest asks for.
 */
int tx_frame_describe(struct rte_mbuf *frame, bool csum_blank, bool data_validated,
                      uint16_t gso_size, bool gso_v6) __must_check;

#endif
