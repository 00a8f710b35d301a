/* SPDX-License-Identifier: BSD-2-Clause */
/* vifs: a line for each port of a driver domain: whose it is, what went through, what was dropped and why. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/observe.h"
#include "cli/vifs_json.h"
#include "util/log.h"
#include "xen/statspages.h"

#define ROW "%-10s %-16s %-17s %-15s %-9s %12s %12s %12s %12s %9s %s\n"
#define QUEUE_ROW "%-10s %-16s %5s %8s %12s %12s %12s %12s %12s %10s %10s %9s %s\n"
#define BRIDGE_ROW "%-15s %5s %8s %12s %12s %12s %12s %9s %12s %s\n"
#define NUMBER_SIZE 24
#define WHY_SIZE 256

static const char *number(char text[NUMBER_SIZE], uint64_t value)
{
    snprintf(text, NUMBER_SIZE, "%llu", (unsigned long long)value);
    return text;
}

/* "reason nr" of those that there were. word: what a reason is called */
static void reasons_add(char text[WHY_SIZE], const char *word, uint64_t nr)
{
    size_t used = strlen(text);

    if (nr)
        snprintf(text + used, WHY_SIZE - used, "%s%s %llu", used ? ", " : "", word,
                 (unsigned long long)nr);
}

static void port_reasons(const struct ferry_stats_port *port, char text[WHY_SIZE])
{
    text[0] = '\0';
    for (enum ferry_drop drop = 0; drop < FERRY_DROPS; drop++)
        reasons_add(text, statspages_drop_word(drop), port->drops[drop]);
}

static void bridge_reasons(const struct ferry_stats_bridge *bridge, char text[WHY_SIZE])
{
    text[0] = '\0';
    for (enum ferry_bridge_drop drop = 0; drop < FERRY_BRIDGE_DROPS; drop++)
        reasons_add(text, statspages_bridge_drop_word(drop), bridge->drops[drop]);
}

static void queue_reasons(const struct ferry_stats_queue_more *queue, char text[WHY_SIZE])
{
    text[0] = '\0';
    for (enum ferry_drop drop = 0; drop < FERRY_QUEUE_DROPS; drop++)
        reasons_add(text, statspages_drop_word(drop), queue->drops[drop]);
}

/* What a NIC lost before it was a port's frame: not among those dropped. */
static void nic_reasons_add(const struct ferry_stats_more *more, char text[WHY_SIZE])
{
    if (!(more->flags & FERRY_MORE_ERRORS))
        return;
    reasons_add(text, "missed by the NIC", more->nr_missed);
    reasons_add(text, "no buffer for the NIC", more->nr_no_buffers);
    reasons_add(text, "damaged on the wire", more->nr_in_errors);
    reasons_add(text, "not sent by the NIC", more->nr_out_errors);
}

static void port_text(struct observe *observe, const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_port *port = &stats->ports[place];
    char guest[GUEST_NAME_SIZE] = "-", mac[OBSERVE_MAC_SIZE], why[WHY_SIZE];
    char in[NUMBER_SIZE], in_bytes[NUMBER_SIZE], out[NUMBER_SIZE], out_bytes[NUMBER_SIZE],
        dropped[NUMBER_SIZE];

    if (port->kind == FERRY_PORT_VIF)
        guest_name(&observe->host, port->guest, guest);
    observe_mac(port->mac, mac);
    port_reasons(port, why);
    if (port->kind == FERRY_PORT_NIC)
        nic_reasons_add(&stats->more[place], why);
    printf(ROW, port->name, guest, mac, *port->bridge ? port->bridge : "-",
           statspages_state_word(port), number(in, port->in_frames),
           number(in_bytes, port->in_bytes), number(out, port->out_frames),
           number(out_bytes, port->out_bytes), number(dropped, statspages_drops(port)), why);
}

/* Returns false, and says why, for a kernel that shows none of it. */
static bool has_more(const struct journal *journal, const struct ferry_stats *stats)
{
    if (statspages_has_more(stats))
        return true;
    observe_kernel_tell(journal, "is older than these tools and counts no queues and no bridges");
    return false;
}

/* A number that came with version 3. */
static const char *part(const struct ferry_stats *stats, char text[NUMBER_SIZE], uint64_t value)
{
    return statspages_has_parts(stats) ? number(text, value) : "-";
}

/* Says what is missing, if something is; the rest is shown. */
static void parts_look(const struct journal *journal, const struct ferry_stats *stats,
                       const char *lacks)
{
    if (!statspages_has_parts(stats))
        observe_kernel_tell(journal, lacks);
}

static void queue_text(struct observe *observe, const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_queue *queue = &stats->queues[place];
    const struct ferry_stats_queue_more *more = &stats->queues_more[place];
    const struct ferry_stats_port *port = &stats->ports[queue->port];
    char guest[GUEST_NAME_SIZE], index[NUMBER_SIZE], waiting[NUMBER_SIZE], in[NUMBER_SIZE],
        in_bytes[NUMBER_SIZE], out[NUMBER_SIZE], out_bytes[NUMBER_SIZE], copies[NUMBER_SIZE],
        notifications[NUMBER_SIZE], events[NUMBER_SIZE], dropped[NUMBER_SIZE], why[WHY_SIZE];

    guest_name(&observe->host, port->guest, guest);
    queue_reasons(more, why);
    printf(QUEUE_ROW, port->name, guest, number(index, queue->index),
           number(waiting, queue->nr_waiting), number(in, queue->in_frames),
           number(in_bytes, queue->in_bytes), number(out, queue->out_frames),
           number(out_bytes, queue->out_bytes), part(stats, copies, more->nr_copies),
           part(stats, notifications, more->nr_notifications), part(stats, events, more->nr_events),
           part(stats, dropped, statspages_queue_drops(more)), why);
}

static void queues_text(struct observe *observe, const struct journal *journal,
                        const struct ferry_stats *stats)
{
    if (!has_more(journal, stats)) {
        observe->failed = true;
        return;
    }
    printf("%s\n" QUEUE_ROW, journal->name, "port", "guest", "queue", "waiting", "in", "bytes",
           "out", "bytes", "copies", "notified", "events", "dropped", "why");
    for (unsigned int i = 0; i < stats->nr_queues; i++)
        queue_text(observe, stats, i);
    parts_look(
        journal, stats,
        "is older than these tools and counts no copies, notifications and drops of a queue");
}

static void bridge_text(const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_bridge *bridge = &stats->bridges[place];
    const struct ferry_stats_bridge_bytes *bytes = &stats->bridges_bytes[place];
    char ports[NUMBER_SIZE], stations[NUMBER_SIZE], forwarded[NUMBER_SIZE],
        forwarded_bytes[NUMBER_SIZE], flooded[NUMBER_SIZE], flooded_bytes[NUMBER_SIZE],
        dropped[NUMBER_SIZE], dropped_bytes[NUMBER_SIZE], why[WHY_SIZE];

    bridge_reasons(bridge, why);
    printf(BRIDGE_ROW, bridge->name, number(ports, bridge->nr_ports),
           number(stations, bridge->nr_stations), number(forwarded, bridge->nr_forwarded),
           part(stats, forwarded_bytes, bytes->forwarded), number(flooded, bridge->nr_flooded),
           part(stats, flooded_bytes, bytes->flooded),
           number(dropped, statspages_bridge_drops(bridge)),
           part(stats, dropped_bytes, statspages_bridge_drop_bytes(bytes)), why);
}

static void bridges_text(struct observe *observe, const struct journal *journal,
                         const struct ferry_stats *stats)
{
    if (!has_more(journal, stats)) {
        observe->failed = true;
        return;
    }
    printf("%s\n" BRIDGE_ROW, journal->name, "bridge", "ports", "stations", "forwarded", "bytes",
           "flooded", "bytes", "dropped", "bytes", "why");
    for (unsigned int i = 0; i < stats->nr_bridges; i++)
        bridge_text(stats, i);
    parts_look(journal, stats, "is older than these tools and counts no bytes of a bridge");
}

static void ports_text(struct observe *observe, const struct journal *journal,
                       const struct ferry_stats *stats)
{
    printf("%s\n" ROW, journal->name, "port", "guest", "mac", "bridge", "state", "in", "bytes",
           "out", "bytes", "dropped", "why");
    for (unsigned int i = 0; i < stats->nr_ports; i++)
        port_text(observe, stats, i);
}

int command_vifs(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' },
                                             { "queues", no_argument, NULL, 'q' },
                                             { "bridges", no_argument, NULL, 'b' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    int option, chosen = 0;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option == '?' || chosen)
            return command_usage();
        chosen = option;
    }
    if (argc - optind > 1)
        return command_usage();
    return observe_all(argv[optind], chosen == 'j',
                       chosen == 'j'   ? vifs_json
                       : chosen == 'q' ? queues_text
                       : chosen == 'b' ? bridges_text
                                       : ports_text);
}
