/* SPDX-License-Identifier: BSD-2-Clause */
/* The DNS forwarder: quotas, what is refused, sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_dns.h"

static void a_guest_may_wait_for_sixteen_answers(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 100; i++)
        ask_by(0, i);
    assert_int_equal(nr_asks, 16);
    assert_int_equal(dns_forward_stats()->over_quota, 84);
    ask_by(1, 0);
    assert_int_equal(nr_asks, 17);
    answer(&asks[3]);
    ask_by(0, 100);
    assert_int_equal(nr_asks, 18);
}

static void when_all_places_are_taken_the_greediest_guest_gives_one_up(void **state)
{
    (void)state;
    for (uint8_t guest = 0; guest < 16; guest++)
        for (uint16_t i = 0; i < 16; i++, now++)
            ask_by(guest, i);
    assert_int_equal(dns_forward_pending(), 256);
    for (uint8_t guest = 16; guest < 64; guest++, now++)
        ask_by(guest, 0);
    assert_int_equal(dns_forward_pending(), 256);
    assert_int_equal(nr_asks, 256 + 48);
    for (unsigned int i = 256; i < 256 + 48; i++)
        answer(&asks[i]);
    assert_int_equal(nr_told, 48);
    for (unsigned int i = 0; i < 256; i++) /* the oldest three of each were given up */
        answer(&asks[i]);
    assert_int_equal(nr_told, 256);
    assert_int_equal(dns_forward_pending(), 0);
}

static void it_is_the_oldest_that_is_given_up(void **state)
{
    (void)state;
    for (uint8_t guest = 0; guest < 16; guest++)
        for (uint16_t i = 0; i < 16; i++, now++)
            ask_by(guest, i);
    answer(&asks[0]);
    ask_by(0, 16); /* where the first one was */
    ask_by(20, 0);
    assert_int_equal(dns_forward_pending(), 256);
    nr_told = 0;
    answer(&asks[1]);
    assert_int_equal(nr_told, 0);
    answer(&asks[256]);
    assert_int_equal(nr_told, 1);
}

static void equals_do_not_push_each_other_out(void **state)
{
    (void)state;
    for (uint8_t guest = 0; guest < 64; guest++)
        for (uint16_t i = 0; i < 4; i++)
            ask_by(guest, i);
    assert_int_equal(dns_forward_pending(), 256);
    ask_by(0, 9);
    ask_by(63, 9);
    assert_int_equal(nr_asks, 256);
    assert_int_equal(dns_forward_stats()->over_quota, 2);
}

static void what_a_guest_asked_goes_with_it(void **state)
{
    (void)state;
    ask_by(0, 1);
    ask_by(5, 1);
    ask_by(5, 2);
    dns_forward_guest_remove(5);
    assert_int_equal(dns_forward_pending(), 1);
    answer(&asks[1]);
    answer(&asks[2]);
    assert_int_equal(nr_told, 0);
    answer(&asks[0]);
    assert_int_equal(nr_told, 1);
    dns_forward_guest_remove(5);
    now += 10 * SECOND;
    dns_forward_tick(now);
    assert_int_equal(nr_told, 1);
}

static void what_is_no_query_is_refused(void **state)
{
    uint8_t data[DNS_QUERY_MAX];
    uint16_t len;

    (void)state;
    len = query_make(data, 0x77);
    data[2] = 4 << 3 | 1; /* NOTIFY */
    ask_raw(data, len);
    assert_int_equal(nr_told, 1);
    assert_int_equal(dns_rcode(told_data), DNS_NOTIMP);
    assert_int_equal(dns_opcode(told_data), 4);
    assert_int_equal(dns_id(told_data), 0x77);
    query_make(data, 1);
    data[5] = 2; /* two questions */
    ask_raw(data, len);
    assert_int_equal(nr_told, 2);
    assert_int_equal(dns_rcode(told_data), DNS_FORMERR);
    assert_int_equal(told_len, 12);
    assert_int_equal(told_data[5], 0);
    query_make(data, 1);
    data[7] = 1; /* with an answer */
    ask_raw(data, len);
    assert_int_equal(nr_told, 3);
    assert_int_equal(dns_rcode(told_data), DNS_FORMERR);
    assert_int_equal(nr_asks, 0);
    assert_int_equal(dns_forward_stats()->malformed, 3);
}

static void what_is_cut_off_or_an_answer_is_refused_or_dropped(void **state)
{
    uint8_t data[DNS_QUERY_MAX];
    uint16_t whole = query_make(data, 1);

    (void)state;
    for (uint16_t len = 0; len < whole; len++) {
        ask_raw(data, len);
        assert_int_equal(nr_told, len < 12 ? 0 : len - 11u);
    }
    assert_int_equal(dns_rcode(told_data), DNS_FORMERR);
    nr_told = 0;
    data[2] |= 0x80;
    ask_raw(data, whole);
    assert_int_equal(nr_told, 0);
    assert_int_equal(nr_asks, 0);
}

static void names_are_bounded(void **state)
{
    uint8_t data[DNS_QUERY_MAX] = { 0, 1, 1, 0, 0, 1 };
    uint16_t at = 12;

    (void)state;
    for (unsigned int i = 0; i < 3; i++, at += 64)
        data[at] = 63;
    data[at] = 61; /* the longest name: 3 * 64 + 62 + 1 */
    data[at + 62] = 0;
    ask_raw(data, at + 63 + 4);
    assert_int_equal(nr_asks, 1);
    data[at] = 62;
    data[at + 62] = 'x';
    ask_raw(data, at + 64 + 4);
    assert_int_equal(nr_asks, 1);
    data[12] = 64; /* no label */
    ask_raw(data, at + 64 + 4);
    data[12] = 0xc0; /* compressed */
    ask_raw(data, at + 64 + 4);
    assert_int_equal(nr_asks, 1);
    assert_int_equal(nr_told, 3);
}

static void the_root_can_be_asked_for(void **state)
{
    static const uint8_t root[] = { 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1 };

    (void)state;
    ask_raw(root, sizeof(root));
    assert_int_equal(nr_asks, 1);
    answer(&asks[0]);
    assert_int_equal(nr_told, 1);
}

static void a_query_that_is_too_long_is_refused(void **state)
{
    uint8_t data[1472] = { 0 };

    (void)state;
    query_make(data, 1);
    ask_raw(data, DNS_QUERY_MAX);
    assert_int_equal(nr_asks, 1);
    data[1]++;
    ask_raw(data, DNS_QUERY_MAX + 1);
    ask_raw(data, sizeof(data));
    assert_int_equal(nr_asks, 1);
    assert_int_equal(nr_told, 2);
    assert_int_equal(dns_rcode(told_data), DNS_FORMERR);
}

/* Put an OPT record behind a query. Returns the new length. */
static uint16_t opt_add(uint8_t *data, uint16_t len, uint16_t size)
{
    const uint8_t opt[] = { 0, 0, 41, (uint8_t)(size >> 8), (uint8_t)size, 0, 0, 0x80, 0, 0, 0 };

    data[11]++;
    memcpy(data + len, opt, sizeof(opt));
    return len + sizeof(opt);
}

static void edns_passes_but_for_sizes_that_would_be_cut_into_fragments(void **state)
{
    static const uint16_t sizes[] = { 512, 1232, 1472, 1473, 4096, 65535 };

    for (unsigned int i = 0; i < 6; i++) {
        uint8_t data[DNS_QUERY_MAX];
        uint16_t len, plain;

        setup(state);
        plain = query_make(data, 1);
        len = opt_add(data, plain, sizes[i]);
        ask_raw(data, len);
        assert_int_equal(asks[0].len, len);
        assert_memory_equal(asks[0].data + 2, data + 2, plain + 1);
        assert_memory_equal(asks[0].data + plain + 5, data + plain + 5, len - plain - 5);
        assert_int_equal(dns_u16(asks[0].data + plain + 3), sizes[i] < 1472 ? sizes[i] : 1472);
    }
}

static void a_query_with_more_records_is_not_touched(void **state)
{
    uint8_t data[DNS_QUERY_MAX];
    uint16_t len = query_make(data, 1);

    (void)state;
    len = opt_add(data, len, 4096);
    data[9] = 1; /* the record is in the authority section */
    data[11] = 0;
    ask_raw(data, len);
    assert_memory_equal(asks[0].data + 2, data + 2, len - 2);
    data[11] = 1;
    ask_raw(data, len);
    assert_memory_equal(asks[1].data + 2, data + 2, len - 2);
    data[9] = 0;
    len = opt_add(data, len, 4096); /* a signature, say */
    ask_raw(data, len);
    assert_int_equal(nr_asks, 3);
    assert_memory_equal(asks[2].data + 2, data + 2, len - 2);
}

static void a_record_that_is_cut_off_is_not_looked_at(void **state)
{
    uint8_t data[DNS_QUERY_MAX];
    uint16_t plain = query_make(data, 1), whole = opt_add(data, plain, 4096);

    (void)state;
    for (uint16_t len = plain; len < whole; len++) {
        uint8_t *copy = malloc(len);

        memcpy(copy, data, len);
        dns_query_size_limit(copy, len, 1472);
        assert_memory_equal(copy, data, len);
        free(copy);
    }
    dns_query_size_limit(data, whole, 1472);
    assert_int_equal(dns_u16(data + plain + 3), 1472);
}

static void a_refusal_repeats_what_the_query_wished(void **state)
{
    uint8_t data[DNS_QUERY_MAX];
    uint16_t len = query_make(data, 1);

    (void)state;
    dns_forward_servers_set(1, NULL, 0);
    ask_raw(data, len);
    assert_int_equal(told_data[2], 0x81);
    assert_int_equal(told_data[3], 0x82);
    data[2] = 0x06; /* neither recursion, nor what only answers have */
    data[3] = 0x7f; /* no checks, and what is unknown */
    ask_raw(data, len);
    assert_int_equal(told_data[2], 0x80);
    assert_int_equal(told_data[3], 0x92);
}

static void an_answer_that_does_not_fit_is_truncated(void **state)
{
    uint8_t data[DNS_ANSWER_MAX + 100];
    struct dns_asker a = asker(0);
    uint16_t len;

    (void)state;
    ask_by(0, 0x99);
    len = answer_make(&asks[0], data, DNS_ANSWER_MAX - asks[0].len);
    give(&asks[0], data, len);
    assert_int_equal(told_len, DNS_ANSWER_MAX);
    ask_by(0, 0x99);
    len = answer_make(&asks[1], data, DNS_ANSWER_MAX - asks[1].len + 1);
    data[3] |= 3; /* and it says that there is no such name */
    give(&asks[1], data, len);
    assert_int_equal(nr_told, 2);
    assert_int_equal(told_len, asks[1].len);
    assert_int_equal(dns_id(told_data), 0x99);
    assert_int_equal(told_data[2], 0x83);
    assert_int_equal(dns_rcode(told_data), 3);
    assert_int_equal(told_data[7] | told_data[9] | told_data[11], 0);
    assert_memory_equal(told_data + 12, asks[1].data + 12, told_len - 12);

    a.answer_max = 600;
    ask_as(&a, 1);
    len = answer_make(&asks[2], data, 601 - asks[2].len);
    give(&asks[2], data, len);
    assert_int_equal(told_len, asks[2].len);
    ask_as(&a, 1);
    len = answer_make(&asks[3], data, 600 - asks[3].len);
    give(&asks[3], data, len);
    assert_int_equal(told_len, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_guest_may_wait_for_sixteen_answers, setup),
        cmocka_unit_test_setup(when_all_places_are_taken_the_greediest_guest_gives_one_up, setup),
        cmocka_unit_test_setup(it_is_the_oldest_that_is_given_up, setup),
        cmocka_unit_test_setup(equals_do_not_push_each_other_out, setup),
        cmocka_unit_test_setup(what_a_guest_asked_goes_with_it, setup),
        cmocka_unit_test_setup(what_is_no_query_is_refused, setup),
        cmocka_unit_test_setup(what_is_cut_off_or_an_answer_is_refused_or_dropped, setup),
        cmocka_unit_test_setup(names_are_bounded, setup),
        cmocka_unit_test_setup(the_root_can_be_asked_for, setup),
        cmocka_unit_test_setup(a_query_that_is_too_long_is_refused, setup),
        cmocka_unit_test_setup(edns_passes_but_for_sizes_that_would_be_cut_into_fragments, setup),
        cmocka_unit_test_setup(a_query_with_more_records_is_not_touched, setup),
        cmocka_unit_test_setup(a_record_that_is_cut_off_is_not_looked_at, setup),
        cmocka_unit_test_setup(a_refusal_repeats_what_the_query_wished, setup),
        cmocka_unit_test_setup(an_answer_that_does_not_fit_is_truncated, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
