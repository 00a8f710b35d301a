/* SPDX-License-Identifier: BSD-2-Clause */
/* Text to number. Source: ISO C11, 7.22.1.4. */
#ifndef LIBC_NUMBER_H
#define LIBC_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

struct libc_number {
    uint64_t magnitude; /* UINT64_MAX when is_huge */
    bool is_negative;
    bool is_huge; /* does not fit 64 bits */
    const char *end; /* the first byte that is not part of it; text where there is no number */
};

/*
 * Blanks, a sign, a prefix by base (0, 2 to 36), digits; an impossible base finds no number.
 * Returns whether there was a number.
 */
bool libc_number_parse(const char *text, unsigned int base, struct libc_number *number_r);

#endif
