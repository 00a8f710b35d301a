/* SPDX-License-Identifier: BSD-2-Clause */
/* Our formatting against the host's, format by format. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libc/format.h"

#define SIZE 512

static int format(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = libc_format(buf, size, fmt, ap);
    va_end(ap);
    return ret;
}

#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-zero-length"
#pragma GCC diagnostic ignored "-Wformat"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-truncation"
#endif

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char ours[SIZE], theirs[SIZE];                                                             \
        int n = format(ours, sizeof(ours), __VA_ARGS__);                                           \
        assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));                        \
        assert_string_equal(ours, theirs);                                                         \
    } while (0)

static void plain_text(void **state)
{
    (void)state;
    SAME("");
    SAME("no conversion");
    SAME("100%% sure");
}

static void every_flag_width_and_precision(void **state)
{
    static const char *const flags[] = {
        "", "-", "0", "+", " ", "#", "-0", "+0", "#0", "-#", "- +"
    };
    static const char *const widths[] = { "", "1", "5", "12" };
    static const char *const precisions[] = { "", ".", ".0", ".1", ".3", ".10" };
    static const long long values[] = {
        0, 1, -1, 7, 42, -42, INT_MAX, INT_MIN, LLONG_MAX, LLONG_MIN
    };
    static const char conversions[] = "diuxXo";

    (void)state;
    for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++)
        for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++)
            for (size_t p = 0; p < sizeof(precisions) / sizeof(precisions[0]); p++)
                for (size_t c = 0; c < sizeof(conversions) - 1; c++)
                    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                        char fmt[32];

                        snprintf(fmt, sizeof(fmt), "<%%%s%s%sll%c>", flags[f], widths[w],
                                 precisions[p], conversions[c]);
                        SAME(fmt, values[v]);
                        snprintf(fmt, sizeof(fmt), "<%%%s%s%s%c>", flags[f], widths[w],
                                 precisions[p], conversions[c]);
                        SAME(fmt, (int)values[v]);
                    }
}

static void lengths(void **state)
{
    (void)state;
    SAME("%hhd %hhu %hhx", -1, -1, 0x1234);
    SAME("%hd %hu %hx", -1, -1, 0x12345);
    SAME("%ld %lu %lx", -1l, ULONG_MAX, 0x123456789abcul);
    SAME("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, 1ull << 63);
    SAME("%zu %zd %zx %jd %td", SIZE_MAX, (size_t)5, (size_t)255, (intmax_t)-3, (ptrdiff_t)-4);
}

static void arguments_after_each_other(void **state)
{
    (void)state;
    SAME("%s=%d %c %5.2f|%-8s|%x %llu %p", "name", -5, 'z', 2.5, "left", 0xbeef, 1ull << 40,
         (void *)0x1234);
}

static void strings(void **state)
{
    char unterminated[3] = { 'a', 'b', 'c' };

    (void)state;
    SAME("<%s> <%10s> <%-10s> <%.2s> <%10.1s>", "text", "text", "text", "text", "text");
    SAME("<%.3s>", unterminated);
    SAME("<%.*s> <%*s> <%*s>", 2, "abcdef", 6, "r", -6, "l");
    SAME("<%.*s>", -1, "all of it");
    SAME("%s", (char *)NULL);
    SAME("<%c%5c%-5c>", 'a', 'b', 'c');
}

static void doubles(void **state)
{
    (void)state;
    SAME("%f %.2f %.0f %8.3f %-8.1f| %08.2f", 1.5, 3.14159, 2.7, -1.25, 9.96, 3.5);
    SAME("%.2f %.2f %.3f", 0.999, -0.004, 1e6 + 0.0626);
    SAME("%+.1f % .1f %.2f", 1.0, 1.0, 0.0);
    SAME("%f %f", (double)INFINITY, -(double)INFINITY);
}

static void what_does_not_fit_is_counted(void **state)
{
    char buf[8];

    (void)state;
    assert_int_equal(format(buf, sizeof(buf), "%s", "longer than that"), 16);
    assert_string_equal(buf, "longer ");
    assert_int_equal(format(buf, 1, "%d", 12345), 5);
    assert_string_equal(buf, "");
    assert_int_equal(format(NULL, 0, "%d", 12345), 5);
}

static void nonsense_is_refused(void **state)
{
    char buf[32];
    int n = 7;

    (void)state;
    assert_int_equal(format(buf, sizeof(buf), "%n", &n), -1);
    assert_int_equal(n, 7);
    assert_int_equal(format(buf, sizeof(buf), "x%"), -1);
    assert_string_equal(buf, "x");
    assert_int_equal(format(buf, sizeof(buf), "%y"), -1);
}

static void huge_widths_write_no_more_than_fits(void **state)
{
    char buf[16];

    (void)state;
    assert_int_equal(format(buf, sizeof(buf), "%1000d", 1), 1000);
    assert_int_equal(strlen(buf), sizeof(buf) - 1);
    assert_int_equal(format(buf, sizeof(buf), "%.400d", 1), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text),
        cmocka_unit_test(every_flag_width_and_precision),
        cmocka_unit_test(lengths),
        cmocka_unit_test(arguments_after_each_other),
        cmocka_unit_test(strings),
        cmocka_unit_test(doubles),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(huge_widths_write_no_more_than_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
