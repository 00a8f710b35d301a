/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen's console ring, read as it grows. */
#ifndef CONTROL_CONRING_H
#define CONTROL_CONRING_H

#include <stddef.h>
#include <stdint.h>

#include "xen/host.h"

struct conring {
    uint32_t index; /* of the next byte, as Xen counts them */
};

/*
 * What Xen printed since the last call; in the first one, what the ring holds. `xl dmesg -c` takes nothing away from it,
 * a ring that was overrun meanwhile does. Not NUL-terminated; may begin and end within a line.
 *
 *   buf  size bytes; who gets all of them calls again
 *
 * Returns how many bytes there are, or a negative errno.
 */
int conring_read(struct host *host, struct conring *ring, char *buf, size_t size);

#endif
