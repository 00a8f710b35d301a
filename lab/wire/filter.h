/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_WIRE_FILTER_H
#define LAB_WIRE_FILTER_H

#include "framelog.h"

/* Which frames a query is about. */
struct filter {
    int direction; /* -1 for both */
    uint64_t after, before;
    uint32_t min_len, max_len;
    uint8_t value[FRAME_HEAD_MAX];
    uint8_t tested[FRAME_HEAD_MAX]; /* 1 where value counts */
    size_t limit;
};

/*
 * Read a filter from words, all of which must hold:
 *   from_nic | to_nic     after=NS  before=NS (CLOCK_MONOTONIC)
 *   minlen=N  maxlen=N    @OFFSET=HEX (these bytes at this offset)
 *   limit=N               (for lists: at most so many)
 * The text is changed.  Returns 0, or -1 with *bad_r the word not understood.
 */
int filter_parse(struct filter *filter_r, char *words, const char **bad_r);

int filter_match(const struct filter *filter, const struct frame_record *record);

#endif
