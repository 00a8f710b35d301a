/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/gntalloc.h>
#include <xen/io/xs_wire.h>

#define PAGE 4096
#define NODE "data/ferry/status"

static union {
    struct ferry_status status;
    char bytes[PAGE];
} own = { .status = { .magic = FERRY_STATUS_MAGIC,
                      .version = FERRY_STATUS_VERSION,
                      .phase = FERRY_PHASE_BOOTING,
                      .generation = 1 } };

static volatile struct ferry_status *page = &own.status;

/* Whole messages go in and out of the device in one piece or byte by byte: it puts them together. */
static int store_exchange(int fd, const void *request, size_t len)
{
    struct xsd_sockmsg answer;
    char text[XENSTORE_PAYLOAD_MAX];

    if (write(fd, request, len) != (ssize_t)len)
        return errno ? -errno : -EIO;
    if (read(fd, &answer, sizeof(answer)) != sizeof(answer) || answer.len > sizeof(text))
        return -EIO;
    for (size_t got = 0; got < answer.len;) {
        ssize_t more = read(fd, text + got, answer.len - got);

        if (more <= 0)
            return -EIO;
        got += (size_t)more;
    }
    return answer.type == XS_ERROR ? -EACCES : 0;
}

/* XS_WRITE of xen/io/xs_wire.h: "path\0value". A relative path is the domain's own. */
static int store_write(const char *path, const char *value)
{
    struct {
        struct xsd_sockmsg head;
        char body[128];
    } request = { .head = { .type = XS_WRITE, .req_id = 1 } };
    int fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC), err;

    if (fd < 0)
        return -errno;
    request.head.len =
        (uint32_t)snprintf(request.body, sizeof(request.body), "%s%c%s", path, 0, value);
    err = store_exchange(fd, &request, sizeof(request.head) + request.head.len);
    close(fd);
    return err;
}

int status_share(void)
{
    struct ioctl_gntalloc_alloc_gref grant = { .domid = 0, .count = 1 };
    struct ferry_status *shared;
    char value[16];
    int fd = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC), err;

    if (fd < 0)
        return -errno;
    if (ioctl(fd, IOCTL_GNTALLOC_ALLOC_GREF, &grant)) {
        err = -errno;
        close(fd);
        return err;
    }
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)grant.index);
    if (shared == MAP_FAILED) {
        err = -errno;
        close(fd);
        return err;
    }
    /* The descriptor stays open: closing it would end the grant. */
    memcpy(shared, &own.status, sizeof(own.status));
    page = shared;
    snprintf(value, sizeof(value), "%u", grant.gref_ids[0]);
    return store_write(NODE, value);
}

void status_phase(enum ferry_phase phase)
{
    page->phase = phase;
}

void status_beat(void)
{
    page->beat++;
}
