/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way out through a port: length, form, and gathering into bursts.
 *
 * What a port does not take (tx_caps) is turned into what it takes: checksums
 * are finished, frames for several are cut, chains are copied into one buffer.
 * A frame that others hold too is copied before it is written to.
 */
#ifndef NET_EGRESS_H
#define NET_EGRESS_H

#include "net/port.h"

/*
 * Set the pool for copies and pieces; once, before all else. Its buffers should
 * hold the longest frame of the ports without PORT_TX_MULTI_SEG.
 */
void egress_init(struct rte_mempool *pool);

/*
 * Send one frame through a port, in this turn of the loop.
 *
 *   port   in a bridge
 *   frame  passes to the port; may be shared with others
 *
 * Dropped and counted (stats.tx_drops): frames for a port that is down, that
 * are longer than its MTU allows (14 bytes of header and 4 of a VLAN tag come
 * on top; a frame for several is judged by its pieces, or not at all if the
 * port takes it whole), that cannot be brought into a form the port takes, and
 * those that find the pool empty. A frame for several counts as one.
 *
 * Calls tx_burst when PORT_BURST frames are gathered.
 */
void egress_put(struct port *port, struct rte_mbuf *frame);

/* Send what is gathered, and let the port finish its turn. */
void egress_flush(struct port *port);

/* Free what is gathered, for a port that goes away; counted as dropped. */
void egress_discard(struct port *port);

#endif
