/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page table entries of a 64-bit PV domain: machine frames, and every page a user page to the
 * processor, since the domain's kernel runs in ring 3. Source: Intel SDM volume 3, 4.5.
 */
#ifndef ARCH_X86_PAGETABLE_H
#define ARCH_X86_PAGETABLE_H

#include <stdint.h>

#include "arch/x86/cpu.h"

typedef uint64_t pte_t;

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_USER (1ull << 2)
#define PTE_WRITE_THROUGH (1ull << 3)
#define PTE_NO_CACHE (1ull << 4)
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY (1ull << 6)
#define PTE_NX (1ull << 63)

#define PTE_RX (PTE_PRESENT | PTE_USER | PTE_ACCESSED)
#define PTE_RO (PTE_RX | PTE_NX)
#define PTE_RW (PTE_RO | PTE_WRITE | PTE_DIRTY)
#define PTE_DEVICE (PTE_RW | PTE_NO_CACHE | PTE_WRITE_THROUGH)
#define PTE_TABLE (PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)

static inline pte_t pte_make(unsigned long mfn, pte_t flags)
{
    return ((pte_t)mfn << PAGE_SHIFT) | flags;
}

static inline unsigned long pte_mfn(pte_t pte)
{
    return (unsigned long)((pte & 0x000ffffffffff000ull) >> PAGE_SHIFT);
}

#endif
