/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/gref_request.h"

#include <stdbool.h>

#include "vif/device.h"
#include "xen/gnttab.h"

#define LIST_MAX (PAGE_SIZE / sizeof(struct xen_netif_gref))
#define SUCCESS XEN_NETIF_CTRL_STATUS_SUCCESS
#define INVALID XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER

/* The list in hand: a copy of the guest's. */
static struct xen_netif_gref list[LIST_MAX] __attribute__((aligned(4096)));

/* Copy nr entries from the guest's page, or back to it. */
static bool list_copy(const struct vif *vif, grant_ref_t ref, uint32_t nr, bool back)
{
    const struct gnttab_copy_ptr guest = { .u.ref = ref, .domid = vif->guest };
    const struct gnttab_copy_ptr ours = { .u.gmfn = virt_to_mfn(list), .domid = DOMID_SELF };
    gnttab_copy_t op = { .source = back ? ours : guest,
                         .dest = back ? guest : ours,
                         .len = (uint16_t)(nr * sizeof(list[0])),
                         .flags = back ? GNTCOPY_dest_gref : GNTCOPY_source_gref,
                         .status = GNTST_general_error };

    gnttab_copy(&op, 1);
    return op.status == GNTST_okay;
}

/* May all of the list be mapped, as far as we know? */
static bool list_is_good(const struct vif_queue *queue, uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        if (list[i].flags & ~XEN_NETIF_CTRLF_GREF_readonly || gref_has(queue, list[i].ref))
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (list[j].ref == list[i].ref)
                return false;
    }
    return true;
}

uint32_t gref_request_size(struct vif *vif, const uint32_t *args, uint32_t *size_r)
{
    const struct vif_queue *queue;

    if (args[0] >= vif->nr_queues)
        return INVALID;
    queue = vif_queue_of(vif, args[0]);
    *size_r = queue->nr_grefs + gref_room(queue);
    return SUCCESS;
}

uint32_t gref_request_add(struct vif *vif, const uint32_t *args)
{
    const uint32_t nr = args[2];
    struct vif_queue *queue;

    if (args[0] >= vif->nr_queues)
        return INVALID;
    if (nr == 0)
        return SUCCESS;
    queue = vif_queue_of(vif, args[0]);
    if (nr > gref_room(queue) || !list_copy(vif, args[1], nr, false) || !list_is_good(queue, nr))
        return INVALID;
    return gref_map(queue, list, nr, vif->ctrl.ring.rsp_prod_pvt) == 0 ? SUCCESS : INVALID;
}

uint32_t gref_request_del(struct vif *vif, const uint32_t *args, uint32_t *nr_r)
{
    const uint32_t nr = args[2];
    struct vif_queue *queue;

    if (args[0] >= vif->nr_queues || nr > LIST_MAX)
        return INVALID;
    if (nr == 0)
        return SUCCESS;
    queue = vif_queue_of(vif, args[0]);
    if (!list_copy(vif, args[1], nr, false))
        return INVALID;
    for (uint32_t i = 0; i < nr; i++)
        list[i].status = gref_leave(queue, list[i].ref) ? SUCCESS : INVALID;
    if (!list_copy(vif, args[1], nr, true)) {
        gref_stay();
        return INVALID;
    }
    *nr_r = gref_unmap(queue);
    return SUCCESS;
}
