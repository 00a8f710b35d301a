/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet frames, and the proof that a vif still serves us. Addresses in host byte order. */
#ifndef HOSTILE_FRAME_H
#define HOSTILE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "front.h"
#include "ring.h"

#define FRAME_ARP_LEN 42u
#define FRAME_ETH_LEN 14u
#define FRAME_TCP4_LEN 54u /* Ethernet, IPv4 and TCP without options */

/* An address that is nobody's: frames to it go everywhere. */
extern const uint8_t frame_nobody[6];
extern const uint8_t frame_broadcast[6];

uint8_t *frame_eth(struct front *f, uint8_t *frame, const uint8_t *to, uint16_t type);

/* Who has the wire's address? Zeros behind it up to len. */
void frame_arp(struct front *f, uint8_t *frame, uint32_t len);

/* TCP over IPv4 to `to`, with the pseudo-header's sum in the checksum field. Returns its length. */
uint32_t frame_tcp4(struct front *f, uint8_t *frame, const uint8_t *to, uint32_t payload);

/* The same over IPv6. */
uint32_t frame_tcp6(struct front *f, uint8_t *frame, const uint8_t *to, uint32_t payload);

uint16_t be16_get(const uint8_t *p);
void be16_put(uint8_t *p, uint16_t value);
uint32_t be32_get(const uint8_t *p);
void be32_put(uint8_t *p, uint32_t value);

/* The Internet checksum's sum, not complemented, over len bytes, on top of sum. */
uint32_t frame_sum(const uint8_t *data, uint32_t len, uint32_t sum);

/* Folded to 16 bits. */
uint16_t frame_fold(uint32_t sum);

/* Is this an ARP answer from the wire to us? */
bool frame_is_answer(struct front *f, const struct rx_frame *frame);

/* Wait for such an answer. */
bool frame_wait_answer(struct front *f, unsigned int ms);

/* An ARP request goes out and its answer comes back. NULL, or what did not come. */
const char *frame_alive(struct front *f);

#endif
