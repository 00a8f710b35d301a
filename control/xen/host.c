/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xencall.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>

#include "util/log.h"
#include "xen/storelink.h"

#define KEPT_FD 3

/* Its socket is there, and nobody listens: libxenstore would ask the kernel's device instead, and wait for ever. */
static bool store_has_ended(void)
{
    int link = storelink_open(NULL);

    if (link >= 0)
        close(link);
    return link == -ECONNREFUSED;
}

/* libxl needs both. */
static void store_blame(void)
{
    bool has_ended = store_has_ended();
    struct xs_handle *xs = !has_ended && access("/dev/xen/privcmd", F_OK) == 0 ? xs_open(0) : NULL;

    if (!has_ended && (xs || access("/dev/xen/privcmd", F_OK)))
        log_line("cannot talk to Xen: is this dom0, and does `xl list` work?");
    else
        log_line("cannot talk to xenstored: does it run (`pgrep xenstored`)? At boot Xen's service "
                 "starts it; if it has ended since, domains go on, but what it knew of them is "
                 "lost: shut guests down from within and reboot this machine");
    if (xs)
        xs_close(xs);
}

int host_open(struct host *host)
{
    memset(host, 0, sizeof(*host));
    if (geteuid() != 0) {
        log_line("only root can do this: run it with sudo");
        return -EPERM;
    }
    host->log =
        xtl_createlogger_stdiostream(stderr, getenv("FERRY_DEBUG") ? XTL_DEBUG : XTL_ERROR, 0);
    if (!host->log || store_has_ended() ||
        libxl_ctx_alloc(&host->xl, LIBXL_VERSION, 0, (xentoollog_logger *)host->log)) {
        store_blame();
        host_close(host);
        return -EIO;
    }
    host->xs = xs_open(0);
    if (!host->xs) {
        store_blame();
        host_close(host);
        return -EIO;
    }
    host->xc = xc_interface_open((xentoollog_logger *)host->log, NULL, 0);
    host->memory = xenforeignmemory_open((xentoollog_logger *)host->log, 0);
    host->call = xencall_open((xentoollog_logger *)host->log, 0);
    if (!host->xc || !host->memory || !host->call) {
        log_line("cannot call Xen: is /dev/xen/privcmd there?");
        host_close(host);
        return -EIO;
    }
    return 0;
}

int host_reopen(struct host *host, int *keep)
{
    libxl_postfork_child_noexec(host->xl);
    xs_daemon_destroy_postfork(host->xs);
    /* The parent's locks and its socket are not to outlive it in us. */
    if (dup2(*keep, KEPT_FD) < 0 || fcntl(KEPT_FD, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    *keep = KEPT_FD;
    close_range(KEPT_FD + 1, ~0u, 0);
    /* The memory of the parent's handles stays behind unused: it cannot be freed here. */
    return host_open(host);
}

void host_close(struct host *host)
{
    if (host->call)
        xencall_close(host->call);
    if (host->memory)
        xenforeignmemory_close(host->memory);
    if (host->xc)
        xc_interface_close(host->xc);
    if (host->xs)
        xs_close(host->xs);
    if (host->xl)
        libxl_ctx_free(host->xl);
    if (host->log)
        xtl_logger_destroy((xentoollog_logger *)host->log);
    memset(host, 0, sizeof(*host));
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t host_now_ms(void)
{
    return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t host_ticks_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t host_ticks_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

void host_sleep_ms(unsigned int ms)
{
    struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };

    nanosleep(&time, NULL);
}
