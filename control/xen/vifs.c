/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/vifs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/paths.h"
#include "xen/devices.h"
#include "xen/domain.h"
#include "xen/store.h"

#include <xen/io/xenbus.h>

#define SETTLE_POLL_MS 20
/* Where minutes may pass: each look asks xenstored, which has the processors that the domain boots on. */
#define SETTLE_SLOW_MS 60000
#define SETTLE_SLOW_POLL_MS 250
#define NETBACK_OFFERS "feature-rx-copy" /* xen/io/netif.h; nothing that libxl writes */

static void found(void *ctx, uint32_t guest, uint32_t handle)
{
    struct vifs *vifs = ctx;

    if (vifs->nr == VIFS_MAX) {
        log_line("more than %u vifs: vif%u.%u is left alone", VIFS_MAX, guest, handle);
        return;
    }
    vifs->refs[vifs->nr++] = (struct vif_ref){ guest, handle, VIF_UNDONE };
}

int vifs_find(struct host *host, uint32_t backend, struct vifs *vifs_r)
{
    vifs_r->nr = vifs_r->nr_late = 0;
    return devices_each(host->xs, "vif", backend, UINT16_MAX, found, vifs_r);
}

static bool is_gone(struct host *host, const struct vif_ref *ref)
{
    return device_is_gone(host->xs, "vif", ref->guest, ref->handle);
}

static int back_state(struct host *host, uint32_t backend, const struct vif_ref *ref)
{
    return store_state(host->xs, "/local/domain/%u/backend/vif/%u/%u/state", backend, ref->guest,
                       ref->handle);
}

/* A frontend that changes something while in use is between two states, and its backend follows. */
static bool is_in_use(int state)
{
    return state == XenbusStateConnected || state == XenbusStateReconfiguring ||
           state == XenbusStateReconfigured;
}

bool vifs_serves(struct host *host, uint32_t backend, const struct vif_ref *ref)
{
    return is_in_use(back_state(host, backend, ref));
}

void vifs_rebuild(struct host *host, uint32_t backend, enum vif_taker taker, struct vifs *vifs)
{
    int taken = taker == VIF_TAKER_FERRY ? XenbusStateConnected : XenbusStateInitialising;

    for (unsigned int i = 0; i < vifs->nr; i++) {
        struct vif_ref *ref = &vifs->refs[i];
        int front =
            store_state(host->xs, "/local/domain/%u/device/vif/%u/state", ref->guest, ref->handle);
        bool connected = is_in_use(front);
        int err;

        err = store_vif_rights(host->xs, backend, ref->guest, ref->handle);
        if (!err && taker == VIF_TAKER_NETBACK)
            err = store_vif_mtu(host->xs, backend, ref->guest, ref->handle);
        if (!err)
            err = store_vif_nodes(host->xs, backend, ref->guest, ref->handle,
                                  connected ? taken : XenbusStateInitialising);
        ref->way = err ? VIF_LOST : connected ? VIF_REBUILT : VIF_OFFERED;
        if (err && is_gone(host, ref))
            ref->way = VIF_GONE;
        else if (err)
            log_line("vif%u.%u: its nodes could not be rebuilt: %s", ref->guest, ref->handle,
                     strerror(-err));
    }
}

/*
 * What has become of a rebuilt vif. For Ferry's kernel its state says Connected from the start, for the frontend's sake; the
 * successor writes its own, then hotplug-status: so that is read first. Netback waits for hotplug-status, which is its script's
 * to write, before it says Connected.
 */
static enum vif_way way_now(struct host *host, uint32_t backend, const struct vif_ref *ref)
{
    char status[16] = "";
    int state;

    (void)store_read(host->xs, status, sizeof(status),
                     "/local/domain/%u/backend/vif/%u/%u/hotplug-status", backend, ref->guest,
                     ref->handle);
    state = back_state(host, backend, ref);
    if (state == XenbusStateClosing || state == XenbusStateClosed || state == XenbusStateUnknown)
        return VIF_LOST;
    return is_in_use(state) && strcmp(status, "connected") == 0 ? VIF_TAKEN : ref->way;
}

int vifs_settle(struct host *host, const struct journal *journal, struct vifs *vifs,
                unsigned int limit_ms, unsigned int rest_ms)
{
    bool is_serving = false;
    int64_t deadline = host_ticks_ms() + limit_ms;

    vifs->nr_late = 0;
    while (vifs_count(vifs, VIF_REBUILT)) {
        if (domain_has_ended(host, journal))
            return -ECANCELED;
        for (unsigned int i = 0; i < vifs->nr; i++)
            if (vifs->refs[i].way == VIF_REBUILT)
                vifs->refs[i].way = way_now(host, journal->domid, &vifs->refs[i]);
        if (!is_serving && vifs_count(vifs, VIF_TAKEN)) {
            is_serving = true;
            if (deadline > host_ticks_ms() + rest_ms)
                deadline = host_ticks_ms() + rest_ms;
        }
        if (host_ticks_ms() > deadline)
            break;
        if (vifs_count(vifs, VIF_REBUILT))
            host_sleep_ms(limit_ms > SETTLE_SLOW_MS ? SETTLE_SLOW_POLL_MS : SETTLE_POLL_MS);
    }
    for (unsigned int i = 0; i < vifs->nr; i++)
        if (vifs->refs[i].way == VIF_REBUILT) {
            vifs->refs[i].way = VIF_LOST;
            vifs->nr_late++;
        }
    return 0;
}

bool vifs_noticed(struct host *host, uint32_t backend, const struct vifs *vifs)
{
    for (unsigned int i = 0; i < vifs->nr; i++) {
        const struct vif_ref *ref = &vifs->refs[i];
        char value[8];

        if (ref->way == VIF_LOST && store_read(host->xs, value, sizeof(value),
                                               "/local/domain/%u/backend/vif/%u/%u/" NETBACK_OFFERS,
                                               backend, ref->guest, ref->handle) != -ENOENT)
            return true;
    }
    return false;
}

static int nic_replug(struct host *host, uint32_t backend, uint32_t guest, libxl_device_nic *nic)
{
    libxl_device_nic wanted;
    int rc;

    libxl_device_nic_init(&wanted);
    libxl_device_nic_copy(host->xl, &wanted, nic);
    if (libxl_device_nic_remove(host->xl, guest, nic, NULL))
        libxl_device_nic_destroy(host->xl, guest, nic, NULL);
    wanted.backend_domid = backend;
    free(wanted.backend_domname);
    wanted.backend_domname = NULL;
    rc = libxl_device_nic_add(host->xl, guest, &wanted, NULL);
    libxl_device_nic_dispose(&wanted);
    return rc;
}

/* What has become of one that was plugged in. One that the backend has seen is as good as connected. */
static enum vif_way replugged_now(struct host *host, uint32_t backend, const struct vif_ref *ref)
{
    int state = back_state(host, backend, ref);

    if (state == XenbusStateInitialising)
        return VIF_WAITING;
    return state == XenbusStateInitWait || is_in_use(state) ? VIF_REPLUGGED : VIF_LOST;
}

static void replugged_wait(struct host *host, const struct journal *journal, struct vifs *vifs,
                           int64_t deadline)
{
    for (;;) {
        for (unsigned int i = 0; i < vifs->nr; i++)
            if (vifs->refs[i].way == VIF_WAITING)
                vifs->refs[i].way = replugged_now(host, journal->domid, &vifs->refs[i]);
        if (!vifs_count(vifs, VIF_WAITING) || host_ticks_ms() >= deadline ||
            domain_has_ended(host, journal))
            break;
        host_sleep_ms(SETTLE_POLL_MS);
    }
    for (unsigned int i = 0; i < vifs->nr; i++)
        if (vifs->refs[i].way == VIF_WAITING)
            vifs->refs[i].way = VIF_LOST;
}

void vifs_replug(struct host *host, const struct journal *journal, struct vifs *vifs,
                 unsigned int limit_ms)
{
    int64_t deadline = host_ticks_ms() + limit_ms;

    for (unsigned int i = 0; i < vifs->nr; i++) {
        struct vif_ref *ref = &vifs->refs[i];
        libxl_device_nic *nics;
        int nr = 0, rc = ERROR_FAIL;

        if (ref->way == VIF_LOST && is_gone(host, ref))
            ref->way = VIF_GONE;
        if (ref->way != VIF_LOST)
            continue;
        log_line("vif%u.%u: cannot be taken over: unplugged and replugged; the guest sees a new "
                 "interface",
                 ref->guest, ref->handle);
        if (ref->guest == 0)
            log_line("vif0.%u: dom0 itself loses its network over it: `ip link` names the new "
                     "interface, `ip address add` and `ip route add` give it what the old one had "
                     "(" PATHS_DOCS "/recovery.md)",
                     ref->handle);
        nics = libxl_device_nic_list(host->xl, ref->guest, &nr);
        for (int j = 0; nics && j < nr; j++)
            if ((uint32_t)nics[j].devid == ref->handle)
                rc = nic_replug(host, journal->domid, ref->guest, &nics[j]);
        libxl_device_nic_list_free(nics, nr);
        if (!rc)
            ref->way = VIF_REPLUGGED;
        else if (back_state(host, journal->domid, ref) == XenbusStateInitialising)
            ref->way = VIF_WAITING;
    }
    replugged_wait(host, journal, vifs, deadline);
    for (unsigned int i = 0; i < vifs->nr; i++)
        if (vifs->refs[i].way == VIF_LOST && store_knows_domain(host->xs, vifs->refs[i].guest) == 0)
            vifs->refs[i].way = VIF_GONE;
        else if (vifs->refs[i].way == VIF_LOST)
            log_line("vif%u.%u: replugging failed; try `xl network-attach %u ...`",
                     vifs->refs[i].guest, vifs->refs[i].handle, vifs->refs[i].guest);
}

unsigned int vifs_count(const struct vifs *vifs, enum vif_way way)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < vifs->nr; i++)
        nr += vifs->refs[i].way == way;
    return nr;
}
