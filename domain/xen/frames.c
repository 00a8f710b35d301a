/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/frames.h"

#include "arch/x86/layout.h"
#include "xen/log.h"

#define GRANT_STRIDE (2 * PAGE_SIZE)
_Static_assert(GRANT_SLOTS *GRANT_STRIDE <= GRANT_WINDOW_SIZE, "the window has one table");
_Static_assert(PAGE_SLOTS *GRANT_STRIDE <= GRANT_WINDOW_SIZE, "that one, too");

static const unsigned long *p2m __sealed;
static unsigned long nr_pages __sealed;

void frames_init(const unsigned long *list, unsigned long nr)
{
    p2m = list;
    nr_pages = nr;
}

unsigned long virt_to_mfn(const void *va)
{
    unsigned long pfn = (uintptr_t)va >> PAGE_SHIFT;

    INVARIANT(pfn < nr_pages);
    return p2m[pfn];
}

uint64_t virt_to_maddr(const void *va)
{
    return ((uint64_t)virt_to_mfn(va) << PAGE_SHIFT) | ((uintptr_t)va & ~PAGE_MASK);
}

void *grant_slot_va(unsigned int slot)
{
    INVARIANT(slot < GRANT_SLOTS);
    return (void *)(GRANT_WINDOW + slot * GRANT_STRIDE + PAGE_SIZE);
}

void *page_slot_va(unsigned int slot)
{
    INVARIANT(slot < PAGE_SLOTS);
    return (void *)(PAGE_WINDOW + slot * GRANT_STRIDE + PAGE_SIZE);
}
