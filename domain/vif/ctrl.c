/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control ring: one request, one response, each done before the next is read.
 * Order (recovery needs it): mark, do, write the response, push, notify.
 * Source: xen/io/netif.h, "Control ring", "Control messages".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vif/device.h"
#include "vif/gref_request.h"
#include "vif/ring_check.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define CTRL_BATCH 16 /* requests of one vif in a turn: each may be a hypercall */
#define CTRL_REST_NS 1000000ull /* until the next ones */

/* What a request brings along. Within one page, so that one copy fetches it. */
static union {
    uint8_t key[HASH_KEY_MAX];
    uint32_t queues[HASH_MAPPING_MAX];
} data __attribute__((aligned(sizeof(uint32_t) * HASH_MAPPING_MAX)));

static uint32_t hash_sum(const struct vif_hash *hash)
{
    size_t skip = sizeof(hash->sum);

    return recovery_sum((const char *)hash + skip, sizeof(*hash) - skip);
}

/* Fetch len bytes from the start of a page that the guest granted. len may be 0. */
static bool data_fetch(const struct vif *vif, grant_ref_t ref, uint32_t len)
{
    gnttab_copy_t op = { .source = { .u.ref = ref, .domid = vif->guest },
                         .dest = { .u.gmfn = virt_to_mfn(&data),
                                   .domid = DOMID_SELF,
                                   .offset = (uint16_t)((uintptr_t)&data & ~PAGE_MASK) },
                         .len = (uint16_t)len,
                         .flags = GNTCOPY_source_gref,
                         .status = GNTST_general_error };

    if (len == 0)
        return true;
    gnttab_copy(&op, 1);
    return op.status == GNTST_okay;
}

static uint32_t key_set(struct vif *vif, const uint32_t *args)
{
    uint32_t status = hash_key_check(args[1]);

    if (status != XEN_NETIF_CTRL_STATUS_SUCCESS)
        return status;
    if (!data_fetch(vif, args[0], args[1]))
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    hash_key_set(&vif->hash, data.key, args[1]);
    return status;
}

static uint32_t mapping_set(struct vif *vif, const uint32_t *args)
{
    uint32_t status = hash_mapping_check(&vif->hash, args[1], args[2]);

    if (status != XEN_NETIF_CTRL_STATUS_SUCCESS)
        return status;
    if (!data_fetch(vif, args[0], args[1] * (uint32_t)sizeof(uint32_t)))
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    return hash_mapping_set(&vif->hash, data.queues, args[1], args[2], vif->nr_queues);
}

/* Returns the status; data_r is 0 before. */
static uint32_t request_do(struct vif *vif, const struct xen_netif_ctrl_request *req,
                           uint32_t *data_r)
{
    switch (req->type) {
    case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
        return hash_algorithm_set(&vif->hash, req->data[0]);
    case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
        return hash_flags_get(&vif->hash, data_r);
    case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
        return hash_flags_set(&vif->hash, req->data[0]);
    case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
        return key_set(vif, req->data);
    case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE:
        *data_r = HASH_MAPPING_MAX;
        return XEN_NETIF_CTRL_STATUS_SUCCESS;
    case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
        return hash_mapping_size_set(&vif->hash, req->data[0]);
    case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
        return mapping_set(vif, req->data);
    case XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE:
        return gref_request_size(vif, req->data, data_r);
    case XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING:
        return gref_request_add(vif, req->data);
    case XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING:
        return gref_request_del(vif, req->data, data_r);
    default:
        return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
    }
}

/* Mapping and unmapping pages takes Xen as long as many other requests: a turn ends with it. */
static int request_cost(const struct xen_netif_ctrl_request *req)
{
    return req->type == XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING ||
                   req->type == XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING
               ? CTRL_BATCH
               : 1;
}

/* Of no queue. */
static void ctrl_notify(struct vif *vif)
{
    vif->counts.nr_ctrl_notified++;
    evtchn_notify(vif->ctrl.port);
}

static void ctrl_answer(struct vif *vif, struct xen_netif_ctrl_response rsp)
{
    xen_netif_ctrl_back_ring_t *ring = &vif->ctrl.ring;
    RING_IDX before = ring->rsp_prod_pvt;

    *RING_GET_RESPONSE(ring, ring->rsp_prod_pvt) = rsp;
    ring->rsp_prod_pvt++;
    if (ring_push(&ring->sring->rsp_prod, &ring->sring->rsp_event, before, ring->rsp_prod_pvt))
        ctrl_notify(vif);
}

static struct xen_netif_ctrl_request request_take(struct vif *vif)
{
    struct xen_netif_ctrl_request req;

    RING_COPY_REQUEST(&vif->ctrl.ring, vif->ctrl.ring.req_cons, &req);
    vif->ctrl.ring.req_cons++;
    WRITE_ONCE(vif->ctrl_mark, vif->ctrl.ring.req_cons);
    barrier(); /* the mark before the response */
    return req;
}

/* Returns what it took of a turn. */
static int request_serve(struct vif *vif)
{
    struct xen_netif_ctrl_request req = request_take(vif);
    struct xen_netif_ctrl_response rsp = { .id = req.id, .type = req.type };
    uint32_t value = 0;

    rsp.status = request_do(vif, &req, &value);
    rsp.data = value;
    vif->hash.sum = hash_sum(&vif->hash);
    ctrl_answer(vif, rsp);
    return request_cost(&req);
}

static int requests_waiting(struct vif *vif)
{
    xen_netif_ctrl_back_ring_t *ring = &vif->ctrl.ring;
    int nr = ring_requests(READ_ONCE(ring->sring->req_prod), ring->req_cons, ring->rsp_prod_pvt,
                           ring->nr_ents);

    rmb(); /* the requests after the index */
    if (nr < 0)
        vif_break(vif, "its control ring's req_prod makes no sense");
    return nr;
}

static void ctrl_serve(void *ctx)
{
    struct vif *vif = ctx;
    int nr, taken = 0;

    if (!vif->mapped || vif->broken)
        return;
    nr = requests_waiting(vif);
    for (int i = 0; i < nr && taken < CTRL_BATCH; i++)
        taken += request_serve(vif);
    if (nr < 0)
        return;
    WRITE_ONCE(vif->ctrl.ring.sring->req_event, vif->ctrl.ring.req_cons + 1);
    mb(); /* the wish before the second look */
    if (requests_waiting(vif) > 0)
        timer_arm(&vif->ctrl.timer, clock_now() + CTRL_REST_NS, ctrl_serve, vif);
}

/* Whoever was there before may have done them, or half of them: the frontend asks again. */
static void requests_fail(struct vif *vif, uint32_t nr)
{
    while (nr--) {
        struct xen_netif_ctrl_request req = request_take(vif);

        ctrl_answer(vif, (struct xen_netif_ctrl_response){
                             .id = req.id,
                             .type = req.type,
                             .status = XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER });
    }
}

static int why_set(struct vif *vif, const char *node, int err)
{
    snprintf(vif->control.why, sizeof(vif->control.why), "%s cannot be used: error %d", node, -err);
    return err;
}

static int ring_attach(struct vif *vif, xen_netif_ctrl_sring_t *sring)
{
    RING_IDX rsp = READ_ONCE(sring->rsp_prod);
    int err;

    BACK_RING_ATTACH(&vif->ctrl.ring, sring, rsp, PAGE_SIZE);
    err = ring_requests(READ_ONCE(sring->req_prod), rsp, rsp, vif->ctrl.ring.nr_ents);
    return err < 0 ? why_set(vif, "the index on ctrl-ring-ref", err) : 0;
}

int vif_ctrl_connect(struct vif *vif)
{
    const struct vif_front *front = &vif->control.front;
    struct vif_ctrl *ctrl = &vif->ctrl;
    void *sring;
    int err;

    hash_reset(&vif->hash);
    vif->hash.sum = hash_sum(&vif->hash);
    if (!front->has_ctrl)
        return 0;
    err = gnttab_map(vif->guest, front->ctrl_ref, &sring, &ctrl->slot);
    if (err)
        return why_set(vif, "ctrl-ring-ref", err);
    err = ring_attach(vif, sring);
    if (!err) {
        err = evtchn_bind_interdomain(vif->guest, front->ctrl_port, ctrl_serve, vif, &ctrl->port);
        if (err)
            (void)why_set(vif, "event-channel-ctrl", err);
    }
    if (err) {
        gnttab_unmap(ctrl->slot);
        return err;
    }
    ctrl->used = true;
    return 0;
}

int vif_ctrl_reconnect(struct vif *vif)
{
    const struct vif_record *record = &vif->record;
    struct vif_ctrl *ctrl = &vif->ctrl;
    void *sring;
    int err;

    if (vif->hash.sum != hash_sum(&vif->hash))
        return why_set(vif, "what is kept of its hash", -EPROTO);
    if (!record->front.has_ctrl)
        return 0;
    if (gnttab_resume(record->ctrl_slot, vif->guest, record->front.ctrl_ref, &sring))
        return why_set(vif, "the control ring's mapping", -ENOENT);
    err = ring_attach(vif, sring);
    if (!err &&
        evtchn_resume(record->ctrl_port, vif->guest, EVTCHNSTAT_interdomain, ctrl_serve, vif))
        err = why_set(vif, "the control ring's event channel", -ENOENT);
    if (err) {
        gnttab_unmap(record->ctrl_slot);
        return err;
    }
    ctrl->slot = record->ctrl_slot;
    ctrl->port = record->ctrl_port;
    ctrl->used = true;
    gref_resume(vif);
    return 0;
}

void vif_ctrl_go(struct vif *vif, bool is_new)
{
    int nr;

    if (!vif->ctrl.used)
        return;
    nr = requests_waiting(vif);
    if (nr > 0 && vif->control.takeover) {
        requests_fail(vif, (uint32_t)nr);
    } else if (nr > 0 && !is_new) {
        /* At most the one in hand; a mark that is damaged fails as many as there are. */
        uint32_t in_hand = vif->ctrl_mark - vif->ctrl.ring.req_cons;

        requests_fail(vif, in_hand > (uint32_t)nr ? (uint32_t)nr : in_hand);
    }
    if (!is_new)
        ctrl_notify(vif); /* the last start may have died before */
    ctrl_serve(vif);
}

void vif_ctrl_disconnect(struct vif *vif)
{
    if (!vif->ctrl.used)
        return;
    timer_cancel(&vif->ctrl.timer);
    gref_drop(vif);
    evtchn_close(vif->ctrl.port);
    gnttab_unmap(vif->ctrl.slot);
    vif->ctrl.ring.sring = NULL;
    vif->ctrl.used = false;
}
