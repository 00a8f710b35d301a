/* SPDX-License-Identifier: BSD-2-Clause */
/* errno, and words for the errors that this kernel and the drivers make. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int __xpg_strerror_r(int err, char *buf, size_t size);

static const struct {
    int err;
    const char *text;
} texts[] = {
    { 0, "success" },
    { EPERM, "not permitted" },
    { ENOENT, "no such entry" },
    { EIO, "input/output error" },
    { ENXIO, "no such device or address" },
    { E2BIG, "too long" },
    { EAGAIN, "try again" },
    { ENOMEM, "out of memory" },
    { EACCES, "access denied" },
    { EFAULT, "bad address" },
    { EBUSY, "busy" },
    { EEXIST, "exists already" },
    { ENODEV, "no such device" },
    { EINVAL, "invalid argument" },
    { ENOSPC, "no space left" },
    { ERANGE, "out of range" },
    { ENAMETOOLONG, "name too long" },
    { ENOSYS, "not supported by this kernel" },
    { EPROTO, "protocol error" },
    { EOVERFLOW, "value too large" },
    { ENOTSUP, "not supported" },
    { ENOBUFS, "no buffer space" },
    { ETIMEDOUT, "timed out" },
};

static int error;

int *__errno_location(void)
{
    return &error;
}

static const char *text_of(int err)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].err == err)
            return texts[i].text;
    return NULL;
}

char *strerror(int err)
{
    static char buf[24];
    const char *text = text_of(err);

    if (text)
        return (char *)(uintptr_t)text;
    snprintf(buf, sizeof(buf), "error %d", err);
    return buf;
}

/* The X/Open form, which strerror_r() is without _GNU_SOURCE. */
int __xpg_strerror_r(int err, char *buf, size_t size)
{
    int len = snprintf(buf, size, "%s", strerror(err));

    return len >= 0 && (size_t)len < size ? 0 : ERANGE;
}
