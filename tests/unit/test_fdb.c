/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture_fdb.h"

#define SECOND 1000000000ull

static int start(void **state)
{
    (void)state;
    fdb_init(0x1234);
    fdb_owner_add(1, 4, 0x1001);
    fdb_owner_add(2, 4, 0x1041);
    return 0;
}

static void a_station_is_found_where_it_was_heard(void **state)
{
    (void)state;
    assert_int_equal(lookup(7, 0), FDB_NONE);
    learn(1, 7, 0);
    assert_int_equal(lookup(7, 0), 1);
    assert_int_equal(lookup(8, 0), FDB_NONE);
}

static void domains_do_not_see_each_others_stations(void **state)
{
    struct rte_ether_addr mac = mac_of(7);

    (void)state;
    fdb_learn(1, 3, &mac, 0);
    assert_int_equal(fdb_lookup(3, &mac, 0), 1);
    assert_int_equal(fdb_lookup(4, &mac, 0), FDB_NONE);
    fdb_learn(2, 4, &mac, 0);
    assert_int_equal(fdb_lookup(3, &mac, 0), 1);
    assert_int_equal(fdb_lookup(4, &mac, 0), 2);
}

/* Among so many some hash alike in two domains. */
static void domains_do_not_see_each_others_stations_even_if_they_collide(void **state)
{
    (void)state;
    fdb_owner_add(3, 1000, 3);
    for (unsigned int n = 0; n < 1000; n++)
        learn(3, n, 0);
    for (unsigned int domain = 1; domain <= UINT8_MAX; domain++) {
        for (unsigned int n = 0; n < 1000; n++) {
            struct rte_ether_addr mac = mac_of(n);

            assert_int_equal(fdb_lookup(domain, &mac, 0), FDB_NONE);
        }
    }
}

static void every_byte_of_an_address_counts(void **state)
{
    struct rte_ether_addr mac = mac_of(7);

    (void)state;
    learn(1, 7, 0);
    for (unsigned int i = 0; i < sizeof(mac.addr_bytes); i++) {
        mac.addr_bytes[i] ^= 0x80;
        assert_int_equal(fdb_lookup(0, &mac, 0), FDB_NONE);
        mac.addr_bytes[i] ^= 0x80;
    }
    assert_int_equal(fdb_lookup(0, &mac, 0), 1);
}

static void a_station_that_moves_is_found_in_its_new_place(void **state)
{
    (void)state;
    learn(1, 7, 0);
    learn(2, 7, 1);
    assert_int_equal(lookup(7, 1), 2);
    assert_int_equal(fdb_owner_count(1), 0);
    assert_int_equal(fdb_owner_count(2), 1);
}

/* Found a moment ago, and found again without a hash: but only while it is one. */
static void what_was_found_last_is_forgotten_with_its_owner(void **state)
{
    (void)state;
    learn(1, 7, 0);
    assert_int_equal(lookup(7, 0), 1);
    fdb_owner_flush(1);
    assert_int_equal(lookup(7, 0), FDB_NONE);
    learn(2, 9, 0); /* the same entry, for another address */
    assert_int_equal(lookup(7, 0), FDB_NONE);
    assert_int_equal(lookup(9, 0), 2);
    learn(2, 7, 0);
    assert_int_equal(lookup(7, 0), 2);
    assert_int_equal(lookup(9, 0), 2);
}

static void a_station_ages_unless_heard(void **state)
{
    (void)state;
    learn(1, 7, 0);
    learn(1, 8, 0);
    learn(1, 8, 200 * SECOND);
    assert_int_equal(lookup(7, 300 * SECOND - 1), 1);
    assert_int_equal(lookup(7, 300 * SECOND), FDB_NONE);
    assert_int_equal(lookup(8, 300 * SECOND), 1);
    assert_int_equal(lookup(8, 500 * SECOND), FDB_NONE);
    learn(1, 7, 600 * SECOND);
    assert_int_equal(lookup(7, 600 * SECOND), 1);
}

static void ageing_can_be_set(void **state)
{
    (void)state;
    fdb_ageing_set(2 * SECOND);
    learn(1, 7, 0);
    assert_int_equal(lookup(7, 2 * SECOND), FDB_NONE);
    learn(1, 7, 2 * SECOND);
    learn(1, 7, 3 * SECOND);
    assert_int_equal(lookup(7, 4 * SECOND), 1);
}

static void a_full_quota_pushes_out_the_owners_oldest_only(void **state)
{
    (void)state;
    learn(2, 100, 0);
    for (unsigned int n = 0; n < 4; n++)
        learn(1, n, n * SECOND);
    learn(1, 0, 10 * SECOND); /* heard again: 1 is the oldest now */
    learn(1, 4, 11 * SECOND);
    assert_int_equal(fdb_owner_count(1), 4);
    assert_int_equal(lookup(1, 11 * SECOND), FDB_NONE);
    assert_int_equal(lookup(0, 11 * SECOND), 1);
    assert_int_equal(lookup(4, 11 * SECOND), 1);
    assert_int_equal(lookup(100, 11 * SECOND), 2);
}

static void inventing_addresses_hurts_nobody_else(void **state)
{
    (void)state;
    learn(2, 0x1000000, 0);
    for (unsigned int n = 0; n < 100000; n++)
        learn(1, n, n);
    assert_int_equal(fdb_owner_count(1), 4);
    assert_int_equal(lookup(0x1000000, SECOND), 2);
    for (unsigned int n = 0; n < 4; n++)
        assert_int_equal(lookup(99999 - n, SECOND), 1);
}

static void the_table_is_never_promised_twice(void **state)
{
    unsigned int promised = 0, known = 0, n = 0;

    (void)state;
    fdb_init(1);
    for (uint16_t owner = 0; owner < FDB_OWNERS; owner++)
        promised += fdb_owner_add(owner, 33, owner);
    assert_int_equal(promised, FDB_ENTRIES);
    assert_int_equal(fdb_owner_add(FDB_OWNERS - 1, 1, 1), 0);
    for (uint16_t owner = 0; owner < FDB_OWNERS; owner++)
        for (unsigned int i = 0; i < 40; i++)
            learn(owner, n++, 0);
    for (uint16_t owner = 0; owner < FDB_OWNERS; owner++)
        known += fdb_owner_count(owner);
    assert_int_equal(known, FDB_ENTRIES);
}

static void an_owner_without_quota_learns_and_takes_nothing(void **state)
{
    (void)state;
    learn(1, 7, 0);
    learn(3, 7, 0);
    learn(3, 8, 0);
    assert_int_equal(lookup(7, 0), 1);
    assert_int_equal(lookup(8, 0), FDB_NONE);
}

static void removing_an_owner_forgets_its_stations_and_frees_its_quota(void **state)
{
    (void)state;
    learn(1, 7, 0);
    learn(2, 8, 0);
    fdb_owner_remove(1);
    assert_int_equal(lookup(7, 0), FDB_NONE);
    assert_int_equal(lookup(8, 0), 2);
    assert_int_equal(fdb_owner_add(1, FDB_ENTRIES, 1), FDB_ENTRIES - 4);
}

static void flushing_an_owner_keeps_its_quota(void **state)
{
    (void)state;
    learn(1, 7, 0);
    fdb_owner_flush(1);
    assert_int_equal(fdb_owner_count(1), 0);
    learn(1, 8, 0);
    assert_int_equal(lookup(8, 0), 1);
}

static void vlans_of_a_bridge_do_not_see_each_others_stations(void **state)
{
    struct rte_ether_addr mac = mac_of(7);

    (void)state;
    fdb_learn(1, FDB_DOMAIN(15, 4094), &mac, 0);
    for (unsigned int bridge = 0; bridge < 16; bridge++)
        for (unsigned int vid = 0; vid < 4096; vid++)
            assert_int_equal(fdb_lookup(FDB_DOMAIN(bridge, vid), &mac, 0),
                             bridge == 15 && vid == 4094 ? 1 : FDB_NONE);
}

static int pin(uint16_t owner, unsigned int n)
{
    struct rte_ether_addr mac = mac_of(n);

    return fdb_pin(owner, 0, &mac);
}

static bool is_learned(uint16_t owner, unsigned int n, uint64_t now)
{
    struct rte_ether_addr mac = mac_of(n);

    return fdb_learn(owner, 0, &mac, now);
}

static void a_pinned_station_stays_where_it_is(void **state)
{
    (void)state;
    assert_int_equal(pin(1, 7), 0);
    assert_int_equal(lookup(7, 0), 1);
    assert_int_equal(lookup(7, 1000000 * SECOND), 1);
    assert_false(is_learned(2, 7, SECOND));
    assert_false(is_learned(3, 7, SECOND)); /* it has no quota */
    assert_true(is_learned(1, 7, SECOND));
    assert_int_equal(lookup(7, SECOND), 1);
    assert_int_equal(fdb_owner_count(1) + fdb_owner_count(2), 0);
    assert_true(is_learned(2, 8, SECOND));
}

static void a_pinned_station_is_not_pushed_out(void **state)
{
    (void)state;
    assert_int_equal(pin(1, 7), 0);
    for (unsigned int n = 100; n < 1000; n++)
        learn(1, n, n);
    assert_int_equal(lookup(7, 1000), 1);
    assert_int_equal(fdb_owner_count(1), 4);
    fdb_owner_flush(1);
    assert_int_equal(lookup(7, 1000), 1);
    fdb_owner_remove(1);
    assert_int_equal(lookup(7, 1000), FDB_NONE);
    assert_int_equal(fdb_owner_add(1, FDB_ENTRIES, 1), FDB_ENTRIES - 4);
}

static void a_pinned_station_is_taken_from_whom_it_was_heard_at(void **state)
{
    (void)state;
    learn(1, 7, 0);
    learn(1, 8, 0);
    assert_int_equal(pin(2, 7), 0);
    assert_int_equal(pin(2, 7), 0);
    assert_int_equal(pin(1, 7), -EEXIST);
    assert_int_equal(lookup(7, 0), 2);
    assert_int_equal(fdb_owner_count(1), 1);
    assert_int_equal(pin(1, 8), 0); /* its own */
    assert_int_equal(fdb_owner_count(1), 0);
}

static void pins_are_bounded(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < FDB_PINS_MAX; n++)
        assert_int_equal(pin(1, n), 0);
    assert_int_equal(pin(1, 100), -ENOSPC);
    assert_int_equal(pin(1, 0), 0);
    fdb_owner_remove(1);
    assert_int_equal(fdb_owner_add(1, FDB_ENTRIES, 1), FDB_ENTRIES - 4);
    assert_int_equal(pin(1, 100), -ENOSPC); /* all is promised */
    for (unsigned int n = 0; n < FDB_ENTRIES; n++)
        learn(1, n, 0);
    assert_int_equal(fdb_owner_count(1), FDB_ENTRIES - 4);
}

static void stations_are_listed_pinned_ones_first_then_the_last_heard(void **state)
{
    struct rte_ether_addr eight = mac_of(8);
    struct fdb_station stations[4];
    unsigned int nr_known;

    (void)state;
    assert_int_equal(fdb_stations(1, stations, 4, 0, &nr_known), 0);
    learn(1, 7, 0);
    learn(1, 8, 10 * SECOND);
    learn(2, 9, 10 * SECOND);
    assert_int_equal(pin(1, 3), 0);
    assert_int_equal(fdb_stations(1, stations, 4, 12 * SECOND, &nr_known), 3);
    assert_int_equal(nr_known, 3);
    assert_true(stations[0].is_pinned);
    assert_int_equal(lookup(3, 0), 1);
    assert_memory_equal(&stations[1].mac, &eight, sizeof(eight));
    assert_int_equal(stations[1].age_ns, 2 * SECOND);
    assert_int_equal(stations[2].age_ns, 12 * SECOND);
    /* No more than there is room for; aged ones are not shown. */
    assert_int_equal(fdb_stations(1, stations, 2, 12 * SECOND, &nr_known), 2);
    assert_int_equal(nr_known, 3);
    assert_int_equal(fdb_stations(1, stations, 4, 305 * SECOND, &nr_known), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(a_station_is_found_where_it_was_heard),
        TEST(domains_do_not_see_each_others_stations),
        TEST(domains_do_not_see_each_others_stations_even_if_they_collide),
        TEST(every_byte_of_an_address_counts),
        TEST(a_station_that_moves_is_found_in_its_new_place),
        TEST(what_was_found_last_is_forgotten_with_its_owner),
        TEST(a_station_ages_unless_heard),
        TEST(ageing_can_be_set),
        TEST(a_full_quota_pushes_out_the_owners_oldest_only),
        TEST(inventing_addresses_hurts_nobody_else),
        TEST(the_table_is_never_promised_twice),
        TEST(an_owner_without_quota_learns_and_takes_nothing),
        TEST(removing_an_owner_forgets_its_stations_and_frees_its_quota),
        TEST(flushing_an_owner_keeps_its_quota),
        TEST(vlans_of_a_bridge_do_not_see_each_others_stations),
        TEST(a_pinned_station_stays_where_it_is),
        TEST(a_pinned_station_is_not_pushed_out),
        TEST(a_pinned_station_is_taken_from_whom_it_was_heard_at),
        TEST(pins_are_bounded),
        TEST(stations_are_listed_pinned_ones_first_then_the_last_heard),
    };

    return cmocka_run_group_tests_name("fdb", tests, NULL, NULL);
}
