/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/statspages.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "util/log.h"

#define TRIES 20
#define PAUSE_NS 200000
#define SIZE_OF_1 25752
#define SIZE_OF_2 39552

_Static_assert(sizeof(struct ferry_stats) % sizeof(uint64_t) == 0, "copied by words");
_Static_assert(FERRY_STATS_SIZE_1 == SIZE_OF_1, "version 1 has its size for ever");
_Static_assert(FERRY_STATS_SIZE_2 == SIZE_OF_2, "and so has version 2");
_Static_assert(FERRY_STATS_SIZE_1 % sizeof(uint64_t) == 0, "copied by words");
_Static_assert(FERRY_STATS_SIZE_2 % sizeof(uint64_t) == 0, "copied by words");

static void clean_more(struct ferry_stats *stats)
{
    if (stats->nr_queues > FERRY_STATS_QUEUES)
        stats->nr_queues = FERRY_STATS_QUEUES;
    if (stats->nr_bridges > FERRY_STATS_BRIDGES)
        stats->nr_bridges = FERRY_STATS_BRIDGES;
    for (unsigned int i = 0; i < stats->nr_bridges; i++)
        log_clean_name(stats->bridges[i].name, FERRY_STATS_NAME_SIZE);
    for (unsigned int i = 0; i < stats->nr_queues;) {
        if (stats->queues[i].port < stats->nr_ports) {
            i++;
            continue;
        }
        stats->nr_queues--;
        stats->queues[i] = stats->queues[stats->nr_queues];
        stats->queues_more[i] = stats->queues_more[stats->nr_queues];
    }
}

/* Numbers are the domain's to make up; what leads out of an array, or onto a terminal, is not. */
static void clean(struct ferry_stats *stats)
{
    if (stats->nr_ports > FERRY_STATS_PORTS)
        stats->nr_ports = FERRY_STATS_PORTS;
    if (stats->nr_stations > FERRY_STATS_STATIONS)
        stats->nr_stations = FERRY_STATS_STATIONS;
    for (unsigned int i = 0; i < stats->nr_ports; i++) {
        log_clean_name(stats->ports[i].name, FERRY_STATS_NAME_SIZE);
        log_clean_name(stats->ports[i].bridge, FERRY_STATS_NAME_SIZE);
    }
    for (unsigned int i = 0; i < stats->nr_stations;) {
        if (stats->stations[i].port < stats->nr_ports)
            i++;
        else
            stats->stations[i] = stats->stations[--stats->nr_stations];
    }
    clean_more(stats);
}

/* Of the pages' struct in that version, bytes; 0: there is no such version. */
static size_t size_of(uint32_t version)
{
    switch (version) {
    case 1:
        return FERRY_STATS_SIZE_1;
    case 2:
        return FERRY_STATS_SIZE_2;
    case FERRY_STATS_VERSION:
        return sizeof(struct ferry_stats);
    default:
        return 0;
    }
}

int statspages_nr(const volatile void *page, unsigned int *nr_r)
{
    const volatile struct ferry_stats *stats = page;
    uint32_t version = stats->version;

    if (stats->magic != FERRY_STATS_MAGIC || version == 0)
        return -EAGAIN;
    if (version > FERRY_STATS_VERSION)
        return -EPROTONOSUPPORT;
    *nr_r = (version == 1   ? FERRY_STATS_BYTES_1
             : version == 2 ? FERRY_STATS_BYTES_2
                            : FERRY_STATS_BYTES) /
            STATSPAGES_PAGE;
    return 0;
}

/* Copy the first size bytes. Returns whether nothing was written meanwhile. */
static bool copy_once(const volatile uint64_t *pages, size_t size, struct ferry_stats *stats)
{
    const volatile struct ferry_stats *now = (const volatile void *)pages;
    uint32_t before = now->seq;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    for (size_t i = 0; i < size / sizeof(uint64_t); i++) {
        uint64_t word = pages[i];

        memcpy((char *)stats + i * sizeof(word), &word, sizeof(word));
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return before % 2 == 0 && now->seq == before && stats->seq == before;
}

int statspages_copy(const volatile void *pages, unsigned int nr, struct ferry_stats *stats_r)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    size_t size = size_of(((const volatile struct ferry_stats *)pages)->version);
    static struct ferry_stats copy;
    unsigned int tries = 0;

    if (size == 0 || size > nr * (size_t)STATSPAGES_PAGE)
        return -EAGAIN;
    memset(&copy, 0, sizeof(copy));
    while (!copy_once(pages, size, &copy)) {
        if (++tries == TRIES)
            return -EAGAIN;
        nanosleep(&pause, NULL);
    }
    if (copy.magic != FERRY_STATS_MAGIC || copy.size != size || size_of(copy.version) != size)
        return -EAGAIN;
    clean(&copy);
    *stats_r = copy;
    return 0;
}

bool statspages_has_more(const struct ferry_stats *stats)
{
    return stats->version >= 2;
}

bool statspages_has_parts(const struct ferry_stats *stats)
{
    return stats->version >= 3;
}

const char *statspages_drop_word(enum ferry_drop drop)
{
    static const char *const words[FERRY_DROPS] = { "bad",       "full",       "vlan",
                                                    "storm",     "pinned",     "isolated",
                                                    "policy-in", "policy-out", "multicast" };

    return drop < FERRY_DROPS ? words[drop] : "";
}

const char *statspages_stage_word(enum ferry_stage stage)
{
    static const char *const words[FERRY_STAGES] = { "events", "guests", "nics", "flush", "rest" };

    return stage < FERRY_STAGES ? words[stage] : "";
}

const char *statspages_latency_word(enum ferry_latency latency)
{
    static const char *const words[FERRY_LATENCIES] = { "taken", "queued" };

    return latency < FERRY_LATENCIES ? words[latency] : "";
}

const char *statspages_bridge_drop_word(enum ferry_bridge_drop drop)
{
    static const char *const words[FERRY_BRIDGE_DROPS] = { "bad",       "full",       "vlan",
                                                           "storm",     "pinned",     "isolated",
                                                           "policy-in", "policy-out", "reserved",
                                                           "same-port", "nobody" };

    return drop < FERRY_BRIDGE_DROPS ? words[drop] : "";
}

const char *statspages_state_word(const struct ferry_stats_port *port)
{
    if (port->kind == FERRY_PORT_VIF && !(port->flags & FERRY_PORT_CONNECTED))
        return "waiting";
    return port->flags & FERRY_PORT_UP ? "up" : "down";
}

static unsigned long sum_of(const uint64_t *counters, unsigned int nr)
{
    unsigned long sum = 0;

    for (unsigned int i = 0; i < nr; i++)
        sum += counters[i];
    return sum;
}

unsigned long statspages_drops(const struct ferry_stats_port *port)
{
    return sum_of(port->drops, FERRY_DROPS);
}

unsigned long statspages_queue_drops(const struct ferry_stats_queue_more *queue)
{
    return sum_of(queue->drops, FERRY_QUEUE_DROPS);
}

unsigned long statspages_bridge_drops(const struct ferry_stats_bridge *bridge)
{
    return sum_of(bridge->drops, FERRY_BRIDGE_DROPS);
}

unsigned long statspages_bridge_drop_bytes(const struct ferry_stats_bridge_bytes *bytes)
{
    return sum_of(bytes->drops, FERRY_BRIDGE_DROPS);
}
