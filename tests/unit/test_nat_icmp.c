/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors and the packets embedded in them: RFC 5508. */
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

#define ROUTER 0x0a636363u /* somewhere on the way */

static struct spec error_about(const struct spec *packet, uint32_t from, uint32_t to)
{
    return (struct spec){ .protocol = IPPROTO_ICMP,
                          .src = from,
                          .dst = to,
                          .type = 3,
                          .code = 4,
                          .sport = 0,
                          .embedded = packet };
}

/* Translate an error that comes in, or that guest 0 sends; what is embedded goes to embedded_r. */
static struct spec pass(const struct spec *error, bool is_out, enum nat_verdict verdict,
                        struct spec *embedded_r)
{
    struct rte_mbuf *frame = spec_frame(error);
    struct spec result;

    if (is_out)
        assert_int_equal(nat_out(0, frame, now, &last_guest), verdict);
    else
        assert_int_equal(nat_in(OUTSIDE, frame, now, &last_guest), verdict);
    result = spec_of(frame);
    *embedded_r = spec_embedded(frame);
    rte_pktmbuf_free(frame);
    return result;
}

static struct spec sent_by_guest(unsigned int i)
{
    const struct spec sent[] = { udp_from(0, 5000, 53), tcp_from(0, 5000, 80, SYN),
                                 echo_from(0, 5000) };

    return sent[i];
}

/* Guest 1 takes the ports, so that guest 0 has others outside. */
static struct spec open_flow(unsigned int i)
{
    struct spec first = sent_by_guest(i), sent = first;

    first.src = GUEST_ADDRESS(1);
    out(1, &first, NAT_OK);
    sent = out(0, &sent, NAT_OK);
    assert_int_not_equal(sent.sport, first.sport);
    return sent;
}

/* RFC 5508 REQ-4. */
static void an_error_about_what_left_comes_to_its_guest(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct spec outside = open_flow(i), error = error_about(&outside, ROUTER, OUR_ADDRESS),
                    inner, is;
        struct spec sent = sent_by_guest(i);

        is = pass(&error, false, NAT_OK, &inner);
        assert_int_equal(last_guest, 0);
        assert_int_equal(is.src, ROUTER);
        assert_int_equal(is.dst, GUEST_ADDRESS(0));
        assert_int_equal(is.type, 3);
        assert_false(is.wrong_checksum);
        assert_true(spec_is_same(&inner, &sent));
    }
}

/* As little as RFC 792 asks for: the IP header and 8 bytes; and any length between. */
static void an_embedded_packet_may_be_cut_off(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct spec outside = open_flow(i);

        for (uint16_t len = 1; len < 48; len++) {
            struct spec error = error_about(&outside, ROUTER, OUR_ADDRESS), inner, is;

            error.embedded_bytes = len;
            if (len < 28) {
                assert_int_equal(try_in(&error, NULL), NAT_DROP);
                continue;
            }
            is = pass(&error, false, NAT_OK, &inner);
            assert_false(is.wrong_checksum);
            assert_false(inner.wrong_checksum);
            assert_int_equal(inner.src, GUEST_ADDRESS(0));
            assert_int_equal(inner.sport, 5000);
        }
    }
    assert_int_equal(nat_outside_stats(OUTSIDE)->dropped[NAT_BAD], 3 * 27);
}

static void embedded_options_are_stepped_over(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct spec outside = open_flow(i), error, inner, is;

        outside.ip_options = 40;
        error = error_about(&outside, ROUTER, OUR_ADDRESS);
        error.ip_options = 12;
        is = pass(&error, false, NAT_OK, &inner);
        assert_false(is.wrong_checksum);
        assert_false(inner.wrong_checksum);
        assert_int_equal(inner.sport, 5000);
    }
}

static void embedded_checksums_of_none_or_of_no_worth_stay(void **state)
{
    struct spec outside = open_flow(0), error = error_about(&outside, ROUTER, OUR_ADDRESS), inner,
                is;

    (void)state;
    outside.no_checksum = true;
    is = pass(&error, false, NAT_OK, &inner);
    assert_true(inner.no_checksum);
    assert_false(is.wrong_checksum);
    outside.no_checksum = false;
    outside.wrong_checksum = true;
    is = pass(&error, false, NAT_OK, &inner);
    assert_true(inner.wrong_checksum);
    assert_false(is.wrong_checksum);
}

/* RFC 5508 REQ-5. */
static void an_error_of_a_guest_leaves_as_the_outsides(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct spec outside = open_flow(i), got = answer(&outside), inside, error, inner, is;

        got.flags = got.flags ? SYN | ACK : 0;
        inside = in(&got, NAT_OK);
        error = error_about(&inside, GUEST_ADDRESS(0), REMOTE);
        is = pass(&error, true, NAT_OK, &inner);
        assert_int_equal(is.src, OUR_ADDRESS);
        assert_int_equal(is.dst, REMOTE);
        assert_false(is.wrong_checksum);
        assert_true(spec_is_same(&inner, &got));
    }
}

/* From a machine behind the guest, or with an address that is none of the guest's. */
static void an_error_from_elsewhere_inside_leaves_as_the_outsides_too(void **state)
{
    struct spec outside = open_flow(0), got = answer(&outside), inside = in(&got, NAT_OK), inner;
    struct spec error = error_about(&inside, GUEST_ADDRESS(40), REMOTE);

    (void)state;
    assert_int_equal(pass(&error, true, NAT_OK, &inner).src, OUR_ADDRESS);
}

static void errors_of_other_kinds_pass_too(void **state)
{
    const uint8_t types[] = { 3, 11, 12 };
    struct spec outside = open_flow(0), error = error_about(&outside, ROUTER, OUR_ADDRESS), inner;

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        error.type = types[i];
        error.code = 0;
        pass(&error, false, NAT_OK, &inner);
    }
    error.type = 4; /* source quench, RFC 6633 */
    pass(&error, false, NAT_LOCAL, &inner);
    error.type = 5; /* redirect */
    pass(&error, false, NAT_LOCAL, &inner);
}

static void an_error_about_no_flow_stays_as_it_is(void **state)
{
    struct spec outside = open_flow(0), other = outside,
                error = error_about(&other, ROUTER, OUR_ADDRESS);
    struct spec inner, is;

    (void)state;
    other.dport++;
    is = pass(&error, false, NAT_LOCAL, &inner);
    assert_int_equal(is.dst, OUR_ADDRESS);
    assert_true(spec_is_same(&inner, &other));
    other = outside;
    other.src++;
    pass(&error, false, NAT_LOCAL, &inner);
    other = outside;
    other.offset = 8;
    pass(&error, false, NAT_LOCAL, &inner);
    other = outside;
    other.protocol = IPPROTO_TCP;
    pass(&error, false, NAT_LOCAL, &inner);
    error.src = GUEST_ADDRESS(0);
    error.dst = REMOTE;
    pass(&error, true, NAT_DROP, &inner);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_NO_FLOW], 1);
}

/* A guest's error is about its own flows only. */
static void an_error_about_anothers_flow_is_dropped(void **state)
{
    struct spec sent = udp_from(1, 5000, 53), got = answer(&sent), inner;
    struct spec error = error_about(&got, GUEST_ADDRESS(0), REMOTE);

    (void)state;
    out(1, &sent, NAT_OK);
    pass(&error, true, NAT_DROP, &inner);
}

static void an_error_about_an_error_is_about_nothing(void **state)
{
    struct spec outside = open_flow(0), inner;
    struct spec error = error_about(&outside, OUR_ADDRESS, ROUTER);
    struct spec second = error_about(&error, ROUTER, OUR_ADDRESS);

    (void)state;
    pass(&second, false, NAT_LOCAL, &inner);
}

/* RFC 5508 REQ-3. */
static void an_error_with_a_wrong_checksum_is_dropped(void **state)
{
    struct spec outside = open_flow(0), error = error_about(&outside, ROUTER, OUR_ADDRESS), inner;

    (void)state;
    error.wrong_checksum = true;
    pass(&error, false, NAT_DROP, &inner);
    assert_int_equal(nat_outside_stats(OUTSIDE)->dropped[NAT_BAD], 1);
}

/* RFC 5508 REQ-6, RFC 4787 REQ-12, RFC 5382 REQ-10: neither prolonged nor ended. */
static void an_error_leaves_its_flow_as_it_is(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), outside = out(0, &sent, NAT_OK),
                back = answer(&outside);
    struct spec error = error_about(&outside, ROUTER, OUR_ADDRESS), inner;

    (void)state;
    now += 299 * SECOND;
    pass(&error, false, NAT_OK, &inner);
    in(&back, NAT_OK);
    now += 2 * SECOND;
    pass(&error, false, NAT_LOCAL, &inner);
    in(&back, NAT_LOCAL);
}

/* What lies behind the packet, or in another segment, is not of the message. */
static void padding_is_not_part_of_an_error(void **state)
{
    struct spec outside = open_flow(0), error = error_about(&outside, ROUTER, OUR_ADDRESS);
    struct rte_mbuf *frame = spec_frame(&error);

    (void)state;
    memset(rte_pktmbuf_append(frame, 7), 0xee, 7);
    assert_int_equal(nat_in(OUTSIDE, frame, now, &last_guest), NAT_OK);
    rte_pktmbuf_free(frame);
}

static void an_embedded_packet_in_another_segment_is_bad(void **state)
{
    struct spec outside = open_flow(0), error = error_about(&outside, ROUTER, OUR_ADDRESS);

    (void)state;
    for (uint32_t chunk = 14 + 20 + 8; chunk < 14 + 20 + 8 + 20 + 20; chunk++) {
        struct rte_mbuf *frame = frame_chop(spec_frame(&error), chunk);
        bool is_there = chunk >= 14 + 20 + 8 + 28;
        uint8_t first[14 + 20 + 8 + 28];

        memcpy(first, rte_pktmbuf_mtod(frame, void *), 14 + 20 + 8);
        frame->packet_type = 0;
        frame_parse(frame);
        assert_int_equal(nat_in(OUTSIDE, frame, now, &last_guest), is_there ? NAT_OK : NAT_DROP);
        if (!is_there)
            assert_memory_equal(first, rte_pktmbuf_mtod(frame, void *), 14 + 20 + 8);
        rte_pktmbuf_free(frame);
    }
}

static void an_error_is_turned_between_guests(void **state)
{
    struct spec sent = udp_from(1, 5000, 53), inside, error, inner, is;

    (void)state;
    assert_int_equal(
        nat_forward_add(OUTSIDE, IPPROTO_UDP, 53, rte_cpu_to_be_32(GUEST_ADDRESS(0)), 5353), 0);
    sent.dst = OUR_ADDRESS;
    inside = out(1, &sent, NAT_TURNED);
    assert_int_equal(last_guest, 0);
    error = error_about(&inside, GUEST_ADDRESS(0), OUR_ADDRESS);
    is = pass(&error, true, NAT_TURNED, &inner);
    assert_int_equal(last_guest, 1);
    assert_int_equal(is.src, OUR_ADDRESS);
    assert_int_equal(is.dst, GUEST_ADDRESS(1));
    assert_false(is.wrong_checksum);
    assert_true(spec_is_same(&inner, &sent));
}

/* Its payload looks like the ports of a flow. */
static void an_error_about_a_later_fragment_is_about_nothing(void **state)
{
    struct spec outside = open_flow(0), error = error_about(&outside, ROUTER, OUR_ADDRESS);
    struct rte_mbuf *frame = spec_frame(&error);
    uint8_t *embedded = rte_pktmbuf_mtod_offset(frame, uint8_t *, 14 + 20 + 8);

    (void)state;
    /* An offset of 8, and the checksum that covers it. */
    embedded[7] = 1;
    rte_pktmbuf_mtod_offset(frame, uint8_t *, 14 + 20)[3] -= 1;
    assert_int_equal(nat_in(OUTSIDE, frame, now, &last_guest), NAT_LOCAL);
    rte_pktmbuf_free(frame);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(an_error_about_what_left_comes_to_its_guest),
        TEST(an_embedded_packet_may_be_cut_off),
        TEST(embedded_options_are_stepped_over),
        TEST(embedded_checksums_of_none_or_of_no_worth_stay),
        TEST(an_error_of_a_guest_leaves_as_the_outsides),
        TEST(an_error_from_elsewhere_inside_leaves_as_the_outsides_too),
        TEST(errors_of_other_kinds_pass_too),
        TEST(an_error_about_no_flow_stays_as_it_is),
        TEST(an_error_about_anothers_flow_is_dropped),
        TEST(an_error_about_an_error_is_about_nothing),
        TEST(an_error_with_a_wrong_checksum_is_dropped),
        TEST(an_error_leaves_its_flow_as_it_is),
        TEST(padding_is_not_part_of_an_error),
        TEST(an_embedded_packet_in_another_segment_is_bad),
        TEST(an_error_is_turned_between_guests),
        TEST(an_error_about_a_later_fragment_is_about_nothing),
    };

    return cmocka_run_group_tests_name("nat_icmp", tests, fixture_start, NULL);
}
