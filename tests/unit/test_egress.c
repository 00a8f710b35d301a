/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_egress.h"
#include "net/checksum.h"

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
    assert_int_equal(egress_plug(&fake.port), 0);
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
    egress_unplug(&fake.port);
    assert_int_equal(fake.port.nr_staged, 0);
    assert_int_equal(fake.port.stats.tx_drops, 2);
    assert_int_equal(fake.nr_kept, 0);
}

static void a_port_that_is_not_open_gets_nothing(void **state)
{
    (void)state;
    egress_unplug(&fake.port);
    egress_unplug(&fake.port);
    assert_dropped(frame_make(station(1), station(2), 64), ~0u);
    assert_int_equal(egress_plug(&fake.port), 0);
    assert_int_equal(egress_plug(&fake.port), 0);
    put(frame_make(station(1), station(2), 64), ~0u);
    assert_int_equal(fake.nr_kept, 1);
}

/* As a NIC's, whose memory a restart leaves as it was. */
static void what_a_port_was_before_a_restart_does_not_count(void **state)
{
    struct fake_port other;

    (void)state;
    egress_init(fixture_pool());
    fake_port_init(&other, "other", 0);
    assert_int_equal(egress_plug(&other.port), 0);
    egress_unplug(&fake.port);
    assert_int_equal(egress_plug(&fake.port), 0);
    assert_int_not_equal(fake.port.egress_index, other.port.egress_index);
    put(frame_make(station(1), station(2), 64), 0);
    assert_int_equal(fake.nr_kept, 1);
    assert_int_equal(other.nr_flushes, 0);
    egress_unplug(&other.port);
}

static void a_port_is_flushed_only_in_turns_with_frames(void **state)
{
    (void)state;
    egress_flush_all();
    assert_int_equal(fake.nr_flushes, 0);
    for (unsigned int i = 0; i < PORT_BURST; i++)
        egress_put(&fake.port, frame_make(station(1), station(2), 64));
    assert_int_equal(fake.nr_kept, PORT_BURST);
    egress_flush_all();
    egress_flush_all();
    assert_int_equal(fake.nr_flushes, 1);
    assert_int_equal(fake.nr_bursts, 1);
}

static void a_fixed_number_of_ports_is_open(void **state)
{
    static struct fake_port many[EGRESS_PORTS_MAX];

    (void)state;
    for (unsigned int i = 0; i < EGRESS_PORTS_MAX; i++) {
        fake_port_init(&many[i], "many", 0);
        assert_int_equal(egress_plug(&many[i].port), i < EGRESS_PORTS_MAX - 1 ? 0 : -ENOSPC);
        egress_put(&many[i].port, frame_make(station(1), station(2), 64));
    }
    egress_flush_all();
    for (unsigned int i = 0; i < EGRESS_PORTS_MAX; i++) {
        assert_int_equal(many[i].nr_kept, i < EGRESS_PORTS_MAX - 1);
        assert_int_equal(many[i].nr_flushes, many[i].nr_kept);
        fake_port_empty(&many[i]);
        egress_unplug(&many[i].port);
    }
}

/* A guest whose driver does not look behind a tag, whatever it takes else. */
static void behind_a_tag_nothing_is_left_to_a_port_that_does_not_say_so(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        const uint32_t taken = TSO | CSUM | PORT_TX_MULTI_SEG;

        fake_port_empty(&fake);
        put(frame_tag(frame_make_l4(v6, IPPROTO_UDP, 100, 0), 0x8100, 5), taken);
        put(frame_tag(frame_make_l4(v6, IPPROTO_TCP, 2800, 1400), 0x8100, 5), taken);
        assert_int_equal(fake.nr_kept, 3);
        for (unsigned int i = 0; i < 3; i++)
            assert_true(frame_is_valid_l4(fake.kept[i]));
        put(frame_tag(frame_make_l4(v6, IPPROTO_UDP, 100, 0), 0x8100, 5), taken | PORT_TX_TAGGED);
        put(frame_tag(frame_make_l4(v6, IPPROTO_TCP, 2800, 1400), 0x8100, 5),
            taken | PORT_TX_TAGGED);
        assert_int_equal(fake.nr_kept, 5);
        assert_true(checksum_is_unfinished(fake.kept[3]));
        assert_true(fake.kept[4]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
    }
}

static void behind_two_tags_nothing_is_left_to_a_port(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        fake_port_empty(&fake);
        put(frame_tag(frame_tag(frame_make_l4(v6, IPPROTO_UDP, 100, 0), 0x8100, 5), 0x8100, 6),
            ~0u);
        put(frame_tag(frame_tag(frame_make_l4(v6, IPPROTO_TCP, 2800, 1400), 0x8100, 5), 0x88a8, 6),
            ~0u);
        assert_int_equal(fake.nr_kept, 3);
        for (unsigned int i = 0; i < 3; i++) {
            assert_false(checksum_is_unfinished(fake.kept[i]));
            assert_true(frame_is_valid_l4(fake.kept[i]));
        }
    }
}

static void a_port_may_want_everything_finished(void **state)
{
    (void)state;
    fake.port.finish_checksums = true;
    put(frame_make_l4(false, IPPROTO_UDP, 100, 0), ~0u);
    put(frame_make_l4(false, IPPROTO_TCP, 2800, 1400), ~0u);
    assert_int_equal(fake.nr_kept, 3);
    for (unsigned int i = 0; i < 3; i++)
        assert_true(frame_is_valid_l4(fake.kept[i]));
    put(frame_chop(frame_make(station(1), station(2), 100), 10), ~0u);
    assert_int_equal(fake.kept[3]->nb_segs, 10);
}

/* One tag comes on top of the MTU, two do not. */
static void pieces_behind_tags_are_as_long_as_frames_may_be(void **state)
{
    (void)state;
    put(frame_tag(frame_make_l4(false, IPPROTO_TCP, 2920, 1460), 0x8100, 5), 0);
    assert_int_equal(fake.nr_kept, 2);
    assert_int_equal(fake.kept[0]->pkt_len, 1518);
    fake_port_empty(&fake);
    assert_dropped(frame_tag(frame_make_l4(false, IPPROTO_TCP, 2922, 1461), 0x8100, 5), 0);
    assert_dropped(
        frame_tag(frame_tag(frame_make_l4(false, IPPROTO_TCP, 2920, 1460), 0x8100, 5), 0x88a8, 5),
        0);
    put(frame_tag(frame_tag(frame_make_l4(false, IPPROTO_TCP, 2912, 1456), 0x8100, 5), 0x88a8, 5),
        0);
    assert_int_equal(fake.nr_kept, 2);
}

/* What it is given goes out through another port, as through a router; its own array of frames may change. */
struct relay {
    struct port port;
    struct port *to, *at_flush; /* at_flush: given a frame of its own by flush */
};

static void relay_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct rte_mbuf *copy[PORT_BURST];

    memcpy(copy, frames, nr * sizeof(copy[0]));
    for (uint16_t i = 0; i < nr; i++)
        egress_put(((struct relay *)port)->to, copy[i]);
}

static void relay_flush(struct port *port)
{
    if (((struct relay *)port)->at_flush)
        egress_put(((struct relay *)port)->at_flush, frame_make(station(1), station(2), 64));
}

static const struct port_ops relay_ops = { .tx_burst = relay_burst, .flush = relay_flush };

static void relay_init(struct relay *relay, struct port *to)
{
    *relay = (struct relay){ .port = { .ops = &relay_ops, .mtu = 1500, .up = true, .tx_caps = ~0u },
                             .to = to };
    assert_int_equal(egress_plug(&relay->port), 0);
}

static void what_a_flush_sends_on_goes_out_in_the_same_turn(void **state)
{
    struct relay first, second;

    (void)state;
    relay_init(&second, &fake.port); /* flushed after fake, before first */
    relay_init(&first, &second.port);
    second.at_flush = &fake.port;
    egress_put(&first.port, frame_make(station(1), station(2), 64));
    egress_flush_all();
    assert_int_equal(fake.nr_kept, 2);
    assert_int_equal(fake.port.nr_staged, 0);
    assert_false(fake.port.is_dirty);
    egress_unplug(&first.port);
    egress_unplug(&second.port);
}

static void ports_that_keep_each_other_busy_wait_for_the_next_turn(void **state)
{
    struct relay first, second;

    (void)state;
    relay_init(&first, NULL);
    relay_init(&second, &first.port);
    first.to = &second.port;
    egress_put(&first.port, frame_make(station(1), station(2), 64));
    egress_flush_all();
    assert_true(first.port.is_dirty || second.port.is_dirty);
    egress_unplug(&first.port);
    egress_unplug(&second.port);
}

static void long_frames_are_cut_one_at_a_time(void **state)
{
    struct relay relay;

    (void)state;
    relay_init(&relay, &fake.port);
    relay.port.tx_caps = TSO & ~PORT_TX_TSO_V4; /* it breaks the rule */
    relay.port.tx_caps |= PORT_TX_MULTI_SEG;
    fake.port.tx_caps = 0;
    egress_put(&relay.port, frame_make_l4(true, IPPROTO_TCP, 14280, 1428));
    for (unsigned int i = 0; i < PORT_BURST - 2; i++)
        egress_put(&relay.port, frame_make(station(1), station(2), 64));
    egress_put(&relay.port, frame_make_l4(false, IPPROTO_TCP, 14480, 1448));
    egress_flush_all();
    assert_int_equal(fake.nr_kept, PORT_BURST - 2 + 10);
    assert_int_equal(fake.port.stats.tx_drops, 1);
    egress_unplug(&relay.port);
}

/* Closes the next one in each operation. */
static struct port *closed_next;
static unsigned int nr_closing_flushes;

static void closing_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    (void)port;
    rte_pktmbuf_free_bulk(frames, nr);
    egress_unplug(closed_next);
}

static void closing_flush(struct port *port)
{
    (void)port;
    nr_closing_flushes++;
    egress_unplug(closed_next);
}

static void ports_may_be_closed_while_others_are_flushed(void **state)
{
    const struct port_ops in_burst = { .tx_burst = closing_burst };
    const struct port_ops in_flush = { .tx_burst = closing_burst, .flush = closing_flush };
    const struct port_ops *const ops[] = { &in_burst, &in_flush };

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        struct port closing = { .ops = ops[i % 2], .mtu = 1500, .up = true };
        bool itself = i >= 2;

        egress_init(fixture_pool());
        assert_int_equal(egress_plug(&closing), 0);
        assert_int_equal(egress_plug(&fake.port), 0);
        nr_closing_flushes = 0;
        closed_next = itself ? &closing : &fake.port;
        egress_put(&closing, frame_make(station(1), station(2), 64));
        egress_put(&fake.port, frame_make(station(1), station(2), 64));
        egress_flush_all();
        assert_int_equal(fake.nr_kept, itself);
        assert_int_equal(fixture_in_use(), itself);
        assert_int_equal(nr_closing_flushes, i == 1); /* not once it is closed */
        egress_unplug(&closing);
        fake_port_empty(&fake);
    }
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
        TEST(a_port_that_is_not_open_gets_nothing),
        TEST(what_a_port_was_before_a_restart_does_not_count),
        TEST(a_port_is_flushed_only_in_turns_with_frames),
        TEST(a_fixed_number_of_ports_is_open),
        TEST(behind_a_tag_nothing_is_left_to_a_port_that_does_not_say_so),
        TEST(behind_two_tags_nothing_is_left_to_a_port),
        TEST(a_port_may_want_everything_finished),
        TEST(pieces_behind_tags_are_as_long_as_frames_may_be),
        TEST(what_a_flush_sends_on_goes_out_in_the_same_turn),
        TEST(ports_that_keep_each_other_busy_wait_for_the_next_turn),
        TEST(long_frames_are_cut_one_at_a_time),
        TEST(ports_may_be_closed_while_others_are_flushed),
    };

    return cmocka_run_group_tests_name("egress", tests, fixture_start, NULL);
}
