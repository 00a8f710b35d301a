/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ferry/number.h>
#include <xen/io/xenbus.h>

#define QUEUE_DIR "queue-" /* xen/io/netif.h, multi-queue-num-queues */
#define NODES_MAX 256 /* in one directory; a vif has about 20 */
#define TRIES_MAX 50
#define MTU_DEFAULT "1500" /* of a vif line that has no mtu= */

int store_text(struct xs_handle *xs, xs_transaction_t t, const char *path, char **text_r)
{
    unsigned int len = 0;
    char *found = xs_read(xs, t, path, &len); /* it puts a NUL behind it */

    if (!found)
        return errno == ENOENT ? -ENOENT : -EIO;
    if (memchr(found, '\0', len)) {
        free(found);
        return -EINVAL;
    }
    *text_r = found;
    return 0;
}

static int read_path(struct xs_handle *xs, const char *path, char *value, size_t size)
{
    char *found;
    int err = store_text(xs, XBT_NULL, path, &found);

    if (err)
        return err;
    if (strlen(found) >= size)
        err = -EINVAL;
    else
        strcpy(value, found);
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
    return read_path(xs, path, value, size);
}

int store_state(struct xs_handle *xs, const char *format, ...)
{
    char path[STORE_PATH_SIZE], value[4];
    uint32_t state;
    va_list args;

    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    if (read_path(xs, path, value, sizeof(value)) ||
        number_parse(value, XenbusStateReconfigured, &state))
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

/* A directory and what is in it, and what is in those that are a queue's. */
static int dir_rights_set(struct xs_handle *xs, uint32_t backend, uint32_t guest, const char *dir,
                          bool has_queues)
{
    int err = rights_set(xs, backend, guest, dir);
    char path[STORE_PATH_SIZE];
    unsigned int nr = 0;
    char **names = xs_directory(xs, XBT_NULL, dir, &nr);

    if (!err && !names)
        err = -errno;
    if (!err && nr > NODES_MAX)
        err = -E2BIG;
    for (unsigned int i = 0; !err && i < nr; i++) {
        bool is_queue = has_queues && strncmp(names[i], QUEUE_DIR, strlen(QUEUE_DIR)) == 0;

        if (snprintf(path, sizeof(path), "%s/%s", dir, names[i]) >= (int)sizeof(path))
            err = -ENAMETOOLONG;
        else if (is_queue)
            err = dir_rights_set(xs, backend, guest, path, false);
        else
            err = rights_set(xs, backend, guest, path);
    }
    free(names);
    return err == -ENOENT && !has_queues ? 0 : err; /* the guest has removed it meanwhile */
}

int store_vif_rights(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle)
{
    char dir[STORE_PATH_SIZE];

    snprintf(dir, sizeof(dir), "/local/domain/%u/device/vif/%u", guest, handle);
    return dir_rights_set(xs, backend, guest, dir, true);
}

bool store_put(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *name,
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

/* Values may be as long as xenstored has them: an ip= may list many addresses, a script= be any path. */
static int copy_put(struct xs_handle *xs, xs_transaction_t t, const char *from, const char *to,
                    const char *name)
{
    char path[STORE_PATH_SIZE], *value;
    int err;

    if (snprintf(path, sizeof(path), "%s/%s", from, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    err = store_text(xs, t, path, &value);
    if (err)
        return err;
    if (!store_put(xs, t, to, name, value))
        err = -EIO;
    free(value);
    return err;
}

static int copies_put(struct xs_handle *xs, xs_transaction_t t, const char *from, const char *to)
{
    unsigned int nr = 0;
    char **names = xs_directory(xs, t, from, &nr);
    bool has_id = false;
    int err = !names ? -ENOENT : nr > NODES_MAX ? -E2BIG : 0;

    for (unsigned int i = 0; !err && i < nr; i++) {
        if (is_ours_to_write(names[i]))
            continue;
        has_id = has_id || strcmp(names[i], "frontend-id") == 0;
        err = copy_put(xs, t, from, to, names[i]);
    }
    free(names);
    return err ? err : has_id ? 0 : -EINVAL;
}

int store_vbd_rights(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle)
{
    char dir[STORE_PATH_SIZE];

    snprintf(dir, sizeof(dir), "/local/domain/%u/device/vbd/%u", guest, handle);
    return dir_rights_set(xs, backend, guest, dir, false);
}

struct device_wanted {
    const char *kind; /* as in the paths */
    uint32_t backend, guest, handle;
    int state;
};

static int nodes_put(struct xs_handle *xs, xs_transaction_t t, void *ctx)
{
    const struct device_wanted *wanted = ctx;
    const char *kind = wanted->kind;
    uint32_t backend = wanted->backend, guest = wanted->guest, handle = wanted->handle;
    struct xs_permissions rights[2] = { { .id = backend, .perms = XS_PERM_NONE },
                                        { .id = guest, .perms = XS_PERM_READ } };
    char to[STORE_PATH_SIZE], from[STORE_PATH_SIZE], front[STORE_PATH_SIZE];
    char word[2] = { (char)('0' + wanted->state), '\0' };
    int err;

    snprintf(to, sizeof(to), "/local/domain/%u/backend/%s/%u/%u", backend, kind, guest, handle);
    snprintf(from, sizeof(from), "/libxl/%u/device/%s/%u", guest, kind, handle);
    snprintf(front, sizeof(front), "/local/domain/%u/device/%s/%u", guest, kind, handle);
    if (!xs_rm(xs, t, to) && errno != ENOENT)
        return -EIO;
    if (!xs_mkdir(xs, t, to) || !xs_set_permissions(xs, t, to, rights, 2))
        return -EIO;
    if (!store_put(xs, t, to, "frontend", front) || !store_put(xs, t, to, "online", "1"))
        return -EIO;
    err = copies_put(xs, t, from, to);
    if (err)
        return err;
    return store_put(xs, t, to, "state", word) ? 0 : -EIO;
}

int store_transact(struct xs_handle *xs,
                   int (*what)(struct xs_handle *xs, xs_transaction_t t, void *ctx), void *ctx)
{
    for (unsigned int i = 0; i < TRIES_MAX; i++) {
        xs_transaction_t t = xs_transaction_start(xs);
        int err;

        if (t == XBT_NULL)
            return -EIO;
        err = what(xs, t, ctx);
        if (xs_transaction_end(xs, t, err != 0) || err)
            return err;
        if (errno != EAGAIN)
            return -errno;
    }
    return -EBUSY;
}

static int mtu_put(struct xs_handle *xs, xs_transaction_t t, void *ctx)
{
    const struct device_wanted *wanted = ctx;
    struct xs_permissions rights[2] = { { .id = wanted->backend, .perms = XS_PERM_NONE },
                                        { .id = wanted->guest, .perms = XS_PERM_READ } };
    char dir[STORE_PATH_SIZE], path[STORE_PATH_SIZE + 8], **names, *mtu = NULL;
    unsigned int nr;
    bool is_put;

    snprintf(dir, sizeof(dir), "/local/domain/%u/device/vif/%u", wanted->guest, wanted->handle);
    names = xs_directory(xs, t, dir, &nr);
    if (!names)
        return -ENOENT; /* nothing is made for a guest that has gone */
    free(names);
    snprintf(path, sizeof(path), "/libxl/%u/device/vif/%u/mtu", wanted->guest, wanted->handle);
    if (store_text(xs, t, path, &mtu))
        mtu = NULL;
    snprintf(path, sizeof(path), "%s/mtu", dir);
    is_put = store_put(xs, t, dir, "mtu", mtu ? mtu : MTU_DEFAULT) &&
             xs_set_permissions(xs, t, path, rights, 2);
    free(mtu);
    return is_put ? 0 : -EIO;
}

int store_vif_mtu(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle)
{
    struct device_wanted wanted = { "vif", backend, guest, handle, 0 };

    return store_transact(xs, mtu_put, &wanted);
}

int store_vif_nodes(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle,
                    int state)
{
    struct device_wanted wanted = { "vif", backend, guest, handle, state };

    return store_transact(xs, nodes_put, &wanted);
}

int store_vbd_nodes(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle,
                    int state)
{
    struct device_wanted wanted = { "vbd", backend, guest, handle, state };

    return store_transact(xs, nodes_put, &wanted);
}
