/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics pages (ferry/stats.h) as dom0 takes them: copied, bounded, names made harmless. Pure. */
#ifndef CONTROL_STATSPAGES_H
#define CONTROL_STATSPAGES_H

#include <stdbool.h>

#include <ferry/stats.h>

#define STATSPAGES_NR (FERRY_STATS_BYTES / 4096)

/*
 * Copy pages that the domain may be writing.
 *
 *   pages  FERRY_STATS_BYTES
 *
 * Returns whether they are such: magic, a version we know, not in the midst of being written for all of some
 * tries. Only then is stats_r set; its counts are within their arrays, its names end and are of printable
 * ASCII, ports that stations name are there.
 */
bool statspages_copy(const volatile void *pages, struct ferry_stats *stats_r);

/* What a reason is called: "bad", "full", ...; never NULL. */
const char *statspages_drop_word(enum ferry_drop drop);
const char *statspages_stage_word(enum ferry_stage stage);

/* What state a port is in, a word: of a vif that waits for its frontend "waiting", else "up" or "down". */
const char *statspages_state_word(const struct ferry_stats_port *port);

/* All that a port dropped. */
unsigned long statspages_drops(const struct ferry_stats_port *port);

#endif
