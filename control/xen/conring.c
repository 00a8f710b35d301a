/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/conring.h"

#include <errno.h>
#include <xenctrl.h>

int conring_read(struct host *host, struct conring *ring, char *buf, size_t size)
{
    unsigned int nr = (unsigned int)size;

    return xc_readconsolering(host->xc, buf, &nr, 0, 1, &ring->index) ? -errno : (int)nr;
}
