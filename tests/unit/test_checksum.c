/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_net.h"
#include "net/checksum.h"

static int end(void **state)
{
    (void)state;
    return fixture_in_use();
}

/* Finish and free; was it right? */
static bool finish(struct rte_mbuf *frame)
{
    bool right =
        checksum_finish(frame) == 0 && frame_is_valid_l4(frame) && !checksum_is_unfinished(frame);

    rte_pktmbuf_free(frame);
    return right;
}

static void every_protocol_is_finished(void **state)
{
    (void)state;
    for (uint32_t payload = 0; payload < 70; payload++) {
        assert_true(finish(frame_make_l4(false, IPPROTO_TCP, payload, 0)));
        assert_true(finish(frame_make_l4(false, IPPROTO_UDP, payload, 0)));
        assert_true(finish(frame_make_l4(true, IPPROTO_TCP, payload, 0)));
        assert_true(finish(frame_make_l4(true, IPPROTO_UDP, payload, 0)));
    }
}

static void an_unfinished_checksum_is_not_valid(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 100, 0);

    (void)state;
    assert_true(checksum_is_unfinished(frame));
    assert_false(frame_is_valid_l4(frame));
    rte_pktmbuf_free(frame);
}

static void segments_of_any_length_add_up(void **state)
{
    (void)state;
    for (uint32_t chunk = 60; chunk < 1500; chunk += 13) {
        assert_true(finish(frame_chop(frame_make_l4(false, IPPROTO_TCP, 1400, 0), chunk)));
        assert_true(finish(frame_chop(frame_make_l4(true, IPPROTO_UDP, 4001, 0), chunk + 13)));
    }
}

static void a_udp_checksum_is_never_sent_as_zero(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_UDP, 2, 0);
    uint16_t *payload = rte_pktmbuf_mtod_offset(frame, uint16_t *, 42);
    uint16_t *field = rte_pktmbuf_mtod_offset(frame, uint16_t *, 40);
    uint16_t zero = 0, pseudo = *field, flat;

    (void)state;
    memcpy(payload, &zero, sizeof(zero));
    assert_int_equal(checksum_finish(frame), 0);
    flat = *field; /* what makes the sum of all else 0xffff */
    memcpy(payload, &flat, sizeof(flat));
    *field = pseudo;
    frame->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4;
    assert_int_equal(checksum_finish(frame), 0);
    assert_int_equal(*field, 0xffff);
    rte_pktmbuf_free(frame);
}

static void a_field_outside_the_first_segment_is_refused(void **state)
{
    struct rte_mbuf *frame = frame_chop(frame_make_l4(false, IPPROTO_TCP, 100, 0), 51);

    (void)state;
    assert_int_equal(checksum_finish(frame), -EINVAL);
    assert_true(checksum_is_unfinished(frame));
    rte_pktmbuf_free(frame);
    frame = frame_make_l4(false, IPPROTO_UDP, 0, 0);
    frame->l3_len = 511;
    assert_int_equal(checksum_finish(frame), -EINVAL);
    rte_pktmbuf_free(frame);
}

static void other_protocols_are_refused(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 100, 0);

    (void)state;
    frame->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM | RTE_MBUF_F_TX_IPV4;
    assert_int_equal(checksum_finish(frame), -EINVAL);
    rte_pktmbuf_free(frame);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(every_protocol_is_finished),
        TEST(an_unfinished_checksum_is_not_valid),
        TEST(segments_of_any_length_add_up),
        TEST(a_udp_checksum_is_never_sent_as_zero),
        TEST(a_field_outside_the_first_segment_is_refused),
        TEST(other_protocols_are_refused),
    };

    return cmocka_run_group_tests_name("checksum", tests, fixture_start, NULL);
}
