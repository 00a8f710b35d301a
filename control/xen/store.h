/* SPDX-License-Identifier: BSD-2-Clause */
/* Xenstore: bounded reads, and the nodes of the backends of vifs and disks. */
#ifndef CONTROL_STORE_H
#define CONTROL_STORE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

#define STORE_PATH_SIZE 256
#define STORE_DOMID_MAX 0x7fef

/* A node's value; -ENOENT if it is not there, -EINVAL if it is too long or holds a NUL. */
int store_read(struct xs_handle *xs, char *value, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * A node's value of whatever length.
 *
 *   text_r  to be freed
 *
 * Returns 0, -ENOENT if it is not there, -EINVAL if it holds a NUL, or -EIO.
 */
int store_text(struct xs_handle *xs, xs_transaction_t t, const char *path, char **text_r);

/* Write "dir/name". Returns whether that worked. */
bool store_put(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *name,
               const char *value);

/*
 * Call what() in a transaction, again if somebody else came in between. What it returns other than 0
 * undoes what it wrote. Returns that, or a negative errno.
 */
int store_transact(struct xs_handle *xs,
                   int (*what)(struct xs_handle *xs, xs_transaction_t t, void *ctx), void *ctx);

/* Whether xenstored knows a domain: 1, 0, or a negative errno if it does not answer; libxenstore says "no" then, too. */
static inline int store_knows_domain(struct xs_handle *xs, uint32_t domid)
{
    do {
        errno = 0;
        if (xs_is_domain_introduced(xs, domid))
            return 1;
    } while (errno == EINTR);
    return -errno;
}

/* A state node: enum xenbus_state; XenbusStateUnknown for one that is missing or makes no sense. */
int store_state(struct xs_handle *xs, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Let the backend read the frontend's directory and what is in it and in its queues' directories again:
 * xenstored took the right with the dead domain. Values are not touched: the frontend's nodes are the guest's. Returns 0 or a negative errno.
 */
int store_vif_rights(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle);

/*
 * The frontend's mtu, which the backend's script writes: libxl makes it the backend's own, so that it went with the dead domain, and
 * a stock script fails without it. As libxl has it, the guest may read it. Returns 0 or a negative errno.
 */
int store_vif_mtu(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle);

/* The same of a disk. */
int store_vbd_rights(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle);

/*
 * Write the backend's directory anew, with libxl's owner and rights, from /libxl, where neither guests nor driver domains can write; `state` last.
 * Returns 0 or a negative errno, and then nothing was written.
 */
int store_vif_nodes(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle,
                    int state);

/* The same of a disk. */
int store_vbd_nodes(struct xs_handle *xs, uint32_t backend, uint32_t guest, uint32_t handle,
                    int state);

#endif
