/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire of one NIC: QEMU's NIC on one end, a tap device in the current
 * network namespace on the other.  Every frame is time-stamped and logged.
 *
 *   wire CABLE_SOCKET CONTROL_SOCKET TAP_NAME LOG_FILE
 *
 * Prints "ready" when both sockets and the tap exist; ends on SIGTERM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cable.h"
#include "control.h"
#include "framelog.h"
#include "pcap.h"

/* At most so many frames from the tap before QEMU and control get their turn. */
#define TAP_BUDGET 32

enum { POLL_CABLE, POLL_TAP, POLL_CONTROL, NR_POLL };

static volatile sig_atomic_t stopping;
static int tap = -1;

static void on_signal(int signal)
{
    (void)signal;
    stopping = 1;
}

static void tap_open(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request)) {
        perror("wire: making the tap device");
        exit(1);
    }
}

static void frame_from_nic(const uint8_t *frame, size_t len)
{
    static int warned;

    pcap_add(framelog_add(FROM_NIC, frame, len), frame, len);
    if (write(tap, frame, len) < 0 && !warned) {
        warned = 1;
        perror("wire: the tap refuses a frame (the log has it all the same)");
    }
}

static void tap_read(void)
{
    static uint8_t frame[FRAME_MAX];

    for (int i = 0; i < TAP_BUDGET && !cable_is_full(); i++) {
        ssize_t len = read(tap, frame, sizeof(frame));

        if (len <= 0)
            return;
        if (cable_send(frame, (size_t)len))
            continue; /* nobody at the other end: a cable without a NIC */
        pcap_add(framelog_add(TO_NIC, frame, (size_t)len), frame, (size_t)len);
    }
}

static void loop(int control)
{
    struct pollfd fds[NR_POLL];

    while (!stopping) {
        fds[POLL_CABLE] = (struct pollfd){ .fd = cable_fd(), .events = POLLIN };
        fds[POLL_TAP] = (struct pollfd){ .fd = tap, .events = POLLIN };
        fds[POLL_CONTROL] = (struct pollfd){ .fd = control, .events = POLLIN };
        if (cable_is_full()) { /* let the tap's own queue fill meanwhile */
            fds[POLL_CABLE].events |= POLLOUT;
            fds[POLL_TAP].fd = -1;
        }
        if (poll(fds, NR_POLL, -1) < 0)
            continue;
        if (fds[POLL_CABLE].revents & POLLOUT)
            cable_flush();
        if (fds[POLL_CABLE].revents & ~POLLOUT)
            cable_read(frame_from_nic);
        if (fds[POLL_TAP].revents)
            tap_read();
        if (fds[POLL_CONTROL].revents)
            control_serve(control);
    }
}

int main(int argc, char **argv)
{
    const struct sigaction on_stop = { .sa_handler = on_signal };
    int control;

    if (argc != 5) {
        fprintf(stderr, "usage: wire CABLE_SOCKET CONTROL_SOCKET TAP_NAME LOG_FILE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &on_stop, NULL);
    sigaction(SIGINT, &on_stop, NULL);
    tap_open(argv[3]);
    framelog_open(argv[4]);
    cable_listen(argv[1]);
    control = control_listen(argv[2]);
    printf("ready\n");
    fflush(stdout);
    loop(control);
    pcap_close();
    framelog_close();
    return 0;
}
