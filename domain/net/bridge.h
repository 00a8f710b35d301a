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
 * Every frame is in a VLAN of the bridge (IEEE 802.1Q), and each VLAN has stations
 * of its own. A port without VLANs (port->vlans) carries all of them, as Open
 * vSwitch's ports do: what has no tag is in VLAN 0, what has one in its VLAN, and
 * so frames leave, untouched. On other ports untagged frames, and those with a
 * priority alone, are in the port's VLAN; frames of VLANs that the port does not
 * carry stay out, and leave nowhere. A tag is put on, changed or taken away where
 * a frame leaves; a priority is kept where there is a tag in front of it and
 * behind. Only tags of TPID 0x8100 count: service tags are payload.
 *
 * Times are nanoseconds of a clock that does not go backwards.
 */
#ifndef NET_BRIDGE_H
#define NET_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <ferry/stats.h>

#include "net/fdb.h"
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

/* What became of the frames that came in through its ports: each is counted once. */
struct bridge_stats {
    uint64_t nr_forwarded, nr_flooded;
    uint64_t drops[FERRY_BRIDGE_DROPS];
    /* The bytes of these frames, as long as they came in. */
    uint64_t forwarded_bytes, flooded_bytes;
    uint64_t drop_bytes[FERRY_BRIDGE_DROPS];
};

/* The bridge that was made as the index-th. The strings and counters stay the bridge's. */
struct bridge_info {
    const char *name;
    unsigned int nr_ports, nr_stations;
    const struct bridge_stats *stats;
};

/* Returns whether there is one. */
bool bridge_info(unsigned int index, struct bridge_info *info_r);

/* The stations behind a port (fdb_stations()); their VLAN is the low 12 bits of domain, 0 where the bridge has none. None of a port in
 * no bridge. */
unsigned int bridge_stations(const struct port *port, struct fdb_station *stations_r,
                             unsigned int max, uint64_t now, unsigned int *nr_known_r);

/*
 * Which frames to 01:80:C2:00:00:0n are forwarded, all of them otherwise being for
 * the bridge alone (IEEE 802.1Q-2018, table 8-1): bit n of mask. Those to ...:00
 * (the spanning tree's, which is not done here) always are.
 *
 * Returns 0, or -EINVAL: bit 1 (PAUSE) stays on its link.
 * Source: Linux, group_fwd_mask of ip-link(8), "bridge".
 */
int bridge_group_fwd_mask_set(struct bridge *bridge, uint16_t mask)
    __attribute__((warn_unused_result));

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
 * Pin a station to a port, until the port is removed: it is known there for ever,
 * and frames that come from it elsewhere in the VLAN are dropped.
 *
 *   vid  0 to 4095; 0 is the VLAN of ports without VLANs
 *
 * Returns 0, also if it is pinned there already; -EINVAL (in no bridge, or no
 * station's address), -EEXIST (pinned to another port) or -ENOSPC (FDB_PINS_MAX of
 * one port, or the table is all promised).
 */
int bridge_station_pin(struct port *port, uint16_t vid, const struct rte_ether_addr *mac)
    __attribute__((warn_unused_result));

/*
 * Forward frames that came in through a port.
 *
 *   port    if it is in no bridge the frames are dropped (stats.rx_errors)
 *   frames  nr of them; all pass to the bridge. The headers that a frame's
 *           metadata describes lie in its first segment. What they contain is
 *           not trusted.
 *   now     ns
 *
 * Dropped, and counted in stats of that port where a counter is named:
 *   rx_errors          under 14 bytes, or 18 with a tag; from a group's address or nobody's
 *   rx_drops_vlan      of a VLAN that the port, or the station's port, does not carry
 *   rx_drops_policy    by port->filter; tx_drops_policy of the port that one was for
 *   rx_drops_pinned    from a station that is pinned elsewhere
 *   rx_drops_storm     to be flooded, above port->storm_limit a second; a quarter of a second's worth
 *                      may come at once, and a frame for several counts as one
 *   rx_drops_isolated  from an isolated port to a station behind another
 *   -                  to 01:80:C2:00:00:0n: bridge_group_fwd_mask_set(); to a station that is
 *                      behind the port it came from; these too are in struct bridge_stats
 *
 * Filters see each frame on its own, as NEW. Frames leave as net/egress.h says,
 * most of them not before bridge_flush().
 */
void bridge_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now);

/* The end of a turn: egress_flush_all(). */
void bridge_flush(void);

#endif
