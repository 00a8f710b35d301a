/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV domain's memory and processor, from dom0. A mapped page keeps a destroyed domain's id taken:
 * whoever holds one lets go of it when the domain is dying: the last one keeps it, and its id, from going.
 */
#ifndef CONTROL_DOMCTL_H
#define CONTROL_DOMCTL_H

#include <xenctrl.h>

#include "xen/host.h"
#include "xen/tables.h"

/* Xen's word on a domain. Returns 0, -ENOENT if there is none of this id, or another negative errno. */
int domctl_info(struct host *host, uint32_t domid, xc_domaininfo_t *info_r);

/* Whether it has this uuid. */
bool domctl_is(const xc_domaininfo_t *info, const char *uuid);

/*
 * Map frames. Returns NULL with errno set; to be unmapped with domctl_unmap().
 *   prot  PROT_READ, PROT_WRITE
 */
void *domctl_map(struct host *host, uint32_t domid, int prot, const xen_pfn_t *mfns, size_t nr);
void domctl_unmap(struct host *host, const volatile void *pages, size_t nr);

/* vCPU 0 of a domain that does not run, or is stopped for the moment of reading. 0 or -errno. */
int domctl_context_get(struct host *host, uint32_t domid, vcpu_guest_context_any_t *context_r);
int domctl_context_set(struct host *host, uint32_t domid, vcpu_guest_context_any_t *context);
/* Drop page table, descriptor table and all that the vCPU waits for. */
int domctl_context_drop(struct host *host, uint32_t domid);

/* All page tables that vCPU 0 uses. Returns 0 or a negative errno. */
int domctl_tables_read(struct host *host, uint32_t domid, struct tables *tables_r);

/* Put entries of page tables back, children before parents. 0 or -errno. */
int domctl_tables_write(struct host *host, uint32_t domid, const struct tables *tables,
                        const struct tables_change *changes, uint32_t nr);

/* Undo a shutdown: the domain goes on with the context that it has then. 0 or -errno. */
int domctl_resume(struct host *host, uint32_t domid);

/* No event is delivered until the kernel allows it. Returns 0 or -errno. */
int domctl_events_mask(struct host *host, uint32_t domid, uint64_t shared_info_mfn);

#endif
