/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loop calls, for all vifs. */
#include "vif/vif.h"

#include <errno.h>

#include "vif/device.h"
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
    return 0;
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

unsigned int vif_receive_all(void)
{
    struct rte_mbuf *frames[PORT_BURST];
    unsigned int total = 0;

    for (uint64_t left = vif_broken; left; left &= left - 1)
        vif_control_broken(&vif_table[__builtin_ctzll(left)]);
    for (uint64_t left = vif_active; left; left &= left - 1) {
        struct vif *vif = &vif_table[__builtin_ctzll(left)];
        uint16_t nr;

        status_port_set(vif->port.name);
        nr = vif_tx_burst(&vif->port, frames, PORT_BURST);

        if (nr)
            vif_host.input(&vif->port, frames, nr);
        total += nr;
    }
    return total;
}

bool vif_arm_all(void)
{
    bool work = vif_broken != 0;

    for (uint64_t left = vif_active | vif_queued; left; left &= left - 1)
        work |= vif_arm(&vif_table[__builtin_ctzll(left)].port);
    return work;
}
