/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "arch/x86/layout.h"
#include "arch/x86/pagetable.h"
#include "xen/frames.h"
#include "xen/gnttab.h"
#include "xen/hypercall.h"
#include "xen/log.h"
#include "xen/recovery.h"

/* One frame of version 1 entries: what we grant is a page for pcifront. */
#define NR_ENTRIES (PAGE_SIZE / sizeof(grant_entry_v1_t))

static grant_entry_v1_t *const table = (grant_entry_v1_t *)grant_table_area;
static unsigned int nr_grants, nr_maps;
static bool is_resumed[GRANT_SLOTS]; /* after a restart: somebody goes on with the slot */

void gnttab_init(void)
{
    xen_pfn_t frame = 0;
    gnttab_setup_table_t setup = { .dom = DOMID_SELF, .nr_frames = 1 };

    set_xen_guest_handle(setup.frame_list, &frame);
    int rc = hypercall_gnttab_op(GNTTABOP_setup_table, &setup, 1);
    if (rc != 0 || setup.status != GNTST_okay)
        panic("no grant table: %d, status %d", rc, setup.status);
    rc = hypercall_va_mapping_update((uintptr_t)table, pte_make(frame, PTE_RW), UVMF_INVLPG);
    if (rc != 0)
        panic("the grant table cannot be mapped: %d", rc);
    for (grant_ref_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < NR_ENTRIES; ref++)
        nr_grants += table[ref].flags != GTF_invalid;
    for (unsigned int i = 0; i < GRANT_SLOTS; i++)
        nr_maps += recovery_page()->grants[i].domid != DOMID_INVALID;
}

int gnttab_grant(domid_t peer, const void *page, bool read_only, grant_ref_t *ref_r)
{
    for (grant_ref_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < NR_ENTRIES; ref++) {
        grant_entry_v1_t *entry = &table[ref];

        if (entry->flags != GTF_invalid)
            continue;
        entry->frame = (uint32_t)virt_to_mfn(page);
        entry->domid = peer;
        wmb();
        WRITE_ONCE(entry->flags, GTF_permit_access | (read_only ? GTF_readonly : 0));
        nr_grants++;
        *ref_r = ref;
        return 0;
    }
    return -ENOSPC;
}

int gnttab_revoke(grant_ref_t ref)
{
    INVARIANT(ref >= GNTTAB_NR_RESERVED_ENTRIES && ref < NR_ENTRIES);

    uint16_t flags = READ_ONCE(table[ref].flags);
    do {
        if (flags & (GTF_reading | GTF_writing))
            return -EBUSY;
    } while (!__atomic_compare_exchange_n(&table[ref].flags, &flags, GTF_invalid, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    nr_grants--;
    return 0;
}

static int status_to_errno(int16_t status)
{
    switch (status) {
    case GNTST_okay:
        return 0;
    case GNTST_permission_denied:
        return -EACCES;
    case GNTST_no_space:
        return -ENOSPC;
    case GNTST_eagain:
        return -EAGAIN;
    default:
        return -EINVAL;
    }
}

int gnttab_map(domid_t peer, grant_ref_t ref, void **va_r, unsigned int *slot_r)
{
    const struct recovery_grant *grants = recovery_page()->grants;
    unsigned int slot = 0;

    while (slot < GRANT_SLOTS && grants[slot].domid != DOMID_INVALID)
        slot++;
    if (slot == GRANT_SLOTS)
        return -ENOSPC;

    gnttab_map_grant_ref_t map = {
        .host_addr = (uintptr_t)grant_slot_va(slot),
        .flags = GNTMAP_host_map,
        .ref = ref,
        .dom = peer,
    };
    int rc = hypercall_gnttab_op(GNTTABOP_map_grant_ref, &map, 1);
    if (rc == 0)
        rc = status_to_errno(map.status);
    if (rc != 0)
        return rc;
    recovery_note_grant(slot, peer, ref, map.handle);
    is_resumed[slot] = true;
    nr_maps++;
    *va_r = grant_slot_va(slot);
    *slot_r = slot;
    return 0;
}

void gnttab_unmap(unsigned int slot)
{
    const struct recovery_grant *grant = &recovery_page()->grants[slot];
    gnttab_unmap_grant_ref_t unmap = {
        .host_addr = (uintptr_t)grant_slot_va(slot),
        .handle = grant->handle,
    };

    INVARIANT(grant->domid != DOMID_INVALID);
    int rc = hypercall_gnttab_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
    INVARIANT(rc == 0 && unmap.status == GNTST_okay);
    recovery_note_grant(slot, DOMID_INVALID, 0, 0);
    nr_maps--;
}

int gnttab_resume(unsigned int slot, domid_t peer, grant_ref_t ref, void **va_r)
{
    const struct recovery_grant *grant = &recovery_page()->grants[slot];

    if (slot >= GRANT_SLOTS || is_resumed[slot] || grant->domid != peer || grant->ref != ref)
        return -ENOENT;
    is_resumed[slot] = true;
    *va_r = grant_slot_va(slot);
    return 0;
}

void gnttab_sweep(void)
{
    for (unsigned int slot = 0; slot < GRANT_SLOTS; slot++) {
        if (is_resumed[slot] || recovery_page()->grants[slot].domid == DOMID_INVALID)
            continue;
        log_debug("a page of domain %u, mapped by the last start, is unmapped",
                  recovery_page()->grants[slot].domid);
        gnttab_unmap(slot);
    }
}

static void copy_batch(gnttab_copy_t *ops, unsigned int nr)
{
    if (hypercall_gnttab_op(GNTTABOP_copy, ops, nr) == 0)
        return;
    for (unsigned int i = 0; i < nr; i++)
        ops[i].status = GNTST_general_error;
}

static struct gnttab_copied copied;

struct gnttab_copied gnttab_copied(void)
{
    return copied;
}

void gnttab_copy(gnttab_copy_t *ops, unsigned int nr)
{
    copied.ops += nr;
    while (nr > 0) {
        unsigned int some = nr < GNTTAB_COPY_BATCH ? nr : GNTTAB_COPY_BATCH;

        copy_batch(ops, some);
        copied.calls++;
        ops += some;
        nr -= some;
    }
}

unsigned int gnttab_nr_grants(void)
{
    return nr_grants;
}

unsigned int gnttab_nr_maps(void)
{
    return nr_maps;
}
