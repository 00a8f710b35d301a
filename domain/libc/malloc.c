/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc() and its kin over one static piece of memory. */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "libc/heap.h"
#include "libc/libc.h"

/*
 * Each NIC takes about 70 KiB: its two interrupt handles have room for 512 vectors each
 * (rte_intr_instance_alloc()).
 */
#define HEAP_SIZE (320 * 1024)

static alignas(16) char memory[HEAP_SIZE];
static struct libc_heap heap;

void *malloc(size_t size)
{
    void *block;

    if (!heap.first)
        libc_heap_init(&heap, memory, sizeof(memory));
    block = libc_heap_alloc(&heap, size);
    if (!block)
        errno = ENOMEM;
    return block;
}

void free(void *block)
{
    if (libc_heap_free(&heap, block) != 0)
        libc_host_die("free() of what malloc() did not give, or twice");
}

void *calloc(size_t count, size_t size)
{
    size_t all;
    void *block;

    if (__builtin_mul_overflow(count, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    block = malloc(all);
    if (block)
        memset(block, 0, all);
    return block;
}

void *realloc(void *old, size_t size)
{
    size_t keep;
    void *block;

    if (!old)
        return malloc(size);
    keep = libc_heap_block_size(old);
    if (size <= keep && size > 0)
        return old;
    block = malloc(size);
    if (!block)
        return NULL;
    memcpy(block, old, keep < size ? keep : size);
    free(old);
    return block;
}

void libc_heap_stats(struct libc_heap_stats *stats_r)
{
    *stats_r =
        (struct libc_heap_stats){ .size = sizeof(memory), .used = heap.used, .peak = heap.peak };
}

bool libc_malloc_is_sound(void)
{
    return heap.size == sizeof(memory) && libc_heap_is_sound(&heap, memory);
}
