/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms that wait, for boot. */
#include <errno.h>
#include <string.h>

#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/xenstore_internal.h"

struct wait {
    bool done;
    int err;
    char *buf; /* NULL: no value is wanted */
    size_t size;
};

static int value_keep(const struct wait *wait, const char *value, size_t len)
{
    if (len >= wait->size)
        return -E2BIG;
    if (memchr(value, '\0', len))
        return -EPROTO;
    memcpy(wait->buf, value, len);
    wait->buf[len] = '\0';
    return 0;
}

static void on_done(void *ctx, int err, const char *value, size_t len)
{
    struct wait *wait = ctx;

    wait->done = true;
    wait->err = err;
    if (err == 0 && wait->buf)
        wait->err = value_keep(wait, value, len);
}

static int wait_for(struct wait *wait, uint64_t timeout_ns)
{
    uint64_t now = clock_now();
    uint64_t deadline = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;

    for (;;) {
        bool more = xenstore_poll_more();

        if (wait->done)
            return wait->err;
        if (clock_now() >= deadline)
            break;
        if (!more)
            evtchn_sleep_until(deadline);
        evtchn_dispatch();
    }
    xenstore_forget(wait);
    return -ETIMEDOUT;
}

int xenstore_read_wait(const char *path, char *buf, size_t size, uint64_t timeout_ns)
{
    struct wait wait = { .buf = buf, .size = size };
    int rc;

    if (xenstore_polling())
        return -EDEADLK;
    rc = xenstore_read(0, path, on_done, &wait);
    return rc != 0 ? rc : wait_for(&wait, timeout_ns);
}

int xenstore_write_wait(const char *path, const char *value, uint64_t timeout_ns)
{
    struct wait wait = { 0 };
    int rc;

    if (xenstore_polling())
        return -EDEADLK;
    rc = xenstore_write(0, path, value, on_done, &wait);
    return rc != 0 ? rc : wait_for(&wait, timeout_ns);
}
