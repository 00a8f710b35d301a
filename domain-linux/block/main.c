/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux-block: serves block devices of a Linux driver domain to guests (xen/io/blkif.h), in place of Linux' xen-blkback, which answers
 * out of order: after its death nobody could tell which requests were not answered. linux-init runs it, and runs it again if it ends;
 * what is served then goes on, as it does in the domain's successor (block/ring.h).
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "block/vbd.h"

#include <ferry/number.h>

#define VBDS_MAX 64
#define WAIT_MS 50 /* for disks that come */
#define REST_MS 1000 /* for directories that are to go */
/*
 * xenstore is read again and again, not watched: Debian's static libxenstore has no thread that reads, and without one a request whose
 * answer comes after a watch's event fails, with EINVAL (tools/libs/store/xs.c, read_reply()).
 */
#define SCAN_MS 200

static struct vbd_host host;
static struct vbd *vbds;
static unsigned int nr_vbds;
static bool too_many_said;

int64_t vbd_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static bool may_open(const struct disk *disk, const char **why_r)
{
    for (const struct vbd *vbd = vbds; vbd; vbd = vbd->next)
        if (vbd->disk.fd >= 0 && disk_conflicts(&vbd->disk, disk)) {
            *why_r = vbd->disk.device == disk->device
                         ? "another guest has it, and one of them writes"
                         : "another guest has a part of it, or the disk that it is a part of, and "
                           "one of them writes";
            return false;
        }
    return true;
}

static struct vbd *vbd_find(uint32_t guest, uint32_t handle)
{
    struct vbd *vbd = vbds;

    while (vbd && (vbd->guest != guest || vbd->handle != handle))
        vbd = vbd->next;
    return vbd;
}

static void gone_free(void)
{
    for (struct vbd **at = &vbds; *at;) {
        struct vbd *vbd = *at;

        if (vbd->phase != VBD_GONE) {
            at = &vbd->next;
            continue;
        }
        *at = vbd->next;
        vbd_free(vbd);
        nr_vbds--;
        too_many_said = false;
    }
}

static void found(uint32_t guest, uint32_t handle)
{
    char dir[64], number[16];
    struct vbd *vbd;

    if (vbd_find(guest, handle))
        return;
    snprintf(dir, sizeof(dir), VBD_DIR "/%u/%u", guest, handle);
    if (nodes_read(host.xs, dir, "frontend-id", number, sizeof(number)) ||
        nodes_read(host.xs, dir, "state", number, sizeof(number)))
        return;
    if (nr_vbds == VBDS_MAX) {
        if (!too_many_said)
            fprintf(stderr, "vbd%u.%u: there are %d already; it is not served\n", guest, handle,
                    VBDS_MAX);
        too_many_said = true;
        return;
    }
    vbd = vbd_make(&host, guest, handle);
    if (!vbd) {
        fprintf(stderr, "vbd%u.%u: it is not served yet: %s\n", guest, handle, strerror(errno));
        return;
    }
    vbd->next = vbds;
    vbds = vbd;
    nr_vbds++;
}

static void guest_scan(uint32_t guest)
{
    char dir[64], **names;
    unsigned int nr = 0;
    uint32_t handle;

    snprintf(dir, sizeof(dir), VBD_DIR "/%u", guest);
    names = xs_directory(host.xs, XBT_NULL, dir, &nr);
    for (unsigned int i = 0; names && i < nr; i++)
        if (number_parse(names[i], UINT32_MAX, &handle) == 0)
            found(guest, handle);
    free(names);
}

static void all_scan(void)
{
    unsigned int nr = 0;
    char **names = xs_directory(host.xs, XBT_NULL, VBD_DIR, &nr);
    uint32_t guest;

    for (unsigned int i = 0; names && i < nr; i++)
        if (number_parse(names[i], UINT16_MAX, &guest) == 0)
            guest_scan(guest);
    free(names);
}

static void events_look(void)
{
    xenevtchn_port_or_error_t port = xenevtchn_pending(host.events);

    if (port < 0)
        return;
    xenevtchn_unmask(host.events, (evtchn_port_t)port);
    for (struct vbd *vbd = vbds; vbd; vbd = vbd->next)
        if (vbd->link.pages && vbd->link.port == (evtchn_port_t)port)
            vbd_run(vbd);
}

static void jobs_look(void)
{
    uint64_t nr;

    if (read(host.done_fd, &nr, sizeof(nr)) < 0)
        return;
    for (struct vbd *vbd = vbds; vbd; vbd = vbd->next)
        vbd_run(vbd);
}

static int each_ms(const struct vbd *vbd)
{
    return vbd->phase == VBD_WAITS ? WAIT_MS : vbd->phase == VBD_CLOSED ? REST_MS : SCAN_MS;
}

/* What time does, and what is new in xenstore; returns how long may be slept. */
static int time_look(void)
{
    static int64_t scanned_ms = -SCAN_MS;
    int64_t now_ms = vbd_now_ms();
    int wait_ms = SCAN_MS;

    if (now_ms - scanned_ms >= SCAN_MS) {
        scanned_ms = now_ms;
        gone_free(); /* another one of the same name may have come */
        all_scan();
    }
    for (struct vbd *vbd = vbds; vbd; vbd = vbd->next) {
        if (now_ms - vbd->looked_ms >= each_ms(vbd)) {
            vbd->looked_ms = now_ms;
            vbd_look(vbd);
        }
        wait_ms = each_ms(vbd) < wait_ms ? each_ms(vbd) : wait_ms;
        if (vbd->phase == VBD_SERVES && vbd->has_more) {
            vbd_run(vbd);
            wait_ms = vbd->has_more ? 0 : wait_ms;
        }
    }
    gone_free();
    return wait_ms;
}

static int open_all(void)
{
    host.xs = xs_open(0);
    host.grants = xengnttab_open(NULL, 0);
    host.events = xenevtchn_open(NULL, 0);
    host.done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    host.may_open = may_open;
    if (!host.xs || !host.grants || !host.events || host.done_fd < 0) {
        fprintf(stderr, "linux-block: %s cannot be opened: %s\n",
                !host.xs       ? "xenstore"
                : !host.grants ? "/dev/xen/gntdev"
                : !host.events ? "/dev/xen/evtchn"
                               : "an eventfd",
                strerror(errno));
        return -1;
    }
    return 0;
}

int main(void)
{
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (open_all())
        return EXIT_FAILURE;
    for (;;) {
        struct pollfd fds[] = { { .fd = xenevtchn_fd(host.events), .events = POLLIN },
                                { .fd = host.done_fd, .events = POLLIN } };

        if (poll(fds, 2, time_look()) < 0 && errno != EINTR) {
            fprintf(stderr, "linux-block: poll: %s\n", strerror(errno));
            return EXIT_FAILURE;
        }
        if (fds[1].revents)
            jobs_look();
        if (fds[0].revents)
            events_look();
    }
}
