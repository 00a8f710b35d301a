/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/store.h"

static int backend_read(struct xs_handle *xs, const char *kind, uint32_t guest, uint32_t handle,
                        char found_r[STORE_PATH_SIZE])
{
    return store_read(xs, found_r, STORE_PATH_SIZE, "/libxl/%u/device/%s/%u/backend", guest, kind,
                      handle);
}

static bool is_of_backend(struct xs_handle *xs, const char *kind, uint32_t backend, uint32_t guest,
                          uint32_t handle)
{
    char wanted[STORE_PATH_SIZE], found[STORE_PATH_SIZE];

    snprintf(wanted, sizeof(wanted), "/local/domain/%u/backend/%s/%u/%u", backend, kind, guest,
             handle);
    return backend_read(xs, kind, guest, handle, found) == 0 && strcmp(wanted, found) == 0;
}

void devices_each(struct xs_handle *xs, const char *kind, uint32_t backend, uint32_t handle_max,
                  void (*found)(void *ctx, uint32_t guest, uint32_t handle), void *ctx)
{
    unsigned int nr_guests = 0, nr_names;
    char **guests = xs_directory(xs, XBT_NULL, "/libxl", &nr_guests);

    for (unsigned int i = 0; guests && i < nr_guests; i++) {
        char path[STORE_PATH_SIZE], **names;
        uint32_t guest, handle;

        if (store_number(guests[i], STORE_DOMID_MAX, &guest) || !xs_is_domain_introduced(xs, guest))
            continue;
        snprintf(path, sizeof(path), "/libxl/%u/device/%s", guest, kind);
        names = xs_directory(xs, XBT_NULL, path, &nr_names);
        for (unsigned int j = 0; names && j < nr_names; j++)
            if (store_number(names[j], handle_max, &handle) == 0 &&
                is_of_backend(xs, kind, backend, guest, handle))
                found(ctx, guest, handle);
        free(names);
    }
    free(guests);
}

bool device_is_gone(struct xs_handle *xs, const char *kind, uint32_t guest, uint32_t handle)
{
    char found[STORE_PATH_SIZE];

    return !xs_is_domain_introduced(xs, guest) ||
           backend_read(xs, kind, guest, handle, found) == -ENOENT;
}
