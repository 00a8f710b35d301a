/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A path from the root on, or an abstract name behind '@'. */
static int address_read(const char *text, struct notify *notify)
{
    size_t len = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || len < 2 || len >= sizeof(notify->address.sun_path))
        return -EINVAL;
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, text, len + 1);
    if (text[0] == '@')
        notify->address.sun_path[0] = '\0';
    notify->address_len = (unsigned int)(offsetof(struct sockaddr_un, sun_path) + len);
    return 0;
}

/* Microseconds; for the process WATCHDOG_PID only, if that is there. */
static int period_read(const char *limit, const char *pid, struct notify *notify)
{
    char *end;
    long long us;

    if (pid) {
        long long number = strtoll(pid, &end, 10);

        if (end == pid || *end)
            return -EINVAL;
        if (number != getpid())
            return 0;
    }
    us = strtoll(limit, &end, 10);
    if (end == limit || *end || us < 2000)
        return -EINVAL;
    notify->period_ms = us / 2000;
    return 0;
}

int notify_begin(struct notify *notify_r)
{
    const char *name = getenv("NOTIFY_SOCKET"), *limit = getenv("WATCHDOG_USEC");
    struct notify notify = { 0 };
    int err = 0;

    if (name)
        err = address_read(name, &notify);
    if (!err && name && limit)
        err = period_read(limit, getenv("WATCHDOG_PID"), &notify);
    *notify_r = err ? (struct notify){ 0 } : notify;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return err;
}

static int tell(const struct notify *notify, const char *what)
{
    const struct sockaddr *address = (const struct sockaddr *)&notify->address;
    int fd, err = 0;

    if (!notify->address_len)
        return -ENOTCONN;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (sendto(fd, what, strlen(what), MSG_NOSIGNAL, address, notify->address_len) < 0)
        err = -errno;
    close(fd);
    return err;
}

int notify_ready(const struct notify *notify)
{
    return tell(notify, "READY=1");
}

int notify_stopping(const struct notify *notify)
{
    return tell(notify, "STOPPING=1");
}

int notify_alive(struct notify *notify, int64_t now_ms)
{
    int err;

    if (!notify->period_ms || now_ms < notify->next_ms)
        return 0;
    notify->next_ms = now_ms + notify->period_ms;
    err = tell(notify, "WATCHDOG=1");
    return err ? err : 1;
}
