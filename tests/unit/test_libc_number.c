/* SPDX-License-Identifier: BSD-2-Clause */
/* Our text to number against the host's strtoull(). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libc/number.h"

static const char *const texts[] = {
    "",
    " ",
    "0",
    "00",
    "1",
    "42",
    " 42",
    "\t\n42x",
    "+7",
    "-7",
    "--7",
    "+-7",
    "- 7",
    "0x",
    "0x1f",
    "0X1F",
    "0xg",
    "x1",
    "077",
    "08",
    "0778",
    "123456789012345678",
    "18446744073709551615",
    "18446744073709551616",
    "-18446744073709551615",
    "99999999999999999999999",
    "zz",
    "Zz9",
    "1e5",
    "0b1",
    "ffffffffffffffff",
    "10000000000000000",
    "-0x10",
    "0x-1",
};

static void as_the_host_does_it(void **state)
{
    static const unsigned int bases[] = { 0, 2, 8, 10, 16, 36 };

    (void)state;
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
        for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
            struct libc_number number;
            char *end;
            unsigned long long theirs;
            bool is_there = libc_number_parse(texts[t], bases[b], &number);
            uint64_t ours =
                number.is_negative && !number.is_huge ? -number.magnitude : number.magnitude;

            errno = 0;
            theirs = strtoull(texts[t], &end, (int)bases[b]);
            assert_int_equal(ours, theirs);
            assert_ptr_equal(number.end, end);
            assert_int_equal(number.is_huge, errno == ERANGE);
            assert_int_equal(is_there, end != texts[t]);
        }
}

static void impossible_bases_find_nothing(void **state)
{
    struct libc_number number;
    const char *text = "11";

    (void)state;
    assert_false(libc_number_parse(text, 1, &number));
    assert_ptr_equal(number.end, text);
    assert_false(libc_number_parse(text, 37, &number));
    assert_false(libc_number_parse(text, (unsigned int)-1, &number));
    assert_int_equal(number.magnitude, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_host_does_it),
        cmocka_unit_test(impossible_bases_find_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
