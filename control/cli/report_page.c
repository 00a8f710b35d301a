/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_page.h"

#include <string.h>
#include <time.h>

#include "cli/report_chart.h"
#include "cli/report_html.h"
#include "xen/statspages.h"

#define BAR_WIDTH 900
#define BAR_HEIGHT 22
#define COLOURS 8

_Static_assert(FERRY_DROPS <= REPORT_CHART_VALUES, "each reason has a colour");

static const char style[] =
    "body{font:14px sans-serif;margin:2em auto;max-width:1100px;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.5em 0}td,th{padding:2px "
    "10px;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child,.t{text-align:left}h3{margin:1.2em 0 .2em}.bad{color:#b00}"
    "svg{font:11px sans-serif;display:block}small{color:#666}";

static const char *const colours[COLOURS] = { "#4e79a7", "#f28e2b", "#76b7b2", "#e15759",
                                              "#59a14f", "#b6992d", "#9c755f", "#b07aa1" };

static void cell_put(FILE *out, const char *text)
{
    fputs("<td class=t>", out);
    report_html_text(out, text);
    fputs("</td>", out);
}

static void time_put(FILE *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char when[32];

    strftime(when, sizeof(when), "%F %T", localtime_r(&seconds, &parts));
    report_html_text(out, when);
}

static int64_t outage_us(const struct journal_death *death)
{
    return death->back_us > 0 ? death->back_us : death->back_ms * 1000;
}

/* From the notice to the last step, each step a piece as long as it took. */
static void timeline_put(FILE *out, const struct journal_death *death)
{
    int64_t end = outage_us(death), before = 0;

    for (unsigned int i = 0; i < death->nr_steps; i++)
        if (death->steps[i].us > end)
            end = death->steps[i].us;
    if (end <= 0)
        return;
    fprintf(out, "<svg width=%d height=%d>", BAR_WIDTH + 2, BAR_HEIGHT + 2);
    for (unsigned int i = 0; i < death->nr_steps; i++) {
        int64_t us = death->steps[i].us;
        double x = (double)before * BAR_WIDTH / (double)end,
               width = (double)(us - before) * BAR_WIDTH / (double)end;

        if (us < before)
            continue;
        fprintf(out, "<rect x=%.1f y=1 width=%.1f height=%d fill=\"%s\"><title>", x,
                width < 1 ? 1 : width, BAR_HEIGHT, colours[i % COLOURS]);
        report_html_text(out, death->steps[i].name);
        fprintf(out, ": %.3f ms</title></rect>", (double)us / 1000);
        before = us;
    }
    fputs("</svg><small>", out);
    for (unsigned int i = 0; i < death->nr_steps; i++) {
        fprintf(out, "%s<span style=\"color:%s\">&#9632;</span> ", i ? " &nbsp; " : "",
                colours[i % COLOURS]);
        report_html_text(out, death->steps[i].name);
        fprintf(out, " %.3f ms", (double)death->steps[i].us / 1000);
    }
    fputs("</small>\n", out);
}

static void death_put(FILE *out, const struct journal_death *death)
{
    fputs("<h3>", out);
    time_put(out, death->at_ms);
    fputs(": ", out);
    report_html_text(out, death->cause);
    if (*death->reason) {
        fputs(": ", out);
        report_html_text(out, death->reason);
    }
    fputs("</h3><p>", out);
    if (death->back_ms < 0) {
        fputs("<span class=bad>not brought back</span>", out);
    } else {
        report_html_text(out, death->way);
        fprintf(out, " at depth %u after %.3f ms", death->depth, (double)outage_us(death) / 1000);
        if (*death->nic) {
            fputs(", NIC ", out);
            report_html_text(out, death->nic);
        }
    }
    if (*death->last_port) {
        fputs("; it was at work for ", out);
        report_html_text(out, death->last_port);
    }
    fputs("</p>\n", out);
    timeline_put(out, death);
}

static void deaths_put(FILE *out, const struct journal *journal)
{
    fprintf(out,
            "<h2>Deaths</h2><p>%llu since it was first started, planned restarts included%s</p>\n",
            (unsigned long long)journal->nr_deaths_ever,
            journal->nr_deaths ? "; the last ones, latest first:" : ".");
    for (unsigned int i = journal->nr_deaths; i > 0; i--)
        death_put(out, &journal->deaths[i - 1]);
}

static void rates_put(FILE *out, const struct report_page *page)
{
    static const char *const words[] = { "in", "out" };
    static const struct report_chart chart = { .words = words, .nr_values = 2, .unit = "bit/s" };
    struct report_chart_row rows[FERRY_STATS_PORTS];

    for (unsigned int i = 0; i < page->nr_rows; i++)
        rows[i] = (struct report_chart_row){
            .label = page->rows[i].port.name,
            .values = { page->rows[i].in_bits, page->rows[i].out_bits },
        };
    fputs("<h3>Rates while the page was made</h3>\n", out);
    if (!report_chart_write(out, &chart, rows, page->nr_rows))
        fputs("<p>No frame passed.</p>\n", out);
}

/* The same numbers as the table's, as parts of bars. */
static void drops_chart_put(FILE *out, const struct report_page *page)
{
    const char *words[FERRY_DROPS];
    const struct report_chart chart = {
        .words = words, .nr_values = FERRY_DROPS, .is_stacked = true, .unit = "frames"
    };
    struct report_chart_row rows[FERRY_STATS_PORTS];

    for (unsigned int drop = 0; drop < FERRY_DROPS; drop++)
        words[drop] = statspages_drop_word(drop);
    for (unsigned int i = 0; i < page->nr_rows; i++) {
        rows[i] = (struct report_chart_row){ .label = page->rows[i].port.name };
        for (unsigned int drop = 0; drop < FERRY_DROPS; drop++)
            rows[i].values[drop] = (double)page->rows[i].port.drops[drop];
    }
    if (!report_chart_write(out, &chart, rows, page->nr_rows))
        fputs("<p>None.</p>\n", out);
}

static void ports_put(FILE *out, const struct report_page *page)
{
    fputs("<h2>Ports</h2><table><tr><th>port<th class=t>guest<th class=t>bridge<th>in, "
          "frames<th>in, bytes<th>out, frames"
          "<th>out, bytes<th>in now, Mb/s<th>out now, Mb/s<th>waiting</tr>\n",
          out);
    for (unsigned int i = 0; i < page->nr_rows; i++) {
        const struct top_row *row = &page->rows[i];
        const struct ferry_stats_port *port = &row->port;

        fputs("<tr>", out);
        cell_put(out, port->name);
        cell_put(out, row->guest);
        cell_put(out, port->bridge);
        fprintf(out, "<td>%llu<td>%llu<td>%llu<td>%llu<td>%.3f<td>%.3f<td>%u</tr>\n",
                (unsigned long long)port->in_frames, (unsigned long long)port->in_bytes,
                (unsigned long long)port->out_frames, (unsigned long long)port->out_bytes,
                row->in_bits / 1e6, row->out_bits / 1e6, port->nr_waiting);
    }
    fputs("</table>\n", out);
    rates_put(out, page);
}

static void drops_put(FILE *out, const struct report_page *page)
{
    fputs("<h2>Dropped frames by reason</h2>\n", out);
    drops_chart_put(out, page);
    fputs("<table><tr><th>port", out);
    for (unsigned int drop = 0; drop < FERRY_DROPS; drop++)
        fprintf(out, "<th>%s", statspages_drop_word(drop));
    fputs("</tr>\n", out);
    for (unsigned int i = 0; i < page->nr_rows; i++) {
        fputs("<tr>", out);
        cell_put(out, page->rows[i].port.name);
        for (unsigned int drop = 0; drop < FERRY_DROPS; drop++)
            fprintf(out, "<td>%llu", (unsigned long long)page->rows[i].port.drops[drop]);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

static void time_row_put(FILE *out, const char *what, const struct ferry_stats_stage *times)
{
    fprintf(out, "<tr><td>%s<td>%llu<td>%.2f</tr>\n", what, (unsigned long long)times->nr,
            times->nr ? (double)times->sum_ns / (double)times->nr / 1000 : 0);
}

static void loop_put(FILE *out, const struct ferry_stats *stats)
{
    fprintf(out,
            "<h2>Loop</h2><p>%llu turns, %llu times asleep, %llu grant copies in %llu hypercalls, "
            "%llu notifications; %u of "
            "%u buffers free; %u addresses known</p>\n<table><tr><th>part of a turn<th>timed "
            "turns<th>mean, us</tr>\n",
            (unsigned long long)stats->nr_turns, (unsigned long long)stats->nr_sleeps,
            (unsigned long long)stats->nr_copies, (unsigned long long)stats->nr_copy_calls,
            (unsigned long long)stats->nr_notifications, stats->nr_mbufs_free, stats->nr_mbufs,
            stats->nr_stations_known);
    for (unsigned int i = 0; i < FERRY_STAGES; i++)
        time_row_put(out, statspages_stage_word(i), &stats->stages[i]);
    fputs("</table>\n", out);
    if (!statspages_has_more(stats))
        return;
    fputs("<table><tr><th>latency, of a few<th>timed<th>mean, us</tr>\n", out);
    time_row_put(out, "guest's event until its frames were taken",
                 &stats->latencies[FERRY_LATENCY_TAKEN]);
    time_row_put(out, "frame queued until it was in the guest",
                 &stats->latencies[FERRY_LATENCY_QUEUED]);
    fputs("</table>\n", out);
}

/* A cell with a number that came with version 3. */
static void part_put(FILE *out, const struct ferry_stats *stats, uint64_t value)
{
    if (statspages_has_parts(stats))
        fprintf(out, "<td>%llu", (unsigned long long)value);
    else
        fputs("<td>-", out);
}

static void queue_put(FILE *out, const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_queue *queue = &stats->queues[place];
    const struct ferry_stats_queue_more *more = &stats->queues_more[place];

    fputs("<tr>", out);
    cell_put(out, stats->ports[queue->port].name);
    fprintf(out, "<td>%u<td>%u<td>%llu<td>%llu<td>%llu<td>%llu", queue->index, queue->nr_waiting,
            (unsigned long long)queue->in_frames, (unsigned long long)queue->in_bytes,
            (unsigned long long)queue->out_frames, (unsigned long long)queue->out_bytes);
    part_put(out, stats, more->nr_copies);
    part_put(out, stats, more->nr_notifications);
    part_put(out, stats, more->nr_events);
    for (enum ferry_drop drop = 0; drop < FERRY_QUEUE_DROPS; drop++)
        part_put(out, stats, more->drops[drop]);
    fputs("</tr>\n", out);
}

static void queues_put(FILE *out, const struct ferry_stats *stats)
{
    fputs(
        "<h2>Queues</h2><table><tr><th>port<th>queue<th>waiting<th>in, frames<th>in, bytes<th>out, "
        "frames<th>out, bytes<th>grant copies<th>events to the guest<th>events from it",
        out);
    for (enum ferry_drop drop = 0; drop < FERRY_QUEUE_DROPS; drop++)
        fprintf(out, "<th>dropped: %s", statspages_drop_word(drop));
    fputs("</tr>\n", out);
    for (unsigned int i = 0; i < stats->nr_queues; i++)
        queue_put(out, stats, i);
    fputs("</table>\n", out);
}

static void bridges_put(FILE *out, const struct ferry_stats *stats)
{
    fputs("<h2>Bridges</h2><table><tr><th>bridge<th>ports<th>addresses<th>forwarded, "
          "frames<th>bytes<th>flooded, frames<th>bytes<th>dropped, frames<th>bytes</tr>\n",
          out);
    for (unsigned int i = 0; i < stats->nr_bridges; i++) {
        const struct ferry_stats_bridge *bridge = &stats->bridges[i];
        const struct ferry_stats_bridge_bytes *bytes = &stats->bridges_bytes[i];

        fputs("<tr>", out);
        cell_put(out, bridge->name);
        fprintf(out, "<td>%u<td>%u<td>%llu", bridge->nr_ports, bridge->nr_stations,
                (unsigned long long)bridge->nr_forwarded);
        part_put(out, stats, bytes->forwarded);
        fprintf(out, "<td>%llu", (unsigned long long)bridge->nr_flooded);
        part_put(out, stats, bytes->flooded);
        fprintf(out, "<td>%lu", statspages_bridge_drops(bridge));
        part_put(out, stats, statspages_bridge_drop_bytes(bytes));
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

void report_page_write(FILE *out, const struct report_page *page)
{
    const struct journal *journal = page->journal;

    fputs("<!doctype html>\n<html lang=en><meta charset=utf-8><title>", out);
    report_html_text(out, journal->name);
    fprintf(out, ": driver domain</title><style>%s</style>\n<h1>", style);
    report_html_text(out, journal->name);
    fputs("</h1><p>", out);
    report_html_text(out, page->state);
    fputs(", ", out);
    time_put(out, page->now_ms);
    if (journal->unisolated)
        fputs(", <span class=bad>NOT isolated (--allow-unisolated)</span>", out);
    fputs("</p>\n", out);
    if (page->stats) {
        ports_put(out, page);
        drops_put(out, page);
        if (statspages_has_more(page->stats)) {
            queues_put(out, page->stats);
            bridges_put(out, page->stats);
        }
        loop_put(out, page->stats);
    } else if (journal->is_linux) {
        fputs("<p>No statistics: it runs Linux, and only Ferry's kernel has them.</p>\n", out);
    } else {
        fputs("<p>No statistics: it does not run, or its kernel shows none.</p>\n", out);
    }
    deaths_put(out, journal);
    fputs("</html>\n", out);
}
