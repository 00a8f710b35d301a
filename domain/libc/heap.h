/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A first-fit heap in one piece of memory. For the few small things that DPDK's environment takes
 * from malloc() at start; packets and rings live in DPDK's own heap.
 */
#ifndef LIBC_HEAP_H
#define LIBC_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libc_heap {
    struct libc_block *first; /* blocks in address order, without gaps */
    size_t size, used, peak; /* bytes, block headers included */
};

/* memory: 16-byte aligned, at least 64 bytes, the heap's from now on. */
void libc_heap_init(struct libc_heap *heap, void *memory, size_t size);

/* 16-byte aligned, contents undefined; NULL when nothing fits. A size of 0 gives a block too. */
void *libc_heap_alloc(struct libc_heap *heap, size_t size);

/*
 * Give a block back; NULL is ignored. Returns 0, or -EINVAL for what is no block in use of this
 * heap (given back twice, or overwritten).
 */
int libc_heap_free(struct libc_heap *heap, void *block) __attribute__((warn_unused_result));

/* Whether the blocks are whole, in order and without gaps, and as many bytes in use as counted. */
bool libc_heap_is_sound(const struct libc_heap *heap, const void *memory);

/* Bytes that a block in use has room for. */
size_t libc_heap_block_size(const void *block);

#endif
