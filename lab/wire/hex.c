/* SPDX-License-Identifier: BSD-2-Clause */
#include "hex.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_parse(const char *text, uint8_t *out, size_t room)
{
    size_t n = 0;

    for (; *text; text += 2) {
        int high = digit_value(text[0]), low = high < 0 ? -1 : digit_value(text[1]);

        if (low < 0 || n == room)
            return -1;
        out[n++] = (uint8_t)(high << 4 | low);
    }
    return (int)n;
}
