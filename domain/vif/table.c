/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vif/device.h"

struct vif vif_table[VIF_MAX] __outlive;
struct vif_queue vif_more_queues[VIF_MORE_QUEUES] __outlive;
struct vif_host vif_host;
uint64_t vif_active, vif_queued, vif_broken, vif_mapped;

_Static_assert(VIF_MAX <= 64, "the masks are 64 bits wide");
_Static_assert(sizeof(struct vif) <= 9216, "a full table must stay small beside 32 MB");

static void queue_clear(struct vif_queue *queue, bool keep)
{
    struct vif_marks marks = queue->marks;

    memset(queue, 0, sizeof(*queue));
    if (keep)
        queue->marks = marks;
}

static void place_clear(struct vif *vif, bool keep)
{
    struct vif_record record = vif->record;
    struct multicast_list multicast = vif->multicast;
    struct vif_hash hash = vif->hash;
    RING_IDX ctrl_mark = vif->ctrl_mark;
    struct vif_marks marks = vif->queue.marks;
    struct port_stats stats = vif->port.stats;
    struct vif_counts counts = vif->counts;

    memset(vif, 0, sizeof(*vif));
    if (!keep)
        return;
    vif->record = record;
    vif->multicast = multicast;
    vif->hash = hash;
    vif->ctrl_mark = ctrl_mark;
    vif->queue.marks = marks;
    vif->port.stats = stats;
    vif->counts = counts;
}

void vif_table_init(void)
{
    for (unsigned int i = 0; i < VIF_MAX; i++)
        place_clear(&vif_table[i], recovery_resuming());
    for (unsigned int i = 0; i < VIF_MORE_QUEUES; i++)
        queue_clear(&vif_more_queues[i], recovery_resuming());
    waiting_init();
    vif_active = vif_queued = vif_broken = vif_mapped = 0;
}

struct vif *vif_find(domid_t guest, uint16_t handle)
{
    for (unsigned int i = 0; i < VIF_MAX; i++) {
        struct vif *vif = &vif_table[i];

        if (vif->used && vif->guest == guest && vif->handle == handle)
            return vif;
    }
    return NULL;
}

void vif_retake(struct vif *vif, domid_t guest, uint16_t handle)
{
    INVARIANT(!vif->used);
    vif->used = true;
    vif->index = (uint8_t)(vif - vif_table);
    vif->guest = guest;
    vif->handle = handle;
    vif->control.carrier = VIF_CARRIER_UNKNOWN;
    vif->queue.vif = vif;
    vif->port.ops = &vif_port_ops;
    snprintf(vif->port.name, sizeof(vif->port.name), "vif%u.%u", guest, handle);
}

struct vif *vif_take(domid_t guest, uint16_t handle)
{
    for (unsigned int i = 0; i < VIF_MAX; i++) {
        struct vif *vif = &vif_table[i];

        if (vif->used)
            continue;
        place_clear(vif, false);
        vif_retake(vif, guest, handle);
        return vif;
    }
    return NULL;
}

void vif_release(struct vif *vif)
{
    INVARIANT(vif->used && !vif->mapped && !vif->attached);
    INVARIANT(!vif->nr_waiting_mbufs);
    vif_active &= ~vif_bit(vif);
    vif_broken &= ~vif_bit(vif);
    vif->used = false;
}

int vif_queue_retake(struct vif *vif, unsigned int index, struct vif_queue **queue_r)
{
    if (index >= VIF_MORE_QUEUES || vif_more_queues[index].vif)
        return -ENOENT;
    vif_more_queues[index].vif = vif;
    *queue_r = &vif_more_queues[index];
    return 0;
}

struct vif_queue *vif_queue_take(struct vif *vif)
{
    struct vif_queue *queue;

    for (unsigned int i = 0; i < VIF_MORE_QUEUES; i++)
        if (vif_queue_retake(vif, i, &queue) == 0)
            return queue;
    return NULL;
}

void vif_queue_release(struct vif_queue *queue)
{
    INVARIANT(queue->vif && !queue->waiting.list.nr);
    queue->vif = NULL;
}

struct vif_cost vif_cost_of_others(const struct vif *vif)
{
    struct vif_cost sum = { 0 };

    for (unsigned int i = 0; i < VIF_MAX; i++) {
        if (&vif_table[i] == vif || !vif_table[i].used)
            continue;
        sum.ports += vif_table[i].cost.ports;
        sum.slots += vif_table[i].cost.slots;
    }
    return sum;
}

unsigned int vif_nr(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < VIF_MAX; i++)
        nr += vif_table[i].used;
    return nr;
}

unsigned int vif_nr_connected(void)
{
    unsigned int nr = 0;

    for (uint64_t left = vif_mapped; left; left &= left - 1)
        nr++;
    return nr;
}

unsigned int vif_nr_queued_mbufs(void)
{
    unsigned int nr = 0;

    for (uint64_t left = vif_queued; left; left &= left - 1)
        nr += vif_table[__builtin_ctzll(left)].nr_waiting_mbufs;
    return nr;
}

const struct port *vif_port(unsigned int index)
{
    return index < VIF_MAX && vif_table[index].used ? &vif_table[index].port : NULL;
}

/* All queues that it ever had. */
static struct vif_queue_stats queues_sum(const struct vif *vif)
{
    struct vif_queue_stats sum = { 0 };

    for (unsigned int i = 0; i < VIF_QUEUES_MAX; i++) {
        const struct vif_queue_stats *queue = &vif->counts.queues[i];

        sum.nr_copies += queue->nr_copies;
        sum.nr_notified += queue->nr_notified;
        sum.nr_events += queue->nr_events;
        sum.rx_bad += queue->rx_bad;
    }
    return sum;
}

uint64_t vif_nr_bad(const struct vif *vif)
{
    return queues_sum(vif).rx_bad;
}

bool vif_info(unsigned int index, struct vif_info *info_r)
{
    const struct vif *vif = &vif_table[index];
    struct vif_queue_stats sum;

    if (!vif->used)
        return false;
    sum = queues_sum(vif);
    *info_r = (struct vif_info){ .port = &vif->port,
                                 .guest = vif->guest,
                                 .handle = vif->handle,
                                 .connected = vif->mapped,
                                 .nr_queues = vif->nr_queues,
                                 .nr_waiting = vif->nr_waiting,
                                 .nr_bad = sum.rx_bad,
                                 .nr_filtered = vif->counts.nr_filtered,
                                 .nr_copies = sum.nr_copies,
                                 .nr_notified = sum.nr_notified + vif->counts.nr_ctrl_notified,
                                 .nr_events = sum.nr_events };
    return true;
}

void vif_queue_info(unsigned int index, unsigned int queue, struct vif_queue_info *info_r)
{
    struct vif *vif = &vif_table[index];

    INVARIANT(queue < vif->nr_queues);
    *info_r = (struct vif_queue_info){ .nr_waiting = vif_queue_of(vif, queue)->waiting.list.nr,
                                       .stats = vif->counts.queues[queue] };
}
