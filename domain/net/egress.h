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

/* Ports that may be open for output at a time: all vifs, NICs and routers, and some. */
#define EGRESS_PORTS_MAX 192

/*
 * Start with no ports; once, before all else.
 *
 *   pool  for copies and pieces. Its buffers should hold the longest frame of the ports without
 *         PORT_TX_MULTI_SEG.
 */
void egress_init(struct rte_mempool *pool);

/* Where it notes what became of frames. */
struct port_notes *egress_notes(void);

/*
 * Open a port for output. It stays the caller's and must stay where it is until egress_unplug(); if
 * that is called from within one of its own operations, until the turn of the loop has ended.
 *
 * Returns 0, also if it is open already, or -ENOSPC (EGRESS_PORTS_MAX).
 */
int egress_plug(struct port *port) __attribute__((warn_unused_result));

/*
 * Close it: what is gathered for it is freed and counted (stats.tx_drops). Nothing happens if it is
 * not open. May be called from within tx_burst and flush.
 */
void egress_unplug(struct port *port);

/*
 * Send one frame through a port, in this turn of the loop.
 *
 *   frame  passes to the port; may be shared with others
 *
 * Dropped and counted (stats.tx_drops): frames for a port that is down or not open, that are longer
 * than its MTU allows (14 bytes of header and 4 of a VLAN tag come on top; a frame for several is judged
 * by its pieces, or not at all if the port takes it whole), that cannot be brought into a form the port
 * takes, and those that find the pool empty. A frame for several counts as one.
 *
 * Calls tx_burst when PORT_BURST frames are gathered. Whoever sends on from within tx_burst has copied
 * the array of frames before, and takes frames for several whole (all of PORT_TX_*): while one is cut
 * no other can be.
 */
void egress_put(struct port *port, struct rte_mbuf *frame);

/*
 * A frame as one whose first segment may be written to, with room for so many bytes in front: itself, or
 * a copy that takes its place. NULL: no memory, and the frame stays the caller's.
 */
struct rte_mbuf *egress_own(struct rte_mbuf *frame, uint16_t headroom);

/*
 * Send what is gathered, and let the ports finish their turn: each that was given frames since, and
 * those that are given some meanwhile, as by a router. Ports that keep each other busy without end wait
 * for the next turn.
 */
void egress_flush_all(void);

/* Somebody looks on at what leaves a port; NULL: nobody does. The frames stay as they are, and the port's. */
extern void (*egress_tap)(const struct port *port, struct rte_mbuf *const *frames, uint16_t nr);

#endif
