/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_chart.h"

#include "cli/report_html.h"
#include "cli/top_rows.h"

#define LABEL_WIDTH 130
#define BARS_WIDTH 700
#define NUMBER_WIDTH 90
#define BAR_HEIGHT 11
#define GAP 5

/* As many as there may be values: neighbours are told apart in grey, too. */
static const char *const colours[REPORT_CHART_VALUES] = {
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#b6992d",
    "#b07aa1", "#ff9da7", "#9c755f", "#499894", "#d37295", "#79706e",
};

static double sum_of(const struct report_chart *chart, const struct report_chart_row *row)
{
    double sum = 0;

    for (unsigned int i = 0; i < chart->nr_values; i++)
        sum += row->values[i];
    return sum;
}

/* The value that is as wide as all of the chart. */
static double most_of(const struct report_chart *chart, const struct report_chart_row *rows,
                      unsigned int nr, unsigned int *shown_r)
{
    double most = 0;

    *shown_r = 0;
    for (unsigned int i = 0; i < nr; i++) {
        double sum = sum_of(chart, &rows[i]);

        *shown_r += sum > 0;
        if (chart->is_stacked && sum > most)
            most = sum;
        for (unsigned int j = 0; !chart->is_stacked && j < chart->nr_values; j++)
            if (rows[i].values[j] > most)
                most = rows[i].values[j];
    }
    return most;
}

static void number_put(FILE *out, const struct report_chart *chart, unsigned int x, unsigned int y,
                       double value)
{
    char text[TOP_NUMBER_SIZE];

    fprintf(out, "<text x=%u y=%u>%s %s</text>", x, y + BAR_HEIGHT - 2, top_number(text, value),
            chart->unit);
}

static void bar_put(FILE *out, const struct report_chart *chart, const struct report_chart_row *row,
                    unsigned int value, double x, unsigned int y, double width)
{
    fprintf(out, "<rect x=%.1f y=%u width=%.1f height=%d fill=\"%s\"><title>", x, y,
            width < 1 ? 1 : width, BAR_HEIGHT, colours[value]);
    report_html_text(out, row->label);
    fputs(", ", out);
    report_html_text(out, chart->words[value]);
    fprintf(out, ": %.0f %s</title></rect>", row->values[value], chart->unit);
}

/* Returns how high it is. */
static unsigned int row_put(FILE *out, const struct report_chart *chart,
                            const struct report_chart_row *row, unsigned int y, double most)
{
    double x = LABEL_WIDTH;
    unsigned int top = y;

    fprintf(out, "<text x=%d y=%u text-anchor=end>", LABEL_WIDTH - 6, y + BAR_HEIGHT - 2);
    report_html_text(out, row->label);
    fputs("</text>", out);
    for (unsigned int i = 0; i < chart->nr_values; i++) {
        double width = row->values[i] / most * BARS_WIDTH;

        if (row->values[i] > 0)
            bar_put(out, chart, row, i, x, y, width);
        if (chart->is_stacked) {
            x += width;
            continue;
        }
        number_put(out, chart, LABEL_WIDTH + (unsigned int)width + 6, y, row->values[i]);
        y += BAR_HEIGHT;
    }
    if (chart->is_stacked) {
        number_put(out, chart, (unsigned int)x + 6, y, sum_of(chart, row));
        y += BAR_HEIGHT;
    }
    fputc('\n', out);
    return y - top + GAP;
}

static void legend_put(FILE *out, const struct report_chart *chart,
                       const struct report_chart_row *rows, unsigned int nr)
{
    fputs("<small>", out);
    for (unsigned int i = 0; i < chart->nr_values; i++) {
        double sum = 0;

        for (unsigned int j = 0; j < nr; j++)
            sum += rows[j].values[i];
        if (!(sum > 0))
            continue;
        fprintf(out, "<span style=\"color:%s\">&#9632;</span> ", colours[i]);
        report_html_text(out, chart->words[i]);
        fputs(" &nbsp; ", out);
    }
    fputs("</small>\n", out);
}

bool report_chart_write(FILE *out, const struct report_chart *chart,
                        const struct report_chart_row *rows, unsigned int nr)
{
    unsigned int shown, y = 1, bars = chart->is_stacked ? 1 : chart->nr_values;
    double most = most_of(chart, rows, nr, &shown);

    if (!(most > 0))
        return false;
    fprintf(out, "<svg width=%d height=%u>", LABEL_WIDTH + BARS_WIDTH + NUMBER_WIDTH,
            shown * (bars * BAR_HEIGHT + GAP) + 2);
    for (unsigned int i = 0; i < nr; i++)
        if (sum_of(chart, &rows[i]) > 0)
            y += row_put(out, chart, &rows[i], y, most);
    fputs("</svg>", out);
    legend_put(out, chart, rows, nr);
    return true;
}
