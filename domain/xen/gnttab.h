/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants: our pages to others, others' rings to us, and copies in bulk. Other pages of guests are mapped at
 * their own wish only: gnttab_pages.h. Source: xen/grant_table.h.
 */
#ifndef XEN_GNTTAB_H
#define XEN_GNTTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/grant_table.h>

#include "arch/x86/cpu.h"

void gnttab_init(void);

/*
 * Grant one of our pages to another domain.
 *
 *   peer       domain id of the grantee
 *   page       our page, page-aligned, in RAM
 *   read_only  the peer may only read
 *   ref_r      set on success only
 *
 * Returns 0, or -ENOSPC if no reference is free. The page stays ours and is not reusable until
 * gnttab_revoke() returned 0.
 */
int gnttab_grant(domid_t peer, const void *page, bool read_only, grant_ref_t *ref_r) __must_check;

/* Returns 0, or -EBUSY while the peer has the page mapped. */
int gnttab_revoke(grant_ref_t ref) __must_check;

/*
 * Map a page that `peer` granted us (a ring) into a slot of the grant window, writable.
 *
 *   va_r    the mapped page
 *   slot_r  to hand to gnttab_unmap()
 *
 * Returns 0, -ENOSPC (window full), -EINVAL/-EACCES/-EAGAIN by Xen's GNTST_* status.
 */
int gnttab_map(domid_t peer, grant_ref_t ref, void **va_r, unsigned int *slot_r) __must_check;
void gnttab_unmap(unsigned int slot);

/*
 * After a restart: go on with a page that the last start mapped. The recovery page must say that this
 * slot holds this reference of this peer. What nobody resumes is unmapped by gnttab_sweep().
 * Returns 0 with the page in *va_r, or -ENOENT.
 */
int gnttab_resume(unsigned int slot, domid_t peer, grant_ref_t ref, void **va_r) __must_check;

/* After a restart: unmap the pages of the last start that nobody resumed. */
void gnttab_sweep(void);

/*
 * Run nr copies (gnttab_copy_t as in xen/grant_table.h) in as few hypercalls as can be. Each
 * op's status is set; the caller looks at every one. GNTST_eagain is retried by nobody: it is an
 * error of the one op. Never fails as a whole: a refused hypercall marks its ops
 * GNTST_general_error.
 */
void gnttab_copy(gnttab_copy_t *ops, unsigned int nr);

/* How many copies, in how many hypercalls, in this start of the kernel. */
struct gnttab_copied {
    uint64_t ops, calls;
};
struct gnttab_copied gnttab_copied(void);

/* Most ops taken per hypercall; callers may hand over more. */
#define GNTTAB_COPY_BATCH 256

/* In use, for tests and for the log. */
unsigned int gnttab_nr_grants(void);
unsigned int gnttab_nr_maps(void);

#endif
