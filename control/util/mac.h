/* SPDX-License-Identifier: BSD-2-Clause */
/* MAC addresses as text. Pure. */
#ifndef CONTROL_UTIL_MAC_H
#define CONTROL_UTIL_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_SIZE 6

/* The value of a hexadecimal digit; -1 for other characters. */
static inline int mac_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*
 * Two digits for each byte, with ':' between them.
 *
 *   text  len characters, with or without a NUL behind them
 *
 * Returns whether it is one; mac may be written to if not.
 */
static inline bool mac_read(const char *text, size_t len, uint8_t mac[MAC_SIZE])
{
    if (len != 3 * MAC_SIZE - 1)
        return false;
    for (size_t i = 0; i < MAC_SIZE; i++) {
        int high = mac_digit(text[3 * i]), low = mac_digit(text[3 * i + 1]);

        if (high < 0 || low < 0 || (i + 1 < MAC_SIZE && text[3 * i + 2] != ':'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

#endif
