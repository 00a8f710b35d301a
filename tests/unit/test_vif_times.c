/* SPDX-License-Identifier: BSD-2-Clause */
/* What is timed of vifs: from an event to its frames, and how long frames wait for the guest. */
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
#include "vif/device.h"

#define MS 1000000ull

static struct fake_guest guest;
static uint8_t bytes[64], got[70000];
static struct vif *const vif = &vif_table[0];

static int setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    guest_up(&guest, 7);
    memset(bytes, 2, sizeof(bytes));
    return loop_idle() ? 0 : -1;
}

static int teardown(void **state)
{
    fake_host.is_timed = false;
    vif_disconnect(vif);
    guest_free(&guest);
    return vif_test_teardown(state);
}

static void frames_queue(unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        struct rte_mbuf *frame = frame_make(station(1), station(2), 64);

        vif->port.ops->tx_burst(&vif->port, &frame, 1);
    }
}

static void assert_taken(unsigned int nr, uint64_t last_ns)
{
    assert_int_equal(fake_host.nr_times[FERRY_LATENCY_TAKEN], nr);
    assert_int_equal(fake_host.last_ns[FERRY_LATENCY_TAKEN], last_ns);
}

static void assert_queued(unsigned int nr, uint64_t last_ns)
{
    assert_int_equal(fake_host.nr_times[FERRY_LATENCY_QUEUED], nr);
    assert_int_equal(fake_host.last_ns[FERRY_LATENCY_QUEUED], last_ns);
}

/* The event is seen; frames are taken so much later. */
static void event_and_frames(uint64_t ns)
{
    fake_xen_run();
    fake_xen_sleep(ns);
    (void)vif_receive_all();
}

static void an_events_frames_are_timed(void **state)
{
    (void)state;
    fake_host.is_timed = true;
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    event_and_frames(5 * MS);
    assert_int_equal(fake_host.nr_frames, 1);
    assert_taken(1, 5 * MS);
    event_and_frames(MS); /* nothing came */
    assert_taken(1, 5 * MS);
}

static void other_turns_are_not_timed(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    event_and_frames(5 * MS);
    fake_host.is_timed = true; /* it was not when the event was seen */
    assert_int_equal(fake_host.nr_frames, 1);
    assert_taken(0, 0);
    frames_queue(1);
    fake_host.is_timed = false;
    rx_post(&guest, 4);
    frames_queue(1);
    loop_turn();
    assert_int_equal(fake_host.nr_times[FERRY_LATENCY_QUEUED], 1); /* the first one alone */
}

static void an_event_without_frames_is_forgotten(void **state)
{
    (void)state;
    fake_host.is_timed = true;
    fake_port_ring(7, GUEST_TX_PORT);
    event_and_frames(MS);
    assert_true(loop_idle());
    fake_host.is_timed = false;
    fake_xen_sleep(1000 * MS);
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    event_and_frames(MS);
    assert_int_equal(fake_host.nr_frames, 1);
    assert_taken(0, 0);
}

static void a_frame_is_timed_until_it_is_in_the_guest(void **state)
{
    (void)state;
    fake_host.is_timed = true;
    frames_queue(1);
    fake_host.is_timed = false;
    fake_xen_sleep(3 * MS);
    vif_flush_all(); /* no room */
    assert_queued(0, 0);
    fake_xen_sleep(4 * MS);
    rx_post(&guest, 1);
    vif_flush_all();
    assert_queued(1, 7 * MS);
}

/* Those before it do not end its time, those behind it do not prolong it. */
static void a_frame_among_others_is_timed(void **state)
{
    (void)state;
    frames_queue(3);
    fake_host.is_timed = true;
    frames_queue(1);
    fake_host.is_timed = false;
    frames_queue(3);
    rx_post(&guest, 3);
    vif_flush_all();
    assert_queued(0, 0);
    fake_xen_sleep(MS);
    rx_post(&guest, 1);
    vif_flush_all();
    assert_queued(1, MS);
    fake_xen_sleep(MS);
    rx_post(&guest, 3);
    vif_flush_all();
    assert_queued(1, MS);
}

static void one_frame_of_a_queue_is_timed_at_a_time(void **state)
{
    (void)state;
    fake_host.is_timed = true;
    frames_queue(1);
    fake_xen_sleep(MS);
    frames_queue(1);
    rx_post(&guest, 2);
    vif_flush_all();
    assert_queued(1, MS);
}

static void what_is_dropped_is_not_timed(void **state)
{
    uint16_t flags, gso;

    (void)state;
    fake_host.is_timed = true;
    frames_queue(2);
    fake_host.is_timed = false;
    vif_rx_purge(&vif->queue);
    rx_post(&guest, 4);
    frames_queue(2);
    loop_turn();
    assert_int_equal(rx_take(&guest, got, &flags, &gso), 64);
    assert_queued(0, 0);
}

static void nothing_is_timed_over_a_restart(void **state)
{
    (void)state;
    fake_host.is_timed = true;
    frames_queue(1);
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    fake_xen_run();
    fake_host.is_timed = false;
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(vif_watch(), 0);
    rx_post(&guest, 4);
    frames_queue(1);
    loop_turn();
    assert_taken(0, 0);
    assert_queued(0, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_events_frames_are_timed),           TEST(other_turns_are_not_timed),
        TEST(an_event_without_frames_is_forgotten), TEST(a_frame_is_timed_until_it_is_in_the_guest),
        TEST(a_frame_among_others_is_timed),        TEST(one_frame_of_a_queue_is_timed_at_a_time),
        TEST(what_is_dropped_is_not_timed),         TEST(nothing_is_timed_over_a_restart),
    };

    return cmocka_run_group_tests_name("vif_times", tests, vif_test_group, NULL);
}
