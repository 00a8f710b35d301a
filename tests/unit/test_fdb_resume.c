/* SPDX-License-Identifier: BSD-2-Clause */
/* The forwarding database over a restart of the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fixture_fdb.h"
#include "net/fdb.c"

#define SECOND 1000000000ull

/* Owner n is known as this; all wait in the same few chains. */
#define IDENTITY(n) (0x1000u + (n)*PENDING_CHAINS)

static unsigned int restart(void)
{
    memset(&fdb, 0, sizeof(fdb));
    return fdb_resume((uint32_t)rand());
}

static void join(uint16_t owner, unsigned int who, uint16_t wanted)
{
    assert_int_equal(fdb_owner_add(owner, wanted, IDENTITY(who)), wanted);
    fdb_owner_recall(owner, 0);
}

/* Every list is what it says, no entry is lost, and none is in two of them. */
static void assert_sound(void)
{
    static uint8_t seen[FDB_ENTRIES];
    unsigned int nr = 0;

    memset(seen, 0, sizeof(seen));
    for (uint16_t i = fdb.free; i != NO_ENTRY; i = entries[i].bucket_next, nr++) {
        assert_int_equal(entries[i].check, 0);
        assert_int_equal(seen[i]++, 0);
    }
    for (unsigned int chain = 0; chain < PENDING_CHAINS; chain++)
        for (uint16_t i = fdb.pending[chain]; i != NO_ENTRY; i = entries[i].bucket_next, nr++)
            assert_int_equal(seen[i]++, 0);
    for (unsigned int o = 0; o < FDB_OWNERS; o++) {
        uint16_t older = NO_ENTRY, count = 0, nr_pinned = 0;

        for (uint16_t i = fdb.owners[o].pinned; i != NO_ENTRY; i = entries[i].younger, nr++) {
            assert_int_equal(seen[i]++, 0);
            assert_int_equal(entries[i].check, 0);
            assert_int_equal(entries[i].owner, o);
            assert_ptr_equal(entry_find(HINT_SENDER, entries[i].domain, &entries[i].mac),
                             &entries[i]);
            nr_pinned++;
        }
        assert_int_equal(fdb.owners[o].nr_pinned, nr_pinned);

        for (uint16_t i = fdb.owners[o].oldest; i != NO_ENTRY; i = entries[i].younger, nr++) {
            assert_int_equal(seen[i]++, 0);
            assert_int_equal(entries[i].older, older);
            assert_int_equal(entries[i].owner, o);
            assert_int_equal(entries[i].check, check_of(&entries[i]));
            assert_ptr_equal(entry_find(HINT_SENDER, entries[i].domain, &entries[i].mac),
                             &entries[i]);
            assert_true(older == NO_ENTRY || entries[older].seen <= entries[i].seen);
            older = i;
            count++;
        }
        assert_int_equal(fdb.owners[o].youngest, older);
        assert_int_equal(fdb.owners[o].count, count);
        assert_true(count <= fdb.owners[o].quota);
    }
    assert_int_equal(nr, FDB_ENTRIES);
}

static int start(void **state)
{
    (void)state;
    fdb_init(0x1234);
    join(1, 1, 32);
    join(2, 2, 32);
    return 0;
}

static void stations_are_known_when_their_owner_is_there_again(void **state)
{
    (void)state;
    learn(1, 7, 0);
    learn(2, 8, 0);
    assert_int_equal(restart(), 2);
    assert_int_equal(lookup(7, 0), FDB_NONE);
    join(5, 1, 32); /* at another place */
    assert_int_equal(lookup(7, 0), 5);
    assert_int_equal(lookup(8, 0), FDB_NONE);
    join(1, 2, 32);
    assert_int_equal(lookup(8, 0), 1);
    assert_sound();
    assert_int_equal(restart(), 2);
}

static void an_owner_of_another_identity_gets_nothing(void **state)
{
    (void)state;
    learn(1, 7, 0);
    restart();
    join(1, 3, 32);
    assert_int_equal(lookup(7, 0), FDB_NONE);
    assert_sound();
}

static void a_first_start_knows_nothing(void **state)
{
    (void)state;
    learn(1, 7, 0);
    fdb_init(1);
    join(1, 1, 32);
    assert_int_equal(lookup(7, 0), FDB_NONE);
    assert_int_equal(restart(), 0);
}

static void ages_go_on(void **state)
{
    (void)state;
    learn(1, 7, 0);
    learn(1, 8, 200 * SECOND);
    restart();
    join(1, 1, 32);
    assert_int_equal(lookup(7, 299 * SECOND), 1);
    assert_int_equal(lookup(7, 300 * SECOND), FDB_NONE);
    assert_int_equal(lookup(8, 300 * SECOND), 1);
    assert_int_equal(lookup(8, 500 * SECOND), FDB_NONE);
}

static void the_oldest_goes_first_as_before(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 32; n++)
        learn(1, n, n * SECOND);
    for (unsigned int n = 0; n < 32; n += 3)
        learn(1, n, (100 + n) * SECOND); /* heard again */
    restart();
    join(1, 1, 32);
    assert_sound();
    assert_int_equal(fdb_owner_count(1), 32);
    learn(1, 100, 200 * SECOND);
    assert_int_equal(lookup(1, 200 * SECOND), FDB_NONE);
    assert_int_equal(lookup(2, 200 * SECOND), 1);
    assert_int_equal(lookup(0, 200 * SECOND), 1);
}

static void a_smaller_quota_keeps_the_youngest(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 32; n++)
        learn(1, n, n * SECOND);
    restart();
    join(1, 1, 5);
    assert_sound();
    assert_int_equal(fdb_owner_count(1), 5);
    assert_int_equal(lookup(26, 40 * SECOND), FDB_NONE);
    assert_int_equal(lookup(27, 40 * SECOND), 1);
}

static void forgotten_stations_stay_forgotten(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 40; n++)
        learn(1, n, n); /* the first eight are pushed out */
    learn(2, 39, 50); /* moves */
    learn(2, 100, 50);
    fdb_owner_flush(2);
    assert_int_equal(restart(), 31);
    join(1, 1, 32);
    join(2, 2, 32);
    assert_int_equal(fdb_owner_count(1), 31);
    assert_int_equal(lookup(7, 60), FDB_NONE);
    assert_int_equal(lookup(39, 60), FDB_NONE);
    fdb_owner_remove(1);
    assert_int_equal(restart(), 0);
}

static void a_station_heard_elsewhere_meanwhile_stays_there(void **state)
{
    (void)state;
    learn(1, 7, 0);
    restart();
    join(2, 2, 32);
    learn(2, 7, SECOND);
    join(1, 1, 32);
    assert_int_equal(lookup(7, SECOND), 2);
    assert_int_equal(fdb_owner_count(1), 0);
    assert_sound();
    assert_int_equal(restart(), 1);
}

/* What is learned before the rest has joined must not take the place of what waits. */
static void waiting_stations_are_not_overwritten(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 32; n++)
        learn(1, n, 0);
    restart();
    join(2, 2, 32);
    for (unsigned int n = 0; n < 200; n++)
        learn(2, 1000 + n, 0);
    assert_sound();
    join(1, 1, 32);
    assert_int_equal(fdb_owner_count(1), 32);
    assert_int_equal(fdb_owner_count(2), 32);
    assert_sound();
}

static void waiting_stations_make_room_when_all_is_promised(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 32; n++) {
        learn(1, n, 0);
        learn(2, 100 + n, 0);
    }
    restart();
    join(9, 9, FDB_ENTRIES);
    for (unsigned int n = 0; n < FDB_ENTRIES; n++)
        learn(9, 1000 + n, 0);
    assert_sound();
    assert_int_equal(fdb_owner_count(9), FDB_ENTRIES);
    assert_int_equal(lookup(1000, 0), 9);
}

static void a_full_table_comes_back_whole(void **state)
{
    const unsigned int quota = FDB_ENTRIES / 256;

    (void)state;
    fdb_init(1);
    for (unsigned int o = 0; o < 256; o++)
        join((uint16_t)o, o, quota);
    for (unsigned int n = 0; n < FDB_ENTRIES; n++)
        learn((uint16_t)(n / quota), n, n);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(restart(), FDB_ENTRIES);
        for (unsigned int o = 256; o-- > 0;)
            join((uint16_t)o, o, quota);
        assert_sound();
        for (unsigned int n = 0; n < FDB_ENTRIES; n++)
            assert_int_equal(lookup(n, FDB_ENTRIES), n / quota);
    }
}

/* In a bridge that may have another number now. */
static void stations_come_back_into_their_vlans(void **state)
{
    struct rte_ether_addr mac = mac_of(7);

    (void)state;
    fdb_learn(1, FDB_DOMAIN(0, 10), &mac, 0);
    fdb_learn(1, FDB_DOMAIN(0, 4095), &mac, 0);
    fdb_learn(2, FDB_DOMAIN(0, 20), &mac, 0);
    assert_int_equal(restart(), 3);
    assert_int_equal(fdb_owner_add(5, 32, IDENTITY(1)), 32);
    fdb_owner_recall(5, 15);
    assert_int_equal(fdb_owner_add(6, 32, IDENTITY(2)), 32);
    fdb_owner_recall(6, 15);
    assert_sound();
    assert_int_equal(fdb_lookup(FDB_DOMAIN(15, 10), &mac, 0), 5);
    assert_int_equal(fdb_lookup(FDB_DOMAIN(15, 4095), &mac, 0), 5);
    assert_int_equal(fdb_lookup(FDB_DOMAIN(15, 20), &mac, 0), 6);
    assert_int_equal(fdb_lookup(FDB_DOMAIN(15, 0), &mac, 0), FDB_NONE);
    assert_int_equal(fdb_lookup(FDB_DOMAIN(0, 10), &mac, 0), FDB_NONE);
    assert_int_equal(restart(), 3);
}

static void pinned_stations_are_not_kept(void **state)
{
    struct rte_ether_addr mac = mac_of(7);

    (void)state;
    learn(1, 7, 0);
    learn(1, 8, 0);
    assert_int_equal(fdb_pin(1, 0, &mac), 0);
    assert_sound();
    assert_int_equal(restart(), 1);
    join(1, 1, 32);
    assert_int_equal(lookup(7, 0), FDB_NONE);
    assert_sound();
}

static void a_pinned_station_does_not_come_back_elsewhere(void **state)
{
    struct rte_ether_addr mac = mac_of(7);

    (void)state;
    learn(1, 7, 0);
    restart();
    join(2, 2, 32);
    assert_int_equal(fdb_pin(2, 0, &mac), 0);
    join(1, 1, 32);
    assert_int_equal(lookup(7, 0), 2);
    assert_int_equal(fdb_owner_count(1), 0);
    assert_sound();
}

/* They take places that are not promised, of those that wait too. */
static void pins_find_room_among_what_waits(void **state)
{
    (void)state;
    fdb_init(1);
    join(1, 1, FDB_ENTRIES);
    for (unsigned int n = 0; n < FDB_ENTRIES; n++)
        learn(1, n, 0);
    restart();
    join(2, 2, FDB_ENTRIES - 2);
    for (unsigned int n = 0; n < 3; n++) {
        struct rte_ether_addr mac = mac_of(n);

        assert_int_equal(fdb_pin(2, 0, &mac), n < 2 ? 0 : -ENOSPC);
    }
    for (unsigned int n = 0; n < FDB_ENTRIES; n++)
        learn(2, 1000000 + n, 0);
    assert_int_equal(lookup(0, 0), 2);
    assert_int_equal(lookup(1, 0), 2);
    assert_sound();
    fdb_owner_remove(2);
    assert_sound();
}

/* Each bit of what the check covers, and of the check. */
static void a_damaged_entry_is_dropped(void **state)
{
    (void)state;
    for (size_t bit = 8 * offsetof(struct entry, identity); bit < 8 * sizeof(struct entry); bit++) {
        bool is_checked = bit < 8 * offsetof(struct entry, domain) + VID_BITS;

        start(state);
        learn(1, 7, 0);
        learn(1, 8, 0);
        ((uint8_t *)entry_find(HINT_SENDER, 0,
                               &(struct rte_ether_addr){ { 2, 0, 0, 0, 7, 1 } }))[bit / 8] ^=
            (uint8_t)(1u << bit % 8);
        assert_int_equal(restart(), is_checked ? 1 : 2);
        join(1, 1, 32);
        assert_sound();
        assert_int_equal(lookup(7, 0), is_checked ? FDB_NONE : 1);
        assert_int_equal(lookup(8, 0), 1);
    }
}

/* Any time may stand in an entry: it is forgotten too soon, or at the end of a lifetime from now. */
static void a_damaged_time_does_no_harm(void **state)
{
    (void)state;
    for (unsigned int bit = 0; bit < 64; bit++) {
        start(state);
        learn(1, 7, 1000 * SECOND);
        learn(1, 8, 1001 * SECOND);
        entries[fdb.owners[1].oldest].seen ^= 1ull << bit;
        assert_int_equal(restart(), 2);
        join(1, 1, 32);
        assert_sound();
        assert_int_equal(lookup(7, 1400 * SECOND), FDB_NONE);
        learn(1, 7, 1400 * SECOND);
        assert_int_equal(lookup(7, 1400 * SECOND), 1);
    }
}

static void rubbish_is_no_station(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int i = 0; i < sizeof(entries); i++)
        ((uint8_t *)entries)[i] = (uint8_t)rand();
    assert_int_equal(restart(), 0);
    assert_sound();
    join(1, 1, FDB_ENTRIES);
    for (unsigned int n = 0; n < FDB_ENTRIES; n++)
        learn(1, n, 0);
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(stations_are_known_when_their_owner_is_there_again, start),
        cmocka_unit_test_setup(an_owner_of_another_identity_gets_nothing, start),
        cmocka_unit_test_setup(a_first_start_knows_nothing, start),
        cmocka_unit_test_setup(ages_go_on, start),
        cmocka_unit_test_setup(the_oldest_goes_first_as_before, start),
        cmocka_unit_test_setup(a_smaller_quota_keeps_the_youngest, start),
        cmocka_unit_test_setup(forgotten_stations_stay_forgotten, start),
        cmocka_unit_test_setup(a_station_heard_elsewhere_meanwhile_stays_there, start),
        cmocka_unit_test_setup(waiting_stations_are_not_overwritten, start),
        cmocka_unit_test_setup(waiting_stations_make_room_when_all_is_promised, start),
        cmocka_unit_test_setup(a_full_table_comes_back_whole, start),
        cmocka_unit_test_setup(stations_come_back_into_their_vlans, start),
        cmocka_unit_test_setup(pinned_stations_are_not_kept, start),
        cmocka_unit_test_setup(a_pinned_station_does_not_come_back_elsewhere, start),
        cmocka_unit_test_setup(pins_find_room_among_what_waits, start),
        cmocka_unit_test_setup(a_damaged_entry_is_dropped, start),
        cmocka_unit_test_setup(a_damaged_time_does_no_harm, start),
        cmocka_unit_test_setup(rubbish_is_no_station, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
