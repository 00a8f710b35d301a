/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the domain: where things are and what they may do.
 *
 * Every frame of RAM that we keep mapped is at virtual address pfn << 12. Above RAM there are two
 * windows with page tables made at boot, never later: one for grant mappings (single pages with an
 * unmapped page on both sides) and one for device registers.
 */
#ifndef PV_MM_H
#define PV_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/cpu.h"

/* Build final page permissions and the windows. Called once, by the first boot step. */
void mm_init(void);

/*
 * Make what never changes again read only: the variables marked __sealed (arch/x86/layout.h), the builder's
 * page and its list of frames. Called when the first start is complete. mm_unseal() opens the
 * variables again.
 */
void mm_seal(void);
void mm_unseal(void);

/* Frames of RAM in use: what the domain was given, as far as there are page tables for it (about 520 MB). */
unsigned long mm_nr_pages(void);

/*
 * The RAM left for pools: [*start, *start + *size), virtual, mapped, zeroed by nobody. Whole 2 MB
 * extents, start aligned to 2 MB. Size may be 0 in a domain that is too small.
 */
void mm_pool_range(void **start, size_t *size);

/* Whether the 512 frames behind a 2 MB-aligned address are one run of machine memory. */
bool mm_extent_contiguous(const void *va);

/*
 * Exchange the frames behind a 2 MB-aligned extent of the pool for a contiguous run. Contents are
 * lost. Returns 0 or a negative errno (-EPERM after mm_seal()), with the extent still usable (not contiguous) on failure.
 * Source: xen/memory.h, XENMEM_exchange.
 */
int mm_extent_make_contiguous(void *va) __must_check;

/*
 * Map nr_pages of device memory at machine frame mfn, uncached, into the register window.
 * Returns NULL when the window is full or Xen refuses (the frame is not ours to map).
 */
void *mm_map_device(unsigned long mfn, unsigned long nr_pages) __must_check;
void mm_unmap_device(void *va, unsigned long nr_pages);

/* Whether an address is in the text, for the crash report. */
bool mm_is_text(uintptr_t addr);

#endif
