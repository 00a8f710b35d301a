/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/xs_wire.h>

#include "xen/xenstore.h"
#include "xen/xenstore_codec.h"

static void test_path_is_what_xenstored_takes(void **state)
{
    (void)state;
    assert_int_equal(xenstore_path_check("/local/domain/0/backend/vif/1/0"), 0);
    assert_int_equal(xenstore_path_check("device/vif-2_x@y"), 0);
    assert_int_equal(xenstore_path_check("/"), 0);
    assert_int_equal(xenstore_path_check(""), -EINVAL);
    assert_int_equal(xenstore_path_check("a//b"), -EINVAL);
    assert_int_equal(xenstore_path_check("//"), -EINVAL);
    assert_int_equal(xenstore_path_check("a/"), -EINVAL);
    assert_int_equal(xenstore_path_check("a b"), -EINVAL);
    assert_int_equal(xenstore_path_check("a.b"), -EINVAL);
    assert_int_equal(xenstore_path_check("a\n"), -EINVAL);
    assert_int_equal(xenstore_path_check("\xc3\xa4"), -EINVAL);
}

static void test_path_length_ends_at_its_limit(void **state)
{
    char path[XENSTORE_PATH_SIZE + 1];

    (void)state;
    memset(path, 'a', sizeof(path));
    path[XENSTORE_PATH_SIZE] = '\0';
    assert_int_equal(xenstore_path_check(path), -ENAMETOOLONG);
    path[XENSTORE_PATH_SIZE - 1] = '\0';
    assert_int_equal(xenstore_path_check(path), 0);
}

static void test_special_paths_can_only_be_watched(void **state)
{
    (void)state;
    assert_int_equal(xenstore_path_check("@releaseDomain"), -EINVAL);
    assert_int_equal(xenstore_watch_path_check("@releaseDomain"), 0);
    assert_int_equal(xenstore_watch_path_check("/a"), 0);
    assert_int_equal(xenstore_watch_path_check("a//b"), -EINVAL);
}

static void test_encode_writes_header_and_parts(void **state)
{
    struct xenstore_part parts[] = { { "path", 5 }, { "value", 5 } };
    struct xsd_sockmsg header;
    char buf[64];
    size_t len = 0;

    (void)state;
    assert_int_equal(xenstore_encode(buf, sizeof(buf), XS_WRITE, 7, 9, parts, 2, &len), 0);
    assert_int_equal(len, 26);
    memcpy(&header, buf, sizeof(header));
    assert_int_equal(header.type, XS_WRITE);
    assert_int_equal(header.req_id, 7);
    assert_int_equal(header.tx_id, 9);
    assert_int_equal(header.len, 10);
    assert_memory_equal(buf + 16, "path\0value", 10);
}

static void test_encode_refuses_what_does_not_fit(void **state)
{
    struct xenstore_part part = { "12345678", 8 };
    char buf[24];
    size_t len = 99;

    (void)state;
    assert_int_equal(xenstore_encode(buf, 23, XS_READ, 1, 0, &part, 1, &len), -E2BIG);
    assert_int_equal(xenstore_encode(buf, 15, XS_READ, 1, 0, NULL, 0, &len), -E2BIG);
    assert_int_equal(len, 99);
    assert_int_equal(xenstore_encode(buf, 24, XS_READ, 1, 0, &part, 1, &len), 0);
    assert_int_equal(len, 24);
}

static int decode(uint32_t asked, uint32_t type, const char *payload, size_t len, size_t *len_r)
{
    char exact[64];

    memcpy(exact, payload, len);
    exact[len] = '\0';
    return xenstore_decode_answer(asked, type, exact, len, len_r);
}

static void test_errors_come_by_name(void **state)
{
    size_t len = 99;

    (void)state;
    assert_int_equal(decode(XS_READ, XS_ERROR, "ENOENT", 7, &len), -ENOENT);
    assert_int_equal(decode(XS_READ, XS_ERROR, "EACCES", 7, &len), -EACCES);
    assert_int_equal(decode(XS_TRANSACTION_END, XS_ERROR, "EAGAIN", 7, &len), -EAGAIN);
    assert_int_equal(decode(XS_DIRECTORY, XS_ERROR, "E2BIG", 6, &len), -E2BIG);
    assert_int_equal(decode(XS_WRITE, XS_ERROR, "EQUOTA", 7, &len), -ENOSPC);
    assert_int_equal(decode(XS_WRITE, XS_ERROR, "EWHATEVER", 10, &len), -EIO);
    assert_int_equal(len, 99);
}

static void test_malformed_errors_are_no_errors_of_the_request(void **state)
{
    size_t len;

    (void)state;
    assert_int_equal(decode(XS_READ, XS_ERROR, "", 0, &len), -EPROTO);
    assert_int_equal(decode(XS_READ, XS_ERROR, "ENOENT", 6, &len), -EPROTO);
    assert_int_equal(decode(XS_READ, XS_ERROR, "ENOENT\0x", 9, &len), -EPROTO);
}

static void test_answer_of_another_type_makes_no_sense(void **state)
{
    size_t len;

    (void)state;
    assert_int_equal(decode(XS_READ, XS_WRITE, "OK", 3, &len), -EPROTO);
    assert_int_equal(decode(XS_READ, XS_INVALID, "", 0, &len), -EPROTO);
}

static void test_values_may_hold_anything(void **state)
{
    size_t len;

    (void)state;
    assert_int_equal(decode(XS_READ, XS_READ, "", 0, &len), 0);
    assert_int_equal(len, 0);
    assert_int_equal(decode(XS_READ, XS_READ, "a\0b", 3, &len), 0);
    assert_int_equal(len, 3);
}

static void test_names_of_a_directory_are_terminated(void **state)
{
    size_t len;

    (void)state;
    assert_int_equal(decode(XS_DIRECTORY, XS_DIRECTORY, "", 0, &len), 0);
    assert_int_equal(len, 0);
    assert_int_equal(decode(XS_DIRECTORY, XS_DIRECTORY, "a\0b", 4, &len), 0);
    assert_int_equal(len, 4);
    assert_int_equal(decode(XS_DIRECTORY, XS_DIRECTORY, "a\0b", 3, &len), -EPROTO);
}

static void test_transaction_id_is_a_number(void **state)
{
    const uint32_t start = XS_TRANSACTION_START;
    size_t len;

    (void)state;
    assert_int_equal(decode(start, start, "17", 3, &len), 0);
    assert_int_equal(len, 2);
    assert_int_equal(decode(start, start, "17", 2, &len), -EPROTO);
    assert_int_equal(decode(start, start, "", 0, &len), -EPROTO);
    assert_int_equal(decode(start, start, "", 1, &len), -EPROTO);
    assert_int_equal(decode(start, start, "0", 2, &len), -EPROTO);
    assert_int_equal(decode(start, start, "x7", 3, &len), -EPROTO);
    assert_int_equal(decode(start, start, "1\0002", 4, &len), -EPROTO);
    assert_int_equal(decode(start, start, "4294967296", 11, &len), -EPROTO);
}

static void test_event_is_path_and_token(void **state)
{
    struct xenstore_event event;

    (void)state;
    assert_int_equal(xenstore_decode_event("a/b\0tok", 8, &event), 0);
    assert_string_equal(event.path, "a/b");
    assert_string_equal(event.token, "tok");
    assert_int_equal(xenstore_decode_event("a\0t\0more", 9, &event), 0);
    assert_string_equal(event.token, "t");
    assert_int_equal(xenstore_decode_event("a\0", 3, &event), 0); /* the token is empty */
}

static void test_malformed_events_are_refused(void **state)
{
    struct xenstore_event event;

    (void)state;
    assert_int_equal(xenstore_decode_event("", 0, &event), -EPROTO);
    assert_int_equal(xenstore_decode_event("path", 4, &event), -EPROTO);
    assert_int_equal(xenstore_decode_event("path", 5, &event), -EPROTO);
    assert_int_equal(xenstore_decode_event("path\0tok", 8, &event), -EPROTO);
    assert_int_equal(xenstore_decode_event("\0tok", 5, &event), -EPROTO);
}

static void test_token_comes_back_as_it_was(void **state)
{
    char token[XENSTORE_TOKEN_SIZE];
    uint32_t generation = 0;
    unsigned int slot = 0;

    (void)state;
    xenstore_token_make(token, 63, 0xfedcba98);
    assert_string_equal(token, "3ffedcba98");
    assert_int_equal(xenstore_token_parse(token, &slot, &generation), 0);
    assert_int_equal(slot, 63);
    assert_int_equal(generation, 0xfedcba98);
    xenstore_token_make(token, 0, 0);
    assert_string_equal(token, "0000000000");
}

static void test_foreign_tokens_are_refused(void **state)
{
    uint32_t generation;
    unsigned int slot;

    (void)state;
    assert_int_equal(xenstore_token_parse("", &slot, &generation), -EINVAL);
    assert_int_equal(xenstore_token_parse("000000000", &slot, &generation), -EINVAL);
    assert_int_equal(xenstore_token_parse("00000000000", &slot, &generation), -EINVAL);
    assert_int_equal(xenstore_token_parse("00000000fG", &slot, &generation), -EINVAL);
    assert_int_equal(xenstore_token_parse("0x00000001", &slot, &generation), -EINVAL);
}

static void test_numbers_are_strict_decimals(void **state)
{
    uint32_t n = 99;

    (void)state;
    assert_int_equal(xenstore_parse_u32("", 10, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("-1", 10, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("+1", 10, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32(" 1", 10, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("1 ", 10, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("1\n", 10, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("0x1", 10, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("1e3", 10, &n), -EINVAL);
    assert_int_equal(n, 99);
    assert_int_equal(xenstore_parse_u32("007", 10, &n), 0);
    assert_int_equal(n, 7);
}

static void test_numbers_end_at_their_maximum(void **state)
{
    uint32_t n = 99;

    (void)state;
    assert_int_equal(xenstore_parse_u32("0", 0, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(xenstore_parse_u32("1", 0, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("65535", 65535, &n), 0);
    assert_int_equal(xenstore_parse_u32("65536", 65535, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("4294967295", UINT32_MAX, &n), 0);
    assert_int_equal(n, UINT32_MAX);
    assert_int_equal(xenstore_parse_u32("4294967296", UINT32_MAX, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("18446744073709551617", UINT32_MAX, &n), -EINVAL);
    assert_int_equal(xenstore_parse_u32("99999999999999999999999999999999", UINT32_MAX, &n),
                     -EINVAL);
}

static void test_path_that_does_not_fit_is_empty(void **state)
{
    char buf[8];

    (void)state;
    assert_int_equal(xenstore_path(buf, sizeof(buf), "a/%d", 12345), 0);
    assert_string_equal(buf, "a/12345");
    assert_int_equal(xenstore_path(buf, sizeof(buf), "a/%d", 123456), -ENAMETOOLONG);
    assert_string_equal(buf, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_is_what_xenstored_takes),
        cmocka_unit_test(test_path_length_ends_at_its_limit),
        cmocka_unit_test(test_special_paths_can_only_be_watched),
        cmocka_unit_test(test_encode_writes_header_and_parts),
        cmocka_unit_test(test_encode_refuses_what_does_not_fit),
        cmocka_unit_test(test_errors_come_by_name),
        cmocka_unit_test(test_malformed_errors_are_no_errors_of_the_request),
        cmocka_unit_test(test_answer_of_another_type_makes_no_sense),
        cmocka_unit_test(test_values_may_hold_anything),
        cmocka_unit_test(test_names_of_a_directory_are_terminated),
        cmocka_unit_test(test_transaction_id_is_a_number),
        cmocka_unit_test(test_event_is_path_and_token),
        cmocka_unit_test(test_malformed_events_are_refused),
        cmocka_unit_test(test_token_comes_back_as_it_was),
        cmocka_unit_test(test_foreign_tokens_are_refused),
        cmocka_unit_test(test_numbers_are_strict_decimals),
        cmocka_unit_test(test_numbers_end_at_their_maximum),
        cmocka_unit_test(test_path_that_does_not_fit_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
