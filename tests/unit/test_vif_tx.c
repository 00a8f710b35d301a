/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest transmit, through rings, grants and mbufs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "fixture_vif_tx.h"
#include "vif/device.h"
#include "xen/gnttab.h"

static void small_frame_arrives(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    assert_true(vif_active);
    loop_turn();
    assert_frame(0, 60);
    assert_responses(1, NETIF_RSP_OKAY);
    assert_int_equal(fake_host.frames[0]->ol_flags, 0);
    assert_int_equal(vif_port(0)->stats.rx_frames, 1);
    assert_int_equal(vif_port(0)->stats.rx_bytes, 60);
    assert_true(loop_idle());
}

static void every_length_and_slot_size_arrives_whole(void **state)
{
    static const uint32_t lens[] = { 14, 15, 1514, 2047, 2048, 2049, 4096, 4097, 9014, 65535 };
    static const uint32_t parts[] = { 4096, 4095, 4000 };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(lens); i++)
        for (unsigned int j = 0; j < ARRAY_LEN(parts); j++) {
            tx_send(&guest, bytes, lens[i], parts[j], 0, 0);
            loop_turn();
            assert_frame(0, lens[i]);
            fake_host_empty();
            assert_responses((lens[i] + parts[j] - 1) / parts[j], NETIF_RSP_OKAY);
        }
    assert_no_response();
}

static void twenty_tiny_slots_arrive_with_headers_in_one_segment(void **state)
{
    (void)state;
    for (unsigned int nr = 18; nr <= 20; nr++) {
        tx_send(&guest, bytes, 3 * nr, 3, 0, 0);
        loop_turn();
        assert_frame(nr - 18, 3 * nr);
        assert_int_equal(fake_host.frames[nr - 18]->nb_segs, 1);
        assert_responses(nr, NETIF_RSP_OKAY);
    }
}

/* The longest packet in as many slots, each with the worst offset: the copies have room. */
static void twenty_slots_of_a_longest_packet_arrive(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 65535, 3277, 0, 0);
    loop_turn();
    assert_frame(0, 65535);
    assert_responses(20, NETIF_RSP_OKAY);
}

static void ring_wraps(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 400; i++) {
        tx_send(&guest, bytes, 5000, 1700, 0, 0);
        loop_turn();
        assert_frame(0, 5000);
        fake_host_empty();
        assert_responses(3, NETIF_RSP_OKAY);
    }
}

static void index_wraps_at_32_bits(void **state)
{
    struct vif *vif = &vif_table[0];

    (void)state;
    guest.tx.req_prod_pvt = guest.tx.rsp_cons = 0xffffffc0u;
    guest.tx.sring->req_prod = guest.tx.sring->rsp_prod = 0xffffffc0u;
    vif->queue.tx.req_cons = vif->queue.tx.rsp_prod_pvt = 0xffffffc0u;
    guest.tx.sring->req_event = guest.tx.sring->rsp_event = 0xffffffc1u;
    for (unsigned int i = 0; i < 100; i++) {
        tx_send(&guest, bytes, 3000, 1000, 0, 0);
        loop_turn();
        assert_frame(0, 3000);
        fake_host_empty();
        assert_responses(3, NETIF_RSP_OKAY);
        assert_true(loop_idle());
    }
}

static void burst_is_one_hypercall_and_in_order(void **state)
{
    unsigned int calls;
    uint64_t due;

    (void)state;
    for (unsigned int i = 0; i < PORT_BURST + 3; i++)
        tx_send(&guest, bytes, 60 + i, 4096, 0, 0);
    calls = fake_copy_calls();
    loop_turn();
    assert_int_equal(fake_copy_calls() - calls, 1);
    assert_int_equal(fake_host.nr_frames, PORT_BURST);
    assert_true(vif_arm_all(&due)); /* three are left: no sleep */
    loop_turn();
    for (unsigned int i = 0; i < PORT_BURST + 3; i++)
        assert_frame(i, 60 + i);
    assert_responses(PORT_BURST + 3, NETIF_RSP_OKAY);
    assert_true(loop_idle());
}

static void guest_is_told_only_when_it_asked(void **state)
{
    (void)state;
    guest.tx.sring->rsp_event = 3;
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    loop_turn();
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    loop_turn();
    assert_int_equal(fake_port_notified(7, GUEST_TX_PORT), 0);
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    loop_turn();
    assert_int_equal(fake_port_notified(7, GUEST_TX_PORT), 1);
}

static void packet_pushed_in_two_halves_partial(void **state)
{
    (void)state;
    assert_true(loop_idle());
    tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_more_data);
    tx_push(&guest);
    loop_turn();
    assert_no_response();
    assert_true(loop_idle()); /* no spinning on it */
    tx_put(&guest, GUEST_TX_REF + 1, 0, 40, 0);
    tx_push(&guest);
    assert_true(vif_active); /* the second half woke us */
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 1);
    assert_responses(2, NETIF_RSP_OKAY);
}

static void zero_length_slots_are_legal(void **state)
{
    (void)state;
    memcpy(guest.tx_pages, bytes, 60);
    tx_put(&guest, GUEST_TX_REF, 0, 60, NETTXF_more_data);
    tx_put(&guest, 0xffffffff, 4096, 0, NETTXF_more_data);
    tx_put(&guest, 0xffffffff, 0, 0, 0);
    tx_push(&guest);
    loop_turn();
    assert_frame(0, 60);
    assert_responses(3, NETIF_RSP_OKAY);
}

static void first_slot_without_bytes_of_its_own_is_legal(void **state)
{
    (void)state;
    memcpy(guest.tx_pages, bytes, 60);
    tx_put(&guest, 0xffffffff, 0, 60, NETTXF_more_data);
    tx_put(&guest, GUEST_TX_REF, 0, 60, 0);
    tx_push(&guest);
    loop_turn();
    assert_frame(0, 60);
    assert_responses(2, NETIF_RSP_OKAY);
}

static void frame_under_14_bytes_is_refused(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 13, 4096, 0, 0);
    assert_refused(1);
}

static void empty_frame_is_refused(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 0, 0, 0);
    tx_push(&guest);
    assert_refused(1);
}

static void slot_crossing_a_page_is_refused(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 4000, 97, 0);
    tx_push(&guest);
    assert_refused(1);
}

static void later_slot_crossing_a_page_is_refused(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 0, 200, NETTXF_more_data);
    tx_put(&guest, GUEST_TX_REF, 65535, 100, 0);
    tx_push(&guest);
    assert_refused(2);
}

static void slots_larger_than_total_are_refused(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_more_data);
    tx_put(&guest, GUEST_TX_REF, 0, 60, NETTXF_more_data);
    tx_put(&guest, GUEST_TX_REF, 0, 41, 0);
    tx_push(&guest);
    assert_refused(3);
}

/* A frame of 64 KiB wraps the total: its slots look larger than it. */
static void frame_of_64_kib_is_refused(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 0, 0, NETTXF_more_data);
    for (unsigned int i = 1; i < 16; i++)
        tx_put(&guest, GUEST_TX_REF + i, 0, 4096, i < 15 ? NETTXF_more_data : 0);
    tx_push(&guest);
    assert_refused(16);
}

static void twenty_one_slots_are_refused_to_the_last(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 21 * 10, 10, 0, 0);
    assert_refused(21);
}

static void ring_full_but_one_of_one_packet_is_refused(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 255 * 2, 2, 0, 0);
    assert_refused(255);
}

static void extra_of_unknown_type_is_refused(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_extra_info);
    tx_extra(&guest, XEN_NETIF_EXTRA_TYPE_MAX, 0, 0, 0);
    tx_push(&guest);
    loop_turn();
    assert_responses(1, NETIF_RSP_ERROR);
    assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
    assert_no_response();
    assert_int_equal(fake_host.nr_frames, 0);
}

static void multicast_extra_that_was_not_offered_is_refused(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_extra_info);
    tx_extra(&guest, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0, 0, 0);
    tx_push(&guest);
    loop_turn();
    assert_responses(1, NETIF_RSP_ERROR);
    assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
    assert_int_equal(fake_host.nr_frames, 0);
}

static void extra_chain_without_end_closes_the_vif(void **state)
{
    (void)state;
    tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_extra_info);
    for (unsigned int i = 1; i < GUEST_RING; i++)
        tx_extra(&guest, XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE, 1, 1400);
    tx_push(&guest);
    loop_turn();
    loop_turn();
    assert_int_equal(back_state(&guest), 5);
    assert_int_equal(vif_nr_connected(), 0);
    assert_true(fake_log_has("has no end"));
    assert_true(loop_idle());
}

static void data_chain_without_end_closes_the_vif(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < GUEST_RING; i++)
        tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_more_data);
    tx_push(&guest);
    loop_turn();
    loop_turn();
    assert_int_equal(back_state(&guest), 5);
}

/* Each jump of req_prod ends this vif, whatever the direction, and no other. */
static void jumping_index_closes_this_vif_only(void **state)
{
    static const RING_IDX jumps[] = { 257, 258, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff };

    for (unsigned int i = 0; i < ARRAY_LEN(jumps); i++) {
        struct fake_guest other;

        guest_create(&other, 8, 0);
        fake_xen_sleep(500000000);
        guest_connect(&other);
        guest.tx.sring->req_prod = guest.tx.req_prod_pvt + jumps[i];
        fake_port_ring(7, GUEST_TX_PORT);
        loop_turn();
        loop_turn();
        assert_int_equal(back_state(&guest), 5);
        assert_true(fake_log_has("vif7.0: closed: its tx ring's req_prod makes no sense"));
        tx_send(&other, bytes, 60, 4096, 0, 0);
        loop_turn();
        assert_int_equal(fake_host.nr_frames, 1);
        vif_disconnect(&vif_table[1]);
        guest_free(&other);
        assert_int_equal(tx_teardown(state), 0);
        assert_int_equal(tx_setup(state), 0);
    }
}

static void closed_vif_comes_back_when_its_frontend_does(void **state)
{
    (void)state;
    guest.tx.sring->req_prod += 1000;
    fake_port_ring(7, GUEST_TX_PORT);
    loop_turn();
    loop_turn();
    assert_int_equal(back_state(&guest), 5);
    guest_state(&guest, "6");
    guest_state(&guest, "1");
    assert_int_equal(back_state(&guest), 2);
    guest_connect(&guest);
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    loop_turn();
    assert_frame(0, 60);
}

static void bad_grant_costs_its_packet_copyerror(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    tx_put(&guest, 0xdead, 0, 60, 0);
    tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_more_data);
    tx_put(&guest, 0xdead, 0, 40, 0);
    tx_send(&guest, bytes, 61, 4096, 0, 0);
    loop_turn();
    assert_frame(0, 60);
    assert_frame(1, 61);
    assert_int_equal(fake_host.nr_frames, 2);
    assert_responses(1, NETIF_RSP_OKAY);
    assert_responses(3, NETIF_RSP_ERROR);
    assert_responses(1, NETIF_RSP_OKAY);
}

static void any_one_failing_copy_costs_its_packet_copyerror(void **state)
{
    (void)state;
    for (unsigned int i = 1; i <= 12; i++) {
        fake_copy_fail(i);
        tx_send(&guest, bytes, 9000, 4096, 0, 0);
        loop_turn();
        fake_copy_fail(0);
        if (fake_host.nr_frames)
            break;
        assert_responses(3, NETIF_RSP_ERROR);
        assert_int_equal(fixture_in_use(), 0);
        assert_true(i < 12);
    }
    assert_frame(0, 9000);
}

static void responses_leak_nothing(void **state)
{
    uint8_t *slot;

    (void)state;
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    slot = (uint8_t *)&guest.tx.sring->ring[0];
    loop_turn();
    /* id and status, then what the guest wrote itself: offset, flags, id, size */
    assert_int_equal(slot[4] | slot[5] << 8, 0);
    assert_int_equal(slot[10] | slot[11] << 8, 60);
}

static void empty_pool_drops_and_recovers(void **state)
{
    struct rte_mbuf *all[FIXTURE_BUFFERS];
    unsigned int nr = rte_mempool_avail_count(fixture_pool()) - 4;

    (void)state;
    assert_int_equal(rte_pktmbuf_alloc_bulk(fixture_pool(), all, nr), 0);
    tx_send(&guest, bytes, 65535, 4096, 0, 0);
    loop_turn();
    assert_responses(16, NETIF_RSP_DROPPED);
    tx_send(&guest, bytes, 1514, 4096, 0, 0);
    loop_turn();
    assert_frame(0, 1514);
    rte_pktmbuf_free_bulk(all, nr);
}

/* There are not as many mbufs as a burst would take at once: as many packets arrive as there are. */
static void scarce_pool_gives_what_it_has(void **state)
{
    struct rte_mbuf *all[FIXTURE_BUFFERS];
    unsigned int nr = rte_mempool_avail_count(fixture_pool()) - 4;

    (void)state;
    assert_int_equal(rte_pktmbuf_alloc_bulk(fixture_pool(), all, nr), 0);
    for (unsigned int i = 0; i < 10; i++)
        tx_send(&guest, bytes, 60 + i, 4096, 0, 0);
    loop_turn();
    for (unsigned int i = 0; i < 4; i++)
        assert_frame(i, 60 + i);
    assert_int_equal(fake_host.nr_frames, 4);
    assert_responses(4, NETIF_RSP_OKAY);
    assert_responses(6, NETIF_RSP_DROPPED);
    assert_int_equal(fixture_in_use(), nr + 4);
    rte_pktmbuf_free_bulk(all, nr);
}

/* More slots than packets: what a burst took too many goes back. */
static void burst_of_long_packets_keeps_no_mbufs(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 8; i++)
        tx_send(&guest, bytes, 1500, 750, 0, 0);
    loop_turn();
    for (unsigned int i = 0; i < 8; i++)
        assert_frame(i, 1500);
    assert_responses(8 * 2, NETIF_RSP_OKAY);
    assert_int_equal(fixture_in_use(), 8);
}

static void event_storm_costs_one_look_a_turn(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 100000; i++)
        fake_port_ring(7, GUEST_TX_PORT);
    assert_int_equal(fake_copy_calls(), 0);
    assert_true(loop_idle());
    assert_int_equal(vif_active, 0);
}

static void guest_dying_under_traffic_is_survived(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < GUEST_TX_PAGES; i++)
        fake_grant(7, GUEST_TX_REF + i, NULL);
    for (unsigned int i = 0; i < 100; i++)
        tx_send(&guest, bytes, 1514, 4096, 0, 0);
    for (unsigned int i = 0; i < 5; i++)
        loop_turn();
    assert_int_equal(fake_host.nr_frames, 0);
    assert_int_equal(vif_port(0)->stats.rx_errors, 100);
    fake_store_write("/local/domain/7/device", NULL);
    guest_detach(&guest);
    fake_xen_sleep(1000000000);
    assert_int_equal(vif_nr(), 0);
    assert_int_equal(gnttab_nr_maps(), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        TEST(small_frame_arrives),
        TEST(every_length_and_slot_size_arrives_whole),
        TEST(twenty_tiny_slots_arrive_with_headers_in_one_segment),
        TEST(twenty_slots_of_a_longest_packet_arrive),
        TEST(ring_wraps),
        TEST(index_wraps_at_32_bits),
        TEST(burst_is_one_hypercall_and_in_order),
        TEST(guest_is_told_only_when_it_asked),
        TEST(packet_pushed_in_two_halves_partial),
        TEST(zero_length_slots_are_legal),
        TEST(first_slot_without_bytes_of_its_own_is_legal),
        TEST(frame_under_14_bytes_is_refused),
        TEST(empty_frame_is_refused),
        TEST(slot_crossing_a_page_is_refused),
        TEST(later_slot_crossing_a_page_is_refused),
        TEST(slots_larger_than_total_are_refused),
        TEST(frame_of_64_kib_is_refused),
        TEST(twenty_one_slots_are_refused_to_the_last),
        TEST(ring_full_but_one_of_one_packet_is_refused),
        TEST(extra_of_unknown_type_is_refused),
        TEST(multicast_extra_that_was_not_offered_is_refused),
        TEST(extra_chain_without_end_closes_the_vif),
        TEST(data_chain_without_end_closes_the_vif),
        TEST(jumping_index_closes_this_vif_only),
        TEST(closed_vif_comes_back_when_its_frontend_does),
        TEST(bad_grant_costs_its_packet_copyerror),
        TEST(any_one_failing_copy_costs_its_packet_copyerror),
        TEST(responses_leak_nothing),
        TEST(empty_pool_drops_and_recovers),
        TEST(scarce_pool_gives_what_it_has),
        TEST(burst_of_long_packets_keeps_no_mbufs),
        TEST(event_storm_costs_one_look_a_turn),
        TEST(guest_dying_under_traffic_is_survived),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
