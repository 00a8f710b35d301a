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
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cable.h"
#include "control.h"
#include "framelog.h"
#include "pcap.h"
#include "tap.h"

enum { POLL_CABLE, POLL_CONTROL, POLL_TAPS, NR_POLL = POLL_TAPS + TAPS_MAX };

static volatile sig_atomic_t stopping;

static void on_signal(int signal)
{
    (void)signal;
    stopping = 1;
}

static void frame_from_nic(const uint8_t *frame, size_t len)
{
    pcap_add(framelog_add(FROM_NIC, frame, len), frame, len);
    tap_deliver(frame, len);
}

static void loop(int control)
{
    struct pollfd fds[NR_POLL];

    while (!stopping) {
        fds[POLL_CABLE] = (struct pollfd){ .fd = cable_fd(), .events = POLLIN };
        fds[POLL_CONTROL] = (struct pollfd){ .fd = control, .events = POLLIN };
        if (cable_is_full()) /* let the taps' own queues fill meanwhile */
            fds[POLL_CABLE].events |= POLLOUT;
        tap_poll_prepare(fds + POLL_TAPS, cable_is_full());
        if (poll(fds, NR_POLL, -1) < 0)
            continue;
        if (fds[POLL_CABLE].revents & POLLOUT)
            cable_flush();
        if (fds[POLL_CABLE].revents & ~POLLOUT)
            cable_read(frame_from_nic);
        tap_poll_done(fds + POLL_TAPS);
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
