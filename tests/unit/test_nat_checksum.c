/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums of what is translated. */
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

/* Every length, and headers with options: what was right is right. */
static void checksums_stay_right(void **state)
{
    const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };

    (void)state;
    for (unsigned int i = 0; i < 3 * 64 * 3; i++) {
        struct spec sent = udp_from(1, (uint16_t)(5000 + i), 53), first = sent, outside, back;

        first.src = GUEST_ADDRESS(0);
        sent.protocol = first.protocol = protocols[i % 3];
        sent.flags = first.flags = sent.protocol == IPPROTO_TCP ? SYN : 0;
        sent.type = first.type = sent.protocol == IPPROTO_ICMP ? 8 : 0;
        sent.dport = first.dport = sent.protocol == IPPROTO_ICMP ? 0 : 53;
        sent.payload = (uint16_t)(i / 3 % 64);
        sent.ip_options = (uint8_t)(i / 192 * 20);
        out(0, &first, NAT_OK); /* takes the port */
        outside = out(1, &sent, NAT_OK);
        assert_int_not_equal(outside.sport, sent.sport);
        assert_translated(&sent, &outside, outside.sport);
        back = answer(&outside);
        back.flags = back.flags ? SYN | ACK : 0;
        outside = in(&back, NAT_OK);
        assert_false(outside.wrong_checksum);
        assert_int_equal(outside.protocol == IPPROTO_ICMP ? outside.sport : outside.dport,
                         sent.sport);
    }
}

/* RFC 768: no checksum is none afterwards; one that comes out as 0 is sent as 0xffff. */
static void udp_without_checksum_stays_so(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), is;

    (void)state;
    sent.no_checksum = true;
    is = out(0, &sent, NAT_OK);
    assert_translated(&sent, &is, 5000);
    sent = answer(&is);
    is = in(&sent, NAT_OK);
    assert_true(is.no_checksum);
}

/* Among all values of a payload word there is one for which the sum comes out as 0. */
static void a_udp_checksum_is_never_made_none(void **state)
{
    unsigned int nr_ones = 0;

    (void)state;
    for (unsigned int i = 0; i < 65536; i++) {
        struct spec sent = udp_from(0, 5000, (uint16_t)i), is;
        struct rte_mbuf *frame;
        uint8_t *checksum;

        if (i % 64 == 0)
            nat_fixture_start(NULL);
        frame = spec_frame(&sent);
        assert_int_equal(nat_out(0, frame, now, &last_guest), NAT_OK);
        is = spec_of(frame);
        checksum = rte_pktmbuf_mtod_offset(frame, uint8_t *, 14 + 20 + 6);
        assert_false(is.no_checksum);
        assert_false(is.wrong_checksum);
        nr_ones += checksum[0] == 0xff && checksum[1] == 0xff;
        rte_pktmbuf_free(frame);
    }
    assert_int_equal(nr_ones, 1);
}

static void a_wrong_checksum_stays_wrong(void **state)
{
    const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct spec sent = udp_from(0, 5000, 53), is;

        sent.protocol = protocols[i];
        sent.flags = sent.protocol == IPPROTO_TCP ? SYN : 0;
        sent.type = sent.protocol == IPPROTO_ICMP ? 8 : 0;
        sent.wrong_checksum = true;
        is = out(0, &sent, NAT_OK);
        assert_true(is.wrong_checksum);
        is = answer(&is);
        is.flags = sent.flags ? SYN | ACK : 0;
        assert_true(in(&is, NAT_OK).wrong_checksum);
    }
}

/* net/port.h: the field holds the sum of the pseudo-header, not complemented. */
static void unfinished_checksums_stay_sums_of_the_pseudo_header(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 200; i++) {
        struct spec sent = udp_from(1, (uint16_t)(5000 + i), 53), first = sent, is;

        first.src = GUEST_ADDRESS(0);
        sent.protocol = first.protocol = i & 1 ? IPPROTO_TCP : IPPROTO_UDP;
        sent.flags = first.flags = i & 1 ? SYN : 0;
        sent.unfinished = true;
        sent.payload = (uint16_t)(i * 3);
        out(0, &first, NAT_OK);
        is = out(1, &sent, NAT_OK);
        assert_int_not_equal(is.sport, sent.sport);
        assert_translated(&sent, &is, is.sport);
        is = answer(&is);
        is.flags = sent.flags ? SYN | ACK : 0;
        is = in(&is, NAT_OK);
        assert_true(is.unfinished);
        assert_false(is.wrong_checksum);
    }
}

static void a_frame_for_several_is_translated_whole(void **state)
{
    struct spec open = tcp_from(0, 5000, 80, SYN), sent = tcp_from(0, 5000, 80, ACK), is;

    (void)state;
    out(0, &open, NAT_OK);
    sent.unfinished = true;
    sent.segsz = 1448;
    sent.payload = 60000;
    is = out(0, &sent, NAT_OK);
    assert_translated(&sent, &is, 5000);
    is = answer(&is);
    is = in(&is, NAT_OK);
    assert_int_equal(is.segsz, 1448);
    assert_false(is.wrong_checksum);
}

static void a_frame_whose_unfinished_checksum_is_of_another_protocol_is_bad(void **state)
{
    struct spec sent = udp_from(0, 5000, 53);
    struct rte_mbuf *frame = spec_frame(&sent);

    (void)state;
    frame->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
    assert_int_equal(nat_out(0, frame, now, &last_guest), NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_BAD], 1);
    rte_pktmbuf_free(frame);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(checksums_stay_right),
        TEST(udp_without_checksum_stays_so),
        TEST(a_udp_checksum_is_never_made_none),
        TEST(a_wrong_checksum_stays_wrong),
        TEST(unfinished_checksums_stay_sums_of_the_pseudo_header),
        TEST(a_frame_for_several_is_translated_whole),
        TEST(a_frame_whose_unfinished_checksum_is_of_another_protocol_is_bad),
    };

    return cmocka_run_group_tests_name("nat_checksum", tests, fixture_start, NULL);
}
