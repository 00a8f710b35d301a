/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics pages (ferry/stats.h) as dom0 takes them: copied, bounded, names made harmless. Pure. */
#ifndef CONTROL_STATSPAGES_H
#define CONTROL_STATSPAGES_H

#include <stdbool.h>
#include <stddef.h>

#include <ferry/stats.h>

#define STATSPAGES_PAGE 4096u
#define STATSPAGES_NR (FERRY_STATS_BYTES / STATSPAGES_PAGE) /* the most */

/*
 * How many pages there are, by what the first one says of its version.
 *
 * Returns 0 and sets nr_r; -EAGAIN: that is no such page; -EPROTONOSUPPORT: of a version that came later than
 * these tools.
 */
int statspages_nr(const volatile void *page, unsigned int *nr_r);

/*
 * Copy pages that the domain may be writing.
 *
 *   pages  nr of them, as statspages_nr() said
 *
 * Returns 0, or -EAGAIN if they are no such pages: magic, version, size, or they are in the midst of being
 * written for all of some tries. Only with 0 is stats_r set; its counts are within their arrays, its names end and
 * are of printable ASCII, ports that stations and queues name are there. Of an older version
 * what came later is 0, and statspages_has_more() or statspages_has_parts() is false.
 */
int statspages_copy(const volatile void *pages, unsigned int nr, struct ferry_stats *stats_r);

/* Whether there is what came with version 2: queues, bridges, more of each port. */
bool statspages_has_more(const struct ferry_stats *stats);

/* Whether there is what came with version 3: copies, events and drops of queues, bytes of bridges. */
bool statspages_has_parts(const struct ferry_stats *stats);

/* What a reason is called: "bad", "full", ...; never NULL. */
const char *statspages_drop_word(enum ferry_drop drop);
const char *statspages_stage_word(enum ferry_stage stage);
const char *statspages_latency_word(enum ferry_latency latency);
const char *statspages_bridge_drop_word(enum ferry_bridge_drop drop);

/* What state a port is in, a word: of a vif that waits for its frontend "waiting", else "up" or "down". */
const char *statspages_state_word(const struct ferry_stats_port *port);

/* All that a port, a queue, or a bridge dropped. */
unsigned long statspages_drops(const struct ferry_stats_port *port);
unsigned long statspages_queue_drops(const struct ferry_stats_queue_more *queue);
unsigned long statspages_bridge_drops(const struct ferry_stats_bridge *bridge);
unsigned long statspages_bridge_drop_bytes(const struct ferry_stats_bridge_bytes *bytes);

#endif
