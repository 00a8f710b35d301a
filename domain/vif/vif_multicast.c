/* SPDX-License-Identifier: BSD-2-Clause */
/* Which multicast frames a vif is given: the list that its guest amends, and whether it is applied. */
#include <errno.h>

#include "vif/device.h"

/* Sealed again: the next start must not apply what the frontend has taken back. */
void vif_multicast_apply(struct vif *vif)
{
    vif->filters_multicast = vif->control.front.multicast;
    vif_record_seal(vif);
}

void vif_multicast_begin(struct vif *vif, bool resuming)
{
    struct multicast_list *list = &vif->multicast;

    if (!resuming)
        multicast_clear(list, !vif->control.takeover);
    else if (!multicast_is_sound(list))
        multicast_clear(list, false);
    vif->filters_multicast = vif->control.front.multicast;
    if (vif->filters_multicast && !list->is_whole)
        log_limited(&vif->control.limit, LOG_INFO,
                    "%s: its multicast addresses are lost: it is given all multicast frames",
                    vif->port.name);
}

int16_t vif_multicast_amend(struct vif *vif, const struct tx_packet *packet)
{
    struct multicast_list *list = &vif->multicast;
    int err = 0;

    if (packet->multicast == TX_MULTICAST_ADD)
        err = multicast_add(list, &packet->address);
    else
        multicast_delete(list, &packet->address);
    if (err == -ENOSPC)
        log_limited(&vif->control.limit, LOG_WARN,
                    "%s: it asks for more than %u multicast addresses", vif->port.name,
                    MULTICAST_MAX);
    return err ? NETIF_RSP_ERROR : NETIF_RSP_OKAY;
}
