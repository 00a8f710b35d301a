/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics: their text, and what is counted of a journal's deaths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervise/exposition.h"
#include "supervise/recoveries.h"

static char *text;
static size_t text_len;
static struct exposition e;
static struct recoveries recoveries;
static struct journal journal;

static int start(void **state)
{
    (void)state;
    e = (struct exposition){ .out = open_memstream(&text, &text_len) };
    memset(&recoveries, 0, sizeof(recoveries));
    memset(&journal, 0, sizeof(journal));
    strcpy(journal.uuid, "1");
    return e.out ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static const char *written(void)
{
    exposition_end(&e);
    assert_int_equal(fclose(e.out), 0);
    return text;
}

static void a_counter_is_named_as_each_format_wants_it(void **state)
{
    (void)state;
    exposition_family(&e, "x_deaths", EXPOSITION_COUNTER, "Deaths.");
    exposition_counter(&e, "x_deaths", EXPOSITION_LABELS("domain", "a"), 18446744073709551615ull);
    assert_string_equal(written(), "# HELP x_deaths_total Deaths.\n# TYPE x_deaths_total counter\n"
                                   "x_deaths_total{domain=\"a\"} 18446744073709551615\n");
}

static void openmetrics_ends(void **state)
{
    (void)state;
    e.openmetrics = true;
    exposition_family(&e, "x_deaths", EXPOSITION_COUNTER, "Deaths.");
    exposition_counter(&e, "x_deaths", EXPOSITION_LABELS("domain", "a"), 1);
    assert_string_equal(written(), "# HELP x_deaths Deaths.\n# TYPE x_deaths counter\n"
                                   "x_deaths_total{domain=\"a\"} 1\n# EOF\n");
}

static void a_label_may_hold_anything(void **state)
{
    (void)state;
    exposition_gauge(&e, "up", EXPOSITION_LABELS("guest", "a\"b\\c\nd", "port", ""), 1);
    assert_string_equal(written(), "up{guest=\"a\\\"b\\\\c\\nd\",port=\"\"} 1\n");
}

static void buckets_add_up(void **state)
{
    static const double limits[] = { 0.5, 1 };
    static const uint64_t counts[] = { 1, 2, 4 };

    (void)state;
    exposition_histogram(&e, "s", EXPOSITION_LABELS(NULL), limits, counts, 2, 7.5);
    assert_string_equal(written(),
                        "s_bucket{le=\"0.5\"} 1\ns_bucket{le=\"1\"} 3\ns_bucket{le=\"+Inf\"} 7\n"
                        "s_sum 7.5\ns_count 7\n");
}

static struct journal_death *die(const char *cause, unsigned int depth, int64_t back_us)
{
    struct journal_death *death;

    journal_death_add(&journal, 1, 500, cause);
    death = journal_death_last(&journal);
    death->depth = depth;
    death->back_us = back_us;
    death->back_ms = back_us / 1000;
    return death;
}

static uint64_t counted(unsigned int depth, const char *cause)
{
    for (unsigned int i = 0; i < RECOVERIES_CAUSES; i++)
        if (strcmp(recoveries_cause_word(i), cause) == 0)
            return recoveries.counts[depth][i];
    fail_msg("no cause %s", cause);
    return 0;
}

static void each_death_counts_once(void **state)
{
    (void)state;
    die("crash", 1, 2000);
    recoveries_count(&recoveries, &journal);
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(1, "crash"), 1);
    die("hang", 2, 45000);
    die("crash", 1, 500);
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(1, "crash"), 2);
    assert_int_equal(counted(2, "hang"), 1);
    assert_int_equal(recoveries.buckets[1][0], 1); /* 0.5 ms */
    assert_int_equal(recoveries.buckets[1][1], 1); /* 2 ms */
    assert_int_equal(recoveries.buckets[2][4], 1); /* 45 ms */
    fclose(e.out);
}

static void a_recovery_under_way_counts_when_it_is_over(void **state)
{
    (void)state;
    die("crash", 1, 2000);
    die("hang", 0, -1000);
    journal.recovering = true;
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(1, "crash"), 1);
    assert_int_equal(counted(0, "hang"), 0);
    journal.recovering = false;
    journal_death_last(&journal)->depth = 2;
    journal_death_last(&journal)->back_ms = 30;
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(1, "crash"), 1);
    assert_int_equal(counted(2, "hang"), 1);
    fclose(e.out);
}

static void a_recovery_that_is_still_to_begin_counts_when_it_is_over(void **state)
{
    (void)state;
    die("vanished", 0, -1000); /* ferryd waits first, for it was the fifth */
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(0, "vanished"), 0);
    journal.recovering = true;
    recoveries_count(&recoveries, &journal);
    journal.recovering = false;
    journal_death_last(&journal)->depth = 3;
    journal_death_last(&journal)->back_ms = 1500;
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(0, "vanished"), 0);
    assert_int_equal(counted(3, "vanished"), 1);
    fclose(e.out);
}

static void one_that_is_given_up_counts_as_not_brought_back(void **state)
{
    (void)state;
    die("crash", 0, -1000);
    journal.wish = JOURNAL_GIVEN_UP;
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(0, "crash"), 1);
    fclose(e.out);
}

static void an_unknown_cause_makes_no_series_of_its_own(void **state)
{
    (void)state;
    die("made up", 3, 1000000);
    die("hang", 0, -1000);
    journal.wish = JOURNAL_GIVEN_UP;
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(3, "other"), 1);
    assert_int_equal(counted(0, "hang"), 1);
    fclose(e.out);
}

static void what_the_journal_forgot_is_left_out(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3 * JOURNAL_DEATHS_MAX; i++)
        die("crash", 1, 1000);
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(1, "crash"), JOURNAL_DEATHS_MAX);
    fclose(e.out);
}

static void one_that_is_started_anew_is_counted_on(void **state)
{
    (void)state;
    die("crash", 1, 1000);
    die("crash", 1, 1000);
    recoveries_count(&recoveries, &journal);
    memset(&journal, 0, sizeof(journal));
    strcpy(journal.uuid, "2");
    die("hang", 2, 1000);
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted(1, "crash"), 2); /* a counter never falls */
    assert_int_equal(counted(2, "hang"), 1);
    fclose(e.out);
}

static uint64_t counted_all(void)
{
    uint64_t nr = 0;

    for (unsigned int depth = 0; depth < RECOVERIES_DEPTHS; depth++)
        for (unsigned int i = 0; i < RECOVERIES_CAUSES; i++)
            nr += recoveries.counts[depth][i];
    return nr;
}

/* More deaths than the journal has, and then another process begins to count. */
static void those_before_the_beginning_are_not_new(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 40; i++)
        die("crash", 1, 1000);
    recoveries_begin(&recoveries, &journal);
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted_all(), 0);
    die("hang", 2, 1000);
    recoveries_count(&recoveries, &journal);
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted_all(), 1);
    assert_int_equal(counted(2, "hang"), 1);
    fclose(e.out);
}

static void one_under_way_at_the_beginning_is_counted(void **state)
{
    (void)state;
    die("crash", 1, 1000);
    die("hang", 0, -1000);
    journal.recovering = true;
    recoveries_begin(&recoveries, &journal);
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted_all(), 0);
    journal.recovering = false;
    journal_death_last(&journal)->depth = 3;
    journal_death_last(&journal)->back_ms = 1500;
    recoveries_count(&recoveries, &journal);
    assert_int_equal(counted_all(), 1);
    assert_int_equal(counted(3, "hang"), 1);
    fclose(e.out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(a_counter_is_named_as_each_format_wants_it),
        TEST(openmetrics_ends),
        TEST(a_label_may_hold_anything),
        TEST(buckets_add_up),
        TEST(each_death_counts_once),
        TEST(a_recovery_under_way_counts_when_it_is_over),
        TEST(a_recovery_that_is_still_to_begin_counts_when_it_is_over),
        TEST(one_that_is_given_up_counts_as_not_brought_back),
        TEST(an_unknown_cause_makes_no_series_of_its_own),
        TEST(what_the_journal_forgot_is_left_out),
        TEST(one_that_is_started_anew_is_counted_on),
        TEST(those_before_the_beginning_are_not_new),
        TEST(one_under_way_at_the_beginning_is_counted),
    };

    return cmocka_run_group_tests_name("control_metrics", tests, NULL, NULL);
}
