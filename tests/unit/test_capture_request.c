/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 asks to be captured, and what is asked in its place. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "main/capture.h"

#define RET "0600000000000100" /* ret #65536 */

static struct capture_request request;
static const char *why;

static int parse(const char *text)
{
    return capture_request_parse(text, strlen(text), &request, &why);
}

static void a_request_is_taken(void **state)
{
    (void)state;
    assert_int_equal(parse("7 vif3.0 96 -"), 0);
    assert_int_equal(request.id, 7);
    assert_int_equal(request.snaplen, 96);
    assert_string_equal(request.port, "vif3.0");
    assert_false(request.is_bridge);
    assert_int_equal(request.nr_program, 0);
    assert_int_equal(parse("4294967295 bridge:xenbr0 65535 " RET), 0);
    assert_true(request.is_bridge);
    assert_string_equal(request.port, "xenbr0");
    assert_int_equal(request.nr_program, 1);
    assert_int_equal(request.program[0].code, 6);
    assert_int_equal(request.program[0].k, 65536);
}

static void what_is_none_is_refused_with_a_reason(void **state)
{
    static const char *const wrong[] = {
        "",
        " ",
        "0 vif3.0 96 -",
        "x vif3.0 96 -",
        "4294967296 vif3.0 96 -",
        "7",
        "7 ",
        "7  96 -",
        "7 vif3.0",
        "7 vif3.0 0 -",
        "7 vif3.0 65536 -",
        "7 vif3.0 -1 -",
        "7 vif3.0 96",
        "7 vif3.0 96 ",
        "7 vif3.0 96 06",
        "7 vif3.0 96 - x",
        "7 bridge: 96 -x",
        "7 aaaaaaaaaaaaaaaaaaaaaaaaaaaaa 96 -",
        "7 vif3.0 96 060000000000010G",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        why = NULL;
        if (parse(wrong[i]) == 0)
            fail_msg("'%s' is taken", wrong[i]);
        assert_non_null(why);
    }
}

/* A program that does not end, jumps out, or loads from where there is no scratch memory. */
static void a_program_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("7 nic0 96 2800000000000000"), -EINVAL); /* ldh [0], then nothing */
    assert_int_equal(parse("7 nic0 96 15000505000000000600000000000100"),
                     -EINVAL); /* jeq beyond the end */
    assert_int_equal(parse("7 nic0 96 0500000000ffffff0600000000000100"), -EINVAL); /* ja far */
    assert_int_equal(parse("7 nic0 96 05000000ffffffff0600000000000100"),
                     -EINVAL); /* ja to itself */
    assert_int_equal(parse("7 nic0 96 0500000001000000" RET), -EINVAL); /* ja beyond the end */
    assert_int_equal(parse("7 nic0 96 0500000000000000" RET), 0); /* ja to the next one */
    assert_int_equal(parse("7 nic0 96 60000000100000000600000000000100"), -EINVAL); /* ld M[16] */
    assert_int_equal(parse("7 nic0 96 ffff0000000000000600000000000100"),
                     -EINVAL); /* no such instruction */
}

static void a_program_is_no_longer_than_it_may_be(void **state)
{
    static char text[16 * (FERRY_CAPTURE_PROGRAM_MAX + 1) + 32];

    (void)state;
    strcpy(text, "7 nic0 96 ");
    for (unsigned int i = 0; i < FERRY_CAPTURE_PROGRAM_MAX; i++)
        strcat(text, RET);
    assert_int_equal(parse(text), 0);
    assert_int_equal(request.nr_program, FERRY_CAPTURE_PROGRAM_MAX);
    strcat(text, RET);
    assert_int_equal(parse(text), -EINVAL);
}

static void garbage_is_refused_or_bounded(void **state)
{
    static const char letters[] = "0123456789abcdef -:vifnic";
    char text[200];

    (void)state;
    srand(1);
    for (unsigned int round = 0; round < 100000; round++) {
        size_t len = (size_t)rand() % sizeof(text);

        for (size_t i = 0; i < len; i++)
            text[i] = round % 2 ? letters[(size_t)rand() % (sizeof(letters) - 1)] : (char)rand();
        if (capture_request_parse(text, len, &request, &why) == 0) {
            assert_true(request.snaplen <= FERRY_CAPTURE_SNAPLEN_MAX && request.snaplen > 0);
            assert_true(request.nr_program <= FERRY_CAPTURE_PROGRAM_MAX);
            assert_true(strlen(request.port) < sizeof(request.port));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_taken),
        cmocka_unit_test(what_is_none_is_refused_with_a_reason),
        cmocka_unit_test(a_program_that_is_none_is_refused),
        cmocka_unit_test(a_program_is_no_longer_than_it_may_be),
        cmocka_unit_test(garbage_is_refused_or_bounded),
    };

    return cmocka_run_group_tests_name("capture_request", tests, NULL, NULL);
}
