/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Learning bridges between ports: IEEE 802.1D without the spanning tree.
 *
 * A turn of the loop hands in what came in, then flushes once:
 *
 *     bridge_input(port, frames, n, now);      for each port with frames
 *     bridge_flush();
 *
 * A frame to a known station goes to its port only; any other goes to all
 * ports but the one it came in through, shared, not copied: its reference
 * count says how many ports hold it, so a port must not write to it (and a NIC
 * must not be set up with MBUF_FAST_FREE).
 *
 * Times are nanoseconds of a clock that does not go backwards.
 */
#ifndef NET_BRIDGE_H
#define NET_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/port.h"

#define BRIDGE_MAX 16
#define BRIDGE_PORTS_MAX 64 /* in one bridge */
#define BRIDGE_NAME_SIZE 16 /* as of a Linux interface, with the NUL */

/* Stations that one port may have in the table; see net/fdb.h. */
#define BRIDGE_STATIONS_GUEST 192
#define BRIDGE_STATIONS_UPLINK 768

/*
 * Start with no bridges. Once, before all else.
 *
 *   pool  for copies of shared frames and for pieces of long ones (net/egress.h)
 *   seed  random, unknown to guests
 */
void bridge_init(struct rte_mempool *pool, uint32_t seed);

/*
 * The same after a restart of the kernel, with a seed of its own: the stations
 * that ports had are known as soon as ports of these names are plugged into
 * bridges of these names again, so that hardly a frame is flooded. Returns how
 * many stations there are; those that memory damage has reached are not.
 */
unsigned int bridge_resume(struct rte_mempool *pool, uint32_t seed);

/* Forget stations not heard for this long; 300 s unless set. */
void bridge_ageing_set(uint64_t ageing_ns);

/*
 * Make a bridge without ports.
 *
 *   name      1 to 15 characters, unused so far; copied
 *   bridge_r  set on success only; lives for ever
 *
 * Returns 0, -EINVAL (name), -EEXIST or -ENOSPC (BRIDGE_MAX).
 */
int bridge_create(const char *name, struct bridge **bridge_r) __attribute__((warn_unused_result));

/* The bridge of that name, or NULL. Case counts. */
struct bridge *bridge_find(const char *name);

const char *bridge_name(const struct bridge *bridge);

/*
 * Plug a port in. It stays the caller's and must stay where it is until
 * bridge_port_remove(); if that is called from within one of its own
 * operations, until the turn of the loop has ended.
 *
 *   port    in no bridge; its name differs from others' in it
 *   uplink  a wire: gets the larger quota of stations
 *
 * Returns 0, -EBUSY (in a bridge), or -ENOSPC (no place in this bridge, no
 * stations left to promise, or EGRESS_PORTS_MAX).
 */
int bridge_port_add(struct bridge *bridge, struct port *port, bool uplink)
    __attribute__((warn_unused_result));

/*
 * Unplug a port: its stations are forgotten, frames gathered for it are freed.
 * Nothing happens if it is in no bridge. May be called from within tx_burst.
 */
void bridge_port_remove(struct port *port);

/*
 * Forget the stations behind a port, as after its link went down.
 * Nothing happens if it is in no bridge.
 */
void bridge_port_forget(struct port *port);

/* How many stations are known behind a port; 0 if it is in no bridge. */
unsigned int bridge_port_stations(const struct port *port);

/*
 * Forward frames that came in through a port.
 *
 *   port    if it is in no bridge the frames are dropped (stats.rx_errors)
 *   frames  nr of them; all pass to the bridge. The headers that a frame's
 *           metadata describes lie in its first segment. What they contain is
 *           not trusted.
 *   now     ns
 *
 * Dropped: frames under 14 bytes and frames from a group address or from
 * nobody (stats.rx_errors); frames to 01:80:C2:00:00:00-0F, which are for the
 * bridge alone (IEEE 802.1D-2004, table 7-10); frames whose station is behind
 * the port they came from. Frames leave as net/egress.h says, most of them not
 * before bridge_flush().
 */
void bridge_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now);

/* The end of a turn: egress_flush_all(). */
void bridge_flush(void);

#endif
