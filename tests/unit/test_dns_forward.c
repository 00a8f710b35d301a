/* SPDX-License-Identifier: BSD-2-Clause */
/* The DNS forwarder, between guests and servers that this test plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/dns.h"
#include "net/dns_forward.h"

#define SECOND 1000000000ull
#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define GUEST IP(10, 0, 5, 1)
#define ROUTER IP(10, 0, 5, 128)
#define FIRST IP(192, 0, 2, 53)
#define SECOND_SERVER IP(192, 0, 2, 54)
#define THIRD IP(192, 0, 2, 55)

#define ASKS_MAX 1024

/* A datagram that the forwarder has sent upstream. */
struct ask {
    uint8_t upstream;
    uint16_t port, len;
    rte_be32_t server;
    uint8_t data[DNS_QUERY_MAX];
};

static struct ask asks[ASKS_MAX];
static unsigned int nr_asks;

/* And what it has sent last to a guest. */
static struct dns_asker told;
static uint8_t told_data[DNS_ANSWER_MAX];
static uint16_t told_len;
static unsigned int nr_told;

static uint64_t now;

static void on_ask(uint8_t upstream, uint16_t port, rte_be32_t server, const void *payload,
                   uint16_t len, uint64_t at)
{
    struct ask *a = &asks[nr_asks++];

    assert_int_equal(at, now);
    assert_true(nr_asks <= ASKS_MAX);
    assert_in_range(port, DNS_OWN_PORT_FIRST, DNS_OWN_PORT_LAST);
    *a = (struct ask){ .upstream = upstream, .port = port, .len = len, .server = server };
    memcpy(a->data, payload, len);
}

static void on_answer(const struct dns_asker *asker, const void *payload, uint16_t len, uint64_t at)
{
    assert_int_equal(at, now);
    told = *asker;
    told_len = len;
    memcpy(told_data, payload, len);
    nr_told++;
}

static const struct dns_forward_ops ops = { on_ask, on_answer };

static int setup(void **state)
{
    static const rte_be32_t servers[] = { FIRST, SECOND_SERVER };

    (void)state;
    now = 1000 * SECOND;
    nr_asks = nr_told = told_len = 0;
    dns_forward_init(&ops, 42);
    dns_forward_servers_set(1, servers, 2);
    return 0;
}

static struct dns_asker asker(uint8_t guest)
{
    struct dns_asker a = { .guest = guest,
                           .upstream = 1,
                           .addr = GUEST,
                           .server = ROUTER,
                           .port = 33333,
                           .answer_max = 1472 };

    return a;
}

/* A query for the address of www.example.org. Returns its length. */
static uint16_t query_make(uint8_t *data, uint16_t id)
{
    static const uint8_t rest[] = { 1,   0,   0,   1,   0,   0,   0,   0,   0,   0,   3,
                                    'w', 'w', 'w', 7,   'e', 'x', 'a', 'm', 'p', 'l', 'e',
                                    3,   'o', 'r', 'g', 0,   0,   1,   0,   1 };

    data[0] = (uint8_t)(id >> 8);
    data[1] = (uint8_t)id;
    memcpy(data + 2, rest, sizeof(rest));
    return 2 + sizeof(rest);
}

static void ask_as(const struct dns_asker *a, uint16_t id)
{
    uint8_t data[DNS_QUERY_MAX];
    uint16_t len = query_make(data, id);

    dns_forward_query(a, data, len, now);
}

static void ask_by(uint8_t guest, uint16_t id)
{
    struct dns_asker a = asker(guest);

    ask_as(&a, id);
}

/* A payload whose ends are watched. */
static void ask_raw(const uint8_t *data, uint32_t len)
{
    struct dns_asker a = asker(0);
    uint8_t *copy = malloc(len ? len : 1);

    memcpy(copy, data, len);
    dns_forward_query(&a, copy, len, now);
    free(copy);
}

/* A server's answer to an ask, with this much of records behind the question. */
static uint16_t answer_make(const struct ask *a, uint8_t *data, uint16_t records)
{
    memcpy(data, a->data, a->len);
    data[2] |= 0x80;
    data[3] |= 0x80;
    memset(data + a->len, 0x5a, records);
    return a->len + records;
}

static void give(const struct ask *a, const uint8_t *data, uint32_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    memcpy(copy, data, len);
    dns_forward_answer(a->upstream, a->server, DNS_PORT, a->port, copy, len, now);
    free(copy);
}

static void answer(const struct ask *a)
{
    uint8_t data[DNS_ANSWER_MAX];

    give(a, data, answer_make(a, data, 16));
}

static void answer_with(const struct ask *a, enum dns_rcode rcode)
{
    uint8_t data[DNS_ANSWER_MAX];
    uint16_t len = answer_make(a, data, 0);

    data[3] |= (uint8_t)rcode;
    give(a, data, len);
}

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
        cmocka_unit_test_setup(noise_is_neither_asked_nor_passed_on, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
