/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages that others grant, and what becomes of them. */
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/memory.h>

#include "command.h"
#include "wait.h"
#include "xen/frames.h"
#include "xen/gnttab.h"
#include "xen/hypercall.h"

#define SLOT (GRANT_SLOTS - 1)

static alignas(PAGE_SIZE) uint8_t granted[PAGE_SIZE];
static alignas(PAGE_SIZE) uint8_t spare[PAGE_SIZE];
static bool is_away;
static grant_ref_t granted_ref;
static grant_handle_t handle;

/* grant DOMID WORD: one of our pages, full of the word, to another domain. For the domain that is attacked. */
static const char *page_grant(char *const *words)
{
    size_t len = strlen(words[1]);

    for (size_t i = 0; i < sizeof(granted); i++)
        granted[i] = (uint8_t)words[1][i % len];
    int err = gnttab_grant((domid_t)number(words[0]), granted, false, &granted_ref);
    note("ref=%u maddr=0x%lx", granted_ref, virt_to_maddr(granted));
    return err ? why("not granted: %d", err) : NULL;
}

/* revoke: take it back. */
static const char *page_revoke(char *const *words)
{
    int err = gnttab_revoke(granted_ref);

    (void)words;
    return err ? why("not revoked: %d", err) : NULL;
}

/* map DOMID REF: a page that was granted, for the processor and for the NIC. */
static const char *page_map(char *const *words)
{
    struct gnttab_map_grant_ref op = { .host_addr = (uint64_t)grant_slot_va(SLOT),
                                       .flags = GNTMAP_host_map | GNTMAP_device_map,
                                       .ref = (grant_ref_t)number(words[1]),
                                       .dom = (domid_t)number(words[0]) };
    int rc = hypercall_gnttab_op(GNTTABOP_map_grant_ref, &op, 1);

    if (rc != 0 || op.status != GNTST_okay)
        return why("not mapped: %d, status %d", rc, op.status);
    handle = op.handle;
    note("maddr=0x%lx", (unsigned long)op.dev_bus_addr);
    return NULL;
}

/* unmap MADDR: give it back. */
static const char *page_unmap(char *const *words)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = (uint64_t)grant_slot_va(SLOT),
                                         .dev_bus_addr = number(words[0]),
                                         .handle = handle };
    int rc = hypercall_gnttab_op(GNTTABOP_unmap_grant_ref, &op, 1);

    return rc != 0 || op.status != GNTST_okay ? why("not unmapped: %d, status %d", rc, op.status)
                                              : NULL;
}

/* granted: whether the page that was granted holds what it did. */
static const char *page_same(char *const *words)
{
    size_t len = strlen(words[0]);

    for (size_t i = 0; i < sizeof(granted); i++)
        if (((volatile uint8_t *)granted)[i] != (uint8_t)words[0][i % len])
            return why("byte %lu is 0x%02x", (unsigned long)i, granted[i]);
    return NULL;
}

/* spare WORD: a page of our own to be given away, full of the word. */
static const char *page_spare(char *const *words)
{
    size_t len = strlen(words[0]);

    if (is_away)
        return "it was given away already";
    for (size_t i = 0; i < sizeof(spare); i++)
        spare[i] = (uint8_t)words[0][i % len];
    note("maddr=0x%lx", (unsigned long)virt_to_maddr(spare));
    return NULL;
}

/* away: it goes back to Xen. Source: xen/memory.h, XENMEM_decrease_reservation. */
static const char *page_away(char *const *words)
{
    xen_pfn_t mfn = virt_to_mfn(spare);
    struct xen_memory_reservation give = { .nr_extents = 1, .domid = DOMID_SELF };
    long rc;

    (void)words;
    if (is_away)
        return "it was given away already";
    set_xen_guest_handle(give.extent_start, &mfn);
    if (hypercall_va_mapping_update((uintptr_t)spare, 0, UVMF_INVLPG) != 0)
        return "it cannot be unmapped";
    rc = hypercall_memory_op(XENMEM_decrease_reservation, &give);
    is_away = true;
    return rc == 1 ? NULL : why("Xen does not take it: %ld", rc);
}

const struct command commands_memory[] = {
    { "grant", 2, page_grant }, { "revoke", 0, page_revoke },
    { "map", 2, page_map },     { "unmap", 1, page_unmap },
    { "same", 1, page_same },   { "spare", 1, page_spare },
    { "away", 0, page_away },   { NULL, 0, NULL },
};
