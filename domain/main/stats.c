/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/stats.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <rte_mempool.h>

#include "arch/x86/layout.h"
#include "eal/nic.h"
#include "eal/pool.h"
#include "main/kept.h"
#include "main/loop.h"
#include "main/stats_bridges.h"
#include "net/bridge.h"
#include "vif/vif.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"

#define BUCKET_FIRST_NS 256
#define STATIONS_INTERVAL_NS 1000000000ull
#define SECOND_NS 1000000000ull
#define VID_MASK 0xfffu /* FDB_DOMAIN() */

#define COUNTERS (4 + FERRY_DROPS) /* of a port */
#define ERRORS (sizeof(struct nic_errors) / sizeof(uint64_t))

_Static_assert(COUNTERS <= KEPT_MAX, "they are kept");

static struct kept kept_nics[LOOP_NICS_MAX] __outlive;
static struct kept kept_errors[LOOP_NICS_MAX] __outlive; /* of NICs */
static bool has_errors[LOOP_NICS_MAX] __outlive; /* somebody has told of them */
static struct kept kept_loop __outlive;

static struct ferry_stats *const pages = (struct ferry_stats *)stats_area;

static struct port *nics[LOOP_NICS_MAX];
static unsigned int nr_nics;
static const struct port *shown[FERRY_STATS_PORTS]; /* whose ports[] are */
static bool changed; /* since the pages were written */
static uint64_t due_ns, stations_due_ns, errors_due_ns;

bool stats_is_timed;
static uint64_t stage_ns[FERRY_STAGES], mark_ns;

void stats_init(bool resuming)
{
    errors_due_ns = clock_now() + SECOND_NS; /* not while guests wait for the start */
    if (resuming && pages->magic == FERRY_STATS_MAGIC && pages->version == FERRY_STATS_VERSION &&
        pages->size == sizeof(*pages)) {
        pages->seq = (pages->seq + 1) & ~1u; /* the last start may have died while it wrote */
        kept_begin(&kept_loop);
        stats_bridges_init(true);
        for (unsigned int i = 0; i < LOOP_NICS_MAX && !recovery_keeps_nic(); i++) {
            kept_begin(&kept_nics[i]);
            kept_begin(&kept_errors[i]);
        }
        return;
    }
    memset(pages, 0, sizeof(*pages));
    memset(kept_nics, 0, sizeof(kept_nics));
    memset(kept_errors, 0, sizeof(kept_errors));
    memset(has_errors, 0, sizeof(has_errors));
    memset(&kept_loop, 0, sizeof(kept_loop));
    stats_bridges_init(false);
    pages->version = FERRY_STATS_VERSION;
    pages->size = sizeof(*pages);
    pages->began_ns = clock_now();
    barrier();
    pages->magic = FERRY_STATS_MAGIC;
}

void stats_nic_add(struct port *nic)
{
    if (nr_nics < LOOP_NICS_MAX)
        nics[nr_nics++] = nic;
}

void stats_turn_begin(void)
{
    stats_is_timed = pages->nr_turns++ % FERRY_STATS_SAMPLE == 0;
    if (stats_is_timed)
        mark_ns = clock_now();
}

void stats_stage_take(enum ferry_stage stage)
{
    uint64_t now = clock_now();

    stage_ns[stage] = now > mark_ns ? now - mark_ns : 0;
    mark_ns = now;
}

static void write_begin(void)
{
    WRITE_ONCE(pages->seq, pages->seq + 1);
    barrier();
}

static void write_end(void)
{
    barrier();
    WRITE_ONCE(pages->seq, pages->seq + 1);
}

static void time_add(struct ferry_stats_stage *times, uint64_t ns)
{
    unsigned int bucket = 0;

    while (bucket < FERRY_STATS_BUCKETS - 1 && ns >= (uint64_t)BUCKET_FIRST_NS << bucket)
        bucket++;
    times->nr++;
    times->sum_ns += ns;
    times->buckets[bucket]++;
}

static void stages_add(void)
{
    write_begin();
    for (unsigned int i = 0; i < FERRY_STAGES; i++)
        time_add(&pages->stages[i], stage_ns[i]);
    write_end();
}

void stats_latency_take(enum ferry_latency what, uint64_t ns)
{
    write_begin();
    time_add(&pages->latencies[what], ns);
    write_end();
}

void stats_turn_end(bool worked, uint64_t now)
{
    if (stats_is_timed && worked)
        stages_add();
    stats_is_timed = false;
    changed |= worked;
    if (changed && now >= due_ns)
        stats_write(now);
}

void stats_sleep_note(void)
{
    pages->nr_sleeps++;
}

uint64_t stats_due(void)
{
    return changed ? due_ns : UINT64_MAX;
}

static void port_fill(struct ferry_stats_port *page, const struct port *port,
                      enum ferry_port_kind kind)
{
    const struct port_stats *stats = &port->stats;

    *page = (struct ferry_stats_port){
        .kind = kind,
        .flags = (port->up ? FERRY_PORT_UP : 0) | (port->is_full ? FERRY_PORT_FULL : 0) |
                 (port->isolated ? FERRY_PORT_ISOLATED : 0),
        .mtu = port->mtu,
        .speed = port->up ? port->speed : 0,
        .in_frames = stats->rx_frames,
        .in_bytes = stats->rx_bytes,
        .out_frames = stats->tx_frames,
        .out_bytes = stats->tx_bytes,
        .drops = { [FERRY_DROP_BAD] = stats->rx_errors,
                   [FERRY_DROP_FULL] = stats->tx_drops,
                   [FERRY_DROP_VLAN] = stats->rx_drops_vlan,
                   [FERRY_DROP_STORM] = stats->rx_drops_storm,
                   [FERRY_DROP_PINNED] = stats->rx_drops_pinned,
                   [FERRY_DROP_ISOLATED] = stats->rx_drops_isolated,
                   [FERRY_DROP_POLICY_IN] = stats->rx_drops_policy,
                   [FERRY_DROP_POLICY_OUT] = stats->tx_drops_policy },
    };
    memcpy(page->mac, port->mac.addr_bytes, sizeof(page->mac));
    snprintf(page->name, sizeof(page->name), "%.15s", port->name);
    if (port->bridge)
        snprintf(page->bridge, sizeof(page->bridge), "%.15s", bridge_name(port->bridge));
}

/* Counters of errors, of all NICs: reading them takes a while. */
static void errors_look(uint64_t now)
{
    if (now < errors_due_ns)
        return;
    errors_due_ns = now + FERRY_STATS_ERRORS_NS;
    for (unsigned int i = 0; i < nr_nics; i++) {
        unsigned int number = nic_number(nics[i]) % LOOP_NICS_MAX;
        struct nic_errors errors;

        if (!nic_errors(nics[i], &errors))
            continue;
        kept_set(&kept_errors[number], &errors.nr_missed, ERRORS);
        has_errors[number] = true;
    }
}

static void nic_more_fill(struct ferry_stats_port *port, struct ferry_stats_more *page,
                          struct port *nic, unsigned int number)
{
    struct nic_rings rings;

    nic_rings(nic, &rings);
    port->nr_waiting = rings.nr_backlog;
    *page = (struct ferry_stats_more){ .in_filled = rings.rx_filled,
                                       .in_ring = rings.rx_size,
                                       .out_used = rings.tx_used,
                                       .out_ring = rings.tx_size,
                                       .flags = has_errors[number] ? FERRY_MORE_ERRORS : 0 };
    kept_get(&kept_errors[number], &page->nr_missed, ERRORS);
}
_Static_assert(NIC_UNKNOWN == FERRY_STATS_UNKNOWN, "it is passed on");
_Static_assert(offsetof(struct ferry_stats_more, in_filled) -
                       offsetof(struct ferry_stats_more, nr_missed) ==
                   sizeof(struct nic_errors),
               "errors are in the same order");

static void nic_fill(struct ferry_stats_port *page, struct kept *kept, const struct port *nic)
{
    uint64_t counters[COUNTERS];

    port_fill(page, nic, FERRY_PORT_NIC);
    memcpy(counters, &page->in_frames, sizeof(counters));
    kept_add(kept, counters, COUNTERS);
    memcpy(&page->in_frames, counters, sizeof(counters));
}
_Static_assert(sizeof(struct ferry_stats_port) -
                       __builtin_offsetof(struct ferry_stats_port, in_frames) ==
                   COUNTERS * sizeof(uint64_t),
               "counters are the end of a port");

static void station_fill(struct ferry_stats_station *page, const struct fdb_station *station,
                         unsigned int port)
{
    uint64_t age_s = station->age_ns / SECOND_NS;

    memcpy(page->mac, station->mac.addr_bytes, sizeof(page->mac));
    page->vid = station->domain & VID_MASK;
    page->port = (uint8_t)port;
    page->is_pinned = station->is_pinned;
    page->age_s = age_s < UINT16_MAX ? (uint16_t)age_s : UINT16_MAX;
}

static void stations_fill(uint64_t now)
{
    static struct fdb_station stations[FERRY_STATS_STATIONS];

    pages->nr_stations = pages->nr_stations_known = 0;
    for (unsigned int i = 0; i < pages->nr_ports; i++) {
        unsigned int room = FERRY_STATS_STATIONS - pages->nr_stations;
        unsigned int nr_left = pages->nr_ports - i;
        /* One guest's inventions leave room for the others' stations. */
        unsigned int nr_known,
            nr = bridge_stations(shown[i], stations, room / nr_left, now, &nr_known);

        pages->nr_stations_known += nr_known;
        for (unsigned int s = 0; s < nr; s++)
            station_fill(&pages->stations[pages->nr_stations++], &stations[s], i);
    }
}

/* Stations name ports by their places: with another port in one they are to be written again. */
static void show(unsigned int place, const struct port *port)
{
    if (shown[place] == port)
        return;
    shown[place] = port;
    stations_due_ns = 0;
}

/* Those of the vif in that place of the table, whose port is in that place of the pages. */
static void queues_fill(unsigned int index, unsigned int nr_queues, unsigned int port)
{
    for (unsigned int i = 0; i < nr_queues && pages->nr_queues < FERRY_STATS_QUEUES; i++) {
        struct vif_queue_info info;
        unsigned int place = pages->nr_queues++;

        vif_queue_info(index, i, &info);
        pages->queues[place] = (struct ferry_stats_queue){ .port = (uint8_t)port,
                                                           .index = (uint8_t)i,
                                                           .nr_waiting = info.nr_waiting,
                                                           .in_frames = info.stats.rx_frames,
                                                           .in_bytes = info.stats.rx_bytes,
                                                           .out_frames = info.stats.tx_frames,
                                                           .out_bytes = info.stats.tx_bytes };
        pages->queues_more[place] =
            (struct ferry_stats_queue_more){ .nr_copies = info.stats.nr_copies,
                                             .nr_notifications = info.stats.nr_notified,
                                             .nr_events = info.stats.nr_events,
                                             .drops = { [FERRY_DROP_BAD] = info.stats.rx_bad,
                                                        [FERRY_DROP_FULL] = info.stats.tx_drops } };
    }
}

static void vif_fill(unsigned int place, unsigned int index, const struct vif_info *vif)
{
    struct ferry_stats_port *page = &pages->ports[place];

    show(place, vif->port);
    port_fill(page, vif->port, FERRY_PORT_VIF);
    page->flags |= vif->connected ? FERRY_PORT_CONNECTED : 0;
    page->guest = vif->guest;
    page->handle = vif->handle;
    page->nr_queues = vif->nr_queues;
    page->nr_waiting = vif->nr_waiting;
    page->drops[FERRY_DROP_MULTICAST] = vif->nr_filtered;
    pages->more[place] = (struct ferry_stats_more){ .nr_copies = vif->nr_copies,
                                                    .nr_notifications = vif->nr_notified,
                                                    .nr_events = vif->nr_events };
    queues_fill(index, vif->nr_queues, place);
}

static void ports_fill(void)
{
    unsigned int nr = 0;

    pages->nr_queues = 0;
    for (; nr < nr_nics; nr++) {
        /* By its number: another NIC may be missing now. */
        unsigned int number = nic_number(nics[nr]) % LOOP_NICS_MAX;

        show(nr, nics[nr]);
        nic_fill(&pages->ports[nr], &kept_nics[number], nics[nr]);
        nic_more_fill(&pages->ports[nr], &pages->more[nr], nics[nr], number);
    }
    for (unsigned int i = 0; i < VIF_MAX && nr < FERRY_STATS_PORTS; i++) {
        struct vif_info vif;

        if (vif_info(i, &vif))
            vif_fill(nr++, i, &vif);
    }
    if (pages->nr_ports != nr)
        stations_due_ns = 0;
    pages->nr_ports = nr;
}

static void loop_fill(void)
{
    struct gnttab_copied copied = gnttab_copied();
    uint64_t counters[] = { copied.ops, copied.calls, evtchn_nr_notified() };

    kept_add(&kept_loop, counters, ARRAY_LEN(counters));
    pages->nr_copies = counters[0];
    pages->nr_copy_calls = counters[1];
    pages->nr_notifications = counters[2];
    pages->nr_mbufs = mbuf_pool()->size;
    pages->nr_mbufs_free = rte_mempool_avail_count(mbuf_pool());
}

void stats_write(uint64_t now)
{
    errors_look(now);
    write_begin();
    pages->generation = status_page->generation;
    pages->capture = (uint32_t)(uintptr_t)capture_area;
    pages->written_ns = now;
    loop_fill();
    ports_fill();
    stats_bridges_fill(pages);
    if (now >= stations_due_ns) {
        stations_fill(now);
        stations_due_ns = now + STATIONS_INTERVAL_NS;
    }
    write_end();
    changed = false;
    due_ns = now + FERRY_STATS_INTERVAL_NS;
}
