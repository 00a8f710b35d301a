/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gives up a flow when the table is full. */
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

static struct spec nth_udp(unsigned int guest, unsigned int n)
{
    struct spec s = udp_from(guest, (uint16_t)(5000 + n % 50000), (uint16_t)(1 + n / 50000));

    s.dst = REMOTE + n;
    return s;
}

static void open_udp(unsigned int guest, unsigned int from, unsigned int nr)
{
    for (unsigned int n = from; n < from + nr; n++) {
        struct spec s = nth_udp(guest, n);

        out(guest, &s, NAT_OK);
    }
}

static bool is_open(unsigned int guest, const struct spec *sent)
{
    struct spec again = *sent;
    struct rte_mbuf *frame = spec_frame(&again);
    int known = nat_track((uint8_t)guest, frame, true, now);

    rte_pktmbuf_free(frame);
    return known == NAT_TRACK_KNOWN;
}

static void establish(unsigned int guest, uint16_t sport)
{
    struct spec s = tcp_from(guest, sport, 80, SYN), back;

    s = out(guest, &s, NAT_OK);
    back = answer(&s);
    back.flags = SYN | ACK;
    in(&back, NAT_OK);
}

static void one_guest_may_use_what_nobody_else_does(void **state)
{
    (void)state;
    open_udp(0, 0, NAT_FLOWS);
    assert_int_equal(nat_guest_flows(0), NAT_FLOWS);
    assert_int_equal(nat_guest_stats(0)->evicted, 0);
    open_udp(0, NAT_FLOWS, 100);
    assert_int_equal(nat_guest_flows(0), NAT_FLOWS);
    assert_int_equal(nat_guest_stats(0)->evicted, 100);
}

static void a_guest_that_opens_without_end_loses_its_own_oldest(void **state)
{
    struct spec theirs = udp_from(1, 1111, 53);

    (void)state;
    out(1, &theirs, NAT_OK);
    establish(1, 2222);
    open_udp(0, 0, 3 * NAT_FLOWS);
    assert_int_equal(nat_guest_flows(1), 2);
    assert_int_equal(nat_guest_stats(1)->evicted, 0);
    assert_true(is_open(1, &theirs));
    for (unsigned int n = 0; n < 3 * NAT_FLOWS; n += 97) {
        struct spec s = nth_udp(0, n);

        assert_int_equal(is_open(0, &s), n >= 2 * NAT_FLOWS + 2);
    }
}

static void a_guest_that_comes_late_gets_as_much(void **state)
{
    (void)state;
    open_udp(0, 0, 2 * NAT_FLOWS);
    open_udp(1, 0, NAT_FLOWS / 2);
    assert_int_equal(nat_guest_flows(1), NAT_FLOWS / 2);
    assert_int_equal(nat_guest_stats(1)->evicted, 0);
    open_udp(1, NAT_FLOWS / 2, NAT_FLOWS);
    open_udp(0, 0, NAT_FLOWS);
    assert_int_equal(nat_guest_flows(0), NAT_FLOWS / 2);
    assert_int_equal(nat_guest_flows(1), NAT_FLOWS / 2);
}

static void many_guests_are_sure_of_their_share(void **state)
{
    (void)state;
    for (uint8_t guest = 2; guest < NAT_GUESTS; guest++)
        assert_int_equal(nat_guest_add(guest, IDENTITY(guest), OUTSIDE), 0);
    open_udp(0, 0, 2 * NAT_FLOWS);
    for (unsigned int guest = 1; guest < NAT_GUESTS; guest++)
        open_udp(guest, 0, NAT_FLOWS / NAT_GUESTS);
    open_udp(0, 0, NAT_FLOWS);
    for (unsigned int guest = 0; guest < NAT_GUESTS; guest++) {
        assert_int_equal(nat_guest_flows((uint8_t)guest), NAT_FLOWS / NAT_GUESTS);
        if (guest > 0)
            assert_int_equal(nat_guest_stats((uint8_t)guest)->evicted, 0);
    }
}

/* First connections that are not established, queries, UDP; then the one that was idle for longest. */
static void established_connections_go_last(void **state)
{
    struct spec syn = tcp_from(0, 100, 80, SYN), ping = echo_from(0, 200),
                udp = udp_from(0, 300, 53);
    struct spec idle = tcp_from(0, 400, 80, ACK), busy = tcp_from(0, 500, 80, ACK);

    (void)state;
    establish(0, 400);
    now += SECOND;
    establish(0, 500);
    for (unsigned int n = 0; n < NAT_FLOWS - 5; n++)
        establish(0, (uint16_t)(10000 + n));
    now += SECOND;
    out(0, &udp, NAT_OK);
    now += SECOND;
    out(0, &ping, NAT_OK);
    now += SECOND;
    out(0, &syn, NAT_OK);
    out(0, &busy, NAT_OK);
    assert_int_equal(nat_guest_flows(0), NAT_FLOWS);
    assert_true(is_open(0, &syn));
    establish(0, 1000);
    assert_false(is_open(0, &syn));
    assert_true(is_open(0, &ping));
    establish(0, 1001);
    assert_false(is_open(0, &ping));
    assert_true(is_open(0, &udp));
    establish(0, 1002);
    assert_false(is_open(0, &udp));
    assert_true(is_open(0, &idle));
    establish(0, 1003);
    assert_false(is_open(0, &idle));
    assert_true(is_open(0, &busy));
    assert_int_equal(nat_guest_stats(0)->evicted, 4);
}

/* A flood of SYNs through a port forward. */
static void a_flood_from_outside_costs_the_forwards_guest_only(void **state)
{
    struct spec theirs = udp_from(0, 1111, 53);

    (void)state;
    assert_int_equal(
        nat_forward_add(OUTSIDE, IPPROTO_TCP, 80, rte_cpu_to_be_32(GUEST_ADDRESS(1)), 80), 0);
    out(0, &theirs, NAT_OK);
    establish(1, 2222);
    for (unsigned int n = 0; n < 2 * NAT_FLOWS; n++) {
        struct spec syn = tcp_from(0, (uint16_t)(1 + n), 80, SYN);

        syn.src = REMOTE + n;
        syn.dst = OUR_ADDRESS;
        in(&syn, NAT_OK);
    }
    assert_true(is_open(0, &theirs));
    theirs = tcp_from(1, 2222, 80, ACK);
    assert_true(is_open(1, &theirs));
    assert_int_equal(nat_guest_flows(0) + nat_guest_flows(1), NAT_FLOWS);
}

/* All ports of one endpoint's peers: one mapping, many flows. */
static void one_endpoint_may_have_many_flows(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < NAT_FLOWS + 10; n++) {
        struct spec s = udp_from(0, 5000, 53);

        s.dst += n;
        assert_int_equal(out(0, &s, NAT_OK).sport, 5000);
    }
    nat_guest_remove(0);
    open_udp(1, 0, 1);
    assert_int_equal(nat_guest_flows(1), 1);
}

static void a_guest_that_goes_leaves_all_to_others(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        open_udp(0, 0, NAT_FLOWS);
        nat_guest_remove(0);
        open_udp(1, 0, NAT_FLOWS);
        assert_int_equal(nat_guest_stats(1)->evicted, 0);
        nat_guest_remove(1);
        nat_fixture_start(NULL);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(one_guest_may_use_what_nobody_else_does),
        TEST(a_guest_that_opens_without_end_loses_its_own_oldest),
        TEST(a_guest_that_comes_late_gets_as_much),
        TEST(many_guests_are_sure_of_their_share),
        TEST(established_connections_go_last),
        TEST(a_flood_from_outside_costs_the_forwards_guest_only),
        TEST(one_endpoint_may_have_many_flows),
        TEST(a_guest_that_goes_leaves_all_to_others),
    };

    return cmocka_run_group_tests_name("nat_room", tests, fixture_start, NULL);
}
