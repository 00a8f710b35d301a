/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status page (ferry/status.h) of a Linux driver domain. Linux has no address for it that dom0 could know, so the domain's
 * agent shares the page by a grant and writes the reference, decimal, into xenstore. The domain writes both, and may lie: a
 * reference that cannot be mapped, or leads to something else, costs it its heartbeat and nothing more.
 */
#ifndef CONTROL_AGENTPAGE_H
#define CONTROL_AGENTPAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "xen/host.h"

struct xengntdev_handle;

#define AGENTPAGE_LOOK_MS                                                                          \
    500 /* xenstore is asked this often at most: ferryd looks fifty times a second */

#define AGENTPAGE_NODE "/local/domain/%u/data/ferry/status"

/* All zeros: nothing is known of it. */
struct agentpage {
    struct xengntdev_handle *grants; /* NULL: not open */
    void *page; /* NULL: not mapped */
    int64_t looked_ms; /* when xenstore was asked last; 0: never */
    bool is_refused; /* it was looked at, and is not what it is to be: not looked at again */
};

/*
 * Map it, read only, unless it is mapped. Does not wait: an agent that has not written its reference yet is asked for it with a later
 * call.
 *
 *   name  of the domain, for the log: what is wrong is said once
 *
 * Returns the page, or NULL. A mapped page keeps a domain, and its id, from going: agentpage_unmap() comes before its end.
 * Source: xen/grant_table.h, GNTTABOP_map_grant_ref.
 */
const volatile void *agentpage_map(struct agentpage *agent, struct host *host, uint32_t domid,
                                   const char *name);

/* Let go of it; it may be mapped again. */
void agentpage_unmap(struct agentpage *agent);

/* Another domain: what was known of the one before does not hold. */
void agentpage_forget(struct agentpage *agent);

#endif
