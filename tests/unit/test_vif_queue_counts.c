/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted of each queue of a vif, and what of the vif alone. */
#include "fixture_vif_queues.h"

static struct vif_queue_info counted(unsigned int queue)
{
    struct vif_queue_info info;

    vif_queue_info(0, queue, &info);
    return info;
}

/* Of each queue, and no more in all than the vif's. */
static void every_queue_counts_its_own(void **state)
{
    struct vif_queue_stats before[QUEUES];
    unsigned int queue;

    (void)state;
    for (unsigned int i = 0; i < QUEUES; i++)
        for (unsigned int j = 0; j <= i; j++)
            tx_send(&queues[i], bytes, 60 + i, 4096, 0, 0);
    loop_turn();
    all_post(4);
    for (unsigned int i = 0; i < QUEUES; i++) {
        before[i] = counted(i).stats;
        assert_int_equal(before[i].rx_frames, i + 1);
        assert_int_equal(before[i].rx_bytes, (i + 1) * (60 + i));
        assert_int_equal(before[i].tx_frames, 0);
    }
    flow_send(5);
    flow_send(5);
    queue = vif_queue_of(vif, 1)->waiting.list.nr   ? 1
            : vif_queue_of(vif, 2)->waiting.list.nr ? 2
                                                    : 0;
    assert_int_equal(counted(queue).nr_waiting, 2);
    loop_turn();
    for (unsigned int i = 0; i < QUEUES; i++) {
        assert_int_equal(counted(i).nr_waiting, 0);
        assert_int_equal(counted(i).stats.tx_frames, i == queue ? 2 : 0);
        assert_int_equal(counted(i).stats.tx_bytes, i == queue ? vif->port.stats.tx_bytes : 0);
        assert_int_equal(counted(i).stats.rx_frames, before[i].rx_frames);
    }
    assert_int_equal(vif->port.stats.tx_frames, 2);
    assert_int_equal(vif->port.stats.rx_frames, 1 + 2 + 3);
}

/* Frames of several queues are copied in one batch. */
static void a_batch_is_counted_by_queues(void **state)
{
    unsigned int taken, nr = 0, nr_used = 0;
    uint64_t bytes_taken;
    uint16_t flags, gso;
    int len;

    (void)state;
    all_post(40);
    for (uint16_t flow = 0; flow < 40; flow++)
        flow_send(flow);
    loop_turn();
    for (unsigned int i = 0; i < QUEUES; i++) {
        bytes_taken = 0;
        for (taken = 0; (len = rx_take(&queues[i], got, &flags, &gso)) > 0; taken++)
            bytes_taken += (unsigned int)len;
        assert_int_equal(counted(i).stats.tx_frames, taken);
        assert_int_equal(counted(i).stats.tx_bytes, bytes_taken);
        nr += taken;
        nr_used += taken > 0;
    }
    assert_int_equal(nr, 40);
    assert_true(nr_used > 1);
}

/* Events to the guest since the last look. */
static unsigned int nr_rung(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < QUEUES; i++)
        nr += fake_port_notified(7, guest_port(&queues[i], GUEST_TX_PORT)) +
              fake_port_notified(7, guest_port(&queues[i], GUEST_RX_PORT));
    return nr;
}

/* Copies and events are the vif's whose they are: all there are, where there is one. */
static void copies_and_events_are_counted(void **state)
{
    struct vif_info before, after;
    unsigned int copies = fake_copy_ops();

    (void)state;
    (void)nr_rung();
    assert_true(vif_info(0, &before));
    for (unsigned int i = 0; i < QUEUES; i++)
        tx_send(&queues[i], bytes, 1000, 300, 0, 0);
    loop_turn();
    all_post(4);
    flow_send(5);
    loop_turn();
    assert_true(vif_info(0, &after));
    assert_true(after.nr_copies - before.nr_copies > QUEUES);
    assert_int_equal(after.nr_copies - before.nr_copies, fake_copy_ops() - copies);
    assert_true(after.nr_events - before.nr_events >= QUEUES);
    assert_int_equal(after.nr_notified - before.nr_notified, nr_rung());
    assert_true(after.nr_notified - before.nr_notified > QUEUES);
    for (unsigned int i = 0; i < QUEUES; i++) {
        struct vif_queue_stats stats = counted(i).stats;

        assert_true(stats.nr_copies > 0 && stats.nr_notified > 0 && stats.nr_events > 0);
        after.nr_copies -= stats.nr_copies;
        after.nr_notified -= stats.nr_notified;
        after.nr_events -= stats.nr_events;
    }
    assert_int_equal(after.nr_copies, 0);
    assert_int_equal(after.nr_notified, 0); /* there is no control ring */
    assert_int_equal(after.nr_events, 0);
}

/* The queue that the flow of this number goes to, one frame of which waits there now. */
static unsigned int queue_of_flow(uint16_t flow)
{
    flow_send(flow);
    for (unsigned int i = 0; i < QUEUES; i++)
        if (counted(i).nr_waiting)
            return i;
    fail();
    return 0;
}

static void events_are_of_the_queue_that_they_are_for(void **state)
{
    struct vif_queue_stats before[QUEUES];

    (void)state;
    for (unsigned int i = 0; i < QUEUES; i++)
        before[i] = counted(i).stats;
    tx_send(&queues[1], bytes, 1000, 300, 0, 0);
    loop_turn();
    for (unsigned int i = 0; i < QUEUES; i++) {
        struct vif_queue_stats now = counted(i).stats;

        assert_int_equal(now.nr_events - before[i].nr_events, i == 1);
        assert_int_equal(now.nr_notified - before[i].nr_notified, i == 1);
        assert_int_equal(now.nr_copies > before[i].nr_copies, i == 1);
    }
}

static void drops_are_of_the_queue_that_they_are_for(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 60);
    unsigned int queue = queue_of_flow(5);
    uint64_t total = 0;

    (void)state;
    tx_send(&queues[2], bytes, 10, 4096, 0, 0); /* shorter than any frame */
    loop_turn();
    for (unsigned int i = 0; i < QUEUES; i++)
        assert_int_equal(counted(i).stats.rx_bad, i == 2);
    assert_int_equal(vif->port.stats.rx_errors, 1);
    /* Nobody posts anything: it takes what its queue holds, and not a frame more. */
    for (unsigned int i = 0; i < VIF_QUEUE_FRAMES + 3; i++)
        flow_send(5);
    for (unsigned int i = 0; i < QUEUES; i++) {
        assert_int_equal(counted(i).stats.tx_drops > 0, i == queue);
        total += counted(i).stats.tx_drops;
    }
    assert_int_equal(vif->port.stats.tx_drops, total);
    /* What it takes never, is of no queue. */
    frame->pkt_len = 60000;
    vif_rx_enqueue(&vif->port, &frame, 1);
    assert_int_equal(vif->port.stats.tx_drops, total + 1);
    total = counted(queue).stats.tx_drops + counted(queue).nr_waiting;
    vif_rx_purge(vif_queue_of(vif, queue));
    assert_int_equal(counted(queue).stats.tx_drops, total);
    assert_int_equal(vif->port.stats.tx_drops, total + 1);
}

static void counters_go_on_over_restarts_and_frontends(void **state)
{
    struct vif_counts before;

    (void)state;
    assert_serves();
    vif->counts.nr_filtered = 5;
    fake_host_empty();
    before = vif->counts;
    assert_int_equal(kernel_restart(), 1);
    for (unsigned int i = 0; i < QUEUES; i++) {
        assert_true(counted(i).stats.nr_notified >
                    before.queues[i].nr_notified); /* they may have missed one */
        before.queues[i].nr_notified = counted(i).stats.nr_notified;
        assert_memory_equal(&vif->counts.queues[i], &before.queues[i], sizeof(before.queues[i]));
        assert_true(counted(i).stats.rx_frames > 0 && counted(i).stats.tx_frames > 0);
    }
    assert_int_equal(vif->counts.nr_filtered, 5);
    assert_true(before.queues[0].nr_copies > 0 && before.queues[0].nr_events > 0);
    assert_int_equal(vif_watch(), 0);
    fake_xen_run();
    assert_serves();
    for (unsigned int i = 0; i < QUEUES; i++)
        assert_int_equal(counted(i).stats.rx_frames, before.queues[i].rx_frames + 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_queue_counts_its_own),
        TEST(a_batch_is_counted_by_queues),
        TEST(copies_and_events_are_counted),
        TEST(events_are_of_the_queue_that_they_are_for),
        TEST(drops_are_of_the_queue_that_they_are_for),
        TEST(counters_go_on_over_restarts_and_frontends),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
