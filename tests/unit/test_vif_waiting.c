/* SPDX-License-Identifier: BSD-2-Clause */
/* domain/vif/waiting.c: lists that share one table of places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vif/waiting.h"
#include "xen/log.h"

#define NR_LISTS 3

void panic(const char *fmt, ...)
{
    fail_msg("panic: %s", fmt);
    abort();
}

static struct rte_mbuf *frame(uintptr_t number)
{
    return (struct rte_mbuf *)(number * 64); /* never looked into */
}

static int setup(void **state)
{
    (void)state;
    waiting_init();
    return 0;
}

static void empty_list_has_no_first(void **state)
{
    struct waiting_list list = { 0 };

    (void)state;
    assert_null(waiting_first(&list));
    assert_true(waiting_put(&list, frame(1)));
    assert_ptr_equal(waiting_first(&list), frame(1));
    assert_int_equal(list.nr, 1);
    assert_ptr_equal(waiting_take(&list), frame(1));
    assert_null(waiting_first(&list));
}

/* What goes in and out in turns keeps its order in each list, whatever places it gets. */
static void lists_keep_their_order(void **state)
{
    struct waiting_list lists[NR_LISTS] = { 0 };
    uintptr_t put[NR_LISTS] = { 0 }, taken[NR_LISTS] = { 0 };
    uint32_t random = 1;

    (void)state;
    for (unsigned int i = 0; i < 100000; i++) {
        unsigned int l;

        random = random * 1664525 + 1013904223;
        l = (random >> 16) % NR_LISTS;
        if ((random >> 24) % 5 < 3 && put[l] - taken[l] < 1000)
            assert_true(waiting_put(&lists[l], frame(1 + put[l]++ * NR_LISTS + l)));
        else if (lists[l].nr)
            assert_ptr_equal(waiting_take(&lists[l]), frame(1 + taken[l]++ * NR_LISTS + l));
        assert_int_equal(lists[l].nr, put[l] - taken[l]);
    }
}

static void full_table_refuses_and_forgets_nothing(void **state)
{
    struct waiting_list greedy = { 0 }, other = { 0 };

    (void)state;
    for (unsigned int round = 0; round < 2; round++) {
        for (uintptr_t i = 1; i <= WAITING_MAX; i++)
            assert_true(waiting_put(&greedy, frame(i)));
        assert_false(waiting_put(&greedy, frame(WAITING_MAX + 1)));
        assert_false(waiting_put(&other, frame(WAITING_MAX + 1)));
        assert_int_equal(greedy.nr, WAITING_MAX);
        assert_int_equal(other.nr, 0);
        assert_ptr_equal(waiting_take(&greedy), frame(1));
        assert_true(waiting_put(&other, frame(WAITING_MAX + 2)));
        for (uintptr_t i = 2; i <= WAITING_MAX; i++)
            assert_ptr_equal(waiting_take(&greedy), frame(i));
        assert_ptr_equal(waiting_take(&other), frame(WAITING_MAX + 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(empty_list_has_no_first, setup),
        cmocka_unit_test_setup(lists_keep_their_order, setup),
        cmocka_unit_test_setup(full_table_refuses_and_forgets_nothing, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
