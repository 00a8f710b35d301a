/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as xenstore has them, for dom0's tools and for the programs of a Linux driver domain. Pure. */
#ifndef FERRY_NUMBER_H
#define FERRY_NUMBER_H

#include <errno.h>
#include <stdint.h>

/* A decimal number without sign or leading zeros (but "0" itself). Returns 0, or -EINVAL, also if it is more than max. */
static inline int number_parse(const char *text, uint32_t max, uint32_t *number_r)
{
    uint64_t number = 0;

    if (!*text || (text[0] == '0' && text[1]))
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > max)
            return -EINVAL;
    }
    *number_r = (uint32_t)number;
    return 0;
}

#endif
