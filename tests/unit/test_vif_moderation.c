/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that sends much and gets nothing back notifies less; all others notify at each packet. */
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
#include "xen/clock.h"

#define US 1000ull

static struct fake_guest guest;
static uint8_t bytes[60];

static struct vif *vif(void)
{
    return vif_find(7, 0);
}

static int setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    guest_up(&guest, 7);
    memset(bytes, 0, sizeof(bytes));
    bytes[0] = 2;
    return loop_idle() ? 0 : -1;
}

static int teardown(void **state)
{
    vif_disconnect(vif());
    guest_free(&guest);
    return vif_test_teardown(state);
}

static void send(unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        tx_send(&guest, bytes, sizeof(bytes), 4096, 0, 0);
}

/* How many more packets are to come before it notifies; the domain would sleep. */
static uint32_t asked(void)
{
    uint64_t due;

    assert_false(vif_arm_all(&due));
    assert_int_equal(due == UINT64_MAX, vif()->moderation.due_ns == 0);
    return guest.tx.sring->req_event - vif()->queue.tx.req_cons;
}

/* nr packets, one at a time, so far apart. */
static void stream(unsigned int nr, uint64_t gap_ns)
{
    for (unsigned int i = 0; i < nr; i++) {
        send(1);
        loop_turn();
        while (tx_response(&guest, NULL) == NETIF_RSP_OKAY)
            continue;
        fake_host_empty();
        asked();
        fake_xen_sleep(gap_ns);
    }
}

static void give(void)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 60);

    rx_post(&guest, 1);
    vif_rx_enqueue(&vif()->port, &frame, 1);
    loop_turn();
    assert_int_equal(vif_nr_queued_mbufs(), 0);
}

static void few_packets_notify_each(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < MODERATION_RUN - 1; i++) {
        stream(1, 10 * US);
        assert_int_equal(asked(), 1);
    }
}

static void many_without_an_answer_are_moderated(void **state)
{
    unsigned int calls;

    (void)state;
    stream(MODERATION_RUN, 10 * US);
    assert_int_equal(asked(), MODERATION_PACKETS);
    calls = fake_copy_calls();
    send(MODERATION_PACKETS - 1);
    assert_true(guest.tx.sring->req_prod < guest.tx.sring->req_event);
    send(1); /* this one notifies */
    assert_int_equal(guest.tx.sring->req_prod, guest.tx.sring->req_event);
    loop_turn();
    assert_int_equal(fake_copy_calls() - calls, 1);
    assert_int_equal(fake_host.nr_frames, MODERATION_PACKETS);
}

static void what_lies_on_the_ring_waits_no_longer_than_promised(void **state)
{
    uint64_t due;

    (void)state;
    stream(MODERATION_RUN, 10 * US);
    send(1);
    fake_xen_sleep(MODERATION_NS);
    loop_turn(); /* as at the deadline that vif_arm_all() named: no event came */
    assert_int_equal(fake_host.nr_frames, 1);
    /* It goes on like that while there is something each time, ... */
    assert_int_equal(asked(), MODERATION_PACKETS);
    assert_false(vif_arm_all(&due));
    assert_int_equal(due, clock_last() + MODERATION_NS);
    /* ... and ends when there is nothing. */
    fake_xen_sleep(MODERATION_NS);
    loop_turn();
    assert_int_equal(asked(), 1);
    assert_false(vif_active & vif_bit(vif()));
}

static void a_look_before_its_time_changes_nothing(void **state)
{
    uint64_t due, later;

    (void)state;
    stream(MODERATION_RUN, 10 * US);
    assert_false(vif_arm_all(&due));
    fake_xen_sleep(MODERATION_NS / 4);
    loop_turn();
    assert_int_equal(asked(), MODERATION_PACKETS);
    assert_false(vif_arm_all(&later));
    assert_int_equal(due, later);
}

static void slow_packets_notify_each(void **state)
{
    (void)state;
    stream(3 * MODERATION_RUN, MODERATION_RUN_NS / (MODERATION_RUN - 2));
    assert_int_equal(asked(), 1);
}

static void who_is_answered_notifies_each(void **state)
{
    (void)state;
    stream(MODERATION_RUN, 10 * US);
    give();
    assert_int_equal(asked(), 1);
    for (unsigned int i = 0; i < 8; i++) {
        stream(MODERATION_RUN - 1, 10 * US);
        give();
        assert_int_equal(asked(), 1);
    }
}

static void a_vif_that_goes_leaves_no_deadline(void **state)
{
    uint64_t due;

    (void)state;
    stream(MODERATION_RUN, 10 * US);
    assert_false(vif_arm_all(&due));
    assert_int_not_equal(due, UINT64_MAX);
    vif_disconnect(vif());
    assert_false(vif_arm_all(&due));
    assert_int_equal(due, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(few_packets_notify_each, setup, teardown),
        cmocka_unit_test_setup_teardown(many_without_an_answer_are_moderated, setup, teardown),
        cmocka_unit_test_setup_teardown(what_lies_on_the_ring_waits_no_longer_than_promised, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_look_before_its_time_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_packets_notify_each, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_answered_notifies_each, setup, teardown),
        cmocka_unit_test_setup_teardown(a_vif_that_goes_leaves_no_deadline, setup, teardown),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
