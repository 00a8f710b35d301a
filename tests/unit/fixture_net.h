/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and ports for tests of domain/net, on DPDK's real mbufs and mempools. */
#ifndef FIXTURE_NET_H
#define FIXTURE_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/port.h"

#define FIXTURE_KEPT 1024 /* frames that a fake port keeps */
#define FIXTURE_BUFFERS 2048 /* in the pool */

/* A port that keeps what it is given. */
struct fake_port {
    struct port port;
    struct rte_mbuf *kept[FIXTURE_KEPT];
    unsigned int nr_kept, nr_bursts, nr_flushes;
    struct port *remove_in_burst; /* unplugged when tx_burst is called, as a closing vif is */
};

/* Group set-up: start DPDK without huge pages, make the pool. */
int fixture_start(void **state);

/* The pool; buffers of 2048 bytes and a headroom. */
struct rte_mempool *fixture_pool(void);

/* A smaller one, to run out of; made at the first call. */
struct rte_mempool *fixture_tiny_pool(void);

/* How many buffers of the pool are in use: 0 at the end of each test. */
unsigned int fixture_in_use(void);

/* All frames a fake port takes, an MTU of 1500, up, nothing kept. */
void fake_port_init(struct fake_port *fake, const char *name, uint32_t tx_caps);

/* Free what it kept. */
void fake_port_empty(struct fake_port *fake);

/* The same with several. */
void fake_ports_empty(struct fake_port *fakes, unsigned int nr);

/* Test teardown: empty the ports, take them out of their bridge. Returns fixture_in_use(). */
int fake_ports_end(struct fake_port *fakes, unsigned int nr);

/* One frame into its port's bridge, and the end of the turn. now: ns */
void fake_port_input(struct fake_port *fake, struct rte_mbuf *frame, uint64_t now);

/* A station's address: 02:00:00:00:hi:lo, never a group's. */
struct rte_ether_addr station(unsigned int n);

/* A frame of len bytes between stations; its payload counts up. */
struct rte_mbuf *frame_make(struct rte_ether_addr dst, struct rte_ether_addr src, uint32_t len);

/* The same, cut into segments of chunk bytes each. The frame passes in. */
struct rte_mbuf *frame_chop(struct rte_mbuf *frame, uint32_t chunk);

/*
 * A TCP or UDP frame with its headers, payload bytes and an unfinished checksum,
 * flagged as net/port.h says. The first segment has the headers and what fits.
 *
 *   segsz  0, or what tso_segsz is to be (TCP only)
 */
struct rte_mbuf *frame_make_l4(bool v6, uint8_t protocol, uint32_t payload, uint16_t segsz);

/* Put a tag of a TPID (0x8100, 0x88a8) and a TCI in front; metadata that says where headers are is put right. */
struct rte_mbuf *frame_tag(struct rte_mbuf *frame, uint16_t tpid, uint16_t tci);

/* Lay the tag in front of a frame beside it, as a NIC that takes tags off does. */
struct rte_mbuf *frame_tag_aside(struct rte_mbuf *frame);

/* Are the lengths, and the IPv4 and the L4 checksum, of a whole frame right? There may be tags. */
bool frame_is_valid_l4(const struct rte_mbuf *frame);

/* Copy a frame's bytes out as a wire has them: with a tag beside it in its place. Returns their number, at most size. */
uint32_t frame_bytes(const struct rte_mbuf *frame, uint8_t *bytes, uint32_t size);

#endif
