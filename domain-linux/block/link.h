/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vbd shares with its frontend: the ring's pages, mapped, and an event channel. */
#ifndef DOMAIN_LINUX_BLOCK_LINK_H
#define DOMAIN_LINUX_BLOCK_LINK_H

#include <stdbool.h>
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
    uint32_t first_ref; /* of the ring's first page */
    const char *ref_name; /* its node: "ring-ref", or "ring-ref0" with ring-page-order; static */
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

/*
 * Whether the frontend's directory names another ring now. A frontend cannot have its grants' numbers again while they are mapped here
 * (Linux' gnttab_end_foreign_access() waits), so a new ring has a new one. false where that cannot be read.
 */
bool link_has_changed(struct xs_handle *xs, const char *front, const struct link *link);

/* Any number of times. */
void link_close(xengnttab_handle *grants, xenevtchn_handle *events, struct link *link);

#endif
