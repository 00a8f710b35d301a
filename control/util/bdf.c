/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/bdf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 to max_digits hexadecimal digits at *text, then `end`; *text is moved behind it. */
static int hex_take(const char **text, size_t max_digits, unsigned long max, char end)
{
    size_t len = strspn(*text, "0123456789abcdefABCDEF");
    unsigned long value;

    if (len == 0 || len > max_digits || (*text)[len] != end)
        return -1;
    value = strtoul(*text, NULL, 16);
    *text += len + (end ? 1 : 0);
    return value > max ? -1 : (int)value;
}

int bdf_parse(const char *text, struct bdf *bdf_r)
{
    const char *colon = strchr(text, ':');
    int domain = 0, bus, dev, func;

    if (colon && strchr(colon + 1, ':'))
        domain = hex_take(&text, 4, 0xffff, ':');
    bus = domain < 0 ? -1 : hex_take(&text, 2, 0xff, ':');
    dev = bus < 0 ? -1 : hex_take(&text, 2, 0x1f, '.');
    func = dev < 0 ? -1 : hex_take(&text, 1, 7, '\0');
    if (func < 0)
        return -EINVAL;
    *bdf_r = (struct bdf){ (uint16_t)domain, (uint8_t)bus, (uint8_t)dev, (uint8_t)func };
    return 0;
}

void bdf_format(const struct bdf *bdf, char text[BDF_SIZE])
{
    snprintf(text, BDF_SIZE, "%04x:%02x:%02x.%u", bdf->domain, bdf->bus, bdf->dev & 0x1f,
             bdf->func & 7u);
}

bool bdf_is_same(const struct bdf *a, const struct bdf *b)
{
    return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev && a->func == b->func;
}
