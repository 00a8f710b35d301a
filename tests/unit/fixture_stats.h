/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the statistics pages: the kernel's code with all that it asks faked, and dom0's to read what it
 * wrote. Includes domain/main/stats.c, so only one file of a program may include this.
 */
#ifndef FIXTURE_STATS_H
#define FIXTURE_STATS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A restart puts back what is not __outlive: it is done to stats.c's own variables here. */
#include "main/stats.c"
#include "xen/statspages.h"

#define PAGE __attribute__((aligned(4096)))
#define STATIONS_MAX (2 * FERRY_STATS_STATIONS)

char stats_area[FERRY_STATS_BYTES] PAGE;
char capture_area[4096] PAGE;

static struct ferry_status status;
struct ferry_status *const status_page = &status;
static struct rte_mempool pool = { .size = 1000 };
static struct gnttab_copied copied;
static uint64_t now_ns, notified;
static bool keeps_nic;
static struct vif_info vifs[VIF_MAX]; /* port NULL: none in this place */
static struct port vif_ports[VIF_MAX], nic_ports[LOOP_NICS_MAX];
static struct nic_rings rings[LOOP_NICS_MAX];
static struct nic_errors errors[LOOP_NICS_MAX];
static bool tells_errors[LOOP_NICS_MAX];
static unsigned int nr_looks_at_errors;
static unsigned int stations_of[VIF_MAX]; /* how many each has */
static struct fdb_station station; /* what each of them is like */

static struct vif_queue_info queues[VIF_MAX][2]; /* of each vif */
static struct bridge_info bridges[BRIDGE_MAX + 1]; /* until one has no name */
static struct bridge_stats bridge_stats[BRIDGE_MAX];

static struct ferry_stats seen;

uint64_t clock_now(void)
{
    return now_ns;
}

struct gnttab_copied gnttab_copied(void)
{
    return copied;
}

uint64_t evtchn_nr_notified(void)
{
    return notified;
}

struct rte_mempool *mbuf_pool(void)
{
    return &pool;
}

unsigned int rte_mempool_avail_count(const struct rte_mempool *asked)
{
    assert_ptr_equal(asked, &pool);
    return 400;
}

bool recovery_keeps_nic(void)
{
    return keeps_nic;
}

unsigned int nic_number(const struct port *port)
{
    return (unsigned int)(port - nic_ports);
}

void nic_rings(struct port *port, struct nic_rings *rings_r)
{
    *rings_r = rings[port - nic_ports];
}

bool nic_errors(struct port *port, struct nic_errors *errors_r)
{
    nr_looks_at_errors++;
    *errors_r = errors[port - nic_ports];
    return tells_errors[port - nic_ports];
}

bool vif_info(unsigned int index, struct vif_info *info_r)
{
    *info_r = vifs[index];
    return vifs[index].port;
}

void vif_queue_info(unsigned int index, unsigned int queue, struct vif_queue_info *info_r)
{
    assert_true(queue < vifs[index].nr_queues);
    *info_r = queues[index][queue];
}

bool bridge_info(unsigned int index, struct bridge_info *info_r)
{
    *info_r = bridges[index];
    return bridges[index].name;
}

/* Fake bridges are their names. */
const char *bridge_name(const struct bridge *bridge)
{
    return (const char *)bridge;
}

/* As told; the last byte of the address counts them. */
unsigned int bridge_stations(const struct port *port, struct fdb_station *stations_r,
                             unsigned int max, uint64_t now, unsigned int *nr_known_r)
{
    unsigned int nr = 0;

    assert_int_equal(now, now_ns);
    *nr_known_r = 0;
    if (port < vif_ports || port >= vif_ports + VIF_MAX)
        return 0;
    *nr_known_r = stations_of[port - vif_ports];
    for (; nr < *nr_known_r && nr < max; nr++) {
        stations_r[nr] = station;
        stations_r[nr].mac.addr_bytes[5] = (uint8_t)nr;
    }
    return nr;
}

static inline void vif_add(unsigned int place, uint16_t guest)
{
    struct port *port = &vif_ports[place];

    *port = (struct port){ .up = true, .mtu = 1500, .bridge = (struct bridge *)"xenbr0" };
    snprintf(port->name, sizeof(port->name), "vif%u.0", guest);
    port->mac.addr_bytes[5] = (uint8_t)guest;
    vifs[place] =
        (struct vif_info){ .port = port, .guest = guest, .connected = true, .nr_queues = 2 };
}

static inline void bridge_add(unsigned int place, const char *name)
{
    bridge_stats[place] = (struct bridge_stats){ 0 };
    bridges[place] = (struct bridge_info){ .name = name, .stats = &bridge_stats[place] };
}

static inline struct port *nic_add(unsigned int number)
{
    struct port *nic = &nic_ports[number];

    *nic = (struct port){ .up = true, .mtu = 1500, .speed = 1000 };
    snprintf(nic->name, sizeof(nic->name), "nic%u", number);
    stats_nic_add(nic);
    return nic;
}

/* This start of the kernel is over; what it counted begins at 0. */
static inline void restart(bool nic_is_kept)
{
    memset(nics, 0, sizeof(nics));
    memset(shown, 0, sizeof(shown));
    nr_nics = 0;
    changed = stats_is_timed = false;
    due_ns = stations_due_ns = mark_ns = 0;
    memset(stage_ns, 0, sizeof(stage_ns));
    copied = (struct gnttab_copied){ 0 };
    notified = 0;
    keeps_nic = nic_is_kept;
    status.generation++;
    stats_init(true);
}

static inline int start(void **state)
{
    (void)state;
    memset(stats_area, 0xa5, sizeof(stats_area));
    memset(vifs, 0, sizeof(vifs));
    memset(queues, 0, sizeof(queues));
    memset(rings, 0, sizeof(rings));
    memset(errors, 0, sizeof(errors));
    memset(tells_errors, 0, sizeof(tells_errors));
    memset(bridges, 0, sizeof(bridges));
    memset(bridge_stats, 0, sizeof(bridge_stats));
    memset(stations_of, 0, sizeof(stations_of));
    memset(&seen, 0, sizeof(seen));
    station = (struct fdb_station){ 0 };
    now_ns = 5000;
    status.generation = 0;
    restart(false); /* of nothing: the pages are no such pages */
    return 0;
}

static inline void written(void)
{
    stats_write(now_ns);
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), 0);
}

static inline const struct ferry_stats_port *port_named(const char *name)
{
    for (unsigned int i = 0; i < seen.nr_ports; i++)
        if (strcmp(seen.ports[i].name, name) == 0)
            return &seen.ports[i];
    fail_msg("no port %s", name);
    return NULL;
}

static inline void ports_are(const char *names)
{
    char all[256] = "";

    for (unsigned int i = 0; i < seen.nr_ports; i++)
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? " " : "",
                 seen.ports[i].name);
    assert_string_equal(all, names);
}

static inline void turn(bool worked, uint64_t events_ns, uint64_t guests_ns)
{
    stats_turn_begin();
    now_ns += events_ns;
    stats_stage(FERRY_STAGE_EVENTS);
    now_ns += guests_ns;
    stats_stage(FERRY_STAGE_GUESTS);
    stats_stage(FERRY_STAGE_NICS);
    stats_stage(FERRY_STAGE_FLUSH);
    stats_stage(FERRY_STAGE_REST);
    stats_turn_end(worked, now_ns);
}

#endif
