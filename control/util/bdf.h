/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI addresses as text: [DDDD:]BB:DD.F, hexadecimal. Pure. */
#ifndef CONTROL_BDF_H
#define CONTROL_BDF_H

#include <stdbool.h>
#include <stdint.h>

#define BDF_SIZE sizeof("ffff:ff:1f.7")

struct bdf {
    uint16_t domain;
    uint8_t bus, dev, func;
};

/* The whole text must be an address. Returns 0 or -EINVAL. */
int bdf_parse(const char *text, struct bdf *bdf_r);
void bdf_format(const struct bdf *bdf, char text[BDF_SIZE]);
bool bdf_is_same(const struct bdf *a, const struct bdf *b);

#endif
