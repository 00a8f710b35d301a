/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics pages: written by the kernel's code, read by dom0's. */
#include "fixture_stats.h"

static void what_is_written_is_read(void **state)
{
    struct port *nic = nic_add(0);

    (void)state;
    vif_add(3, 7);
    vif_ports[3].is_full = vif_ports[3].isolated = true;
    vifs[3].handle = 0;
    vifs[3].nr_waiting = 9;
    nic->mac.addr_bytes[0] = 2;
    now_ns = 6000;
    written();
    assert_int_equal(seen.began_ns, 5000);
    assert_int_equal(seen.written_ns, 6000);
    assert_int_equal(seen.generation, status.generation);
    assert_int_equal(seen.capture, (uint32_t)(uintptr_t)capture_area);
    assert_int_equal(seen.nr_mbufs, 1000);
    assert_int_equal(seen.nr_mbufs_free, 400);
    ports_are("nic0 vif7.0");
    assert_int_equal(seen.ports[0].kind, FERRY_PORT_NIC);
    assert_int_equal(seen.ports[0].flags, FERRY_PORT_UP);
    assert_int_equal(seen.ports[0].speed, 1000);
    assert_int_equal(seen.ports[0].mac[0], 2);
    assert_string_equal(seen.ports[0].bridge, "");
    assert_int_equal(seen.ports[1].kind, FERRY_PORT_VIF);
    assert_int_equal(seen.ports[1].flags,
                     FERRY_PORT_UP | FERRY_PORT_CONNECTED | FERRY_PORT_FULL | FERRY_PORT_ISOLATED);
    assert_int_equal(seen.ports[1].guest, 7);
    assert_int_equal(seen.ports[1].nr_queues, 2);
    assert_int_equal(seen.ports[1].nr_waiting, 9);
    assert_int_equal(seen.ports[1].mtu, 1500);
    assert_string_equal(seen.ports[1].bridge, "xenbr0");
    nic->up = false;
    written();
    assert_int_equal(seen.ports[0].flags, 0);
    assert_int_equal(seen.ports[0].speed, 0);
}

static void each_counter_has_its_place(void **state)
{
    static const char *const words[] = { "bad",    "full",     "vlan",      "storm",
                                         "pinned", "isolated", "policy-in", "policy-out" };

    (void)state;
    vif_add(0, 1);
    vif_ports[0].stats = (struct port_stats){ .rx_frames = 101,
                                              .rx_bytes = 102,
                                              .tx_frames = 103,
                                              .tx_bytes = 104,
                                              .rx_errors = 1,
                                              .tx_drops = 2,
                                              .rx_drops_vlan = 3,
                                              .rx_drops_storm = 4,
                                              .rx_drops_pinned = 5,
                                              .rx_drops_isolated = 6,
                                              .rx_drops_policy = 7,
                                              .tx_drops_policy = 8 };
    vifs[0].nr_filtered = 9;
    written();
    assert_int_equal(seen.ports[0].in_frames, 101);
    assert_int_equal(seen.ports[0].in_bytes, 102);
    assert_int_equal(seen.ports[0].out_frames, 103);
    assert_int_equal(seen.ports[0].out_bytes, 104);
    for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_string_equal(statspages_drop_word(i), words[i]);
        assert_int_equal(seen.ports[0].drops[i], i + 1);
    }
    assert_int_equal(seen.ports[0].drops[FERRY_DROP_MULTICAST], 9);
    assert_int_equal(statspages_drops(&seen.ports[0]), 45);
}

static void vifs_come_and_go(void **state)
{
    (void)state;
    nic_add(0);
    written();
    ports_are("nic0");
    for (uint16_t i = 0; i < 3; i++)
        vif_add(i, i + 1);
    vif_ports[2].stats.rx_frames = 33;
    vifs[1].connected = false;
    vif_ports[1].up = false;
    written();
    ports_are("nic0 vif1.0 vif2.0 vif3.0");
    assert_string_equal(statspages_state_word(port_named("vif1.0")), "up");
    assert_string_equal(statspages_state_word(port_named("vif2.0")), "waiting");
    vifs[0].port = NULL;
    written();
    ports_are("nic0 vif2.0 vif3.0");
    assert_int_equal(port_named("vif3.0")->in_frames, 33);
    vif_add(0, 9); /* another guest in its place: nothing of the first one is left */
    written();
    ports_are("nic0 vif9.0 vif2.0 vif3.0");
    assert_int_equal(port_named("vif9.0")->in_frames, 0);
    memset(vifs, 0, sizeof(vifs));
    written();
    ports_are("nic0");
}

static void as_many_vifs_as_there_can_be_have_room(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < LOOP_NICS_MAX + 3; i++)
        stats_nic_add(&nic_ports[i % LOOP_NICS_MAX]);
    for (uint16_t i = 0; i < VIF_MAX; i++)
        vif_add(i, i + 1);
    written();
    assert_int_equal(seen.nr_ports, LOOP_NICS_MAX + VIF_MAX);
}

static void stations_name_their_ports(void **state)
{
    (void)state;
    nic_add(0);
    vif_add(0, 1);
    vif_add(1, 2);
    stations_of[1] = 2;
    station = (struct fdb_station){ .domain = 0x7123, .is_pinned = true, .age_ns = 3 * SECOND_NS };
    written();
    assert_int_equal(seen.nr_stations, 2);
    assert_int_equal(seen.stations[1].port, 2);
    assert_int_equal(seen.stations[1].mac[5], 1);
    assert_int_equal(seen.stations[1].vid, 0x123);
    assert_int_equal(seen.stations[1].age_s, 3);
    assert_int_equal(seen.stations[1].is_pinned, 1);
    vifs[0].port = NULL; /* the second is in another place: at once, not in a second */
    written();
    assert_int_equal(seen.nr_stations, 2);
    assert_int_equal(seen.stations[1].port, 1);
    assert_string_equal(seen.ports[1].name, "vif2.0");
}

static void stations_are_written_once_a_second(void **state)
{
    (void)state;
    vif_add(0, 1);
    written();
    stations_of[0] = 1;
    station.age_ns = UINT64_MAX;
    now_ns += STATIONS_INTERVAL_NS - 1;
    written();
    assert_int_equal(seen.nr_stations, 0);
    now_ns++;
    written();
    assert_int_equal(seen.nr_stations, 1);
    assert_int_equal(seen.stations[0].age_s, UINT16_MAX);
}

static void one_guests_stations_leave_room_for_others(void **state)
{
    unsigned int nr[2] = { 0 };

    (void)state;
    vif_add(0, 1);
    vif_add(1, 2);
    stations_of[0] = STATIONS_MAX;
    stations_of[1] = FERRY_STATS_STATIONS / 2;
    written();
    assert_int_equal(seen.nr_stations, FERRY_STATS_STATIONS);
    assert_int_equal(seen.nr_stations_known, STATIONS_MAX + FERRY_STATS_STATIONS / 2);
    for (unsigned int i = 0; i < seen.nr_stations; i++)
        nr[seen.stations[i].port]++;
    assert_int_equal(nr[0], FERRY_STATS_STATIONS / 2);
    assert_int_equal(nr[1], FERRY_STATS_STATIONS / 2);
}

static void counters_go_on_over_restarts(void **state)
{
    struct port *nic = nic_add(0);

    (void)state;
    for (unsigned int i = 1; i <= 3; i++) {
        nic->stats.rx_frames = 10;
        nic->stats.tx_drops_policy = 1;
        copied = (struct gnttab_copied){ .ops = 20, .calls = 2 };
        notified = 5;
        stats_turn_begin();
        stats_sleep_note();
        written();
        written(); /* writing counts nothing */
        assert_int_equal(seen.ports[0].in_frames, 10 * i);
        assert_int_equal(seen.ports[0].drops[FERRY_DROP_POLICY_OUT], i);
        assert_int_equal(seen.nr_copies, 20 * i);
        assert_int_equal(seen.nr_copy_calls, 2 * i);
        assert_int_equal(seen.nr_notifications, 5 * i);
        assert_int_equal(seen.nr_turns, i);
        assert_int_equal(seen.nr_sleeps, i);
        assert_int_equal(seen.generation, i);
        assert_int_equal(seen.began_ns, 5000);
        now_ns += 1000;
        restart(false);
        nic = nic_add(0); /* counts from 0 */
    }
}

static void a_nic_that_is_kept_counts_on_by_itself(void **state)
{
    struct port *nic = nic_add(0);

    (void)state;
    nic->stats.rx_frames = 10;
    copied.ops = 20;
    written();
    restart(true);
    stats_nic_add(nic);
    nic->stats.rx_frames = 11;
    copied.ops = 1;
    written();
    assert_int_equal(seen.ports[0].in_frames, 11);
    assert_int_equal(seen.nr_copies, 21);
}

static void a_nics_counters_are_its_numbers(void **state)
{
    (void)state;
    nic_add(0)->stats.rx_frames = 10;
    nic_add(1)->stats.rx_frames = 100;
    written();
    restart(false);
    nic_add(1)->stats.rx_frames = 5; /* the first does not start */
    written();
    ports_are("nic1");
    assert_int_equal(seen.ports[0].in_frames, 105);
    restart(false);
    nic_add(0)->stats.rx_frames = 1;
    nic_add(1)->stats.rx_frames = 1;
    written();
    assert_int_equal(port_named("nic0")->in_frames, 11);
    assert_int_equal(port_named("nic1")->in_frames, 106);
}

static void a_death_while_writing_is_got_over(void **state)
{
    nic_add(0)->stats.rx_frames = 10;

    (void)state;
    written();
    write_begin();
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), -EAGAIN);
    restart(false);
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen),
                     0); /* before anything is written, too */
    nic_add(0)->stats.rx_frames = 1;
    written();
    assert_int_equal(seen.ports[0].in_frames, 11);
    write_begin();
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), -EAGAIN);
    write_end();
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), 0);
}

static void damaged_pages_begin_anew(void **state)
{
    size_t places[] = { offsetof(struct ferry_stats, magic), offsetof(struct ferry_stats, version),
                        offsetof(struct ferry_stats, size) };

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        nic_add(0)->stats.rx_frames = 10;
        copied.ops = 20;
        written();
        stats_area[places[i]]++;
        assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), -EAGAIN);
        now_ns = 7000 + i;
        restart(false);
        written();
        assert_int_equal(seen.began_ns, 7000 + i);
        assert_int_equal(seen.nr_ports, 0);
        assert_int_equal(seen.nr_copies, 0);
        nic_add(0);
        written();
        assert_int_equal(seen.ports[0].in_frames, 0);
        restart(false);
    }
}

static void a_first_start_takes_nothing_over(void **state)
{
    (void)state;
    nic_add(0)->stats.rx_frames = 10;
    written();
    now_ns = 9000;
    stats_init(false);
    nic_ports[0].stats.rx_frames = 0;
    written();
    assert_int_equal(seen.began_ns, 9000);
    assert_int_equal(seen.ports[0].in_frames, 0);
}

static void one_turn_in_so_many_is_timed(void **state)
{
    const struct ferry_stats_stage *stage = &seen.stages[FERRY_STAGE_GUESTS];

    (void)state;
    for (unsigned int i = 0; i < 2 * FERRY_STATS_SAMPLE; i++)
        turn(true, 255, i == 0 ? 256 : 511);
    turn(false, 1, 100000); /* timed, but found no work */
    for (unsigned int i = 1; i < FERRY_STATS_SAMPLE; i++)
        turn(true, 1, 1);
    turn(true, 1, 3600 * SECOND_NS);
    written();
    assert_int_equal(seen.nr_turns, 3 * FERRY_STATS_SAMPLE + 1);
    assert_int_equal(stage->nr, 3);
    assert_int_equal(stage->sum_ns, 256 + 511 + 3600 * SECOND_NS);
    assert_int_equal(stage->buckets[0], 0);
    assert_int_equal(stage->buckets[1], 2);
    assert_int_equal(stage->buckets[FERRY_STATS_BUCKETS - 1], 1);
    stage = &seen.stages[FERRY_STAGE_EVENTS];
    assert_int_equal(stage->buckets[0], 3);
    assert_int_equal(stage->sum_ns, 255 + 255 + 1);
}

static void pages_are_written_while_something_happens(void **state)
{
    (void)state;
    written();
    assert_int_equal(stats_due(), UINT64_MAX);
    turn(false, 0, 0);
    assert_int_equal(stats_due(), UINT64_MAX);
    vif_add(0, 1);
    now_ns += 1000;
    turn(true, 0, 0);
    assert_int_equal(stats_due(), seen.written_ns + FERRY_STATS_INTERVAL_NS);
    now_ns = stats_due() - 1;
    turn(false, 0, 0);
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), 0);
    assert_int_equal(seen.nr_ports, 0);
    now_ns++;
    turn(false, 0, 0);
    assert_int_equal(statspages_copy(stats_area, STATSPAGES_NR, &seen), 0);
    assert_int_equal(seen.nr_ports, 1);
    assert_int_equal(stats_due(), UINT64_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(each_counter_has_its_place),
        TEST(vifs_come_and_go),
        TEST(as_many_vifs_as_there_can_be_have_room),
        TEST(stations_name_their_ports),
        TEST(stations_are_written_once_a_second),
        TEST(one_guests_stations_leave_room_for_others),
        TEST(counters_go_on_over_restarts),
        TEST(a_nic_that_is_kept_counts_on_by_itself),
        TEST(a_nics_counters_are_its_numbers),
        TEST(a_death_while_writing_is_got_over),
        TEST(damaged_pages_begin_anew),
        TEST(a_first_start_takes_nothing_over),
        TEST(one_turn_in_so_many_is_timed),
        TEST(pages_are_written_while_something_happens),
    };

    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
