/* SPDX-License-Identifier: BSD-2-Clause */
/* What `ferry top` shows: the ports of all driver domains with their rates, from two readings. Pure. */
#ifndef CONTROL_CLI_TOP_ROWS_H
#define CONTROL_CLI_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include <ferry/stats.h>

#include "util/files.h"
#include "xen/guest.h"

#define TOP_ROWS_MAX (4 * FERRY_STATS_PORTS)
#define TOP_LINE_SIZE 160

enum top_order { TOP_BY_IN, TOP_BY_OUT, TOP_BY_DROPS, TOP_BY_NAME, TOP_ORDERS };

struct top_row {
    char domain[FILES_NAME_MAX + 1];
    char guest[GUEST_NAME_SIZE]; /* "" of a NIC */
    struct ferry_stats_port port;
    double in_frames, in_bits, out_frames, out_bits, drops; /* a second */
};

/*
 * A port's row.
 *
 *   before, now  readings of its domain; before may be of another start, or of long ago
 *   index        of the port in now
 *
 * Rates are 0 where they cannot be told: the port is new, its counters began anew, or no time has passed.
 */
void top_row_make(const struct ferry_stats *before, const struct ferry_stats *now,
                  unsigned int index, struct top_row *row_r);

void top_rows_sort(struct top_row *rows, unsigned int nr, enum top_order order);

/* Four digits or fewer and a letter, of thousands: "999 ", "1.2k", "340M". Returns text. */
#define TOP_NUMBER_SIZE 16
const char *top_number(char text[TOP_NUMBER_SIZE], double value);

/* A line without its end; the title's has the order marked. */
void top_title_format(enum top_order order, char line[TOP_LINE_SIZE]);
void top_row_format(const struct top_row *row, char line[TOP_LINE_SIZE]);

/* Returns 0, or -EINVAL for no order of that name. */
int top_order_parse(const char *text, enum top_order *order_r);
const char *top_order_word(enum top_order order);

#endif
