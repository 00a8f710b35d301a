/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/vifs_json.h"

#include "xen/statspages.h"

static void queue_more_json(struct json *json, const struct ferry_stats_queue_more *more)
{
    json_integer(json, "copies", (int64_t)more->nr_copies);
    json_integer(json, "notifications", (int64_t)more->nr_notifications);
    json_integer(json, "events", (int64_t)more->nr_events);
    json_map_open(json, "drops");
    for (enum ferry_drop drop = 0; drop < FERRY_QUEUE_DROPS; drop++)
        json_integer(json, statspages_drop_word(drop), (int64_t)more->drops[drop]);
    json_map_close(json);
}

static void queue_json(struct json *json, const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_queue *queue = &stats->queues[place];

    json_map_open(json, NULL);
    json_integer(json, "queue", queue->index);
    json_integer(json, "waiting", queue->nr_waiting);
    json_integer(json, "in_frames", (int64_t)queue->in_frames);
    json_integer(json, "in_bytes", (int64_t)queue->in_bytes);
    json_integer(json, "out_frames", (int64_t)queue->out_frames);
    json_integer(json, "out_bytes", (int64_t)queue->out_bytes);
    if (statspages_has_parts(stats))
        queue_more_json(json, &stats->queues_more[place]);
    json_map_close(json);
}

static void vif_more_json(struct json *json, const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_more *more = &stats->more[place];

    json_integer(json, "copies", (int64_t)more->nr_copies);
    json_integer(json, "notifications", (int64_t)more->nr_notifications);
    json_integer(json, "events", (int64_t)more->nr_events);
    json_array_open(json, "each_queue");
    for (unsigned int i = 0; i < stats->nr_queues; i++)
        if (stats->queues[i].port == place)
            queue_json(json, stats, i);
    json_array_close(json);
}

/* What cannot be told is not there. */
static void ring_json(struct json *json, const char *name, uint32_t size, const char *what,
                      uint32_t nr)
{
    json_map_open(json, name);
    json_integer(json, "descriptors", size);
    if (nr != FERRY_STATS_UNKNOWN)
        json_integer(json, what, nr);
    json_map_close(json);
}

static void nic_more_json(struct json *json, const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_more *more = &stats->more[place];

    json_integer(json, "waiting", stats->ports[place].nr_waiting);
    ring_json(json, "in_ring", more->in_ring, "filled", more->in_filled);
    ring_json(json, "out_ring", more->out_ring, "used", more->out_used);
    if (!(more->flags & FERRY_MORE_ERRORS))
        return;
    json_integer(json, "missed", (int64_t)more->nr_missed);
    json_integer(json, "no_buffers", (int64_t)more->nr_no_buffers);
    json_integer(json, "in_errors", (int64_t)more->nr_in_errors);
    json_integer(json, "out_errors", (int64_t)more->nr_out_errors);
}

static void bridge_drops_json(struct json *json, const char *name,
                              const uint64_t drops[FERRY_BRIDGE_DROPS])
{
    json_map_open(json, name);
    for (enum ferry_bridge_drop drop = 0; drop < FERRY_BRIDGE_DROPS; drop++)
        json_integer(json, statspages_bridge_drop_word(drop), (int64_t)drops[drop]);
    json_map_close(json);
}

static void bridges_json(struct json *json, const struct ferry_stats *stats)
{
    json_array_open(json, "bridges");
    for (unsigned int i = 0; i < stats->nr_bridges; i++) {
        const struct ferry_stats_bridge *bridge = &stats->bridges[i];
        const struct ferry_stats_bridge_bytes *bytes = &stats->bridges_bytes[i];

        json_map_open(json, NULL);
        json_string(json, "bridge", bridge->name);
        json_integer(json, "ports", bridge->nr_ports);
        json_integer(json, "stations", bridge->nr_stations);
        json_integer(json, "forwarded", (int64_t)bridge->nr_forwarded);
        json_integer(json, "flooded", (int64_t)bridge->nr_flooded);
        bridge_drops_json(json, "drops", bridge->drops);
        if (statspages_has_parts(stats)) {
            json_integer(json, "forwarded_bytes", (int64_t)bytes->forwarded);
            json_integer(json, "flooded_bytes", (int64_t)bytes->flooded);
            bridge_drops_json(json, "drop_bytes", bytes->drops);
        }
        json_map_close(json);
    }
    json_array_close(json);
}

static void port_json(struct observe *observe, const struct ferry_stats *stats, unsigned int place)
{
    const struct ferry_stats_port *port = &stats->ports[place];
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
    if (statspages_has_more(stats) && port->kind == FERRY_PORT_VIF)
        vif_more_json(json, stats, place);
    else if (statspages_has_more(stats))
        nic_more_json(json, stats, place);
    json_map_close(json);
}

/* nr_word: what is said of how many there were. */
static void times_json(struct json *json, const char *name, const char *nr_word,
                       const struct ferry_stats_stage *times)
{
    json_map_open(json, name);
    json_integer(json, nr_word, (int64_t)times->nr);
    json_integer(json, "ns", (int64_t)times->sum_ns);
    json_array_open(json, "buckets");
    for (unsigned int bucket = 0; bucket < FERRY_STATS_BUCKETS; bucket++)
        json_integer(json, NULL, times->buckets[bucket]);
    json_array_close(json);
    json_map_close(json);
}

static void stages_json(struct json *json, const struct ferry_stats *stats)
{
    json_map_open(json, "stages");
    for (enum ferry_stage i = 0; i < FERRY_STAGES; i++)
        times_json(json, statspages_stage_word(i), "timed_turns", &stats->stages[i]);
    json_map_close(json);
}

static void latencies_json(struct json *json, const struct ferry_stats *stats)
{
    json_map_open(json, "latencies");
    for (enum ferry_latency i = 0; i < FERRY_LATENCIES; i++)
        times_json(json, statspages_latency_word(i), "timed", &stats->latencies[i]);
    json_map_close(json);
}

void vifs_json(struct observe *observe, const struct journal *journal,
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
        port_json(observe, stats, i);
    json_array_close(json);
    if (statspages_has_more(stats)) {
        bridges_json(json, stats);
        latencies_json(json, stats);
    }
    json_map_close(json);
}
