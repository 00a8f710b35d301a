/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backpressure: a guest that sends to a port which is full is not answered for a moment. Its requests stay
 * on its ring, its own queue fills, and that slows down its senders.
 */
#include "vif/device.h"
#include "xen/clock.h"

/* It is active still: the loop, once awake, looks at it. */
static void hold_due(void *ctx)
{
    struct vif *vif = ctx;

    vif->held_by = NULL;
}

void vif_hold(struct vif *vif, const struct port *by)
{
    if (!vif->mapped || by == &vif->port)
        return;
    vif->held_by = by;
    timer_arm(&vif->hold_timer, clock_last() + VIF_HOLD_NS, hold_due, vif);
}

bool vif_is_held(struct vif *vif)
{
    if (vif->held_by && !vif->held_by->is_full)
        vif_hold_end(vif);
    return vif->held_by;
}

void vif_hold_end(struct vif *vif)
{
    timer_cancel(&vif->hold_timer);
    vif->held_by = NULL;
}
