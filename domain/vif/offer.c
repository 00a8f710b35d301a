/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "vif/device.h"
#include "xen/xenstore.h"

/* Nothing was offered: the frontend stays as it is, the toolstack finds no InitWait. */
void vif_refuse(struct vif *vif)
{
    struct vif_control *c = &vif->control;

    c->facts.phase = VIF_PHASE_REFUSED;
    c->state = 0;
    c->blamed = true;
    log_limited(&c->limit, LOG_ERROR, "%s: refused: %s", vif->port.name, c->why);
    vif_job_begin(vif, VIF_JOB_BLAME);
}

/* One watch for all its nodes, as there are not many. Most say nothing that is not read at connect. */
static void front_changed(void *ctx, const char *path)
{
    struct vif *vif = ctx;
    char dir[XENSTORE_PATH_SIZE];
    size_t len;

    if (vif_front_path(vif, dir, ""))
        return;
    len = strlen(dir);
    if (strncmp(path, dir, len) != 0)
        return;
    if (!strcmp(path + len, "/request-multicast-control"))
        vif->control.multicast_stale = true;
    else if (path[len] && strcmp(path + len, "/state") != 0)
        return;
    vif_control_kick(vif);
}

int vif_front_watch(struct vif *vif)
{
    struct vif_control *c = &vif->control;
    char path[XENSTORE_PATH_SIZE];
    int err;

    err = vif_front_path(vif, path, "");
    if (err || c->has_watch)
        return err;
    err = xenstore_watch(path, front_changed, vif, &c->watch_id);
    c->has_watch = !err;
    return err;
}

void vif_port_fill(struct vif *vif)
{
    struct vif_back *back = &vif->control.back;

    vif->port.mac = back->wish.mac;
    vif->port.mtu = vif_mtu(vif);
    vif->port.up = false;
    back->wish.guest = vif->guest;
    back->wish.handle = vif->handle;
    back->wish.index = vif->index;
}

bool vif_offer_choose(struct vif *vif)
{
    struct vif_shape shape = budget_offer(VIF_MAX, vif_cost_of_others(vif)), before = vif->offered;

    vif->offered = shape;
    vif->cost = budget_shape_cost(shape);
    return shape.queues != before.queues || shape.split != before.split ||
           shape.ctrl != before.ctrl;
}

/* The toolstack's nodes are read: into the bridge with it, and tell the frontend what we can do. */
void vif_offer(struct vif *vif)
{
    struct vif_control *c = &vif->control;
    const char *why = "cannot join the bridge";
    int err;

    if (nodes_back_check(&c->back, vif->guest, vif->handle, c->why, sizeof(c->why))) {
        vif_refuse(vif);
        return;
    }
    err = vif_front_watch(vif);
    if (err == -ENOBUFS) {
        vif_control_later(vif); /* xenstore has its hands full: begin again */
        return;
    }
    if (!err)
        err = vif_host.attach(&vif->port, &c->back.wish, &why);
    vif->attached = !err;
    if (err) {
        snprintf(c->why, sizeof(c->why), "%s", why);
        vif_refuse(vif);
        return;
    }
    (void)vif_offer_choose(vif);
    c->state = XenbusStateInitWait;
    vif_job_begin(vif, VIF_JOB_OFFER);
}
