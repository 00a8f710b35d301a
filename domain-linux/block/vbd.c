/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/vbd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <xen/io/xenbus.h>

#include "block/vbd_io.h"

#define DISK_SAID_MS 5000
#define DISK_LIMIT_MS 30000 /* a disk that has not come by then does not */
#define REMOVE_MS 2000 /* for the toolstack to see Closed */
#define SCRIPT "block" /* libxl's default: there is nothing to be run for it */

void vbd_say(const struct vbd *vbd, const char *format, ...)
{
    char line[400];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    fprintf(stderr, "vbd%u.%u: %s\n", vbd->guest, vbd->handle, line);
}

static void phase_set(struct vbd *vbd, enum vbd_phase phase)
{
    vbd->phase = phase;
    vbd->has_more = false;
    vbd->since_ms = vbd_now_ms();
}

static void state_set(struct vbd *vbd, int state)
{
    bool is_written = nodes_write(vbd->host->xs, vbd->dir, "state", "%d", state);

    if (!is_written && !vbd->unwritten)
        vbd_say(vbd, "its state cannot be written");
    vbd->unwritten = is_written ? 0 : state;
}

/* Or there is no frontend: the guest is dead, or the toolstack has removed it. */
static bool has_let_go(int front)
{
    return front == XenbusStateClosed || front == XenbusStateUnknown;
}

struct vbd *vbd_make(struct vbd_host *host, uint32_t guest, uint32_t handle)
{
    struct vbd *vbd = calloc(1, sizeof(*vbd));
    int state, err, no_error;
    char error[300];

    if (!vbd)
        return NULL;
    *vbd = (struct vbd){ .host = host, .guest = guest, .handle = handle, .disk.fd = -1 };
    snprintf(vbd->dir, sizeof(vbd->dir), VBD_DIR "/%u/%u", guest, handle);
    err = nodes_read(host->xs, vbd->dir, "frontend", vbd->front, sizeof(vbd->front));
    state = nodes_state(host->xs, vbd->dir);
    no_error = nodes_read(host->xs, vbd->dir, "error", error, sizeof(error));
    if (err == -EIO || no_error == -EIO || state < 0) {
        free(vbd);
        errno = EIO;
        return NULL;
    }
    if (err)
        snprintf(vbd->front, sizeof(vbd->front), "/local/domain/%u/device/vbd/%u", guest, handle);
    /* Closing alone is not the end: somebody has asked the frontend to let go, and it may not have done so. */
    vbd->has_failed = state == XenbusStateClosing && !no_error;
    phase_set(vbd, state == XenbusStateClosed ? VBD_CLOSED
                   : vbd->has_failed          ? VBD_ENDS
                                              : VBD_WAITS);
    return vbd;
}

void vbd_free(struct vbd *vbd)
{
    vbd_io_close(vbd);
    disk_close(&vbd->disk);
    free(vbd);
}

static void end_begin(struct vbd *vbd)
{
    phase_set(vbd, VBD_ENDS);
    vbd_look(vbd);
}

/* The guest is to see it: a disk that is going, and errors for all that it asks for until it has let go. */
static void fail(struct vbd *vbd, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct vbd *vbd, const char *format, ...)
{
    char why[300];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    vbd_say(vbd, "is given up, and its guest sees I/O errors: %s", why);
    nodes_write(vbd->host->xs, vbd->dir, "error", "%.250s", why);
    vbd->has_failed = true;
    state_set(vbd, XenbusStateClosing);
    end_begin(vbd);
}

/* Each keeps its value if it is not there. Returns whether xenstore could be read. */
static bool options_read(struct vbd *vbd, char script[200], char type[16], char kind[16])
{
    struct xs_handle *xs = vbd->host->xs;

    return nodes_read(xs, vbd->dir, "script", script, 200) != -EIO &&
           nodes_read(xs, vbd->dir, "type", type, 16) != -EIO &&
           nodes_read(xs, vbd->dir, "device-type", kind, 16) != -EIO;
}

static bool settings_read(struct vbd *vbd, char target[300], bool *is_read_only_r)
{
    char mode[8] = "", script[200] = SCRIPT, type[16] = "phy", kind[16] = "disk";
    struct xs_handle *xs = vbd->host->xs;
    int no_target = nodes_read(xs, vbd->dir, "params", target, 300);
    int no_mode = nodes_read(xs, vbd->dir, "mode", mode, sizeof(mode));
    const char *slash;

    if (no_target == -EIO || no_mode == -EIO || !options_read(vbd, script, type, kind))
        return false;
    slash = strrchr(script, '/');
    if (strcmp(slash ? slash + 1 : script, SCRIPT) != 0)
        fail(vbd, "its disk line has script=%.100s: no script is run here", script);
    else if (strcmp(type, "phy") != 0)
        fail(vbd, "its type is %s: only phy, which is a block device, is served", type);
    else if (no_target)
        fail(vbd, "it has no params, or they are too long");
    else if (no_mode || (mode[0] != 'r' && mode[0] != 'w'))
        fail(vbd, "its mode '%s' is neither r nor w", mode);
    else {
        *is_read_only_r = mode[0] == 'r' || strcmp(kind, "cdrom") == 0;
        return true;
    }
    return false;
}

/* Returns whether it is open. */
static bool disk_await(struct vbd *vbd)
{
    int64_t waited_ms = vbd_now_ms() - vbd->since_ms;
    char target[300];
    const char *why;
    bool is_read_only;
    struct disk disk;
    int err;

    if (vbd->disk.fd >= 0)
        return true;
    if (!settings_read(vbd, target, &is_read_only))
        return false;
    err = disk_open(target, is_read_only, &disk, &why);
    if (!err && !vbd->host->may_open(&disk, &why)) {
        disk_close(&disk);
        err = -EBUSY;
    }
    if (err == -ENOENT && waited_ms < DISK_LIMIT_MS) {
        if (waited_ms >= DISK_SAID_MS && !vbd->is_late)
            vbd_say(vbd, "waits for %s: %s", target, why);
        vbd->is_late = vbd->is_late || waited_ms >= DISK_SAID_MS;
        return false;
    }
    if (err) {
        fail(vbd, "%.200s: %s", target, why);
        return false;
    }
    vbd->disk = disk;
    return true;
}

static void offer(struct vbd *vbd)
{
    struct xs_handle *xs = vbd->host->xs;

    if (!nodes_write(xs, vbd->dir, "feature-flush-cache", "1") ||
        !nodes_write(xs, vbd->dir, "feature-barrier", "0") ||
        !nodes_write(xs, vbd->dir, "max-ring-page-order", "%d", RING_ORDER_MAX) ||
        !nodes_write(xs, vbd->dir, "physical-device", "%x:%x", major(vbd->disk.device),
                     minor(vbd->disk.device)) ||
        !nodes_write(xs, vbd->dir, "hotplug-status", "connected")) {
        fail(vbd, "its directory cannot be written");
        return;
    }
    phase_set(vbd, VBD_OFFERED);
}

static bool geometry_write(struct vbd *vbd)
{
    struct xs_handle *xs = vbd->host->xs;
    const struct disk *disk = &vbd->disk;

    return nodes_write(xs, vbd->dir, "sectors", "%llu", (unsigned long long)disk->nr_sectors) &&
           nodes_write(xs, vbd->dir, "sector-size", "%d", REQUEST_SECTOR_SIZE) &&
           nodes_write(xs, vbd->dir, "physical-sector-size", "%u", disk->physical_sector_size) &&
           nodes_write(xs, vbd->dir, "info", "%u", disk->is_read_only ? VDISK_READONLY : 0);
}

/* A later Closing is not to be taken for this one's end (vbd_make()). */
static void error_remove(struct vbd *vbd)
{
    char path[NODES_PATH_SIZE], error[300];

    if (nodes_read(vbd->host->xs, vbd->dir, "error", error, sizeof(error)) == -ENOENT)
        return;
    snprintf(path, sizeof(path), "%s/error", vbd->dir);
    if (!xs_rm(vbd->host->xs, XBT_NULL, path))
        vbd_say(vbd, "its old error cannot be removed");
}

/* is_closing: somebody has asked the frontend to let go, and it uses the ring still. */
static void connect(struct vbd *vbd, bool was_used, bool is_closing)
{
    char why[LINK_WHY_SIZE];

    if (vbd_io_open(vbd, was_used, why)) {
        fail(vbd, "%s", why);
        return;
    }
    if (!geometry_write(vbd)) {
        fail(vbd, "its directory cannot be written");
        return;
    }
    error_remove(vbd);
    vbd->has_new_ring = false;
    phase_set(vbd, VBD_SERVES);
    if (was_used)
        vbd_say(vbd, "is taken over after %lld ms: %u requests are done again, %u were done",
                (long long)vbd_now_ms(), vbd->ring.nr_found, vbd->ring.nr_finished);
    else
        vbd_say(vbd, "is connected after %lld ms", (long long)vbd_now_ms());
    state_set(vbd, is_closing ? XenbusStateClosing : XenbusStateConnected);
    vbd_run(vbd);
    /* What was answered before its backend died may not have been said, whatever the frontend's state is. */
    if (vbd->link.pages)
        xenevtchn_notify(vbd->host->events, vbd->link.port);
}

/* Whether it has a ring, which it uses until it is Closed. */
static bool front_has_ring(struct vbd *vbd)
{
    char port[16];

    return nodes_read(vbd->host->xs, vbd->front, "event-channel", port, sizeof(port)) != -ENOENT;
}

static void begin(struct vbd *vbd, int front, int back)
{
    if (has_let_go(front) || (front == XenbusStateClosing && !front_has_ring(vbd))) {
        end_begin(vbd);
        return;
    }
    if (!disk_await(vbd))
        return;
    offer(vbd);
    if (vbd->phase != VBD_OFFERED)
        return;
    if (front == XenbusStateConnected || front == XenbusStateClosing)
        connect(vbd, !vbd->has_new_ring, back == XenbusStateClosing);
    else if (front == XenbusStateInitialised)
        connect(vbd, false, back == XenbusStateClosing);
    else
        state_set(vbd, XenbusStateInitWait);
}

/* Returns 0 and what the toolstack wants, or -EAGAIN: that cannot be read now. */
static int online_read(struct vbd *vbd, uint32_t *online_r)
{
    int err = nodes_number(vbd->host->xs, vbd->dir, "online", 1, online_r);

    if (err)
        *online_r = err != -ENOENT; /* where it makes no sense, nothing is removed */
    return err == -EIO ? -EAGAIN : 0;
}

static void begin_anew(struct vbd *vbd, int front)
{
    vbd->has_new_ring = true;
    phase_set(vbd, VBD_WAITS);
    begin(vbd, front, XenbusStateUnknown);
}

/* Once no job runs any more, and, after a failure, the frontend has let go of the ring: it may ask until then. */
static void end(struct vbd *vbd, int front)
{
    bool has_ring = front == XenbusStateConnected || front == XenbusStateClosing, is_anew;
    uint32_t online;

    vbd_io_finish(vbd);
    if (vbd->nr_running || online_read(vbd, &online))
        return;
    is_anew = online && !vbd->has_failed && front >= XenbusStateInitialising &&
              front <= XenbusStateConnected;
    if (vbd->has_failed && vbd_io_refuse_all(vbd, has_ring) && has_ring) {
        disk_close(&vbd->disk);
        return;
    }
    vbd_io_close(vbd);
    disk_close(&vbd->disk);
    if (vbd->nr_refused)
        vbd_say(vbd, "%u requests were refused", vbd->nr_refused);
    vbd->nr_refused = 0;
    if (is_anew) {
        begin_anew(vbd, front);
        return;
    }
    phase_set(vbd, VBD_CLOSED);
    state_set(vbd, has_let_go(front) ? XenbusStateClosed : XenbusStateClosing);
}

/* The guest's directory too, if this was its last one. */
static void dirs_remove(struct vbd *vbd)
{
    struct xs_handle *xs = vbd->host->xs;
    char above[64];

    snprintf(above, sizeof(above), VBD_DIR "/%u", vbd->guest);
    for (int tries = 0; tries < 10; tries++) {
        xs_transaction_t t = xs_transaction_start(xs);
        unsigned int nr = 0;
        char **names;

        xs_rm(xs, t, vbd->dir);
        names = xs_directory(xs, t, above, &nr);
        if (names && nr == 0)
            xs_rm(xs, t, above);
        free(names);
        if (xs_transaction_end(xs, t, false) || errno != EAGAIN)
            break;
    }
    phase_set(vbd, VBD_GONE);
}

static void closed(struct vbd *vbd, int front, int back)
{
    uint32_t online;

    if (online_read(vbd, &online))
        return;
    if (has_let_go(front) && back != XenbusStateClosed)
        state_set(vbd, XenbusStateClosed);
    else if (front == XenbusStateInitialising && online) {
        vbd->has_failed = false;
        begin_anew(vbd, front);
    } else if (!online && back == XenbusStateClosed && vbd_now_ms() - vbd->since_ms >= REMOVE_MS)
        dirs_remove(vbd);
}

/* It went Closed, and on, between two looks; Linux' blkfront goes on to Connected at once if its backend is Connected still. */
static bool has_begun_anew(struct vbd *vbd, int front)
{
    if (front == XenbusStateInitialised || front == XenbusStateConnected)
        return link_has_changed(vbd->host->xs, vbd->front, &vbd->link);
    return front == XenbusStateInitialising || front == XenbusStateInitWait;
}

/* A frontend that wants to close, or cannot (a disk in use, "block-detach"), says Closing, and goes on with its ring until it is Closed. */
static void served(struct vbd *vbd, int front, int back)
{
    if (has_let_go(front) || has_begun_anew(vbd, front))
        end_begin(vbd);
    else if (front == XenbusStateClosing && back < XenbusStateClosing)
        state_set(vbd, XenbusStateClosing);
}

void vbd_look(struct vbd *vbd)
{
    int front = nodes_state(vbd->host->xs, vbd->front);
    int back = nodes_state(vbd->host->xs, vbd->dir);
    char number[16];

    if (front < 0 || back < 0)
        return; /* xenstore does not say; it is asked again */
    if (back == XenbusStateUnknown && vbd->phase != VBD_GONE &&
        nodes_read(vbd->host->xs, vbd->dir, "frontend-id", number, sizeof(number)) == -ENOENT) {
        vbd_io_finish(vbd);
        if (vbd->nr_running == 0)
            phase_set(vbd, VBD_GONE);
        else if (vbd->phase != VBD_ENDS)
            phase_set(vbd, VBD_ENDS);
        return;
    }
    if (vbd->unwritten && (back < XenbusStateClosing || vbd->unwritten >= XenbusStateClosing))
        state_set(vbd, vbd->unwritten);
    switch (vbd->phase) {
    case VBD_WAITS:
        begin(vbd, front, back);
        break;
    case VBD_OFFERED:
        if (front == XenbusStateInitialised || front == XenbusStateConnected)
            connect(vbd, false, false);
        else if (front == XenbusStateClosing || has_let_go(front))
            end_begin(vbd);
        break;
    case VBD_SERVES:
        served(vbd, front, back);
        break;
    case VBD_ENDS:
        end(vbd, front);
        break;
    case VBD_CLOSED:
        closed(vbd, front, back);
        break;
    case VBD_GONE:
        break;
    }
}

void vbd_run(struct vbd *vbd)
{
    if (vbd->phase == VBD_SERVES) {
        if (vbd_io_run(vbd))
            fail(vbd, "its ring says that there are more requests than it has slots");
    } else if (vbd->phase == VBD_ENDS && vbd->nr_running) {
        vbd_io_finish(vbd);
        if (vbd->nr_running == 0)
            vbd_look(vbd);
    } else if (vbd->phase == VBD_ENDS && vbd->has_failed) {
        vbd_io_refuse_all(
            vbd,
            false); /* the frontend may notify as often as it likes: not a word with xenstore */
    }
}
