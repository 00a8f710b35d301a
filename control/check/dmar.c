/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/dmar.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define HEADER_LEN 48 /* ACPI header, width, flags, 10 reserved bytes */
#define TYPE_RMRR 1
#define RMRR_LEN 24
#define SCOPE_LEN 6
#define SCOPE_ENDPOINT 1
#define SCOPE_BRIDGE 2

static bool is_signature(const uint8_t *at)
{
    return memcmp(at, "DMAR", 4) == 0 || memcmp(at, "RMAD", 4) == 0 || memcmp(at, "XMAR", 4) == 0;
}

static uint64_t le(const uint8_t *at, unsigned int bytes)
{
    uint64_t value = 0;

    for (unsigned int i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/*
 * A scope's path begins at a bus; each further pair is behind a bridge, whose bus number only the
 * bridge's registers tell. A path of more than one pair, and a bridge, is therefore taken to mean
 * every device of a higher bus: too much is said rather than too little.
 */
static bool scope_names(const uint8_t *scope, size_t len, uint16_t segment, const struct bdf *bdf)
{
    uint8_t type = scope[0], bus = scope[5];
    size_t nr_pairs = (len - SCOPE_LEN) / 2;

    if (segment != bdf->domain || (type != SCOPE_ENDPOINT && type != SCOPE_BRIDGE))
        return false;
    if (type == SCOPE_BRIDGE || nr_pairs > 1)
        return bdf->bus > bus;
    return nr_pairs == 1 && bdf->bus == bus && scope[6] == bdf->dev && scope[7] == bdf->func;
}

static int rmrr_names(const uint8_t *rmrr, size_t len, const struct bdf *bdf)
{
    if (len < RMRR_LEN)
        return -EINVAL;
    for (size_t at = RMRR_LEN; at < len;) {
        size_t scope_len = len - at < SCOPE_LEN ? 0 : rmrr[at + 1];

        if (scope_len < SCOPE_LEN || scope_len > len - at)
            return -EINVAL;
        if (scope_names(rmrr + at, scope_len, (uint16_t)le(rmrr + 6, 2), bdf))
            return 1;
        at += scope_len;
    }
    return 0;
}

int dmar_find(const void *table, size_t len, const struct bdf *bdf, struct dmar_region *region_r)
{
    const uint8_t *bytes = table;

    if (len < HEADER_LEN || !is_signature(bytes) || le(bytes + 4, 4) > len ||
        le(bytes + 4, 4) < HEADER_LEN)
        return -EINVAL;
    len = le(bytes + 4, 4);
    for (size_t at = HEADER_LEN; at < len;) {
        size_t part = len - at < 4 ? 0 : le(bytes + at + 2, 2);
        int found;

        if (part < 4 || part > len - at)
            return -EINVAL;
        found = le(bytes + at, 2) == TYPE_RMRR ? rmrr_names(bytes + at, part, bdf) : 0;
        if (found < 0)
            return found;
        if (found) {
            region_r->base = le(bytes + at + 8, 8);
            region_r->limit = le(bytes + at + 16, 8);
            return 1;
        }
        at += part;
    }
    return 0;
}
