/* SPDX-License-Identifier: BSD-2-Clause */
#include "libc/heap.h"

#include <errno.h>
#include <stdbool.h>

#define ALIGN 16ul
#define MAGIC_USED 0x64657375u
#define MAGIC_FREE 0x65657266u

struct libc_block {
    struct libc_block *next; /* the block right behind this one; NULL for the last */
    size_t size; /* bytes behind the header */
    uint32_t magic;
} __attribute__((aligned(ALIGN)));

void libc_heap_init(struct libc_heap *heap, void *memory, size_t size)
{
    struct libc_block *block = memory;

    size &= ~(ALIGN - 1);
    *block = (struct libc_block){ .size = size - sizeof(*block), .magic = MAGIC_FREE };
    *heap = (struct libc_heap){ .first = block, .size = size };
}

/* Cut what is beyond size off a block, if it makes a block. */
static void split(struct libc_block *block, size_t size)
{
    struct libc_block *rest;

    if (block->size < size + sizeof(*rest) + ALIGN)
        return;
    rest = (struct libc_block *)((char *)(block + 1) + size);
    *rest = (struct libc_block){ .next = block->next,
                                 .size = block->size - size - sizeof(*rest),
                                 .magic = MAGIC_FREE };
    block->next = rest;
    block->size = size;
}

void *libc_heap_alloc(struct libc_heap *heap, size_t size)
{
    if (size > heap->size)
        return NULL;
    size = size ? (size + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
    for (struct libc_block *block = heap->first; block; block = block->next) {
        if (block->magic != MAGIC_FREE || block->size < size)
            continue;
        split(block, size);
        block->magic = MAGIC_USED;
        heap->used += block->size + sizeof(*block);
        if (heap->used > heap->peak)
            heap->peak = heap->used;
        return block + 1;
    }
    return NULL;
}

static void join_next(struct libc_block *block)
{
    struct libc_block *next = block->next;

    if (!next || block->magic != MAGIC_FREE || next->magic != MAGIC_FREE)
        return;
    block->size += next->size + sizeof(*next);
    block->next = next->next;
    next->magic = 0;
}

int libc_heap_free(struct libc_heap *heap, void *memory)
{
    struct libc_block *before = NULL, *block;

    if (!memory)
        return 0;
    for (block = heap->first; block && block + 1 != memory; block = block->next)
        before = block;
    if (!block || block->magic != MAGIC_USED)
        return -EINVAL;
    block->magic = MAGIC_FREE;
    heap->used -= block->size + sizeof(*block);
    join_next(block);
    if (before)
        join_next(before);
    return 0;
}

size_t libc_heap_block_size(const void *memory)
{
    return ((const struct libc_block *)memory - 1)->size;
}

bool libc_heap_is_sound(const struct libc_heap *heap, const void *memory)
{
    const char *at = memory, *end = at + heap->size;
    size_t used = 0;

    if (heap->first != memory)
        return false;
    for (const struct libc_block *block = heap->first; block; block = block->next) {
        if ((const char *)block != at || (size_t)(end - at) < sizeof(*block) ||
            block->size > (size_t)(end - at) - sizeof(*block) ||
            (block->magic != MAGIC_USED && block->magic != MAGIC_FREE))
            return false;
        at += sizeof(*block) + block->size;
        if (block->magic == MAGIC_USED)
            used += sizeof(*block) + block->size;
    }
    return at == end && used == heap->used;
}
