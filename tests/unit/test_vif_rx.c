/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest receive, through queues, grants and rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "vif/device.h"
#include "vif/rx_plan.h"
#include "xen/gnttab.h"

#define MS 1000000ull

static struct fake_guest guest;
static uint8_t sent[70000], got[70000];
static uint16_t flags, gso;

static int setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    guest_up(&guest, 7);
    return vif_nr_connected() == 1 ? 0 : -1;
}

static int teardown(void **state)
{
    vif_disconnect(&vif_table[0]);
    guest_free(&guest);
    return vif_test_teardown(state);
}

static void reconnect(void)
{
    guest_state(&guest, "1");
    guest_connect(&guest);
}

static struct port *port(void)
{
    return &vif_table[0].port;
}

static void send_one(struct rte_mbuf *frame)
{
    frame_bytes(frame, sent, sizeof(sent));
    port()->ops->tx_burst(port(), &frame, 1);
}

static void send_len(uint32_t len)
{
    send_one(frame_make(station(1), station(2), len));
}

static void assert_got(uint32_t len)
{
    assert_int_equal(rx_take(&guest, got, &flags, &gso), len);
    assert_memory_equal(got, sent, len);
}

static void assert_none(void)
{
    assert_int_equal(rx_take(&guest, got, &flags, &gso), -100);
}

static void small_frame_arrives(void **state)
{
    (void)state;
    rx_post(&guest, 8);
    send_len(60);
    vif_flush_all();
    assert_got(60);
    assert_none();
    assert_int_equal(flags, 0);
    assert_int_equal(port()->stats.tx_frames, 1);
    assert_int_equal(port()->stats.tx_bytes, 60);
    assert_int_equal(fixture_in_use(), 0);
    assert_true(loop_idle());
}

static void every_length_and_segment_size_arrives_whole(void **state)
{
    static const uint32_t lens[] = { 14, 1514, 4095, 4096, 4097, 8192, 9018, 61440, 65522 };
    static const uint32_t chunks[] = { 2048, 2047, 1000, 700 };

    (void)state;
    port()->mtu = 65500;
    for (unsigned int i = 0; i < ARRAY_LEN(lens); i++)
        for (unsigned int j = 0; j < ARRAY_LEN(chunks); j++) {
            rx_post(&guest, (lens[i] + 4095) / 4096);
            send_one(frame_chop(frame_make(station(1), station(2), lens[i]), chunks[j]));
            vif_flush_all();
            assert_got(lens[i]);
            assert_none();
            assert_int_equal(fixture_in_use(), 0);
        }
}

static void ring_wraps(void **state)
{
    (void)state;
    port()->mtu = 9000;
    for (unsigned int i = 0; i < 300; i++) {
        rx_post(&guest, 3);
        send_len(9000);
        vif_flush_all();
        assert_got(9000);
    }
}

static void index_wraps_at_32_bits(void **state)
{
    struct vif *vif = &vif_table[0];

    (void)state;
    guest.rx.req_prod_pvt = guest.rx.rsp_cons = 0xfffffff0u;
    guest.rx.sring->req_prod = guest.rx.sring->rsp_prod = 0xfffffff0u;
    guest.rx.sring->req_event = guest.rx.sring->rsp_event = 0xfffffff1u;
    vif->queue.rx.req_cons = vif->queue.rx.rsp_prod_pvt = 0xfffffff0u;
    for (unsigned int i = 0; i < 40; i++) {
        rx_post(&guest, 1);
        send_len(60 + i);
        vif_flush_all();
        assert_got(60 + i);
    }
}

static void burst_is_one_hypercall_one_push_one_event(void **state)
{
    unsigned int calls = fake_copy_calls();

    (void)state;
    rx_post(&guest, 100);
    for (unsigned int i = 0; i < 20; i++)
        send_len(60);
    assert_none();
    vif_flush_all();
    assert_int_equal(fake_copy_calls() - calls, 1);
    assert_int_equal(fake_port_notified(7, GUEST_TX_PORT), 1);
    for (unsigned int i = 0; i < 20; i++)
        assert_got(60);
}

static void two_guests_share_a_hypercall(void **state)
{
    struct fake_guest other;
    struct rte_mbuf *frame = frame_make(station(3), station(2), 200);
    unsigned int calls;

    (void)state;
    guest_create(&other, 8, 0);
    fake_xen_sleep(500 * MS);
    guest_connect(&other);
    rx_post(&guest, 1);
    rx_post(&other, 1);
    calls = fake_copy_calls();
    vif_table[1].port.ops->tx_burst(&vif_table[1].port, &frame, 1);
    send_len(60);
    vif_flush_all();
    assert_int_equal(fake_copy_calls() - calls, 1);
    assert_got(60);
    assert_int_equal(rx_take(&other, got, &flags, &gso), 200);
    vif_disconnect(&vif_table[1]);
    guest_free(&other);
}

static void split_guest_is_told_on_its_receive_channel(void **state)
{
    (void)state;
    guest.split = true;
    front_write(&guest, "event-channel", NULL);
    reconnect();
    rx_post(&guest, 1);
    send_len(60);
    vif_flush_all();
    assert_int_equal(fake_port_notified(7, GUEST_RX_PORT), 1);
    assert_int_equal(fake_port_notified(7, GUEST_TX_PORT), 0);
}

static void frames_wait_for_slots_and_go_when_told(void **state)
{
    (void)state;
    port()->mtu = 9000;
    assert_true(loop_idle());
    rx_post(&guest, 2);
    send_len(9000); /* needs 3 */
    assert_true(loop_idle());
    assert_none();
    assert_int_equal(vif_nr_queued_mbufs(), 5);
    assert_int_equal(vif_active, 0);
    rx_post(&guest, 1);
    assert_true(vif_active); /* the third slot woke us */
    assert_true(loop_idle());
    assert_got(9000);
    assert_int_equal(vif_nr_queued_mbufs(), 0);
}

static void queue_is_bounded_in_frames_and_mbufs(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2 * VIF_QUEUE_FRAMES; i++)
        send_len(60);
    assert_int_equal(vif_nr_queued_mbufs(), VIF_QUEUE_FRAMES);
    assert_int_equal(port()->stats.tx_drops, VIF_QUEUE_FRAMES);
    vif_rx_purge(&vif_table[0].queue);
    port()->mtu = 65000;
    for (unsigned int i = 0; i < 100; i++)
        send_len(60000);
    assert_true(vif_nr_queued_mbufs() <= vif_host.queue_mbufs);
    assert_true(fixture_in_use() <= vif_host.queue_mbufs);
}

/* Frames that a limit holds back do not wait long behind others. */
static void queue_of_a_limited_guest_is_short(void **state)
{
    (void)state;
    vif_table[0].rx_credit.rate.bytes = 1000;
    for (unsigned int i = 0; i < 2 * VIF_QUEUE_FULL; i++)
        send_len(60);
    assert_int_equal(vif_nr_queued_mbufs(), VIF_QUEUE_FULL);
    assert_int_equal(port()->stats.tx_drops, VIF_QUEUE_FULL);
}

static void stalled_guest_holds_nothing_and_recovers(void **state)
{
    (void)state;
    send_len(60);
    loop_turn();
    fake_xen_sleep(1100 * MS);
    loop_turn();
    assert_int_equal(fixture_in_use(), 0);
    send_len(60);
    assert_int_equal(fixture_in_use(), 0);
    assert_true(loop_idle());
    rx_post(&guest, 2);
    send_len(61);
    loop_turn();
    assert_got(61);
}

/* Slow, not stuck: each slot that comes starts the clock anew. */
static void slow_guest_is_not_stalled(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 10; i++)
        send_len(60);
    for (unsigned int i = 0; i < 10; i++) {
        loop_turn();
        fake_xen_sleep(700 * MS);
        rx_post(&guest, 1);
        loop_turn();
        assert_got(60);
    }
}

static void guest_without_rx_notify_never_queues(void **state)
{
    (void)state;
    guest.no_rx_notify = true;
    reconnect();
    send_len(60);
    loop_turn();
    assert_int_equal(vif_nr_queued_mbufs(), 0);
    assert_int_equal(fixture_in_use(), 0);
}

static void guest_without_sg_gets_one_slot_at_most(void **state)
{
    (void)state;
    guest.no_sg = true;
    reconnect();
    assert_false(port()->tx_caps & PORT_TX_TSO_V4);
    rx_post(&guest, 10);
    port()->mtu = 9000;
    send_len(4096);
    send_len(4097);
    loop_turn();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 4096);
    assert_none();
    assert_int_equal(port()->stats.tx_drops, 1);
}

static void mtu_is_1500_while_the_frontend_has_no_sg(void **state)
{
    (void)state;
    vif_table[0].control.back.wish.mtu = 9000;
    guest.no_sg = true;
    reconnect();
    assert_int_equal(port()->mtu, 1500);
    guest.no_sg = false;
    reconnect();
    assert_int_equal(port()->mtu, 9000);
}

static void the_mtu_is_the_bridges_where_the_vif_line_says_none(void **state)
{
    (void)state;
    assert_int_equal(port()->mtu, 1500);
    port()->mtu_usual = 9000; /* as attach() sets it */
    reconnect();
    assert_int_equal(port()->mtu, 9000);
    rx_post(&guest, 10);
    send_len(9014);
    loop_turn();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 9014);
    guest.no_sg = true;
    reconnect();
    assert_int_equal(port()->mtu, 1500);
    guest.no_sg = false;
    vif_table[0].control.back.wish.mtu = 1400;
    reconnect();
    assert_int_equal(port()->mtu, 1400);
}

static void caps_follow_the_frontend(void **state)
{
    (void)state;
    assert_int_equal(port()->tx_caps, PORT_TX_MULTI_SEG | PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6 |
                                          PORT_TX_TSO_V4 | PORT_TX_TSO_V6);
    guest.no_csum = guest.no_csum6 = true;
    reconnect();
    assert_int_equal(port()->tx_caps, PORT_TX_MULTI_SEG);
    guest.no_csum = false;
    guest.no_gso = true;
    reconnect();
    assert_int_equal(port()->tx_caps, PORT_TX_MULTI_SEG | PORT_TX_CSUM_V4);
    guest.no_csum6 = false;
    reconnect();
    assert_int_equal(port()->tx_caps,
                     PORT_TX_MULTI_SEG | PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6 | PORT_TX_TSO_V6);
    guest.no_gso6 = true;
    reconnect();
    assert_int_equal(port()->tx_caps, PORT_TX_MULTI_SEG | PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6);
    guest.no_gso6 = false;
    guest.no_sg = true;
    reconnect();
    assert_int_equal(port()->tx_caps, PORT_TX_MULTI_SEG | PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6);
}

static void frame_over_mtu_is_dropped(void **state)
{
    (void)state;
    rx_post(&guest, 10);
    send_len(1522);
    send_len(1523);
    loop_turn();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 1522);
    assert_none();
    assert_int_equal(port()->stats.tx_drops, 1);
}

static void blank_checksum_and_gso_reach_the_guest(void **state)
{
    (void)state;
    rx_post(&guest, 20);
    send_one(frame_make_l4(false, IPPROTO_UDP, 100, 0));
    loop_turn();
    assert_got(142);
    assert_int_equal(flags, NETRXF_csum_blank | NETRXF_data_validated);
    send_one(frame_make_l4(false, IPPROTO_TCP, 60000, 1448));
    loop_turn();
    assert_got(60054);
    assert_int_equal(flags & ~NETRXF_more_data,
                     NETRXF_csum_blank | NETRXF_data_validated | NETRXF_extra_info);
    assert_int_equal(gso, 1448);
    assert_int_equal(guest.rx_gso_type, XEN_NETIF_GSO_TYPE_TCPV4);
    assert_none();
    assert_int_equal(guest.rx.sring->rsp_prod, 1 + 15 + 1);
}

static void gso_over_ipv6_reaches_the_guest(void **state)
{
    (void)state;
    rx_post(&guest, 20);
    send_one(frame_make_l4(true, IPPROTO_TCP, 60000, 1428));
    loop_turn();
    assert_got(60074);
    assert_int_equal(flags & ~NETRXF_more_data,
                     NETRXF_csum_blank | NETRXF_data_validated | NETRXF_extra_info);
    assert_int_equal(gso, 1428);
    assert_int_equal(guest.rx_gso_type, XEN_NETIF_GSO_TYPE_TCPV6);
    assert_none();
}

/* A frontend that takes one IP version for several is given none of the other. */
static void gso_of_the_other_ip_version_is_never_given(void **state)
{
    (void)state;
    for (unsigned int v6 = 0; v6 < 2; v6++) {
        guest.no_gso = !v6;
        guest.no_gso6 = v6;
        reconnect();
        rx_post(&guest, 20);
        send_one(frame_make_l4(v6, IPPROTO_TCP, 3000, 1428));
        loop_turn();
        assert_none();
        assert_int_equal(port()->stats.tx_drops, v6 + 1);
    }
}

static void checked_checksum_reaches_the_guest(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 60);

    (void)state;
    rx_post(&guest, 1);
    frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    send_one(frame);
    loop_turn();
    assert_got(60);
    assert_int_equal(flags, NETRXF_data_validated);
}

static void one_frame_in_one_small_slot_with_extra(void **state)
{
    (void)state;
    rx_post(&guest, 2);
    send_one(frame_make_l4(false, IPPROTO_TCP, 2000, 1448));
    loop_turn();
    assert_got(2054);
    assert_int_equal(gso, 1448);
}

static void bad_grant_costs_its_packet_copyerror(void **state)
{
    (void)state;
    port()->mtu = 9000;
    rx_post(&guest, 6);
    fake_grant(7, GUEST_RX_REF + 2, NULL);
    send_len(60);
    send_len(9000); /* slots 1, 2, 3 */
    send_len(61);
    loop_turn();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 60);
    assert_int_equal(rx_take(&guest, got, &flags, &gso), -1);
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 61);
    assert_none();
    assert_int_equal(port()->stats.tx_drops, 1);
    assert_int_equal(fixture_in_use(), 0);
}

static void failed_gso_packet_keeps_its_shape_copyerror(void **state)
{
    (void)state;
    rx_post(&guest, 20);
    fake_copy_fail(3);
    send_one(frame_make_l4(false, IPPROTO_TCP, 9000, 1448));
    send_len(60);
    loop_turn();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), -1);
    assert_int_equal(gso, 1448);
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 60);
}

static void jumping_index_closes_the_vif(void **state)
{
    static const RING_IDX jumps[] = { 257, 0x7fffffff, 0x80000000, 0xffffffff };

    for (unsigned int i = 0; i < ARRAY_LEN(jumps); i++) {
        rx_post(&guest, 4);
        send_len(60);
        guest.rx.sring->req_prod = guest.rx.sring->rsp_prod + jumps[i];
        loop_turn();
        loop_turn();
        assert_int_equal(back_state(&guest), 5);
        assert_true(fake_log_has("its rx ring's req_prod makes no sense"));
        assert_int_equal(fixture_in_use(), 0);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* Requests taken back after we have read them. */
static void index_going_backward_closes_the_vif(void **state)
{
    (void)state;
    rx_post(&guest, 4);
    send_len(60);
    send_len(60);
    loop_turn();
    guest.rx.sring->req_prod = 1;
    send_len(60);
    loop_turn();
    loop_turn();
    assert_int_equal(back_state(&guest), 5);
}

static void odd_shapes_are_dropped(void **state)
{
    struct rte_mbuf *frame;

    (void)state;
    rx_post(&guest, 50);
    port()->mtu = 65500;
    send_one(frame_chop(frame_make(station(1), station(2), 1400), 14)); /* 100 segments */
    frame = frame_make(station(1), station(2), 1400);
    frame->pkt_len = 1500; /* says more than it has */
    send_one(frame);
    loop_turn();
    assert_none();
    assert_int_equal(port()->stats.tx_drops, 2);
    assert_int_equal(fixture_in_use(), 0);
}

static void port_that_is_not_connected_drops(void **state)
{
    (void)state;
    guest_state(&guest, "5");
    send_len(60);
    assert_int_equal(port()->stats.tx_drops, 1);
    assert_int_equal(fixture_in_use(), 0);
    loop_turn();
}

static void queued_frames_are_freed_when_the_guest_goes(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 100; i++)
        send_len(1000);
    guest_state(&guest, "5");
    assert_int_equal(fixture_in_use(), 0);
    assert_int_equal(vif_queued, 0);
    assert_true(loop_idle());
}

static void shared_frame_survives_one_guest(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 100);

    (void)state;
    rx_post(&guest, 1);
    rte_mbuf_refcnt_set(frame, 2);
    send_one(frame);
    loop_turn();
    assert_got(100);
    assert_int_equal(rte_mbuf_refcnt_read(frame), 1);
    rte_pktmbuf_free(frame);
}

static void plan_counts_slots(void **state)
{
    static const uint32_t rows[][2] = { { 1, 1 },    { 4096, 1 },   { 4097, 2 },
                                        { 8192, 2 }, { 61441, 16 }, { 65535, 16 } };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
        struct rte_mbuf frame = { .pkt_len = rows[i][0] };

        assert_int_equal(rx_plan_data_slots(&frame, 0), rows[i][1]);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(small_frame_arrives),
        TEST(every_length_and_segment_size_arrives_whole),
        TEST(ring_wraps),
        TEST(index_wraps_at_32_bits),
        TEST(burst_is_one_hypercall_one_push_one_event),
        TEST(two_guests_share_a_hypercall),
        TEST(split_guest_is_told_on_its_receive_channel),
        TEST(frames_wait_for_slots_and_go_when_told),
        TEST(queue_is_bounded_in_frames_and_mbufs),
        TEST(queue_of_a_limited_guest_is_short),
        TEST(stalled_guest_holds_nothing_and_recovers),
        TEST(slow_guest_is_not_stalled),
        TEST(guest_without_rx_notify_never_queues),
        TEST(guest_without_sg_gets_one_slot_at_most),
        TEST(mtu_is_1500_while_the_frontend_has_no_sg),
        TEST(the_mtu_is_the_bridges_where_the_vif_line_says_none),
        TEST(caps_follow_the_frontend),
        TEST(frame_over_mtu_is_dropped),
        TEST(blank_checksum_and_gso_reach_the_guest),
        TEST(gso_over_ipv6_reaches_the_guest),
        TEST(gso_of_the_other_ip_version_is_never_given),
        TEST(checked_checksum_reaches_the_guest),
        TEST(one_frame_in_one_small_slot_with_extra),
        TEST(bad_grant_costs_its_packet_copyerror),
        TEST(failed_gso_packet_keeps_its_shape_copyerror),
        TEST(jumping_index_closes_the_vif),
        TEST(index_going_backward_closes_the_vif),
        TEST(odd_shapes_are_dropped),
        TEST(port_that_is_not_connected_drops),
        TEST(queued_frames_are_freed_when_the_guest_goes),
        TEST(shared_frame_survives_one_guest),
        TEST(plan_counts_slots),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
