/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "eal/seal.h"
#include "xen/log.h"
#include "xen/recovery.h"

static char first[100], second[7];

uint32_t recovery_sum(const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint32_t sum = 1;

    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + bytes[i];
    return sum != 0 ? sum : 1;
}

void panic(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

static int seal(void **state)
{
    (void)state;
    seal_begin();
    seal_add("first", first, sizeof(first));
    seal_add("second", second, sizeof(second));
    seal_close();
    return 0;
}

static void what_did_not_change_is_as_it_was(void **state)
{
    (void)state;
    assert_null(seal_broken());
}

static void what_changed_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(second); i++) {
        second[i]++;
        assert_string_equal(seal_broken(), "second");
        second[i]--;
    }
    first[99]++;
    assert_string_equal(seal_broken(), "first");
    first[99]--;
    assert_null(seal_broken());
}

static void nothing_holds_before_it_was_closed(void **state)
{
    (void)state;
    seal_begin();
    assert_non_null(seal_broken());
    seal_add("first", first, sizeof(first));
    assert_non_null(seal_broken());
}

static void a_seal_may_be_of_nothing(void **state)
{
    (void)state;
    seal_begin();
    seal_close();
    assert_null(seal_broken());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_did_not_change_is_as_it_was, seal),
        cmocka_unit_test_setup(what_changed_is_named, seal),
        cmocka_unit_test_setup(nothing_holds_before_it_was_closed, seal),
        cmocka_unit_test_setup(a_seal_may_be_of_nothing, seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
