/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's side: a stream of frames, each after its length in 4 bytes, big endian. */
#define _GNU_SOURCE
#include "cable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX 4
#define KEPT_MAX (16 * (FRAME_MAX + PREFIX))

static int listener = -1, connection = -1;
static uint8_t input[2 * (FRAME_MAX + PREFIX)], kept[KEPT_MAX];
static size_t nr_input, nr_kept;

void cable_listen(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
        listen(listener, 1)) {
        perror(path);
        exit(1);
    }
}

int cable_fd(void)
{
    return connection >= 0 ? connection : listener;
}

int cable_is_full(void)
{
    return nr_kept > 0;
}

static void connection_drop(const char *why)
{
    fprintf(stderr, "wire: QEMU's connection ended: %s\n", why);
    close(connection);
    connection = -1;
    nr_input = nr_kept = 0;
}

static void input_deliver(cable_frame_fn deliver)
{
    size_t done = 0;

    while (nr_input - done >= PREFIX) {
        uint32_t len;

        memcpy(&len, input + done, PREFIX);
        len = ntohl(len);
        if (len > FRAME_MAX) {
            connection_drop("a frame longer than 64 KiB");
            return;
        }
        if (nr_input - done < PREFIX + len)
            break;
        deliver(input + done + PREFIX, len);
        done += PREFIX + len;
    }
    nr_input -= done;
    memmove(input, input + done, nr_input);
}

void cable_read(cable_frame_fn deliver)
{
    ssize_t n;

    if (connection < 0) {
        connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        return;
    }
    n = read(connection, input + nr_input, sizeof(input) - nr_input);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_drop(n ? strerror(errno) : "closed");
        return;
    }
    nr_input += (size_t)n;
    input_deliver(deliver);
}

void cable_flush(void)
{
    ssize_t n;

    if (connection < 0 || !nr_kept)
        return;
    n = send(connection, kept, nr_kept, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        connection_drop(strerror(errno));
        return;
    }
    if (n > 0) {
        nr_kept -= (size_t)n;
        memmove(kept, kept + n, nr_kept);
    }
}

int cable_send(const uint8_t *frame, size_t len)
{
    uint32_t prefix = htonl((uint32_t)len);

    if (connection < 0 || nr_kept + PREFIX + len > sizeof(kept))
        return -1;
    memcpy(kept + nr_kept, &prefix, PREFIX);
    memcpy(kept + nr_kept + PREFIX, frame, len);
    nr_kept += PREFIX + len;
    cable_flush();
    return 0;
}
