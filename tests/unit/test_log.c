/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Built around the log: each test starts with a fresh one. */
#include "xen/log.c"

#define SECOND 1000000000ull

static struct start_info info;
const struct start_info *start_info = &info;

static char out[16384]; /* what the console got */
static char mirror[1024]; /* what Xen's console got */
static bool console_up;
static uint64_t now;
static jmp_buf died;
static char crash_reason[LOG_LINE_MAX];
static bool panic_while_reporting;
static unsigned int shutdown_reason;

bool console_ready(void)
{
    return console_up;
}

void console_write(const char *text, size_t len)
{
    strncat(out, text, len);
}

void console_hypervisor_write(const char *text, size_t len)
{
    strncat(mirror, text, len);
}

uint64_t clock_now(void)
{
    return now;
}

uint64_t clock_uptime(void)
{
    return now;
}

__noreturn void domain_shutdown(unsigned int reason)
{
    shutdown_reason = reason;
    longjmp(died, 2);
}

__noreturn void arch_crash(const char *reason)
{
    strcpy(crash_reason, reason);
    if (panic_while_reporting)
        panic("in the report");
    longjmp(died, 1);
}

static int start(void **state)
{
    (void)state;
    early_used = early_left_out = 0;
    panics = 0;
    panic_while_reporting = false;
    console_up = true;
    now = 12 * SECOND + 345678901;
    out[0] = mirror[0] = '\0';
    log_set_level(LOG_INFO);
    panic_set_end(arch_crash);
    return 0;
}

static void test_line_has_its_stamp_and_a_newline(void **state)
{
    (void)state;
    log_info("nic%d: link up", 0);
    assert_string_equal(out, "[   12.345678] nic0: link up\n");
    now = 1234567 * SECOND + 1000;
    log_info("later");
    assert_non_null(strstr(out, "\n[1234567.000001] later\n"));
}

static void test_level_stands_before_errors_and_warnings(void **state)
{
    (void)state;
    log_error("a");
    log_warn("b");
    log_info("c");
    assert_string_equal(out, "[   12.345678] error: a\n"
                             "[   12.345678] warning: b\n"
                             "[   12.345678] c\n");
}

static void test_level_decides_what_is_written(void **state)
{
    (void)state;
    log_debug("no");
    assert_string_equal(out, "");
    log_set_level(LOG_DEBUG);
    log_debug("yes");
    assert_non_null(strstr(out, "yes"));
    log_set_level(LOG_ERROR);
    log_warn("hidden");
    log_error("seen");
    assert_null(strstr(out, "hidden"));
    assert_non_null(strstr(out, "seen"));
}

static void test_text_cannot_forge_a_line(void **state)
{
    (void)state;
    log_info("vif %s", "a\n[    0.000000] error: forged\r\x1b[2J\x7f\xc2\x9b\\x0a");
    assert_string_equal(out, "[   12.345678] vif a\\x0a[    0.000000] error: forged\\x0d\\x1b[2J"
                             "\\x7f\\xc2\\x9b\\x5cx0a\n");
}

static void test_long_line_is_cut_and_says_so(void **state)
{
    char text[400];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_warn("%s", text);
    assert_int_equal(strlen(out), LOG_LINE_MAX);
    assert_string_equal(out + LOG_LINE_MAX - 5, "x...\n");
    for (size_t len = 180; len < sizeof(text); len++) {
        out[0] = '\0';
        log_warn("%.*s", (int)len, text);
        assert_true(strlen(out) <= LOG_LINE_MAX);
        assert_int_equal(strchr(out, '\n') - out, strlen(out) - 1);
    }
}

static void test_escape_is_not_cut_in_the_middle(void **state)
{
    char text[200];

    (void)state;
    for (size_t plain = 0; plain < 8; plain++) {
        const char *end;

        out[0] = '\0';
        memset(text, '\n', sizeof(text));
        memset(text, 'x', plain);
        text[sizeof(text) - 1] = '\0';
        log_info("%s", text);
        assert_true(strlen(out) <= LOG_LINE_MAX);
        end = out + strlen(out) - strlen("...\n");
        assert_string_equal(end, "...\n");
        assert_memory_equal(end - 4, "\\x0a", 4);
    }
}

static void test_early_lines_come_with_the_first_later_one(void **state)
{
    (void)state;
    console_up = false;
    log_info("one");
    log_info("two");
    assert_string_equal(out, "");
    console_up = true;
    log_info("three");
    assert_string_equal(out, "[   12.345678] one\n[   12.345678] two\n[   12.345678] three\n");
}

static void test_early_lines_are_bounded(void **state)
{
    (void)state;
    console_up = false;
    for (int i = 0; i < 200; i++)
        log_info("early line %d", i);
    console_up = true;
    log_info("last");
    assert_non_null(strstr(out, "early line 0\n"));
    assert_null(strstr(out, "early line 199\n"));
    assert_non_null(strstr(out, " early lines left out]\n[   12.345678] last\n"));
    assert_true(strlen(out) < EARLY_SIZE + 200);
}

static void test_line_before_there_is_a_clock(void **state)
{
    (void)state;
    start_info = NULL;
    log_info("first");
    start_info = &info;
    assert_string_equal(out, "[    0.000000] first\n");
}

static void test_limit_lets_a_burst_through_and_then_one_an_interval(void **state)
{
    struct log_limit limit = { 0 };
    unsigned int passed = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        passed += log_limit_pass(&limit);
    assert_int_equal(passed, LOG_LIMIT_BURST);
    assert_string_equal(out, "");
    now += LOG_LIMIT_INTERVAL_NS - 1;
    assert_false(log_limit_pass(&limit));
    now++;
    log_limited(&limit, LOG_WARN, "vif 3: bad frame");
    assert_string_equal(out, "[   22.345678] warning: 96 lines like the next one were left out\n"
                             "[   22.345678] warning: vif 3: bad frame\n");
    assert_false(log_limit_pass(&limit));
    now += LOG_LIMIT_INTERVAL_NS;
    assert_true(log_limit_pass(&limit));
}

static void test_lines_that_are_not_written_use_up_no_limit(void **state)
{
    struct log_limit limit = { 0 };

    (void)state;
    log_set_level(LOG_WARN);
    for (int i = 0; i < 100; i++)
        log_limited(&limit, LOG_INFO, "vif 3: connected");
    log_limited(&limit, LOG_WARN, "vif 3: closed");
    assert_string_equal(out, "[   12.345678] warning: vif 3: closed\n");
}

static void test_panic_escapes_its_reason(void **state)
{
    (void)state;
    console_up = false;
    log_info("kept until now");
    if (setjmp(died) == 0)
        panic("table %s is %d", "full\n", 7);
    assert_string_equal(crash_reason, "table full\\x0a is 7");
    assert_string_equal(out, "[   12.345678] kept until now\n");
}

static void test_panic_within_a_panic_ends_at_once(void **state)
{
    int how;

    (void)state;
    panic_while_reporting = true;
    how = setjmp(died);
    if (how == 0)
        panic("first");
    assert_int_equal(how, 2);
    assert_int_equal(shutdown_reason, SHUTDOWN_crash);
    assert_string_equal(crash_reason, "first");
    assert_string_equal(mirror, "ferry: panic within a panic\n");
    how = setjmp(died);
    if (how == 0)
        panic("third");
    assert_int_equal(how, 2);
    assert_string_equal(mirror, "ferry: panic within a panic\n");
}

static void a_panic_before_there_is_a_report_says_its_reason_to_xen(void **state)
{
    int how;

    (void)state;
    panic_set_end(NULL);
    how = setjmp(died);
    if (how == 0)
        panic("too early");
    assert_int_equal(how, 2);
    assert_int_equal(shutdown_reason, SHUTDOWN_crash);
    assert_string_equal(mirror, "too early");
}

static void fail_invariant(int two)
{
    INVARIANT(two == 3);
}

static void test_invariant_names_itself(void **state)
{
    (void)state;
    if (setjmp(died) == 0)
        fail_invariant(2);
    assert_non_null(strstr(crash_reason, "invariant failed: two == 3 at "));
    assert_non_null(strstr(crash_reason, "test_log.c:"));
}

#define LOG_TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_line_has_its_stamp_and_a_newline),
        LOG_TEST(test_level_stands_before_errors_and_warnings),
        LOG_TEST(test_level_decides_what_is_written),
        LOG_TEST(test_text_cannot_forge_a_line),
        LOG_TEST(test_long_line_is_cut_and_says_so),
        LOG_TEST(test_escape_is_not_cut_in_the_middle),
        LOG_TEST(test_early_lines_come_with_the_first_later_one),
        LOG_TEST(test_early_lines_are_bounded),
        LOG_TEST(test_line_before_there_is_a_clock),
        LOG_TEST(test_limit_lets_a_burst_through_and_then_one_an_interval),
        LOG_TEST(test_lines_that_are_not_written_use_up_no_limit),
        LOG_TEST(test_panic_escapes_its_reason),
        LOG_TEST(test_panic_within_a_panic_ends_at_once),
        LOG_TEST(a_panic_before_there_is_a_report_says_its_reason_to_xen),
        LOG_TEST(test_invariant_names_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
