/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/statspages.h"

#include <string.h>
#include <time.h>

#include "util/log.h"

#define TRIES 20
#define PAUSE_NS 200000

_Static_assert(sizeof(struct ferry_stats) % sizeof(uint64_t) == 0, "copied by words");

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
}

/* Returns whether nothing was written meanwhile. */
static bool copy_once(const volatile uint64_t *pages, struct ferry_stats *stats)
{
    const volatile struct ferry_stats *now = (const volatile void *)pages;
    uint32_t before = now->seq;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    for (size_t i = 0; i < sizeof(*stats) / sizeof(uint64_t); i++) {
        uint64_t word = pages[i];

        memcpy((char *)stats + i * sizeof(word), &word, sizeof(word));
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return before % 2 == 0 && now->seq == before && stats->seq == before;
}

bool statspages_copy(const volatile void *pages, struct ferry_stats *stats_r)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    static struct ferry_stats copy;
    unsigned int tries = 0;

    while (!copy_once(pages, &copy)) {
        if (++tries == TRIES)
            return false;
        nanosleep(&pause, NULL);
    }
    if (copy.magic != FERRY_STATS_MAGIC || copy.version != FERRY_STATS_VERSION ||
        copy.size != sizeof(copy))
        return false;
    clean(&copy);
    *stats_r = copy;
    return true;
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

const char *statspages_state_word(const struct ferry_stats_port *port)
{
    if (port->kind == FERRY_PORT_VIF && !(port->flags & FERRY_PORT_CONNECTED))
        return "waiting";
    return port->flags & FERRY_PORT_UP ? "up" : "down";
}

unsigned long statspages_drops(const struct ferry_stats_port *port)
{
    unsigned long sum = 0;

    for (unsigned int i = 0; i < FERRY_DROPS; i++)
        sum += port->drops[i];
    return sum;
}
