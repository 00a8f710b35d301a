/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/stats_bridges.h"

#include <stdio.h>
#include <string.h>

#include "main/kept.h"
#include "net/bridge.h"
#include "xen/recovery.h"

#define COUNTERS (2 + FERRY_BRIDGE_DROPS) /* of frames, and as many of bytes */

_Static_assert(COUNTERS <= KEPT_MAX, "they are kept");
_Static_assert(FERRY_STATS_BRIDGES == BRIDGE_MAX, "each has room");
_Static_assert(BRIDGE_NAME_SIZE == FERRY_STATS_NAME_SIZE, "each name has room");
_Static_assert(sizeof(struct bridge_stats) == 2 * COUNTERS * sizeof(uint64_t) &&
                   __builtin_offsetof(struct bridge_stats, forwarded_bytes) ==
                       COUNTERS * sizeof(uint64_t),
               "frames, then bytes");
_Static_assert(sizeof(struct ferry_stats_bridge) -
                       __builtin_offsetof(struct ferry_stats_bridge, nr_forwarded) ==
                   COUNTERS * sizeof(uint64_t),
               "counters are the end of a bridge, in the same order");
_Static_assert(sizeof(struct ferry_stats_bridge_bytes) == COUNTERS * sizeof(uint64_t),
               "bytes are in the same order");

/* A bridge is known again by its name. */
static struct kept_bridge {
    char name[BRIDGE_NAME_SIZE];
    struct kept frames, bytes;
} kept_bridges[BRIDGE_MAX] __outlive;

void stats_bridges_init(bool resuming)
{
    if (!resuming)
        memset(kept_bridges, 0, sizeof(kept_bridges));
    for (unsigned int i = 0; i < BRIDGE_MAX; i++) {
        kept_begin(&kept_bridges[i].frames);
        kept_begin(&kept_bridges[i].bytes);
    }
}

/* NULL: all places are others'. */
static struct kept_bridge *kept_of(const char *name)
{
    for (unsigned int i = 0; i < BRIDGE_MAX; i++) {
        struct kept_bridge *bridge = &kept_bridges[i];

        if (bridge->name[0] == '\0')
            snprintf(bridge->name, sizeof(bridge->name), "%s", name);
        if (strncmp(bridge->name, name, sizeof(bridge->name)) == 0)
            return bridge;
    }
    return NULL;
}

void stats_bridges_fill(struct ferry_stats *pages)
{
    struct bridge_info info;
    unsigned int i = 0;

    for (; bridge_info(i, &info); i++) {
        struct ferry_stats_bridge *page = &pages->bridges[i];
        struct ferry_stats_bridge_bytes *bytes = &pages->bridges_bytes[i];
        struct kept_bridge *kept = kept_of(info.name);

        snprintf(page->name, sizeof(page->name), "%s", info.name);
        page->nr_ports = info.nr_ports;
        page->nr_stations = info.nr_stations;
        memcpy(&page->nr_forwarded, &info.stats->nr_forwarded, COUNTERS * sizeof(uint64_t));
        memcpy(bytes, &info.stats->forwarded_bytes, sizeof(*bytes));
        if (!kept)
            continue;
        kept_add(&kept->frames, &page->nr_forwarded, COUNTERS);
        kept_add(&kept->bytes, &bytes->forwarded, COUNTERS);
    }
    pages->nr_bridges = i;
}
