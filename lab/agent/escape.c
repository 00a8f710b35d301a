/* SPDX-License-Identifier: BSD-2-Clause */
#include "escape.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

size_t escape_encode(const char *in, size_t len, char *out)
{
    char *o = out;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)in[i];

        if (c >= 0x20 && c < 0x7f && c != '\\') {
            *o++ = (char)c;
            continue;
        }
        *o++ = '\\';
        if (c == '\n') {
            *o++ = 'n';
        } else if (c == '\\') {
            *o++ = '\\';
        } else {
            *o++ = 'x';
            *o++ = hex_digits[c >> 4];
            *o++ = hex_digits[c & 15];
        }
    }
    return (size_t)(o - out);
}

static int hex_value(char c)
{
    const char *p = c ? strchr(hex_digits, c) : NULL;

    return p ? (int)(p - hex_digits) : -1;
}

/* Decode the escape at text[0] == '\\'; returns how much input it took. */
static size_t escape_decode_one(const char *text, size_t left, char *out)
{
    *out = '\\';
    if (left < 2)
        return 1;
    if (text[1] == 'n') {
        *out = '\n';
        return 2;
    }
    if (text[1] == '\\')
        return 2;
    if (text[1] == 'x' && left >= 4) {
        int high = hex_value(text[2]), low = hex_value(text[3]);

        if (high >= 0 && low >= 0) {
            *out = (char)(high << 4 | low);
            return 4;
        }
    }
    return 1;
}

size_t escape_decode(char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; n++) {
        if (text[i] == '\\')
            i += escape_decode_one(text + i, len - i, &text[n]);
        else
            text[n] = text[i++];
    }
    return n;
}
