/* SPDX-License-Identifier: BSD-2-Clause */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_net.h"
#include "net/checksum.h"
#include "net/frame.h"
#include "net/tag.h"

static int end(void **state)
{
    (void)state;
    return fixture_in_use();
}

static uint8_t *bytes_of(struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod(frame, uint8_t *);
}

static void a_tag_that_is_put_on_can_be_read_and_taken_away(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 100);
    uint8_t before[100], after[104];

    (void)state;
    frame_bytes(frame, before, sizeof(before));
    assert_false(tag_is_there(frame));
    tag_push(frame, 0xabc);
    assert_true(tag_is_there(frame));
    assert_true(tag_is_beside(frame));
    assert_int_equal(tag_vid(frame), 0xabc);
    assert_int_equal(frame->pkt_len, 100);
    tag_insert(frame);
    assert_true(tag_is_there(frame));
    assert_false(tag_is_beside(frame));
    assert_int_equal(tag_vid(frame), 0xabc);
    assert_int_equal(frame->pkt_len, 104);
    frame_bytes(frame, after, sizeof(after));
    assert_memory_equal(after, before, 12);
    assert_memory_equal(after + 12, "\x81\x00\x0a\xbc", 4);
    assert_memory_equal(after + 16, before + 12, 88);
    tag_pop(frame);
    assert_false(tag_is_there(frame));
    assert_int_equal(frame_bytes(frame, after, sizeof(after)), 100);
    assert_memory_equal(after, before, 100);
    rte_pktmbuf_free(frame);
}

static void a_new_vid_keeps_the_priority(void **state)
{
    struct rte_mbuf *frame = frame_tag(frame_make(station(1), station(2), 100), 0x8100, 0xf005);

    (void)state;
    tag_vid_set(frame, 0xabc);
    assert_int_equal(tag_vid(frame), 0xabc);
    assert_memory_equal(bytes_of(frame) + 14, "\xfa\xbc", 2);
    tag_vid_set(frame, 1);
    assert_memory_equal(bytes_of(frame) + 14, "\xf0\x01", 2);
    rte_pktmbuf_free(frame);
}

static void a_tag_beside_the_frame_is_changed_there(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 100);
    uint8_t before[100], after[104];

    (void)state;
    frame_bytes(frame, before, sizeof(before));
    frame->ol_flags = RTE_MBUF_F_TX_VLAN;
    frame->vlan_tci = 0xf005;
    assert_int_equal(tag_vid(frame), 5);
    tag_vid_set(frame, 0xabc);
    assert_int_equal(frame->vlan_tci, 0xfabc);
    tag_vid_set(frame, 1);
    assert_int_equal(frame->vlan_tci, 0xf001);
    tag_pop(frame);
    assert_false(tag_is_there(frame));
    assert_int_equal(rte_pktmbuf_data_len(frame), 100);
    assert_memory_equal(bytes_of(frame), before, 100);
    frame->ol_flags = RTE_MBUF_F_TX_VLAN;
    tag_insert(frame);
    frame_bytes(frame, after, sizeof(after));
    assert_memory_equal(after + 12, "\x81\x00\xf0\x01", 4);
    rte_pktmbuf_free(frame);
}

static void the_second_tag_is_the_one_behind_the_outer(void **state)
{
    (void)state;
    for (unsigned int in_frame = 0; in_frame <= 2; in_frame++)
        for (unsigned int beside = 0; beside <= 1; beside++) {
            struct rte_mbuf *frame = frame_make(station(1), station(2), 100);

            for (unsigned int i = 0; i < in_frame; i++)
                frame_tag(frame, 0x8100, (uint16_t)(7 + i));
            if (beside) {
                frame->ol_flags = RTE_MBUF_F_TX_VLAN;
                frame->vlan_tci = 99;
            }
            assert_int_equal(tag_is_there(frame), in_frame + beside > 0);
            if (tag_is_there(frame)) {
                assert_int_equal(tag_has_second(frame), in_frame + beside > 1);
                assert_int_equal(tag_vid(frame), beside ? 99 : 6 + in_frame);
            }
            rte_pktmbuf_free(frame);
        }
}

static void tags_beside_frames_are_compared(void **state)
{
    struct rte_mbuf a = { .ol_flags = RTE_MBUF_F_TX_VLAN, .vlan_tci = 5 }, b = a;

    (void)state;
    assert_true(tag_beside_is_alike(&a, &b));
    b.vlan_tci = 0x2005;
    assert_false(tag_beside_is_alike(&a, &b));
    b.ol_flags = 0;
    assert_false(tag_beside_is_alike(&a, &b));
    a.ol_flags = 0;
    assert_true(tag_beside_is_alike(&a, &b));
}

static void service_tags_are_none(void **state)
{
    struct rte_mbuf *frame = frame_tag(frame_make(station(1), station(2), 100), 0x88a8, 5);

    (void)state;
    assert_false(tag_is_there(frame));
    rte_pktmbuf_free(frame);
}

/* All that is noted of a frame is what is found anew. */
static void assert_noted_right(struct rte_mbuf *frame)
{
    struct rte_mbuf noted = *frame;

    frame_parse_headers(frame);
    assert_int_equal(frame->packet_type, noted.packet_type);
    assert_int_equal(frame->l2_len, noted.l2_len);
    assert_int_equal(frame->l3_len, noted.l3_len);
    assert_int_equal(frame->l4_len, noted.l4_len);
    assert_int_equal(frame->hash.usr, noted.hash.usr);
}

static void what_was_found_of_the_headers_stays_true(void **state)
{
    const uint16_t tpids[] = { 0, 0x8100, 0x88a8 };

    (void)state;
    for (unsigned int i = 0; i < 6; i++) {
        struct rte_mbuf *frame = frame_make_l4(i & 1, IPPROTO_TCP, 100, 0);
        uint16_t tpid = tpids[i / 2];

        if (tpid)
            frame_tag(frame, tpid, 7);
        assert_int_not_equal(frame_parse(frame), 0);
        tag_push(frame, 10);
        assert_noted_right(frame);
        tag_insert(frame);
        assert_noted_right(frame);
        tag_vid_set(frame, 11);
        assert_noted_right(frame);
        tag_pop(frame);
        assert_noted_right(frame);
        rte_pktmbuf_free(frame);
    }
}

static void a_checksum_behind_a_new_tag_can_be_finished(void **state)
{
    (void)state;
    for (unsigned int tags = 0; tags <= 2; tags++)
        for (unsigned int parsed = 0; parsed <= 1; parsed++) {
            struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_UDP, 100, 0);

            for (unsigned int i = 0; i < tags; i++)
                frame_tag(frame, 0x88a8, 7);
            if (parsed)
                frame_parse(frame);
            tag_push(frame, 10);
            tag_insert(frame);
            assert_int_equal(checksum_finish(frame), 0);
            assert_true(frame_is_valid_l4(frame));
            assert_int_equal(frame->l2_len, 18 + 4 * tags);
            rte_pktmbuf_free(frame);
        }
}

static void a_checksum_behind_a_tag_that_went_can_be_finished(void **state)
{
    (void)state;
    for (unsigned int tags = 0; tags <= 1; tags++)
        for (unsigned int parsed = 0; parsed <= 1; parsed++) {
            struct rte_mbuf *frame = frame_make_l4(true, IPPROTO_TCP, 100, 0);

            for (unsigned int i = 0; i < tags; i++)
                frame_tag(frame, 0x8100, 7);
            frame_tag(frame, 0x8100, 10);
            if (parsed)
                frame_parse(frame);
            tag_pop(frame);
            assert_int_equal(checksum_finish(frame), 0);
            assert_true(frame_is_valid_l4(frame));
            rte_pktmbuf_free(frame);
        }
}

static void a_third_tag_is_seen_when_the_first_is_gone(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 100, 0);

    (void)state;
    frame->ol_flags = 0;
    for (unsigned int i = 0; i < 3; i++)
        frame_tag(frame, 0x8100, 7);
    frame_parse(frame);
    assert_false(frame_is_ipv4(frame));
    tag_pop(frame);
    frame_parse(frame);
    assert_true(frame_is_ipv4(frame));
    rte_pktmbuf_free(frame);
}

static void what_was_not_looked_at_is_not_noted(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 100);

    (void)state;
    tag_push(frame, 10);
    tag_insert(frame);
    assert_int_equal(frame->packet_type, 0);
    assert_int_equal(frame->l2_len, 0);
    tag_pop(frame);
    assert_int_equal(frame->packet_type, 0);
    assert_int_equal(frame->l2_len, 0);
    rte_pktmbuf_free(frame);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(a_tag_that_is_put_on_can_be_read_and_taken_away),
        TEST(a_new_vid_keeps_the_priority),
        TEST(a_tag_beside_the_frame_is_changed_there),
        TEST(the_second_tag_is_the_one_behind_the_outer),
        TEST(tags_beside_frames_are_compared),
        TEST(service_tags_are_none),
        TEST(what_was_found_of_the_headers_stays_true),
        TEST(a_checksum_behind_a_new_tag_can_be_finished),
        TEST(a_checksum_behind_a_tag_that_went_can_be_finished),
        TEST(a_third_tag_is_seen_when_the_first_is_gone),
        TEST(what_was_not_looked_at_is_not_noted),
    };

    return cmocka_run_group_tests_name("tag", tests, fixture_start, NULL);
}
