/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether xenstored lives: a connection to its socket over which nothing is ever said, and whose end is its end. libxenstore and
 * libxl do not tell of it before they are next used, and then fail for good. A live update of xenstored keeps connections.
 */
#ifndef CONTROL_STORELINK_H
#define CONTROL_STORELINK_H

#include <stdbool.h>

/*
 * Connect, without waiting.
 *
 *   path  of the socket; NULL: xenstored's
 *
 * Returns a descriptor that can be polled for POLLIN, or a negative errno: -ENOENT where xenstored has no socket, as in a domain of
 * its own, -ECONNREFUSED where it has died.
 */
int storelink_open(const char *path);

/* To be asked when the descriptor polls as ready. */
bool storelink_is_lost(int fd);

#endif
