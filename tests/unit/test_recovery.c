/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/recovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86/layout.h"
#include "pv/restart.h"
#include "xen/clock.h"
#include "xen/log.h"

#define SECOND 1000000000ull

char recovery_area[PAGE_SIZE] __attribute__((aligned(4096)));
char recovery_copy_area[PAGE_SIZE] __attribute__((aligned(4096)));
const struct ferry_image image_note = { .recovery_version = 7 };

static uint64_t now;

uint64_t clock_now(void)
{
    return now;
}

__noreturn void panic(const char *fmt, ...)
{
    fail_msg("%s", fmt);
    __builtin_unreachable();
}

static int start(void **state)
{
    (void)state;
    now = 1000 * SECOND;
    memset(recovery_copy_area, 0, sizeof(recovery_copy_area));
    recovery_init();
    recovery_note_limit(3);
    return 0;
}

static void run_for(uint64_t ns)
{
    recovery_ready();
    now += ns;
}

static void test_sum_finds_every_changed_bit(void **state)
{
    char data[37];

    (void)state;
    for (size_t len = 0; len <= sizeof(data); len++) {
        memset(data, 0x5a, sizeof(data));
        uint32_t sum = recovery_sum(data, len);

        assert_int_not_equal(sum, 0);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            data[bit / 8] ^= (char)(1 << bit % 8);
            assert_int_not_equal(recovery_sum(data, len), sum);
            data[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
    assert_int_not_equal(recovery_sum("\0\0", 1), recovery_sum("\0\0", 2));
}

static void test_a_damaged_page_is_repaired_from_its_copy(void **state)
{
    (void)state;
    recovery_note_watchdog(3);
    recovery_note_grant(5, 9, 77, 4);
    for (size_t at = 0; at < sizeof(struct recovery_page); at += 3) {
        recovery_area[at] ^= 0x10;
        assert_false(recovery_valid());
        assert_true(recovery_repair());
        assert_true(recovery_valid());
    }
    assert_int_equal(recovery_page()->watchdog_id, 3);
    assert_int_equal(recovery_page()->grants[5].ref, 77);
}

static void test_a_damaged_copy_does_no_harm(void **state)
{
    (void)state;
    recovery_copy_area[100] ^= 1;
    assert_true(recovery_repair());
    recovery_note_watchdog(4);
    recovery_area[100] ^= 1;
    assert_true(recovery_repair());
    assert_int_equal(recovery_page()->watchdog_id, 4);
}

static void test_with_both_damaged_nothing_is_taken_over(void **state)
{
    (void)state;
    run_for(5 * SECOND);
    recovery_area[200] ^= 1;
    recovery_copy_area[300] ^= 1;
    assert_false(recovery_repair());
    assert_false(recovery_may_restart());
}

static void test_another_images_page_is_not_ours(void **state)
{
    (void)state;
    ((struct recovery_page *)recovery_area)->version = 8;
    ((struct recovery_page *)recovery_copy_area)->version = 8;
    assert_false(recovery_repair());
}

static void test_no_restart_before_the_first_start_is_complete(void **state)
{
    (void)state;
    now += 5 * SECOND;
    assert_false(recovery_may_restart());
    run_for(5 * SECOND);
    assert_true(recovery_may_restart());
}

static void test_restarts_are_limited_by_the_minute(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        run_for(2 * SECOND);
        assert_true(recovery_may_restart());
        recovery_begin(true);
    }
    run_for(2 * SECOND);
    assert_false(recovery_may_restart());
    run_for(60 * SECOND);
    assert_true(recovery_may_restart());
    assert_int_equal(recovery_page()->self_restarts, 4);
}

static void test_none_are_allowed_where_the_limit_is_zero(void **state)
{
    (void)state;
    recovery_note_limit(0);
    run_for(5 * SECOND);
    assert_false(recovery_may_restart());
}

static void test_deaths_soon_after_a_start_end_the_trying(void **state)
{
    (void)state;
    recovery_note_limit(100);
    for (int i = 0; i < 2; i++) {
        run_for(SECOND / 2);
        assert_true(recovery_died_soon());
        assert_true(recovery_may_restart());
        recovery_begin(false);
    }
    now += SECOND / 100; /* not even ready */
    assert_true(recovery_died_soon());
    assert_false(recovery_may_restart());
    run_for(2 * SECOND);
    assert_false(recovery_died_soon());
    assert_true(recovery_may_restart());
}

static void test_deaths_on_the_way_to_a_start_end_the_trying(void **state)
{
    (void)state;
    recovery_note_limit(100);
    run_for(5 * SECOND);
    assert_true(recovery_may_restart());
    assert_true(recovery_may_restart());
    assert_true(recovery_may_restart());
    assert_false(recovery_may_restart());
    recovery_begin(true);
    run_for(5 * SECOND);
    assert_true(recovery_may_restart());
}

static void test_a_restart_counts_what_it_did(void **state)
{
    (void)state;
    run_for(2 * SECOND);
    recovery_begin(true);
    assert_true(recovery_resuming());
    assert_true(recovery_keeps_nic());
    assert_int_equal(recovery_page()->generation, 2);
    assert_int_equal(recovery_page()->nic_resets, 0);
    recovery_begin(false);
    assert_false(recovery_keeps_nic());
    assert_int_equal(recovery_page()->generation, 3);
    assert_int_equal(recovery_page()->nic_resets, 1);
    assert_true(recovery_valid());
}

#define RECOVERY_TEST(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECOVERY_TEST(test_sum_finds_every_changed_bit),
        RECOVERY_TEST(test_a_damaged_page_is_repaired_from_its_copy),
        RECOVERY_TEST(test_a_damaged_copy_does_no_harm),
        RECOVERY_TEST(test_with_both_damaged_nothing_is_taken_over),
        RECOVERY_TEST(test_another_images_page_is_not_ours),
        RECOVERY_TEST(test_no_restart_before_the_first_start_is_complete),
        RECOVERY_TEST(test_restarts_are_limited_by_the_minute),
        RECOVERY_TEST(test_none_are_allowed_where_the_limit_is_zero),
        RECOVERY_TEST(test_deaths_soon_after_a_start_end_the_trying),
        RECOVERY_TEST(test_deaths_on_the_way_to_a_start_end_the_trying),
        RECOVERY_TEST(test_a_restart_counts_what_it_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
