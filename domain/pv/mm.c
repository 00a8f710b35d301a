/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables. The builder's tables map frames 0 to the end of its allocations; we tighten their
 * permissions, add tables for the rest of RAM (in the spare first megabyte) and for the windows (in
 * .bss), and then touch no table again but through single entries of the windows.
 * All of it lies in the first GiB of addresses: one page directory.
 */
#include <errno.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "arch/x86/pagetable.h"
#include "pv/mm.h"
#include "pv/restart.h"
#include "xen/domain.h"
#include "xen/frames.h"
#include "xen/hypercall.h"
#include "xen/log.h"

#define LARGE_SIZE (512 * PAGE_SIZE)

/* The windows lie at the top of the first GiB. */
#define DEVICE_TABLES 16
#define DEVICE_BASE (PAGE_WINDOW - DEVICE_TABLES * LARGE_SIZE)
#define RAM_LIMIT DEVICE_BASE

/* The image begins here (ferry.lds); below it is spare RAM for page tables. */
#define SPARE_END 0x100000ul

/* Two tables: of the page window and, above it, of the grant window. */
static pte_t grant_table_l1[2][512] __sealed __attribute__((aligned(4096)));
static pte_t device_l1[DEVICE_TABLES][512] __sealed __attribute__((aligned(4096)));

/* The builder's list: machine frame by our frame number. */
static const unsigned long *p2m __sealed;
static unsigned long nr_pages __sealed; /* RAM we keep mapped */
static pte_t *l2 __sealed; /* read only, as all live tables */
static uintptr_t builder_end __sealed; /* mapped by the builder up to here */
static uintptr_t boot_end __sealed; /* in use at boot up to here */
static bool is_sealed __sealed;

static void mmu_update_one(uint64_t entry_maddr, pte_t value)
{
    struct mmu_update req = { .ptr = entry_maddr | MMU_NORMAL_PT_UPDATE, .val = value };
    int rc = hypercall_mmu_update(&req, 1);

    if (rc != 0)
        panic("page table update of %lx to %lx refused: %d", (unsigned long)entry_maddr,
              (unsigned long)value, rc);
}

/* Through M2P, which Xen maps for every PV domain. */
static void *table_va(pte_t entry)
{
    return (void *)(machine_to_phys_mapping[pte_mfn(entry)] << PAGE_SHIFT);
}

static pte_t *l1_of(uintptr_t va)
{
    return table_va(l2[va / LARGE_SIZE]);
}

static void set_page(uintptr_t va, pte_t pte)
{
    int rc = hypercall_va_mapping_update(va, pte, UVMF_INVLPG);

    if (rc != 0)
        panic("mapping of %lx refused: %d", (unsigned long)va, rc);
}

bool mm_is_text(uintptr_t addr)
{
    return addr >= (uintptr_t)text_start && addr < (uintptr_t)text_end;
}

static bool in_range(uintptr_t va, const char *start, const char *end)
{
    return va >= (uintptr_t)start && va < (uintptr_t)end;
}

static bool is_guard(uintptr_t va)
{
    static const char *const guards[] = { guard_0, guard_1, guard_2, guard_3,
                                          guard_4, guard_5, guard_6 };

    for (unsigned int i = 0; i < ARRAY_LEN(guards); i++)
        if (va == (uintptr_t)guards[i])
            return true;
    return false;
}

/* What a page of the builder's mapping is to become. */
static pte_t final_flags(uintptr_t va)
{
    const uintptr_t pt = start_info->pt_base;

    if (va < PAGE_SIZE || is_guard(va))
        return 0;
    if (in_range(va, text_start, text_end))
        return PTE_RX;
    if (in_range(va, rodata_start, rodata_end))
        return PTE_RO;
    if (va >= pt && va < pt + start_info->nr_pt_frames * PAGE_SIZE)
        return PTE_RO;
    return PTE_RW;
}

/* Entries differ only in permissions; many in one hypercall. */
#define UPDATE_BATCH 64

static struct mmu_update batch[UPDATE_BATCH];
static unsigned int nr_batch;

static void batch_flush(void)
{
    int rc = nr_batch ? hypercall_mmu_update(batch, nr_batch) : 0;

    if (rc != 0)
        panic("page permissions refused near entry %lx: %d", (unsigned long)batch[0].ptr, rc);
    nr_batch = 0;
}

static void batch_add(uintptr_t va, pte_t pte)
{
    uint64_t entry = virt_to_maddr(&l1_of(va)[(va >> PAGE_SHIFT) % 512]);

    batch[nr_batch++] = (struct mmu_update){ entry | MMU_NORMAL_PT_UPDATE, pte };
    if (nr_batch == UPDATE_BATCH)
        batch_flush();
}

static void protect_image(void)
{
    for (uintptr_t va = 0; va < builder_end; va += PAGE_SIZE) {
        pte_t flags = final_flags(va);

        if (va == (uintptr_t)shared_info_area)
            continue; /* Xen's page already, not our frame */
        batch_add(va, flags ? pte_make(p2m[va >> PAGE_SHIFT], flags) : 0);
    }
    batch_flush();
}

/* Make a filled page a live table for [va, va + 2 MB). */
static void l2_install(uintptr_t va, pte_t *table)
{
    unsigned long mfn = p2m[(uintptr_t)table >> PAGE_SHIFT];

    set_page((uintptr_t)table, pte_make(mfn, PTE_RO));
    mmu_update_one(virt_to_maddr(&l2[va / LARGE_SIZE]), pte_make(mfn, PTE_TABLE));
}

/* RAM beyond the builder's mapping, with tables from the spare pages below the image. */
static void map_ram(void)
{
    uintptr_t spare = PAGE_SIZE;

    for (uintptr_t va = builder_end; va < nr_pages * PAGE_SIZE; va += LARGE_SIZE) {
        pte_t *table = (pte_t *)spare;

        INVARIANT(spare < SPARE_END && SPARE_END <= (uintptr_t)image_start);
        for (unsigned int i = 0; i < 512; i++) {
            unsigned long pfn = (va >> PAGE_SHIFT) + i;

            table[i] = pfn < nr_pages ? pte_make(p2m[pfn], PTE_RW) : 0;
        }
        l2_install(va, table);
        spare += PAGE_SIZE;
    }
}

static void find_bounds(void)
{
    uintptr_t va;

    p2m = (const unsigned long *)start_info->mfn_list;
    nr_pages = start_info->nr_pages;
    if (nr_pages > RAM_LIMIT / PAGE_SIZE)
        nr_pages = RAM_LIMIT / PAGE_SIZE;
    /* The builder's last allocation is one page of stack behind the page tables. */
    boot_end = start_info->pt_base + (start_info->nr_pt_frames + 1) * PAGE_SIZE;

    const pte_t *l4 = (const pte_t *)start_info->pt_base;
    const pte_t *l3 = table_va(l4[0]);
    l2 = table_va(l3[0]);
    for (va = 0; va < RAM_LIMIT && (l2[va / LARGE_SIZE] & PTE_PRESENT); va += LARGE_SIZE)
        ;
    builder_end = va;

    /* Each 2 MB above takes one of the spare pages, all but page 0. */
    unsigned long most = (builder_end + (SPARE_END / PAGE_SIZE - 1) * LARGE_SIZE) / PAGE_SIZE;
    if (nr_pages > most)
        nr_pages = most;
    frames_init(p2m, nr_pages);
}

void mm_init(void)
{
    find_bounds();
    protect_image();
    map_ram();
    l2_install(PAGE_WINDOW, grant_table_l1[0]);
    l2_install(GRANT_WINDOW, grant_table_l1[1]);
    for (unsigned int i = 0; i < DEVICE_TABLES; i++)
        l2_install(DEVICE_BASE + i * LARGE_SIZE, device_l1[i]);
}

static void range_protect(const char *start, const char *end, pte_t flags)
{
    for (uintptr_t va = (uintptr_t)start & PAGE_MASK; va < (uintptr_t)end; va += PAGE_SIZE)
        batch_add(va, pte_make(p2m[va >> PAGE_SHIFT], flags));
    batch_flush();
}

/* The tables among the sealed variables are read only since they are in use. */
void mm_seal(void)
{
    const char *list = (const char *)p2m;

    restart_sums_note();
    is_sealed = true;
    range_protect((const char *)start_info, (const char *)start_info + PAGE_SIZE, PTE_RO);
    range_protect(list, list + start_info->nr_pages * sizeof(*p2m), PTE_RO);
    range_protect(sealed_start, sealed_end, PTE_RO);
}

void mm_unseal(void)
{
    for (const char *va = sealed_start; va < sealed_end; va += PAGE_SIZE)
        if (va < (const char *)grant_table_l1 || va >= (const char *)(grant_table_l1 + 2))
            if (va < (const char *)device_l1 || va >= (const char *)(device_l1 + DEVICE_TABLES))
                range_protect(va, va + PAGE_SIZE, PTE_RW);
}

unsigned long mm_nr_pages(void)
{
    return nr_pages;
}

void mm_pool_range(void **start, size_t *size)
{
    uintptr_t first = (boot_end + LARGE_SIZE - 1) & ~(LARGE_SIZE - 1);
    uintptr_t last = (nr_pages * PAGE_SIZE) & ~(LARGE_SIZE - 1);

    *start = (void *)first;
    *size = last > first ? last - first : 0;
}

bool mm_extent_contiguous(const void *va)
{
    const unsigned long *mfns = &p2m[(uintptr_t)va >> PAGE_SHIFT];

    for (unsigned int i = 1; i < 512; i++)
        if (mfns[i] != mfns[0] + i)
            return false;
    return true;
}

static void extent_map(uintptr_t va, pte_t flags)
{
    for (unsigned int i = 0; i < 512; i++) {
        uintptr_t page = va + i * PAGE_SIZE;

        batch_add(page, flags ? pte_make(p2m[page >> PAGE_SHIFT], flags) : 0);
    }
    batch_flush();
}

int mm_extent_make_contiguous(void *va)
{
    unsigned long pfn = (uintptr_t)va >> PAGE_SHIFT;
    xen_pfn_t out = pfn;
    unsigned long *mfns = (unsigned long *)start_info->mfn_list + pfn;
    struct xen_memory_exchange exchange = {
        .in = { .nr_extents = 512, .extent_order = 0, .domid = DOMID_SELF },
        .out = { .nr_extents = 1, .extent_order = 9, .domid = DOMID_SELF },
    };

    if (is_sealed)
        return -EPERM;
    set_xen_guest_handle(exchange.in.extent_start, mfns);
    set_xen_guest_handle(exchange.out.extent_start, &out);
    extent_map((uintptr_t)va, 0);
    long rc = hypercall_memory_op(XENMEM_exchange, &exchange);
    if (exchange.nr_exchanged == 512) {
        for (unsigned int i = 0; i < 512; i++)
            mfns[i] = out + i;
        rc = 0;
    } else if (rc == 0) {
        rc = -ENOMEM;
    }
    extent_map((uintptr_t)va, PTE_RW);
    return (int)rc;
}

static bool device_run_free(unsigned int first, unsigned long nr)
{
    for (unsigned long i = 0; i < nr; i++)
        if (device_l1[0][first + i] & PTE_PRESENT)
            return false;
    return true;
}

void *mm_map_device(unsigned long mfn, unsigned long nr)
{
    const unsigned int slots = DEVICE_TABLES * 512;

    /* One page stays free behind each mapping. */
    for (unsigned int first = 0; nr < slots && first + nr < slots; first++) {
        uintptr_t va = DEVICE_BASE + first * PAGE_SIZE;

        if (!device_run_free(first, nr + 1))
            continue;
        for (unsigned long i = 0; i < nr; i++) {
            pte_t pte = pte_make(mfn + i, PTE_DEVICE);

            if (hypercall_va_mapping_update(va + i * PAGE_SIZE, pte, UVMF_INVLPG) != 0) {
                mm_unmap_device((void *)va, i);
                return NULL;
            }
        }
        return (void *)va;
    }
    return NULL;
}

void mm_unmap_device(void *va, unsigned long nr)
{
    for (unsigned long i = 0; i < nr; i++)
        set_page((uintptr_t)va + i * PAGE_SIZE, 0);
}
