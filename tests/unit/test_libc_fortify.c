/* SPDX-License-Identifier: BSD-2-Clause */
/* The checking forms, under names of their own: the host's sanitizers have the real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define __memcpy_chk ferry_memcpy_chk
#define __memmove_chk ferry_memmove_chk
#define __memset_chk ferry_memset_chk
#define __strcpy_chk ferry_strcpy_chk
#define __strncpy_chk ferry_strncpy_chk
#define __strcat_chk ferry_strcat_chk
#define __strncat_chk ferry_strncat_chk
#define __vsnprintf_chk ferry_vsnprintf_chk
#define __snprintf_chk ferry_snprintf_chk
#define __vsprintf_chk ferry_vsprintf_chk
#define __sprintf_chk ferry_sprintf_chk
#define __vfprintf_chk ferry_vfprintf_chk
#define __fprintf_chk ferry_fprintf_chk
#define __printf_chk ferry_printf_chk
#define __vasprintf_chk ferry_vasprintf_chk
#define __asprintf_chk ferry_asprintf_chk

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#include "libc/fortify.c"

static jmp_buf died;

void libc_host_die(const char *reason)
{
    (void)reason;
    longjmp(died, 1);
}

#define DIES(call)                                                                                 \
    do {                                                                                           \
        if (setjmp(died) == 0) {                                                                   \
            (void)(call);                                                                          \
            fail_msg("%s was let through", #call);                                                 \
        }                                                                                          \
    } while (0)

static char buf[8];

static void what_fits_is_done(void **state)
{
    (void)state;
    assert_ptr_equal(ferry_memcpy_chk(buf, "1234567", 8, 8), buf);
    assert_string_equal(buf, "1234567");
    ferry_memmove_chk(buf + 1, buf, 6, 7);
    assert_string_equal(buf, "1123456");
    ferry_memset_chk(buf, 'x', 7, 8);
    assert_string_equal(buf, "xxxxxxx");
    ferry_strcpy_chk(buf, "ab", 8);
    ferry_strcat_chk(buf, "cd", 8);
    ferry_strncat_chk(buf, "efghij", 3, 8);
    assert_string_equal(buf, "abcdefg");
    ferry_strncpy_chk(buf, "zz", 8, 8);
    assert_memory_equal(buf, "zz\0\0\0\0\0", 8);
    assert_int_equal(ferry_snprintf_chk(buf, 8, 0, 8, "%d-%s", 12, "abcdefgh"), 11);
    assert_string_equal(buf, "12-abcd");
    assert_int_equal(ferry_sprintf_chk(buf, 0, 8, "%u", 1234567u), 7);
    assert_string_equal(buf, "1234567");
}

static void one_byte_too_many_ends_it(void **state)
{
    (void)state;
    DIES(ferry_memcpy_chk(buf, "12345678", 9, 8));
    DIES(ferry_memmove_chk(buf, buf, 9, 8));
    DIES(ferry_memset_chk(buf, 0, 9, 8));
    DIES(ferry_strcpy_chk(buf, "12345678", 8));
    DIES(ferry_strncpy_chk(buf, "1", 9, 8));
    strcpy(buf, "1234");
    DIES(ferry_strcat_chk(buf, "5678", 8));
    DIES(ferry_strncat_chk(buf, "56789", 4, 8));
    DIES(ferry_snprintf_chk(buf, 9, 0, 8, "%d", 1));
    DIES(ferry_sprintf_chk(buf, 0, 8, "%s", "12345678"));
}

static void unknown_size_is_no_limit(void **state)
{
    (void)state;
    ferry_memcpy_chk(buf, "1234567", 8, SIZE_MAX);
    assert_string_equal(buf, "1234567");
}

static void asprintf_allocates(void **state)
{
    char *text = NULL;

    (void)state;
    assert_int_equal(ferry_asprintf_chk(&text, 0, "%s/%d", "name", 5), 6);
    assert_string_equal(text, "name/5");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_done),
        cmocka_unit_test(one_byte_too_many_ends_it),
        cmocka_unit_test(unknown_size_is_no_limit),
        cmocka_unit_test(asprintf_allocates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
