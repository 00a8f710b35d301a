/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests, an outside, and frames between them, for tests of domain/net/nat*.c. */
#ifndef FIXTURE_NAT_H
#define FIXTURE_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "net/nat.h"

#define SECOND 1000000000ull
#define START (1000 * SECOND)

#define OUTSIDE 1
#define OUR_ADDRESS 0xcb007101u /* 203.0.113.1 */
#define GUEST_ADDRESS(n) (0x0a000064u + (n)) /* 10.0.0.100 */
#define REMOTE 0xc6336407u /* 198.51.100.7 */
#define IDENTITY(n) (0xabcd0000u + (n))

#define SYN 2u
#define ACK 16u
#define RST 4u
#define FIN 1u

/* A packet, to be made or as it is read again. Addresses and ports in host byte order. */
struct spec {
    uint8_t protocol;
    uint32_t src, dst; /* IPv4 */
    uint16_t sport, dport;
    uint8_t flags; /* TCP */
    uint8_t type, code; /* ICMP; its id is sport */
    uint16_t payload; /* bytes */
    uint8_t ip_options; /* bytes, a multiple of 4 */
    bool dont_fragment, more_fragments;
    uint16_t offset, id; /* of a fragment, bytes; a later one has no L4 header */
    bool unfinished, no_checksum, wrong_checksum;
    uint16_t segsz; /* not 0: TCP_SEG */
    const struct spec *embedded; /* of an ICMP error */
    uint16_t embedded_bytes; /* that are kept of it; 0: all */
    bool v6; /* src and dst are the last 4 bytes of fd00:: addresses */
};

bool spec_is_same(const struct spec *a, const struct spec *b);

/* A packet that has left looks as it did inside, but for its source: OUR_ADDRESS and port. */
void assert_translated(const struct spec *was, const struct spec *is, uint16_t port);

/* Test set-up: NAT anew, with the guests 0 and 1 behind OUTSIDE. Tear-down: no mbuf is lost. */
int nat_fixture_start(void **state);
int nat_fixture_end(void **state);

struct rte_mbuf *spec_frame(const struct spec *spec);

/* The frame's headers; flags as spec_frame() takes them. wrong_checksum: any of them. */
struct spec spec_of(const struct rte_mbuf *frame);

/* Of the packet that an ICMP error has embedded; checksums as far as they can be told. */
struct spec spec_embedded(const struct rte_mbuf *frame);

/* Hand a packet in, fail unless the verdict is this, and return what has become of it. */
struct spec out(unsigned int guest, const struct spec *spec, enum nat_verdict verdict);
struct spec in(const struct spec *spec, enum nat_verdict verdict);

/* The same without an opinion; the frame is freed unless it was kept. spec_r, guest_r may be NULL. */
enum nat_verdict try_out(unsigned int guest, const struct spec *spec, struct spec *spec_r);
enum nat_verdict try_in(const struct spec *spec, struct spec *spec_r);

/* The time that frames are handed in at, and the guest of the last NAT_OK of in() or NAT_TURNED of out(). */
extern uint64_t now;
extern uint8_t last_guest;

/* What answers a packet: ends swapped. */
struct spec answer(const struct spec *spec);

struct spec udp_from(unsigned int guest, uint16_t sport, uint16_t dport);
struct spec tcp_from(unsigned int guest, uint16_t sport, uint16_t dport, uint8_t flags);
struct spec echo_from(unsigned int guest, uint16_t id);

#endif
