/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the headers of a TCP or UDP frame end. Pure; for frames whose sender left the checksum or the
 * cutting to us, so everything else is refused: fragments, other protocols, headers that do not fit.
 */
#ifndef VIF_HEADERS_H
#define VIF_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/cpu.h"

/* At most so many VLAN tags and IPv6 extension headers are looked through. */
#define HEADERS_VLAN_MAX 2
#define HEADERS_EXT_MAX 8

struct headers {
    uint16_t l2_len; /* Ethernet and VLAN tags: 14, 18 or 22 */
    uint16_t l3_len; /* IP with options or extension headers, at most 511 (an mbuf's limit) */
    uint16_t l4_len; /* TCP with options, or UDP: at most 60 */
    bool ipv6;
    bool tcp; /* else UDP */
};

/*
 *   data  the frame, of which `have` bytes are contiguous here
 *   len   bytes of the whole frame
 *
 * Returns 0, or -EPROTO with *out untouched.
 */
int headers_parse(const uint8_t *data, uint32_t have, uint32_t len, struct headers *out)
    __must_check;

#endif
