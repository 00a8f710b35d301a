/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver domain's state and history as one page of HTML that needs no network. Pure. */
#ifndef CONTROL_CLI_REPORT_PAGE_H
#define CONTROL_CLI_REPORT_PAGE_H

#include <stdio.h>

#include <ferry/stats.h>

#include "cli/top_rows.h"
#include "journal/record.h"

struct report_page {
    const struct journal *journal;
    const char *state; /* a word */
    int64_t now_ms; /* since 1970 */
    const struct ferry_stats *stats; /* NULL: there are none */
    const struct top_row *rows; /* its ports, with their rates at the time */
    unsigned int nr_rows; /* FERRY_STATS_PORTS at most */
};

/* Write it. All text is escaped: names of guests and what a domain said may hold anything. */
void report_page_write(FILE *out, const struct report_page *page);

#endif
