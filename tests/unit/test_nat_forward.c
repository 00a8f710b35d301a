/* SPDX-License-Identifier: BSD-2-Clause */
/* Port forwards, and guests that reach each other by way of their outside address. */
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

#include <errno.h>

static rte_be32_t guest_be(unsigned int guest)
{
    return rte_cpu_to_be_32(GUEST_ADDRESS(guest));
}

static void forward(uint8_t protocol, uint16_t outside_port, unsigned int guest, uint16_t port)
{
    assert_int_equal(nat_forward_add(OUTSIDE, protocol, outside_port, guest_be(guest), port), 0);
}

static struct spec tcp_in(uint16_t sport, uint16_t dport, uint8_t flags)
{
    struct spec s = tcp_from(0, sport, dport, flags);

    s.src = REMOTE;
    s.dst = OUR_ADDRESS;
    return s;
}

static void a_forwarded_port_leads_to_its_guest_and_back(void **state)
{
    struct spec sent = tcp_in(4000, 80, SYN), inside, back;

    (void)state;
    forward(IPPROTO_TCP, 80, 1, 8080);
    inside = in(&sent, NAT_OK);
    assert_int_equal(last_guest, 1);
    assert_int_equal(inside.src, REMOTE);
    assert_int_equal(inside.sport, 4000);
    assert_int_equal(inside.dst, GUEST_ADDRESS(1));
    assert_int_equal(inside.dport, 8080);
    assert_false(inside.wrong_checksum);
    back = answer(&inside);
    back.flags = SYN | ACK;
    back = out(1, &back, NAT_OK);
    assert_int_equal(back.src, OUR_ADDRESS);
    assert_int_equal(back.sport, 80);
    assert_int_equal(back.dst, REMOTE);
    assert_int_equal(back.dport, 4000);
    assert_false(back.wrong_checksum);
}

static void udp_is_forwarded_too(void **state)
{
    struct spec sent = udp_from(0, 4000, 51820), inside;

    (void)state;
    sent.src = REMOTE;
    sent.dst = OUR_ADDRESS;
    in(&sent, NAT_LOCAL);
    forward(IPPROTO_UDP, 51820, 0, 51820);
    inside = in(&sent, NAT_OK);
    assert_int_equal(inside.dst, GUEST_ADDRESS(0));
    inside = answer(&inside);
    assert_int_equal(out(0, &inside, NAT_OK).sport, 51820);
}

static void forwards_are_checked(void **state)
{
    (void)state;
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, 80, guest_be(0), 80), 0);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, 80, guest_be(1), 81), -EEXIST);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_UDP, 80, guest_be(1), 81), 0);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_ICMP, 81, guest_be(0), 80), -EINVAL);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, 0, guest_be(0), 80), -EINVAL);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, 81, guest_be(0), 0), -EINVAL);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, 81, 0, 80), -EINVAL);
    assert_int_equal(nat_forward_add(NAT_OUTSIDES, IPPROTO_TCP, 81, guest_be(0), 80), -EINVAL);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, NAT_OWN_PORT_FIRST, guest_be(0), 80),
                     -EINVAL);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, NAT_OWN_PORT_LAST, guest_be(0), 80),
                     -EINVAL);
    for (uint16_t i = 2; i < NAT_FORWARDS; i++)
        assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, 100 + i, guest_be(0), 80), 0);
    assert_int_equal(nat_forward_add(OUTSIDE, IPPROTO_TCP, 99, guest_be(0), 80), -ENOSPC);
}

static void a_forward_to_a_guest_that_is_not_there_leads_nowhere(void **state)
{
    struct spec sent = tcp_in(4000, 80, SYN);

    (void)state;
    forward(IPPROTO_TCP, 80, 7, 80);
    in(&sent, NAT_LOCAL);
    assert_int_equal(nat_guest_add(7, IDENTITY(7), OUTSIDE), 0);
    in(&sent, NAT_LOCAL);
    nat_guest_address_set(7, guest_be(7));
    in(&sent, NAT_OK);
    assert_int_equal(last_guest, 7);
}

static void a_forwarded_port_is_not_given_to_others(void **state)
{
    struct spec sent = tcp_from(0, 8443, 443, SYN);

    (void)state;
    forward(IPPROTO_TCP, 8443, 1, 443);
    assert_int_not_equal(out(0, &sent, NAT_OK).sport, 8443);
}

/* One endpoint is one outside, whoever speaks first: RFC 4787 REQ-1. */
static void what_a_forwarded_endpoint_opens_leaves_from_the_forwards_port(void **state)
{
    struct spec sent = udp_from(1, 5353, 53), stranger = udp_from(0, 5353, 53);

    (void)state;
    forward(IPPROTO_UDP, 53, 1, 5353);
    assert_int_equal(out(1, &sent, NAT_OK).sport, 53);
    assert_int_equal(out(0, &stranger, NAT_OK).sport, 5353);
    stranger.src = GUEST_ADDRESS(1); /* it is not */
    stranger.dport = 54;
    assert_int_not_equal(out(0, &stranger, NAT_OK).sport, 53);
}

/* After a loss of the table, from either side. */
static void a_forwarded_connection_is_picked_up_in_its_midst(void **state)
{
    struct spec sent = tcp_in(4000, 80, ACK), back;

    (void)state;
    forward(IPPROTO_TCP, 80, 1, 8080);
    back = in(&sent, NAT_OK);
    back = answer(&back);
    assert_int_equal(out(1, &back, NAT_OK).sport, 80);
    nat_guest_remove(1);
    assert_int_equal(nat_guest_add(1, IDENTITY(1), OUTSIDE), 0);
    nat_guest_address_set(1, guest_be(1));
    assert_int_equal(out(1, &back, NAT_OK).sport, 80);
    in(&sent, NAT_OK);
}

static void what_belongs_to_no_forwarded_connection_is_dropped(void **state)
{
    const uint8_t flags[] = { RST, RST | ACK, SYN | ACK, 0, FIN };

    (void)state;
    forward(IPPROTO_TCP, 80, 1, 8080);
    for (unsigned int i = 0; i < sizeof(flags); i++) {
        struct spec sent = tcp_in(4000, 80, flags[i]);

        in(&sent, NAT_DROP);
    }
    assert_int_equal(nat_outside_stats(OUTSIDE)->dropped[NAT_NO_FLOW], sizeof(flags));
    assert_int_equal(nat_guest_flows(1), 0);
}

/* Inside they could not be told apart. */
static void two_ports_to_one_endpoint_do_not_share_a_peer(void **state)
{
    struct spec first = tcp_in(4000, 80, SYN), second = tcp_in(4000, 81, SYN);

    (void)state;
    forward(IPPROTO_TCP, 80, 1, 8080);
    forward(IPPROTO_TCP, 81, 1, 8080);
    in(&first, NAT_OK);
    in(&second, NAT_DROP);
    assert_int_equal(nat_outside_stats(OUTSIDE)->dropped[NAT_NO_PORT], 1);
    second.sport++;
    in(&second, NAT_OK);
}

/* RFC 4787 REQ-9, RFC 5382 REQ-8: the source is the external address and port. */
static void a_guest_reaches_another_by_a_forward(void **state)
{
    struct spec sent = tcp_from(0, 5000, 80, SYN), inside, back;

    (void)state;
    forward(IPPROTO_TCP, 80, 1, 8080);
    sent.dst = OUR_ADDRESS;
    inside = out(0, &sent, NAT_TURNED);
    assert_int_equal(last_guest, 1);
    assert_int_equal(inside.src, OUR_ADDRESS);
    assert_int_equal(inside.sport, 5000);
    assert_int_equal(inside.dst, GUEST_ADDRESS(1));
    assert_int_equal(inside.dport, 8080);
    assert_false(inside.wrong_checksum);
    back = answer(&inside);
    back.flags = SYN | ACK;
    back = out(1, &back, NAT_TURNED);
    assert_int_equal(last_guest, 0);
    assert_int_equal(back.src, OUR_ADDRESS);
    assert_int_equal(back.sport, 80);
    assert_int_equal(back.dst, GUEST_ADDRESS(0));
    assert_int_equal(back.dport, 5000);
    assert_false(back.wrong_checksum);
    sent.flags = ACK;
    out(0, &sent, NAT_TURNED);
    assert_int_equal(nat_guest_stats(0)->out_frames, 2);
    assert_int_equal(nat_guest_stats(0)->in_frames, 1);
}

static void a_guest_reaches_itself_by_a_forward(void **state)
{
    struct spec sent = tcp_from(0, 5000, 80, SYN), inside, back;

    (void)state;
    forward(IPPROTO_TCP, 80, 0, 8080);
    sent.dst = OUR_ADDRESS;
    inside = out(0, &sent, NAT_TURNED);
    assert_int_equal(last_guest, 0);
    assert_int_equal(inside.dport, 8080);
    back = answer(&inside);
    back.flags = SYN | ACK;
    back = out(0, &back, NAT_TURNED);
    assert_int_equal(back.dport, 5000);
    assert_int_equal(back.sport, 80);
}

static void unfinished_checksums_are_turned_too(void **state)
{
    struct spec sent = tcp_from(0, 5000, 80, SYN);

    (void)state;
    forward(IPPROTO_TCP, 80, 1, 8080);
    sent.dst = OUR_ADDRESS;
    sent.unfinished = true;
    sent = out(0, &sent, NAT_TURNED);
    assert_true(sent.unfinished);
    assert_false(sent.wrong_checksum);
}

/* Two guests that learned each other's outside ports elsewhere: RFC 5128. */
static void guests_reach_each_other_by_mappings_that_both_use(void **state)
{
    struct spec a = udp_from(0, 5000, 53), b = udp_from(1, 6000, 53), is;

    (void)state;
    out(0, &a, NAT_OK);
    out(1, &b, NAT_OK);
    a.dst = b.dst = OUR_ADDRESS;
    a.dport = 6000;
    b.dport = 5000;
    out(0, &a, NAT_DROP); /* the other has not spoken to it yet */
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_NO_FLOW], 1);
    is = out(1, &b, NAT_TURNED);
    assert_int_equal(last_guest, 0);
    assert_int_equal(is.sport, 6000);
    assert_int_equal(is.dst, GUEST_ADDRESS(0));
    out(0, &a, NAT_TURNED);
    assert_int_equal(last_guest, 1);
}

static void what_nobody_is_at_stays_as_it_is(void **state)
{
    struct spec sent = tcp_from(0, 5000, 80, SYN), is;

    (void)state;
    sent.dst = OUR_ADDRESS;
    is = out(0, &sent, NAT_LOCAL);
    assert_true(spec_is_same(&sent, &is));
    assert_int_equal(nat_guest_flows(0), 0);
}

/* Which cannot be if forwards are there from the start. */
static void a_flow_that_is_anothers_outside_is_not_opened(void **state)
{
    struct spec theirs = tcp_from(0, 8443, 443, SYN), sent = tcp_from(1, 443, 443, SYN);

    (void)state;
    assert_int_equal(out(0, &theirs, NAT_OK).sport, 8443);
    forward(IPPROTO_TCP, 8443, 1, 443);
    out(1, &sent, NAT_DROP);
    assert_int_equal(nat_guest_stats(1)->dropped[NAT_NO_PORT], 1);
    sent.dst++;
    assert_int_equal(out(1, &sent, NAT_OK).sport, 8443);
}

static void source_port_0_is_bad_from_outside_too(void **state)
{
    struct spec sent = tcp_in(0, 80, SYN);

    (void)state;
    forward(IPPROTO_TCP, 80, 1, 8080);
    in(&sent, NAT_DROP);
    assert_int_equal(nat_outside_stats(OUTSIDE)->dropped[NAT_BAD], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(a_forwarded_port_leads_to_its_guest_and_back),
        TEST(udp_is_forwarded_too),
        TEST(forwards_are_checked),
        TEST(a_forward_to_a_guest_that_is_not_there_leads_nowhere),
        TEST(a_forwarded_port_is_not_given_to_others),
        TEST(what_a_forwarded_endpoint_opens_leaves_from_the_forwards_port),
        TEST(a_forwarded_connection_is_picked_up_in_its_midst),
        TEST(what_belongs_to_no_forwarded_connection_is_dropped),
        TEST(two_ports_to_one_endpoint_do_not_share_a_peer),
        TEST(a_guest_reaches_another_by_a_forward),
        TEST(a_guest_reaches_itself_by_a_forward),
        TEST(unfinished_checksums_are_turned_too),
        TEST(guests_reach_each_other_by_mappings_that_both_use),
        TEST(what_nobody_is_at_stays_as_it_is),
        TEST(a_flow_that_is_anothers_outside_is_not_opened),
        TEST(source_port_0_is_bad_from_outside_too),
    };

    return cmocka_run_group_tests_name("nat_forward", tests, fixture_start, NULL);
}
