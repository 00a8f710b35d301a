/* SPDX-License-Identifier: BSD-2-Clause */
#include "libc/number.h"

static unsigned int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned int)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (unsigned int)(c - 'A') + 10;
    return 36;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_hex_prefix(const char *text)
{
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && digit_of(text[2]) < 16;
}

bool libc_number_parse(const char *text, unsigned int base, struct libc_number *number_r)
{
    struct libc_number number = { .end = text };
    const char *at = text, *first;

    *number_r = number;
    if (base == 1 || base > 36)
        return false;
    while (is_blank(*at))
        at++;
    if (*at == '-' || *at == '+')
        number.is_negative = *at++ == '-';
    if ((base == 0 || base == 16) && is_hex_prefix(at)) {
        at += 2;
        base = 16;
    }
    if (base == 0)
        base = *at == '0' ? 8 : 10;
    for (first = at; digit_of(*at) < base; at++) {
        if (__builtin_mul_overflow(number.magnitude, base, &number.magnitude) ||
            __builtin_add_overflow(number.magnitude, digit_of(*at), &number.magnitude))
            number.is_huge = true;
    }
    if (at == first)
        return false;
    if (number.is_huge)
        number.magnitude = UINT64_MAX;
    number.end = at;
    *number_r = number;
    return true;
}
