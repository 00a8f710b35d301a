/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames written header by header, also wrong ones, for tests that read frames and free none. A segment
 * ends where its memory does, so that ASan sees a look behind it.
 *
 *     struct bytes b = { 0 };
 *
 *     put_ether(&b, "02:00:00:00:00:02", "02:00:00:00:00:01", 0x0800);
 *     put_ip4(&b, "10.0.0.1", "10.0.0.2", IPPROTO_UDP);
 *     put_udp(&b, 68, 67);
 *     frame = bytes_frame(&b, 0);
 *     ...
 *     bytes_free(frame);
 */
#ifndef FIXTURE_BYTES_H
#define FIXTURE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define BYTES_MAX 4096
#define FRAGMENT_MORE 1 /* in put_fragment6() and ip4_fragment() */

struct bytes {
    uint8_t at[BYTES_MAX];
    uint32_t len;
    uint32_t ip_at; /* of the IP header whose length is filled in; 0: there is none */
};

void put(struct bytes *b, const void *bytes, uint32_t len);
void put8(struct bytes *b, uint8_t value);
void put16(struct bytes *b, uint16_t value); /* in network byte order */
void put32(struct bytes *b, uint32_t value);
void put_zeros(struct bytes *b, uint32_t nr);
void put_mac(struct bytes *b, const char *mac); /* "02:00:00:00:00:01" */
void put_addr(struct bytes *b, const char *addr); /* of either IP version */

void put_ether(struct bytes *b, const char *dst, const char *src, uint16_t type);

/* A VLAN tag behind an Ethernet header: the type in front of it becomes tpid. */
void put_tag(struct bytes *b, uint16_t tpid, uint16_t tci);

void put_arp(struct bytes *b, uint16_t op, const char *sha, const char *spa, const char *tpa);

void put_ip4(struct bytes *b, const char *src, const char *dst, uint8_t protocol);

/* The last put_ip4() is of a fragment, so many bytes into its packet. */
void ip4_fragment(struct bytes *b, uint16_t offset, unsigned int more);

void put_ip6(struct bytes *b, const char *src, const char *dst, uint8_t next, uint8_t hop_limit);

/* An extension header of 8 bytes times units. */
void put_ext6(struct bytes *b, uint8_t next, unsigned int units);
void put_fragment6(struct bytes *b, uint8_t next, uint16_t offset, unsigned int more);

void put_udp(struct bytes *b, uint16_t sport, uint16_t dport);
void put_tcp(struct bytes *b, uint16_t sport, uint16_t dport);

/* ICMP or ICMPv6: type, code 0, checksum 0, and 4 bytes of 0. */
void put_icmp(struct bytes *b, uint8_t type);

/* A link-layer address option of ND: 1 source, 2 target. */
void put_nd_mac(struct bytes *b, uint8_t type, const char *mac);

/*
 * The frame; the IP header's length becomes right. For bytes_free().
 *
 *   first  bytes of the first segment, a second one has the rest; 0: all are in one
 */
struct rte_mbuf *bytes_frame(struct bytes *b, uint32_t first);

/* The same without touching a length. */
struct rte_mbuf *bytes_frame_as_is(const struct bytes *b, uint32_t first);

void bytes_free(struct rte_mbuf *frame);

#endif
