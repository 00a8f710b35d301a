/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine frames behind the domain's own pages, and where granted ones of others are mapped. */
#ifndef XEN_FRAMES_H
#define XEN_FRAMES_H

#include <stdint.h>

#include "arch/x86/cpu.h"

/*
 * What virt_to_mfn() looks in. Called by mm_init(), before anything else of this file.
 *
 *   list  machine frame by our frame number; stays where it is
 *   nr    frames of RAM that are mapped, each at its number << PAGE_SHIFT
 */
void frames_init(const unsigned long *list, unsigned long nr);

/* Machine frame behind a mapped address in RAM (any address in the image or the pool). */
unsigned long virt_to_mfn(const void *va);

/* Machine address of a byte in RAM. Contiguous only within a page, unless mm_extent_contiguous(). */
uint64_t virt_to_maddr(const void *va);

/* The grant window: one page table at the top of the first GiB. Slots are two pages apart: on either side of
 * each is a page that is never mapped. */
#define GRANT_SLOTS 192
#define GRANT_WINDOW_SIZE (512 * PAGE_SIZE)
#define GRANT_WINDOW ((1ul << 30) - GRANT_WINDOW_SIZE)

/* The address of a slot. Its page is unmapped until granted in. */
void *grant_slot_va(unsigned int slot);

/* The page window, below it and laid out like it: for pages of data (xen/gnttab_pages.h). */
#define PAGE_SLOTS 256
#define PAGE_WINDOW (GRANT_WINDOW - GRANT_WINDOW_SIZE)
void *page_slot_va(unsigned int slot);

#endif
