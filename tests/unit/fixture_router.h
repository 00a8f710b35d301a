/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bridge with a wire and a router, and guests behind it, for tests of domain/net/router*.c.
 *
 *     wire, 192.0.2.0/24 and 2001:db8::/64 --- router 192.0.2.1, 2001:db8::1
 *       gateway 192.0.2.254, fe80::fe            |- guest 0, routed: 192.0.2.10, 2001:db8::10
 *                                                |- guest 1, routed: 198.51.100.0/24, 2001:db8:1::/64
 *                                                '- guest 2, NAT: 10.0.1.1, the router is 10.0.1.128
 */
#ifndef FIXTURE_ROUTER_H
#define FIXTURE_ROUTER_H

#include <rte_ip.h>

#include "fixture_net.h"
#include "net/address.h"
#include "net/bridge.h"
#include "net/router.h"

#define GUESTS 3
#define SECOND 1000000000ull

struct lab {
    struct fake_port wire, guests[GUESTS];
    struct bridge *bridge;
    struct router *router;
    struct router_addresses addresses;
    struct router_vif_config configs[GUESTS];
    uint64_t now;
};

extern struct lab lab;

/* Per-test set-up, after fixture_start(): all of the above; nothing is to be announced any more. */
int lab_start(void **state);

/* The same with a pool for the router that is empty from now on; lab_end() fills it again. */
int lab_start_poor(void **state);

/* Per-test end: fails if buffers are in use. */
int lab_end(void **state);

#define ROUTER_WIRE_MAC station(100)
#define GATEWAY_MAC station(254)
#define HOST_MAC station(5) /* of 192.0.2.5 and 2001:db8::5 */
#define GUEST_MAC(n) station(10 + (n))

rte_be32_t ip4(const char *text);
struct address ip6(const char *text);

/* What an IPv4 or IPv6 packet is to be; what is not set is 0, or as a usual packet has it. */
struct packet_spec {
    const char *src, *dst;
    uint8_t protocol; /* UDP unless set */
    uint8_t ttl; /* 64 unless set */
    uint16_t fragment; /* flags and offset of IPv4 */
    uint16_t sport, dport;
    uint32_t payload; /* bytes behind the UDP header, or of all that is behind the IP header */
    const void *l4; /* NULL: made */
    const void *options; /* of IPv4 */
    uint32_t options_len;
};

/* A frame with this packet, all checksums finished, from a station to another. */
struct rte_mbuf *packet_make(struct rte_ether_addr to, struct rte_ether_addr from,
                             const struct packet_spec *spec);

/* Hand a frame in, from the wire or from a guest, and let the turn end. */
void wire_sends(struct rte_mbuf *frame);
void guest_sends(unsigned int guest, struct rte_mbuf *frame);

/* The same with a packet to the router's MAC. */
void wire_sends_packet(const struct packet_spec *spec);
void guest_sends_packet(unsigned int guest, const struct packet_spec *spec);

/* Time goes on by so much, and the loop turns. */
void pass(uint64_t ns);

/* The stations on the wire tell the router where they are, as if it had asked: host and gateway. */
void neighbours_answer(void);

/* The last frame a port was given; the test fails if there are not exactly nr. */
struct rte_mbuf *the_last(struct fake_port *fake, unsigned int nr);

/* Forget what was sent so far. */
void forget_sent(void);

/* Headers of an untagged frame. */
static inline struct rte_ether_hdr *ether_of(struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod(frame, struct rte_ether_hdr *);
}

static inline struct rte_ipv4_hdr *ip4_of(struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod_offset(frame, struct rte_ipv4_hdr *, 14);
}

static inline struct rte_ipv6_hdr *ip6_of(struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod_offset(frame, struct rte_ipv6_hdr *, 14);
}

/* Is it an ICMP or ICMPv6 error of this type, code and word, with right checksums, from and to these? */
bool is_error(struct rte_mbuf *frame, const char *from, const char *to, uint8_t type, uint8_t code,
              uint32_t word);

/* Are both checksums of an IPv4 packet, or the ICMPv6 or UDP one of an IPv6 packet, right? */
bool is_valid(const struct rte_mbuf *frame);

#define assert_mac(mac, want)                                                                      \
    do {                                                                                           \
        struct rte_ether_addr is_ = (mac), want_ = (want);                                         \
        assert_memory_equal(&is_, &want_, sizeof(is_));                                            \
    } while (0)

#endif
