/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port: one end that frames come from and go to. NICs and vifs meet here.
 *
 * A frame is an rte_mbuf chain whose metadata means the same on every port:
 *
 *   RTE_MBUF_F_TX_TCP_CKSUM or _UDP_CKSUM, with RTE_MBUF_F_TX_IPV4 or _IPV6 and
 *   l2_len, l3_len (l4_len too for TCP): the L4 checksum field holds the
 *   pseudo-header sum only; whoever puts the frame on a wire finishes it.
 *
 *   RTE_MBUF_F_TX_TCP_SEG with tso_segsz (bytes of TCP payload): besides, the
 *   frame stands for several (PORT_SEGMENTS_MAX at most) and must be cut before it reaches a wire.
 *
 *   RTE_MBUF_F_TX_VLAN with vlan_tci: the outer VLAN tag lies beside the frame (net/tag.h).
 *
 *   RTE_MBUF_F_RX_L4_CKSUM_GOOD: the checksum was verified by the sender's port.
 *
 * A port that needs a frame in another form makes a copy when the frame's
 * reference count is above one: a flooded frame is shared by its ports.
 *
 * Nothing here blocks and nothing allocates but mbufs.
 */
#ifndef NET_PORT_H
#define NET_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

/* The most frames handed over in one call. */
#define PORT_BURST 32

/*
 * The most pieces that one frame may make: a 64 KB frame in pieces of 88 bytes, Linux' least maximum
 * segment size, or a shorter one in smaller pieces. It bounds the work that a guest gets for one frame.
 */
#define PORT_SEGMENTS_MAX 768

#define PORT_NAME_SIZE 32

/* Forms of frame that a port takes in tx_burst (others are never given to it). */
#define PORT_TX_CSUM_V4 (1u << 0) /* unfinished TCP/UDP checksum over IPv4 */
#define PORT_TX_CSUM_V6 (1u << 1) /* the same over IPv6 */
#define PORT_TX_TSO_V4 (1u << 2) /* TCP_SEG over IPv4 */
#define PORT_TX_TSO_V6 (1u << 3) /* TCP_SEG over IPv6 */
#define PORT_TX_TSO (PORT_TX_TSO_V4 | PORT_TX_TSO_V6)
#define PORT_TX_MULTI_SEG (1u << 4) /* chains of more than one segment */
#define PORT_TX_TAGGED                                                                             \
    (1u << 5) /* the first four behind VLAN tags in the frame too: not so Linux's netfront */
#define PORT_TX_VLAN (1u << 6) /* a VLAN tag beside the frame */

struct bridge;
struct filter;
struct port;
struct router_vif;
struct vlan_set;

struct port_stats {
    uint64_t rx_frames, rx_bytes; /* came in through this port */
    uint64_t tx_frames, tx_bytes; /* left through this port */
    uint64_t rx_errors; /* came in unusable */
    uint64_t tx_drops; /* could not leave: peer full, too long, no memory */
    /* By net/bridge.h, which says more: */
    uint64_t rx_drops_vlan, rx_drops_storm, rx_drops_pinned, rx_drops_isolated;
    uint64_t rx_drops_policy, tx_drops_policy; /* by the port's filter */
};

/* A limit of so many bytes in each interval; bytes is 0 where there is none. */
struct port_rate {
    uint64_t bytes;
    uint32_t interval_us;
};

struct port_ops {
    /*
     * Take up to nr frames (nr <= PORT_BURST) that came in on this port.
     * Returns the number written to frames; the caller owns them.
     */
    uint16_t (*rx_burst)(struct port *port, struct rte_mbuf **frames, uint16_t nr);

    /*
     * Send nr frames (nr <= PORT_BURST). Ownership of all of them passes to the
     * port, which frees and counts (stats.tx_drops) what it cannot send.
     */
    void (*tx_burst)(struct port *port, struct rte_mbuf **frames, uint16_t nr);

    /*
     * Finish what tx_burst may have gathered in this turn of the loop (grant
     * copies, a doorbell). NULL where there is nothing to finish.
     */
    void (*flush)(struct port *port);

    /*
     * Ask to be woken by an event when rx_burst would return frames (or when
     * queued output can go on), then look once more.
     * Returns true if there is work already: the loop must not sleep.
     */
    bool (*arm)(struct port *port);
};

/* What became of frames on their way out (net/egress.h), for the port that they came in through. */
struct port_notes {
    uint64_t nr_cut; /* frames for several that were cut in software, ever */
    const struct port *
        full; /* of unicast frames: the last that found its port full; whoever cares sets it to NULL */
};

struct port {
    const struct port_ops *ops;
    char name[PORT_NAME_SIZE]; /* for log lines: "nic0", "vif3.0" */
    struct rte_ether_addr mac; /* of the NIC, or of the guest's interface */
    uint16_t mtu; /* longest L3 packet, bytes; frame length is mtu + 14 (+ 4 with a VLAN tag) */
    uint32_t tx_caps; /* PORT_TX_* */
    uint16_t
        tx_segments_max; /* of a chain that hardware is to cut; 0: PORT_TX_TSO_* is no hardware's */
    bool up; /* link or carrier; frames for a port that is down are dropped and counted */
    bool is_full; /* it takes frames yet, but soon none: who sends to it should rest a little */
    uint32_t speed; /* of a NIC's link that is up, Mb/s; 0: not known */
    struct port_stats stats;

    /* Policy; set by the port's owner before it is plugged in, whose memory it stays. */
    const struct vlan_set *vlans; /* ferry/vlan.h; NULL: frames of all VLANs, tagged as they come */
    struct filter *filter; /* net/filter.h; NULL: everything may pass */
    bool isolated; /* exchanges no frames with other isolated ports of its bridge */
    bool
        finish_checksums; /* frames that leave through it have finished checksums and are not for several */
    uint16_t mtu_usual; /* of a vif there that asks for none; 0: 1500 */
    uint32_t storm_limit; /* flooded frames that may come in through it a second; 0: no limit */
    struct port_rate rx_rate, tx_rate; /* of what comes in and what leaves; vifs keep to it */

    /* Owned by the bridge that the port is in, or by the router. */
    struct bridge *bridge; /* NULL while in none */
    struct router_vif *router; /* NULL while behind none */
    uint8_t bridge_index;

    /* Owned by net/egress.h. */
    bool is_plugged; /* frames may be staged */
    bool is_dirty; /* given frames in this turn */
    uint8_t egress_index; /* its place among those that are open */
    uint16_t nr_staged; /* frames gathered for tx_burst in this turn */
    struct rte_mbuf *staged[PORT_BURST];
};

#endif
