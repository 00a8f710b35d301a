/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics pages since version 2: queues, bridges, and what NICs tell of themselves. */
#include "fixture_stats.h"

static void each_queue_has_its_counters(void **state)
{
    (void)state;
    nic_add(0);
    vif_add(0, 1);
    vif_add(5, 2);
    vifs[0].nr_queues = 1;
    vifs[5].nr_copies = 11;
    vifs[5].nr_notified = 12;
    vifs[5].nr_events = 13;
    queues[0][0].stats.rx_frames = 5;
    queues[5][1] =
        (struct vif_queue_info){ .nr_waiting = 9, .stats = { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
    written();
    assert_true(statspages_has_more(&seen));
    assert_true(statspages_has_parts(&seen));
    assert_int_equal(seen.nr_queues, 3);
    assert_int_equal(seen.queues[0].port, 1);
    assert_int_equal(seen.queues[0].in_frames, 5);
    assert_int_equal(seen.queues[2].port, 2);
    assert_int_equal(seen.queues[2].index, 1);
    assert_int_equal(seen.queues[2].nr_waiting, 9);
    assert_int_equal(seen.queues[2].in_frames, 1);
    assert_int_equal(seen.queues[2].in_bytes, 2);
    assert_int_equal(seen.queues[2].out_frames, 3);
    assert_int_equal(seen.queues[2].out_bytes, 4);
    assert_int_equal(seen.queues_more[2].nr_copies, 5);
    assert_int_equal(seen.queues_more[2].nr_notifications, 6);
    assert_int_equal(seen.queues_more[2].nr_events, 7);
    assert_int_equal(seen.queues_more[2].drops[FERRY_DROP_BAD], 8);
    assert_int_equal(seen.queues_more[2].drops[FERRY_DROP_FULL], 9);
    assert_int_equal(statspages_queue_drops(&seen.queues_more[2]), 17);
    assert_int_equal(seen.queues_more[1].nr_copies, 0);
    assert_int_equal(seen.more[2].nr_copies, 11);
    assert_int_equal(seen.more[2].nr_notifications, 12);
    assert_int_equal(seen.more[2].nr_events, 13);
    vifs[5].nr_queues = 0; /* its frontend closes */
    vif_add(3, 4); /* and another one comes before it */
    vifs[3].nr_queues = 0;
    written();
    assert_int_equal(seen.nr_queues, 1);
    assert_int_equal(seen.more[2].nr_copies, 0);
    assert_int_equal(seen.more[3].nr_copies, 11);
}

static void more_queues_than_there_is_room_for_are_left_out(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < VIF_MAX; i++)
        vif_add(i, i + 1);
    nic_add(0);
    assert_int_equal(VIF_MAX * 2, FERRY_STATS_QUEUES);
    pages->nr_queues = 77;
    written();
    assert_int_equal(seen.nr_queues, FERRY_STATS_QUEUES);
    pages->nr_queues = FERRY_STATS_QUEUES;
    queues_fill(0, 2, 1);
    assert_int_equal(pages->nr_queues, FERRY_STATS_QUEUES);
}

static void bridges_count_on_by_their_names(void **state)
{
    (void)state;
    bridge_add(0, "xenbr0");
    bridge_add(1, "a-name-of-fifte");
    bridges[1].nr_ports = 3;
    bridges[1].nr_stations = 4;
    bridge_stats[0].nr_forwarded = 100;
    bridge_stats[1].nr_flooded = 10;
    bridge_stats[1].drops[FERRY_BRIDGE_DROP_NOBODY] = 1;
    bridge_stats[0].forwarded_bytes = 6400;
    bridge_stats[1].flooded_bytes = 640;
    bridge_stats[1].drop_bytes[FERRY_BRIDGE_DROP_NOBODY] = 64;
    written();
    written();
    assert_int_equal(seen.nr_bridges, 2);
    assert_string_equal(seen.bridges[1].name, "a-name-of-fifte");
    assert_int_equal(seen.bridges[1].nr_ports, 3);
    assert_int_equal(seen.bridges[1].nr_stations, 4);
    assert_int_equal(seen.bridges[0].nr_forwarded, 100);
    assert_int_equal(seen.bridges_bytes[0].forwarded, 6400);
    assert_int_equal(seen.bridges_bytes[1].flooded, 640);
    assert_int_equal(statspages_bridge_drop_bytes(&seen.bridges_bytes[1]), 64);
    restart(true); /* the NIC is kept: bridges begin anew all the same */
    memset(bridges, 0, sizeof(bridges));
    bridge_add(0, "a-name-of-fifte");
    bridge_stats[0].nr_flooded = 5;
    bridge_stats[0].flooded_bytes = 320;
    written();
    assert_int_equal(seen.nr_bridges, 1);
    assert_int_equal(seen.bridges[0].nr_forwarded, 0);
    assert_int_equal(seen.bridges[0].nr_flooded, 15);
    assert_int_equal(seen.bridges[0].drops[FERRY_BRIDGE_DROP_NOBODY], 1);
    assert_int_equal(seen.bridges_bytes[0].forwarded, 0);
    assert_int_equal(seen.bridges_bytes[0].flooded, 960);
    assert_int_equal(seen.bridges_bytes[0].drops[FERRY_BRIDGE_DROP_NOBODY], 64);
    stats_init(false);
    written();
    assert_int_equal(seen.bridges[0].nr_flooded, 5);
    assert_int_equal(seen.bridges_bytes[0].flooded, 320);
}

static void as_many_bridges_as_there_can_be_are_kept(void **state)
{
    static char names[BRIDGE_MAX][FERRY_STATS_NAME_SIZE];

    (void)state;
    for (unsigned int i = 1; i <= 2; i++) {
        for (unsigned int b = 0; b < BRIDGE_MAX; b++) {
            snprintf(names[b], sizeof(names[b]), "br%u", b);
            bridge_add(b, names[b]);
            bridge_stats[b].nr_forwarded = b + 1;
            bridge_stats[b].drop_bytes[FERRY_BRIDGE_DROPS - 1] = b + 2;
        }
        written();
        assert_int_equal(seen.nr_bridges, BRIDGE_MAX);
        for (unsigned int b = 0; b < BRIDGE_MAX; b++) {
            assert_int_equal(seen.bridges[b].nr_forwarded, i * (b + 1));
            assert_int_equal(seen.bridges_bytes[b].drops[FERRY_BRIDGE_DROPS - 1], i * (b + 2));
        }
        restart(false);
    }
}

static void a_nics_rings_are_shown_as_they_are(void **state)
{
    (void)state;
    nic_add(0);
    nic_add(1);
    rings[0] = (struct nic_rings){ NIC_UNKNOWN, 512, 7, 256, 30 };
    rings[1].rx_filled = 3;
    written();
    assert_int_equal(seen.more[0].in_filled, FERRY_STATS_UNKNOWN);
    assert_int_equal(seen.more[0].in_ring, 512);
    assert_int_equal(seen.more[0].out_used, 7);
    assert_int_equal(seen.more[0].out_ring, 256);
    assert_int_equal(seen.ports[0].nr_waiting, 30);
    assert_int_equal(seen.more[0].flags, 0);
    assert_int_equal(seen.more[1].in_filled, 3);
    assert_int_equal(seen.ports[1].nr_waiting, 0);
}

static void errors_are_looked_at_seldom_and_not_at_once(void **state)
{
    (void)state;
    nic_add(0);
    tells_errors[0] = true;
    errors[0] = (struct nic_errors){ 1, 2, 3, 4 };
    nr_looks_at_errors = 0;
    now_ns += SECOND_NS - 1;
    written();
    assert_int_equal(nr_looks_at_errors, 0);
    assert_int_equal(seen.more[0].flags, 0);
    now_ns++;
    written();
    assert_int_equal(seen.more[0].flags, FERRY_MORE_ERRORS);
    assert_int_equal(seen.more[0].nr_missed, 1);
    assert_int_equal(seen.more[0].nr_no_buffers, 2);
    assert_int_equal(seen.more[0].nr_in_errors, 3);
    assert_int_equal(seen.more[0].nr_out_errors, 4);
    now_ns += FERRY_STATS_ERRORS_NS - 1;
    written();
    assert_int_equal(nr_looks_at_errors, 1);
    now_ns++;
    written();
    assert_int_equal(nr_looks_at_errors, 2);
}

static void errors_go_on_over_restarts(void **state)
{
    static const bool kept[] = { false, true, false };
    uint64_t before = 0, last = 0;

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        nic_add(1);
        tells_errors[1] = true;
        errors[1].nr_missed = last = (i && kept[i - 1] ? last : 0) + 10;
        written(); /* not looked at in this start yet: what the last ones found */
        assert_int_equal(seen.more[0].nr_missed,
                         i == 0 ? 0 : before + (kept[i - 1] ? last - 10 : 0));
        now_ns += SECOND_NS;
        written();
        assert_int_equal(seen.more[0].nr_missed, before + last);
        before += kept[i] ? 0 : last;
        restart(kept[i]);
    }
    nic_add(1);
    tells_errors[1] = false; /* nobody tells now: what is known stays */
    now_ns += SECOND_NS;
    written();
    assert_int_equal(seen.more[0].nr_missed, before);
    assert_int_equal(seen.more[0].flags, FERRY_MORE_ERRORS);
    stats_init(false);
    written();
    assert_int_equal(seen.more[0].flags, 0);
    assert_int_equal(seen.more[0].nr_missed, 0);
}

static void latencies_have_buckets_of_their_own(void **state)
{
    (void)state;
    stats_latency_take(FERRY_LATENCY_QUEUED, 255);
    stats_latency_take(FERRY_LATENCY_QUEUED, 1024);
    stats_latency_take(FERRY_LATENCY_TAKEN, 3600 * SECOND_NS);
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), 0);
    assert_int_equal(seen.latencies[FERRY_LATENCY_QUEUED].nr, 2);
    assert_int_equal(seen.latencies[FERRY_LATENCY_QUEUED].sum_ns, 1279);
    assert_int_equal(seen.latencies[FERRY_LATENCY_QUEUED].buckets[0], 1);
    assert_int_equal(seen.latencies[FERRY_LATENCY_QUEUED].buckets[3], 1);
    assert_int_equal(seen.latencies[FERRY_LATENCY_TAKEN].buckets[FERRY_STATS_BUCKETS - 1], 1);
    restart(false);
    stats_latency_take(FERRY_LATENCY_QUEUED, 0);
    written();
    assert_int_equal(seen.latencies[FERRY_LATENCY_QUEUED].nr, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(each_queue_has_its_counters),
        TEST(more_queues_than_there_is_room_for_are_left_out),
        TEST(bridges_count_on_by_their_names),
        TEST(as_many_bridges_as_there_can_be_are_kept),
        TEST(a_nics_rings_are_shown_as_they_are),
        TEST(errors_are_looked_at_seldom_and_not_at_once),
        TEST(errors_go_on_over_restarts),
        TEST(latencies_have_buckets_of_their_own),
    };

    return cmocka_run_group_tests_name("stats_more", tests, NULL, NULL);
}
