/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages that dom0 reads of what goes on (ferry/stats.h), and the times of the loop's parts in them. */
#ifndef MAIN_STATS_H
#define MAIN_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include <ferry/stats.h>

#include "arch/x86/cpu.h"
#include "net/port.h"

/* Go on with what the last start left, or begin anew. After recovery_init(). */
void stats_init(bool resuming);

/* A NIC whose port is to be shown. */
void stats_nic_add(struct port *nic);

/* This turn's parts are timed: of one in FERRY_STATS_SAMPLE. */
extern bool stats_is_timed;

void stats_stage_take(enum ferry_stage stage);

/* How long something took that began in such a turn. */
void stats_latency_take(enum ferry_latency what, uint64_t ns);

/* A turn of the loop begins; one of its parts is over; it is over. */
void stats_turn_begin(void);
static inline void stats_stage(enum ferry_stage stage)
{
    if (__builtin_expect(stats_is_timed, 0))
        stats_stage_take(stage);
}
void stats_turn_end(bool worked, uint64_t now);

/* The loop goes to sleep, and must be awake at the returned time, if there is something to show then. */
void stats_sleep_note(void);
uint64_t stats_due(void);

/* Write the pages now. */
void stats_write(uint64_t now);

#endif
