/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 makes of statistics pages that a domain, or somebody in its place, wrote. */
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

static void pages_are_read_as_they_are(void **state)
{
    (void)state;
    assert_true(statspages_copy(&pages, &read_stats));
    assert_memory_equal(&read_stats, &pages.stats, sizeof(read_stats));
    assert_int_equal(statspages_drops(&read_stats.ports[1]), 9);
}

static void what_is_no_such_page_is_refused(void **state)
{
    (void)state;
    pages.stats.magic++;
    assert_false(statspages_copy(&pages, &read_stats));
    pages.stats.magic--;
    pages.stats.version++;
    assert_false(statspages_copy(&pages, &read_stats));
    pages.stats.version--;
    pages.stats.size--;
    assert_false(statspages_copy(&pages, &read_stats));
}

static void pages_that_are_being_written_for_ever_are_refused(void **state)
{
    (void)state;
    pages.stats.seq = 5;
    assert_false(statspages_copy(&pages, &read_stats));
}

static void names_end_and_act_on_no_terminal(void **state)
{
    (void)state;
    memset(pages.stats.ports[0].name, 'x', FERRY_STATS_NAME_SIZE);
    memcpy(pages.stats.ports[1].bridge, "a\033[2J\n b\377", 9);
    assert_true(statspages_copy(&pages, &read_stats));
    assert_int_equal(strlen(read_stats.ports[0].name), FERRY_STATS_NAME_SIZE - 1);
    assert_string_equal(read_stats.ports[1].bridge, "a?[2J??b?");
}

static void counts_stay_within_their_arrays(void **state)
{
    (void)state;
    pages.stats.nr_ports = UINT32_MAX;
    pages.stats.nr_stations = UINT32_MAX;
    assert_true(statspages_copy(&pages, &read_stats));
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
    assert_true(statspages_copy(&pages, &read_stats));
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
        assert_true(statspages_copy(&pages, &read_stats));
        for (unsigned int i = 0; i < read_stats.nr_ports; i++)
            assert_true(strlen(read_stats.ports[i].name) < FERRY_STATS_NAME_SIZE);
        for (unsigned int i = 0; i < read_stats.nr_stations; i++)
            assert_true(read_stats.stations[i].port < read_stats.nr_ports);
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
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(pages_are_read_as_they_are),
        TEST(what_is_no_such_page_is_refused),
        TEST(pages_that_are_being_written_for_ever_are_refused),
        TEST(names_end_and_act_on_no_terminal),
        TEST(counts_stay_within_their_arrays),
        TEST(stations_of_ports_that_are_not_there_are_left_out),
        TEST(garbage_leads_nowhere),
        TEST(every_reason_and_stage_has_a_word_of_its_own),
    };

    return cmocka_run_group_tests_name("control_stats", tests, NULL, NULL);
}
