/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows of guests that are routed, and what rules are told of those that are translated. */
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

#define ROUTED 5

static int start(void **state)
{
    nat_fixture_start(state);
    assert_int_equal(nat_guest_add(ROUTED, IDENTITY(ROUTED), NAT_NO_OUTSIDE), 0);
    return 0;
}

static int track(unsigned int guest, const struct spec *spec, bool from_guest)
{
    struct rte_mbuf *frame = spec_frame(spec);
    int verdict = nat_track((uint8_t)guest, frame, from_guest, now);

    if (verdict != NAT_TRACK_HELD)
        rte_pktmbuf_free(frame);
    return verdict;
}

static int open_flow(const struct spec *spec, bool from_guest)
{
    struct rte_mbuf *frame = spec_frame(spec);
    int error = nat_track_open(ROUTED, frame, from_guest, now);

    rte_pktmbuf_free(frame);
    return error;
}

static struct spec nth(unsigned int i, bool v6)
{
    struct spec s[] = { udp_from(ROUTED, 5000, 53), tcp_from(ROUTED, 5000, 80, SYN),
                        echo_from(ROUTED, 77), udp_from(ROUTED, 0, 0) };

    s[2].protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    s[2].type = v6 ? 128 : 8;
    s[3].protocol = 132; /* SCTP: by its addresses only */
    s[i].v6 = v6;
    return s[i];
}

/* UDP, TCP, echo and others, from the guest and to it, IPv4 and IPv6. */
static void a_flow_is_known_in_both_directions_when_it_was_opened(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 16; i++) {
        bool from_guest = i & 1;
        struct spec sent = nth(i / 4, i & 2), back = answer(&sent), bad;

        start(NULL);
        back.flags = sent.flags ? SYN | ACK : 0;
        assert_int_equal(track(ROUTED, &sent, from_guest), NAT_TRACK_NEW);
        assert_int_equal(track(ROUTED, &sent, from_guest), NAT_TRACK_NEW);
        assert_int_equal(nat_guest_flows(ROUTED), 0);
        assert_int_equal(open_flow(&sent, from_guest), 0);
        assert_int_equal(nat_guest_flows(ROUTED), 1);
        assert_int_equal(track(ROUTED, &sent, from_guest), NAT_TRACK_KNOWN);
        assert_int_equal(track(ROUTED, &back, !from_guest), NAT_TRACK_KNOWN);
        assert_int_equal(track(ROUTED, &back, from_guest), NAT_TRACK_NEW);
        assert_int_equal(track(0, &sent, from_guest), NAT_TRACK_NEW);
        bad = back;
        bad.src++;
        assert_int_equal(track(ROUTED, &bad, !from_guest), NAT_TRACK_NEW);
        bad = back;
        bad.dst++;
        assert_int_equal(track(ROUTED, &bad, !from_guest), NAT_TRACK_NEW);
        if (i / 4 == 3)
            continue;
        bad = back;
        bad.sport++;
        assert_int_equal(track(ROUTED, &bad, !from_guest), NAT_TRACK_NEW);
        assert_int_equal(nat_guest_stats(ROUTED)->opened, 1);
        assert_int_equal(nat_guest_stats(ROUTED)->out_frames, 1);
        assert_int_equal(nat_guest_stats(ROUTED)->in_frames, 1);
    }
}

static void ipv4_and_ipv6_are_told_apart(void **state)
{
    struct spec sent = nth(0, false), same = nth(0, true);
    struct rte_mbuf *frame = spec_frame(&same);
    uint8_t *ip = rte_pktmbuf_mtod_offset(frame, uint8_t *, 14);
    rte_be32_t src = rte_cpu_to_be_32(sent.src), dst = rte_cpu_to_be_32(sent.dst);

    (void)state;
    assert_int_equal(open_flow(&sent, true), 0);
    assert_int_equal(track(ROUTED, &same, true), NAT_TRACK_NEW);
    /* As like an IPv4 address as can be. */
    memset(ip + 8, 0, 32);
    memcpy(ip + 8, &src, 4);
    memcpy(ip + 24, &dst, 4);
    assert_int_equal(nat_track(ROUTED, frame, true, now), NAT_TRACK_NEW);
    rte_pktmbuf_free(frame);
}

/* Each asks the other with the same id. */
static void queries_of_both_sides_are_told_apart(void **state)
{
    struct spec ours = nth(2, false), theirs = answer(&ours), reply = theirs;

    (void)state;
    theirs.type = 8;
    assert_int_equal(open_flow(&ours, true), 0);
    assert_int_equal(track(ROUTED, &reply, false), NAT_TRACK_KNOWN);
    assert_int_equal(track(ROUTED, &theirs, false), NAT_TRACK_NEW);
    assert_int_equal(open_flow(&theirs, false), 0);
    assert_int_equal(track(ROUTED, &theirs, false), NAT_TRACK_KNOWN);
    ours = answer(&theirs);
    ours.type = 0;
    assert_int_equal(track(ROUTED, &ours, true), NAT_TRACK_KNOWN);
}

static void what_both_sides_send_prolongs_a_flow(void **state)
{
    struct spec sent = nth(0, true), back = answer(&sent);

    (void)state;
    assert_int_equal(open_flow(&sent, true), 0);
    for (unsigned int i = 0; i < 4; i++) {
        now += 299 * SECOND;
        assert_int_equal(track(ROUTED, &back, false), NAT_TRACK_KNOWN);
    }
    now += 301 * SECOND;
    assert_int_equal(track(ROUTED, &back, false), NAT_TRACK_NEW);
}

static void a_connection_is_followed(void **state)
{
    struct spec sent = nth(1, false), back = answer(&sent);

    (void)state;
    back.flags = SYN | ACK;
    assert_int_equal(open_flow(&sent, true), 0);
    assert_int_equal(track(ROUTED, &back, false), NAT_TRACK_KNOWN);
    now += 7440 * SECOND;
    assert_int_equal(track(ROUTED, &back, false), NAT_TRACK_KNOWN);
    back.flags = RST;
    assert_int_equal(track(ROUTED, &back, false), NAT_TRACK_KNOWN);
    now += 241 * SECOND;
    assert_int_equal(track(ROUTED, &sent, true), NAT_TRACK_NEW);
}

/* Rules that let it pass are asked again for each. */
static void what_can_begin_no_flow_opens_none(void **state)
{
    struct spec rst = nth(1, false), reply = nth(2, true), other = nth(2, true);

    (void)state;
    rst.flags = RST;
    reply.type = 129;
    other.type = 135; /* neighbour solicitation */
    assert_int_equal(open_flow(&rst, true), 0);
    assert_int_equal(open_flow(&reply, true), 0);
    assert_int_equal(track(ROUTED, &other, true), NAT_TRACK_NEW);
    assert_int_equal(open_flow(&other, true), 0);
    assert_int_equal(nat_guest_flows(ROUTED), 0);
}

static void errors_about_a_flow_are_known(void **state)
{
    const uint8_t types4[] = { 3, 11, 12 }, types6[] = { 1, 2, 3, 4 };

    (void)state;
    for (unsigned int i = 0; i < 8 * 4; i++) {
        bool v6 = i & 1, from_guest = i & 2;
        struct spec sent = nth(i / 8 % 3, v6), error = nth(2, v6);

        start(NULL);
        error.type = v6 ? types6[i / 2 % 4] : types4[i / 2 % 3];
        error.sport = 0;
        error.src = REMOTE + 99;
        error.dst = sent.src;
        error.embedded = &sent;
        assert_int_equal(track(ROUTED, &error, !from_guest), NAT_TRACK_NEW);
        assert_int_equal(open_flow(&sent, from_guest), 0);
        assert_int_equal(track(ROUTED, &error, !from_guest), NAT_TRACK_KNOWN);
        sent.dst++;
        assert_int_equal(track(ROUTED, &error, !from_guest), NAT_TRACK_NEW);
        error.embedded_bytes = 27;
        assert_int_equal(track(ROUTED, &error, !from_guest), -NAT_BAD);
    }
}

static void fragments_go_the_way_of_their_first(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        bool from_guest = i & 1;
        struct spec first = nth(0, i & 2), later = first;
        struct rte_mbuf *frame;

        start(NULL);
        first.more_fragments = true;
        first.dont_fragment = later.dont_fragment = false;
        first.id = later.id = 7;
        first.payload = 16;
        later.offset = 24;
        assert_int_equal(track(ROUTED, &later, from_guest), NAT_TRACK_HELD);
        assert_int_equal(track(ROUTED, &first, from_guest), NAT_TRACK_NEW);
        assert_null(nat_released());
        assert_int_equal(open_flow(&first, from_guest), 0);
        frame = nat_released();
        assert_non_null(frame);
        assert_null(nat_released());
        rte_pktmbuf_free(frame);
        assert_int_equal(track(ROUTED, &later, from_guest), NAT_TRACK_KNOWN);
        assert_int_equal(track(ROUTED, &later, !from_guest), NAT_TRACK_HELD);
        first.sport++;
        assert_int_equal(track(ROUTED, &first, from_guest), -NAT_FRAGMENT);
        assert_int_equal(open_flow(&first, from_guest), -NAT_FRAGMENT);
        nat_tick(now + 2 * SECOND);
        assert_int_equal(fixture_in_use(), 0);
    }
}

/* What a guest that is translated sends first is judged by rules, then known. */
static void a_translated_flow_is_known(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), back = answer(&sent);

    (void)state;
    assert_int_equal(track(0, &sent, true), NAT_TRACK_NEW);
    out(0, &sent, NAT_OK);
    assert_int_equal(track(0, &sent, true), NAT_TRACK_KNOWN);
    assert_int_equal(track(0, &back, false), NAT_TRACK_KNOWN);
    assert_int_equal(nat_guest_stats(0)->out_frames, 1);
}

/* The guest's rules let a frame pass. */
static void admit(uint8_t guest, const struct spec *spec)
{
    struct rte_mbuf *frame = spec_frame(spec);

    assert_int_equal(nat_track_open(guest, frame, false, now), 0);
    rte_pktmbuf_free(frame);
}

static void a_forwarded_flow_is_new_until_it_is_let_through(void **state)
{
    struct spec syn = tcp_from(0, 4000, 80, SYN), inside, back;

    (void)state;
    assert_int_equal(
        nat_forward_add(OUTSIDE, IPPROTO_TCP, 80, rte_cpu_to_be_32(GUEST_ADDRESS(0)), 8080), 0);
    syn.src = REMOTE;
    syn.dst = OUR_ADDRESS;
    for (unsigned int i = 0; i < 2; i++) {
        inside = in(&syn, NAT_OK);
        assert_int_equal(track(0, &inside, false), NAT_TRACK_NEW);
    }
    back = answer(&inside);
    back.flags = SYN | ACK;
    assert_int_equal(track(0, &back, true),
                     NAT_TRACK_NEW); /* no answer to what was not let through */
    admit(0, &inside);
    assert_int_equal(track(0, &inside, false), NAT_TRACK_KNOWN);
    assert_int_equal(track(0, &back, true), NAT_TRACK_KNOWN);
    out(0, &back, NAT_OK);
    syn.flags = ACK;
    inside = in(&syn, NAT_OK);
    assert_int_equal(track(0, &inside, false), NAT_TRACK_KNOWN);
}

static void opening_does_nothing_for_guests_that_are_translated(void **state)
{
    struct spec sent = udp_from(0, 5000, 53);
    struct rte_mbuf *frame = spec_frame(&sent);

    (void)state;
    assert_int_equal(nat_track_open(0, frame, true, now), 0);
    assert_int_equal(nat_guest_flows(0), 0);
    rte_pktmbuf_free(frame);
}

static void bad_frames_and_guests_are_refused(void **state)
{
    struct spec sent = nth(0, true);
    struct rte_mbuf *frame = frame_make(station(1), station(2), 100);

    (void)state;
    frame_parse(frame);
    assert_int_equal(nat_track(ROUTED, frame, true, now), -NAT_BAD);
    assert_int_equal(nat_track_open(ROUTED, frame, true, now), -NAT_BAD);
    rte_pktmbuf_free(frame);
    assert_int_equal(nat_guest_stats(ROUTED)->dropped[NAT_BAD], 2);
    assert_int_equal(track(ROUTED + 1, &sent, true), -NAT_NO_FLOW);
    assert_int_equal(track(NAT_GUESTS, &sent, true), -NAT_NO_FLOW);
    out(ROUTED, &sent, NAT_DROP);
    assert_int_equal(nat_guest_stats(ROUTED)->dropped[NAT_NO_ADDRESS], 1);
}

/* As a ping with id 0 would look. */
static void an_error_about_an_error_is_about_nothing(void **state)
{
    struct spec ping = nth(2, false), error = ping, second = ping;

    (void)state;
    ping.src = REMOTE;
    ping.dst = GUEST_ADDRESS(ROUTED);
    ping.sport = 0;
    assert_int_equal(open_flow(&ping, false), 0);
    error.type = second.type = 3;
    error.sport = second.sport = 0;
    error.embedded = &ping;
    second.src = REMOTE;
    second.dst = GUEST_ADDRESS(ROUTED);
    second.embedded = &error;
    assert_int_equal(track(ROUTED, &second, false), NAT_TRACK_NEW);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(a_flow_is_known_in_both_directions_when_it_was_opened),
        TEST(ipv4_and_ipv6_are_told_apart),
        TEST(queries_of_both_sides_are_told_apart),
        TEST(what_both_sides_send_prolongs_a_flow),
        TEST(a_connection_is_followed),
        TEST(what_can_begin_no_flow_opens_none),
        TEST(errors_about_a_flow_are_known),
        TEST(fragments_go_the_way_of_their_first),
        TEST(a_translated_flow_is_known),
        TEST(a_forwarded_flow_is_new_until_it_is_let_through),
        TEST(opening_does_nothing_for_guests_that_are_translated),
        TEST(bad_frames_and_guests_are_refused),
        TEST(an_error_about_an_error_is_about_nothing),
    };

    return cmocka_run_group_tests_name("nat_track", tests, fixture_start, NULL);
}
