/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vbd shares with its frontend: the ring's pages, mapped, and an event channel. */
#ifndef DOMAIN_LINUX_BLOCK_LINK_H
#define DOMAIN_LINUX_BLOCK_LINK_H

#include <stdint.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "block/ring.h"

#define LINK_WHY_SIZE 160

struct link {
    void *pages; /* NULL: nothing is shared */
    unsigned int order;
    evtchn_port_t port; /* ours */
};

/*
 * Read what the frontend's directory says, and map and bind it.
 *
 *   front  its directory
 *   why    what is wrong, for a message
 *
 * Returns 0 or a negative errno; nothing is held then.
 */
int link_open(struct xs_handle *xs, xengnttab_handle *grants, xenevtchn_handle *events,
              uint32_t guest, const char *front, struct link *link_r, char why[LINK_WHY_SIZE]);

/* Any number of times. */
void link_close(xengnttab_handle *grants, xenevtchn_handle *events, struct link *link);

#endif
