/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of `ferry report`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/report_page.h"

static struct journal journal;
static struct ferry_stats stats;
static struct top_row row;

static char *written(const struct report_page *page)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    report_page_write(out, page);
    assert_int_equal(fclose(out), 0);
    return text;
}

static int start(void **state)
{
    struct journal_death *death;

    (void)state;
    memset(&journal, 0, sizeof(journal));
    memset(&stats, 0, sizeof(stats));
    memset(&row, 0, sizeof(row));
    strcpy(journal.name, "domnet");
    journal_death_add(&journal, 1700000000000, 500, "crash");
    death = journal_death_last(&journal);
    death->depth = 2;
    death->back_us = 45678;
    death->back_ms = 45;
    strcpy(death->way, "reloaded");
    journal_step_add(death, "noted", 100);
    journal_step_add(death, "resumed", 30000);
    journal_step_add(death, "serving", 45678);
    return 0;
}

static void a_death_is_told_with_its_steps(void **state)
{
    struct report_page page = { .journal = &journal, .state = "running", .now_ms = 1700000001000 };
    char *text = written(&page);

    (void)state;
    assert_non_null(strstr(text, "reloaded at depth 2 after 45.678 ms"));
    assert_non_null(strstr(text, "resumed: 30.000 ms"));
    assert_non_null(strstr(text, "No statistics"));
    assert_null(strstr(text, "http"));
    free(text);
}

static void nothing_that_a_domain_or_a_guest_says_becomes_markup(void **state)
{
    struct report_page page = {
        .journal = &journal, .state = "running", .stats = &stats, .rows = &row, .nr_rows = 1
    };
    char *text;

    (void)state;
    strcpy(journal_death_last(&journal)->reason, "<script>alert(1)</script>");
    strcpy(journal_death_last(&journal)->last_port, "\"><img>");
    strcpy(row.guest, "a<b>&\033[2J");
    text = written(&page);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<img"));
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "&lt;script&gt;"));
    assert_non_null(strstr(text, "a&lt;b&gt;&amp;"));
    free(text);
}

static void steps_out_of_order_draw_nothing_outside(void **state)
{
    struct journal_death *death = journal_death_last(&journal);
    struct report_page page = { .journal = &journal, .state = "running" };
    char *text;

    (void)state;
    journal_step_add(death, "odd", -5);
    journal_step_add(death, "late", INT64_MAX / 2);
    text = written(&page);
    assert_null(strstr(text, "width=-"));
    assert_null(strstr(text, "nan"));
    free(text);
}

static void ports_and_their_drops_are_listed(void **state)
{
    struct report_page page = {
        .journal = &journal, .state = "running", .stats = &stats, .rows = &row, .nr_rows = 1
    };
    char *text;

    (void)state;
    strcpy(row.port.name, "vif3.0");
    row.port.in_frames = 4711;
    row.port.drops[FERRY_DROP_STORM] = 815;
    text = written(&page);
    assert_non_null(strstr(text, "<td>4711"));
    assert_non_null(strstr(text, "<td>815"));
    assert_non_null(strstr(text, "<th>storm"));
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(a_death_is_told_with_its_steps),
        TEST(nothing_that_a_domain_or_a_guest_says_becomes_markup),
        TEST(steps_out_of_order_draw_nothing_outside),
        TEST(ports_and_their_drops_are_listed),
    };

    return cmocka_run_group_tests_name("control_report", tests, NULL, NULL);
}
