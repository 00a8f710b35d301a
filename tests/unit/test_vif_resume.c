/* SPDX-License-Identifier: BSD-2-Clause */
/* The data path over a restart of the kernel: who is answered what, and that nobody is twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "fixture_vif_tx.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define MS 1000000ull

static struct vif *const vif = &vif_table[0];
static uint16_t flags, gso;

/* One-page rings as they were at some moment. */
static uint8_t tx_before[4096], rx_before[4096];

static void rings_save(void)
{
    memcpy(tx_before, guest.tx.sring, 4096);
    memcpy(rx_before, guest.rx.sring, 4096);
}

/*
 * Back to when only some responses had been written since rings_save(), and none was pushed: slots from
 * there on are as they were, and so is the index.
 */
static void tx_rewind(uint32_t rsp, unsigned int written)
{
    const netif_tx_sring_t *before = (const void *)tx_before;

    for (unsigned int i = written; i < GUEST_RING; i++)
        guest.tx.sring->ring[(rsp + i) % GUEST_RING] = before->ring[(rsp + i) % GUEST_RING];
    guest.tx.sring->rsp_prod = rsp;
}

static void rx_rewind(uint32_t rsp, unsigned int written)
{
    const netif_rx_sring_t *before = (const void *)rx_before;

    for (unsigned int i = written; i < GUEST_RING; i++)
        guest.rx.sring->ring[(rsp + i) % GUEST_RING] = before->ring[(rsp + i) % GUEST_RING];
    guest.rx.sring->rsp_prod = rsp;
}

/* The slots that packets_send() fills: which are extra info, and where packets begin. */
static const char shape[] = "dxdd.d.dxd.ddd.d";
#define SHAPE_SLOTS 12

static void packets_send(void)
{
    tx_send(&guest, bytes, 3000, 1000, 0, 1448);
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    tx_send(&guest, bytes, 2000, 1000, 0, 1448);
    tx_send(&guest, bytes, 3000, 1000, 0, 0);
    tx_send(&guest, bytes, 70, 4096, 0, 0);
}

/* Exactly these slots have errors, in order and once. */
static void assert_shape_failed(void)
{
    uint16_t id;

    for (const char *slot = shape; *slot; slot++) {
        uint16_t expected = 0x4000 + guest.tx.rsp_cons % GUEST_RING;

        if (*slot == '.')
            continue;
        if (*slot == 'x') {
            assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
            continue;
        }
        assert_int_equal(tx_response(&guest, &id), NETIF_RSP_ERROR);
        assert_int_equal(id, expected);
    }
}

static void restart(void)
{
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(fake_host.nr_attached, 1);
    assert_int_equal(gnttab_nr_maps(), 2);
}

static void assert_works(void)
{
    unsigned int first = fake_host.nr_frames;

    tx_send(&guest, bytes, 3000, 1000, 0, 0);
    loop_turn();
    assert_frame(first, 3000);
    assert_int_equal(fake_host.nr_frames, first + 1);
    assert_responses(3, NETIF_RSP_OKAY);
    assert_no_response();
    assert_true(loop_idle());
}

static void send_to_guest(struct rte_mbuf *frame)
{
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
}

static struct rte_mbuf *long_frame(void)
{
    return frame_make_l4(false, IPPROTO_TCP, 9000, 1448);
}

static void idle_vif_goes_on(void **state)
{
    (void)state;
    assert_works();
    for (unsigned int i = 0; i < 5; i++) {
        restart();
        assert_works();
        rx_post(&guest, 1);
        send_to_guest(frame_make(station(1), station(2), 600));
        vif_flush_all();
        assert_int_equal(rx_take(&guest, got, &flags, &gso), 600);
        assert_int_equal(rx_take(&guest, got, &flags, &gso), -100);
    }
}

static void caps_and_limits_are_as_before(void **state)
{
    struct port before;

    (void)state;
    vif->control.back.wish.mtu = 9000;
    guest_state(&guest, "1");
    guest.no_csum6 = guest.no_rx_notify = true;
    guest_connect(&guest);
    before = vif->port;
    assert_int_equal(before.mtu, 9000);
    restart();
    assert_int_equal(vif->port.mtu, 9000);
    assert_int_equal(vif->port.tx_caps, before.tx_caps);
    assert_memory_equal(&vif->port.mac, &before.mac, 6);
    assert_string_equal(vif->port.name, "vif7.0");
    assert_true(vif->port.up && vif->sg && !vif->rx_notify);
}

static void statistics_go_on(void **state)
{
    struct port_stats before;

    (void)state;
    assert_works();
    tx_send(&guest, bytes, 10, 4096, 0, 0);
    rx_post(&guest, 1);
    send_to_guest(frame_make(station(1), station(2), 600));
    send_to_guest(frame_make(station(1), station(2), 6000));
    loop_turn();
    before = vif->port.stats;
    assert_int_equal(before.rx_frames, 1);
    assert_int_equal(before.rx_errors, 1);
    assert_int_equal(before.tx_frames, 1);
    assert_int_equal(before.tx_drops, 1);
    restart();
    assert_memory_equal(&vif_port(0)->stats, &before, sizeof(before));
    assert_int_equal(vif_nr_bad(vif), 1);
}

static void requests_that_nobody_touched_are_served(void **state)
{
    (void)state;
    packets_send();
    tx_put(&guest, GUEST_TX_REF, 0, 100, NETTXF_more_data); /* and a packet without an end */
    tx_push(&guest);
    rx_post(&guest, 3);
    restart();
    assert_no_response();
    assert_int_equal(guest.rx.sring->rsp_prod, 0);
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 3); /* two are no TCP, so refused as ever */
    assert_int_equal(guest.tx.sring->rsp_prod, SHAPE_SLOTS);
    send_to_guest(frame_make(station(1), station(2), 600));
    vif_flush_all();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 600);
}

/* Whatever part of the burst's responses was written: each slot has one error, and life goes on. */
static void tx_burst_is_refused_once_at_every_stage(void **state)
{
    (void)state;
    for (unsigned int lead = 0; lead < 300; lead += 97)
        for (unsigned int written = 0; written <= SHAPE_SLOTS; written++) {
            uint32_t rsp = guest.tx.sring->rsp_prod;
            uint64_t served = vif->port.stats.rx_frames;

            packets_send();
            rings_save();
            loop_turn();
            assert_int_equal(vif->port.stats.rx_frames - served, 3);
            fake_host_empty(); /* they were not handed on */
            tx_rewind(rsp, written);
            tx_send(&guest, bytes, 80, 4096, 0, 0); /* after the burst in hand */
            restart();
            assert_shape_failed();
            assert_no_response();
            assert_int_equal(fake_port_notified(7, GUEST_TX_PORT) > 0, 1);
            loop_turn();
            assert_frame(0, 80);
            fake_host_empty();
            assert_responses(1, NETIF_RSP_OKAY);
            assert_works();
            fake_host_empty();
            for (unsigned int i = 0; i < lead; i++) {
                tx_send(&guest, bytes, 60, 4096, 0, 0);
                loop_turn();
                fake_host_empty();
                assert_responses(1, NETIF_RSP_OKAY);
            }
        }
}

static void full_tx_ring_in_hand_is_refused_once(void **state)
{
    (void)state;
    vif->queue.marks.tx_mark = vif->queue.tx.req_cons + GUEST_RING;
    for (unsigned int i = 0; i < GUEST_RING; i++)
        tx_put(&guest, GUEST_TX_REF, 0, 60, 0);
    tx_push(&guest);
    restart();
    assert_responses(GUEST_RING, NETIF_RSP_ERROR);
    assert_no_response();
    assert_works();
}

static void dead_between_push_and_notification_is_made_good(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    loop_turn();
    fake_port_notified(7, GUEST_TX_PORT); /* as if it had not gone out */
    restart();
    assert_int_equal(fake_port_notified(7, GUEST_TX_PORT), 1);
    assert_responses(1, NETIF_RSP_OKAY);
    assert_no_response();
}

/* Dead again while the first restart answers: nothing was pushed, nothing is lost or doubled. */
static void restart_during_a_restart_answers_once(void **state)
{
    uint32_t rsp;

    (void)state;
    assert_works();
    rsp = guest.tx.sring->rsp_prod;
    packets_send();
    rings_save();
    loop_turn();
    for (unsigned int written = 0; written <= SHAPE_SLOTS; written += 3) {
        struct vif_record record = vif->record;
        struct vif_marks marks = vif->queue.marks;

        tx_rewind(rsp, SHAPE_SLOTS);
        restart();
        tx_rewind(rsp, written); /* parts are responses of the burst, parts those of the restart */
        vif->record = record;
        vif->queue.marks = marks;
    }
    restart();
    assert_shape_failed();
    assert_no_response();
    fake_host_empty();
    assert_works();
}

static void rx_burst_is_refused_once_at_every_stage(void **state)
{
    (void)state;
    for (unsigned int written = 0; written <= 9; written++) {
        uint32_t rsp = guest.rx.sring->rsp_prod;

        rx_post(&guest, 12);
        rings_save();
        send_to_guest(long_frame()); /* 3 slots and extra info */
        send_to_guest(frame_make(station(1), station(2), 600));
        send_to_guest(long_frame());
        vif_flush_all();
        assert_int_equal(guest.rx.sring->rsp_prod, rsp + 9);
        rx_rewind(rsp, written);
        restart();
        assert_int_equal(guest.rx.sring->rsp_prod, rsp + 9);
        assert_true(fake_port_notified(7, GUEST_TX_PORT) > 0);
        for (unsigned int i = 0; i < 9; i++)
            assert_int_equal(rx_take(&guest, got, &flags, &gso), -1); /* looks at the ids, too */
        assert_int_equal(rx_take(&guest, got, &flags, &gso), -100);
        send_to_guest(long_frame()); /* the requests that are left: 3 and one for this */
        rx_post(&guest, 1);
        vif_flush_all();
        assert_true(rx_take(&guest, got, &flags, &gso) > 9000);
        assert_int_equal(gso, 1448);
        assert_int_equal(rx_take(&guest, got, &flags, &gso), -100);
    }
}

static void rx_marks_cover_batches_that_run_in_between(void **state)
{
    uint32_t rsp = guest.rx.sring->rsp_prod;

    (void)state;
    rx_post(&guest, 200);
    rings_save();
    for (unsigned int i = 0; i < 50; i++)
        send_to_guest(long_frame()); /* more copies than a batch takes */
    vif_flush_all();
    assert_int_equal(guest.rx.sring->rsp_prod, rsp + 200);
    for (unsigned int i = 0; i < 50; i++)
        assert_true(rx_take(&guest, got, &flags, &gso) > 9000);
    guest.rx.rsp_cons = rsp;
    rx_rewind(rsp, 200);
    restart();
    assert_int_equal(guest.rx.sring->rsp_prod, rsp + 200);
    for (unsigned int i = 0; i < 200; i++)
        assert_int_equal(rx_take(&guest, got, &flags, &gso), -1);
    assert_works();
}

static unsigned int nr_looks;

static void look_at_marks(void)
{
    assert_int_equal(vif->queue.marks.tx_mark, vif->queue.tx.req_cons);
    assert_int_equal(vif->queue.marks.rx_mark, vif->queue.rx.req_cons);
    nr_looks++;
}

/* Between a copy and its responses nothing is taken off a ring. */
static void marks_stand_before_every_copy(void **state)
{
    (void)state;
    fake_copy_watch(look_at_marks);
    rx_post(&guest, 200);
    for (unsigned int i = 0; i < 50; i++)
        send_to_guest(long_frame()); /* more copies than a batch takes */
    packets_send();
    nr_looks = 0;
    loop_turn();
    assert_true(nr_looks > 2);
    fake_copy_watch(NULL);
}

static void frames_that_waited_for_the_guest_are_lost_alone(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 20; i++)
        send_to_guest(frame_make(station(1), station(2), 600));
    vif_flush_all();
    assert_int_equal(vif_nr_queued_mbufs(), 20);
    restart();
    assert_int_equal(vif_nr_queued_mbufs(), 0);
    rx_post(&guest, 5);
    loop_turn();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), -100);
    send_to_guest(frame_make(station(1), station(2), 601));
    vif_flush_all();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 601);
}

/* marks: how far tx_mark is from rsp_prod, with 12 requests on the ring. */
static void assert_tx_marks_refused(const uint32_t *marks, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        packets_send();
        vif->queue.marks.tx_mark = guest.tx.sring->rsp_prod + marks[i];
        restart();
        assert_shape_failed();
        assert_no_response();
        assert_works();
        fake_host_empty();
    }
}

static void impossible_tx_mark_refuses_all_there_is(void **state)
{
    static const uint32_t marks[] = { 13, 257, 0x80000000u, 0xffffffffu, 0xffffff00u };

    (void)state;
    assert_tx_marks_refused(marks, ARRAY_LEN(marks));
}

static void tx_mark_inside_a_packet_refuses_all_there_is(void **state)
{
    static const uint32_t marks[] = { 1, 2, 3, 6, 7, 9, 10 };

    (void)state;
    assert_tx_marks_refused(marks, ARRAY_LEN(marks));
}

static void impossible_rx_mark_refuses_all_there_is(void **state)
{
    static const uint32_t marks[] = { 13, 257, 0x80000000u, 0xffffffffu };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(marks); i++) {
        rx_post(&guest, 12);
        vif->queue.marks.rx_mark = guest.rx.sring->rsp_prod + marks[i];
        vif->queue.marks.nr_extras = marks[i];
        restart();
        for (unsigned int j = 0; j < 12; j++)
            assert_int_equal(rx_take(&guest, got, &flags, &gso), -1);
        assert_int_equal(rx_take(&guest, got, &flags, &gso), -100);
    }
    assert_works();
}

/* The guest has written over its ring while nobody looked. Only it is harmed. */
static void rewritten_tx_slots_harm_nobody(void **state)
{
    (void)state;
    for (unsigned int value = 0; value < 256; value++) {
        uint32_t rsp = guest.tx.sring->rsp_prod;

        packets_send();
        loop_turn();
        fake_host_empty();
        for (unsigned int i = 0; i < GUEST_RING; i++)
            memset(&guest.tx.sring->ring[i], (int)(value * (i + 1)), 12);
        guest.tx.sring->rsp_prod = rsp;
        (void)kernel_restart();
        loop_turn();
        fake_host_empty();
        if (vif->used && vif->mapped)
            vif_disconnect(vif);
        tx_teardown(state);
        assert_int_equal(tx_setup(state), 0);
    }
}

static void ring_index_out_of_range_is_not_resumed(void **state)
{
    static const uint32_t ahead[] = { 257, 0x80000000u, 0xffffffffu };

    (void)state;
    for (unsigned int i = 0; i < 2 * ARRAY_LEN(ahead); i++) {
        uint32_t index = ahead[i / 2];

        assert_works();
        fake_host_empty();
        if (i % 2)
            guest.tx.sring->req_prod = guest.tx.sring->rsp_prod + index;
        else
            guest.rx.sring->req_prod = guest.rx.sring->rsp_prod + index;
        assert_int_equal(kernel_restart(), 0);
        assert_int_equal(gnttab_nr_maps(), 0);
        assert_int_equal(evtchn_nr_open(), 0);
        assert_int_equal(fake_host.nr_attached, 0);
        assert_true(fake_log_has("vif7.0: cannot go on: the index on"));
        assert_int_equal(vif_watch(), 0);
        fake_xen_run();
        assert_int_equal(back_state(&guest), 5); /* as any guest that does so */
        assert_int_equal(vif_nr_connected(), 0);
        guest_state(&guest, "6");
        guest_state(&guest, "1");
        guest_connect(&guest);
    }
    assert_works();
}

static void moved_rsp_prod_harms_nobody(void **state)
{
    static const uint32_t moves[] = { 1, 5, 255, 256, 0x1000, 0xfffffff0u, 0xffffff00u };

    (void)state;
    for (unsigned int i = 0; i < 2 * ARRAY_LEN(moves); i++) {
        packets_send();
        rx_post(&guest, 20);
        loop_turn();
        fake_host_empty();
        if (i % 2)
            guest.tx.sring->rsp_prod += moves[i / 2];
        else
            guest.rx.sring->rsp_prod += moves[i / 2];
        (void)kernel_restart();
        send_to_guest(frame_make(station(1), station(2), 600));
        loop_turn();
        fake_host_empty();
        tx_teardown(state);
        assert_int_equal(tx_setup(state), 0);
    }
}

static void indices_wrap_at_32_bits(void **state)
{
    uint32_t rsp = 0xfffffffau;

    (void)state;
    guest.tx.req_prod_pvt = guest.tx.rsp_cons = rsp;
    guest.tx.sring->req_prod = guest.tx.sring->rsp_prod = rsp;
    vif->queue.tx.req_cons = vif->queue.tx.rsp_prod_pvt = rsp;
    packets_send();
    rings_save();
    loop_turn();
    fake_host_empty();
    tx_rewind(rsp, 7);
    restart();
    assert_shape_failed();
    assert_no_response();
    assert_works();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        TEST(idle_vif_goes_on),
        TEST(caps_and_limits_are_as_before),
        TEST(statistics_go_on),
        TEST(requests_that_nobody_touched_are_served),
        TEST(tx_burst_is_refused_once_at_every_stage),
        TEST(full_tx_ring_in_hand_is_refused_once),
        TEST(dead_between_push_and_notification_is_made_good),
        TEST(restart_during_a_restart_answers_once),
        TEST(rx_burst_is_refused_once_at_every_stage),
        TEST(rx_marks_cover_batches_that_run_in_between),
        TEST(marks_stand_before_every_copy),
        TEST(frames_that_waited_for_the_guest_are_lost_alone),
        TEST(impossible_tx_mark_refuses_all_there_is),
        TEST(tx_mark_inside_a_packet_refuses_all_there_is),
        TEST(impossible_rx_mark_refuses_all_there_is),
        TEST(rewritten_tx_slots_harm_nobody),
        TEST(ring_index_out_of_range_is_not_resumed),
        TEST(moved_rsp_prod_harms_nobody),
        TEST(indices_wrap_at_32_bits),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
