/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux-vif: puts guests' vifs into the bridges of a Linux driver domain, in place of `xl devd` and the stock scripts, whose
 * processes for each vif took as long as the kernel's own boot. linux-init runs it, and runs it again if it ends: it
 * keeps nothing.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "vif/port.h"

#include <ferry/number.h>

/*
 * The kernel says so when it makes or ends a vif (netback's KOBJ_ONLINE, KOBJ_OFFLINE). That is a hint and nothing more: a look at all of
 * xenstore follows. What it does not say, that a closed vif is wanted no more, waits for the look of every second.
 */
#define SCAN_MS 1000
#define SCAN_MIN_MS 20 /* guests can make the kernel say something as often as they like */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void guest_scan(struct xs_handle *xs, uint32_t guest)
{
    char dir[64], **names;
    unsigned int nr = 0;
    uint32_t handle;

    snprintf(dir, sizeof(dir), PORT_DIR "/%u", guest);
    names = xs_directory(xs, XBT_NULL, dir, &nr);
    for (unsigned int i = 0; names && i < nr; i++)
        if (number_parse(names[i], UINT16_MAX, &handle) == 0 &&
            port_look(xs, guest, handle) == PORT_PLUGGED)
            fprintf(stderr, "vif%u.%u: is in its bridge after %lld ms\n", guest, handle,
                    (long long)now_ms());
    free(names);
}

static void all_scan(struct xs_handle *xs)
{
    unsigned int nr = 0;
    char **names = xs_directory(xs, XBT_NULL, PORT_DIR, &nr);
    uint32_t guest;

    for (unsigned int i = 0; names && i < nr; i++)
        if (number_parse(names[i], UINT16_MAX, &guest) == 0)
            guest_scan(xs, guest);
    free(names);
}

static int events_open(void)
{
    const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Lost ones (ENOBUFS) are no loss. */
static void events_drain(int fd)
{
    char bytes[4096];

    while (recv(fd, bytes, sizeof(bytes), 0) >= 0 || errno == ENOBUFS)
        ;
}

int main(void)
{
    struct xs_handle *xs = xs_open(0);
    int events = events_open();
    int64_t scanned_ms;

    setvbuf(stderr, NULL, _IOLBF, 0);
    if (!xs || events < 0) {
        fprintf(stderr, "linux-vif: %s cannot be opened: %s\n",
                xs ? "the kernel's events" : "xenstore", strerror(errno));
        return EXIT_FAILURE;
    }
    for (;;) {
        struct pollfd fd = { .fd = events, .events = POLLIN };
        int64_t rest_ms;

        events_drain(events);
        scanned_ms = now_ms();
        all_scan(xs);
        if (poll(&fd, 1, SCAN_MS) < 0 && errno != EINTR) {
            fprintf(stderr, "linux-vif: poll: %s\n", strerror(errno));
            return EXIT_FAILURE;
        }
        rest_ms = scanned_ms + SCAN_MIN_MS - now_ms();
        if (rest_ms > 0)
            usleep((useconds_t)rest_ms * 1000);
    }
}
