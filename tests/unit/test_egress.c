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
#include "net/egress.h"

#define CSUM (PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6)
#define TSO (PORT_TX_TSO_V4 | PORT_TX_TSO_V6)

static struct fake_port fake;

static int start(void **state)
{
    (void)state;
    egress_init(fixture_pool());
    fake_port_init(&fake, "fake", 0);
    fake.port.bridge = (void *)&fake; /* only looked at for being set */
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_port_empty(&fake);
    return fixture_in_use();
}

static void put(struct rte_mbuf *frame, uint32_t tx_caps)
{
    fake.port.tx_caps = tx_caps;
    egress_put(&fake.port, frame);
    egress_flush(&fake.port);
}

static void assert_dropped(struct rte_mbuf *frame, uint32_t tx_caps)
{
    uint64_t before = fake.port.stats.tx_drops;

    put(frame, tx_caps);
    assert_int_equal(fake.nr_kept, 0);
    assert_int_equal(fake.port.stats.tx_drops, before + 1);
    assert_int_equal(fixture_in_use(), 0);
}

static void a_plain_frame_goes_as_it_is(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 64);

    (void)state;
    put(frame, 0);
    assert_int_equal(fake.nr_kept, 1);
    assert_ptr_equal(fake.kept[0], frame);
}

static void a_port_that_is_down_gets_nothing(void **state)
{
    (void)state;
    fake.port.up = false;
    assert_dropped(frame_make(station(1), station(2), 64), ~0u);
}

static void the_mtu_holds(void **state)
{
    (void)state;
    put(frame_make(station(1), station(2), 1514), 0);
    assert_int_equal(fake.nr_kept, 1);
    fake_port_empty(&fake);
    assert_dropped(frame_make(station(1), station(2), 1515), ~0u);
}

static void a_vlan_tag_may_come_on_top(void **state)
{
    for (uint32_t len = 1518; len <= 1519; len++) {
        struct rte_mbuf *frame = frame_make(station(1), station(2), len);

        rte_pktmbuf_mtod(frame, struct rte_ether_hdr *)->ether_type = RTE_BE16(0x8100);
        put(frame, 0);
    }
    (void)state;
    assert_int_equal(fake.nr_kept, 1);
    assert_int_equal(fake.kept[0]->pkt_len, 1518);
    assert_int_equal(fake.port.stats.tx_drops, 1);
}

static void checksums_pass_unfinished_where_taken(void **state)
{
    (void)state;
    put(frame_make_l4(false, IPPROTO_TCP, 100, 0), PORT_TX_CSUM_V4);
    put(frame_make_l4(true, IPPROTO_UDP, 100, 0), PORT_TX_CSUM_V6);
    assert_int_equal(fake.nr_kept, 2);
    for (unsigned int i = 0; i < 2; i++)
        assert_true(checksum_is_unfinished(fake.kept[i]));
}

/* An IPv6 frame with a destination options header of 8 bytes in front of TCP. */
static struct rte_mbuf *behind_options(void)
{
    struct rte_mbuf *frame = frame_make_l4(true, IPPROTO_TCP, 100, 0);
    uint32_t l4 = frame->l2_len + frame->l3_len, rest = frame->pkt_len - l4;
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);

    assert_non_null(rte_pktmbuf_append(frame, 8));
    memmove(bytes + l4 + 8, bytes + l4, rest);
    memcpy(bytes + l4, "\x06\x00\x01\x04\x00\x00\x00\x00", 8);
    bytes[frame->l2_len + 6] = IPPROTO_DSTOPTS;
    frame->l3_len += 8;
    return frame;
}

static void checksums_behind_extension_headers_are_never_left_to_the_port(void **state)
{
    (void)state;
    put(behind_options(), CSUM);
    assert_int_equal(fake.nr_kept, 1);
    assert_false(checksum_is_unfinished(fake.kept[0]));
}

static void checksums_are_finished_where_not_taken(void **state)
{
    (void)state;
    put(frame_make_l4(false, IPPROTO_TCP, 100, 0), PORT_TX_CSUM_V6);
    put(frame_make_l4(true, IPPROTO_UDP, 100, 0), PORT_TX_CSUM_V4);
    put(frame_make_l4(false, IPPROTO_UDP, 100, 0), 0);
    put(frame_make_l4(true, IPPROTO_TCP, 100, 0), 0);
    assert_int_equal(fake.nr_kept, 4);
    for (unsigned int i = 0; i < 4; i++) {
        assert_false(checksum_is_unfinished(fake.kept[i]));
        assert_true(frame_is_valid_l4(fake.kept[i]));
    }
}

static void a_shared_frame_is_finished_in_a_copy(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 100, 0);
    uint8_t before[200], after[200];

    (void)state;
    rte_pktmbuf_refcnt_update(frame, 1);
    frame_bytes(frame, before, sizeof(before));
    put(frame, 0);
    frame_bytes(frame, after, sizeof(after));
    assert_memory_equal(before, after, frame->pkt_len);
    assert_true(checksum_is_unfinished(frame));
    assert_int_equal(rte_mbuf_refcnt_read(frame), 1);
    assert_ptr_not_equal(fake.kept[0], frame);
    assert_true(frame_is_valid_l4(fake.kept[0]));
    rte_pktmbuf_free(frame);
}

static void an_own_frame_is_finished_in_place(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 100, 0);

    (void)state;
    put(frame, 0);
    assert_ptr_equal(fake.kept[0], frame);
}

static void a_chain_is_copied_into_one_where_not_taken(void **state)
{
    (void)state;
    put(frame_chop(frame_make_l4(false, IPPROTO_TCP, 1000, 0), 101), CSUM | PORT_TX_MULTI_SEG);
    put(frame_chop(frame_make_l4(false, IPPROTO_TCP, 1000, 0), 101), CSUM);
    put(frame_chop(frame_make_l4(false, IPPROTO_TCP, 1000, 0), 101), 0);
    assert_int_equal(fake.nr_kept, 3);
    assert_int_equal(fake.kept[0]->nb_segs, 11);
    assert_int_equal(fake.kept[1]->nb_segs, 1);
    assert_true(checksum_is_unfinished(fake.kept[1]));
    assert_int_equal(fake.kept[2]->nb_segs, 1);
    assert_true(frame_is_valid_l4(fake.kept[2]));
}

static void a_chain_too_long_for_one_buffer_is_dropped(void **state)
{
    (void)state;
    fake.port.mtu = 9000;
    assert_dropped(frame_make(station(1), station(2), 3000), 0);
}

static void long_frames_pass_whole_where_taken(void **state)
{
    (void)state;
    put(frame_make_l4(false, IPPROTO_TCP, 60000, 1448), TSO | PORT_TX_MULTI_SEG);
    assert_int_equal(fake.nr_kept, 1);
    assert_true(fake.kept[0]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
}

static void long_frames_are_cut_and_finished_where_not_taken(void **state)
{
    (void)state;
    put(frame_make_l4(false, IPPROTO_TCP, 14480, 1448), PORT_TX_TSO_V6);
    put(frame_make_l4(true, IPPROTO_TCP, 14280, 1428), PORT_TX_TSO_V4);
    put(frame_make_l4(false, IPPROTO_TCP, 14480, 1448), PORT_TX_MULTI_SEG);
    assert_int_equal(fake.nr_kept, 30);
    for (unsigned int i = 0; i < 30; i++) {
        assert_int_equal(fake.kept[i]->pkt_len, 1502);
        assert_true(i >= 20 || fake.kept[i]->nb_segs == 1);
        assert_true(frame_is_valid_l4(fake.kept[i]));
    }
    assert_int_equal(fake.port.stats.tx_drops, 0);
}

static void pieces_keep_unfinished_checksums_where_taken(void **state)
{
    (void)state;
    put(frame_make_l4(false, IPPROTO_TCP, 14480, 1448), CSUM | PORT_TX_MULTI_SEG);
    assert_int_equal(fake.nr_kept, 10);
    for (unsigned int i = 0; i < 10; i++)
        assert_true(checksum_is_unfinished(fake.kept[i]));
}

static void a_long_chain_is_cut_for_a_port_without_chains(void **state)
{
    (void)state;
    put(frame_make_l4(false, IPPROTO_TCP, 14480, 1448), TSO | CSUM);
    assert_int_equal(fake.nr_kept, 10);
}

static void a_shared_long_frame_stays_whole_for_the_others(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 14480, 1448);
    uint8_t before[100], after[100];

    (void)state;
    rte_pktmbuf_refcnt_update(frame, 1);
    frame_bytes(frame, before, sizeof(before));
    put(frame, 0);
    put(frame, TSO | PORT_TX_MULTI_SEG);
    assert_int_equal(fake.nr_kept, 11);
    assert_ptr_equal(fake.kept[10], frame);
    assert_true(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
    frame_bytes(frame, after, sizeof(after));
    assert_memory_equal(before, after, sizeof(before));
}

static void pieces_longer_than_the_mtu_are_not_made(void **state)
{
    (void)state;
    put(frame_make_l4(false, IPPROTO_TCP, 14600, 1460), 0);
    assert_int_equal(fake.nr_kept, 10);
    fake_port_empty(&fake);
    assert_dropped(frame_make_l4(false, IPPROTO_TCP, 14610, 1461), 0);
    assert_dropped(frame_make_l4(true, IPPROTO_TCP, 14410, 1441), 0);
}

static void a_frame_that_cannot_be_cut_is_dropped(void **state)
{
    (void)state;
    assert_dropped(frame_make_l4(false, IPPROTO_TCP, 10000, 1), 0);
    assert_dropped(frame_chop(frame_make_l4(false, IPPROTO_TCP, 10000, 1000), 40), 0);
}

static void an_empty_pool_costs_the_frame_only(void **state)
{
    struct rte_mbuf *taken[4], *frame;

    (void)state;
    egress_init(fixture_tiny_pool());
    assert_dropped(frame_make_l4(false, IPPROTO_TCP, 14480, 1448), 0);
    assert_dropped(frame_make_l4(true, IPPROTO_TCP, 14280, 1428), 0);
    assert_int_equal(rte_pktmbuf_alloc_bulk(fixture_tiny_pool(), taken, 4), 0);
    frame = frame_make_l4(false, IPPROTO_TCP, 100, 0);
    rte_pktmbuf_refcnt_update(frame, 1);
    put(frame, 0);
    assert_int_equal(rte_mbuf_refcnt_read(frame), 1);
    rte_pktmbuf_free(frame);
    assert_dropped(frame_chop(frame_make(station(1), station(2), 64), 32), 0);
    assert_int_equal(fake.port.stats.tx_drops, 4);
    rte_pktmbuf_free_bulk(taken, 4);
}

static void what_is_gathered_can_be_discarded(void **state)
{
    (void)state;
    egress_put(&fake.port, frame_make(station(1), station(2), 64));
    egress_put(&fake.port, frame_make(station(1), station(2), 64));
    egress_discard(&fake.port);
    assert_int_equal(fake.port.nr_staged, 0);
    assert_int_equal(fake.port.stats.tx_drops, 2);
    assert_int_equal(fake.nr_kept, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(a_plain_frame_goes_as_it_is),
        TEST(a_port_that_is_down_gets_nothing),
        TEST(the_mtu_holds),
        TEST(a_vlan_tag_may_come_on_top),
        TEST(checksums_pass_unfinished_where_taken),
        TEST(checksums_behind_extension_headers_are_never_left_to_the_port),
        TEST(checksums_are_finished_where_not_taken),
        TEST(a_shared_frame_is_finished_in_a_copy),
        TEST(an_own_frame_is_finished_in_place),
        TEST(a_chain_is_copied_into_one_where_not_taken),
        TEST(a_chain_too_long_for_one_buffer_is_dropped),
        TEST(long_frames_pass_whole_where_taken),
        TEST(long_frames_are_cut_and_finished_where_not_taken),
        TEST(pieces_keep_unfinished_checksums_where_taken),
        TEST(a_long_chain_is_cut_for_a_port_without_chains),
        TEST(a_shared_long_frame_stays_whole_for_the_others),
        TEST(pieces_longer_than_the_mtu_are_not_made),
        TEST(a_frame_that_cannot_be_cut_is_dropped),
        TEST(an_empty_pool_costs_the_frame_only),
        TEST(what_is_gathered_can_be_discarded),
    };

    return cmocka_run_group_tests_name("egress", tests, fixture_start, NULL);
}
