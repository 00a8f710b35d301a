/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether DPDK's heap is in order: a chain of elements in the order of their addresses, and the free
 * ones among them in lists.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_eal.h>

#include <eal_memcfg.h>
#include <eal_private.h>
#include <malloc_elem.h>
#include <malloc_heap.h>

#include "eal/internal.h"
#include "pv/mm.h"

struct tally {
    size_t bytes;
    unsigned int nr, nr_busy, nr_free;
};

static bool is_element(const struct malloc_elem *element)
{
    void *start;
    size_t size;

    mm_pool_range(&start, &size);
    return (uintptr_t)element >= (uintptr_t)start &&
           (uintptr_t)element <= (uintptr_t)start + size - sizeof(*element) &&
           (uintptr_t)element % RTE_CACHE_LINE_SIZE == 0;
}

/* An element and its link to the next one. */
static bool is_sound(const struct malloc_heap *heap, const struct malloc_elem *element)
{
    const struct malloc_elem *next = element->next;

    if (element->heap != heap || element->size < sizeof(*element) ||
        (element->state != ELEM_FREE && element->state != ELEM_BUSY))
        return false;
    if (!next)
        return element == heap->last;
    return is_element(next) && next->prev == element &&
           (uintptr_t)next - (uintptr_t)element >= element->size &&
           (uintptr_t)next > (uintptr_t)element;
}

static bool chain_check(const struct malloc_heap *heap, struct tally *tally)
{
    const struct malloc_elem *element = heap->first;

    if (!is_element(element) || element->prev)
        return false;
    for (; element; element = element->next) {
        if (!is_sound(heap, element))
            return false;
        tally->bytes += element->size;
        tally->nr++;
        tally->nr_busy += element->state == ELEM_BUSY;
        tally->nr_free += element->state == ELEM_FREE;
    }
    return true;
}

/* As many links as there are free elements: one that leads back makes too many. */
static bool lists_check(const struct malloc_heap *heap, unsigned int nr_free)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < RTE_HEAP_NUM_FREELISTS; i++) {
        struct malloc_elem *const *link = &LIST_FIRST(&heap->free_head[i]);

        for (const struct malloc_elem *element = *link; element; element = *link) {
            if (!is_element(element) || element->state != ELEM_FREE ||
                element->free_list.le_prev != link || ++nr > nr_free)
                return false;
            link = &LIST_NEXT(element, free_list);
        }
    }
    return nr == nr_free;
}

bool eal_heap_is_sound(void)
{
    const struct malloc_heap *heap = &rte_eal_get_configuration()->mem_config->malloc_heaps[0];
    struct tally tally = { 0 };

    return chain_check(heap, &tally) && lists_check(heap, tally.nr_free) &&
           tally.bytes == heap->total_size && tally.nr_busy == heap->alloc_count;
}
