/* SPDX-License-Identifier: BSD-2-Clause */
/* vifs: a line for each port of a driver domain: whose it is, what went through, what was dropped and why. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/observe.h"
#include "xen/statspages.h"

#define ROW "%-10s %-16s %-17s %-15s %-9s %12s %12s %12s %12s %9s %s\n"
#define NUMBER_SIZE 24

static const char *number(char text[NUMBER_SIZE], uint64_t value)
{
    snprintf(text, NUMBER_SIZE, "%llu", (unsigned long long)value);
    return text;
}

/* "reason nr" of those that there were. */
static void reasons(const struct ferry_stats_port *port, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (enum ferry_drop drop = 0; drop < FERRY_DROPS; drop++)
        if (port->drops[drop] && used < size)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s %llu", used ? ", " : "",
                                 statspages_drop_word(drop), (unsigned long long)port->drops[drop]);
}

static void port_text(struct observe *observe, const struct ferry_stats_port *port)
{
    char guest[GUEST_NAME_SIZE] = "-", mac[OBSERVE_MAC_SIZE], why[256];
    char in[NUMBER_SIZE], in_bytes[NUMBER_SIZE], out[NUMBER_SIZE], out_bytes[NUMBER_SIZE],
        dropped[NUMBER_SIZE];

    if (port->kind == FERRY_PORT_VIF)
        guest_name(&observe->host, port->guest, guest);
    observe_mac(port->mac, mac);
    reasons(port, why, sizeof(why));
    printf(ROW, port->name, guest, mac, *port->bridge ? port->bridge : "-",
           statspages_state_word(port), number(in, port->in_frames),
           number(in_bytes, port->in_bytes), number(out, port->out_frames),
           number(out_bytes, port->out_bytes), number(dropped, statspages_drops(port)), why);
}

static void port_json(struct observe *observe, const struct ferry_stats_port *port)
{
    char guest[GUEST_NAME_SIZE], mac[OBSERVE_MAC_SIZE];
    struct json *json = observe->json;

    json_map_open(json, NULL);
    json_string(json, "port", port->name);
    json_string(json, "kind", port->kind == FERRY_PORT_VIF ? "vif" : "nic");
    if (port->kind == FERRY_PORT_VIF) {
        guest_name(&observe->host, port->guest, guest);
        json_string(json, "guest", guest);
        json_integer(json, "guest_domid", port->guest);
        json_integer(json, "handle", port->handle);
        json_integer(json, "queues", port->nr_queues);
        json_integer(json, "waiting", port->nr_waiting);
    }
    observe_mac(port->mac, mac);
    json_string(json, "mac", mac);
    json_string(json, "bridge", port->bridge);
    json_string(json, "state", statspages_state_word(port));
    json_bool(json, "full", port->flags & FERRY_PORT_FULL);
    json_bool(json, "isolated", port->flags & FERRY_PORT_ISOLATED);
    json_integer(json, "mtu", port->mtu);
    json_integer(json, "in_frames", (int64_t)port->in_frames);
    json_integer(json, "in_bytes", (int64_t)port->in_bytes);
    json_integer(json, "out_frames", (int64_t)port->out_frames);
    json_integer(json, "out_bytes", (int64_t)port->out_bytes);
    json_map_open(json, "drops");
    for (enum ferry_drop drop = 0; drop < FERRY_DROPS; drop++)
        json_integer(json, statspages_drop_word(drop), (int64_t)port->drops[drop]);
    json_map_close(json);
    json_map_close(json);
}

static void stages_json(struct json *json, const struct ferry_stats *stats)
{
    json_map_open(json, "stages");
    for (enum ferry_stage i = 0; i < FERRY_STAGES; i++) {
        const struct ferry_stats_stage *stage = &stats->stages[i];

        json_map_open(json, statspages_stage_word(i));
        json_integer(json, "timed_turns", (int64_t)stage->nr);
        json_integer(json, "ns", (int64_t)stage->sum_ns);
        json_array_open(json, "buckets");
        for (unsigned int bucket = 0; bucket < FERRY_STATS_BUCKETS; bucket++)
            json_integer(json, NULL, stage->buckets[bucket]);
        json_array_close(json);
        json_map_close(json);
    }
    json_map_close(json);
}

static void domain_json(struct observe *observe, const struct journal *journal,
                        const struct ferry_stats *stats)
{
    struct json *json = observe->json;

    json_map_open(json, NULL);
    json_string(json, "name", journal->name);
    json_integer(json, "generation", stats->generation);
    json_integer(json, "began_ns", (int64_t)stats->began_ns);
    json_integer(json, "written_ns", (int64_t)stats->written_ns);
    json_integer(json, "turns", (int64_t)stats->nr_turns);
    json_integer(json, "sleeps", (int64_t)stats->nr_sleeps);
    json_integer(json, "copies", (int64_t)stats->nr_copies);
    json_integer(json, "copy_hypercalls", (int64_t)stats->nr_copy_calls);
    json_integer(json, "notifications", (int64_t)stats->nr_notifications);
    json_integer(json, "mbufs", stats->nr_mbufs);
    json_integer(json, "mbufs_free", stats->nr_mbufs_free);
    stages_json(json, stats);
    json_array_open(json, "ports");
    for (unsigned int i = 0; i < stats->nr_ports; i++)
        port_json(observe, &stats->ports[i]);
    json_array_close(json);
    json_map_close(json);
}

static void show(struct observe *observe, const struct journal *journal,
                 const struct ferry_stats *stats)
{
    if (observe->json) {
        domain_json(observe, journal, stats);
        return;
    }
    printf("%s\n" ROW, journal->name, "port", "guest", "mac", "bridge", "state", "in", "bytes",
           "out", "bytes", "dropped", "why");
    for (unsigned int i = 0; i < stats->nr_ports; i++)
        port_text(observe, &stats->ports[i]);
}

int command_vifs(int argc, char **argv)
{
    return observe_run(argc, argv, show);
}
