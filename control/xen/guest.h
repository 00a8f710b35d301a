/* SPDX-License-Identifier: BSD-2-Clause */
/* What people call a guest. */
#ifndef CONTROL_XEN_GUEST_H
#define CONTROL_XEN_GUEST_H

#include <stdint.h>

#include "xen/host.h"

#define GUEST_NAME_SIZE 64

/* A guest's name, made harmless for a terminal; "(domain N)" where it has none any more. */
void guest_name(struct host *host, uint16_t domid, char name_r[GUEST_NAME_SIZE]);

#endif
