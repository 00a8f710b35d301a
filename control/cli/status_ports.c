/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/status_ports.h"

#include <stdlib.h>
#include <string.h>

#include "cli/links.h"
#include "xen/statspages.h"

/* The words of the last column may be longer than the screen is wide; the others fit 80 columns. */
#define LINE "  %-9s %-12s %-10s %8s %6s %8s %6s  %s\n"

struct rates {
    double in_frames, in_bits, out_frames, out_bits;
};

static bool is_nic(const struct top_row *row)
{
    return row->port.kind == FERRY_PORT_NIC;
}

static bool is_well(const struct top_row *row)
{
    return (row->port.flags & FERRY_PORT_UP) && !(row->port.flags & FERRY_PORT_FULL) &&
           (is_nic(row) || row->port.flags & FERRY_PORT_CONNECTED);
}

static int compare(const void *a, const void *b)
{
    const struct top_row *x = a, *y = b;
    double x_bits = x->in_bits + x->out_bits, y_bits = y->in_bits + y->out_bits;

    if (is_nic(x) != is_nic(y))
        return is_nic(x) ? -1 : 1;
    if (is_well(x) != is_well(y))
        return is_well(x) ? 1 : -1;
    if (x_bits != y_bits)
        return x_bits < y_bits ? 1 : -1;
    return strverscmp(x->port.name, y->port.name);
}

static void state_put(FILE *out, const struct ferry_stats_port *port)
{
    bool is_vif = port->kind == FERRY_PORT_VIF;
    char words[LINKS_WORDS_SIZE];

    links_words(port, words);
    if (is_vif && !(port->flags & FERRY_PORT_CONNECTED))
        fputs("waits for its guest's driver", out);
    else if (is_vif && !(port->flags & FERRY_PORT_UP))
        fputs("connected, no carrier", out);
    else
        fputs(words, out);
    if (!is_vif && !*port->bridge)
        fputs(", in no bridge", out);
    if (port->flags & FERRY_PORT_FULL)
        fputs(", takes nothing for now", out);
    if (statspages_drops(port))
        fprintf(out, ", %lu dropped", statspages_drops(port));
}

static void line_put(FILE *out, const char *port, const char *guest, const char *bridge,
                     const struct rates *rates, const char *state)
{
    char in[TOP_NUMBER_SIZE] = "-", in_bits[TOP_NUMBER_SIZE] = "-",
         out_frames[TOP_NUMBER_SIZE] = "-", out_bits[TOP_NUMBER_SIZE] = "-";

    if (rates) {
        top_number(in, rates->in_frames);
        top_number(in_bits, rates->in_bits);
        top_number(out_frames, rates->out_frames);
        top_number(out_bits, rates->out_bits);
    }
    fprintf(out, LINE, port, guest, bridge, in, in_bits, out_frames, out_bits, state);
}

static void rates_add(struct rates *rates, const struct top_row *row)
{
    rates->in_frames += row->in_frames;
    rates->in_bits += row->in_bits;
    rates->out_frames += row->out_frames;
    rates->out_bits += row->out_bits;
}

static void row_put(FILE *out, const struct top_row *row, bool has_rates)
{
    const struct ferry_stats_port *port = &row->port;
    struct rates rates = { 0 };
    char *state;
    size_t len;
    FILE *words = open_memstream(&state, &len);

    if (!words)
        return;
    state_put(words, port);
    if (fclose(words) == 0) {
        rates_add(&rates, row);
        line_put(out, port->name, *row->guest ? row->guest : "-",
                 *port->bridge ? port->bridge : "-", has_rates ? &rates : NULL, state);
    }
    free(state);
}

/* Those that have no line of their own. */
static void others_put(FILE *out, const struct top_row *rows, unsigned int nr, bool has_rates)
{
    char count[32], state[64];
    struct rates rates = { 0 };
    unsigned int nr_well = 0;

    for (unsigned int i = 0; i < nr; i++) {
        rates_add(&rates, &rows[i]);
        nr_well += is_well(&rows[i]);
    }
    snprintf(count, sizeof(count), "%u more", nr);
    snprintf(state, sizeof(state), "%u up, %u not", nr_well, nr - nr_well);
    line_put(out, count, "", "", has_rates ? &rates : NULL, state);
}

void status_ports_write(FILE *out, const char *name, struct top_row *rows, unsigned int nr,
                        bool has_rates)
{
    unsigned int shown = nr < STATUS_PORTS_SHOWN ? nr : STATUS_PORTS_SHOWN;
    bool has_drops = false;

    if (!nr)
        return;
    if (nr > shown)
        qsort(rows, nr, sizeof(rows[0]), compare);
    fprintf(out, LINE, "port", "guest", "bridge", "in fr/s", "bit/s", "out fr/s", "bit/s", "state");
    for (unsigned int i = 0; i < nr; i++) {
        has_drops = has_drops || statspages_drops(&rows[i].port);
        if (i < shown)
            row_put(out, &rows[i], has_rates);
    }
    if (nr > shown)
        others_put(out, rows + shown, nr - shown, has_rates);
    if (nr > shown || has_drops)
        fprintf(out, "  `ferry vifs %s` shows %s\n", name,
                nr > shown ? "all ports, and for which reason frames were dropped"
                           : "for which reason frames were dropped");
}
