/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates, order and lines of `ferry top`. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/top_rows.h"

#define SECOND 1000000000ull

static struct ferry_stats before, now;
static struct top_row rows[3];

static int start(void **state)
{
    (void)state;
    memset(&before, 0, sizeof(before));
    before.nr_ports = 1;
    before.began_ns = 5;
    before.written_ns = 10 * SECOND;
    strcpy(before.ports[0].name, "vif1.0");
    now = before;
    now.written_ns = 12 * SECOND;
    return 0;
}

static void rates_are_by_the_time_between_two_writings(void **state)
{
    (void)state;
    now.ports[0].in_frames = 20;
    now.ports[0].in_bytes = 1000;
    now.ports[0].out_frames = 3;
    now.ports[0].drops[FERRY_DROP_FULL] = 4;
    now.ports[0].drops[FERRY_DROP_STORM] = 2;
    top_row_make(&before, &now, 0, &rows[0]);
    assert_true(rows[0].in_frames == 10 && rows[0].in_bits == 4000 && rows[0].out_frames == 1.5 &&
                rows[0].drops == 3);
}

static void what_cannot_be_told_is_zero(void **state)
{
    (void)state;
    now.ports[0].in_frames = 20;
    now.began_ns++; /* another domain */
    top_row_make(&before, &now, 0, &rows[0]);
    assert_true(rows[0].in_frames == 0);
    now.began_ns--;
    now.written_ns = before.written_ns;
    top_row_make(&before, &now, 0, &rows[0]);
    assert_true(rows[0].in_frames == 0);
    now.written_ns = 0;
    top_row_make(&before, &now, 0, &rows[0]);
    assert_true(rows[0].in_frames == 0);
    now.written_ns = 12 * SECOND;
    strcpy(now.ports[0].name, "vif2.0"); /* new */
    top_row_make(&before, &now, 0, &rows[0]);
    assert_true(rows[0].in_frames == 0);
    strcpy(now.ports[0].name, "vif1.0");
    before.ports[0].in_frames = 21; /* backwards */
    top_row_make(&before, &now, 0, &rows[0]);
    assert_true(rows[0].in_frames == 0);
}

static void rows_are_sorted_by_each_column(void **state)
{
    (void)state;
    memset(rows, 0, sizeof(rows));
    strcpy(rows[0].port.name, "vif10.0");
    strcpy(rows[1].port.name, "vif9.0");
    strcpy(rows[2].port.name, "nic0");
    rows[0].in_bits = 1;
    rows[1].out_bits = 5;
    rows[2].drops = 2;
    top_rows_sort(rows, 3, TOP_BY_IN);
    assert_string_equal(rows[0].port.name, "vif10.0");
    top_rows_sort(rows, 3, TOP_BY_OUT);
    assert_string_equal(rows[0].port.name, "vif9.0");
    top_rows_sort(rows, 3, TOP_BY_DROPS);
    assert_string_equal(rows[0].port.name, "nic0");
    top_rows_sort(rows, 3, TOP_BY_NAME);
    assert_string_equal(rows[1].port.name, "vif9.0");
    assert_string_equal(rows[2].port.name, "vif10.0");
}

static void numbers_of_any_size_fit_their_columns(void **state)
{
    char title[TOP_LINE_SIZE], line[TOP_LINE_SIZE];

    (void)state;
    memset(&rows[0], 0, sizeof(rows[0]));
    strcpy(rows[0].domain, "domnet");
    strcpy(rows[0].port.name, "vif1.0");
    rows[0].in_frames = 1234;
    rows[0].in_bits = 999.7;
    rows[0].out_frames = 56e9;
    rows[0].out_bits = 6e20; /* a domain may claim any number */
    top_title_format(TOP_BY_IN, title);
    top_row_format(&rows[0], line);
    assert_int_equal(strlen(title), strlen(line));
    assert_non_null(strstr(line, " 1.2k "));
    assert_non_null(strstr(line, " 1.0k "));
    assert_non_null(strstr(line, " 56G "));
    memset(rows[0].domain, 'x', sizeof(rows[0].domain) - 1);
    memset(rows[0].guest, 'y', sizeof(rows[0].guest) - 1);
    top_row_format(&rows[0], line);
    assert_true(strlen(line) < TOP_LINE_SIZE);
}

static void an_order_is_told_by_its_word(void **state)
{
    enum top_order order;

    (void)state;
    for (enum top_order i = 0; i < TOP_ORDERS; i++) {
        assert_int_equal(top_order_parse(top_order_word(i), &order), 0);
        assert_int_equal(order, i);
    }
    assert_int_equal(top_order_parse("cpu", &order), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(rates_are_by_the_time_between_two_writings),
        TEST(what_cannot_be_told_is_zero),
        TEST(rows_are_sorted_by_each_column),
        TEST(numbers_of_any_size_fit_their_columns),
        TEST(an_order_is_told_by_its_word),
    };

    return cmocka_run_group_tests_name("control_top", tests, NULL, NULL);
}
