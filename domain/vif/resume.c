/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restarts of the kernel: the vifs that were connected go on from their records. Whatever is wrong with
 * one only makes it go the long way, through xenstore; its guest does not see that either.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vif/device.h"

static uint32_t record_sum(const struct vif_record *record)
{
    size_t skip = sizeof(record->sum);

    return recovery_sum((const char *)record + skip, sizeof(*record) - skip);
}

void vif_record_void(struct vif *vif)
{
    WRITE_ONCE(vif->record.sum, 0);
    barrier(); /* nothing that it names is given back before */
}

void vif_record_seal(struct vif *vif)
{
    struct vif_record *record = &vif->record;

    vif_record_void(vif);
    record->index = vif->index;
    record->guest = vif->guest;
    record->handle = vif->handle;
    record->blamed = vif->control.blamed;
    record->carrier = vif->control.carrier;
    record->ctrl_slot = vif->ctrl.slot;
    record->ctrl_port = vif->ctrl.port;
    for (unsigned int i = 0; i < vif->nr_queues; i++) {
        record->held[i] = vif_queue_of(vif, i)->held;
        if (i)
            record->more[i - 1] = (uint8_t)(vif->more[i - 1] - vif_more_queues);
    }
    record->back = vif->control.back;
    record->front = vif->control.front;
    WRITE_ONCE(record->sum, record_sum(record));
}

/* As after connect(): nothing is read or written but the rings. */
static int vif_go_on(struct vif *vif)
{
    const struct vif_record *record = &vif->record;
    struct vif_control *c = &vif->control;
    const char *why = "cannot join the bridge";
    int err;

    c->back = record->back;
    c->front = record->front;
    c->blamed = record->blamed;
    c->carrier = record->carrier;
    vif_port_fill(vif);
    err = vif_reconnect(vif);
    if (err)
        return err;
    err = vif_host.attach(&vif->port, &c->back.wish, &why);
    if (err) {
        snprintf(c->why, sizeof(c->why), "%s", why);
        vif_disconnect(vif);
        return err;
    }
    vif->attached = true;
    vif_limits_set(vif);
    c->resumed = true;
    c->facts.phase = VIF_PHASE_CONNECTED;
    return 0;
}

/* Returns whether the vif that was in this place goes on. */
static bool place_resume(struct vif *vif)
{
    struct vif_record *record = &vif->record;
    unsigned int index = (unsigned int)(vif - vif_table);

    if (record->sum != record_sum(record) || record->index != index ||
        record->front.queues - 1 >= VIF_QUEUES_MAX || vif_find(record->guest, record->handle)) {
        log_warn("vif in place %u: its record is damaged; it is looked for in xenstore", index);
        record->sum = 0;
        return false;
    }
    vif_retake(vif, record->guest, record->handle);
    if (vif_go_on(vif) == 0)
        return true;
    log_warn("%s: cannot go on: %s; it is looked for in xenstore", vif->port.name,
             vif->control.why);
    vif_record_void(vif);
    vif_release(vif);
    return false;
}

unsigned int vif_resume(void)
{
    unsigned int nr = 0, nr_records = 0;

    for (unsigned int i = 0; i < VIF_MAX; i++) {
        if (vif_table[i].record.sum == 0)
            continue;
        nr_records++;
        nr += place_resume(&vif_table[i]);
    }
    gref_sweep();
    if (nr_records)
        log_info("vifs: %u of %u go on as they were", nr, nr_records);
    return nr;
}
