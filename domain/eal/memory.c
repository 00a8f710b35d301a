/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DPDK's memory: the whole pool as one list of 2 MB segments, each with its true machine address.
 * A segment whose frames do not form one run of machine memory is exchanged for one that does; if
 * Xen refuses, it is left out, for DPDK would hand its parts to a NIC as if it were.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_vfio.h>

#include <eal_memalloc.h>
#include <eal_memcfg.h>
#include <eal_private.h>

#include "eal/internal.h"
#include "pv/mm.h"
#include "xen/clock.h"
#include "xen/frames.h"
#include "xen/log.h"

#define EXTENT_SIZE (2ul << 20)
#define MAX_EXTENTS 512 /* the address space ends at 1 GiB */
#define NS_PER_MS 1000000u

/* Room for DPDK's fbarrays: 256 memory zones (19 KB) and 512 segments (25 KB). */
#define AREA_SIZE (64 * 1024)
static alignas(PAGE_SIZE) char area[AREA_SIZE];
static size_t area_used;

static bool extent_prepare(char *va, unsigned int *nr_repaired)
{
    if (mm_extent_contiguous(va))
        return true;
    if (mm_extent_make_contiguous(va) != 0)
        return false;
    (*nr_repaired)++;
    return mm_extent_contiguous(va);
}

static void segment_add(struct rte_memseg_list *list, unsigned int index)
{
    char *va = (char *)list->base_va + index * EXTENT_SIZE;
    struct rte_memseg *segment = rte_fbarray_get(&list->memseg_arr, index);

    *segment = (struct rte_memseg){
        .iova = virt_to_maddr(va),
        .addr = va,
        .len = EXTENT_SIZE,
        .hugepage_sz = EXTENT_SIZE,
        .flags = RTE_MEMSEG_FLAG_DO_NOT_FREE | RTE_MEMSEG_FLAG_DIRTY,
    };
    rte_fbarray_set_used(&list->memseg_arr, index);
}

int eal_memory_init(void)
{
    struct rte_memseg_list *list = &rte_eal_get_configuration()->mem_config->memsegs[0];
    unsigned int nr_added = 0, nr_repaired = 0;
    uint64_t start_ns = clock_now();
    size_t size, nr;
    void *base;

    mm_pool_range(&base, &size);
    nr = size / EXTENT_SIZE;
    if (nr == 0)
        return -ENOMEM;
    if (nr > MAX_EXTENTS)
        nr = MAX_EXTENTS;
    if (eal_memseg_list_init_named(list, "pool", EXTENT_SIZE, (int)nr, 0, true) != 0)
        return -rte_errno;
    list->base_va = base;
    list->len = nr * EXTENT_SIZE;
    for (unsigned int i = 0; i < nr; i++) {
        if (!extent_prepare((char *)base + i * EXTENT_SIZE, &nr_repaired))
            continue;
        segment_add(list, i);
        nr_added++;
    }
    if (nr_repaired > 0 || nr_added < nr)
        log_warn("eal: %u of %u extents were not contiguous: %u exchanged in %u ms, %u left out",
                 nr_repaired + (unsigned int)nr - nr_added, (unsigned int)nr, nr_repaired,
                 (unsigned int)((clock_now() - start_ns) / NS_PER_MS), (unsigned int)nr - nr_added);
    return nr_added > 0 ? 0 : -ENOMEM;
}

/* Pages for fbarrays: taken once, never given back. */
void *eal_mem_reserve(void *wanted, size_t size, int flags)
{
    void *start = area + area_used;

    (void)flags;
    size = RTE_ALIGN_CEIL(size, PAGE_SIZE);
    if (wanted || size > sizeof(area) - area_used) {
        rte_errno = ENOMEM;
        return NULL;
    }
    area_used += size;
    return start;
}

void eal_mem_free(void *start, size_t size)
{
    (void)start;
    (void)size;
}

int eal_mem_set_dump(void *start, size_t size, bool dump)
{
    (void)start;
    (void)size;
    (void)dump;
    return 0;
}

/* "Mapping" what was reserved: it is mapped already. */
void *rte_mem_map(void *wanted, size_t size, int prot, int flags, int fd, uint64_t offset)
{
    (void)prot;
    (void)fd;
    (void)offset;
    if ((flags & RTE_MAP_FORCE_ADDRESS) && (char *)wanted >= area &&
        (char *)wanted + size <= area + area_used)
        return wanted;
    rte_errno = ENOTSUP;
    return NULL;
}

int rte_mem_unmap(void *start, size_t size)
{
    (void)start;
    (void)size;
    return 0;
}

int rte_mem_lock(const void *start, size_t size)
{
    (void)start;
    (void)size;
    return 0;
}

size_t rte_mem_page_size(void)
{
    return PAGE_SIZE;
}

uint64_t eal_get_baseaddr(void)
{
    return 0;
}

int rte_eal_using_phys_addrs(void)
{
    return 1;
}

phys_addr_t rte_mem_virt2phy(const void *va)
{
    if ((uintptr_t)va >= mm_nr_pages() << PAGE_SHIFT)
        return RTE_BAD_IOVA;
    return virt_to_maddr(va);
}

rte_iova_t rte_mem_virt2iova(const void *va)
{
    return rte_mem_virt2phy(va);
}

/* The heap is as large as it will ever be. */
int eal_memalloc_alloc_seg_bulk(struct rte_memseg **segments, int nr, size_t page_size, int socket,
                                bool exact)
{
    (void)segments;
    (void)nr;
    (void)page_size;
    (void)socket;
    (void)exact;
    rte_errno = ENOMEM;
    return -1;
}

int eal_memalloc_get_seg_fd(int list, int segment)
{
    (void)list;
    (void)segment;
    return -ENODEV;
}

int eal_memalloc_get_seg_fd_offset(int list, int segment, size_t *offset)
{
    (void)list;
    (void)segment;
    (void)offset;
    return -ENODEV;
}

/* Every frame of ours is open to our devices from the start: Xen's IOMMU tables say so. */
int rte_vfio_container_dma_map(int container, uint64_t va, uint64_t iova, uint64_t len)
{
    (void)container;
    (void)va;
    (void)iova;
    (void)len;
    return 0;
}

int rte_vfio_container_dma_unmap(int container, uint64_t va, uint64_t iova, uint64_t len)
{
    return rte_vfio_container_dma_map(container, va, iova, len);
}
