/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page that domain 0 may read (ferry/status.h): its grant reference stands, in decimal, in the domain's own xenstore node
 * data/ferry/status.
 */
#ifndef DOMAIN_LINUX_STATUS_H
#define DOMAIN_LINUX_STATUS_H

#include <ferry/status.h>

/*
 * Share the page and say where it is. /dev/xen/gntalloc must be there (module xen-gntalloc), and /dev/xen/xenbus.
 * Returns 0 or a negative errno; then what is written goes into a page of our own, which nobody reads.
 */
int status_share(void);

/* May be called before status_share(). */
void status_phase(enum ferry_phase phase);
/* Call it every STATUS_BEAT_MS. */
#define STATUS_BEAT_MS 50
void status_beat(void);

#endif
