/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "vif/device.h"

struct vif vif_table[VIF_MAX] __outlive;
struct vif_host vif_host;
uint64_t vif_active, vif_queued, vif_broken, vif_mapped;

_Static_assert(VIF_MAX <= 64, "the masks are 64 bits wide");
_Static_assert(sizeof(struct vif) <= 8192, "a full table must stay small beside 32 MB");

static void place_clear(struct vif *vif, bool keep)
{
    struct vif_kept kept = vif->kept;
    struct port_stats stats = vif->port.stats;
    uint64_t rx_bad = vif->rx_bad;

    memset(vif, 0, sizeof(*vif));
    if (!keep)
        return;
    vif->kept = kept;
    vif->port.stats = stats;
    vif->rx_bad = rx_bad;
}

void vif_table_init(void)
{
    for (unsigned int i = 0; i < VIF_MAX; i++)
        place_clear(&vif_table[i], recovery_resuming());
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
    INVARIANT(vif->queue.head == vif->queue.tail);
    vif_active &= ~vif_bit(vif);
    vif_broken &= ~vif_bit(vif);
    vif->used = false;
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
        nr += vif_table[__builtin_ctzll(left)].queue.nr_mbufs;
    return nr;
}

const struct port *vif_port(unsigned int index)
{
    return index < VIF_MAX && vif_table[index].used ? &vif_table[index].port : NULL;
}
