/* SPDX-License-Identifier: BSD-2-Clause */
/* The DNS forwarder: queries out, answers in, forged ones not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_dns.h"

static void a_query_goes_to_the_first_server_and_its_answer_back(void **state)
{
    uint8_t query[DNS_QUERY_MAX], data[DNS_ANSWER_MAX];
    uint16_t len = query_make(query, 0x1234);

    (void)state;
    ask_by(3, 0x1234);
    assert_int_equal(nr_asks, 1);
    assert_int_equal(asks[0].upstream, 1);
    assert_int_equal(asks[0].server, FIRST);
    assert_int_equal(asks[0].len, len);
    assert_memory_equal(asks[0].data + 2, query + 2, len - 2);
    assert_int_equal(nr_told, 0);
    assert_int_equal(dns_forward_pending(), 1);

    answer(&asks[0]);
    assert_int_equal(nr_told, 1);
    assert_int_equal(told.guest, 3);
    assert_int_equal(told.addr, GUEST);
    assert_int_equal(told.server, ROUTER);
    assert_int_equal(told.port, 33333);
    answer_make(&asks[0], data, 16);
    assert_int_equal(told_len, len + 16);
    assert_int_equal(dns_id(told_data), 0x1234);
    assert_memory_equal(told_data + 2, data + 2, told_len - 2);
    assert_int_equal(dns_forward_pending(), 0);
}

static void an_answer_comes_once(void **state)
{
    (void)state;
    ask_by(0, 1);
    answer(&asks[0]);
    answer(&asks[0]);
    assert_int_equal(nr_told, 1);
    assert_int_equal(dns_forward_stats()->stray, 1);
}

static void ids_and_ports_are_all_over_the_place(void **state)
{
    unsigned int same_id = 0, same_port = 0;
    uint32_t ids = 0, ports = 0;

    (void)state;
    for (unsigned int i = 0; i < 500; i++) {
        ask_by(0, 7);
        answer(&asks[i]);
        ids |= dns_id(asks[i].data);
        ports |= asks[i].port;
        for (unsigned int k = 0; k < i; k++) {
            same_id += dns_id(asks[k].data) == dns_id(asks[i].data);
            same_port += asks[k].port == asks[i].port;
        }
    }
    assert_int_equal(ids, 0xffff);
    assert_int_equal(ports, 0xfff);
    assert_in_range(same_id, 0, 12); /* 1.9 are to be expected */
    assert_in_range(same_port, 20, 120); /* 61 */
}

static void forged_answers_are_not_passed_on(void **state)
{
    uint8_t data[DNS_ANSWER_MAX];
    const struct ask *a = &asks[0];
    uint16_t len;

    (void)state;
    ask_by(0, 1);
    len = answer_make(a, data, 16);
    dns_forward_answer(1, SECOND_SERVER, DNS_PORT, a->port, data, len, now);
    dns_forward_answer(1, FIRST, 54, a->port, data, len, now);
    dns_forward_answer(1, FIRST, DNS_PORT, a->port ^ 1, data, len, now);
    dns_forward_answer(0, FIRST, DNS_PORT, a->port, data, len, now);
    data[1] ^= 1; /* id */
    give(a, data, len);
    data[1] ^= 1;
    data[2] &= 0x7f; /* a query */
    give(a, data, len);
    data[2] |= 0x80 | 5 << 3; /* an update */
    give(a, data, len);
    data[2] = 0x81;
    data[5] = 0; /* no question */
    give(a, data, len);
    data[5] = 2; /* two of them */
    give(a, data, len);
    data[5] = 1;
    for (unsigned int i = 12; i < a->len; i++) { /* another question */
        data[i] ^= 1;
        give(a, data, len);
        data[i] ^= 1;
    }
    assert_int_equal(nr_told, 0);
    give(a, data, len);
    assert_int_equal(nr_told, 1);
}

static void answers_that_are_cut_off_are_not_passed_on(void **state)
{
    uint8_t data[DNS_ANSWER_MAX];

    (void)state;
    ask_by(0, 1);
    answer_make(&asks[0], data, 0);
    for (uint16_t len = 0; len < asks[0].len; len++)
        give(&asks[0], data, len);
    assert_int_equal(nr_told, 0);
}

static void an_answer_from_nowhere_is_for_nobody(void **state)
{
    static const uint8_t empty[12] = { 0, 0, 0x80 };

    (void)state;
    dns_forward_answer(0, 0, DNS_PORT, 0, empty, sizeof(empty), now);
    assert_int_equal(nr_told, 0);
    assert_int_equal(dns_forward_stats()->stray, 1);
}

static void letters_of_the_question_may_change_their_case(void **state)
{
    uint8_t data[DNS_ANSWER_MAX];
    uint16_t len;

    (void)state;
    ask_by(0, 1);
    len = answer_make(&asks[0], data, 0);
    data[13] = 'W';
    data[18] = 'X';
    give(&asks[0], data, len);
    assert_int_equal(nr_told, 1);
    assert_int_equal(told_data[13], 'W');
}

static void another_server_is_asked_after_two_seconds(void **state)
{
    (void)state;
    ask_by(0, 0x4242);
    assert_true(dns_forward_tick(now) == now + 2 * SECOND);
    now += 2 * SECOND - 1;
    dns_forward_tick(now);
    assert_int_equal(nr_asks, 1);
    now++;
    dns_forward_tick(now);
    assert_int_equal(nr_asks, 2);
    assert_int_equal(asks[1].server, SECOND_SERVER);
    assert_true(dns_id(asks[1].data) != dns_id(asks[0].data) || asks[1].port != asks[0].port);
    now += SECOND;
    answer(&asks[0]); /* better late than never */
    assert_int_equal(nr_told, 1);
    answer(&asks[1]);
    assert_int_equal(nr_told, 1);
    assert_int_equal(dns_id(told_data), 0x4242);
}

static void a_server_that_answers_is_asked_first_from_then_on(void **state)
{
    (void)state;
    ask_by(0, 1);
    now += 2 * SECOND;
    dns_forward_tick(now);
    answer(&asks[1]);
    ask_by(0, 2);
    assert_int_equal(asks[2].server, SECOND_SERVER);
    now += 2 * SECOND;
    dns_forward_tick(now);
    assert_int_equal(asks[3].server, FIRST);
}

static void without_answers_the_guest_is_told_after_five_seconds(void **state)
{
    uint64_t begun = now, due = 0;

    (void)state;
    ask_by(0, 0x4242);
    while (nr_told == 0) {
        due = dns_forward_tick(now);
        if (nr_told)
            break;
        assert_true(due > now && due <= begun + 5 * SECOND);
        now = due;
    }
    assert_int_equal(now, begun + 5 * SECOND);
    assert_int_equal(nr_asks, 3);
    assert_int_equal(asks[2].server, FIRST);
    assert_int_equal(dns_id(told_data), 0x4242);
    assert_true(dns_is_answer(told_data));
    assert_int_equal(dns_rcode(told_data), DNS_SERVFAIL);
    assert_int_equal(told_len, asks[0].len);
    assert_memory_equal(told_data + 12, asks[0].data + 12, told_len - 12);
    assert_int_equal(told_data[2], 0x81);
    assert_int_equal(told_data[3], 0x82);
    assert_int_equal(dns_forward_pending(), 0);
    assert_true(dns_forward_tick(now) == UINT64_MAX);
    answer(&asks[0]);
    assert_int_equal(nr_told, 1);
}

static void a_server_that_cannot_help_makes_another_be_asked(void **state)
{
    (void)state;
    ask_by(0, 1);
    answer_with(&asks[0], DNS_SERVFAIL);
    assert_int_equal(nr_told, 0);
    assert_int_equal(nr_asks, 2);
    assert_int_equal(asks[1].server, SECOND_SERVER);
    answer_with(&asks[1], DNS_REFUSED);
    assert_int_equal(nr_told, 1);
    assert_int_equal(dns_rcode(told_data), DNS_REFUSED);
    ask_by(0, 2);
    answer_with(&asks[2], 3); /* no such name: that is an answer */
    assert_int_equal(nr_told, 2);
}

static void with_one_server_it_is_asked_again(void **state)
{
    static const rte_be32_t one[] = { THIRD };

    (void)state;
    dns_forward_servers_set(1, one, 1);
    ask_by(0, 1);
    now += 2 * SECOND;
    dns_forward_tick(now);
    assert_int_equal(nr_asks, 2);
    assert_int_equal(asks[1].server, THIRD);
    answer_with(&asks[1], DNS_SERVFAIL);
    assert_int_equal(nr_told, 1);
}

static void without_servers_the_guest_is_told_at_once(void **state)
{
    (void)state;
    dns_forward_servers_set(1, NULL, 0);
    ask_by(0, 1);
    assert_int_equal(nr_asks, 0);
    assert_int_equal(nr_told, 1);
    assert_int_equal(dns_rcode(told_data), DNS_SERVFAIL);
}

static void servers_may_come_and_go_while_answers_are_waited_for(void **state)
{
    static const rte_be32_t other[] = { THIRD };

    (void)state;
    ask_by(0, 1);
    ask_by(0, 2);
    dns_forward_servers_set(1, NULL, 0);
    now += 2 * SECOND;
    dns_forward_tick(now);
    assert_int_equal(nr_asks, 2);
    answer(&asks[0]);
    assert_int_equal(nr_told, 1);
    dns_forward_servers_set(1, other, 1);
    now += 2 * SECOND;
    dns_forward_tick(now);
    assert_int_equal(nr_asks, 3);
    assert_int_equal(asks[2].server, THIRD);
    answer(&asks[2]);
    assert_int_equal(nr_told, 2);
}

static void a_query_that_is_repeated_is_asked_once(void **state)
{
    struct dns_asker other = asker(0);

    (void)state;
    ask_by(0, 1);
    ask_by(0, 1);
    assert_int_equal(nr_asks, 1);
    assert_int_equal(dns_forward_stats()->repeated, 1);
    other.port++;
    ask_as(&other, 1);
    assert_int_equal(nr_asks, 2);
    ask_by(0, 2);
    assert_int_equal(nr_asks, 3);
    ask_by(1, 1);
    assert_int_equal(nr_asks, 4);
    other = asker(0);
    other.addr++;
    ask_as(&other, 1);
    other = asker(0);
    other.server++;
    ask_as(&other, 1);
    assert_int_equal(nr_asks, 6);
    answer(&asks[0]);
    ask_by(0, 1); /* no repetition any more */
    assert_int_equal(nr_asks, 7);
}

static void noise_is_neither_asked_nor_passed_on(void **state)
{
    uint8_t noise[600];
    uint32_t x = 9;

    (void)state;
    for (unsigned int round = 0; round < 20000; round++) {
        for (unsigned int i = 0; i < 64; i++)
            noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
        dns_forward_answer(1, FIRST, DNS_PORT, (uint16_t)x, noise, round % 64, now);
        ask_raw(noise, round % 64);
    }
    assert_int_equal(nr_asks, 0);
    assert_int_equal(dns_forward_stats()->answers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_query_goes_to_the_first_server_and_its_answer_back, setup),
        cmocka_unit_test_setup(an_answer_comes_once, setup),
        cmocka_unit_test_setup(ids_and_ports_are_all_over_the_place, setup),
        cmocka_unit_test_setup(forged_answers_are_not_passed_on, setup),
        cmocka_unit_test_setup(answers_that_are_cut_off_are_not_passed_on, setup),
        cmocka_unit_test_setup(an_answer_from_nowhere_is_for_nobody, setup),
        cmocka_unit_test_setup(letters_of_the_question_may_change_their_case, setup),
        cmocka_unit_test_setup(another_server_is_asked_after_two_seconds, setup),
        cmocka_unit_test_setup(a_server_that_answers_is_asked_first_from_then_on, setup),
        cmocka_unit_test_setup(without_answers_the_guest_is_told_after_five_seconds, setup),
        cmocka_unit_test_setup(a_server_that_cannot_help_makes_another_be_asked, setup),
        cmocka_unit_test_setup(with_one_server_it_is_asked_again, setup),
        cmocka_unit_test_setup(without_servers_the_guest_is_told_at_once, setup),
        cmocka_unit_test_setup(servers_may_come_and_go_while_answers_are_waited_for, setup),
        cmocka_unit_test_setup(a_query_that_is_repeated_is_asked_once, setup),
        cmocka_unit_test_setup(noise_is_neither_asked_nor_passed_on, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
