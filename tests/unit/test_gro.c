/* SPDX-License-Identifier: BSD-2-Clause */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "fixture_net.h"
#include "net/checksum.h"
#include "net/gro.h"
#include "net/segment.h"

#define GOOD (RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD)
#define TCP_V4 34 /* offsets of the TCP header */
#define TCP_V6 54
#define MANY 128

static struct rte_mbuf *frames[MANY];

static int end(void **state)
{
    (void)state;
    return fixture_in_use();
}

static struct rte_tcp_hdr *tcp_of(struct rte_mbuf *frame, bool v6)
{
    return rte_pktmbuf_mtod_offset(frame, struct rte_tcp_hdr *, v6 ? TCP_V6 : TCP_V4);
}

/* A frame as a NIC hands it over: in one buffer, checksums right and found right. */
static struct rte_mbuf *as_received(struct rte_mbuf *frame)
{
    struct rte_mbuf *flat = rte_pktmbuf_copy(frame, fixture_pool(), 0, UINT32_MAX);

    rte_pktmbuf_free(frame);
    assert_int_equal(checksum_finish(flat), 0);
    flat->ol_flags = GOOD;
    flat->tx_offload = 0;
    flat->packet_type = 0;
    return flat;
}

/* The segments of one connection, as received, into frames[at]. Returns their number. */
static unsigned int receive(unsigned int at, bool v6, uint32_t payload, uint16_t port)
{
    struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, payload, 1400);
    int nr;

    tcp_of(whole, v6)->tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG;
    tcp_of(whole, v6)->src_port = port;
    nr = segment_frame(whole, fixture_pool(), frames + at, MANY - at);
    assert_true(nr > 0);
    rte_pktmbuf_free(whole);
    for (int i = 0; i < nr; i++)
        frames[at + i] = as_received(frames[at + i]);
    return nr;
}

static void free_frames(unsigned int nr)
{
    rte_pktmbuf_free_bulk(frames, nr);
}

static void assert_stands_for(struct rte_mbuf *frame, bool v6, uint32_t payload, uint16_t segsz)
{
    assert_int_equal(frame->pkt_len, (v6 ? 74 : 54) + payload);
    assert_int_equal(frame->ol_flags & CHECKSUM_UNFINISHED,
                     RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
                         (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
    assert_int_equal(frame->tso_segsz, segsz);
    assert_int_equal(frame->l2_len, 14);
    assert_int_equal(frame->l3_len, v6 ? 40 : 20);
    assert_int_equal(frame->l4_len, 20);
    rte_mbuf_sanity_check(frame, 1);
}

static void assert_same(struct rte_mbuf *a, struct rte_mbuf *b)
{
    static uint8_t bytes_a[2000], bytes_b[2000];

    assert_int_equal(a->pkt_len, b->pkt_len);
    frame_bytes(a, bytes_a, sizeof(bytes_a));
    frame_bytes(b, bytes_b, sizeof(bytes_b));
    assert_memory_equal(bytes_a, bytes_b, a->pkt_len);
}

static void merged_segments_cut_again_are_what_came_in(void **state)
{
    struct rte_mbuf *copies[MANY], *pieces[MANY];

    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        for (uint32_t payload = 1401; payload < 40000; payload += 777) {
            int nr = receive(0, v6, payload, 1);

            for (int i = 0; i < nr; i++)
                copies[i] = rte_pktmbuf_copy(frames[i], fixture_pool(), 0, UINT32_MAX);
            assert_int_equal(gro_merge(frames, nr), 1);
            assert_stands_for(frames[0], v6, payload, 1400);
            assert_int_equal(segment_frame(frames[0], fixture_pool(), pieces, MANY), nr);
            for (int i = 0; i < nr; i++) {
                assert_int_equal(checksum_finish(pieces[i]), 0);
                assert_same(pieces[i], copies[i]);
            }
            rte_pktmbuf_free_bulk(pieces, nr);
            rte_pktmbuf_free_bulk(copies, nr);
            free_frames(1);
        }
    }
}

static void a_merged_frame_is_valid_once_its_checksum_is_finished(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        gro_merge(frames, receive(0, v6, 10000, 1));
        assert_int_equal(checksum_finish(frames[0]), 0);
        assert_true(frame_is_valid_l4(frames[0]));
        assert_true(frames[0]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD);
        free_frames(1);
    }
}

static void a_single_segment_is_not_touched(void **state)
{
    (void)state;
    assert_int_equal(gro_merge(frames, receive(0, false, 1400, 1)), 1);
    assert_int_equal(frames[0]->ol_flags, GOOD);
    assert_true(frame_is_valid_l4(frames[0]));
    free_frames(1);
}

static void connections_are_merged_apart(void **state)
{
    struct rte_mbuf *a[4], *b[4];

    (void)state;
    receive(0, false, 4 * 1400, 1);
    memcpy(a, frames, sizeof(a));
    receive(0, true, 4 * 1400, 1);
    memcpy(b, frames, sizeof(b));
    for (int i = 0; i < 4; i++) {
        frames[2 * i] = a[i];
        frames[2 * i + 1] = b[i];
    }
    assert_int_equal(gro_merge(frames, 8), 2);
    assert_stands_for(frames[0], false, 4 * 1400, 1400);
    assert_stands_for(frames[1], true, 4 * 1400, 1400);
    free_frames(2);
}

static void more_connections_than_are_followed_pass_as_they_are(void **state)
{
    unsigned int nr = 0;

    (void)state;
    for (uint16_t port = 1; port <= 10; port++)
        nr += receive(nr, false, 2800, port);
    assert_int_equal(gro_merge(frames, nr), 8 + 4);
    free_frames(12);
}

static void a_push_and_a_short_segment_end_a_frame(void **state)
{
    (void)state;
    receive(0, false, 6 * 1400, 1);
    tcp_of(frames[1], false)->tcp_flags |= RTE_TCP_PSH_FLAG;
    assert_int_equal(gro_merge(frames, 6), 2);
    assert_stands_for(frames[0], false, 2 * 1400, 1400);
    assert_stands_for(frames[1], false, 4 * 1400, 1400);
    assert_int_equal(tcp_of(frames[0], false)->tcp_flags, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG);
    free_frames(2);
}

static void no_connection_changes_its_order(void **state)
{
    uint32_t before = 0;
    unsigned int left;

    (void)state;
    receive(0, false, 8 * 1400, 1);
    tcp_of(frames[3], false)->tcp_flags |= RTE_TCP_ECE_FLAG; /* not mergeable */
    left = gro_merge(frames, 8);
    assert_int_equal(left, 3);
    for (unsigned int i = 0; i < left; i++) {
        uint32_t seq = rte_be_to_cpu_32(tcp_of(frames[i], false)->sent_seq) + 0x1000;

        assert_true(i == 0 || seq > before);
        before = seq;
    }
    free_frames(left);
}

/* A NIC that says nothing of a checksum over IPv6 does not keep segments apart. */
static void ipv6_of_a_silent_nic_is_verified_and_merges(void **state)
{
    unsigned int nr = receive(0, true, 10 * 1400, 1);

    (void)state;
    for (unsigned int i = 0; i < nr; i++)
        frames[i]->ol_flags = 0;
    assert_int_equal(gro_merge(frames, nr), 1);
    assert_stands_for(frames[0], true, 10 * 1400, 1400);
    assert_true(frames[0]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD);
    free_frames(1);
}

static void ipv6_that_is_damaged_is_passed_on(void **state)
{
    (void)state;
    for (unsigned int bad = 0; bad < 3; bad++) {
        unsigned int nr = receive(0, true, 3 * 1400, 1);
        struct rte_mbuf *damaged = frames[bad];
        uint16_t left;

        for (unsigned int i = 0; i < nr; i++)
            frames[i]->ol_flags = 0;
        rte_pktmbuf_mtod(damaged, uint8_t *)[200 + bad] ^= 0x10;
        left = gro_merge(frames, nr);
        /* The other two are merged where they follow each other. */
        assert_int_equal(left, bad == 1 ? 3 : 2);
        assert_ptr_equal(frames[bad == 2 ? 1 : bad], damaged);
        assert_int_equal(damaged->ol_flags, 0);
        assert_int_equal(damaged->nb_segs, 1);
        free_frames(left);
    }
}

/* Two segments that would merge but for one byte of the second. */
static void assert_byte_separates(bool v6, uint32_t offset, uint8_t bits)
{
    assert_int_equal(receive(0, v6, 2800, 1), 2);
    rte_pktmbuf_mtod(frames[1], uint8_t *)[offset] ^= bits;
    if (gro_merge(frames, 2) != 2)
        fail_msg("byte %u made no difference", offset);
    assert_int_equal(frames[0]->ol_flags, GOOD);
    assert_int_equal(frames[1]->ol_flags, GOOD);
    free_frames(2);
}

static void segments_that_differ_are_not_merged(void **state)
{
    const uint8_t v4[] = { 0,  6,  12, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                           23, 26, 30, 34, 36, 38, 41, 42, 46, 48, 52, 53 };
    const uint8_t v6[] = { 0,  6,  12, 14, 15, 17, 18, 19, 20, 21,
                           22, 38, 54, 56, 58, 62, 66, 68, 72, 73 };

    (void)state;
    for (unsigned int i = 0; i < sizeof(v4); i++)
        assert_byte_separates(false, v4[i], 0x10);
    for (unsigned int i = 0; i < sizeof(v6); i++)
        assert_byte_separates(true, v6[i], 0x10);
    for (uint8_t flag = 1; flag != 0; flag <<= 1) {
        if (flag != RTE_TCP_PSH_FLAG) {
            assert_byte_separates(false, 47, flag);
            assert_byte_separates(true, 67, flag);
        }
    }
}

static void identification_does_not_matter_where_nothing_is_fragmented(void **state)
{
    (void)state;
    receive(0, false, 2800, 1);
    for (unsigned int i = 0; i < 2; i++) {
        struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(frames[i], struct rte_ipv4_hdr *, 14);

        ip->packet_id = 0;
        ip->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
    }
    assert_int_equal(gro_merge(frames, 2), 1);
    assert_stands_for(frames[0], false, 2800, 1400);
    free_frames(1);
}

static void what_the_nic_did_not_verify_is_not_merged(void **state)
{
    const uint64_t flags[] = { 0,
                               RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                               RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                               RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM,
                               RTE_MBUF_F_RX_L4_CKSUM_BAD | RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                               RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                               RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_BAD };

    (void)state;
    for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        receive(0, false, 2800, 1);
        frames[1]->ol_flags = flags[i];
        assert_int_equal(gro_merge(frames, 2), 2);
        free_frames(2);
    }
}

static void a_header_that_the_nic_says_nothing_of_is_summed(void **state)
{
    (void)state;
    for (unsigned int damage = 0; damage < 2; damage++) {
        receive(0, false, 2800, 1);
        for (unsigned int i = 0; i < 2; i++)
            frames[i]->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        rte_pktmbuf_mtod_offset(frames[1], struct rte_ipv4_hdr *, 14)->packet_id ^=
            (rte_be16_t)damage;
        assert_int_equal(gro_merge(frames, 2), 1 + damage);
        free_frames(1 + damage);
    }
}

static void checksums_that_were_left_out_are_made_once(void **state)
{
    (void)state;
    receive(0, false, 2800, 1);
    for (unsigned int i = 0; i < 2; i++)
        frames[i]->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
    assert_int_equal(gro_merge(frames, 2), 1);
    assert_stands_for(frames[0], false, 2800, 1400);
    free_frames(1);
}

static void a_shared_or_a_padded_segment_is_not_merged(void **state)
{
    (void)state;
    receive(0, false, 2800, 1);
    rte_pktmbuf_refcnt_update(frames[1], 1);
    assert_int_equal(gro_merge(frames, 2), 2);
    rte_pktmbuf_free(frames[1]);
    free_frames(2);
    receive(0, false, 1500, 1);
    assert_non_null(rte_pktmbuf_append(frames[1], 2));
    assert_int_equal(gro_merge(frames, 2), 2);
    free_frames(2);
}

static void a_merged_frame_stays_under_64_kib(void **state)
{
    unsigned int nr;

    (void)state;
    nr = receive(0, false, 46 * 1400, 1); /* 64400 bytes */
    frames[nr] = rte_pktmbuf_copy(frames[nr - 1], fixture_pool(), 0, UINT32_MAX);
    tcp_of(frames[nr - 1], false)->tcp_flags = RTE_TCP_ACK_FLAG;
    tcp_of(frames[nr], false)->sent_seq = rte_cpu_to_be_32(0xffffff00 + nr * 1400);
    rte_pktmbuf_mtod(frames[nr], uint8_t *)[19] += 1; /* identification */
    assert_int_equal(gro_merge(frames, nr + 1), 2);
    assert_stands_for(frames[0], false, 46 * 1400, 1400);
    free_frames(2);
}

static void short_and_foreign_frames_pass(void **state)
{
    (void)state;
    for (uint32_t len = 0; len < 60; len++) {
        struct rte_mbuf *whole = frame_make_l4(len & 1, IPPROTO_TCP, 100, 0);

        frames[len] = rte_pktmbuf_copy(whole, fixture_pool(), 0, len ? len : 1);
        frames[len]->ol_flags = GOOD;
        rte_pktmbuf_free(whole);
    }
    assert_int_equal(gro_merge(frames, 60), 60);
    free_frames(60);
}

static void what_is_no_tcp_is_not_parsed(void **state)
{
    (void)state;
    frames[0] = frame_make_l4(false, IPPROTO_UDP, 100, 0);
    frames[1] = frame_make_l4(true, IPPROTO_UDP, 100, 0);
    frames[2] = frame_make_l4(false, IPPROTO_TCP, 100, 0);
    frames[3] = frame_make_l4(true, IPPROTO_TCP, 100, 0);
    assert_int_equal(gro_merge(frames, 4), 4);
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(frames[i]->packet_type != 0, i >= 2);
    free_frames(4);
}

/* The same segments, each with a tag; received anew. */
static void tag_all(unsigned int nr, uint16_t tci)
{
    for (unsigned int i = 0; i < nr; i++) {
        frame_tag(frames[i], 0x8100, tci);
        frames[i]->tx_offload = 0;
    }
}

/* As a NIC hands them over that takes tags off. */
static void tag_all_aside(unsigned int nr, uint16_t tci)
{
    tag_all(nr, tci);
    for (unsigned int i = 0; i < nr; i++)
        frame_tag_aside(frames[i]);
}

/* What was received merges into one frame, in frames[0], that gives it back when it is cut. */
static void assert_merges_and_cuts(unsigned int nr, bool beside)
{
    struct rte_mbuf *copies[MANY], *pieces[MANY];

    for (unsigned int i = 0; i < nr; i++)
        copies[i] = rte_pktmbuf_copy(frames[i], fixture_pool(), 0, UINT32_MAX);
    assert_int_equal(gro_merge(frames, nr), 1);
    assert_true(frames[0]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
    assert_int_equal(segment_frame(frames[0], fixture_pool(), pieces, MANY), nr);
    for (unsigned int i = 0; i < nr; i++) {
        assert_int_equal(checksum_finish(pieces[i]), 0);
        assert_int_equal((pieces[i]->ol_flags & RTE_MBUF_F_TX_VLAN) != 0, beside);
        assert_same(pieces[i], copies[i]);
    }
    rte_pktmbuf_free_bulk(pieces, nr);
    rte_pktmbuf_free_bulk(copies, nr);
}

static void segments_inside_a_tag_are_merged_and_cut_again(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        unsigned int nr = receive(0, v6, 10 * 1400 + 5, 1);

        tag_all(nr, 0xa005);
        assert_merges_and_cuts(nr, false);
        assert_int_equal(frames[0]->l2_len, 18);
        assert_int_equal(frames[0]->pkt_len, (v6 ? 78 : 58) + 10 * 1400 + 5);
        free_frames(1);
    }
}

static void segments_with_a_tag_beside_are_merged_and_cut_again(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        unsigned int nr = receive(0, v6, 10 * 1400 + 5, 1);

        tag_all_aside(nr, 0xa005);
        assert_merges_and_cuts(nr, true);
        free_frames(1);
    }
}

static void segments_of_other_tags_beside_are_not_merged(void **state)
{
    (void)state;
    for (unsigned int kind = 0; kind < 3; kind++) {
        receive(0, false, 2 * 1400, 1);
        tag_all_aside(2, 5);
        if (kind == 0)
            frames[1]->vlan_tci = 6;
        else if (kind == 1)
            frames[1]->vlan_tci = 0xa005;
        else
            frames[1]->ol_flags &= ~RTE_MBUF_F_TX_VLAN; /* the TCI may be left over */
        assert_int_equal(gro_merge(frames, 2), 2);
        free_frames(2);
    }
}

static void segments_of_other_tags_are_not_merged(void **state)
{
    (void)state;
    for (unsigned int kind = 0; kind < 4; kind++) {
        receive(0, false, 2 * 1400, 1);
        tag_all(2, 5);
        if (kind == 0)
            rte_pktmbuf_mtod(frames[1], uint8_t *)[15] = 6; /* VLAN */
        else if (kind == 1)
            rte_pktmbuf_mtod(frames[1], uint8_t *)[14] = 0xa0; /* priority */
        else if (kind == 2)
            memcpy(rte_pktmbuf_mtod_offset(frames[1], char *, 12), "\x88\xa8", 2);
        else
            tag_all(2, 6); /* a second tag */
        assert_int_equal(gro_merge(frames, 2), 2);
        free_frames(2);
    }
    receive(0, false, 2 * 1400, 1);
    tag_all(1, 5);
    assert_int_equal(gro_merge(frames, 2), 2);
    free_frames(2);
}

/* A segment with IP options is its connection's too: what follows does not overtake it. */
static void a_segment_with_options_keeps_its_place(void **state)
{
    struct rte_ipv4_hdr *ip;
    uint8_t *bytes;

    (void)state;
    receive(0, false, 4 * 1400, 1);
    bytes = (uint8_t *)rte_pktmbuf_prepend(frames[1], 4);
    memmove(bytes, bytes + 4, 34);
    memcpy(bytes + 34, "\x01\x01\x01\x01", 4); /* no operation */
    ip = (void *)(bytes + 14);
    ip->version_ihl = 0x46;
    ip->total_length = rte_cpu_to_be_16(1400 + 44);
    assert_int_equal(gro_merge(frames, 4), 3);
    assert_int_equal(frames[0]->ol_flags, GOOD);
    assert_int_equal(rte_pktmbuf_mtod(frames[1], uint8_t *)[14], 0x46);
    assert_stands_for(frames[2], false, 2 * 1400, 1400);
    free_frames(3);
}

/* Of small segments no more than guests and NICs take in one frame. */
static void a_frame_of_many_small_segments_is_begun_anew(void **state)
{
    struct rte_mbuf *whole = frame_make_l4(false, IPPROTO_TCP, 100 * 100, 100);
    unsigned int left;
    int nr;

    (void)state;
    tcp_of(whole, false)->tcp_flags = RTE_TCP_ACK_FLAG;
    nr = segment_frame(whole, fixture_pool(), frames, MANY);
    assert_int_equal(nr, 100);
    rte_pktmbuf_free(whole);
    for (int i = 0; i < nr; i++)
        frames[i] = as_received(frames[i]);
    left = gro_merge(frames, (uint16_t)nr);
    assert_int_equal(left, 3);
    assert_int_equal(frames[0]->nb_segs, GRO_SEGMENTS_MAX);
    assert_int_equal(frames[1]->nb_segs, GRO_SEGMENTS_MAX);
    assert_int_equal(frames[2]->nb_segs, 100 - 2 * GRO_SEGMENTS_MAX);
    free_frames(left);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(ipv6_of_a_silent_nic_is_verified_and_merges),
        TEST(ipv6_that_is_damaged_is_passed_on),
        TEST(merged_segments_cut_again_are_what_came_in),
        TEST(a_merged_frame_is_valid_once_its_checksum_is_finished),
        TEST(a_single_segment_is_not_touched),
        TEST(connections_are_merged_apart),
        TEST(more_connections_than_are_followed_pass_as_they_are),
        TEST(a_push_and_a_short_segment_end_a_frame),
        TEST(no_connection_changes_its_order),
        TEST(segments_that_differ_are_not_merged),
        TEST(identification_does_not_matter_where_nothing_is_fragmented),
        TEST(what_the_nic_did_not_verify_is_not_merged),
        TEST(a_header_that_the_nic_says_nothing_of_is_summed),
        TEST(checksums_that_were_left_out_are_made_once),
        TEST(a_shared_or_a_padded_segment_is_not_merged),
        TEST(a_merged_frame_stays_under_64_kib),
        TEST(short_and_foreign_frames_pass),
        TEST(what_is_no_tcp_is_not_parsed),
        TEST(segments_inside_a_tag_are_merged_and_cut_again),
        TEST(segments_of_other_tags_are_not_merged),
        TEST(segments_with_a_tag_beside_are_merged_and_cut_again),
        TEST(segments_of_other_tags_beside_are_not_merged),
        TEST(a_segment_with_options_keeps_its_place),
        TEST(a_frame_of_many_small_segments_is_begun_anew),
    };

    return cmocka_run_group_tests_name("gro", tests, fixture_start, NULL);
}
