/* SPDX-License-Identifier: BSD-2-Clause */
/* The router and the size of IPv4 packets: what is cut, what is told to be shorter, frames for several. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_router.h"
#include "net/arp.h"
#include "net/checksum.h"

#define DF RTE_IPV4_HDR_DF_FLAG
#define MF RTE_IPV4_HDR_MF_FLAG

static const struct packet_spec to_host = { .src = "192.0.2.10",
                                            .dst = "192.0.2.5",
                                            .payload = 100 };
static const struct packet_spec from_host = { .src = "192.0.2.5",
                                              .dst = "192.0.2.10",
                                              .payload = 100 };

static const struct router_stats *stats(void)
{
    return router_stats(lab.router);
}

static void what_does_not_fit_and_must_not_be_cut_is_told(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    neighbours_answer();
    router_mtu_set(lab.router, 1000);
    spec.fragment = DF;
    spec.payload = 973;
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 3, 4, 1000));
    assert_int_equal(stats()->too_big, 1);
    forget_sent();
    spec.payload = 972;
    guest_sends_packet(0, &spec);
    assert_int_equal(the_last(&lab.wire, 1)->pkt_len, 1014);
    forget_sent();
    lab.guests[0].port.mtu = 600;
    spec = from_host;
    spec.fragment = DF;
    spec.payload = 900;
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 1), "192.0.2.1", "192.0.2.5", 3, 4, 600));
}

/* Put the fragments that a port was given together. Returns the length of what they carry. */
static uint32_t put_together(struct fake_port *fake, uint8_t *bytes, uint32_t mtu)
{
    uint32_t total = 0;

    for (unsigned int i = 0; i < fake->nr_kept; i++) {
        struct rte_ipv4_hdr *ip = ip4_of(fake->kept[i]);
        uint32_t header = rte_ipv4_hdr_len(ip), len = fake->kept[i]->pkt_len - 14 - header;
        uint16_t offset = rte_be_to_cpu_16(ip->fragment_offset);
        uint8_t frame[2000];

        assert_true(is_valid(fake->kept[i]));
        assert_true(fake->kept[i]->pkt_len <= 14 + mtu);
        assert_int_equal(!!(offset & MF), i + 1 < fake->nr_kept);
        frame_bytes(fake->kept[i], frame, sizeof(frame));
        memcpy(bytes + (offset & 0x1fff) * 8, frame + 14 + header, len);
        total += len;
    }
    return total;
}

static void what_does_not_fit_is_cut(void **state)
{
    static uint8_t was[3000], is[3000];
    struct packet_spec spec = to_host;
    struct rte_mbuf *frame;

    (void)state;
    neighbours_answer();
    router_mtu_set(lab.router, 620);
    for (unsigned int chop = 0; chop < 2; chop++) {
        spec.payload = 1460;
        frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &spec);
        if (chop)
            frame = frame_chop(frame, 333);
        frame_bytes(frame, was, sizeof(was));
        guest_sends(0, frame);
        assert_int_equal(lab.wire.nr_kept, 3);
        assert_mac(ether_of(lab.wire.kept[2])->dst_addr, HOST_MAC);
        assert_int_equal(put_together(&lab.wire, is, 620), 1468);
        assert_memory_equal(is, was + 34, 1468);
        forget_sent();
    }
    assert_int_equal(stats()->fragmented, 2);
}

/* Only some options go into the later pieces (RFC 791). */
static void pieces_have_the_options_that_are_copied(void **state)
{
    static const uint8_t options[8] = { 148, 4, 0, 0, 1, 1, 1, 1 };
    static uint8_t is[3000];
    struct packet_spec spec = to_host;

    (void)state;
    neighbours_answer();
    router_mtu_set(lab.router, 620);
    spec.payload = 1000;
    spec.options = options;
    spec.options_len = 8;
    guest_sends_packet(0, &spec);
    assert_int_equal(lab.wire.nr_kept, 2);
    assert_int_equal(rte_ipv4_hdr_len(ip4_of(lab.wire.kept[0])), 28);
    assert_int_equal(put_together(&lab.wire, is, 620), 1008);
}

static void an_unfinished_checksum_is_finished_before_a_cut(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_UDP, 1400, 0), *whole;
    static uint8_t is[3000];

    (void)state;
    neighbours_answer();
    router_mtu_set(lab.router, 620);
    ether_of(frame)->dst_addr = ROUTER_GUEST_MAC;
    ether_of(frame)->src_addr = GUEST_MAC(0);
    ip4_of(frame)->src_addr = ip4("192.0.2.10");
    ip4_of(frame)->dst_addr = ip4("192.0.2.5");
    ip4_of(frame)->hdr_checksum = 0;
    ip4_of(frame)->hdr_checksum = rte_ipv4_cksum(ip4_of(frame));
    *(uint16_t *)rte_pktmbuf_mtod_offset(frame, void *, 40) = rte_ipv4_phdr_cksum(ip4_of(frame), 0);
    whole = rte_pktmbuf_copy(frame, fixture_pool(), 0, UINT32_MAX);
    guest_sends(0, frame);
    assert_int_equal(lab.wire.nr_kept, 3);
    assert_int_equal(put_together(&lab.wire, is, 620), 1408);
    assert_int_equal(checksum_finish(whole), 0);
    assert_memory_equal(is, rte_pktmbuf_mtod_offset(whole, char *, 34), 1408);
    rte_pktmbuf_free(whole);
}

/* A TCP frame of guest 0 that stands for several. */
static struct rte_mbuf *long_frame(uint32_t payload, uint16_t segsz, bool is_df)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, payload, segsz);

    ether_of(frame)->dst_addr = ROUTER_GUEST_MAC;
    ether_of(frame)->src_addr = GUEST_MAC(0);
    ip4_of(frame)->src_addr = ip4("192.0.2.10");
    ip4_of(frame)->dst_addr = ip4("192.0.2.5");
    ip4_of(frame)->fragment_offset = is_df ? RTE_BE16(DF) : 0;
    ip4_of(frame)->hdr_checksum = 0;
    ip4_of(frame)->hdr_checksum = rte_ipv4_cksum(ip4_of(frame));
    *(uint16_t *)rte_pktmbuf_mtod_offset(frame, void *, 50) = rte_ipv4_phdr_cksum(ip4_of(frame), 0);
    return frame;
}

static void a_frame_for_several_passes_whole(void **state)
{
    struct rte_mbuf *frame;

    (void)state;
    neighbours_answer();
    guest_sends(0, long_frame(20000, 1460, true));
    frame = the_last(&lab.wire, 1);
    assert_int_equal(frame->tso_segsz, 1460);
    assert_true(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
    assert_int_equal(frame->l2_len, 14);
    assert_int_equal(frame->l3_len, 20);
    assert_int_equal(frame->l4_len, 20);
    frame->ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG;
    assert_int_equal(checksum_finish(frame), 0);
    assert_true(frame_is_valid_l4(frame));
}

static void a_frame_for_several_is_judged_by_its_segments(void **state)
{
    (void)state;
    neighbours_answer();
    router_mtu_set(lab.router, 1000);
    guest_sends(0, long_frame(20000, 1460, true));
    assert_int_equal(lab.wire.nr_kept, 0);
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 3, 4, 1000));
    forget_sent();
    guest_sends(0, long_frame(20000, 1460, false));
    assert_int_equal(the_last(&lab.wire, 1)->tso_segsz, 960);
    forget_sent();
    guest_sends(0, long_frame(20000, 960, true));
    assert_int_equal(the_last(&lab.wire, 1)->tso_segsz, 960);
}

/* A frame that others hold too is theirs as it came. */
static void a_shared_frame_is_not_written_to(void **state)
{
    struct rte_mbuf *frame = packet_make(ROUTER_WIRE_MAC, HOST_MAC, &from_host), *routed;

    (void)state;
    rte_pktmbuf_refcnt_update(frame, 1);
    wire_sends(frame);
    routed = the_last(&lab.guests[0], 1);
    assert_ptr_not_equal(routed, frame);
    assert_int_equal(rte_mbuf_refcnt_read(frame), 1);
    assert_int_equal(ip4_of(frame)->time_to_live, 64);
    assert_int_equal(ip4_of(routed)->time_to_live, 63);
    assert_true(is_valid(frame) && is_valid(routed));
    rte_pktmbuf_free(frame);
}

static void what_lies_behind_the_packet_is_cut_off(void **state)
{
    struct packet_spec spec = from_host;
    struct rte_mbuf *frame;

    (void)state;
    spec.payload = 1;
    for (uint32_t chop = 0; chop < 3; chop++) {
        frame = packet_make(ROUTER_WIRE_MAC, HOST_MAC, &spec);
        memset(rte_pktmbuf_append(frame, 170), 0xee, 170);
        if (chop)
            frame = frame_chop(frame, chop == 1 ? 43 : 100);
        wire_sends(frame);
        frame = the_last(&lab.guests[0], 1);
        assert_int_equal(frame->pkt_len, 43);
        assert_int_equal(frame->nb_segs, 1);
        assert_true(is_valid(frame));
        forget_sent();
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_does_not_fit_and_must_not_be_cut_is_told),
        TEST(what_does_not_fit_is_cut),
        TEST(pieces_have_the_options_that_are_copied),
        TEST(an_unfinished_checksum_is_finished_before_a_cut),
        TEST(a_frame_for_several_passes_whole),
        TEST(a_frame_for_several_is_judged_by_its_segments),
        TEST(a_shared_frame_is_not_written_to),
        TEST(what_lies_behind_the_packet_is_cut_off),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
