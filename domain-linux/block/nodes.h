/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes of xenstore, by libxenstore. */
#ifndef DOMAIN_LINUX_BLOCK_NODES_H
#define DOMAIN_LINUX_BLOCK_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

#define NODES_PATH_SIZE 256

/* DIR/NAME; bounded, without NUL in it. Returns 0; -ENOENT if it is not there, or may not be read; -EINVAL if it is too long or holds a NUL;
 * -EIO if xenstore does not say: it is to be asked again. */
int nodes_read(struct xs_handle *xs, const char *dir, const char *name, char *value, size_t size);

/* A decimal number without sign or leading zeros. Returns 0, or -ENOENT, -EINVAL or -EIO. */
int nodes_number(struct xs_handle *xs, const char *dir, const char *name, uint32_t max,
                 uint32_t *number_r);

/* DIR/state: enum xenbus_state; XenbusStateUnknown for one that is missing or makes no sense; -EIO. */
int nodes_state(struct xs_handle *xs, const char *dir);

/* Returns whether that worked. */
bool nodes_write(struct xs_handle *xs, const char *dir, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
