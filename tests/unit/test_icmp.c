/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP of both versions: about what there are errors, what they look like, and answers to echo requests. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_router.h"
#include "net/frame.h"
#include "net/icmp.h"

static bool allowed(struct rte_mbuf *frame)
{
    bool is_allowed;

    frame_parse(frame);
    is_allowed =
        frame_is_ipv4(frame) ? icmp4_error_is_allowed(frame) : icmp6_error_is_allowed(frame, false);
    rte_pktmbuf_free(frame);
    return is_allowed;
}

static bool allowed_about(const char *src, const char *dst, uint16_t fragment)
{
    struct packet_spec spec = { .src = src, .dst = dst, .fragment = fragment };

    return allowed(packet_make(station(1), station(2), &spec));
}

static bool allowed_about_icmp(const char *src, const char *dst, uint8_t type)
{
    uint8_t bytes[8] = { type };
    struct packet_spec spec = { .src = src, .dst = dst, .l4 = bytes, .payload = 8 };

    spec.protocol = strchr(src, ':') ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    return allowed(packet_make(station(1), station(2), &spec));
}

/* RFC 1812, 4.3.2.7. */
static void there_are_no_errors_about_groups_and_nobody(void **state)
{
    struct packet_spec spec = { .src = "1.2.3.4", .dst = "5.6.7.8" };
    struct rte_ether_addr all = { { 255, 255, 255, 255, 255, 255 } };

    (void)state;
    assert_true(allowed_about("1.2.3.4", "5.6.7.8", 0));
    assert_false(allowed_about("0.0.0.0", "5.6.7.8", 0));
    assert_false(allowed_about("127.0.0.1", "5.6.7.8", 0));
    assert_false(allowed_about("224.0.0.1", "5.6.7.8", 0));
    assert_false(allowed_about("255.255.255.255", "5.6.7.8", 0));
    assert_false(allowed_about("1.2.3.4", "224.0.0.1", 0));
    assert_false(allowed_about("1.2.3.4", "255.255.255.255", 0));
    assert_false(allowed(packet_make(all, station(1), &spec)));
    assert_true(allowed_about("2001:db8::1", "2001:db8::2", 0));
    assert_false(allowed_about("::", "2001:db8::2", 0));
    assert_false(allowed_about("ff02::1", "2001:db8::2", 0));
    assert_false(allowed_about("2001:db8::1", "ff02::1", 0));
}

static void there_are_no_errors_about_later_fragments(void **state)
{
    uint8_t first[16] = { IPPROTO_UDP, 0, 0, 1 }, later[16] = { IPPROTO_UDP, 0, 0, 9 };
    struct packet_spec spec = {
        .src = "2001:db8::1", .dst = "2001:db8::2", .protocol = IPPROTO_FRAGMENT, .payload = 16
    };

    (void)state;
    assert_true(allowed_about("1.2.3.4", "5.6.7.8", RTE_IPV4_HDR_MF_FLAG));
    assert_false(allowed_about("1.2.3.4", "5.6.7.8", RTE_IPV4_HDR_MF_FLAG | 1));
    assert_false(allowed_about("1.2.3.4", "5.6.7.8", 100));
    spec.l4 = first;
    assert_true(allowed(packet_make(station(1), station(2), &spec)));
    spec.l4 = later;
    assert_false(allowed(packet_make(station(1), station(2), &spec)));
}

static void there_are_no_errors_about_errors(void **state)
{
    (void)state;
    for (unsigned int type = 0; type < 256; type++) {
        bool query4 = type == 0 || type == 8 || (type >= 13 && type <= 18);

        assert_int_equal(allowed_about_icmp("1.2.3.4", "5.6.7.8", type), query4);
        assert_int_equal(allowed_about_icmp("2001:db8::1", "2001:db8::2", type),
                         type >= 128 && type != 137);
    }
}

/* What type it is cannot be told. */
static void there_are_no_errors_about_icmp_that_is_cut_off(void **state)
{
    struct packet_spec spec = { .src = "1.2.3.4", .dst = "5.6.7.8", .protocol = IPPROTO_ICMP };
    struct rte_mbuf *frame = packet_make(station(1), station(2), &spec);

    (void)state;
    ip4_of(frame)->total_length = RTE_BE16(20);
    rte_pktmbuf_trim(frame, frame->pkt_len - 34);
    assert_false(allowed(frame));
    spec = (struct packet_spec){ .src = "fd::1", .dst = "fd::2", .protocol = IPPROTO_ICMPV6 };
    frame = packet_make(station(1), station(2), &spec);
    ip6_of(frame)->payload_len = 0;
    rte_pktmbuf_trim(frame, frame->pkt_len - 54);
    assert_false(allowed(frame));
}

static void packets_to_groups_may_be_too_big(void **state)
{
    struct packet_spec spec = { .src = "2001:db8::1", .dst = "ff0e::1" };
    struct rte_mbuf *frame = packet_make(station(1), station(2), &spec);

    (void)state;
    frame_parse(frame);
    assert_true(icmp6_error_is_allowed(frame, true));
    assert_false(icmp6_error_is_allowed(frame, false));
    rte_pktmbuf_free(frame);
}

/* All lengths, whole and in segments: the quotation is the packet's beginning, the checksums are right. */
static void errors_quote_whatever_there_is(void **state)
{
    struct icmp_error error = { 3, 4, 1400 };
    struct address from = ip6("2001:db8::9");

    (void)state;
    for (uint32_t payload = 0; payload < 1500; payload += payload < 600 ? 1 : 41) {
        struct packet_spec spec = { .src = "1.2.3.4", .dst = "5.6.7.8", .payload = payload };
        struct rte_mbuf *frame, *made;

        for (unsigned int v6 = 0; v6 < 2; v6++) {
            uint8_t was[2000], is[2000];
            uint32_t max = v6 ? 1280 - 48 : 576 - 28, len;

            spec.src = v6 ? "2001:db8::1" : "1.2.3.4";
            spec.dst = v6 ? "2001:db8::2" : "5.6.7.8";
            frame = packet_make(station(1), station(2), &spec);
            if (payload & 1)
                frame = frame_chop(frame, 63 + payload % 64);
            frame_parse(frame);
            len = RTE_MIN(frame->pkt_len - 14, max);
            made = v6 ? icmp6_error_make(fixture_pool(), frame, &from, &error)
                      : icmp4_error_make(fixture_pool(), frame, ip4("9.9.9.9"), &error);
            assert_true(is_error(made, v6 ? "2001:db8::9" : "9.9.9.9", spec.src, 3, 4, 1400));
            assert_int_equal(made->pkt_len, 14 + (v6 ? 48 : 28) + len);
            frame_bytes(frame, was, sizeof(was));
            frame_bytes(made, is, sizeof(is));
            assert_memory_equal(is + 14 + (v6 ? 48 : 28), was + 14, len);
            rte_pktmbuf_free(frame);
            rte_pktmbuf_free(made);
        }
    }
}

static void the_empty_pool_makes_no_error(void **state)
{
    struct packet_spec spec = { .src = "1.2.3.4", .dst = "5.6.7.8" };
    struct rte_mbuf *frame = packet_make(station(1), station(2), &spec), *all[4];
    struct icmp_error error = { 3, 0, 0 };

    (void)state;
    frame_parse(frame);
    assert_int_equal(rte_pktmbuf_alloc_bulk(fixture_tiny_pool(), all, 4), 0);
    assert_null(icmp4_error_make(fixture_tiny_pool(), frame, 1, &error));
    rte_pktmbuf_free_bulk(all, 4);
    rte_pktmbuf_free(frame);
}

static void ping(bool from_wire, const char *src, const char *dst, uint32_t payload, uint32_t chop)
{
    struct packet_spec spec = { .src = src, .dst = dst, .payload = payload, .ttl = 9 };
    struct rte_mbuf *frame;

    spec.protocol = strchr(src, ':') ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    frame = from_wire ? packet_make(ROUTER_WIRE_MAC, HOST_MAC, &spec)
                      : packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &spec);
    if (chop)
        frame = frame_chop(frame, chop);
    if (from_wire)
        wire_sends(frame);
    else
        guest_sends(0, frame);
}

/* An answer to an echo request of the test's: itself but for addresses, type and checksums. */
static void assert_answer(struct rte_mbuf *frame, const char *from, const char *to,
                          uint32_t payload)
{
    bool v6 = strchr(from, ':');
    uint8_t bytes[2000];

    assert_true(is_error(frame, from, to, v6 ? 129 : 0, 0, 7u << 16 | 1));
    assert_int_equal(frame->pkt_len, 14 + (v6 ? 48 : 28) + payload);
    frame_bytes(frame, bytes, sizeof(bytes));
    for (uint32_t i = 0; i < payload; i++)
        assert_int_equal(bytes[14 + (v6 ? 48 : 28) + i], (uint8_t)(i * 5 + 1));
    assert_int_equal(v6 ? bytes[21] : bytes[22], 64);
}

static void the_router_answers_at_all_its_addresses(void **state)
{
    (void)state;
    neighbours_answer();
    ping(false, "192.0.2.10", "192.0.2.1", 56, 0);
    assert_answer(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 56);
    ping(false, "192.0.2.10", "10.0.1.128", 56, 0);
    assert_answer(the_last(&lab.guests[0], 2), "10.0.1.128", "192.0.2.10", 56);
    ping(true, "192.0.2.5", "192.0.2.1", 56, 0);
    assert_answer(the_last(&lab.wire, 1), "192.0.2.1", "192.0.2.5", 56);
    ping(false, "2001:db8::10", "2001:db8::1", 56, 0);
    assert_answer(the_last(&lab.guests[0], 3), "2001:db8::1", "2001:db8::10", 56);
    ping(false, "fe80::1", "fe80::fcff:ffff:feff:ffff", 56, 0);
    assert_answer(the_last(&lab.guests[0], 4), "fe80::fcff:ffff:feff:ffff", "fe80::1", 56);
    ping(true, "2001:db8::5", "2001:db8::1", 56, 0);
    assert_answer(the_last(&lab.wire, 2), "2001:db8::1", "2001:db8::5", 56);
    assert_int_equal(router_stats(lab.router)->echoes, 6);
}

static void long_pings_and_those_in_segments_are_answered(void **state)
{
    static const uint32_t chops[] = { 0, 43, 63, 64, 101, 700 };

    (void)state;
    neighbours_answer();
    for (unsigned int i = 0; i < RTE_DIM(chops); i++)
        for (uint32_t payload = 1; payload <= 1452; payload += 207) {
            ping(true, "192.0.2.5", "192.0.2.1", payload, chops[i]);
            assert_answer(the_last(&lab.wire, 1), "192.0.2.1", "192.0.2.5", payload);
            forget_sent();
            if (chops[i] && chops[i] < 62)
                continue;
            ping(true, "2001:db8::5", "2001:db8::1", payload, chops[i]);
            assert_answer(the_last(&lab.wire, 1), "2001:db8::1", "2001:db8::5", payload);
            forget_sent();
        }
}

static void wrong_pings_are_not_answered(void **state)
{
    struct packet_spec spec = {
        .src = "192.0.2.5", .dst = "192.0.2.1", .protocol = IPPROTO_ICMP, .payload = 56
    };

    (void)state;
    neighbours_answer();
    for (unsigned int at = 34; at < 40; at++) {
        struct rte_mbuf *frame = packet_make(ROUTER_WIRE_MAC, HOST_MAC, &spec);

        rte_pktmbuf_mtod(frame, uint8_t *)[at] ^= 1;
        wire_sends(frame);
    }
    ping(true, "192.0.2.5", "192.0.2.255", 56, 0);
    ping(true, "192.0.2.5", "255.255.255.255", 56, 0);
    ping(true, "192.0.2.5", "224.0.0.1", 56, 0);
    ping(true, "192.0.2.5", "10.0.1.1", 56, 0);
    ping(true, "2001:db8::5", "ff02::1", 56, 0);
    spec.fragment = RTE_IPV4_HDR_MF_FLAG;
    wire_sends_packet(&spec);
    assert_int_equal(lab.wire.nr_kept, 0);
    assert_int_equal(router_stats(lab.router)->bad, 5); /* one is of another type */
    assert_int_equal(router_stats(lab.router)->other, 2);
    assert_int_equal(router_stats(lab.router)->local4, 7);
}

static void what_is_no_ping_is_not_answered(void **state)
{
    uint8_t bytes[16] = { 128 };
    struct packet_spec spec = {
        .src = "2001:db8::5", .dst = "2001:db8::1", .l4 = bytes, .payload = 16
    };

    (void)state;
    for (unsigned int v6 = 0; v6 < 2; v6++) {
        struct rte_mbuf *frame;

        spec.src = v6 ? "2001:db8::5" : "192.0.2.5";
        spec.dst = v6 ? "2001:db8::1" : "192.0.2.1";
        bytes[0] = v6 ? 128 : 8;
        frame = packet_make(station(1), station(2), &spec);
        frame_parse(frame);
        assert_int_equal(v6 ? icmp6_echo_answer(frame) : icmp4_echo_answer(frame), -ENOENT);
        rte_pktmbuf_free(frame);
    }
}

static void options_do_not_come_back(void **state)
{
    static const uint8_t options[8] = { 7, 7, 4, 0, 0, 0, 0, 0 },
                         none[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    struct packet_spec spec = { .src = "192.0.2.10",
                                .dst = "192.0.2.1",
                                .protocol = IPPROTO_ICMP,
                                .options = options,
                                .options_len = 8 };

    (void)state;
    guest_sends_packet(0, &spec);
    assert_true(is_valid(the_last(&lab.guests[0], 1)));
    assert_memory_equal(ip4_of(lab.guests[0].kept[0]) + 1, none, 8);
}

static void floods_are_not_answered_for_ever(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 1000; i++) {
        ping(false, "192.0.2.10", "192.0.2.1", 56, 0);
        if (lab.guests[0].nr_kept == FIXTURE_KEPT)
            break;
    }
    assert_int_equal(lab.guests[0].nr_kept, 128);
    assert_int_equal(router_stats(lab.router)->icmp_limited, 872);
}

static void what_the_router_does_not_speak_is_refused(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "192.0.2.1", .payload = 20 };

    (void)state;
    neighbours_answer();
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 3, 3, 0));
    spec.protocol = 47;
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 2), "192.0.2.1", "192.0.2.10", 3, 2, 0));
    spec = (struct packet_spec){ .src = "2001:db8::10", .dst = "2001:db8::1" };
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 3), "2001:db8::1", "2001:db8::10", 1, 4, 0));
    spec.protocol = 47;
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 4), "2001:db8::1", "2001:db8::10", 4, 1, 6));
    spec = (struct packet_spec){ .src = "192.0.2.5", .dst = "192.0.2.1" };
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 1), "192.0.2.1", "192.0.2.5", 3, 3, 0));
    spec.protocol = IPPROTO_TCP; /* silence, RFC 5382 REQ-4 */
    wire_sends_packet(&spec);
    the_last(&lab.wire, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_are_no_errors_about_groups_and_nobody),
        TEST(there_are_no_errors_about_later_fragments),
        TEST(there_are_no_errors_about_errors),
        TEST(there_are_no_errors_about_icmp_that_is_cut_off),
        TEST(packets_to_groups_may_be_too_big),
        TEST(errors_quote_whatever_there_is),
        TEST(the_empty_pool_makes_no_error),
        TEST(the_router_answers_at_all_its_addresses),
        TEST(long_pings_and_those_in_segments_are_answered),
        TEST(wrong_pings_are_not_answered),
        TEST(what_is_no_ping_is_not_answered),
        TEST(options_do_not_come_back),
        TEST(floods_are_not_answered_for_ever),
        TEST(what_the_router_does_not_speak_is_refused),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
