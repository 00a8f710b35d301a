/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loop calls, for all vifs. */
#include "vif/vif.h"

#include <errno.h>

#include "vif/device.h"
#include "xen/clock.h"
#include "xen/status.h"

const struct port_ops vif_port_ops = {
    .rx_burst = vif_tx_burst,
    .tx_burst = vif_rx_enqueue,
    .flush = NULL, /* vif_flush_all() does it for all at once */
    .arm = vif_arm,
};

int vif_init(const struct vif_host *host)
{
    if (rte_pktmbuf_data_room_size(host->pool) < VIF_MBUF_ROOM + RTE_PKTMBUF_HEADROOM)
        return -EINVAL;
    vif_host = *host;
    vif_table_init();
    return gref_init();
}

int vif_watch(void)
{
    int err = vif_discover_init();

    /* A vif whose directory has vanished since the last start is in no listing. */
    for (unsigned int i = 0; i < VIF_MAX; i++)
        if (vif_table[i].used)
            vif_control_kick(&vif_table[i]);
    return err;
}

void vif_policies_changed(void)
{
    for (unsigned int i = 0; i < VIF_MAX; i++) {
        if (!vif_table[i].used)
            continue;
        vif_table[i].control.policy_stale = true;
        vif_control_kick(&vif_table[i]);
    }
}

/*
 * Pass frames on. If those for several were cut, the next ones are laid out for it. If some found their port
 * full, the guest's further ones stay on its ring for a moment.
 */
static void input(struct vif *vif, struct rte_mbuf **frames, uint16_t nr)
{
    bool for_several = frames[nr - 1]->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
    uint64_t before = vif_host.notes->nr_cut;

    vif_host.notes->full = NULL;
    vif_host.input(&vif->port, frames, nr);
    if (for_several)
        vif->tx_cut = vif_host.notes->nr_cut != before;
    if (vif_host.notes->full)
        vif_hold(vif, vif_host.notes->full);
}

void vif_carriers_changed(void)
{
    for (unsigned int i = 0; i < VIF_MAX; i++)
        if (vif_table[i].used)
            vif_control_kick(&vif_table[i]);
}

/* What the event was for has been done: frames were taken, or it was about something else. */
static void event_settle(struct vif *vif, bool got_frames)
{
    if (got_frames)
        vif_host.time_take(FERRY_LATENCY_TAKEN, clock_now() - vif->event_ns);
    vif->event_ns = 0;
}

/* A budget for each of these. */
static unsigned int receive_from(uint64_t vifs)
{
    struct rte_mbuf *frames[PORT_BURST];
    unsigned int total = 0;

    for (uint64_t left = vifs; left; left &= left - 1) {
        struct vif *vif = &vif_table[__builtin_ctzll(left)];
        uint16_t nr;

        if (vif_is_held(vif))
            continue;
        status_port_set(vif->port.name);
        nr = vif_tx_burst(&vif->port, frames, PORT_BURST);
        if (__builtin_expect(vif->event_ns != 0, 0))
            event_settle(vif, nr > 0);
        if (nr) {
            moderation_sent(&vif->moderation, nr, clock_last());
            input(vif, frames, nr);
        }
        total += nr;
    }
    return total;
}

/* Room at a busy port goes to who comes first: that is another vif in each turn. */
unsigned int vif_receive_all(void)
{
    static unsigned int next;
    unsigned int total;
    uint64_t active, behind;

    for (uint64_t left = vif_broken; left; left &= left - 1)
        vif_control_broken(&vif_table[__builtin_ctzll(left)]);
    active = vif_active;
    if (!active)
        return 0;
    behind = active & ~((1ull << next) - 1);
    next = ((unsigned int)__builtin_ctzll(behind ? behind : active) + 1) % VIF_MAX;
    total = receive_from(behind);
    return total + receive_from(active & ~behind);
}

bool vif_arm_all(uint64_t *due_ns_r)
{
    bool work = vif_broken != 0;

    *due_ns_r = UINT64_MAX;
    for (uint64_t left = vif_active | vif_queued; left; left &= left - 1) {
        struct vif *vif = &vif_table[__builtin_ctzll(left)];

        work |= vif_arm(&vif->port);
        if (vif->moderation.due_ns)
            *due_ns_r = RTE_MIN(*due_ns_r, vif->moderation.due_ns);
    }
    return work;
}
