/* SPDX-License-Identifier: BSD-2-Clause */
#include "store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#define NODES_MAX 64 /* in one directory; a frontend has about 20 */
#define TRIES_MAX 50

int store_number(const char *text, uint32_t max, uint32_t *number_r)
{
    uint64_t number = 0;

    if (!*text || (text[0] == '0' && text[1]))
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > max)
            return -EINVAL;
    }
    *number_r = (uint32_t)number;
    return 0;
}

static int read_path(struct xs_handle *xs, xs_transaction_t t, const char *path, char *value,
                     size_t size)
{
    unsigned int len = 0;
    char *found = xs_read(xs, t, path, &len);
    int err = 0;

    if (!found)
        return errno == ENOENT ? -ENOENT : -EIO;
    if (len >= size || memchr(found, '\0', len)) {
        err = -EINVAL;
    } else {
        memcpy(value, found, len);
        value[len] = '\0';
    }
    free(found);
    return err;
}

int store_read(struct xs_handle *xs, char *value, size_t size, const char *format, ...)
{
    char path[STORE_PATH_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    return read_path(xs, XBT_NULL, path, value, size);
}

int store_state(struct xs_handle *xs, const char *format, ...)
{
    char path[STORE_PATH_SIZE], value[4];
    uint32_t state;
    va_list args;

    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    if (read_path(xs, XBT_NULL, path, value, sizeof(value)) ||
        store_number(value, XenbusStateReconfigured, &state))
        return XenbusStateUnknown;
    return (int)state;
}

/* As libxl gives them: the guest's own, and the backend may read. */
static int rights_set(struct xs_handle *xs, uint32_t backend, uint32_t guest, const char *path)
{
    struct xs_permissions rights[2] = { { .id = guest, .perms = XS_PERM_NONE },
                                        { .id = backend, .perms = XS_PERM_READ } };

    if (xs_set_permissions(xs, XBT_NULL, path, rights, 2) || errno == ENOENT)
        return 0; /* perhaps the guest has removed it meanwhile */
    return -EIO;
}

int store_vif_rights(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle)
{
    char dir[STORE_PATH_SIZE], path[STORE_PATH_SIZE];
    unsigned int nr = 0;
    char **names;
    int err;

    snprintf(dir, sizeof(dir), "/local/domain/%u/device/vif/%u", guest, handle);
    err = rights_set(xs, backend, guest, dir);
    names = xs_directory(xs, XBT_NULL, dir, &nr);
    if (!err && !names)
        err = -errno;
    if (!err && nr > NODES_MAX)
        err = -E2BIG;
    for (unsigned int i = 0; !err && i < nr; i++) {
        int len = snprintf(path, sizeof(path), "%s/%s", dir, names[i]);

        err = len < (int)sizeof(path) ? rights_set(xs, backend, guest, path) : -ENAMETOOLONG;
    }
    free(names);
    return err;
}

static bool put(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *name,
                const char *value)
{
    char path[STORE_PATH_SIZE];

    return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
           xs_write(xs, t, path, value, (unsigned int)strlen(value));
}

/* Written by us, or by the backend when it offers. */
static bool is_ours_to_write(const char *name)
{
    static const char *const names[] = { "frontend", "backend",        "state",
                                         "online",   "hotplug-status", "hotplug-error" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int copies_put(struct xs_handle *xs, xs_transaction_t t, const char *from, const char *to)
{
    unsigned int nr = 0;
    char **names = xs_directory(xs, t, from, &nr);
    bool has_id = false;
    int err = !names ? -ENOENT : nr > NODES_MAX ? -E2BIG : 0;

    for (unsigned int i = 0; !err && i < nr; i++) {
        char path[STORE_PATH_SIZE], value[STORE_PATH_SIZE];

        if (is_ours_to_write(names[i]))
            continue;
        has_id = has_id || strcmp(names[i], "frontend-id") == 0;
        if (snprintf(path, sizeof(path), "%s/%s", from, names[i]) >= (int)sizeof(path))
            err = -ENAMETOOLONG;
        else
            err = read_path(xs, t, path, value, sizeof(value));
        if (!err && !put(xs, t, to, names[i], value))
            err = -EIO;
    }
    free(names);
    return err ? err : has_id ? 0 : -EINVAL;
}

static int nodes_put(struct xs_handle *xs, xs_transaction_t t, uint32_t backend, uint32_t guest,
                     uint32_t handle, int state)
{
    struct xs_permissions rights[2] = { { .id = backend, .perms = XS_PERM_NONE },
                                        { .id = guest, .perms = XS_PERM_READ } };
    char to[STORE_PATH_SIZE], from[STORE_PATH_SIZE], front[STORE_PATH_SIZE];
    char word[2] = { (char)('0' + state), '\0' };
    int err;

    snprintf(to, sizeof(to), "/local/domain/%u/backend/vif/%u/%u", backend, guest, handle);
    snprintf(from, sizeof(from), "/libxl/%u/device/vif/%u", guest, handle);
    snprintf(front, sizeof(front), "/local/domain/%u/device/vif/%u", guest, handle);
    if (!xs_rm(xs, t, to) && errno != ENOENT)
        return -EIO;
    if (!xs_mkdir(xs, t, to) || !xs_set_permissions(xs, t, to, rights, 2))
        return -EIO;
    if (!put(xs, t, to, "frontend", front) || !put(xs, t, to, "online", "1"))
        return -EIO;
    err = copies_put(xs, t, from, to);
    if (err)
        return err;
    return put(xs, t, to, "state", word) ? 0 : -EIO;
}

int store_vif_nodes(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle,
                    int state)
{
    for (unsigned int i = 0; i < TRIES_MAX; i++) {
        xs_transaction_t t = xs_transaction_start(xs);
        int err;

        if (t == XBT_NULL)
            return -EIO;
        err = nodes_put(xs, t, backend, guest, handle, state);
        if (xs_transaction_end(xs, t, err != 0) || err)
            return err;
        if (errno != EAGAIN)
            return -errno;
    }
    return -EBUSY;
}
