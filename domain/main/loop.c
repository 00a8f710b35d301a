/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/loop.h"

#include "net/bridge.h"
#include "net/gro.h"
#include "vif/vif.h"
#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/log.h"
#include "xen/timer.h"
#include "xen/xenstore.h"

#define REARM_NS 1000000000ull

/*
 * Interrupt moderation: after a turn that took frames from a NIC, its rings are looked at again
 * after this long rather than on its interrupt, which costs more than the look, and finds one frame
 * where this finds several that can be merged. The first empty look asks for interrupts again.
 */
#define NIC_NAP_NS 100000u
#define NIC_NAP_FRAMES 2

static struct port *nics[LOOP_NICS_MAX];
static unsigned int nr_nics;
static unsigned int nr_nic_frames; /* since the last sleep */
static uint64_t watchdog_due;

void loop_add_nic(struct port *nic)
{
    INVARIANT(nr_nics < LOOP_NICS_MAX);
    nics[nr_nics++] = nic;
}

static unsigned int nics_receive(uint64_t now)
{
    struct rte_mbuf *frames[PORT_BURST];
    unsigned int total = 0;

    for (unsigned int i = 0; i < nr_nics; i++) {
        uint16_t nr = nics[i]->ops->rx_burst(nics[i], frames, PORT_BURST);

        total += nr;
        if (nr > 0)
            bridge_input(nics[i], frames, gro_merge(frames, nr), now);
    }
    return total;
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
    /* Its ring holds what neither side writes: memory is damaged, and no vif could come or go. */
    if (xenstore_stopped())
        panic("the xenstore ring is damaged");
    domain_watchdog(LOOP_WATCHDOG_SECONDS);
    watchdog_due = now + REARM_NS;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void idle(uint64_t now)
{
    uint64_t wake = earlier(timers_next(), watchdog_due);

    if (nr_nic_frames >= NIC_NAP_FRAMES)
        wake = earlier(wake, now + NIC_NAP_NS);
    else if (nics_arm())
        return;
    nr_nic_frames = 0;
    if (!vif_arm_all() && !evtchn_pending())
        evtchn_sleep_until(wake);
}

__noreturn void loop_run(void)
{
    for (;;) {
        unsigned int work = evtchn_dispatch();
        uint64_t now = clock_now();

        work += vif_receive_all();
        unsigned int received = nics_receive(now);
        bridge_flush();
        vif_flush_all();
        work += timers_run(now);
        watchdog_feed(now);
        nr_nic_frames += received;
        if (work + received == 0)
            idle(now);
    }
}
