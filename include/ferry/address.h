/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 and IPv6 addresses and prefixes as text, for the driver domain and for dom0's tools. The text is
 * not trusted, has len bytes and need not end with NUL; all of it must belong to the address.
 * Outputs are written on success only.
 */
#ifndef FERRY_ADDRESS_H
#define FERRY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS6_TEXT_SIZE 46 /* of the longest text, with its NUL */

/* Four decimal numbers without leading zeros. Returns 0 or -EINVAL. addr_r is in network byte order. */
int address4_parse(const char *text, size_t len, uint8_t addr_r[4]);

/* RFC 4291, 2.2: all three forms. Returns 0 or -EINVAL. addr_r is in network byte order. */
int address6_parse(const char *text, size_t len, uint8_t addr_r[16]);

/* A decimal number of 0 to max without leading zeros. Returns 0 or -EINVAL. */
int decimal_parse(const char *text, size_t len, uint32_t max, uint32_t *number_r);

/*
 * An address of either kind, with an optional prefix length behind a slash (32 or 128 without).
 *
 *   addr_r  the first 4 bytes, or all 16; bits behind the length are as they were given
 *
 * Returns 0 or -EINVAL.
 */
int prefix_parse(const char *text, size_t len, bool *is_ip6_r, uint8_t addr_r[16], uint8_t *len_r);

#endif
