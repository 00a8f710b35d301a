/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include <rte_ip.h>

#include "eal/rx_flags.h"
#include "net/port.h"

#define L4_GOOD RTE_MBUF_F_RX_L4_CKSUM_GOOD
#define IP_GOOD RTE_MBUF_F_RX_IP_CKSUM_GOOD

static unsigned char bytes[128];
static struct rte_mbuf frame;

static struct rte_ipv4_hdr *ip(void)
{
    return (struct rte_ipv4_hdr *)(bytes + 14);
}

/* A whole TCP segment of 40 bytes in 60, as on the wire. */
static int fresh(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof(bytes));
    bytes[12] = 0x08;
    ip()->version_ihl = 0x45;
    ip()->total_length = htons(40);
    ip()->fragment_offset = htons(RTE_IPV4_HDR_DF_FLAG);
    ip()->next_proto_id = IPPROTO_TCP;
    bytes[14 + 20 + 12] = 5 << 4; /* TCP's header: 20 bytes */
    frame = (struct rte_mbuf){ .buf_addr = bytes, .data_len = 60, .pkt_len = 60, .nb_segs = 1 };
    return 0;
}

static void silence_about_a_checked_frame_is_good(void **state)
{
    (void)state;
    assert_int_equal(rx_flags(&frame, true), L4_GOOD | IP_GOOD);
    ip()->next_proto_id = IPPROTO_UDP;
    ip()->total_length = htons(28);
    assert_int_equal(rx_flags(&frame, true), L4_GOOD | IP_GOOD);
    ip()->version_ihl = 0x46;
    ip()->total_length = htons(46);
    assert_int_equal(rx_flags(&frame, true), L4_GOOD | IP_GOOD);
}

static void a_tag_that_was_taken_off_lies_beside(void **state)
{
    const uint64_t stripped = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;

    (void)state;
    frame.ol_flags = stripped;
    assert_int_equal(rx_flags(&frame, true), RTE_MBUF_F_TX_VLAN | L4_GOOD | IP_GOOD);
    assert_int_equal(rx_flags(&frame, false), RTE_MBUF_F_TX_VLAN);
    frame.ol_flags = stripped | RTE_MBUF_F_RX_L4_CKSUM_BAD;
    assert_int_equal(rx_flags(&frame, true), RTE_MBUF_F_TX_VLAN);
    ip()->next_proto_id = IPPROTO_GRE;
    frame.ol_flags = stripped;
    assert_int_equal(rx_flags(&frame, true), RTE_MBUF_F_TX_VLAN);
    frame.ol_flags = RTE_MBUF_F_RX_VLAN; /* seen, and left where it is */
    assert_int_equal(rx_flags(&frame, false), 0);
}

static void silence_of_other_drivers_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(rx_flags(&frame, false), 0);
}

static void bad_is_not_good(void **state)
{
    (void)state;
    frame.ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
    assert_int_equal(rx_flags(&frame, true), 0);
    frame.ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD;
    assert_int_equal(rx_flags(&frame, true), 0);
    assert_int_equal(rx_flags(&frame, false), 0);
}

static void what_the_driver_calls_good_is(void **state)
{
    (void)state;
    frame.ol_flags = L4_GOOD | IP_GOOD | RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_RSS_HASH;
    assert_int_equal(rx_flags(&frame, false), L4_GOOD | IP_GOOD);
    frame.ol_flags = L4_GOOD | RTE_MBUF_F_RX_IP_CKSUM_BAD;
    assert_int_equal(rx_flags(&frame, false), L4_GOOD);
}

/* "None" is both bits: the checksum is wrong but the packet is intact. */
static void a_checksum_that_was_never_made_is_unfinished(void **state)
{
    (void)state;
    frame.ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
    assert_int_equal(rx_flags(&frame, false), RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4);
    assert_int_equal(frame.l2_len, 14);
    assert_int_equal(frame.l3_len, 20);
    assert_int_equal(frame.pkt_len, 54); /* whoever finishes it counts all that is there */
    fresh(NULL);
    ip()->next_proto_id = IPPROTO_UDP;
    frame.ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    assert_int_equal(rx_flags(&frame, false),
                     RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4);
    fresh(NULL);
    ip()->next_proto_id = IPPROTO_ICMP;
    frame.ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
    assert_int_equal(rx_flags(&frame, false), 0);
}

static void fragments_are_not_checked(void **state)
{
    (void)state;
    ip()->fragment_offset = htons(RTE_IPV4_HDR_MF_FLAG);
    assert_int_equal(rx_flags(&frame, true), 0);
    ip()->fragment_offset = htons(1);
    assert_int_equal(rx_flags(&frame, true), 0);
}

static void other_protocols_are_not_checked(void **state)
{
    (void)state;
    ip()->next_proto_id = IPPROTO_ICMP;
    assert_int_equal(rx_flags(&frame, true), 0);
    fresh(NULL);
    ip()->version_ihl = 0x65;
    assert_int_equal(rx_flags(&frame, true), 0);
    fresh(NULL);
    bytes[12] = 0x81; /* tagged */
    assert_int_equal(rx_flags(&frame, true), 0);
}

static void lengths_that_lie_are_not_checked(void **state)
{
    (void)state;
    ip()->total_length = htons(47); /* beyond the frame */
    assert_int_equal(rx_flags(&frame, true), 0);
    ip()->total_length = htons(39); /* no room for TCP's header */
    assert_int_equal(rx_flags(&frame, true), 0);
    fresh(NULL);
    ip()->version_ihl = 0x44;
    assert_int_equal(rx_flags(&frame, true), 0);
    fresh(NULL);
    ip()->version_ihl = 0x4f;
    assert_int_equal(rx_flags(&frame, true), 0);
    for (uint16_t len = 0; len < 34; len++) {
        fresh(NULL);
        frame.data_len = len;
        frame.pkt_len = len;
        assert_int_equal(rx_flags(&frame, true), 0);
    }
}

/* As virtio hands over what a machine beside us left to be cut. */
static void a_frame_for_several_stays_one(void **state)
{
    const uint64_t left = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;

    (void)state;
    ip()->total_length = htons(40 + 3000);
    frame.data_len = 128;
    frame.pkt_len = 54 + 3000;
    frame.tso_segsz = 1448;
    frame.ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_LRO;
    assert_int_equal(rx_flags(&frame, false), left | RTE_MBUF_F_TX_TCP_SEG);
    assert_int_equal(frame.tso_segsz, 1448);
    assert_int_equal(frame.l4_len, 20);
}

static void what_cannot_be_cut_is_one_frame(void **state)
{
    static const struct {
        uint16_t size, payload;
        uint8_t protocol;
    } cases[] = { { 0, 3000, IPPROTO_TCP }, /* pieces of nothing */
                  { 3000, 3000, IPPROTO_TCP }, /* one piece */
                  { 1, PORT_SEGMENTS_MAX + 1, IPPROTO_TCP }, /* too many */
                  { 1448, 3000, IPPROTO_UDP } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fresh(NULL);
        ip()->total_length = htons(40 + cases[i].payload);
        ip()->next_proto_id = cases[i].protocol;
        frame.data_len = 128;
        frame.pkt_len = 54u + cases[i].payload;
        frame.tso_segsz = cases[i].size;
        frame.ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_LRO;
        assert_false(rx_flags(&frame, false) & RTE_MBUF_F_TX_TCP_SEG);
        assert_int_equal(frame.tso_segsz, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(silence_about_a_checked_frame_is_good, fresh),
        cmocka_unit_test_setup(a_tag_that_was_taken_off_lies_beside, fresh),
        cmocka_unit_test_setup(silence_of_other_drivers_is_nothing, fresh),
        cmocka_unit_test_setup(bad_is_not_good, fresh),
        cmocka_unit_test_setup(what_the_driver_calls_good_is, fresh),
        cmocka_unit_test_setup(a_checksum_that_was_never_made_is_unfinished, fresh),
        cmocka_unit_test_setup(fragments_are_not_checked, fresh),
        cmocka_unit_test_setup(other_protocols_are_not_checked, fresh),
        cmocka_unit_test_setup(lengths_that_lie_are_not_checked, fresh),
        cmocka_unit_test_setup(a_frame_for_several_stays_one, fresh),
        cmocka_unit_test_setup(what_cannot_be_cut_is_one_frame, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
