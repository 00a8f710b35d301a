/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of a device by its transmit ring, in rings as DPDK's drivers lay them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eal/tx_ring.h"

#define NR 32

/* vmxnet3: a driver and a device that go round as their originals do. */
static struct {
    uint32_t given[NR][4], done[NR][4];
} ring;
static uint32_t next_given, next_done, given_round, done_round;

static int made(void **state)
{
    (void)state;
    memset(&ring, 0, sizeof(ring));
    next_given = next_done = 0;
    given_round = done_round = 1;
    return 0;
}

static uint32_t give(unsigned int nr_descriptors)
{
    uint32_t last = 0;

    for (unsigned int i = 0; i < nr_descriptors; i++) {
        last = next_given;
        ring.given[next_given][2] = given_round << 14 | 60;
        next_given = (next_given + 1) % NR;
        given_round ^= next_given == 0;
    }
    return last;
}

static void complete(uint32_t last_of_frame)
{
    ring.done[next_done][0] = last_of_frame;
    ring.done[next_done][3] = done_round << 31;
    next_done = (next_done + 1) % NR;
    done_round ^= next_done == 0;
}

static void assert_at(uint32_t head, uint32_t tail)
{
    uint32_t head_seen = 999, tail_seen = 999;

    assert_true(tx_ring_vmxnet3(&ring, sizeof(ring), NR, &head_seen, &tail_seen));
    assert_int_equal(head_seen, head);
    assert_int_equal(tail_seen, tail);
}

static void a_new_vmxnet3_ring_has_nothing_to_do(void **state)
{
    (void)state;
    assert_at(0, 0);
}

static void vmxnet3_that_completes_nothing_stays_behind(void **state)
{
    (void)state;
    give(1);
    assert_at(0, 1);
    give(NR - 2); /* one is always left free */
    assert_at(0, NR - 1);
}

static void vmxnet3_keeps_up_over_many_rounds(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 20 * NR; i++) {
        uint32_t before = next_given;
        uint32_t last = give(1 + i % 5);

        assert_at(before, next_given);
        complete(last);
        assert_at(next_given, next_given);
    }
}

static void vmxnet3_that_stops_in_any_place_is_behind(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3 * NR; i++) {
        uint32_t at = next_given, last = give(1);

        assert_at(at, next_given);
        assert_at(at, (at + 1) % NR);
        complete(last);
    }
}

static void what_a_vmxnet3_ring_says_is_bounded(void **state)
{
    uint32_t head, tail;

    (void)state;
    memset(&ring, 0xff, sizeof(ring));
    assert_true(tx_ring_vmxnet3(&ring, sizeof(ring), NR, &head, &tail));
    assert_true(head < NR && tail < NR);
    assert_false(tx_ring_vmxnet3(&ring, sizeof(ring) - 1, NR, &head, &tail));
    assert_false(tx_ring_vmxnet3(&ring, sizeof(ring), 1, &head, &tail));
}

/* virtio. */

#define PAGES_256                                                                                  \
    (2 * 4096 + 4096) /* 256 * 16 + 516 bytes, then 2052: Linux' vring_size() has the same */
#define USED_AT_256 (2 * 4096)

static void the_parts_of_a_virtio_ring_are_found(void **state)
{
    char *memory = calloc(1, PAGES_256);
    struct virtio_ring found;
    uint32_t head = 7, tail = 7;

    (void)state;
    assert_non_null(memory);
    assert_true(virtio_ring_find(memory, PAGES_256, &found));
    assert_int_equal(found.size, 256);
    assert_ptr_equal(found.given, memory + 256 * 16);
    assert_ptr_equal(found.used, memory + USED_AT_256);
    ((uint16_t *)(memory + 256 * 16))[1] = 0x0102;
    ((uint16_t *)(memory + USED_AT_256))[1] = 0xfffe;
    assert_true(tx_ring_virtio(memory, PAGES_256, &head, &tail));
    assert_int_equal(head, 0xfffe);
    assert_int_equal(tail, 0x0102);
    free(memory);
}

static void another_length_is_no_virtio_ring(void **state)
{
    static char memory[PAGES_256];
    uint32_t head = 7, tail = 7;

    (void)state;
    assert_false(tx_ring_virtio(memory, PAGES_256 - 4096, &head, &tail));
    assert_false(tx_ring_virtio(memory, 0, &head, &tail));
    assert_int_equal(head, 7);
    assert_int_equal(tail, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_vmxnet3_ring_has_nothing_to_do, made),
        cmocka_unit_test_setup(vmxnet3_that_completes_nothing_stays_behind, made),
        cmocka_unit_test_setup(vmxnet3_keeps_up_over_many_rounds, made),
        cmocka_unit_test_setup(vmxnet3_that_stops_in_any_place_is_behind, made),
        cmocka_unit_test_setup(what_a_vmxnet3_ring_says_is_bounded, made),
        cmocka_unit_test(the_parts_of_a_virtio_ring_are_found),
        cmocka_unit_test(another_length_is_no_virtio_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
