/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which vifs there are. One watch on backend/vif tells of every node written below it; only a vif's
 * directory, state, online and rate matter. What stands there already when we start (or was not taken for
 * want of a place) is found by listing directories.
 */
#include <errno.h>
#include <string.h>

#include "vif/device.h"
#include "xen/clock.h"
#include "xen/xenstore.h"

#define ROOT "backend/vif"
#define RETRY_NS 20000000ull

/* A listing: of ROOT, then of each guest's directory. */
static struct {
    unsigned int nr_asked; /* guests whose directory was asked for */
    domid_t guests[VIF_MAX];
    bool busy, again, full;
    unsigned int nr_pending;
    struct timer timer;
    struct log_limit limit;
} scan;

static void vif_seen(domid_t guest, uint16_t handle)
{
    struct vif *vif = vif_find(guest, handle);

    if (!vif)
        vif = vif_take(guest, handle);
    if (vif) {
        vif_control_kick(vif);
        return;
    }
    scan.full = true;
    log_limited(&scan.limit, LOG_ERROR, "vif%u.%u: refused: there are %u vifs already", guest,
                handle, VIF_MAX);
}

static void scan_start(void *ctx);

static void scan_retry(void)
{
    scan.again = false;
    timer_arm(&scan.timer, clock_now() + RETRY_NS, scan_start, NULL);
}

static void scan_end(void)
{
    scan.busy = false;
    if (scan.again)
        scan_retry();
}

static void handles_listed(void *ctx, int err, const char *names, size_t len)
{
    domid_t guest = *(const domid_t *)ctx;
    uint32_t handle;

    for (size_t at = 0; !err && at < len; at += strlen(names + at) + 1)
        if (xenstore_parse_u32(names + at, UINT16_MAX, &handle) == 0)
            vif_seen(guest, (uint16_t)handle);
    if (--scan.nr_pending == 0)
        scan_end();
}

static void guest_ask(domid_t guest)
{
    char path[XENSTORE_PATH_SIZE];
    domid_t *slot;

    if (scan.nr_asked == VIF_MAX) {
        scan.full = true;
        return;
    }
    slot = &scan.guests[scan.nr_asked];
    *slot = guest;
    if (xenstore_path(path, sizeof(path), ROOT "/%u", guest) ||
        xenstore_directory(0, path, handles_listed, slot)) {
        scan.again = true; /* no room for the request */
        return;
    }
    scan.nr_asked++;
    scan.nr_pending++;
}

static void guests_listed(void *ctx, int err, const char *names, size_t len)
{
    uint32_t guest;

    (void)ctx;
    for (size_t at = 0; !err && at < len; at += strlen(names + at) + 1)
        if (xenstore_parse_u32(names + at, DOMID_FIRST_RESERVED - 1, &guest) == 0)
            guest_ask((domid_t)guest);
    if (scan.nr_pending == 0)
        scan_end();
}

static void scan_start(void *ctx)
{
    (void)ctx;
    if (scan.busy) {
        scan.again = true;
        return;
    }
    scan.full = false;
    scan.nr_asked = 0;
    if (xenstore_directory(0, ROOT, guests_listed, &scan) == 0)
        scan.busy = true;
    else
        scan_retry();
}

void vif_discover_again(void)
{
    if (scan.full)
        timer_arm(&scan.timer, clock_now() + RETRY_NS, scan_start, NULL);
}

/*
 * Take one path component that is a number. Returns what follows it ("" or "/..."), or NULL.
 */
static const char *number_take(const char *path, uint32_t max, uint32_t *out)
{
    char digits[12];
    size_t len;

    if (*path++ != '/')
        return NULL;
    len = strcspn(path, "/");
    if (len >= sizeof(digits))
        return NULL;
    memcpy(digits, path, len);
    digits[len] = '\0';
    return xenstore_parse_u32(digits, max, out) ? NULL : path + len;
}

static void guest_changed(domid_t guest)
{
    for (unsigned int i = 0; i < VIF_MAX; i++)
        if (vif_table[i].used && vif_table[i].guest == guest)
            vif_control_kick(&vif_table[i]);
}

static void rate_changed(domid_t guest, uint16_t handle)
{
    struct vif *vif = vif_find(guest, handle);

    if (!vif)
        return;
    vif->control.rate_stale = true;
    vif_control_kick(vif);
}

static void root_changed(void *ctx, const char *path)
{
    const char *rest = strstr(path, ROOT);
    uint32_t guest, handle;

    (void)ctx;
    if (!rest)
        return;
    rest += strlen(ROOT);
    if (*rest == '\0') {
        scan_start(NULL);
        return;
    }
    rest = number_take(rest, DOMID_FIRST_RESERVED - 1, &guest);
    if (!rest)
        return;
    if (*rest == '\0') {
        guest_changed((domid_t)guest);
        return;
    }
    rest = number_take(rest, UINT16_MAX, &handle);
    if (rest && !strcmp(rest, "/rate"))
        rate_changed((domid_t)guest, (uint16_t)handle);
    if (rest && (!*rest || !strcmp(rest, "/state") || !strcmp(rest, "/online")))
        vif_seen((domid_t)guest, (uint16_t)handle);
}

int vif_discover_init(void)
{
    unsigned int id;

    memset(&scan, 0, sizeof(scan));
    return xenstore_watch(ROOT, root_changed, &scan, &id);
}
