/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xen/log.h"
#include "xen/timer.h"

static struct timer timers[4];
static char ran[32]; /* in their order, as letters */

__noreturn void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

static int start(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(timers); i++)
        timer_cancel(&timers[i]);
    memset(ran, 0, sizeof(ran));
    return timers_next() == UINT64_MAX ? 0 : -1;
}

static void note(void *ctx)
{
    strcat(ran, ctx);
}

static void test_due_timers_run_in_order_of_deadlines(void **state)
{
    (void)state;
    timer_arm(&timers[0], 30, note, "c");
    timer_arm(&timers[1], 10, note, "a");
    timer_arm(&timers[2], 20, note, "b");
    timer_arm(&timers[3], 31, note, "d");
    assert_int_equal(timers_next(), 10);
    assert_int_equal(timers_run(9), 0);
    assert_int_equal(timers_run(30), 3);
    assert_string_equal(ran, "abc");
    assert_int_equal(timers_next(), 31);
    assert_false(timers[0].armed);
    assert_true(timers[3].armed);
}

static void test_equal_deadlines_run_as_armed(void **state)
{
    (void)state;
    timer_arm(&timers[2], 5, note, "a");
    timer_arm(&timers[0], 5, note, "b");
    timer_arm(&timers[1], 5, note, "c");
    assert_int_equal(timers_run(5), 3);
    assert_string_equal(ran, "abc");
}

static void test_arming_again_moves_a_timer(void **state)
{
    (void)state;
    timer_arm(&timers[0], 10, note, "x");
    timer_arm(&timers[1], 20, note, "a");
    timer_arm(&timers[0], 30, note, "b");
    assert_int_equal(timers_run(100), 2);
    assert_string_equal(ran, "ab");
    assert_int_equal(timers_run(100), 0);
}

static void test_cancelled_timer_does_not_run(void **state)
{
    struct timer never = { 0 };

    (void)state;
    timer_arm(&timers[0], 10, note, "x");
    timer_arm(&timers[1], 10, note, "a");
    timer_cancel(&timers[0]);
    timer_cancel(&timers[0]);
    timer_cancel(&never);
    assert_int_equal(timers_run(10), 1);
    assert_string_equal(ran, "a");
    assert_int_equal(timers_next(), UINT64_MAX);
}

static void arm_itself(void *ctx)
{
    note(ctx);
    timer_arm(&timers[0], 0, arm_itself, ctx);
}

static void test_timer_arming_itself_waits_for_the_next_run(void **state)
{
    (void)state;
    timer_arm(&timers[0], 1, arm_itself, "a");
    assert_int_equal(timers_run(5), 1);
    assert_int_equal(timers_next(), 0);
    assert_int_equal(timers_run(5), 1);
    assert_string_equal(ran, "aa");
}

static void cancel_others(void *ctx)
{
    note(ctx);
    timer_cancel(&timers[1]); /* due now, not run yet */
    timer_cancel(&timers[3]); /* not due */
}

static void test_function_may_cancel_what_is_due(void **state)
{
    (void)state;
    timer_arm(&timers[0], 1, cancel_others, "a");
    timer_arm(&timers[1], 2, note, "x");
    timer_arm(&timers[2], 3, note, "b");
    timer_arm(&timers[3], 50, note, "x");
    assert_int_equal(timers_run(10), 2);
    assert_string_equal(ran, "ab");
    assert_int_equal(timers_next(), UINT64_MAX);
}

static void move_other(void *ctx)
{
    note(ctx);
    timer_arm(&timers[1], 40, note, "b");
}

static void test_function_may_move_what_is_due(void **state)
{
    (void)state;
    timer_arm(&timers[0], 1, move_other, "a");
    timer_arm(&timers[1], 2, note, "x");
    assert_int_equal(timers_run(10), 1);
    assert_int_equal(timers_run(40), 1);
    assert_string_equal(ran, "ab");
}

static void test_deadline_at_the_end_of_time(void **state)
{
    (void)state;
    timer_arm(&timers[0], UINT64_MAX, note, "a");
    assert_int_equal(timers_run(UINT64_MAX - 1), 0);
    assert_int_equal(timers_run(UINT64_MAX), 1);
}

#define TIMER_TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIMER_TEST(test_due_timers_run_in_order_of_deadlines),
        TIMER_TEST(test_equal_deadlines_run_as_armed),
        TIMER_TEST(test_arming_again_moves_a_timer),
        TIMER_TEST(test_cancelled_timer_does_not_run),
        TIMER_TEST(test_timer_arming_itself_waits_for_the_next_run),
        TIMER_TEST(test_function_may_cancel_what_is_due),
        TIMER_TEST(test_function_may_move_what_is_due),
        TIMER_TEST(test_deadline_at_the_end_of_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
