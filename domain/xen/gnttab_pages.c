/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/gnttab_pages.h"

#include <errno.h>

#include "xen/hypercall.h"
#include "xen/log.h"

static gnttab_map_grant_ref_t maps[GNTTAB_PAGES_BATCH];
static gnttab_unmap_grant_ref_t unmaps[GNTTAB_PAGES_BATCH];

uint8_t *gnttab_page_va(unsigned int slot)
{
    return page_slot_va(slot);
}

unsigned int gnttab_pages_unmap(const struct gnttab_page *pages, unsigned int nr)
{
    unsigned int refused = 0;

    INVARIANT(nr <= GNTTAB_PAGES_BATCH);
    if (nr == 0)
        return 0;
    for (unsigned int i = 0; i < nr; i++)
        unmaps[i] = (gnttab_unmap_grant_ref_t){ .host_addr = (uintptr_t)page_slot_va(pages[i].slot),
                                                .handle = pages[i].handle,
                                                .status = GNTST_general_error };
    INVARIANT(hypercall_gnttab_op(GNTTABOP_unmap_grant_ref, unmaps, nr) == 0);
    for (unsigned int i = 0; i < nr; i++)
        refused += unmaps[i].status != GNTST_okay;
    return refused;
}

/* Those that Xen did map, of a batch in which it refused one. */
static void maps_undo(const struct gnttab_page *pages, unsigned int nr)
{
    struct gnttab_page mapped[GNTTAB_PAGES_BATCH];
    unsigned int nr_mapped = 0;

    for (unsigned int i = 0; i < nr; i++)
        if (maps[i].status == GNTST_okay)
            mapped[nr_mapped++] = pages[i];
    INVARIANT(gnttab_pages_unmap(mapped, nr_mapped) == 0);
}

int gnttab_pages_map(domid_t peer, struct gnttab_page *pages, unsigned int nr)
{
    bool all = true;

    INVARIANT(nr <= GNTTAB_PAGES_BATCH);
    for (unsigned int i = 0; i < nr; i++)
        maps[i] = (gnttab_map_grant_ref_t){
            .host_addr = (uintptr_t)page_slot_va(pages[i].slot),
            .flags = GNTMAP_host_map | (pages[i].read_only ? GNTMAP_readonly : 0u),
            .ref = pages[i].ref,
            .dom = peer,
            .status = GNTST_general_error,
        };
    if (hypercall_gnttab_op(GNTTABOP_map_grant_ref, maps, nr) != 0)
        all = false;
    for (unsigned int i = 0; i < nr; i++) {
        pages[i].handle = maps[i].handle;
        all &= maps[i].status == GNTST_okay;
    }
    if (all)
        return 0;
    maps_undo(pages, nr);
    return -EINVAL;
}
