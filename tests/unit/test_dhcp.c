/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP messages: read, written, and hostile ones refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/dhcp.h"

#define AT_SNAME 44
#define AT_FILE 108
#define AT_OPTIONS 240

#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static uint8_t raw[1500];
static uint32_t raw_len;

/* A reply without options; they are appended. */
static void raw_begin(void)
{
    static const uint8_t cookie[4] = { 99, 130, 83, 99 };

    memset(raw, 0, sizeof(raw));
    raw[0] = 2;
    raw[1] = 1;
    raw[2] = 6;
    memcpy(raw + 236, cookie, sizeof(cookie));
    raw_len = AT_OPTIONS;
}

static void raw_add(const void *bytes, uint32_t len)
{
    memcpy(raw + raw_len, bytes, len);
    raw_len += len;
}

#define ADD(...) raw_add((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Parse a copy whose end is watched. */
static int parse(struct dhcp_message *m)
{
    uint8_t *copy = malloc(raw_len ? raw_len : 1);
    int err;

    memcpy(copy, raw, raw_len);
    err = dhcp_parse(copy, raw_len, m);
    free(copy);
    return err;
}

static struct dhcp_message full(void)
{
    struct dhcp_message m = {
        .op = DHCP_TO_CLIENT,
        .type = DHCP_ACK,
        .xid = 0x12345678,
        .secs = 0x9abc,
        .is_broadcast = true,
        .ciaddr = IP(10, 0, 0, 1),
        .yiaddr = IP(10, 0, 0, 2),
        .giaddr = IP(10, 0, 0, 3),
        .chaddr = { { 2, 3, 4, 5, 6, 7 } },
        .has = DHCP_HAS_MASK | DHCP_HAS_ROUTER | DHCP_HAS_MTU | DHCP_HAS_REQUESTED |
               DHCP_HAS_LEASE | DHCP_HAS_SERVER | DHCP_HAS_T1 | DHCP_HAS_T2,
        .mask = IP(255, 255, 255, 0),
        .router = IP(10, 0, 0, 4),
        .requested = IP(10, 0, 0, 5),
        .server = IP(10, 0, 0, 6),
        .lease = DHCP_FOREVER,
        .t1 = 0x01020304,
        .t2 = 0x05060708,
        .mtu = 1400,
        .nr_dns = 3,
        .dns = { IP(10, 0, 0, 7), IP(10, 0, 0, 8), IP(10, 0, 0, 9) },
        .client_id_len = 7,
        .client_id = { 1, 2, 3, 4, 5, 6, 7 },
    };

    return m;
}

static void a_message_comes_back_as_it_was_written(void **state)
{
    struct dhcp_message m = full(), back;

    (void)state;
    memset(raw, 0xff, sizeof(raw));
    raw_len = dhcp_build(&m, raw);
    assert_in_range(raw_len, 300, DHCP_MESSAGE_MAX);
    memset(&back, 0xa5, sizeof(back));
    assert_int_equal(parse(&back), 0);
    assert_int_equal(back.op, m.op);
    assert_int_equal(back.type, m.type);
    assert_int_equal(back.xid, m.xid);
    assert_int_equal(back.secs, m.secs);
    assert_true(back.is_broadcast);
    assert_int_equal(back.ciaddr, m.ciaddr);
    assert_int_equal(back.yiaddr, m.yiaddr);
    assert_int_equal(back.giaddr, m.giaddr);
    assert_memory_equal(&back.chaddr, &m.chaddr, 6);
    assert_int_equal(back.has, m.has);
    assert_int_equal(back.mask, m.mask);
    assert_int_equal(back.router, m.router);
    assert_int_equal(back.requested, m.requested);
    assert_int_equal(back.server, m.server);
    assert_int_equal(back.lease, m.lease);
    assert_int_equal(back.t1, m.t1);
    assert_int_equal(back.t2, m.t2);
    assert_int_equal(back.mtu, m.mtu);
    assert_int_equal(back.nr_dns, 3);
    assert_memory_equal(back.dns, m.dns, sizeof(m.dns));
    assert_int_equal(back.client_id_len, 7);
    assert_memory_equal(back.client_id, m.client_id, 7);
}

static void what_is_written_has_its_bytes_where_the_rfc_says(void **state)
{
    static const uint8_t head[] = { 1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 3, 0x80, 0 };
    static const uint8_t options[] = { 53, 1, 3, 50, 4, 10, 0, 0, 5 };
    struct dhcp_message m = { .op = DHCP_TO_SERVER,
                              .type = DHCP_REQUEST,
                              .xid = 0xdeadbeef,
                              .secs = 3,
                              .is_broadcast = true,
                              .chaddr = { { 2, 3, 4, 5, 6, 7 } },
                              .has = DHCP_HAS_REQUESTED | DHCP_HAS_WISHES,
                              .requested = IP(10, 0, 0, 5) };

    (void)state;
    assert_int_equal(dhcp_build(&m, raw), 300);
    assert_memory_equal(raw, head, sizeof(head));
    assert_memory_equal(raw + 28, &m.chaddr, 6);
    assert_memory_equal(raw + AT_OPTIONS, options, sizeof(options));
    assert_int_equal(raw[AT_OPTIONS + sizeof(options)], 55);
}

static void all_that_is_long_still_fits(void **state)
{
    struct dhcp_message m = full(), back;

    (void)state;
    m.client_id_len = DHCP_CLIENT_ID_MAX;
    m.has |= DHCP_HAS_WISHES;
    raw_len = dhcp_build(&m, raw);
    assert_in_range(raw_len, 300, DHCP_MESSAGE_MAX);
    assert_int_equal(parse(&back), 0);
    assert_int_equal(back.client_id_len, 0);
    m.has &= ~(DHCP_HAS_WISHES | DHCP_HAS_REQUESTED);
    m.nr_dns = 1;
    raw_len = dhcp_build(&m, raw);
    assert_in_range(raw_len, 300, DHCP_MESSAGE_MAX);
    assert_int_equal(parse(&back), 0);
    assert_int_equal(back.client_id_len, DHCP_CLIENT_ID_MAX);
}

static void every_message_that_is_cut_off_is_refused_or_whole(void **state)
{
    struct dhcp_message m = full(), back;
    uint16_t whole = dhcp_build(&m, raw);

    (void)state;
    for (raw_len = 0; raw_len < whole; raw_len++) {
        int err = parse(&back);

        if (raw_len < AT_OPTIONS + 3)
            assert_int_equal(err, -EINVAL);
        else if (err == 0)
            assert_int_equal(back.type, DHCP_ACK);
    }
}

static void a_missing_end_and_pads_do_not_matter(void **state)
{
    struct dhcp_message m;

    (void)state;
    raw_begin();
    ADD(0, 0, 53, 1, 2, 0, 54, 4, 10, 0, 0, 6, 0, 0, 0);
    assert_int_equal(parse(&m), 0);
    assert_int_equal(m.type, DHCP_OFFER);
    assert_int_equal(m.server, IP(10, 0, 0, 6));
    assert_int_equal(m.has, DHCP_HAS_SERVER);
}

static void what_is_behind_the_end_is_not_read(void **state)
{
    struct dhcp_message m;

    (void)state;
    raw_begin();
    ADD(53, 1, 2, 255, 54, 4, 10, 0, 0, 6, 51, 200);
    assert_int_equal(parse(&m), 0);
    assert_int_equal(m.has, 0);
}

static void options_that_are_cut_off_are_refused(void **state)
{
    struct dhcp_message m;

    (void)state;
    raw_begin();
    ADD(53, 1, 2, 54);
    assert_int_equal(parse(&m), -EINVAL);
    raw_begin();
    ADD(53, 1, 2, 54, 4, 10, 0, 0);
    assert_int_equal(parse(&m), -EINVAL);
    raw_begin();
    ADD(53, 1, 2, 77, 255, 1, 2, 3);
    assert_int_equal(parse(&m), -EINVAL);
}

static void options_of_impossible_lengths_are_refused(void **state)
{
    static const uint8_t fours[] = { 1, 50, 51, 54, 58, 59 };
    struct dhcp_message m;

    (void)state;
    for (unsigned int i = 0; i < sizeof(fours); i++)
        for (uint8_t len = 1; len < 9; len++) {
            raw_begin();
            ADD(53, 1, 2, fours[i], len);
            raw_len += len;
            assert_int_equal(parse(&m), len == 4 ? 0 : -EINVAL);
        }
    for (uint8_t len = 1; len < 9; len++) {
        raw_begin();
        ADD(53, 1, 2, 6, len);
        raw_len += len;
        assert_int_equal(parse(&m), len % 4 == 0 ? 0 : -EINVAL);
        raw_begin();
        ADD(53, 1, 2, 3, len);
        raw_len += len;
        assert_int_equal(parse(&m), len % 4 == 0 ? 0 : -EINVAL);
        raw_begin();
        ADD(53, 1, 2, 26, len);
        raw_len += len;
        assert_int_equal(parse(&m), len == 2 ? 0 : -EINVAL);
    }
}

static void the_type_is_one_of_eight_and_there(void **state)
{
    struct dhcp_message m;

    (void)state;
    for (unsigned int type = 0; type < 256; type++) {
        raw_begin();
        ADD(53, 1, (uint8_t)type, 255);
        assert_int_equal(parse(&m), type >= 1 && type <= 8 ? 0 : -EINVAL);
    }
    raw_begin();
    ADD(255);
    assert_int_equal(parse(&m), -EINVAL);
    raw_begin();
    ADD(53, 2, 1, 1, 255);
    assert_int_equal(parse(&m), -EINVAL);
}

static void other_kinds_of_messages_are_refused(void **state)
{
    static const struct {
        unsigned int at;
        uint8_t value;
    } wrong[] = { { 0, 0 }, { 0, 3 }, { 1, 6 }, { 2, 5 }, { 2, 16 }, { 236, 98 }, { 239, 0 } };
    struct dhcp_message m;

    (void)state;
    for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        raw_begin();
        ADD(53, 1, 2, 255);
        assert_int_equal(parse(&m), 0);
        raw[wrong[i].at] = wrong[i].value;
        assert_int_equal(parse(&m), -EINVAL);
    }
}

static void options_are_read_from_file_and_sname_if_that_is_said(void **state)
{
    static const uint8_t file[] = { 51, 4, 0, 0, 14, 16, 255 }, sname[] = { 0, 58, 4, 0, 0, 0, 9 };
    struct dhcp_message m;

    (void)state;
    for (uint8_t overload = 0; overload < 5; overload++) {
        raw_begin();
        memcpy(raw + AT_FILE, file, sizeof(file));
        memcpy(raw + AT_SNAME, sname, sizeof(sname));
        ADD(53, 1, 2, 52, 1, overload, 255);
        if (overload == 4) {
            assert_int_equal(parse(&m), -EINVAL);
            continue;
        }
        assert_int_equal(parse(&m), 0);
        assert_int_equal(m.lease, overload & 1 ? 3600 : 0);
        assert_int_equal(m.t1, overload & 2 ? 9 : 0);
        assert_int_equal(m.has,
                         (overload & 1 ? DHCP_HAS_LEASE : 0) | (overload & 2 ? DHCP_HAS_T1 : 0));
    }
}

static void a_field_that_is_no_list_of_options_is_refused(void **state)
{
    struct dhcp_message m;

    (void)state;
    raw_begin();
    memset(raw + AT_FILE, 0x77, 128); /* the last one is cut off */
    ADD(53, 1, 2, 52, 1, 1, 255);
    assert_int_equal(parse(&m), -EINVAL);
    raw_begin();
    memset(raw + AT_SNAME + 60, 0x77, 4);
    ADD(53, 1, 2, 52, 1, 2, 255);
    assert_int_equal(parse(&m), -EINVAL);
}

static void only_the_options_field_says_that_others_are_used(void **state)
{
    static const uint8_t file[] = { 52, 1, 2, 255 }, sname[] = { 58, 4, 0, 0, 0, 9, 255 };
    struct dhcp_message m;

    (void)state;
    raw_begin();
    memcpy(raw + AT_FILE, file, sizeof(file));
    memcpy(raw + AT_SNAME, sname, sizeof(sname));
    ADD(53, 1, 2, 52, 1, 1, 255);
    assert_int_equal(parse(&m), 0);
    assert_int_equal(m.has, 0);
}

static void parts_of_an_option_are_joined(void **state)
{
    static const uint8_t file[] = { 54, 2, 0, 6, 255 };
    struct dhcp_message m;

    (void)state;
    raw_begin();
    memcpy(raw + AT_FILE, file, sizeof(file));
    ADD(54, 1, 10, 53, 1, 2, 54, 1, 0, 52, 1, 1, 6, 3, 1, 2, 3, 6, 0, 6, 5, 4, 5, 6, 7, 8, 255);
    assert_int_equal(parse(&m), 0);
    assert_int_equal(m.server, IP(10, 0, 0, 6));
    assert_int_equal(m.nr_dns, 2);
    assert_int_equal(m.dns[0], IP(1, 2, 3, 4));
    assert_int_equal(m.dns[1], IP(5, 6, 7, 8));
}

static void an_option_that_grows_too_long_is_refused(void **state)
{
    struct dhcp_message m;

    (void)state;
    raw_begin();
    ADD(53, 1, 2, 61, 200);
    raw_len += 200;
    ADD(61, 55);
    raw_len += 55;
    assert_int_equal(parse(&m), 0);
    assert_int_equal(m.client_id_len, 255);
    ADD(61, 1, 1);
    assert_int_equal(parse(&m), -EINVAL);
}

static void of_many_addresses_the_first_are_taken(void **state)
{
    struct dhcp_message m;

    (void)state;
    raw_begin();
    ADD(53, 1, 2, 6, 252);
    for (uint8_t i = 0; i < 63; i++)
        ADD(10, 1, 1, i);
    ADD(3, 8, 10, 2, 2, 1, 10, 2, 2, 2);
    assert_int_equal(parse(&m), 0);
    assert_int_equal(m.nr_dns, 3);
    assert_int_equal(m.dns[2], IP(10, 1, 1, 2));
    assert_int_equal(m.router, IP(10, 2, 2, 1));
}

static void nothing_is_written_when_a_message_is_refused(void **state)
{
    struct dhcp_message m, before;

    (void)state;
    memset(&m, 0x5a, sizeof(m));
    memcpy(&before, &m, sizeof(m));
    raw_begin();
    ADD(53, 1, 2, 51, 3, 1, 2, 3, 255);
    assert_int_equal(parse(&m), -EINVAL);
    assert_memory_equal(&m, &before, sizeof(m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_as_it_was_written),
        cmocka_unit_test(what_is_written_has_its_bytes_where_the_rfc_says),
        cmocka_unit_test(all_that_is_long_still_fits),
        cmocka_unit_test(every_message_that_is_cut_off_is_refused_or_whole),
        cmocka_unit_test(a_missing_end_and_pads_do_not_matter),
        cmocka_unit_test(what_is_behind_the_end_is_not_read),
        cmocka_unit_test(options_that_are_cut_off_are_refused),
        cmocka_unit_test(options_of_impossible_lengths_are_refused),
        cmocka_unit_test(the_type_is_one_of_eight_and_there),
        cmocka_unit_test(other_kinds_of_messages_are_refused),
        cmocka_unit_test(options_are_read_from_file_and_sname_if_that_is_said),
        cmocka_unit_test(a_field_that_is_no_list_of_options_is_refused),
        cmocka_unit_test(only_the_options_field_says_that_others_are_used),
        cmocka_unit_test(parts_of_an_option_are_joined),
        cmocka_unit_test(an_option_that_grows_too_long_is_refused),
        cmocka_unit_test(of_many_addresses_the_first_are_taken),
        cmocka_unit_test(nothing_is_written_when_a_message_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
