/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/guest.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"
#include "xen/store.h"

void guest_name(struct host *host, uint16_t domid, char name_r[GUEST_NAME_SIZE])
{
    if (store_read(host->xs, name_r, GUEST_NAME_SIZE, "/local/domain/%u/name", domid) || !*name_r)
        snprintf(name_r, GUEST_NAME_SIZE, "(domain %u)", domid);
    log_clean(name_r, strlen(name_r));
}
