/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cable.h"
#include "framelog.h"
#include "pcap.h"

/* At most so many frames from a tap before QEMU and control get their turn. */
#define TAP_BUDGET 32
#define MACS_LEN 12
#define TAG_LEN 4
#define VID_MASK 0xfff

static struct {
    int fd;
    unsigned int vid; /* 0: the wire itself */
} taps[TAPS_MAX];
static size_t nr_taps;
static const char *wire_name;

static int device_open(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request)) {
        perror("wire: making a tap device");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

void tap_open(const char *name)
{
    wire_name = name;
    taps[0].fd = device_open(name);
    if (taps[0].fd < 0)
        exit(1);
    nr_taps = 1;
}

static int vlan_fd(unsigned int vid)
{
    for (size_t i = 1; i < nr_taps; i++)
        if (taps[i].vid == vid)
            return taps[i].fd;
    return -1;
}

int tap_open_vlan(unsigned int vid)
{
    char name[IFNAMSIZ];
    int fd;

    if (!vid || vid >= VID_MASK || nr_taps == TAPS_MAX || vlan_fd(vid) >= 0)
        return -1;
    snprintf(name, sizeof(name), "%.10s.%u", wire_name, vid);
    fd = device_open(name);
    if (fd < 0)
        return -1;
    taps[nr_taps].fd = fd;
    taps[nr_taps++].vid = vid;
    return 0;
}

void tap_poll_prepare(struct pollfd *fds, int hold)
{
    for (size_t i = 0; i < TAPS_MAX; i++)
        fds[i] = (struct pollfd){ .fd = i < nr_taps && !hold ? taps[i].fd : -1, .events = POLLIN };
}

/* Room for the tag is between `frame` and its first byte that was read. */
static void frame_tag(uint8_t *frame, unsigned int vid)
{
    memmove(frame, frame + TAG_LEN, MACS_LEN);
    frame[MACS_LEN] = 0x81;
    frame[MACS_LEN + 1] = 0;
    frame[MACS_LEN + 2] = (uint8_t)(vid >> 8);
    frame[MACS_LEN + 3] = (uint8_t)vid;
}

static void device_read(int fd, unsigned int vid)
{
    static uint8_t room[FRAME_MAX];

    for (int i = 0; i < TAP_BUDGET && !cable_is_full(); i++) {
        ssize_t n = read(fd, room + TAG_LEN, sizeof(room) - TAG_LEN);
        uint8_t *frame = vid ? room : room + TAG_LEN;
        size_t len = (size_t)n + (vid ? TAG_LEN : 0);

        if (n < MACS_LEN)
            return;
        if (vid)
            frame_tag(frame, vid);
        if (cable_send(frame, len))
            continue; /* nobody at the other end: a cable without a NIC */
        pcap_add(framelog_add(TO_NIC, frame, len), frame, len);
    }
}

void tap_poll_done(const struct pollfd *fds)
{
    for (size_t i = 0; i < nr_taps; i++)
        if (fds[i].revents)
            device_read(taps[i].fd, taps[i].vid);
}

void tap_deliver(const uint8_t *frame, size_t len)
{
    static int warned;
    struct iovec parts[2] = { { (void *)frame, len }, { NULL, 0 } };
    int fd = taps[0].fd;

    if (len >= MACS_LEN + TAG_LEN && frame[MACS_LEN] == 0x81 && frame[MACS_LEN + 1] == 0) {
        int vlan = vlan_fd((frame[MACS_LEN + 2] << 8 | frame[MACS_LEN + 3]) & VID_MASK);

        if (vlan >= 0) {
            fd = vlan;
            parts[0].iov_len = MACS_LEN;
            parts[1] =
                (struct iovec){ (void *)(frame + MACS_LEN + TAG_LEN), len - MACS_LEN - TAG_LEN };
        }
    }
    if (writev(fd, parts, 2) < 0 && !warned) {
        warned = 1;
        perror("wire: the tap refuses a frame (the log has it all the same)");
    }
}
