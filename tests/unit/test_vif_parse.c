/* SPDX-License-Identifier: BSD-2-Clause */
/* The pure readers of what a guest wrote: ring indices, transmit slots, headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vif/headers.h"
#include "vif/ring_check.h"
#include "vif/tx_parse.h"

#define RING 256u

static void ring_index_in_range_is_taken(void **state)
{
    (void)state;
    assert_int_equal(ring_requests(0, 0, 0, RING), 0);
    assert_int_equal(ring_requests(256, 0, 0, RING), 256);
    assert_int_equal(ring_requests(100, 40, 30, RING), 60);
}

static void ring_index_in_range_is_taken_wraps(void **state)
{
    (void)state;
    assert_int_equal(ring_requests(5, 0xfffffffbu, 0xfffffff0u, RING), 10);
    assert_int_equal(ring_requests(0, 0xffffff00u, 0xffffff00u, RING), 256);
}

static void ring_index_out_of_range_is_refused(void **state)
{
    static const uint32_t rows[][3] = {
        { 257, 0, 0 },        { 0, 1, 1 },          { 99, 100, 100 },
        { 0x80000000, 0, 0 }, { 0xffffffff, 0, 0 }, { 35, 40, 30 }, /* behind what we took */
        { 287, 40, 30 },      { 29, 40, 30 },       { 0xffffffef, 5, 0xfffffff0u },
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(ring_requests(rows[i][0], rows[i][1], rows[i][2], RING), -EPROTO);
}

static void notify_is_due_when_the_event_index_was_passed(void **state)
{
    (void)state;
    assert_true(ring_notify_due(0, 1, 1));
    assert_true(ring_notify_due(0, 5, 3));
    assert_false(ring_notify_due(0, 5, 6));
    assert_false(ring_notify_due(5, 5, 5));
    assert_false(ring_notify_due(5, 8, 5));
    assert_true(ring_notify_due(0xfffffffe, 2, 0));
}

/* Whatever lies on a ring, the verdict keeps its promises. */
static void random_slots_never_break_a_promise(void **state)
{
    static union netif_tx_sring_entry ring[RING];
    static struct tx_answer answers[RING];
    unsigned int verdicts[3] = { 0 };

    (void)state;
    srandom(1);
    for (unsigned int round = 0; round < 200000; round++) {
        struct tx_view view = { ring, RING, (uint32_t)random(), 1 + (uint32_t)random() % 24 };
        struct tx_packet packet;
        enum tx_verdict verdict;
        uint32_t sum = 0;

        for (unsigned int i = 0; i < view.nr; i++) {
            struct netif_tx_request *req = &ring[(view.cons + i) % RING].req;

            *req = (struct netif_tx_request){ (grant_ref_t)random(), (uint16_t)(random() % 4200),
                                              (uint16_t)(random() & random() & 15), 0,
                                              (uint16_t)(random() % (i ? 300 : 5000)) };
            if (random() % 8 == 0)
                *req = (struct netif_tx_request){ .gref = 0x05980001, .offset = 1 };
        }
        verdict = tx_parse(&view, &packet, answers);
        verdicts[verdict]++;
        if (verdict == TX_UNFINISHED)
            continue;
        assert_in_range(packet.nr_ring, 1, view.nr);
        if (verdict == TX_BAD) {
            assert_non_null(packet.why);
            continue;
        }
        assert_in_range(packet.nr_slots, 1, TX_SLOTS_MAX);
        for (unsigned int i = 0; i < packet.nr_slots; i++) {
            assert_true(packet.slots[i].offset + packet.slots[i].size <= 4096);
            sum += packet.slots[i].size;
        }
        assert_int_equal(sum, packet.len);
        assert_true(packet.len >= 14);
    }
    assert_true(verdicts[0] > 1000 && verdicts[1] > 1000 && verdicts[2] > 1000);
}

/* Ethernet, tags VLAN tags, then what follows. Returns the length so far. */
static uint32_t put_l2(uint8_t *p, unsigned int tags, uint16_t type)
{
    uint32_t at = 12;

    memset(p, 0, 12);
    for (unsigned int i = 0; i < tags; i++, at += 4) {
        p[at] = 0x81;
        p[at + 1] = 0;
        p[at + 2] = 0;
        p[at + 3] = 7;
    }
    p[at] = (uint8_t)(type >> 8);
    p[at + 1] = (uint8_t)type;
    return at + 2;
}

static uint32_t put_ipv4(uint8_t *p, unsigned int ihl, uint8_t proto, uint16_t total)
{
    memset(p, 0, ihl * 4);
    p[0] = (uint8_t)(0x40 | ihl);
    p[2] = (uint8_t)(total >> 8);
    p[3] = (uint8_t)total;
    p[9] = proto;
    return ihl * 4;
}

static uint32_t put_tcp(uint8_t *p, unsigned int words)
{
    memset(p, 0, words * 4);
    p[12] = (uint8_t)(words << 4);
    return words * 4;
}

static void tcp_over_ipv4_with_options_and_tags(void **state)
{
    uint8_t p[400];

    (void)state;
    for (unsigned int tags = 0; tags <= 2; tags++)
        for (unsigned int ihl = 5; ihl <= 15; ihl++)
            for (unsigned int doff = 5; doff <= 15; doff++) {
                struct headers h;
                uint32_t at = put_l2(p, tags, 0x0800);

                at += put_ipv4(p + at, ihl, 6, (uint16_t)(ihl * 4 + doff * 4));
                at += put_tcp(p + at, doff);
                assert_int_equal(headers_parse(p, at, at, &h), 0);
                assert_int_equal(h.l2_len, 14 + 4 * tags);
                assert_int_equal(h.l3_len, ihl * 4);
                assert_int_equal(h.l4_len, doff * 4);
                assert_true(h.tcp && !h.ipv6);
                for (uint32_t have = 0; have < at; have++) /* cut anywhere */
                    assert_int_equal(headers_parse(p, have, at, &h), -EPROTO);
            }
}

static void three_tags_are_refused(void **state)
{
    uint8_t p[100];
    struct headers h;
    uint32_t at = put_l2(p, 3, 0x0800);

    (void)state;
    at += put_ipv4(p + at, 5, 17, 28);
    memset(p + at, 0, 8);
    assert_int_equal(headers_parse(p, at + 8, at + 8, &h), -EPROTO);
}

static void ipv4_nonsense_is_refused(void **state)
{
    /* byte of the IPv4 header, its value */
    static const uint8_t rows[][2] = {
        { 0, 0x44 }, { 0, 0x65 }, { 0, 0x4f }, { 3, 19 }, { 3, 29 },
        { 2, 0xff }, { 6, 0x20 }, { 7, 1 },    { 9, 1 },  { 9, 132 },
    };
    uint8_t p[42];
    struct headers h;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t at = put_l2(p, 0, 0x0800);

        put_ipv4(p + at, 5, 17, 28);
        memset(p + 34, 0, 8);
        assert_int_equal(headers_parse(p, 42, 42, &h), 0);
        p[at + rows[i][0]] = rows[i][1];
        assert_int_equal(headers_parse(p, 42, 42, &h), -EPROTO);
    }
}

static void tcp_header_shorter_than_itself_is_refused(void **state)
{
    uint8_t p[100];
    struct headers h;
    uint32_t at = put_l2(p, 0, 0x0800);

    (void)state;
    at += put_ipv4(p + at, 5, 6, 40);
    at += put_tcp(p + at, 5);
    p[14 + 20 + 12] = 0x40;
    assert_int_equal(headers_parse(p, at, at, &h), -EPROTO);
}

/* An IPv6 frame with nr extension headers of `words` times 8 bytes each, then UDP. */
static uint32_t put_ipv6(uint8_t *p, unsigned int nr, unsigned int words, uint8_t kind)
{
    uint32_t at = put_l2(p, 0, 0x86dd), start = at, payload = nr * words * 8 + 8;

    memset(p + at, 0, 40 + payload);
    p[at] = 0x60;
    p[at + 4] = (uint8_t)(payload >> 8);
    p[at + 5] = (uint8_t)payload;
    p[at + 6] = nr ? kind : 17;
    at += 40;
    for (unsigned int i = 0; i < nr; i++, at += words * 8) {
        p[at] = i + 1 < nr ? kind : 17;
        p[at + 1] = (uint8_t)(words - 1);
    }
    return start + 40 + payload;
}

static void ipv6_extension_headers_are_stepped_over(void **state)
{
    static const uint8_t kinds[] = { 0, 43, 60 };
    uint8_t p[1200];
    struct headers h;

    (void)state;
    for (unsigned int k = 0; k < ARRAY_LEN(kinds); k++)
        for (unsigned int nr = 0; nr <= HEADERS_EXT_MAX; nr++) {
            uint32_t len = put_ipv6(p, nr, 2, kinds[k]);

            assert_int_equal(headers_parse(p, len, len, &h), 0);
            assert_int_equal(h.l3_len, 40 + 16 * nr);
            assert_true(h.ipv6 && !h.tcp);
        }
}

static void ipv6_extension_headers_are_bounded(void **state)
{
    uint8_t p[2500];
    struct headers h;
    uint32_t len = put_ipv6(p, HEADERS_EXT_MAX + 1, 1, 60);

    (void)state;
    assert_int_equal(headers_parse(p, len, len, &h), -EPROTO);
    len = put_ipv6(p, 8, 8, 60); /* 552 bytes: more than an mbuf can say */
    assert_int_equal(headers_parse(p, len, len, &h), -EPROTO);
    len = put_ipv6(p, 1, 1, 44); /* a fragment */
    assert_int_equal(headers_parse(p, len, len, &h), -EPROTO);
    len = put_ipv6(p, 1, 1, 51);
    assert_int_equal(headers_parse(p, len, len, &h), -EPROTO);
    len = put_ipv6(p, 1, 1, 60);
    p[14 + 40 + 1] = 255; /* longer than the frame */
    assert_int_equal(headers_parse(p, len, len, &h), -EPROTO);
}

static void other_ethertypes_are_refused(void **state)
{
    uint8_t p[60] = { 0 };
    struct headers h;

    (void)state;
    put_l2(p, 0, 0x0806);
    assert_int_equal(headers_parse(p, 60, 60, &h), -EPROTO);
}

/* ASan sees any byte read beyond what there is. */
static void random_frames_are_read_within_bounds(void **state)
{
    (void)state;
    srandom(2);
    for (unsigned int round = 0; round < 300000; round++) {
        uint32_t have = (uint32_t)random() % 120;
        uint8_t *p = malloc(have + !have);
        struct headers h;

        for (uint32_t i = 0; i < have; i++)
            p[i] = (uint8_t)random();
        if (have > 14) {
            static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100, 0x88a8 };
            uint16_t type = types[random() % 4];

            p[12] = (uint8_t)(type >> 8);
            p[13] = (uint8_t)type;
            p[14] = type == 0x0800 ? 0x45 : type == 0x86dd ? 0x60 : p[14];
        }
        if (headers_parse(p, have, have + (uint32_t)random() % 3000, &h) == 0)
            assert_true((uint32_t)h.l2_len + h.l3_len + h.l4_len <= have);
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_index_in_range_is_taken),
        cmocka_unit_test(ring_index_in_range_is_taken_wraps),
        cmocka_unit_test(ring_index_out_of_range_is_refused),
        cmocka_unit_test(notify_is_due_when_the_event_index_was_passed),
        cmocka_unit_test(random_slots_never_break_a_promise),
        cmocka_unit_test(tcp_over_ipv4_with_options_and_tags),
        cmocka_unit_test(three_tags_are_refused),
        cmocka_unit_test(ipv4_nonsense_is_refused),
        cmocka_unit_test(tcp_header_shorter_than_itself_is_refused),
        cmocka_unit_test(ipv6_extension_headers_are_stepped_over),
        cmocka_unit_test(ipv6_extension_headers_are_bounded),
        cmocka_unit_test(other_ethertypes_are_refused),
        cmocka_unit_test(random_frames_are_read_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
