/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctrl.h"

#include <string.h>

#include "wait.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

xen_netif_ctrl_front_ring_t ctrl_ring;
uint8_t ctrl_data[4096] __attribute__((aligned(4096)));
grant_ref_t ctrl_data_ref;
uint32_t ctrl_value;

static uint8_t ring_page[4096] __attribute__((aligned(4096)));
static uint16_t types[256]; /* of the requests, by place */

const char *ctrl_prepare(struct front *f)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    f->dirty = true;
    memset(ring_page, 0, sizeof(ring_page));
    ctrl_ring.sring = (xen_netif_ctrl_sring_t *)ring_page;
    XEN_FRONT_RING_INIT(&ctrl_ring, ctrl_ring.sring, sizeof(ring_page));
    if (!ctrl_data_ref && gnttab_grant(f->backend, ctrl_data, false, &ctrl_data_ref) != 0)
        give_up("no grant reference is left");
    return front_ctrl_prepare(f, ring_page);
}

const char *ctrl_open(struct front *f)
{
    const char *bad = ctrl_prepare(f);

    if (!bad)
        bad = front_publish(f);
    return bad ? bad : front_established(f);
}

void ctrl_put(uint16_t type, uint32_t a, uint32_t b, uint32_t c)
{
    RING_IDX at = ctrl_ring.req_prod_pvt++;

    types[at % 256] = type;
    *RING_GET_REQUEST(&ctrl_ring, at) = (struct xen_netif_ctrl_request){ .id = (uint16_t)(at * 7),
                                                                         .type = type,
                                                                         .data = { a, b, c } };
}

void ctrl_push(struct front *f)
{
    wmb();
    WRITE_ONCE(ctrl_ring.sring->req_prod, ctrl_ring.req_prod_pvt);
    evtchn_notify(f->ctrl_port);
}

static bool all_answered(void *ctx)
{
    (void)ctx;
    return READ_ONCE(ctrl_ring.sring->rsp_prod) == ctrl_ring.req_prod_pvt;
}

const char *ctrl_judge(uint32_t want)
{
    if (!wait_until(all_answered, NULL, CTRL_ANSWER_MS))
        return why("%u of %u control requests answered", ctrl_ring.sring->rsp_prod,
                   ctrl_ring.req_prod_pvt);
    for (; ctrl_ring.rsp_cons != ctrl_ring.req_prod_pvt; ctrl_ring.rsp_cons++) {
        struct xen_netif_ctrl_response rsp = *RING_GET_RESPONSE(&ctrl_ring, ctrl_ring.rsp_cons);

        if (rsp.id != (uint16_t)(ctrl_ring.rsp_cons * 7) ||
            rsp.type != types[ctrl_ring.rsp_cons % 256])
            return why("response %u is to another request", ctrl_ring.rsp_cons);
        if (rsp.status > XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW)
            return why("a response of status %u", rsp.status);
        ctrl_value = rsp.data;
        if (want != UINT32_MAX && rsp.status != want)
            return why("type %u: status %u, not %u", rsp.type, rsp.status, want);
    }
    return NULL;
}

const char *ctrl_ask(struct front *f, uint16_t type, uint32_t a, uint32_t b, uint32_t c,
                     uint32_t want)
{
    ctrl_put(type, a, b, c);
    ctrl_push(f);
    return ctrl_judge(want);
}
