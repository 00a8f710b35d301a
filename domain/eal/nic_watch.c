/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at a NIC while it has something to do: from the first frame it is given until it has sent all, and for as long as
 * it misses frames. One that has come to a halt is started anew, with the kernel.
 */
#include <stdio.h>

#include <rte_ethdev.h>

#include "eal/nic_internal.h"
#include "xen/clock.h"
#include "xen/recovery.h"
#include "xen/status.h"

#define REASON_SIZE 64

static __noreturn void restart(const struct nic *nic, const char *why)
{
    char reason[REASON_SIZE];

    snprintf(reason, sizeof(reason), "%s %s", nic->port.name, why);
    recovery_restart_nic(reason);
}

bool nic_device_look(struct nic *nic, struct watch_look *look_r)
{
    const struct quirk_nic view = {
        .dev = nic->pci, .status = nic->status, .tx_ring = nic->tx_ring, .nr_tx = nic->nr_tx
    };

    *look_r = (struct watch_look){ 0 };
    if (!nic->quirk->look)
        return false;
    nic->quirk->look(&view, look_r);
    if (!look_r->is_gone)
        nic->nr_missed += look_r->rx_missed;
    return true;
}

/* It may begin at 0 again. */
void nic_missed_add(struct nic *nic, uint64_t driver_missed)
{
    nic->nr_missed += driver_missed - (driver_missed < nic->driver_missed ? 0 : nic->driver_missed);
    nic->driver_missed = driver_missed;
}

/* What was missed since the last time, whoever looked meanwhile. */
static uint32_t missed_take(struct nic *nic)
{
    uint64_t missed = nic->nr_missed - nic->watched_missed;

    nic->watched_missed = nic->nr_missed;
    return (uint32_t)RTE_MIN(missed, (uint64_t)UINT32_MAX);
}

/*
 * The receiving side by the device's counters. Its head is how many frames the device has given, damaged ones too; it has
 * room if the driver has taken them all, for the driver puts a buffer in each place at once.
 */
static void rx_look(struct nic *nic, struct watch_look *look)
{
    struct rte_eth_stats stats;
    int waiting, err;

    status_nic_enter();
    waiting = rte_eth_rx_queue_count(nic->id, 0);
    err = rte_eth_stats_get(nic->id, &stats);
    status_nic_leave();
    if (err != 0)
        return;
    nic_missed_add(nic, stats.imissed);
    look->rx_head = (uint32_t)(stats.ipackets + stats.ierrors);
    look->rx_tail = look->rx_head + (waiting == 0);
}

static void watch_fire(void *ctx)
{
    struct nic *nic = ctx;
    struct watch_look look;
    uint64_t now = clock_now();
    const char *why;

    (void)nic_device_look(nic, &look);
    if (nic->quirk->tells_missed && !look.is_gone)
        rx_look(nic, &look);
    look.rx_missed = missed_take(nic);
    look.rx_received = nic->port.stats.rx_frames != nic->watched_received;
    why = watch_verdict(&nic->watch, &look,
                        nic->port.stats.tx_frames - nic->watched_frames >= nic->nr_tx, now);
    if (why && (nic->port.up || look.is_gone || look.is_lost))
        restart(nic, why);
    nic->watched_frames = nic->port.stats.tx_frames;
    nic->watched_received = nic->port.stats.rx_frames;
    if (look.tx_head != look.tx_tail || look.rx_missed > 0)
        timer_arm(&nic->watch_timer, now + WATCH_INTERVAL_NS, watch_fire, nic);
}

void nic_watch_begin(struct nic *nic)
{
    if (nic->quirk->look)
        timer_arm(&nic->watch_timer, clock_now() + WATCH_INTERVAL_NS, watch_fire, nic);
}

void nic_watch_second(struct nic *nic)
{
    if (nic->quirk->tells_missed && nic->port.up && !nic->watch_timer.armed)
        watch_fire(nic);
}

static bool is_paused(struct nic *nic)
{
    struct watch_look look;

    return nic_device_look(nic, &look) && look.is_paused;
}

/* For NICs that nothing is known of, and for those that transmit without ever saying so. */
void nic_watch_full(struct nic *nic)
{
    uint64_t now = clock_now();

    if (nic->full_since_ns == 0 || !nic->port.up)
        nic->full_since_ns = now;
    else if (now - nic->full_since_ns < WATCH_FULL_NS)
        return;
    else if (!is_paused(nic))
        restart(nic, "has taken no frame for 2 s");
    else
        nic->full_since_ns = now;
}

void nic_watch_forget(struct nic *nic)
{
    nic->watch_timer = (struct timer){ 0 };
    nic->watch = (struct watch){ 0 };
    nic->full_since_ns = 0;
    nic->port.is_full = false;
    tx_backlog_init(&nic->backlog);
}
