/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests' devices as libxl notes them, /libxl/GUEST/device/KIND/HANDLE, which only dom0 writes. */
#ifndef CONTROL_DEVICES_H
#define CONTROL_DEVICES_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

/*
 * Call found() for each device of a kind ("vif", "vbd") whose backend is a domain, of guests that are there.
 *
 *   backend     the domain's id
 *   handle_max  other names are none of this kind
 *
 * Returns 0, or -EIO: xenstore does not say, and some may not have been found.
 */
int devices_each(struct xs_handle *xs, const char *kind, uint32_t backend, uint32_t handle_max,
                 void (*found)(void *ctx, uint32_t guest, uint32_t handle), void *ctx);

/* Guests end, are saved and lose devices while their backend is rebuilt. */
bool device_is_gone(struct xs_handle *xs, const char *kind, uint32_t guest, uint32_t handle);

#endif
