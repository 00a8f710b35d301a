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

/*
 * A frame with the bytes and the metadata of another, as many bytes of headers and segsz in its first segment,
 * segsz in each further one. The other passes in.
 */
static struct rte_mbuf *lay_out(struct rte_mbuf *whole, uint32_t headers)
{
    uint32_t segsz = whole->tso_segsz, len = whole->pkt_len;
    struct rte_mbuf *frame = NULL, **link = &frame;

    for (uint32_t from = 0; from < len;) {
        uint32_t size = from ? segsz : headers + segsz;

        *link = rte_pktmbuf_copy(whole, fixture_pool(), from, RTE_MIN(size, len - from));
        assert_non_null(*link);
        assert_int_equal((*link)->nb_segs, 1);
        if (from)
            frame->nb_segs++;
        from += (*link)->data_len;
        link = &(*link)->next;
    }
    frame->pkt_len = len;
    frame->ol_flags = whole->ol_flags;
    frame->tx_offload = whole->tx_offload;
    rte_pktmbuf_free(whole);
    return frame;
}

static uint32_t headers_of(const struct rte_mbuf *frame)
{
    return frame->l2_len + frame->l3_len + frame->l4_len;
}

static void assert_same_piece(struct rte_mbuf *piece, struct rte_mbuf *wanted)
{
    static uint8_t wanted_bytes[4096], got_bytes[4096];
    uint32_t len = frame_bytes(wanted, wanted_bytes, sizeof(wanted_bytes));
    const char *why;

    assert_int_equal(rte_mbuf_check(piece, 1, &why), 0);
    assert_int_equal(piece->nb_segs, 1);
    assert_int_equal(frame_bytes(piece, got_bytes, sizeof(got_bytes)), len);
    assert_memory_equal(got_bytes, wanted_bytes, len);
    assert_true(piece->ol_flags == wanted->ol_flags);
    assert_true(piece->tx_offload == wanted->tx_offload);
    assert_int_equal(piece->vlan_tci, wanted->vlan_tci);
    assert_int_equal(piece->packet_type, wanted->packet_type);
    assert_int_equal(piece->hash.usr, wanted->hash.usr);
}

/* The same frame twice: once cut as it comes, once in place. It passes in. */
static void assert_cut_in_place(struct rte_mbuf *whole)
{
    static struct rte_mbuf *placed[PORT_SEGMENTS_MAX];
    struct rte_mbuf *same =
        lay_out(rte_pktmbuf_copy(whole, fixture_pool(), 0, UINT32_MAX), headers_of(whole));
    unsigned int in_use = fixture_in_use();
    int nr = segment_in_place(same, placed, PORT_SEGMENTS_MAX);

    assert_int_equal(fixture_in_use(), in_use);
    assert_int_equal(segment_frame(whole, fixture_pool(), pieces, PORT_SEGMENTS_MAX), nr);
    for (int i = 0; i < nr; i++)
        assert_same_piece(placed[i], pieces[i]);
    rte_pktmbuf_free_bulk(pieces, nr);
    rte_pktmbuf_free_bulk(placed, nr);
    rte_pktmbuf_free(whole);
}

static void what_lies_as_pieces_is_cut_in_place(void **state)
{
    static const uint16_t sizes[] = { 1, 88, 536, 1448, 1900 };
    struct rte_mbuf *tagged = frame_tag(frame_make_l4(false, IPPROTO_TCP, 5000, 1448), 0x8100, 7);

    (void)state;
    for (int v6 = 0; v6 <= 1; v6++)
        for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            for (uint32_t nr = 2; nr < 40 && nr * sizes[i] < 65000; nr += 7)
                for (uint32_t less = 0; less < sizes[i]; less += sizes[i] / 3u + 1) {
                    struct rte_mbuf *whole =
                        frame_make_l4(v6, IPPROTO_TCP, nr * sizes[i] - less, sizes[i]);

                    tcp_of(whole)->tcp_flags = 0xff;
                    assert_cut_in_place(whole);
                }
    assert_cut_in_place(tagged);
    tagged = frame_tag(frame_make_l4(false, IPPROTO_TCP, 5000, 1448), 0x8100, 0x2007);
    assert_cut_in_place(frame_tag_aside(tagged));
}

/* Refused in place, and as it was: cut the other way it is the same as ever. It passes in. */
static void assert_not_in_place(struct rte_mbuf *frame)
{
    int nr;

    assert_int_equal(segment_in_place(frame, pieces, PORT_SEGMENTS_MAX), 0);
    nr = segment_frame(frame, fixture_pool(), pieces, PORT_SEGMENTS_MAX);
    assert_int_equal(nr, 4);
    assert_payload_is_whole(frame, nr);
    rte_pktmbuf_free_bulk(pieces, nr);
    rte_pktmbuf_free(frame);
}

static struct rte_mbuf *laid_out(uint32_t more_headers)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 3 * 1000 + 500, 1000);

    return lay_out(frame, headers_of(frame) + more_headers);
}

static void what_lies_otherwise_is_not_cut_in_place(void **state)
{
    struct rte_mbuf *frame, *other;

    (void)state;
    assert_not_in_place(laid_out(12));
    assert_not_in_place(laid_out(-12u));
    assert_not_in_place(frame_make_l4(false, IPPROTO_TCP, 3500, 1000));

    frame = laid_out(0); /* a segment that somebody else has too */
    other = frame->next->next;
    rte_mbuf_refcnt_update(other, 1);
    assert_not_in_place(frame);
    rte_pktmbuf_free_seg(other);

    frame = laid_out(0); /* bytes that are somebody else's */
    other = rte_pktmbuf_clone(frame, fixture_pool());
    assert_int_equal(segment_in_place(frame, pieces, PORT_SEGMENTS_MAX), 0);
    assert_int_equal(segment_in_place(other, pieces, PORT_SEGMENTS_MAX), 0);
    rte_pktmbuf_free(other);
    rte_pktmbuf_free(frame);

    frame = laid_out(0); /* no room for the headers */
    other = frame->next;
    memmove((char *)other->buf_addr + headers_of(frame) - 1, rte_pktmbuf_mtod(other, char *),
            other->data_len);
    other->data_off = headers_of(frame) - 1;
    assert_not_in_place(frame);

    frame = laid_out(0); /* more than allowed */
    assert_int_equal(segment_in_place(frame, pieces, 3), 0);
    assert_int_equal(segment_in_place(frame, pieces, 4), 4);
    rte_pktmbuf_free_bulk(pieces, 4);
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
        TEST(what_lies_as_pieces_is_cut_in_place),
        TEST(what_lies_otherwise_is_not_cut_in_place),
    };

    return cmocka_run_group_tests_name("segment", tests, fixture_start, NULL);
}
