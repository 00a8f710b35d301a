/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of guests' data that stay mapped because the guest asked for it: static grants. They have a window of
 * their own, so that they never take a slot from a ring. What is mapped where is the caller's to keep: after a
 * restart of the kernel the mappings stand as they did. Source: xen/grant_table.h, GNTTABOP_map_grant_ref.
 */
#ifndef XEN_GNTTAB_PAGES_H
#define XEN_GNTTAB_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/grant_table.h>

#include "arch/x86/cpu.h"
#include "xen/frames.h"

/* Most pages in one call. */
#define GNTTAB_PAGES_BATCH 64

struct gnttab_page {
    grant_ref_t ref;
    grant_handle_t handle; /* set by gnttab_pages_map() */
    uint16_t slot; /* of the page window, below PAGE_SLOTS, chosen by the caller */
    bool read_only;
};

/*
 * Map pages that `peer` granted us, all or none, in one hypercall. Only for the CPU (GNTMAP_host_map).
 *
 *   pages  nr of them, at most GNTTAB_PAGES_BATCH; their slots are free and differ
 *
 * Returns 0, or -EINVAL if Xen refused one: then none is mapped.
 */
int gnttab_pages_map(domid_t peer, struct gnttab_page *pages, unsigned int nr) __must_check;

/* Unmap pages, as above. Returns how many Xen refused, which it does only to what is not mapped. */
unsigned int gnttab_pages_unmap(const struct gnttab_page *pages, unsigned int nr) __must_check;

/* Where a slot's page is. It is the guest's: it may change at any time, so each byte is looked at once. */
uint8_t *gnttab_page_va(unsigned int slot);

#endif
