/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/metrics_more.h"

#include <stddef.h>
#include <stdio.h>

#include "xen/statspages.h"

#define NS 1e9
#define FIRST_NS 256 /* ferry/stats.h: upper end of the first bucket */

/* The domains, while their families are written one by one. */
struct writing {
    struct exposition *e;
    const struct metrics_more *domains;
    unsigned int nr;
};

#define EACH(w, d)                                                                                 \
    for (const struct metrics_more *d = (w)->domains; d < (w)->domains + (w)->nr; d++)

static uint64_t at(const void *start, size_t offset)
{
    return *(const uint64_t *)((const char *)start + offset);
}

/* A value of queue i; label: NULL, or the name of one more label, with its value. */
static void queue_value_put(const struct writing *w, const char *name, enum exposition_type type,
                            const struct metrics_more *d, unsigned int i, const char *label,
                            const char *value, uint64_t nr)
{
    const struct ferry_stats_queue *queue = &d->stats->queues[i];
    const struct exposition_labels *labels;
    char index[4];

    snprintf(index, sizeof(index), "%u", queue->index);
    labels = EXPOSITION_LABELS("domain", d->name, "port", d->stats->ports[queue->port].name,
                               "guest", d->guests[queue->port], "queue", index, label, value);
    if (type == EXPOSITION_GAUGE)
        exposition_gauge(w->e, name, labels, (double)nr);
    else
        exposition_counter(w->e, name, labels, nr);
}

/* A counter of each queue; in, out: where it is in struct ferry_stats_queue. */
static void queue_counter_put(const struct writing *w, const char *name, const char *help,
                              size_t in, size_t out)
{
    const struct {
        const char *word;
        size_t offset;
    } directions[] = { { "in", in }, { "out", out } };

    exposition_family(w->e, name, EXPOSITION_COUNTER, help);
    EACH(w, d)
    for (unsigned int i = 0; i < 2 * d->stats->nr_queues; i++)
        queue_value_put(w, name, EXPOSITION_COUNTER, d, i / 2, "direction", directions[i % 2].word,
                        at(&d->stats->queues[i / 2], directions[i % 2].offset));
}

/* Those domains whose pages tell of parts: statspages_has_parts(). */
#define EACH_PARTS(w, d) EACH(w, d) if (statspages_has_parts(d->stats))

/* The same of one that has no direction; offset: in struct ferry_stats_queue_more. */
static void queue_more_put(const struct writing *w, const char *name, const char *help,
                           size_t offset)
{
    exposition_family(w->e, name, EXPOSITION_COUNTER, help);
    EACH_PARTS(w, d)
    for (unsigned int i = 0; i < d->stats->nr_queues; i++)
        queue_value_put(w, name, EXPOSITION_COUNTER, d, i, NULL, NULL,
                        at(&d->stats->queues_more[i], offset));
}

static void queue_drops_put(const struct writing *w)
{
    static const char name[] = "ferry_queue_drops";

    exposition_family(w->e, name, EXPOSITION_COUNTER,
                      "Those of ferry_port_drops that were on that queue, or for it.");
    EACH_PARTS(w, d)
    for (unsigned int i = 0; i < FERRY_QUEUE_DROPS * d->stats->nr_queues; i++) {
        enum ferry_drop drop = i % FERRY_QUEUE_DROPS;

        queue_value_put(w, name, EXPOSITION_COUNTER, d, i / FERRY_QUEUE_DROPS, "reason",
                        statspages_drop_word(drop),
                        d->stats->queues_more[i / FERRY_QUEUE_DROPS].drops[drop]);
    }
}

static void queues_put(const struct writing *w)
{
    static const char waiting[] = "ferry_queue_waiting_frames";

    queue_counter_put(
        w, "ferry_queue_frames",
        "Frames that went through a queue of a guest's interface; in is from the guest.",
        offsetof(struct ferry_stats_queue, in_frames),
        offsetof(struct ferry_stats_queue, out_frames));
    queue_counter_put(w, "ferry_queue_bytes", "Bytes of these frames.",
                      offsetof(struct ferry_stats_queue, in_bytes),
                      offsetof(struct ferry_stats_queue, out_bytes));
    exposition_family(w->e, waiting, EXPOSITION_GAUGE,
                      "Frames that the guest has no room for yet on that queue.");
    EACH(w, d)
    for (unsigned int i = 0; i < d->stats->nr_queues; i++)
        queue_value_put(w, waiting, EXPOSITION_GAUGE, d, i, NULL, NULL,
                        d->stats->queues[i].nr_waiting);
    queue_more_put(w, "ferry_queue_grant_copies", "Copies from and to a guest, on that queue.",
                   offsetof(struct ferry_stats_queue_more, nr_copies));
    queue_more_put(w, "ferry_queue_notifications", "Events sent to a guest for that queue.",
                   offsetof(struct ferry_stats_queue_more, nr_notifications));
    queue_more_put(w, "ferry_queue_events", "Events that a guest sent for that queue.",
                   offsetof(struct ferry_stats_queue_more, nr_events));
    queue_drops_put(w);
}

/* A counter of each vif; offset: where it is in struct ferry_stats_more. */
static void vif_counter_put(const struct writing *w, const char *name, const char *help,
                            size_t offset)
{
    exposition_family(w->e, name, EXPOSITION_COUNTER, help);
    EACH(w, d)
    for (unsigned int i = 0; i < d->stats->nr_ports; i++) {
        const struct ferry_stats_port *port = &d->stats->ports[i];

        if (port->kind == FERRY_PORT_VIF)
            exposition_counter(w->e, name,
                               EXPOSITION_LABELS("domain", d->name, "port", port->name, "guest",
                                                 d->guests[i], "bridge", port->bridge),
                               at(&d->stats->more[i], offset));
    }
}

static void vifs_put(const struct writing *w)
{
    vif_counter_put(w, "ferry_vif_grant_copies", "Copies from and to the pages of a guest.",
                    offsetof(struct ferry_stats_more, nr_copies));
    vif_counter_put(w, "ferry_vif_notifications", "Events sent to a guest for its interface.",
                    offsetof(struct ferry_stats_more, nr_notifications));
    vif_counter_put(w, "ferry_vif_events", "Events that a guest sent for its interface.",
                    offsetof(struct ferry_stats_more, nr_events));
}

#define EACH_BRIDGE(w, d, b)                                                                       \
    EACH(w, d)                                                                                     \
    for (const struct ferry_stats_bridge *b = d->stats->bridges;                                   \
         b < d->stats->bridges + d->stats->nr_bridges; b++)

static void bridge_counter_put(const struct writing *w, const char *name,
                               const struct metrics_more *d,
                               const struct ferry_stats_bridge *bridge, const char *label,
                               const char *value, uint64_t nr)
{
    exposition_counter(
        w->e, name, EXPOSITION_LABELS("domain", d->name, "bridge", bridge->name, label, value), nr);
}

static void bridge_gauge_put(const struct writing *w, const char *name, const char *help,
                             size_t offset)
{
    exposition_family(w->e, name, EXPOSITION_GAUGE, help);
    EACH_BRIDGE(w, d, bridge)
    exposition_gauge(w->e, name, EXPOSITION_LABELS("domain", d->name, "bridge", bridge->name),
                     *(const uint32_t *)((const char *)bridge + offset));
}

static void bridge_bytes_put(const struct writing *w)
{
    static const char bytes[] = "ferry_bridge_bytes", dropped[] = "ferry_bridge_dropped_bytes";

    exposition_family(w->e, bytes, EXPOSITION_COUNTER,
                      "Bytes of the frames in ferry_bridge_frames, as long as they came in.");
    EACH_BRIDGE(w, d, bridge)
    {
        const struct ferry_stats_bridge_bytes *counted =
            &d->stats->bridges_bytes[bridge - d->stats->bridges];

        if (!statspages_has_parts(d->stats))
            continue;
        bridge_counter_put(w, bytes, d, bridge, "way", "forwarded", counted->forwarded);
        bridge_counter_put(w, bytes, d, bridge, "way", "flooded", counted->flooded);
    }
    exposition_family(w->e, dropped, EXPOSITION_COUNTER,
                      "Bytes of the frames in ferry_bridge_drops, as long as they came in.");
    EACH_BRIDGE(w, d, bridge)
    for (enum ferry_bridge_drop drop = 0;
         drop < FERRY_BRIDGE_DROPS && statspages_has_parts(d->stats); drop++)
        bridge_counter_put(w, dropped, d, bridge, "reason", statspages_bridge_drop_word(drop),
                           d->stats->bridges_bytes[bridge - d->stats->bridges].drops[drop]);
}

static void bridges_put(const struct writing *w)
{
    static const char frames[] = "ferry_bridge_frames", drops[] = "ferry_bridge_drops";

    exposition_family(
        w->e, frames, EXPOSITION_COUNTER,
        "Frames that a bridge passed on: forwarded to the port of a known station, or "
        "flooded, which counts once.");
    EACH_BRIDGE(w, d, bridge)
    {
        bridge_counter_put(w, frames, d, bridge, "way", "forwarded", bridge->nr_forwarded);
        bridge_counter_put(w, frames, d, bridge, "way", "flooded", bridge->nr_flooded);
    }
    exposition_family(w->e, drops, EXPOSITION_COUNTER,
                      "Frames that a bridge did not pass on, by reason (ferry(8)); most are in "
                      "ferry_port_drops too.");
    EACH_BRIDGE(w, d, bridge)
    for (enum ferry_bridge_drop drop = 0; drop < FERRY_BRIDGE_DROPS; drop++)
        bridge_counter_put(w, drops, d, bridge, "reason", statspages_bridge_drop_word(drop),
                           bridge->drops[drop]);
    bridge_bytes_put(w);
    bridge_gauge_put(w, "ferry_bridge_stations", "Addresses that a bridge knows.",
                     offsetof(struct ferry_stats_bridge, nr_stations));
    bridge_gauge_put(w, "ferry_bridge_ports", "Ports of a bridge.",
                     offsetof(struct ferry_stats_bridge, nr_ports));
}

#define EACH_NIC(w, d, i)                                                                          \
    EACH(w, d)                                                                                     \
    for (unsigned int i = 0; i < d->stats->nr_ports; i++)                                          \
        if (d->stats->ports[i].kind == FERRY_PORT_NIC)

static void nic_counter_put(const struct writing *w, const char *name, const char *help,
                            size_t offset)
{
    exposition_family(w->e, name, EXPOSITION_COUNTER, help);
    EACH_NIC(w, d, i)
    if (d->stats->more[i].flags & FERRY_MORE_ERRORS)
        exposition_counter(w->e, name,
                           EXPOSITION_LABELS("domain", d->name, "port", d->stats->ports[i].name),
                           at(&d->stats->more[i], offset));
}

static void nic_errors_put(const struct writing *w)
{
    static const char name[] = "ferry_nic_errors";

    exposition_family(w->e, name, EXPOSITION_COUNTER,
                      "Frames that the hardware found damaged, or could not send.");
    EACH_NIC(w, d, i)
    {
        const struct ferry_stats_more *more = &d->stats->more[i];
        const char *port = d->stats->ports[i].name;

        if (!(more->flags & FERRY_MORE_ERRORS))
            continue;
        exposition_counter(w->e, name,
                           EXPOSITION_LABELS("domain", d->name, "port", port, "direction", "in"),
                           more->nr_in_errors);
        exposition_counter(w->e, name,
                           EXPOSITION_LABELS("domain", d->name, "port", port, "direction", "out"),
                           more->nr_out_errors);
    }
}

/* A gauge of both rings of each NIC, where it is known. */
static void nic_rings_put(const struct writing *w, const char *name, const char *help, size_t in,
                          size_t out)
{
    const struct {
        const char *word;
        size_t offset;
    } rings[] = { { "receive", in }, { "transmit", out } };

    exposition_family(w->e, name, EXPOSITION_GAUGE, help);
    EACH_NIC(w, d, i)
    for (unsigned int r = 0; r < 2; r++) {
        const char *more = (const char *)&d->stats->more[i];
        uint32_t nr = *(const uint32_t *)(more + rings[r].offset);

        if (nr != FERRY_STATS_UNKNOWN)
            exposition_gauge(w->e, name,
                             EXPOSITION_LABELS("domain", d->name, "port", d->stats->ports[i].name,
                                               "ring", rings[r].word),
                             nr);
    }
}

static void nics_put(const struct writing *w)
{
    nic_counter_put(w, "ferry_nic_missed_frames", "Frames that came when the NIC had no room.",
                    offsetof(struct ferry_stats_more, nr_missed));
    nic_counter_put(w, "ferry_nic_no_buffers",
                    "Packet buffers that the NIC's driver wanted and did not get.",
                    offsetof(struct ferry_stats_more, nr_no_buffers));
    nic_errors_put(w);
    nic_rings_put(w, "ferry_nic_ring_descriptors", "Descriptors of a NIC's rings.",
                  offsetof(struct ferry_stats_more, in_ring),
                  offsetof(struct ferry_stats_more, out_ring));
    nic_rings_put(
        w, "ferry_nic_ring_used", "Those of them with frames that wait to be taken, or to be sent.",
        offsetof(struct ferry_stats_more, in_filled), offsetof(struct ferry_stats_more, out_used));
}

void metrics_times_put(struct exposition *exposition, const char *name,
                       const struct exposition_labels *labels,
                       const struct ferry_stats_stage *times)
{
    double limits[FERRY_STATS_BUCKETS - 1];
    uint64_t counts[FERRY_STATS_BUCKETS];

    for (unsigned int i = 0; i < FERRY_STATS_BUCKETS - 1; i++)
        limits[i] = (double)((uint64_t)FIRST_NS << i) / NS;
    for (unsigned int i = 0; i < FERRY_STATS_BUCKETS; i++)
        counts[i] = times->buckets[i];
    exposition_histogram(exposition, name, labels, limits, counts, FERRY_STATS_BUCKETS - 1,
                         (double)times->sum_ns / NS);
}

static void latencies_put(const struct writing *w)
{
    static const struct {
        const char *name, *help;
    } families[FERRY_LATENCIES] = {
        [FERRY_LATENCY_TAKEN] = { "ferry_vif_service_seconds",
                                  "From when a guest's event was seen until its frames were taken, "
                                  "in one turn of the loop in 16." },
        [FERRY_LATENCY_QUEUED] = { "ferry_vif_queue_seconds",
                                   "How long a frame waited for its guest until it was there, of "
                                   "the last one queued in one turn of the loop in 16." },
    };

    for (enum ferry_latency i = 0; i < FERRY_LATENCIES; i++) {
        exposition_family(w->e, families[i].name, EXPOSITION_HISTOGRAM, families[i].help);
        EACH(w, d)
        metrics_times_put(w->e, families[i].name, EXPOSITION_LABELS("domain", d->name),
                          &d->stats->latencies[i]);
    }
}

void metrics_more_put(struct exposition *exposition, const struct metrics_more *domains,
                      unsigned int nr)
{
    const struct writing w = { .e = exposition, .domains = domains, .nr = nr };

    queues_put(&w);
    vifs_put(&w);
    bridges_put(&w);
    nics_put(&w);
    latencies_put(&w);
}
