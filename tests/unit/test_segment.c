/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
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
#include "net/frame.h"
#include "net/segment.h"

static struct rte_mbuf *pieces[PORT_SEGMENTS_MAX];

static int end(void **state)
{
    (void)state;
    return fixture_in_use();
}

static uint8_t *at(struct rte_mbuf *frame, uint32_t offset)
{
    return rte_pktmbuf_mtod_offset(frame, uint8_t *, offset);
}

static struct rte_tcp_hdr *tcp_of(struct rte_mbuf *frame)
{
    return (void *)at(frame, frame->l2_len + frame->l3_len);
}

/* Put the payloads of the pieces together and compare with the whole. */
static void assert_payload_is_whole(struct rte_mbuf *whole, int nr)
{
    static uint8_t wanted[80000], got[80000], piece[80000];
    uint32_t headers = whole->l2_len + whole->l3_len + whole->l4_len, len = headers;

    frame_bytes(whole, wanted, sizeof(wanted));
    for (int i = 0; i < nr; i++) {
        uint32_t n = frame_bytes(pieces[i], piece, sizeof(piece));

        memcpy(got + len, piece + headers, n - headers);
        len += n - headers;
    }
    assert_int_equal(len, whole->pkt_len);
    assert_memory_equal(got + headers, wanted + headers, len - headers);
}

static void assert_cut(bool v6, uint32_t payload, uint16_t segsz, uint32_t chunk)
{
    struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, payload, segsz);
    int nr = (payload + segsz - 1) / segsz;
    uint64_t ol_flags;

    if (chunk)
        whole = frame_chop(whole, chunk);
    ol_flags = whole->ol_flags;
    assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), nr);
    assert_payload_is_whole(whole, nr);
    for (int i = 0; i < nr; i++) {
        assert_int_equal(pieces[i]->pkt_len - whole->l2_len - whole->l3_len - whole->l4_len,
                         i < nr - 1 ? segsz : payload - (nr - 1) * segsz);
        assert_int_equal(rte_be_to_cpu_32(tcp_of(pieces[i])->sent_seq),
                         (uint32_t)(0xffffff00 + i * segsz));
        assert_true(checksum_is_unfinished(pieces[i]));
        assert_false(pieces[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
        assert_int_equal(checksum_finish(pieces[i]), 0);
        assert_true(frame_is_valid_l4(pieces[i]));
    }
    assert_int_equal(whole->ol_flags, ol_flags);
    rte_pktmbuf_free(whole);
    rte_pktmbuf_free_bulk(pieces, nr);
}

static void the_pieces_are_the_whole_over_ipv4(void **state)
{
    (void)state;
    assert_cut(false, 1, 1448, 0);
    assert_cut(false, 1448, 1448, 0);
    assert_cut(false, 1449, 1448, 0);
    assert_cut(false, 4096, 1448, 0);
    assert_cut(false, 65000, 1448, 0);
    assert_cut(false, 60000, 8948, 0);
    assert_cut(false, 9000, 1001, 777);
}

static void the_pieces_are_the_whole_over_ipv6(void **state)
{
    (void)state;
    assert_cut(true, 1, 1428, 0);
    assert_cut(true, 1428, 1428, 0);
    assert_cut(true, 1429, 1428, 0);
    assert_cut(true, 65000, 1428, 0);
    assert_cut(true, 60000, 8928, 0);
    assert_cut(true, 9000, 1001, 777);
}

static void flags_stand_on_the_piece_they_belong_to(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, 3000, 1000);

        assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), 3);
        assert_int_equal(tcp_of(pieces[0])->tcp_flags, RTE_TCP_ACK_FLAG | RTE_TCP_CWR_FLAG);
        assert_int_equal(tcp_of(pieces[1])->tcp_flags, RTE_TCP_ACK_FLAG);
        assert_int_equal(tcp_of(pieces[2])->tcp_flags,
                         RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG);
        rte_pktmbuf_free(whole);
        rte_pktmbuf_free_bulk(pieces, 3);
    }
}

static void ipv4_identification_counts_up_and_wraps(void **state)
{
    struct rte_mbuf *whole = frame_make_l4(false, IPPROTO_TCP, 3000, 1000);

    (void)state;
    assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), 3);
    for (int i = 0; i < 3; i++) {
        struct rte_ipv4_hdr *ip = (void *)at(pieces[i], 14);

        assert_int_equal(rte_be_to_cpu_16(ip->packet_id), (uint16_t)(0xfffe + i));
    }
    rte_pktmbuf_free(whole);
    rte_pktmbuf_free_bulk(pieces, 3);
}

static void more_pieces_than_allowed_are_refused(void **state)
{
    struct rte_mbuf *whole = frame_make_l4(false, IPPROTO_TCP, PORT_SEGMENTS_MAX + 1, 1);

    (void)state;
    assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), -E2BIG);
    assert_int_equal(fixture_in_use(), 1);
    rte_pktmbuf_free(whole);
    assert_cut(false, PORT_SEGMENTS_MAX, 1, 0);
    assert_cut(true, PORT_SEGMENTS_MAX, 1, 0);
}

static void an_empty_pool_leaves_nothing_behind(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, 20000, 1000);
        unsigned int before = fixture_in_use();

        assert_int_equal(segment_frame(whole, fixture_tiny_pool(), pieces, PORT_SEGMENTS_MAX),
                         -ENOMEM);
        assert_int_equal(rte_mempool_in_use_count(fixture_tiny_pool()), 0);
        assert_int_equal(fixture_in_use(), before);
        assert_int_equal(rte_mbuf_refcnt_read(whole), 1);
        assert_true(whole->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
        rte_pktmbuf_free(whole);
    }
}

/* Refused with -EINVAL, nothing made, nothing changed. Frees the frame. */
static void assert_refused(struct rte_mbuf *frame)
{
    uint64_t ol_flags = frame->ol_flags;

    assert_int_equal(segment_frame(frame, fixture_pool(), pieces, PORT_SEGMENTS_MAX), -EINVAL);
    assert_int_equal(frame->ol_flags, ol_flags);
    rte_pktmbuf_free(frame);
    assert_int_equal(fixture_in_use(), 0);
}

/* A frame with one byte of its headers changed is refused. */
static void assert_byte_refused(bool v6, uint32_t offset, uint8_t value)
{
    struct rte_mbuf *frame = frame_make_l4(v6, IPPROTO_TCP, 3000, 1000);

    *at(frame, offset) = value;
    assert_refused(frame);
}

static void headers_that_are_not_tcps_are_refused(void **state)
{
    (void)state;
    assert_byte_refused(false, 14, 0x65); /* version */
    assert_byte_refused(false, 14, 0x44); /* header length */
    assert_byte_refused(false, 20, 0x20); /* more fragments */
    assert_byte_refused(false, 21, 0x01); /* fragment offset */
    assert_byte_refused(false, 23, IPPROTO_UDP);
    assert_byte_refused(false, 16, 0x20); /* total length: more than there is */
    assert_byte_refused(false, 46, 0x40); /* TCP header length */
    assert_byte_refused(true, 14, 0x45); /* version */
    assert_byte_refused(true, 18, 0x20); /* payload length: more than there is */
    assert_byte_refused(true, 20, 0); /* hop-by-hop options */
    assert_byte_refused(true, 66, 0x40); /* TCP header length */
}

#define ASSERT_METADATA_REFUSED(change)                                                            \
    do {                                                                                           \
        struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 3000, 1000);                    \
                                                                                                   \
        frame->change;                                                                             \
        assert_refused(frame);                                                                     \
    } while (0)

static void metadata_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    ASSERT_METADATA_REFUSED(tso_segsz = 0);
    ASSERT_METADATA_REFUSED(ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG);
    ASSERT_METADATA_REFUSED(ol_flags &= ~RTE_MBUF_F_TX_IPV4);
    ASSERT_METADATA_REFUSED(ol_flags |= RTE_MBUF_F_TX_IPV6);
}

static void lengths_are_found_where_nobody_set_them(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, 3000, 1000);

        whole->l2_len = whole->l3_len = whole->l4_len = 0;
        assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), 3);
        assert_payload_is_whole(whole, 3);
        rte_pktmbuf_free(whole);
        rte_pktmbuf_free_bulk(pieces, 3);
    }
}

/* Cut, finished and found right, with the tags of the whole on each piece. */
static void assert_cut_behind_tags(bool v6, unsigned int nr_tags)
{
    struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, 3000, 1000);
    uint32_t l2 = 14 + 4 * nr_tags;

    for (unsigned int i = 0; i < nr_tags; i++)
        frame_tag(whole, i ? 0x88a8 : 0x8100, 0xa005);
    assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), 3);
    assert_payload_is_whole(whole, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pieces[i]->l2_len, l2);
        assert_memory_equal(at(pieces[i], 0), at(whole, 0), l2);
        assert_int_equal(checksum_finish(pieces[i]), 0);
        assert_true(frame_is_valid_l4(pieces[i]));
    }
    rte_pktmbuf_free(whole);
    rte_pktmbuf_free_bulk(pieces, 3);
}

static void frames_are_cut_inside_their_tags(void **state)
{
    (void)state;
    for (unsigned int nr_tags = 0; nr_tags <= 2; nr_tags++) {
        assert_cut_behind_tags(false, nr_tags);
        assert_cut_behind_tags(true, nr_tags);
    }
}

static void pieces_have_the_tag_that_lies_beside_the_whole(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, 3000, 1000);

        frame_tag_aside(frame_tag(whole, 0x8100, 0xa005));
        assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), 3);
        for (int i = 0; i < 3; i++) {
            assert_true(pieces[i]->ol_flags & RTE_MBUF_F_TX_VLAN);
            assert_int_equal(pieces[i]->vlan_tci, 0xa005);
            assert_int_equal(checksum_finish(pieces[i]), 0);
            assert_true(frame_is_valid_l4(pieces[i]));
        }
        rte_pktmbuf_free(whole);
        rte_pktmbuf_free_bulk(pieces, 3);
    }
}

static void pieces_are_what_was_found_of_the_whole(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, 3000, 1000);

        assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), 3);
        for (int i = 0; i < 3; i++) {
            struct rte_mbuf noted = *pieces[i];

            assert_int_equal(frame_parse_headers(pieces[i]), noted.packet_type);
            assert_int_equal(pieces[i]->l2_len, noted.l2_len);
            assert_int_equal(pieces[i]->l3_len, noted.l3_len);
            assert_int_equal(pieces[i]->l4_len, noted.l4_len);
            assert_int_equal(pieces[i]->hash.usr, noted.hash.usr);
        }
        rte_pktmbuf_free(whole);
        rte_pktmbuf_free_bulk(pieces, 3);
    }
}

static void headers_split_over_segments_are_refused(void **state)
{
    (void)state;
    for (uint32_t chunk = 16; chunk < 54; chunk++)
        assert_refused(frame_chop(frame_make_l4(false, IPPROTO_TCP, 1500, 1000), chunk));
}

static void a_frame_without_payload_is_refused(void **state)
{
    (void)state;
    assert_refused(frame_make_l4(false, IPPROTO_TCP, 0, 1000));
    assert_refused(frame_make_l4(true, IPPROTO_TCP, 0, 1000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(the_pieces_are_the_whole_over_ipv4),
        TEST(the_pieces_are_the_whole_over_ipv6),
        TEST(flags_stand_on_the_piece_they_belong_to),
        TEST(ipv4_identification_counts_up_and_wraps),
        TEST(more_pieces_than_allowed_are_refused),
        TEST(an_empty_pool_leaves_nothing_behind),
        TEST(headers_that_are_not_tcps_are_refused),
        TEST(metadata_that_makes_no_sense_is_refused),
        TEST(lengths_are_found_where_nobody_set_them),
        TEST(frames_are_cut_inside_their_tags),
        TEST(pieces_have_the_tag_that_lies_beside_the_whole),
        TEST(pieces_are_what_was_found_of_the_whole),
        TEST(headers_split_over_segments_are_refused),
        TEST(a_frame_without_payload_is_refused),
    };

    return cmocka_run_group_tests_name("segment", tests, fixture_start, NULL);
}
