/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/vbds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "xen/devices.h"
#include "xen/domain.h"
#include "xen/store.h"

#include <xen/io/xenbus.h>

#define SETTLE_POLL_MS 100
#define WORD "ferry.disks" /* domain-linux/words.h */

static void found(void *ctx, uint32_t guest, uint32_t handle)
{
    struct vbds *vbds = ctx;

    if (vbds->nr == VBDS_MAX) {
        log_line("more than %u disks: vbd%u.%u is left alone", VBDS_MAX, guest, handle);
        return;
    }
    vbds->refs[vbds->nr++] = (struct vbd_ref){ guest, handle, VBD_UNDONE };
}

int vbds_find(struct host *host, uint32_t backend, struct vbds *vbds_r)
{
    vbds_r->nr = 0;
    return devices_each(host->xs, "vbd", backend, UINT32_MAX, found, vbds_r);
}

static int back_state(struct host *host, uint32_t backend, const struct vbd_ref *ref)
{
    return store_state(host->xs, "/local/domain/%u/backend/vbd/%u/%u/state", backend, ref->guest,
                       ref->handle);
}

bool vbds_serves(struct host *host, uint32_t backend, const struct vbd_ref *ref)
{
    return back_state(host, backend, ref) == XenbusStateConnected;
}

static bool is_gone(struct host *host, const struct vbd_ref *ref)
{
    return device_is_gone(host->xs, "vbd", ref->guest, ref->handle);
}

static void loss_say(const struct vbd_ref *ref, const char *why)
{
    log_line("vbd%u.%u: is lost, and its guest sees I/O errors: %s; `xl block-detach %u %u`, then "
             "`xl block-attach`",
             ref->guest, ref->handle, why, ref->guest, ref->handle);
}

void vbds_rebuild(struct host *host, uint32_t backend, struct vbds *vbds)
{
    for (unsigned int i = 0; i < vbds->nr; i++) {
        struct vbd_ref *ref = &vbds->refs[i];
        int err = store_vbd_rights(host->xs, backend, ref->guest, ref->handle);

        if (!err)
            err = store_vbd_nodes(host->xs, backend, ref->guest, ref->handle,
                                  XenbusStateInitialising);
        ref->way = !err ? VBD_REBUILT : is_gone(host, ref) ? VBD_GONE : VBD_LOST;
        if (ref->way == VBD_LOST)
            loss_say(ref, strerror(-err));
    }
}

static enum vbd_way way_now(struct host *host, uint32_t backend, const struct vbd_ref *ref)
{
    switch (back_state(host, backend, ref)) {
    case XenbusStateConnected:
    case XenbusStateInitWait: /* its frontend was not connected, and may take its time */
        return VBD_TAKEN;
    case XenbusStateClosing:
    case XenbusStateClosed:
    case XenbusStateUnknown:
        return is_gone(host, ref) ? VBD_GONE : VBD_LOST;
    default:
        return VBD_REBUILT;
    }
}

/* The frontend reads it at once; whoever serves the ring meanwhile sees the frontend go. */
static void close_now(struct host *host, uint32_t backend, const struct vbd_ref *ref)
{
    char dir[STORE_PATH_SIZE];

    snprintf(dir, sizeof(dir), "/local/domain/%u/backend/vbd/%u/%u", backend, ref->guest,
             ref->handle);
    if (!store_put(host->xs, XBT_NULL, dir, "state", "6"))
        log_line("vbd%u.%u: its backend's state cannot be written", ref->guest, ref->handle);
}

int vbds_settle(struct host *host, const struct journal *journal, struct vbds *vbds,
                int64_t deadline)
{
    while (vbds_count(vbds, VBD_REBUILT)) {
        if (domain_has_ended(host, journal))
            return -ECANCELED;
        for (unsigned int i = 0; i < vbds->nr; i++) {
            struct vbd_ref *ref = &vbds->refs[i];

            if (ref->way != VBD_REBUILT)
                continue;
            ref->way = way_now(host, journal->domid, ref);
            if (ref->way == VBD_LOST)
                loss_say(ref, "its backend has given it up, and says why on its console");
        }
        if (host_ticks_ms() > deadline)
            break;
        if (vbds_count(vbds, VBD_REBUILT))
            host_sleep_ms(SETTLE_POLL_MS);
    }
    for (unsigned int i = 0; i < vbds->nr; i++) {
        struct vbd_ref *ref = &vbds->refs[i];

        if (ref->way != VBD_REBUILT)
            continue;
        ref->way = VBD_LOST;
        close_now(host, journal->domid, ref);
        loss_say(ref, "its backend has not taken it over in time");
    }
    return 0;
}

/* The guest's side goes, whoever has the id that it names. */
static void device_destroy(struct host *host, const struct vbd_ref *ref)
{
    int nr = 0;
    libxl_device_disk *disks = libxl_device_disk_list(host->xl, ref->guest, &nr);

    for (int i = 0; disks && i < nr; i++) {
        libxl_diskinfo info;

        libxl_diskinfo_init(&info);
        if (libxl_device_disk_getinfo(host->xl, ref->guest, &disks[i], &info) == 0 &&
            (uint32_t)info.devid == ref->handle)
            libxl_device_disk_destroy(host->xl, ref->guest, &disks[i], NULL);
        libxl_diskinfo_dispose(&info);
    }
    libxl_device_disk_list_free(disks, nr);
}

void vbds_give_up(struct host *host, uint32_t backend, struct vbds *vbds, const char *why)
{
    for (unsigned int i = 0; i < vbds->nr; i++) {
        struct vbd_ref *ref = &vbds->refs[i];
        int err = 0;

        if (is_gone(host, ref)) {
            ref->way = VBD_GONE;
            continue;
        }
        ref->way = VBD_LOST;
        loss_say(ref, why);
        if (backend == JOURNAL_NO_DOMID)
            device_destroy(host, ref);
        else
            err = store_vbd_nodes(host->xs, backend, ref->guest, ref->handle, XenbusStateClosed);
        if (err)
            log_line("vbd%u.%u: its nodes could not be written: %s", ref->guest, ref->handle,
                     strerror(-err));
    }
}

unsigned int vbds_count(const struct vbds *vbds, enum vbd_way way)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < vbds->nr; i++)
        nr += vbds->refs[i].way == way;
    return nr;
}

bool vbds_words_serve(const char *cmdline)
{
    size_t len;

    for (const char *at = cmdline ? cmdline : ""; *at; at += len) {
        at += strspn(at, " \t\n");
        len = strcspn(at, " \t\n");
        if (len == strlen(WORD) && strncmp(at, WORD, len) == 0)
            return true;
    }
    return false;
}
