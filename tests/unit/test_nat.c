/* SPDX-License-Identifier: BSD-2-Clause */
/* Address translation: mappings, filtering, guests and outsides. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_nat.h"
#include "fixture_net.h"
#include "net/frame.h"

static uint64_t dropped(unsigned int guest, enum nat_reason reason)
{
    return nat_guest_stats((uint8_t)guest)->dropped[reason];
}

static void an_answer_finds_its_guest(void **state)
{
    const struct spec sent[] = { udp_from(0, 5000, 53), tcp_from(0, 5000, 80, SYN),
                                 echo_from(0, 5000) };

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct spec outside = out(0, &sent[i], NAT_OK), back = answer(&outside), inside;

        assert_translated(&sent[i], &outside, 5000);
        back.flags = back.flags ? SYN | ACK : 0;
        last_guest = 9;
        inside = in(&back, NAT_OK);
        assert_int_equal(last_guest, 0);
        back.dst = GUEST_ADDRESS(0);
        assert_true(spec_is_same(&back, &inside));
    }
    assert_int_equal(nat_guest_flows(0), 3);
    assert_int_equal(nat_guest_stats(0)->out_frames, 3);
    assert_int_equal(nat_guest_stats(0)->in_frames, 3);
    assert_int_equal(nat_guest_stats(0)->opened, 3);
}

/* RFC 4787 REQ-1, RFC 5382 REQ-1: endpoint-independent mapping. */
static void an_endpoint_has_one_port_whoever_it_talks_to(void **state)
{
    struct spec first = udp_from(0, 5000, 53), other = udp_from(1, 5000, 53), outside;

    (void)state;
    out(0, &first, NAT_OK);
    outside = out(1, &other, NAT_OK);
    assert_int_not_equal(outside.sport, 5000);
    for (uint32_t i = 1; i < 50; i++) {
        other.dst = REMOTE + i;
        other.dport = (uint16_t)(53 + i);
        assert_int_equal(out(1, &other, NAT_OK).sport, outside.sport);
    }
}

static void tcp_and_udp_do_not_share_ports(void **state)
{
    struct spec udp = udp_from(0, 5000, 53), tcp = tcp_from(1, 5000, 53, SYN);

    (void)state;
    assert_int_equal(out(0, &udp, NAT_OK).sport, 5000);
    assert_int_equal(out(1, &tcp, NAT_OK).sport, 5000);
}

/* Filtering by address and port: RFC 4787, 5. */
static void only_whom_the_guest_talked_to_gets_through(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), outside = out(0, &sent, NAT_OK),
                back = answer(&outside);
    struct spec bad;

    (void)state;
    bad = back;
    bad.sport++;
    in(&bad, NAT_LOCAL);
    bad = back;
    bad.src++;
    in(&bad, NAT_LOCAL);
    bad = back;
    bad.dport++;
    in(&bad, NAT_LOCAL);
    bad = back;
    bad.dst++;
    in(&bad, NAT_LOCAL);
    bad = back;
    bad.protocol = IPPROTO_TCP;
    in(&bad, NAT_LOCAL);
    in(&back, NAT_OK);
}

/* What is not translated is not touched. */
static void what_is_for_the_domain_stays_as_it_is(void **state)
{
    struct spec ping = echo_from(0, 77), dns = udp_from(0, 53, NAT_OWN_PORT_FIRST), is;

    (void)state;
    ping.src = REMOTE;
    ping.dst = dns.dst = OUR_ADDRESS;
    dns.src = REMOTE;
    is = in(&ping, NAT_LOCAL);
    assert_true(spec_is_same(&ping, &is));
    is = in(&dns, NAT_LOCAL);
    assert_true(spec_is_same(&dns, &is));
    ping.src = GUEST_ADDRESS(0);
    is = out(0, &ping, NAT_LOCAL);
    assert_true(spec_is_same(&ping, &is));
    assert_int_equal(nat_guest_flows(0), 0);
}

/* RFC 5508 REQ-1: a reply is not mistaken for a query, nor the other way round. */
static void only_replies_answer_queries(void **state)
{
    struct spec ping = echo_from(0, 77), outside = out(0, &ping, NAT_OK), back = answer(&outside);

    (void)state;
    back.type = 8;
    in(&back, NAT_LOCAL);
    back.type = 0;
    in(&back, NAT_OK);
    back = echo_from(0, 78);
    back.type = 0;
    out(0, &back, NAT_DROP);
    assert_int_equal(dropped(0, NAT_NO_FLOW), 1);
}

static void timestamps_are_queries_too(void **state)
{
    struct spec sent = echo_from(0, 77), outside, back;

    (void)state;
    sent.type = 13;
    outside = out(0, &sent, NAT_OK);
    back = answer(&outside);
    assert_int_equal(back.type, 14);
    assert_int_equal(in(&back, NAT_OK).dst, GUEST_ADDRESS(0));
}

static void two_guests_with_one_id_are_told_apart(void **state)
{
    struct spec a = echo_from(0, 77), b = echo_from(1, 77), outside;

    (void)state;
    assert_int_equal(out(0, &a, NAT_OK).sport, 77);
    outside = out(1, &b, NAT_OK);
    assert_int_not_equal(outside.sport, 77);
    assert_false(outside.wrong_checksum);
    outside = answer(&outside);
    outside = in(&outside, NAT_OK);
    assert_int_equal(outside.sport, 77);
    assert_int_equal(outside.dst, GUEST_ADDRESS(1));
    assert_int_equal(last_guest, 1);
    assert_false(outside.wrong_checksum);
}

/* RFC 4787 REQ-3: no port is anybody's twice; REQ-4: parity. */
static void a_taken_port_is_replaced_by_one_of_its_parity(void **state)
{
    uint16_t ports[400];
    unsigned int differ = 0;

    (void)state;
    for (unsigned int i = 0; i < 400; i++) {
        struct spec a = udp_from(0, (uint16_t)(5000 + i), 53);

        assert_int_equal(out(0, &a, NAT_OK).sport, a.sport);
    }
    for (unsigned int i = 0; i < 400; i++) {
        struct spec b = udp_from(1, (uint16_t)(5000 + i), 53), outside = out(1, &b, NAT_OK);

        assert_false(outside.sport >= 5000 && outside.sport < 5400);
        assert_int_equal(outside.sport & 1, b.sport & 1);
        assert_true(outside.sport >= 1024);
        assert_false(outside.sport >= NAT_OWN_PORT_FIRST && outside.sport <= NAT_OWN_PORT_LAST);
        assert_false(outside.wrong_checksum);
        ports[i] = outside.sport;
        for (unsigned int j = 0; j < i; j++)
            assert_int_not_equal(ports[j], ports[i]);
        differ += i > 0 && abs(ports[i] - ports[i - 1]) > 1000;
    }
    assert_true(differ > 300); /* random: RFC 6056 */
}

static void ports_of_services_are_not_given_away(void **state)
{
    const uint16_t ports[] = { 1, 53, 1023, NAT_OWN_PORT_FIRST, NAT_OWN_PORT_LAST };

    (void)state;
    for (unsigned int i = 0; i < 5; i++) {
        struct spec sent = udp_from(0, ports[i], 53);
        uint16_t port = out(0, &sent, NAT_OK).sport;

        assert_true(port >= 1024);
        assert_false(port >= NAT_OWN_PORT_FIRST && port <= NAT_OWN_PORT_LAST);
    }
}

static void ids_of_queries_may_be_any(void **state)
{
    const uint16_t ids[] = { 0, 1, NAT_OWN_PORT_FIRST, UINT16_MAX };

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        struct spec sent = echo_from(0, ids[i]);

        assert_int_equal(out(0, &sent, NAT_OK).sport, ids[i]);
    }
}

static void other_protocols_are_dropped(void **state)
{
    const uint8_t protocols[] = { 0, 2, 4, 41, 47, 50, 51, 58, 132, 136, 255 };
    struct spec sent = udp_from(0, 5000, 53);

    (void)state;
    for (unsigned int i = 0; i < sizeof(protocols); i++) {
        sent.protocol = protocols[i];
        sent.payload = 40;
        out(0, &sent, NAT_DROP);
    }
    assert_int_equal(dropped(0, NAT_PROTOCOL), sizeof(protocols));
    sent.src = REMOTE;
    sent.dst = OUR_ADDRESS;
    in(&sent, NAT_LOCAL);
}

static void other_icmp_messages_are_dropped(void **state)
{
    const uint8_t types[] = { 4, 5, 9, 10, 15, 16, 17, 18, 30, 40, 255 };
    struct spec sent = echo_from(0, 77);

    (void)state;
    for (unsigned int i = 0; i < sizeof(types); i++) {
        sent.type = types[i];
        out(0, &sent, NAT_DROP);
    }
    assert_int_equal(dropped(0, NAT_PROTOCOL), sizeof(types));
}

static void ipv6_is_not_translated(void **state)
{
    struct spec sent = udp_from(0, 5000, 53);
    struct rte_mbuf *frame;

    (void)state;
    sent.v6 = true;
    frame = spec_frame(&sent);
    assert_int_equal(nat_out(0, frame, now, &last_guest), NAT_DROP);
    assert_int_equal(nat_in(OUTSIDE, frame, now, &last_guest), NAT_LOCAL);
    rte_pktmbuf_free(frame);
}

static void frames_without_whole_headers_are_bad(void **state)
{
    struct spec sent = tcp_from(0, 5000, 80, SYN);

    (void)state;
    for (uint16_t len = 14; len < 14 + 20 + 20; len++) {
        struct rte_mbuf *frame = spec_frame(&sent);

        frame_forget(frame);
        rte_pktmbuf_trim(frame, (uint16_t)(frame->pkt_len - len));
        if (len >= 34)
            *rte_pktmbuf_mtod_offset(frame, uint8_t *, 17) = (uint8_t)(len - 14);
        frame_parse(frame);
        assert_int_equal(nat_out(0, frame, now, &last_guest), NAT_DROP);
        rte_pktmbuf_free(frame);
    }
    assert_int_equal(dropped(0, NAT_BAD), 40);
}

static void source_port_0_is_bad(void **state)
{
    struct spec udp = udp_from(0, 0, 53), tcp = tcp_from(0, 0, 53, SYN);

    (void)state;
    out(0, &udp, NAT_DROP);
    out(0, &tcp, NAT_DROP);
    assert_int_equal(dropped(0, NAT_BAD), 2);
    assert_int_equal(nat_guest_flows(0), 0);
}

static void without_an_address_nothing_passes(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), back = answer(&sent);

    (void)state;
    back.dst = OUR_ADDRESS;
    out(0, &sent, NAT_OK);
    nat_outside_set(OUTSIDE, 0, now);
    out(0, &sent, NAT_DROP);
    in(&back, NAT_LOCAL);
    assert_int_equal(dropped(0, NAT_NO_ADDRESS), 1);
    nat_outside_set(OUTSIDE, rte_cpu_to_be_32(OUR_ADDRESS), now); /* as before */
    in(&back, NAT_OK);
}

static void a_changed_address_ends_its_flows(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), back = answer(&sent);

    (void)state;
    out(0, &sent, NAT_OK);
    nat_outside_set(OUTSIDE, rte_cpu_to_be_32(OUR_ADDRESS + 1), now);
    assert_int_equal(nat_guest_flows(0), 0);
    back.dst = OUR_ADDRESS + 1;
    in(&back, NAT_LOCAL);
    assert_int_equal(out(0, &sent, NAT_OK).src, OUR_ADDRESS + 1);
    in(&back, NAT_OK);
}

static void outsides_do_not_know_each_others_flows(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), same = udp_from(2, 5000, 53), back;
    struct rte_mbuf *frame;

    (void)state;
    assert_int_equal(nat_guest_add(2, IDENTITY(2), 0), 0);
    nat_outside_set(0, rte_cpu_to_be_32(OUR_ADDRESS), now); /* the same address elsewhere */
    out(0, &sent, NAT_OK);
    back = answer(&sent);
    back.dst = OUR_ADDRESS;
    frame = spec_frame(&back);
    assert_int_equal(nat_in(0, frame, now, &last_guest), NAT_LOCAL);
    assert_int_equal(out(2, &same, NAT_OK).sport, 5000);
    assert_int_equal(nat_in(0, frame, now, &last_guest), NAT_OK);
    assert_int_equal(last_guest, 2);
    rte_pktmbuf_free(frame);
    nat_outside_set(0, rte_cpu_to_be_32(OUR_ADDRESS + 9), now);
    assert_int_equal(nat_guest_flows(2), 0);
    assert_int_equal(nat_guest_flows(0), 1);
}

static void guests_are_added_once_and_in_range(void **state)
{
    (void)state;
    assert_int_equal(nat_guest_add(0, 1, OUTSIDE), -EBUSY);
    assert_int_equal(nat_guest_add(NAT_GUESTS, 1, OUTSIDE), -EINVAL);
    assert_int_equal(nat_guest_add(5, 1, NAT_OUTSIDES), -EINVAL);
    assert_int_equal(nat_guest_add(5, 1, NAT_NO_OUTSIDE), 0);
    nat_guest_remove(5);
    nat_guest_remove(5);
    nat_guest_remove(NAT_GUESTS);
    assert_int_equal(nat_guest_add(5, 1, 0), 0);
}

static void a_guest_that_went_has_no_flows(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), back = answer(&sent);
    struct rte_mbuf *frame = spec_frame(&sent);

    (void)state;
    back.dst = OUR_ADDRESS;
    out(0, &sent, NAT_OK);
    nat_guest_remove(0);
    in(&back, NAT_LOCAL);
    assert_int_equal(nat_out(0, frame, now, &last_guest), NAT_DROP);
    rte_pktmbuf_free(frame);
    sent.src = GUEST_ADDRESS(1);
    assert_int_equal(out(1, &sent, NAT_OK).sport, 5000); /* the port is free again */
}

/* RFC 6864, 5.3.1. */
static void what_may_be_cut_on_its_way_has_an_id_of_our_own(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), is;
    uint16_t ids[3];

    (void)state;
    sent.id = 0x4242;
    is = out(0, &sent, NAT_OK);
    assert_int_equal(is.id, 0x4242);
    sent.dont_fragment = false;
    for (unsigned int i = 0; i < 3; i++) {
        is = out(0, &sent, NAT_OK);
        assert_false(is.wrong_checksum);
        ids[i] = is.id;
    }
    assert_int_not_equal(ids[0], ids[1]);
    assert_int_not_equal(ids[1], ids[2]);
    assert_int_not_equal(ids[0], 0x4242);
}

/* Each guest has a network of its own, with the same addresses perhaps. */
static void guests_with_one_address_are_told_apart(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), a = out(0, &sent, NAT_OK), b = out(1, &sent, NAT_OK);

    (void)state;
    assert_int_equal(a.sport, 5000);
    assert_int_not_equal(b.sport, 5000);
    a = answer(&a);
    in(&a, NAT_OK);
    assert_int_equal(last_guest, 0);
    b = answer(&b);
    in(&b, NAT_OK);
    assert_int_equal(last_guest, 1);
}

/* Among so many some hash alike. */
static void outsides_are_told_apart_even_if_flows_collide(void **state)
{
    (void)state;
    for (uint8_t outside = 0; outside < NAT_OUTSIDES; outside++)
        nat_outside_set(outside, rte_cpu_to_be_32(OUR_ADDRESS), now);
    for (unsigned int n = 0; n < 2 * NAT_FLOWS; n++) {
        struct spec s = udp_from(0, (uint16_t)(5000 + n % NAT_FLOWS), 53);
        struct rte_mbuf *frame;

        if (n < NAT_FLOWS) {
            out(0, &s, NAT_OK);
            continue;
        }
        s = answer(&s);
        s.dst = OUR_ADDRESS;
        frame = spec_frame(&s);
        for (uint8_t outside = 0; outside < NAT_OUTSIDES; outside++)
            if (outside != OUTSIDE)
                assert_int_equal(nat_in(outside, frame, now, &last_guest), NAT_LOCAL);
        rte_pktmbuf_free(frame);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_finds_its_guest),
        TEST(an_endpoint_has_one_port_whoever_it_talks_to),
        TEST(tcp_and_udp_do_not_share_ports),
        TEST(only_whom_the_guest_talked_to_gets_through),
        TEST(what_is_for_the_domain_stays_as_it_is),
        TEST(only_replies_answer_queries),
        TEST(timestamps_are_queries_too),
        TEST(two_guests_with_one_id_are_told_apart),
        TEST(a_taken_port_is_replaced_by_one_of_its_parity),
        TEST(ports_of_services_are_not_given_away),
        TEST(ids_of_queries_may_be_any),
        TEST(other_protocols_are_dropped),
        TEST(other_icmp_messages_are_dropped),
        TEST(ipv6_is_not_translated),
        TEST(frames_without_whole_headers_are_bad),
        TEST(source_port_0_is_bad),
        TEST(without_an_address_nothing_passes),
        TEST(a_changed_address_ends_its_flows),
        TEST(outsides_do_not_know_each_others_flows),
        TEST(guests_are_added_once_and_in_range),
        TEST(a_guest_that_went_has_no_flows),
        TEST(what_may_be_cut_on_its_way_has_an_id_of_our_own),
        TEST(guests_with_one_address_are_told_apart),
        TEST(outsides_are_told_apart_even_if_flows_collide),
    };

    return cmocka_run_group_tests_name("nat", tests, fixture_start, NULL);
}
