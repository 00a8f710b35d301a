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

static void queues_and_bridges_are_listed(void **state)
{
    struct report_page page = {
        .journal = &journal, .state = "running", .stats = &stats, .rows = &row, .nr_rows = 1
    };
    char *text;

    (void)state;
    stats.version = FERRY_STATS_VERSION;
    strcpy(stats.ports[0].name, "vif<3");
    stats.nr_queues = stats.nr_bridges = 1;
    stats.queues[0] = (struct ferry_stats_queue){ 0, 1, 0, 9, 11, 12, 13, 14 };
    stats.queues_more[0] = (struct ferry_stats_queue_more){ 15, 16, 17, { 18, 19 } };
    stats.bridges[0] = (struct ferry_stats_bridge){ "xenbr0", 2, 7, 21, 22, { 23 } };
    stats.bridges_bytes[0] = (struct ferry_stats_bridge_bytes){ 2400, 2500, { 2600 } };
    text = written(&page);
    assert_non_null(strstr(
        text,
        "vif&lt;3</td><td>1<td>9<td>11<td>12<td>13<td>14<td>15<td>16<td>17<td>18<td>19</tr>"));
    assert_non_null(
        strstr(text, "xenbr0</td><td>2<td>7<td>21<td>2400<td>22<td>2500<td>23<td>2600</tr>"));
    free(text);
    stats.version = 2; /* an older kernel's */
    text = written(&page);
    assert_non_null(strstr(text, "<td>13<td>14<td>-<td>-<td>-<td>-<td>-</tr>"));
    assert_non_null(strstr(text, "xenbr0</td><td>2<td>7<td>21<td>-<td>22<td>-<td>23<td>-</tr>"));
    free(text);
}

static unsigned int nr_of(const char *text, const char *what)
{
    unsigned int nr = 0;

    for (; (text = strstr(text, what)); text++)
        nr++;
    return nr;
}

static void rates_and_drops_are_drawn_to_scale(void **state)
{
    static struct top_row rows[3];
    struct report_page page = {
        .journal = &journal, .state = "running", .stats = &stats, .rows = rows, .nr_rows = 3
    };
    char *text;

    (void)state;
    memset(rows, 0, sizeof(rows));
    strcpy(rows[0].port.name, "nic0");
    strcpy(rows[1].port.name, "vif3.0");
    strcpy(rows[2].port.name, "vif4.0"); /* nothing of it: no bar */
    rows[0].in_bits = 8e6;
    rows[0].out_bits = 2e6;
    rows[1].in_bits = 4e6;
    rows[0].port.drops[FERRY_DROP_BAD] = 30;
    rows[0].port.drops[FERRY_DROP_STORM] = 10;
    rows[1].port.drops[FERRY_DROP_FULL] = 20;
    text = written(&page);
    assert_non_null(
        strstr(text, "width=700.0 height=11 fill=\"#4e79a7\"><title>nic0, in: 8000000 bit/s"));
    assert_non_null(
        strstr(text, "width=175.0 height=11 fill=\"#f28e2b\"><title>nic0, out: 2000000 bit/s"));
    assert_non_null(
        strstr(text, "width=350.0 height=11 fill=\"#4e79a7\"><title>vif3.0, in: 4000000 bit/s"));
    assert_non_null(strstr(text, "8.0M bit/s</text>"));
    /* Parts of one bar, side by side. */
    assert_non_null(strstr(
        text, "x=130.0 y=1 width=525.0 height=11 fill=\"#4e79a7\"><title>nic0, bad: 30 frames"));
    assert_non_null(strstr(text, "x=655.0 y=1 width=175.0"));
    assert_non_null(strstr(text, "<title>nic0, storm: 10 frames"));
    assert_non_null(strstr(text, "x=130.0 y=17 width=350.0"));
    assert_int_equal(nr_of(text, "<title>nic0, "), 4);
    assert_int_equal(nr_of(text, "<title>vif3.0, "), 2);
    assert_int_equal(nr_of(text, "<title>vif4.0, "), 0);
    assert_null(strstr(text, "No frame passed"));
    assert_null(strstr(text, "None."));
    free(text);
}

static void without_rates_and_drops_nothing_is_drawn(void **state)
{
    struct report_page page = {
        .journal = &journal, .state = "running", .stats = &stats, .rows = &row, .nr_rows = 1
    };
    char *text;

    (void)state;
    journal.nr_deaths = 0;
    text = written(&page);
    assert_null(strstr(text, "<svg"));
    assert_non_null(strstr(text, "No frame passed"));
    assert_non_null(strstr(text, "None."));
    free(text);
}

static void numbers_of_any_size_stay_in_the_picture(void **state)
{
    struct report_page page = {
        .journal = &journal, .state = "running", .stats = &stats, .rows = &row, .nr_rows = 1
    };
    char *text;

    (void)state;
    strcpy(row.port.name, "<b>\033\"");
    row.in_bits = 1e29; /* a domain may claim any number */
    row.out_bits = 1e-9;
    for (unsigned int drop = 0; drop < FERRY_DROPS; drop++)
        row.port.drops[drop] = UINT64_MAX;
    text = written(&page);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf<"));
    assert_null(strstr(text, "<b>"));
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "width=700.0 "));
    assert_non_null(strstr(text, "width=1.0 "));
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
        TEST(queues_and_bridges_are_listed),
        TEST(rates_and_drops_are_drawn_to_scale),
        TEST(without_rates_and_drops_nothing_is_drawn),
        TEST(numbers_of_any_size_stay_in_the_picture),
    };

    return cmocka_run_group_tests_name("control_report", tests, NULL, NULL);
}
