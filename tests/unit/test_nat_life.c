/* SPDX-License-Identifier: BSD-2-Clause */
/* How long flows live, and how far TCP has come. */
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

#define STEP SECOND /* what is used is noted this often */

static void send_tcp(unsigned int guest, uint8_t flags)
{
    struct spec s = tcp_from(guest, 5000, 80, flags);

    out(guest, &s, NAT_OK);
}

static void receive_tcp(uint8_t flags)
{
    struct spec sent = tcp_from(0, 5000, 80, flags), back = answer(&sent);

    back.dst = OUR_ADDRESS;
    in(&back, NAT_OK);
}

static void establish(void)
{
    send_tcp(0, SYN);
    receive_tcp(SYN | ACK);
    send_tcp(0, ACK);
}

/* Does the flow end this long after now, no sooner and at most a step later? */
static void assert_lives(uint64_t seconds)
{
    struct spec sent = tcp_from(0, 5000, 80, ACK);

    sent = answer(&sent);
    nat_tick(now + seconds * SECOND - 1);
    assert_int_equal(nat_guest_flows(0), 1);
    now += seconds * SECOND + STEP;
    sent.dst = OUR_ADDRESS;
    in(&sent, NAT_LOCAL);
    nat_tick(now);
    assert_int_equal(nat_guest_flows(0), 0);
}

/* RFC 4787 REQ-5: not under 2 minutes, 5 recommended. */
static void a_udp_flow_lives_five_minutes(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), back = answer(&sent);

    (void)state;
    back.dst = OUR_ADDRESS;
    out(0, &sent, NAT_OK);
    now += 300 * SECOND - 1;
    in(&back, NAT_OK);
    now += STEP + 1;
    in(&back, NAT_LOCAL);
}

/* RFC 4787 REQ-6: outbound packets prolong it; inbound ones do not here. */
static void what_a_guest_sends_prolongs_a_udp_flow(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), back = answer(&sent);

    (void)state;
    back.dst = OUR_ADDRESS;
    out(0, &sent, NAT_OK);
    now += 200 * SECOND;
    out(0, &sent, NAT_OK);
    now += 299 * SECOND;
    in(&back, NAT_OK);
    now += 2 * SECOND;
    in(&back, NAT_LOCAL);
}

/* RFC 5508 REQ-2: not under 60 seconds. */
static void a_query_lives_a_minute(void **state)
{
    struct spec sent = echo_from(0, 77), back;

    (void)state;
    out(0, &sent, NAT_OK);
    back = answer(&sent);
    back.dst = OUR_ADDRESS;
    now += 60 * SECOND - 1;
    in(&back, NAT_OK);
    now += STEP + 1;
    in(&back, NAT_LOCAL);
}

/* RFC 5382 REQ-5: established 2 hours 4 minutes, else 4 minutes. */
static void an_established_connection_lives_two_hours_four_minutes(void **state)
{
    (void)state;
    establish();
    assert_lives(2 * 3600 + 4 * 60);
}

static void both_sides_prolong_a_connection(void **state)
{
    (void)state;
    establish();
    for (unsigned int i = 0; i < 5; i++) {
        now += 7000 * SECOND;
        if (i & 1)
            receive_tcp(ACK);
        else
            send_tcp(0, ACK);
    }
    assert_lives(7440);
}

static void a_connection_that_does_not_open_lives_four_minutes(void **state)
{
    (void)state;
    send_tcp(0, SYN);
    now += 100 * SECOND;
    send_tcp(0, SYN);
    assert_lives(240);
}

/* RFC 5382 REQ-2: SYNs cross. */
static void a_simultaneous_open_is_a_connection(void **state)
{
    (void)state;
    send_tcp(0, SYN);
    receive_tcp(SYN);
    send_tcp(0, SYN | ACK);
    receive_tcp(SYN | ACK);
    assert_lives(7440);
}

static void a_half_closed_connection_lives_on(void **state)
{
    (void)state;
    establish();
    send_tcp(0, FIN | ACK);
    send_tcp(0, FIN | ACK); /* sent again */
    receive_tcp(ACK);
    assert_lives(7440);
}

static void a_closed_connection_lives_four_minutes_whatever_comes(void **state)
{
    (void)state;
    for (unsigned int first = 0; first < 2; first++) {
        nat_fixture_start(NULL);
        establish();
        if (first)
            receive_tcp(FIN | ACK);
        send_tcp(0, FIN | ACK);
        if (!first)
            receive_tcp(FIN | ACK);
        now += 100 * SECOND;
        send_tcp(0, ACK);
        receive_tcp(ACK);
        receive_tcp(FIN | ACK);
        assert_lives(140);
    }
}

static void a_reset_connection_lives_four_minutes(void **state)
{
    (void)state;
    establish();
    receive_tcp(RST);
    now += 100 * SECOND;
    receive_tcp(RST);
    assert_lives(140);
}

/* RFC 7857, 2.2: a RST that its receiver ignored, as it was forged. */
static void a_connection_that_goes_on_after_a_reset_lives(void **state)
{
    (void)state;
    establish();
    receive_tcp(RST);
    now += 200 * SECOND;
    send_tcp(0, ACK);
    assert_lives(7440);
}

static void ports_are_used_again_after_a_close(void **state)
{
    (void)state;
    establish();
    send_tcp(0, FIN | ACK);
    receive_tcp(FIN | ACK);
    now += 200 * SECOND;
    establish();
    assert_lives(7440);
    now = START + 100000 * SECOND;
    nat_fixture_start(NULL);
    establish();
    send_tcp(0, RST);
    now += 200 * SECOND;
    establish();
    assert_lives(7440);
}

static void a_refused_connection_lives_four_minutes(void **state)
{
    (void)state;
    send_tcp(0, SYN);
    receive_tcp(RST | ACK);
    assert_lives(240);
}

/* What lets connections survive the loss of the table: as Linux, nf_conntrack_tcp_loose. */
static void a_connection_is_picked_up_in_its_midst(void **state)
{
    (void)state;
    send_tcp(0, ACK);
    assert_int_equal(nat_guest_flows(0), 1);
    receive_tcp(ACK);
    assert_lives(7440);
}

static void a_connection_picked_up_is_one_if_the_other_side_says_so(void **state)
{
    (void)state;
    send_tcp(0, ACK);
    now += 100 * SECOND;
    send_tcp(0, ACK);
    assert_lives(240);
}

static void a_connection_picked_up_that_the_other_side_does_not_know_ends(void **state)
{
    (void)state;
    send_tcp(0, ACK);
    receive_tcp(RST);
    assert_lives(240);
}

static void a_connection_is_picked_up_with_its_own_port_or_not_at_all(void **state)
{
    struct spec other = tcp_from(1, 5000, 80, SYN), sent = tcp_from(0, 5000, 80, ACK);
    struct spec low = tcp_from(0, 80, 5000, ACK);

    (void)state;
    out(1, &other, NAT_OK);
    out(0, &sent, NAT_DROP);
    out(0, &low, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_NO_PORT], 2);
    assert_int_equal(nat_guest_flows(0), 0);
}

static void what_belongs_to_no_connection_opens_none(void **state)
{
    const uint8_t flags[] = { RST, RST | ACK, SYN | ACK, SYN | RST, 0, FIN, SYN | RST | ACK };

    (void)state;
    for (unsigned int i = 0; i < sizeof(flags); i++) {
        struct spec sent = tcp_from(0, 5000, 80, flags[i]);

        out(0, &sent, NAT_DROP);
    }
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_NO_FLOW], sizeof(flags));
    assert_int_equal(nat_guest_flows(0), 0);
}

/* RFC 5382 REQ-4 a: silence. */
static void an_unsolicited_syn_is_left_to_the_domain(void **state)
{
    struct spec sent = tcp_from(0, 5000, 80, SYN);

    (void)state;
    sent.src = REMOTE;
    sent.dst = OUR_ADDRESS;
    in(&sent, NAT_LOCAL);
}

static void a_port_is_free_when_its_flows_have_ended(void **state)
{
    struct spec a = udp_from(0, 5000, 53), b = udp_from(1, 5000, 53), again = udp_from(0, 5000, 54);

    (void)state;
    out(0, &a, NAT_OK);
    now += 200 * SECOND;
    out(0, &again, NAT_OK);
    now += 150 * SECOND; /* the first has ended, the second has not */
    nat_tick(now);
    assert_int_equal(nat_guest_flows(0), 1);
    assert_int_not_equal(out(1, &b, NAT_OK).sport, 5000);
    nat_tick(now + 400 * SECOND);
    assert_int_equal(nat_guest_flows(0), 0);
    assert_int_equal(nat_guest_flows(1), 0);
    assert_int_equal(out(1, &b, NAT_OK).sport, 5000);
}

static void a_tick_says_when_the_next_is_due(void **state)
{
    struct spec udp = udp_from(0, 5000, 53), ping = echo_from(0, 77);

    (void)state;
    assert_true(nat_tick(now) == UINT64_MAX);
    out(0, &udp, NAT_OK);
    assert_true(nat_tick(now) == now + 301 * SECOND);
    out(0, &ping, NAT_OK);
    assert_true(nat_tick(now) == now + 61 * SECOND);
    assert_true(nat_tick(now + 61 * SECOND) == now + 301 * SECOND);
    assert_int_equal(nat_guest_flows(0), 1);
    assert_true(nat_tick(now + 301 * SECOND) == UINT64_MAX);
    assert_int_equal(nat_guest_flows(0), 0);
}

static void a_tick_ends_many_flows_in_several_goes(void **state)
{
    unsigned int nr = 0;

    (void)state;
    for (uint16_t i = 0; i < 1000; i++) {
        struct spec sent = udp_from(i & 1, (uint16_t)(5000 + i), 53);

        out(i & 1, &sent, NAT_OK);
    }
    now += 301 * SECOND;
    while (nat_tick(now) <= now)
        nr++;
    assert_int_equal(nr, 3);
    assert_int_equal(nat_guest_flows(0) + nat_guest_flows(1), 0);
}

/* Only who opens it prolongs a connection that is not open yet. */
static void what_comes_in_does_not_prolong_an_opening(void **state)
{
    (void)state;
    send_tcp(0, SYN);
    now += 100 * SECOND;
    receive_tcp(ACK);
    assert_lives(140);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(a_udp_flow_lives_five_minutes),
        TEST(what_a_guest_sends_prolongs_a_udp_flow),
        TEST(a_query_lives_a_minute),
        TEST(an_established_connection_lives_two_hours_four_minutes),
        TEST(both_sides_prolong_a_connection),
        TEST(a_connection_that_does_not_open_lives_four_minutes),
        TEST(a_simultaneous_open_is_a_connection),
        TEST(a_half_closed_connection_lives_on),
        TEST(a_closed_connection_lives_four_minutes_whatever_comes),
        TEST(a_reset_connection_lives_four_minutes),
        TEST(a_connection_that_goes_on_after_a_reset_lives),
        TEST(ports_are_used_again_after_a_close),
        TEST(a_refused_connection_lives_four_minutes),
        TEST(a_connection_is_picked_up_in_its_midst),
        TEST(a_connection_picked_up_is_one_if_the_other_side_says_so),
        TEST(a_connection_picked_up_that_the_other_side_does_not_know_ends),
        TEST(a_connection_is_picked_up_with_its_own_port_or_not_at_all),
        TEST(what_belongs_to_no_connection_opens_none),
        TEST(an_unsolicited_syn_is_left_to_the_domain),
        TEST(a_port_is_free_when_its_flows_have_ended),
        TEST(a_tick_says_when_the_next_is_due),
        TEST(a_tick_ends_many_flows_in_several_goes),
        TEST(what_comes_in_does_not_prolong_an_opening),
    };

    return cmocka_run_group_tests_name("nat_life", tests, fixture_start, NULL);
}
