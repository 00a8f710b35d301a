/* SPDX-License-Identifier: BSD-2-Clause */
/* The bridges' part of the statistics pages. */
#ifndef MAIN_STATS_BRIDGES_H
#define MAIN_STATS_BRIDGES_H

#include <stdbool.h>

#include <ferry/stats.h>

/* Go on with what the last start left, or begin anew. */
void stats_bridges_init(bool resuming);

/* Write it; the caller has begun to write the pages. */
void stats_bridges_fill(struct ferry_stats *pages);

#endif
