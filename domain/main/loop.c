/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/loop.h"

#include "main/capture.h"
#include "main/stats.h"
#include "main/topology.h"
#include "main/vif_place.h"
#include "net/bridge.h"
#include "net/gro.h"
#include "vif/vif.h"
#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"
#include "xen/timer.h"
#include "xen/xenstore.h"

#define REARM_NS 1000000000ull

static struct port *nics[LOOP_NICS_MAX];
static bool was_up[LOOP_NICS_MAX];
static unsigned int nr_nics;
static uint64_t watchdog_due;

void loop_add_nic(struct port *nic)
{
    INVARIANT(nr_nics < LOOP_NICS_MAX);
    nics[nr_nics++] = nic;
    stats_nic_add(nic);
}

static unsigned int nics_receive(void)
{
    struct rte_mbuf *frames[PORT_BURST];
    unsigned int total = 0;

    for (unsigned int i = 0; i < nr_nics; i++) {
        uint16_t nr;

        status_port_set(nics[i]->name);
        nr = nics[i]->ops->rx_burst(nics[i], frames, PORT_BURST);
        total += nr;
        if (nr == 0)
            continue;
        capture_input(nics[i], frames, nr);
        topology_input(nics[i], frames, gro_merge(frames, nr), clock_last());
    }
    return total;
}

static void nics_look_at_links(void)
{
    for (unsigned int i = 0; i < nr_nics; i++) {
        if (was_up[i] != nics[i]->up)
            topology_link_changed(nics[i]);
        if (!was_up[i] && nics[i]->up && status_page->step_ns[FERRY_STEP_LINK] == 0)
            status_step(FERRY_STEP_LINK);
        was_up[i] = nics[i]->up;
    }
}

static bool nics_arm(void)
{
    bool work = false;

    for (unsigned int i = 0; i < nr_nics; i++)
        work |= nics[i]->ops->arm(nics[i]);
    return work;
}

static void watchdog_feed(uint64_t now)
{
    if (now < watchdog_due)
        return;
    /* Its ring holds what neither side writes: no vif could come or go. Only a new ring helps. */
    if (xenstore_stopped())
        recovery_ask(3, "the xenstore ring is damaged");
    vif_place_report();
    topology_report();
    stats_write(now);
    capture_tick(now);
    domain_watchdog(LOOP_WATCHDOG_SECONDS);
    watchdog_due = now + REARM_NS;
}

static void idle(uint64_t topology_due)
{
    uint64_t wake = RTE_MIN(RTE_MIN(timers_next(), topology_due), stats_due());
    uint64_t vifs_due;
    bool work = vif_arm_all(&vifs_due);

    work |= nics_arm();
    if (!work && !evtchn_pending()) {
        stats_sleep_note();
        wake = RTE_MIN(wake, vifs_due);
        evtchn_sleep_until(wake < watchdog_due ? wake : watchdog_due);
    }
}

__noreturn void loop_run(void)
{
    recovery_ready();
    status_page->phase = FERRY_PHASE_READY;
    for (;;) {
        unsigned int nr_events, nr_frames, nr_timers;
        uint64_t now, topology_due;

        stats_turn_begin();
        nr_events = evtchn_dispatch();
        now = clock_now();
        topology_due = topology_tick(now);
        status_beat();

        nics_look_at_links();
        stats_stage(FERRY_STAGE_EVENTS);
        nr_frames = vif_receive_all();
        status_beat();
        stats_stage(FERRY_STAGE_GUESTS);
        nr_frames += nics_receive();
        status_beat();
        stats_stage(FERRY_STAGE_NICS);
        bridge_flush();
        vif_flush_all();
        stats_stage(FERRY_STAGE_FLUSH);
        nr_timers = timers_run(now);
        watchdog_feed(now);
        stats_stage(FERRY_STAGE_REST);
        stats_turn_end(nr_events + nr_frames + nr_timers != 0, now);
        /*
         * After a single frame, a request or its answer, nothing more is to come at once; after several it pays to
         * look once more before anybody is asked to wake us.
         */
        if (nr_timers == 0 && nr_frames <= 1 && (nr_frames == 1 || nr_events == 0))
            idle(nr_frames ? topology_tick(now) : topology_due);
    }
}
