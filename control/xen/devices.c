/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/store.h"

#include <ferry/number.h>

static int backend_read(struct xs_handle *xs, const char *kind, uint32_t guest, uint32_t handle,
                        char found_r[STORE_PATH_SIZE])
{
    return store_read(xs, found_r, STORE_PATH_SIZE, "/libxl/%u/device/%s/%u/backend", guest, kind,
                      handle);
}

/* Returns 1, 0, or -EIO. */
static int is_of_backend(struct xs_handle *xs, const char *kind, uint32_t backend, uint32_t guest,
                         uint32_t handle)
{
    char wanted[STORE_PATH_SIZE], found[STORE_PATH_SIZE];
    int err = backend_read(xs, kind, guest, handle, found);

    if (err)
        return err == -EIO ? err : 0;
    snprintf(wanted, sizeof(wanted), "/local/domain/%u/backend/%s/%u/%u", backend, kind, guest,
             handle);
    return strcmp(wanted, found) == 0;
}

/* What is in a directory; none where there is no such directory. Returns 0 or -EIO. */
static int names_read(struct xs_handle *xs, const char *path, char ***names_r, unsigned int *nr_r)
{
    *nr_r = 0;
    *names_r = xs_directory(xs, XBT_NULL, path, nr_r);
    return *names_r || errno == ENOENT ? 0 : -EIO;
}

struct search {
    struct xs_handle *xs;
    const char *kind;
    uint32_t backend, handle_max;
    void (*found)(void *ctx, uint32_t guest, uint32_t handle);
    void *ctx;
};

static int guest_each(const struct search *search, uint32_t guest)
{
    char path[STORE_PATH_SIZE], **names;
    unsigned int nr;
    int err;

    snprintf(path, sizeof(path), "/libxl/%u/device/%s", guest, search->kind);
    err = names_read(search->xs, path, &names, &nr);
    for (unsigned int i = 0; !err && i < nr; i++) {
        uint32_t handle;
        int is_ours;

        if (number_parse(names[i], search->handle_max, &handle))
            continue;
        is_ours = is_of_backend(search->xs, search->kind, search->backend, guest, handle);
        if (is_ours > 0)
            search->found(search->ctx, guest, handle);
        else
            err = is_ours;
    }
    free(names);
    return err;
}

int devices_each(struct xs_handle *xs, const char *kind, uint32_t backend, uint32_t handle_max,
                 void (*found)(void *ctx, uint32_t guest, uint32_t handle), void *ctx)
{
    const struct search search = { xs, kind, backend, handle_max, found, ctx };
    unsigned int nr;
    char **guests;
    int err = names_read(xs, "/libxl", &guests, &nr);

    for (unsigned int i = 0; !err && i < nr; i++) {
        uint32_t guest;

        if (number_parse(guests[i], STORE_DOMID_MAX, &guest))
            continue;
        err = store_knows_domain(xs, guest);
        if (err > 0)
            err = guest_each(&search, guest);
    }
    free(guests);
    return err;
}

bool device_is_gone(struct xs_handle *xs, const char *kind, uint32_t guest, uint32_t handle)
{
    char found[STORE_PATH_SIZE];

    return store_knows_domain(xs, guest) == 0 ||
           backend_read(xs, kind, guest, handle, found) == -ENOENT;
}
