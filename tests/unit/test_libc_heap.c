/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libc/heap.h"

#define SIZE 4096
#define HEADER 32 /* of a block */

static alignas(16) char memory[SIZE];
static struct libc_heap heap;

static int fresh(void **state)
{
    (void)state;
    libc_heap_init(&heap, memory, SIZE);
    return 0;
}

static void blocks_are_aligned_and_apart(void **state)
{
    char *a = libc_heap_alloc(&heap, 1), *b = libc_heap_alloc(&heap, 17);
    char *c = libc_heap_alloc(&heap, 0);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_int_equal((uintptr_t)a % 16 + (uintptr_t)b % 16 + (uintptr_t)c % 16, 0);
    assert_true(a + 1 <= b && b + 17 <= c);
    assert_true(libc_heap_block_size(b) >= 17);
}

static void all_comes_back_in_one_piece(void **state)
{
    void *blocks[8];

    (void)state;
    for (unsigned int i = 0; i < 8; i++)
        blocks[i] = libc_heap_alloc(&heap, 100);
    for (unsigned int i = 0; i < 8; i += 2)
        assert_int_equal(libc_heap_free(&heap, blocks[i]), 0);
    for (unsigned int i = 1; i < 8; i += 2)
        assert_int_equal(libc_heap_free(&heap, blocks[i]), 0);
    assert_int_equal(heap.used, 0);
    assert_non_null(libc_heap_alloc(&heap, SIZE - HEADER));
    assert_int_equal(heap.peak, SIZE);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    assert_null(libc_heap_alloc(&heap, SIZE));
    assert_null(libc_heap_alloc(&heap, SIZE - HEADER + 1));
    assert_null(libc_heap_alloc(&heap, SIZE_MAX));
    assert_null(libc_heap_alloc(&heap, SIZE_MAX - 8));
    assert_non_null(libc_heap_alloc(&heap, SIZE - HEADER));
    assert_null(libc_heap_alloc(&heap, 1));
}

static void wrong_frees_are_told(void **state)
{
    char *block = libc_heap_alloc(&heap, 64);
    int elsewhere;

    (void)state;
    assert_int_equal(libc_heap_free(&heap, NULL), 0);
    assert_int_equal(libc_heap_free(&heap, &elsewhere), -EINVAL);
    assert_int_equal(libc_heap_free(&heap, block + 16), -EINVAL);
    assert_int_equal(libc_heap_free(&heap, block), 0);
    assert_int_equal(libc_heap_free(&heap, block), -EINVAL);
}

/* Random sizes, each block filled with its own byte: none may be written by another. */
static void many_at_random_keep_what_they_hold(void **state)
{
    struct {
        unsigned char *start;
        size_t size;
    } held[16] = { 0 };

    (void)state;
    srand(1);
    for (unsigned int round = 0; round < 20000; round++) {
        unsigned int i = (unsigned int)rand() % 16;

        for (size_t at = 0; held[i].start && at < held[i].size; at++)
            assert_int_equal(held[i].start[at], i);
        assert_int_equal(libc_heap_free(&heap, held[i].start), 0);
        held[i].size = (size_t)rand() % 500;
        held[i].start = libc_heap_alloc(&heap, held[i].size);
        if (held[i].start)
            memset(held[i].start, (int)i, held[i].size);
    }
}

static void a_heap_in_use_is_sound(void **state)
{
    void *blocks[8];

    (void)state;
    assert_true(libc_heap_is_sound(&heap, memory));
    for (size_t i = 0; i < 8; i++)
        blocks[i] = libc_heap_alloc(&heap, 100 * i);
    assert_true(libc_heap_is_sound(&heap, memory));
    for (size_t i = 0; i < 8; i += 3)
        assert_int_equal(libc_heap_free(&heap, blocks[i]), 0);
    assert_true(libc_heap_is_sound(&heap, memory));
}

/* One byte of any header that is not padding. */
static void a_damaged_heap_is_not(void **state)
{
    char *a = libc_heap_alloc(&heap, 100), *b = libc_heap_alloc(&heap, 100);

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        a[-HEADER + (long)i] ^= 1;
        assert_false(libc_heap_is_sound(&heap, memory));
        a[-HEADER + (long)i] ^= 1;
        b[-HEADER + (long)i] ^= 0x40;
        assert_false(libc_heap_is_sound(&heap, memory));
        b[-HEADER + (long)i] ^= 0x40;
    }
    assert_true(libc_heap_is_sound(&heap, memory));
    heap.used += 16;
    assert_false(libc_heap_is_sound(&heap, memory));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_are_aligned_and_apart, fresh),
        cmocka_unit_test_setup(all_comes_back_in_one_piece, fresh),
        cmocka_unit_test_setup(too_much_is_refused, fresh),
        cmocka_unit_test_setup(wrong_frees_are_told, fresh),
        cmocka_unit_test_setup(a_heap_in_use_is_sound, fresh),
        cmocka_unit_test_setup(a_damaged_heap_is_not, fresh),
        cmocka_unit_test_setup(many_at_random_keep_what_they_hold, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
