/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_WIRE_HEX_H
#define LAB_WIRE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Returns the number of bytes the hex digits make, or -1: not hex, or no room. */
int hex_parse(const char *text, uint8_t *out, size_t room);

#endif
