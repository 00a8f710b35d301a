/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 makes of statistics pages that a domain, or somebody in its place, wrote. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xen/statspages.h"

static union {
    struct ferry_stats stats;
    unsigned char bytes[FERRY_STATS_BYTES];
} pages __attribute__((aligned(4096)));

static struct ferry_stats read_stats;

static int start(void **state)
{
    (void)state;
    memset(&pages, 0, sizeof(pages));
    pages.stats = (struct ferry_stats){ .magic = FERRY_STATS_MAGIC,
                                        .version = FERRY_STATS_VERSION,
                                        .size = sizeof(struct ferry_stats),
                                        .seq = 4,
                                        .nr_ports = 2,
                                        .nr_stations = 1 };
    strcpy(pages.stats.ports[0].name, "nic0");
    strcpy(pages.stats.ports[1].name, "vif3.0");
    pages.stats.ports[1].drops[FERRY_DROP_STORM] = 7;
    pages.stats.ports[1].drops[FERRY_DROP_BAD] = 2;
    pages.stats.stations[0].port = 1;
    return 0;
}

static int copy(void)
{
    return statspages_copy(&pages, STATSPAGES_NR, &read_stats);
}

static void pages_are_read_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(copy(), 0);
    assert_memory_equal(&read_stats, &pages.stats, sizeof(read_stats));
    assert_int_equal(statspages_drops(&read_stats.ports[1]), 9);
}

static void what_is_no_such_page_is_refused(void **state)
{
    (void)state;
    pages.stats.magic++;
    assert_int_equal(copy(), -EAGAIN);
    pages.stats.magic--;
    pages.stats.version++;
    assert_int_equal(copy(), -EAGAIN);
    pages.stats.version--;
    pages.stats.size--;
    assert_int_equal(copy(), -EAGAIN);
}

static void the_version_says_how_many_pages_there_are(void **state)
{
    unsigned int nr = 0;

    (void)state;
    assert_int_equal(statspages_nr(&pages, &nr), 0);
    assert_int_equal(nr, STATSPAGES_NR);
    pages.stats.version = 1;
    assert_int_equal(statspages_nr(&pages, &nr), 0);
    assert_int_equal(nr, 7);
    pages.stats.version = 2;
    assert_int_equal(statspages_nr(&pages, &nr), 0);
    assert_int_equal(nr, 10);
    pages.stats.version = 0;
    assert_int_equal(statspages_nr(&pages, &nr), -EAGAIN);
    pages.stats.version = FERRY_STATS_VERSION + 1;
    assert_int_equal(statspages_nr(&pages, &nr), -EPROTONOSUPPORT);
    pages.stats.magic++;
    assert_int_equal(statspages_nr(&pages, &nr), -EAGAIN);
}

static void pages_of_version_1_are_read_without_what_came_later(void **state)
{
    (void)state;
    memset(&pages.stats.nr_queues, 0xff, sizeof(pages) - FERRY_STATS_SIZE_1); /* something else */
    pages.stats.version = 1;
    pages.stats.size = FERRY_STATS_SIZE_1;
    assert_int_equal(statspages_copy(&pages, 7, &read_stats), 0);
    assert_memory_equal(&read_stats, &pages.stats, FERRY_STATS_SIZE_1);
    assert_false(statspages_has_more(&read_stats));
    assert_int_equal(read_stats.nr_queues, 0);
    assert_int_equal(read_stats.nr_bridges, 0);
    assert_int_equal(read_stats.more[0].nr_copies, 0);
    pages.stats.size = sizeof(struct ferry_stats); /* of another version */
    assert_int_equal(statspages_copy(&pages, 7, &read_stats), -EAGAIN);
}

static void pages_of_version_2_are_read_without_what_came_with_3(void **state)
{
    (void)state;
    memset(pages.stats.queues_more, 0xff, sizeof(pages) - FERRY_STATS_SIZE_2); /* something else */
    pages.stats.version = 2;
    pages.stats.size = FERRY_STATS_SIZE_2;
    pages.stats.nr_queues = pages.stats.nr_bridges = 1;
    pages.stats.queues[0] = (struct ferry_stats_queue){ .port = 1, .in_frames = 5 };
    assert_int_equal(statspages_copy(&pages, 10, &read_stats), 0);
    assert_memory_equal(&read_stats, &pages.stats, FERRY_STATS_SIZE_2);
    assert_true(statspages_has_more(&read_stats));
    assert_false(statspages_has_parts(&read_stats));
    assert_int_equal(read_stats.queues_more[0].nr_copies, 0);
    assert_int_equal(read_stats.bridges_bytes[0].forwarded, 0);
    pages.stats.size = FERRY_STATS_SIZE_1; /* of another version */
    assert_int_equal(statspages_copy(&pages, 10, &read_stats), -EAGAIN);
    pages.stats.size = FERRY_STATS_SIZE_2;
    pages.stats.version = FERRY_STATS_VERSION; /* of which there are not enough pages */
    assert_int_equal(statspages_copy(&pages, 10, &read_stats), -EAGAIN);
}

static void no_more_is_read_than_is_mapped(void **state)
{
    (void)state;
    assert_int_equal(statspages_copy(&pages, 7, &read_stats), -EAGAIN);
}

static void queues_of_ports_that_are_not_there_are_left_out(void **state)
{
    (void)state;
    pages.stats.nr_queues = 4;
    pages.stats.queues[0].port = 255;
    pages.stats.queues[1] = (struct ferry_stats_queue){ .port = 1, .in_frames = 5 };
    pages.stats.queues_more[0].nr_copies = 10;
    pages.stats.queues_more[1].nr_copies = 11; /* goes with it */
    pages.stats.queues_more[3].nr_copies = 13;
    pages.stats.queues[2].port = 2;
    pages.stats.queues[3].port = 2;
    assert_int_equal(copy(), 0);
    assert_int_equal(read_stats.nr_queues, 1);
    assert_int_equal(read_stats.queues[0].in_frames, 5);
    assert_int_equal(read_stats.queues_more[0].nr_copies, 11);
}

static void bridges_names_end_and_act_on_no_terminal(void **state)
{
    (void)state;
    pages.stats.nr_bridges = UINT32_MAX;
    pages.stats.nr_queues = UINT32_MAX;
    memset(pages.stats.bridges[15].name, '\033', FERRY_STATS_NAME_SIZE);
    pages.stats.bridges[2].drops[FERRY_BRIDGE_DROP_NOBODY] = 3;
    pages.stats.bridges[2].drops[FERRY_BRIDGE_DROP_BAD] = 4;
    assert_int_equal(copy(), 0);
    assert_int_equal(read_stats.nr_bridges, FERRY_STATS_BRIDGES);
    assert_int_equal(read_stats.nr_queues, FERRY_STATS_QUEUES);
    assert_string_equal(read_stats.bridges[15].name, "???????????????");
    assert_int_equal(statspages_bridge_drops(&read_stats.bridges[2]), 7);
}

static void pages_that_are_being_written_for_ever_are_refused(void **state)
{
    (void)state;
    pages.stats.seq = 5;
    assert_int_equal(copy(), -EAGAIN);
}

static void names_end_and_act_on_no_terminal(void **state)
{
    (void)state;
    memset(pages.stats.ports[0].name, 'x', FERRY_STATS_NAME_SIZE);
    memcpy(pages.stats.ports[1].bridge, "a\033[2J\n b\377", 9);
    assert_int_equal(copy(), 0);
    assert_int_equal(strlen(read_stats.ports[0].name), FERRY_STATS_NAME_SIZE - 1);
    assert_string_equal(read_stats.ports[1].bridge, "a?[2J??b?");
}

static void counts_stay_within_their_arrays(void **state)
{
    (void)state;
    pages.stats.nr_ports = UINT32_MAX;
    pages.stats.nr_stations = UINT32_MAX;
    assert_int_equal(copy(), 0);
    assert_int_equal(read_stats.nr_ports, FERRY_STATS_PORTS);
    assert_int_equal(read_stats.nr_stations, FERRY_STATS_STATIONS);
}

static void stations_of_ports_that_are_not_there_are_left_out(void **state)
{
    (void)state;
    pages.stats.nr_stations = 3;
    pages.stats.stations[0].port = 200;
    pages.stats.stations[1].port = 1;
    pages.stats.stations[2].port = 2;
    assert_int_equal(copy(), 0);
    assert_int_equal(read_stats.nr_stations, 1);
    assert_int_equal(read_stats.stations[0].port, 1);
}

static void garbage_leads_nowhere(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(pages.bytes); i++)
            pages.bytes[i] = (unsigned char)rand();
        pages.stats.magic = FERRY_STATS_MAGIC;
        pages.stats.version = FERRY_STATS_VERSION;
        pages.stats.size = sizeof(struct ferry_stats);
        pages.stats.seq &= ~1u;
        assert_int_equal(copy(), 0);
        for (unsigned int i = 0; i < read_stats.nr_ports; i++)
            assert_true(strlen(read_stats.ports[i].name) < FERRY_STATS_NAME_SIZE);
        for (unsigned int i = 0; i < read_stats.nr_stations; i++)
            assert_true(read_stats.stations[i].port < read_stats.nr_ports);
        for (unsigned int i = 0; i < read_stats.nr_queues; i++)
            assert_true(read_stats.queues[i].port < read_stats.nr_ports);
        for (unsigned int i = 0; i < read_stats.nr_bridges; i++)
            assert_true(strlen(read_stats.bridges[i].name) < FERRY_STATS_NAME_SIZE);
    }
}

static void every_reason_and_stage_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < FERRY_DROPS; i++)
        for (unsigned int j = 0; j < i; j++)
            assert_string_not_equal(statspages_drop_word(i), statspages_drop_word(j));
    for (unsigned int i = 0; i < FERRY_STAGES; i++)
        assert_int_not_equal(strlen(statspages_stage_word(i)), 0);
    assert_string_equal(statspages_drop_word(FERRY_DROPS), "");
    for (unsigned int i = 0; i < FERRY_BRIDGE_DROPS; i++)
        for (unsigned int j = 0; j < i; j++)
            assert_string_not_equal(statspages_bridge_drop_word(i), statspages_bridge_drop_word(j));
    assert_string_equal(statspages_bridge_drop_word(FERRY_BRIDGE_DROPS), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(pages_are_read_as_they_are),
        TEST(what_is_no_such_page_is_refused),
        TEST(the_version_says_how_many_pages_there_are),
        TEST(pages_of_version_1_are_read_without_what_came_later),
        TEST(pages_of_version_2_are_read_without_what_came_with_3),
        TEST(no_more_is_read_than_is_mapped),
        TEST(queues_of_ports_that_are_not_there_are_left_out),
        TEST(bridges_names_end_and_act_on_no_terminal),
        TEST(pages_that_are_being_written_for_ever_are_refused),
        TEST(names_end_and_act_on_no_terminal),
        TEST(counts_stay_within_their_arrays),
        TEST(stations_of_ports_that_are_not_there_are_left_out),
        TEST(garbage_leads_nowhere),
        TEST(every_reason_and_stage_has_a_word_of_its_own),
    };

    return cmocka_run_group_tests_name("control_stats", tests, NULL, NULL);
}
