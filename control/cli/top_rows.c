/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/top_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/statspages.h"

#define NS 1e9

static const char *const order_words[TOP_ORDERS] = { "in", "out", "drops", "name" };

static const struct ferry_stats_port *port_find(const struct ferry_stats *stats, const char *name)
{
    for (unsigned int i = 0; i < stats->nr_ports; i++)
        if (strcmp(stats->ports[i].name, name) == 0)
            return &stats->ports[i];
    return NULL;
}

static double rate(uint64_t before, uint64_t now, double seconds)
{
    return now > before ? (double)(now - before) / seconds : 0;
}

void top_row_make(const struct ferry_stats *before, const struct ferry_stats *now,
                  unsigned int index, struct top_row *row_r)
{
    const struct ferry_stats_port *port = &now->ports[index], *old = port_find(before, port->name);
    double seconds = (double)(int64_t)(now->written_ns - before->written_ns) / NS;

    memset(row_r, 0, sizeof(*row_r));
    row_r->port = *port;
    if (!old || before->began_ns != now->began_ns || seconds <= 0)
        return;
    row_r->in_frames = rate(old->in_frames, port->in_frames, seconds);
    row_r->in_bits = 8 * rate(old->in_bytes, port->in_bytes, seconds);
    row_r->out_frames = rate(old->out_frames, port->out_frames, seconds);
    row_r->out_bits = 8 * rate(old->out_bytes, port->out_bytes, seconds);
    row_r->drops = rate(statspages_drops(old), statspages_drops(port), seconds);
}

static double key_of(const struct top_row *row, enum top_order order)
{
    return order == TOP_BY_IN ? row->in_bits : order == TOP_BY_OUT ? row->out_bits : row->drops;
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct top_row *x = a, *y = b;
    enum top_order order = *(enum top_order *)ctx;
    int names = strcmp(x->domain, y->domain);

    if (order != TOP_BY_NAME && key_of(x, order) != key_of(y, order))
        return key_of(x, order) < key_of(y, order) ? 1 : -1;
    return names ? names : strverscmp(x->port.name, y->port.name);
}

void top_rows_sort(struct top_row *rows, unsigned int nr, enum top_order order)
{
    qsort_r(rows, nr, sizeof(rows[0]), compare, &order);
}

const char *top_number(char text[TOP_NUMBER_SIZE], double value)
{
    static const char letters[] = " kMGTPEZ";
    unsigned int i = 0;

    while (value >= 999.5 && letters[i + 1]) {
        value /= 1000;
        i++;
    }
    snprintf(text, TOP_NUMBER_SIZE, i && value < 9.95 ? "%.1f%c" : "%.0f%c", value, letters[i]);
    return text;
}

void top_title_format(enum top_order order, char line[TOP_LINE_SIZE])
{
    static const enum top_order orders[] = { TOP_BY_IN, TOP_BY_OUT, TOP_BY_DROPS };
    char marks[3];

    for (unsigned int i = 0; i < 3; i++)
        marks[i] = order == orders[i] ? '*' : ' ';
    snprintf(line, TOP_LINE_SIZE, "%-12s %-10s %-14s %-12s %-7s %8s %8s%c %8s %8s%c %7s%c %5s",
             "domain", "port", "guest", "bridge", "state", "in fr/s", "bit/s", marks[0], "out fr/s",
             "bit/s", marks[1], "drop/s", marks[2], "wait");
}

void top_row_format(const struct top_row *row, char line[TOP_LINE_SIZE])
{
    const struct ferry_stats_port *port = &row->port;
    char in[TOP_NUMBER_SIZE], in_bits[TOP_NUMBER_SIZE], out[TOP_NUMBER_SIZE],
        out_bits[TOP_NUMBER_SIZE], drops[TOP_NUMBER_SIZE];
    const char *state = statspages_state_word(port);

    snprintf(line, TOP_LINE_SIZE,
             "%-12.12s %-10.10s %-14.14s %-12.12s %-7s %8s %8s  %8s %8s  %7s  %5u", row->domain,
             port->name, *row->guest ? row->guest : "-", *port->bridge ? port->bridge : "-", state,
             top_number(in, row->in_frames), top_number(in_bits, row->in_bits),
             top_number(out, row->out_frames), top_number(out_bits, row->out_bits),
             top_number(drops, row->drops), port->nr_waiting);
}

int top_order_parse(const char *text, enum top_order *order_r)
{
    for (enum top_order i = 0; i < TOP_ORDERS; i++) {
        if (strcmp(text, order_words[i]) == 0) {
            *order_r = i;
            return 0;
        }
    }
    return -EINVAL;
}

const char *top_order_word(enum top_order order)
{
    return order_words[order];
}
