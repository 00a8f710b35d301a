/* SPDX-License-Identifier: BSD-2-Clause */
/* Bars as SVG, in the page of `ferry report`. Pure. */
#ifndef CONTROL_CLI_REPORT_CHART_H
#define CONTROL_CLI_REPORT_CHART_H

#include <stdbool.h>
#include <stdio.h>

#define REPORT_CHART_VALUES 12

struct report_chart {
    const char *const *words; /* what each value of a row is, for the legend */
    unsigned int nr_values; /* REPORT_CHART_VALUES at most */
    bool
        is_stacked; /* a row's values side by side in one bar, as parts of a sum; otherwise a bar for each */
    const char *unit; /* behind the numbers: "bit/s" */
};

struct report_chart_row {
    const char *label;
    double values[REPORT_CHART_VALUES]; /* 0 or more, and finite */
};

/*
 * Write the rows that have other values than 0, all to one scale, with a legend. Labels and words are escaped.
 *
 * Returns whether there was any such row; if not, nothing is written.
 */
bool report_chart_write(FILE *out, const struct report_chart *chart,
                        const struct report_chart_row *rows, unsigned int nr);

#endif
