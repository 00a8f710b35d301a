/* SPDX-License-Identifier: BSD-2-Clause */
/* net/frame.c: what is found in a frame, wherever it is cut and however it lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_bytes.h"
#include "net/frame.h"

#define A "02:00:00:00:00:01"
#define B "02:00:00:00:00:02"

/* What a frame must be found to be. */
struct want {
    uint32_t type;
    uint32_t l2_len, l3_len, l4_len;
    uint16_t ethertype;
    uint8_t protocol;
};

static void check(struct rte_mbuf *frame, struct want want)
{
    assert_int_equal(frame_parse(frame), want.type);
    assert_int_equal(frame->packet_type, want.type);
    assert_int_equal(frame->l2_len, want.l2_len);
    assert_int_equal(frame->l3_len, want.l3_len);
    assert_int_equal(frame->l4_len, want.l4_len);
    assert_int_equal(frame_ethertype(frame), want.ethertype);
    assert_int_equal(frame_protocol(frame), want.protocol);
    bytes_free(frame);
}

static void put_l2(struct bytes *b, unsigned int tags, uint16_t type)
{
    *b = (struct bytes){ 0 };
    put_ether(b, B, A, type);
    for (unsigned int i = 0; i < tags; i++)
        put_tag(b, i == 0 && tags == 2 ? 0x88a8 : 0x8100, 7);
}

/* IPv4 with so many words of header; the length of the packet is filled in by bytes_frame(). */
static void put_ip4_words(struct bytes *b, unsigned int words, uint8_t protocol)
{
    put_ip4(b, "10.0.0.1", "10.0.0.2", protocol);
    b->at[b->ip_at] = (uint8_t)(0x40 | words);
    put_zeros(b, (words - 5) * 4);
}

static void put_tcp_words(struct bytes *b, unsigned int words)
{
    put_tcp(b, 1000, 2000);
    b->at[b->len - 8] = (uint8_t)(words << 4);
    put_zeros(b, (words - 5) * 4);
}

static const uint32_t l2_types[] = { RTE_PTYPE_L2_ETHER, RTE_PTYPE_L2_ETHER_VLAN,
                                     RTE_PTYPE_L2_ETHER_QINQ };

static void tcp_over_ip4_is_found_behind_options_and_tags(void **state)
{
    struct bytes b;

    (void)state;
    for (unsigned int tags = 0; tags <= 2; tags++)
        for (unsigned int ihl = 5; ihl <= 15; ihl++)
            for (unsigned int words = 5; words <= 15; words++) {
                put_l2(&b, tags, 0x0800);
                put_ip4_words(&b, ihl, IPPROTO_TCP);
                put_tcp_words(&b, words);
                check(bytes_frame(&b, 0),
                      (struct want){ l2_types[tags] | RTE_PTYPE_L4_TCP |
                                         (ihl > 5 ? RTE_PTYPE_L3_IPV4_EXT : RTE_PTYPE_L3_IPV4),
                                     14 + 4 * tags, ihl * 4, words * 4, 0x0800, IPPROTO_TCP });
            }
}

/* All that a frame can be when bytes are missing at its end. */
static void a_frame_cut_anywhere_says_only_what_is_there(void **state)
{
    struct bytes whole, b;

    (void)state;
    put_l2(&whole, 1, 0x0800);
    put_ip4_words(&whole, 6, IPPROTO_TCP);
    put_tcp_words(&whole, 6);
    bytes_free(bytes_frame(&whole, 0));
    for (uint32_t len = 0; len < whole.len; len++) {
        b = whole;
        b.len = len;
        if (len < 14)
            check(bytes_frame_as_is(&b, 0), (struct want){ 0 });
        else if (len < 18)
            check(bytes_frame_as_is(&b, 0),
                  (struct want){ RTE_PTYPE_L2_ETHER, 14, 0, 0, 0x8100, 0 });
        else /* the IP packet says that it is longer */
            check(bytes_frame_as_is(&b, 0),
                  (struct want){ RTE_PTYPE_L2_ETHER_VLAN, 18, 0, 0, 0x0800, 0 });
    }
}

static void a_packet_cut_anywhere_says_only_what_is_there(void **state)
{
    const uint32_t l3 = RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4;
    struct bytes b;

    (void)state;
    for (uint32_t l4 = 0; l4 <= 24; l4++) {
        bool is_whole = l4 >= 24;

        put_l2(&b, 0, 0x0800);
        put_ip4_words(&b, 5, IPPROTO_TCP);
        put_tcp_words(&b, 6);
        b.len = 34 + l4;
        check(bytes_frame(&b, 0), (struct want){ is_whole ? l3 | RTE_PTYPE_L4_TCP : l3, 14, 20,
                                                 is_whole ? 24 : 0, 0x0800, IPPROTO_TCP });
    }
}

/* Headers that go on in another segment are as good as cut off. */
static void headers_lie_in_the_first_segment_or_are_not_found(void **state)
{
    struct bytes b;

    (void)state;
    for (uint32_t first = 14; first <= 58; first++) {
        uint32_t l3 = first >= 34 ? RTE_PTYPE_L3_IPV4 : 0;
        uint32_t l4 = first >= 54 ? RTE_PTYPE_L4_TCP : 0;

        put_l2(&b, 0, 0x0800);
        put_ip4_words(&b, 5, IPPROTO_TCP);
        put_tcp_words(&b, 5);
        put_zeros(&b, 30);
        check(bytes_frame(&b, first), (struct want){ RTE_PTYPE_L2_ETHER | l3 | l4, 14, l3 ? 20 : 0,
                                                     l4 ? 20 : 0, 0x0800, l3 ? IPPROTO_TCP : 0 });
    }
}

static void padding_is_not_read_as_a_header(void **state)
{
    struct bytes b;
    struct rte_mbuf *frame;

    (void)state;
    put_l2(&b, 0, 0x0800);
    put_ip4_words(&b, 5, IPPROTO_UDP);
    put_udp(&b, 1, 2);
    put_zeros(&b, 18);
    b.at[17] = 20; /* the packet ends before UDP begins */
    check(bytes_frame_as_is(&b, 0),
          (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4, 14, 20, 0, 0x0800, IPPROTO_UDP });
    b.at[17] = 27;
    check(bytes_frame_as_is(&b, 0),
          (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4, 14, 20, 0, 0x0800, IPPROTO_UDP });
    b.at[17] = 28;
    frame = bytes_frame_as_is(&b, 0);
    check(frame, (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP, 14, 20,
                                8, 0x0800, IPPROTO_UDP });
}

static void ip4_that_contradicts_itself_is_no_ip4(void **state)
{
    /* byte of the IPv4 header, its value */
    static const uint8_t rows[][2] = { { 0, 0x44 }, { 0, 0x40 }, { 0, 0x65 },
                                       { 0, 0x05 }, { 0, 0x4f }, { 3, 19 },
                                       { 3, 29 },   { 2, 0xff }, { 3, 0 } };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
        struct rte_mbuf *frame;

        put_l2(&b, 0, 0x0800);
        put_ip4_words(&b, 5, IPPROTO_UDP);
        put_udp(&b, 1, 2);
        frame = bytes_frame(&b, 0);
        assert_false((frame_parse(frame), frame_is_bad_ip(frame)));
        bytes_free(frame);
        b.at[14 + rows[i][0]] = rows[i][1];
        frame = bytes_frame_as_is(&b, 0);
        frame_parse(frame);
        assert_true(frame_is_bad_ip(frame));
        assert_false(frame_is_ipv4(frame) || frame_is_ipv6(frame));
        check(frame, (struct want){ RTE_PTYPE_L2_ETHER, 14, 0, 0, 0x0800, 0 });
    }
}

static void a_tcp_header_shorter_than_itself_is_none(void **state)
{
    struct bytes b;

    (void)state;
    for (unsigned int words = 0; words < 5; words++) {
        put_l2(&b, 0, 0x0800);
        put_ip4_words(&b, 5, IPPROTO_TCP);
        put_tcp_words(&b, 5);
        b.at[14 + 20 + 12] = (uint8_t)(words << 4);
        check(bytes_frame(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4, 14, 20, 0,
                                                 0x0800, IPPROTO_TCP });
    }
}

static void a_third_tag_ends_the_search(void **state)
{
    struct bytes b;

    (void)state;
    put_l2(&b, 3, 0x0800);
    put_ip4_words(&b, 5, IPPROTO_UDP);
    put_udp(&b, 1, 2);
    check(bytes_frame(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER_QINQ, 22, 0, 0, 0x8100, 0 });
    put_l2(&b, 0, 0x0800);
    put_tag(&b, 0x9100, 7); /* no tag of a standard */
    check(bytes_frame(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER, 14, 0, 0, 0x9100, 0 });
}

static void other_ethertypes_have_no_l3(void **state)
{
    static const uint16_t types[] = { 0x0806, 0, 46, 0x05dc, 0x88cc, 0x8864, 0xffff };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(types); i++) {
        struct rte_mbuf *frame;

        put_l2(&b, 1, types[i]);
        put_zeros(&b, 46);
        b.at[18] = 0x45;
        frame = bytes_frame(&b, 0);
        frame_parse(frame);
        assert_false(frame_is_bad_ip(frame));
        assert_true(frame_is_tagged(frame));
        check(frame, (struct want){ RTE_PTYPE_L2_ETHER_VLAN, 18, 0, 0, types[i], 0 });
    }
}

static void protocols_over_ip4(void **state)
{
    static const struct {
        uint8_t protocol;
        uint32_t l4, l4_len;
    } rows[] = { { IPPROTO_UDP, RTE_PTYPE_L4_UDP, 8 },
                 { IPPROTO_ICMP, RTE_PTYPE_L4_ICMP, 8 },
                 { IPPROTO_ICMPV6, RTE_PTYPE_L4_NONFRAG, 0 },
                 { 47, RTE_PTYPE_L4_NONFRAG, 0 },
                 { 0, RTE_PTYPE_L4_NONFRAG, 0 },
                 { 44, RTE_PTYPE_L4_NONFRAG, 0 } };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
        put_l2(&b, 0, 0x0800);
        put_ip4_words(&b, 5, rows[i].protocol);
        put_zeros(&b, 8);
        check(bytes_frame(&b, 0),
              (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | rows[i].l4, 14, 20,
                             rows[i].l4_len, 0x0800, rows[i].protocol });
    }
}

static void an_icmp_header_may_be_cut(void **state)
{
    struct bytes b;

    (void)state;
    put_l2(&b, 0, 0x0800);
    put_ip4_words(&b, 5, IPPROTO_ICMP);
    put_zeros(&b, 7);
    check(bytes_frame(&b, 0),
          (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4, 14, 20, 0, 0x0800, IPPROTO_ICMP });
    put_l2(&b, 0, 0x86dd);
    put_ip6(&b, "fd00::1", "fd00::2", IPPROTO_ICMPV6, 255);
    put_zeros(&b, 3);
    check(bytes_frame(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6, 14, 40, 0,
                                             0x86dd, IPPROTO_ICMPV6 });
}

static void fragments_of_ip4(void **state)
{
    static const struct {
        uint16_t offset;
        unsigned int more;
    } rows[] = { { 0, 1 }, { 8, 0 }, { 1480, 1 }, { 65528, 0 } };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
        struct rte_mbuf *frame;

        put_l2(&b, 0, 0x0800);
        put_ip4_words(&b, 7, IPPROTO_UDP);
        ip4_fragment(&b, rows[i].offset, rows[i].more);
        put_udp(&b, 1, 2);
        frame = bytes_frame(&b, 0);
        frame_parse(frame);
        assert_int_equal(frame_fragment_offset(frame), rows[i].offset);
        check(frame, (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4_EXT | RTE_PTYPE_L4_FRAG,
                                    14, 28, 0, 0x0800, IPPROTO_UDP });
    }
    put_l2(&b, 0, 0x0800);
    put_ip4_words(&b, 5, IPPROTO_UDP);
    b.at[b.ip_at + 6] = 0xc0; /* reserved, and do not fragment */
    put_udp(&b, 1, 2);
    check(bytes_frame(&b, 0),
          (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP, 14, 20, 8,
                         0x0800, IPPROTO_UDP });
}

/* IPv6 with nr extension headers of so many units of 8 bytes, then UDP. */
static void put_ext_chain(struct bytes *b, unsigned int nr, unsigned int units, uint8_t kind)
{
    put_l2(b, 0, 0x86dd);
    put_ip6(b, "fd00::1", "fd00::2", nr ? kind : IPPROTO_UDP, 64);
    for (unsigned int i = 1; i <= nr; i++)
        put_ext6(b, i < nr ? kind : IPPROTO_UDP, units);
    put_udp(b, 1, 2);
}

static void ip6_extension_headers_are_stepped_over(void **state)
{
    static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS };
    struct bytes b;

    (void)state;
    for (unsigned int k = 0; k < RTE_DIM(kinds); k++)
        for (unsigned int nr = 0; nr <= FRAME_EXT_MAX; nr++) {
            put_ext_chain(&b, nr, 2, kinds[k]);
            check(bytes_frame(&b, 0),
                  (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L4_UDP |
                                     (nr ? RTE_PTYPE_L3_IPV6_EXT : RTE_PTYPE_L3_IPV6),
                                 14, 40 + 16 * nr, 8, 0x86dd, IPPROTO_UDP });
        }
}

/* The rest of a chain that is too long, too many or cut is not known; its protocol says so. */
static void ip6_extension_headers_are_bounded(void **state)
{
    const uint32_t l3 = RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6_EXT;
    struct bytes b;

    (void)state;
    put_ext_chain(&b, FRAME_EXT_MAX + 1, 1, IPPROTO_DSTOPTS);
    check(bytes_frame(&b, 0),
          (struct want){ l3, 14, 40 + 8 * FRAME_EXT_MAX, 0, 0x86dd, IPPROTO_DSTOPTS });
    put_ext_chain(&b, 8, 8, IPPROTO_DSTOPTS); /* 552 bytes */
    check(bytes_frame(&b, 0), (struct want){ l3, 14, 40 + 64 * 7, 0, 0x86dd, IPPROTO_DSTOPTS });
    put_ext_chain(&b, 1, 58, IPPROTO_DSTOPTS); /* 504 bytes: just fits */
    check(bytes_frame(&b, 0),
          (struct want){ l3 | RTE_PTYPE_L4_UDP, 14, 40 + 464, 8, 0x86dd, IPPROTO_UDP });
    put_ext_chain(&b, 1, 59, IPPROTO_DSTOPTS);
    check(bytes_frame(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6, 14, 40, 0,
                                             0x86dd, IPPROTO_DSTOPTS });
    put_ext_chain(&b, 1, 1, IPPROTO_DSTOPTS);
    b.at[14 + 40 + 1] = 255; /* longer than the frame */
    check(bytes_frame(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6, 14, 40, 0,
                                             0x86dd, IPPROTO_DSTOPTS });
    put_ext_chain(&b, 2, 1, IPPROTO_DSTOPTS);
    b.len = 14 + 40 + 8 + 7; /* in the middle of the second */
    check(bytes_frame(&b, 0), (struct want){ l3, 14, 48, 0, 0x86dd, IPPROTO_DSTOPTS });
}

static void protocols_that_are_no_extension_end_the_chain(void **state)
{
    static const uint8_t kinds[] = { IPPROTO_AH, IPPROTO_ESP, IPPROTO_NONE, 135,
                                     139,        253,         41,           IPPROTO_ICMP };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(kinds); i++) {
        put_l2(&b, 0, 0x86dd);
        put_ip6(&b, "fd00::1", "fd00::2", kinds[i], 64);
        put_zeros(&b, 16);
        check(bytes_frame(&b, 0),
              (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6 | RTE_PTYPE_L4_NONFRAG, 14, 40,
                             0, 0x86dd, kinds[i] });
    }
}

static void fragments_of_ip6(void **state)
{
    static const struct {
        uint16_t offset;
        unsigned int more;
    } rows[] = { { 0, 1 }, { 0, 0 }, { 8, 0 }, { 1448, 1 }, { 65528, 0 } };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
        struct rte_mbuf *frame;

        put_l2(&b, 2, 0x86dd);
        put_ip6(&b, "fd00::1", "fd00::2", IPPROTO_HOPOPTS, 64);
        put_ext6(&b, IPPROTO_FRAGMENT, 2);
        put_fragment6(&b, IPPROTO_DSTOPTS, rows[i].offset, rows[i].more);
        put_ext6(&b, IPPROTO_UDP, 1); /* not looked at */
        frame = bytes_frame(&b, 0);
        frame_parse(frame);
        assert_int_equal(frame_fragment_offset(frame), rows[i].offset);
        check(frame,
              (struct want){ RTE_PTYPE_L2_ETHER_QINQ | RTE_PTYPE_L3_IPV6_EXT | RTE_PTYPE_L4_FRAG,
                             22, 64, 0, 0x86dd, IPPROTO_DSTOPTS });
    }
}

/* Jumbograms (RFC 2675) say 0, and their payload is not found. */
static void ip6_that_contradicts_itself_is_no_ip6(void **state)
{
    struct bytes b;

    (void)state;
    put_l2(&b, 0, 0x86dd);
    put_ip6(&b, "fd00::1", "fd00::2", IPPROTO_UDP, 64);
    put_udp(&b, 1, 2);
    bytes_free(bytes_frame(&b, 0));
    b.at[14 + 5] = 9; /* one byte more than there is */
    check(bytes_frame_as_is(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER, 14, 0, 0, 0x86dd, 0 });
    b.at[14 + 5] = 0;
    check(bytes_frame_as_is(&b, 0),
          (struct want){ RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6, 14, 40, 0, 0x86dd, IPPROTO_UDP });
    b.at[14 + 5] = 8;
    b.at[14] = 0x40;
    check(bytes_frame_as_is(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER, 14, 0, 0, 0x86dd, 0 });
    b.at[14] = 0x60;
    b.len = 14 + 39;
    check(bytes_frame_as_is(&b, 0), (struct want){ RTE_PTYPE_L2_ETHER, 14, 0, 0, 0x86dd, 0 });
}

static void what_was_found_is_kept_until_it_is_forgotten(void **state)
{
    struct bytes b;
    struct rte_mbuf *frame;
    uint8_t *ether_type;

    (void)state;
    put_l2(&b, 0, 0x0800);
    put_ip4_words(&b, 5, IPPROTO_UDP);
    put_udp(&b, 1, 2);
    frame = bytes_frame(&b, 0);
    frame_parse(frame);
    ether_type = rte_pktmbuf_mtod_offset(frame, uint8_t *, 12);
    ether_type[0] = 0x88;
    assert_true(frame_parse(frame) & RTE_PTYPE_L4_UDP);
    assert_ptr_equal(frame_l3_at(frame), rte_pktmbuf_mtod_offset(frame, void *, 14));
    assert_ptr_equal(frame_l4_at(frame), rte_pktmbuf_mtod_offset(frame, void *, 34));
    frame_forget(frame);
    check(frame, (struct want){ RTE_PTYPE_L2_ETHER, 14, 0, 0, 0x8800, 0 });
}

/* ASan sees a byte read beyond what there is. */
static void random_frames_are_read_within_bounds(void **state)
{
    static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100, 0x88a8 };

    (void)state;
    srandom(2);
    for (unsigned int round = 0; round < 100000; round++) {
        struct bytes b;
        struct rte_mbuf *frame;
        uint32_t len = (uint32_t)random() % 120;

        b.len = 0;
        while (b.len < len)
            put8(&b, (uint8_t)random());
        if (len > 14) {
            uint16_t type = types[random() % 4];

            b.at[12] = (uint8_t)(type >> 8);
            b.at[13] = (uint8_t)type;
            b.at[14] = type == 0x0800 ? 0x45 : type == 0x86dd ? 0x60 : b.at[14];
            b.at[type == 0x0800 ? 16 : 18] = 0;
        }
        frame = bytes_frame_as_is(&b, (uint32_t)random() % 120);
        if (frame_parse(frame))
            assert_true(frame->l2_len + frame->l3_len + frame->l4_len <= frame->data_len);
        bytes_free(frame);
    }
}

/* Frequent frames are read by code of their own: behind a tag the same is found by the rest. */
static void plain_frames_are_read_as_behind_a_tag(void **state)
{
    unsigned int nr_tcp = 0, nr_udp = 0;

    (void)state;
    srandom(11);
    for (unsigned int i = 0; i < 100000; i++) {
        struct bytes plain, tagged;
        struct rte_mbuf *a, *b;
        uint32_t len;

        put_l2(&plain, 0, 0x0800);
        put_ip4_words(&plain, 5, i & 1 ? IPPROTO_TCP : IPPROTO_UDP);
        put_tcp_words(&plain, 8);
        put_zeros(&plain, 20);
        plain.at[16] = 0;
        plain.at[17] = (uint8_t)(i % 90);
        if (random() & 1)
            plain.at[14 + random() % 34] ^= (uint8_t)(1u << random() % 8);
        len = (uint32_t)random() % (plain.len + 1);
        put_l2(&tagged, 1, 0x0800);
        memcpy(tagged.at + 18, plain.at + 14, plain.len - 14);
        tagged.len = plain.len + 4;
        a = bytes_frame_as_is(&plain, len);
        b = bytes_frame_as_is(&tagged, len + 4);
        if (len >= 14) {
            assert_int_equal(frame_parse(a) & ~RTE_PTYPE_L2_MASK,
                             frame_parse(b) & ~RTE_PTYPE_L2_MASK);
            assert_int_equal(a->l2_len + 4, b->l2_len);
            assert_int_equal(a->l3_len, b->l3_len);
            assert_int_equal(a->l4_len, b->l4_len);
            assert_int_equal(a->hash.usr, b->hash.usr);
            nr_tcp += frame_l4(a) == RTE_PTYPE_L4_TCP;
            nr_udp += frame_l4(a) == RTE_PTYPE_L4_UDP;
        }
        bytes_free(a);
        bytes_free(b);
    }
    assert_true(nr_tcp > 1000 && nr_udp > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_over_ip4_is_found_behind_options_and_tags),
        cmocka_unit_test(a_frame_cut_anywhere_says_only_what_is_there),
        cmocka_unit_test(a_packet_cut_anywhere_says_only_what_is_there),
        cmocka_unit_test(headers_lie_in_the_first_segment_or_are_not_found),
        cmocka_unit_test(padding_is_not_read_as_a_header),
        cmocka_unit_test(ip4_that_contradicts_itself_is_no_ip4),
        cmocka_unit_test(a_tcp_header_shorter_than_itself_is_none),
        cmocka_unit_test(a_third_tag_ends_the_search),
        cmocka_unit_test(other_ethertypes_have_no_l3),
        cmocka_unit_test(protocols_over_ip4),
        cmocka_unit_test(an_icmp_header_may_be_cut),
        cmocka_unit_test(fragments_of_ip4),
        cmocka_unit_test(ip6_extension_headers_are_stepped_over),
        cmocka_unit_test(ip6_extension_headers_are_bounded),
        cmocka_unit_test(protocols_that_are_no_extension_end_the_chain),
        cmocka_unit_test(fragments_of_ip6),
        cmocka_unit_test(ip6_that_contradicts_itself_is_no_ip6),
        cmocka_unit_test(what_was_found_is_kept_until_it_is_forgotten),
        cmocka_unit_test(random_frames_are_read_within_bounds),
        cmocka_unit_test(plain_frames_are_read_as_behind_a_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
