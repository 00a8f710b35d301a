/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_TOOLS_SHA256_H
#define LAB_TOOLS_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_LEN 64

struct sha256 {
    uint32_t state[8];
    uint64_t nr_bytes;
    unsigned char block[64];
};

/* SHA-256 (FIPS 180-4). */
void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t len);

/* Ends the sum; hex_r has room for SHA256_HEX_LEN + 1 bytes. */
void sha256_final_hex(struct sha256 *s, char *hex_r);

#endif
