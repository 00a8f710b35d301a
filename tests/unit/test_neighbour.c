/* SPDX-License-Identifier: BSD-2-Clause */
/* The neighbour table: what is asked and when, what waits, and who pays for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_net.h"
#include "net/neighbour.h"

#define SECOND 1000000000ull
#define GUESTS_MAX 94

static struct {
    struct neighbours table;
    uint64_t now;
    unsigned int nr_asked, nr_sent, nr_failed, nr_told;
    struct address asked;
    bool was_unicast;
    struct rte_ether_addr to;
} test;

static void solicit(void *context, const struct address *addr, const struct rte_ether_addr *mac)
{
    assert_ptr_equal(context, &test);
    test.nr_asked++;
    test.asked = *addr;
    test.was_unicast = mac != NULL;
    if (mac)
        test.to = *mac;
}

static void send(void *context, struct rte_mbuf *frame, const struct rte_ether_addr *mac)
{
    assert_ptr_equal(context, &test);
    test.nr_sent++;
    test.to = *mac;
    rte_pktmbuf_free(frame);
}

static void give_up(void *context, struct rte_mbuf *frame, bool was_asked)
{
    assert_ptr_equal(context, &test);
    test.nr_failed++;
    test.nr_told += was_asked;
    rte_pktmbuf_free(frame);
}

static const struct neighbour_ops ops = { solicit, send, give_up };

static int start(void **state)
{
    (void)state;
    memset(&test, 0, sizeof(test));
    test.now = 100 * SECOND;
    neighbours_init(&test.table, &ops, &test, 1234);
    return 0;
}

static int end(void **state)
{
    (void)state;
    neighbours_flush(&test.table);
    for (unsigned int i = 0; i < NEIGHBOUR_OWNERS; i++)
        if (test.table.nr_of[i] || test.table.segs_of[i])
            return -1;
    return test.table.nr || test.table.nr_guests || test.table.segs || fixture_in_use();
}

static struct address host(unsigned int n)
{
    return address_of4(rte_cpu_to_be_32(0x0a000000 + n));
}

static void output_as(uint8_t owner, bool pinned, unsigned int n)
{
    struct address addr = host(n);

    neighbour_output(&test.table, owner, pinned, &addr, frame_make(station(1), station(2), 60),
                     test.now);
}

static void output(uint8_t owner, unsigned int n)
{
    output_as(owner, false, n);
}

static void heard(unsigned int n, struct rte_ether_addr mac, enum neighbour_news news)
{
    struct address addr = host(n);

    neighbour_heard(&test.table, &addr, &mac, news, test.now);
}

/* Is a host known, at this MAC? It is not asked for and no frame waits. */
static bool is_known(unsigned int n, unsigned int mac)
{
    struct rte_ether_addr want = station(mac);
    unsigned int before = test.nr_sent;

    output(NEIGHBOUR_ROUTER, n);
    return test.nr_sent == before + 1 && memcmp(&test.to, &want, sizeof(want)) == 0;
}

static uint64_t tick(uint64_t ns)
{
    test.now += ns;
    return neighbours_tick(&test.table, test.now);
}

static void a_neighbour_is_asked_for_three_times(void **state)
{
    (void)state;
    assert_true(tick(0) == UINT64_MAX);
    output(0, 1);
    assert_int_equal(test.nr_asked, 1);
    assert_false(test.was_unicast);
    assert_int_equal(tick(0), test.now + SECOND);
    tick(SECOND - 1);
    assert_int_equal(test.nr_asked, 1);
    tick(1);
    assert_int_equal(test.nr_asked, 2);
    tick(SECOND);
    assert_int_equal(test.nr_asked, 3);
    assert_int_equal(test.nr_failed, 0);
    tick(SECOND);
    assert_int_equal(test.nr_asked, 3);
    assert_int_equal(test.nr_failed, 1);
    assert_int_equal(test.nr_told, 1);
}

static void who_failed_is_not_asked_again_at_once(void **state)
{
    (void)state;
    output(0, 1);
    for (unsigned int i = 0; i < 3; i++)
        tick(SECOND);
    output(0, 1);
    assert_int_equal(test.nr_told, 2);
    assert_int_equal(test.nr_asked, 3);
    assert_true(tick(NEIGHBOUR_FAILED_NS) == UINT64_MAX);
    assert_int_equal(test.table.nr, 0);
    output(0, 1);
    assert_int_equal(test.nr_asked, 4);
}

static void an_answer_is_good_for_half_a_minute(void **state)
{
    (void)state;
    output(0, 1);
    heard(1, station(9), NEIGHBOUR_ANSWERED);
    assert_int_equal(test.nr_sent, 1);
    assert_true(tick(SECOND) == UINT64_MAX);
    test.now += NEIGHBOUR_FRESH_NS - SECOND - 1;
    assert_true(is_known(1, 9));
    assert_int_equal(test.nr_asked, 1);
    test.now += 1;
    assert_true(is_known(1, 9)); /* goes, and the neighbour is asked, it alone */
    assert_int_equal(test.nr_asked, 2);
    assert_true(test.was_unicast);
    heard(1, station(9), NEIGHBOUR_ANSWERED);
    assert_true(is_known(1, 9));
    assert_int_equal(test.nr_asked, 2);
}

static void who_is_not_there_any_more_is_looked_for(void **state)
{
    (void)state;
    output(0, 1);
    heard(1, station(9), NEIGHBOUR_ANSWERED);
    test.now += NEIGHBOUR_FRESH_NS;
    output(0, 1);
    for (unsigned int i = 0; i < 2; i++) {
        tick(SECOND);
        assert_true(test.was_unicast);
        assert_true(is_known(1, 9));
    }
    tick(SECOND);
    assert_false(test.was_unicast);
    assert_int_equal(test.nr_asked, 5);
    output(0, 1);
    assert_int_equal(test.nr_sent, 4);
    for (unsigned int i = 0; i < 3; i++)
        tick(SECOND);
    assert_int_equal(test.nr_told, 1);
}

static void the_latest_frames_wait(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 5; i++)
        output(0, 1);
    assert_int_equal(test.nr_failed, 2);
    assert_int_equal(test.nr_told, 0);
    assert_int_equal(fixture_in_use(), NEIGHBOUR_HELD_MAX);
    heard(1, station(3), NEIGHBOUR_ANSWERED);
    assert_int_equal(test.nr_sent, NEIGHBOUR_HELD_MAX);
    assert_int_equal(fixture_in_use(), 0);
}

static void what_waits_is_bounded(void **state)
{
    (void)state;
    for (unsigned int guest = 0; guest < 8; guest++)
        for (unsigned int i = 0; i < 3 * NEIGHBOUR_QUOTA; i++)
            output(guest, guest * 100 + i / 3);
    assert_true(fixture_in_use() <= NEIGHBOUR_SEGS_MAX);
    assert_int_equal(fixture_in_use(), test.table.segs);
    for (unsigned int guest = 0; guest < 8; guest++)
        assert_true(test.table.segs_of[guest] <= NEIGHBOUR_SEGS_OWNER);
}

static void a_long_frame_counts_for_its_buffers(void **state)
{
    struct address addr = host(1);

    (void)state;
    neighbour_output(&test.table, 0, false, &addr,
                     frame_chop(frame_make(station(1), station(2), 2500), 100), test.now);
    assert_int_equal(test.nr_failed, 1);
    neighbour_output(&test.table, 0, false, &addr,
                     frame_chop(frame_make(station(1), station(2), 2400), 100), test.now);
    assert_int_equal(test.nr_failed, 1);
    assert_int_equal(test.table.segs_of[0], 24);
}

static void a_scan_asks_no_more_than_its_quota(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 1000; i++)
        output(0, i);
    assert_int_equal(test.nr_asked, NEIGHBOUR_QUOTA);
    assert_int_equal(test.table.nr, NEIGHBOUR_QUOTA);
    for (unsigned int i = 0; i < 3; i++)
        tick(SECOND);
    for (unsigned int i = 0; i < 1000; i++)
        output(0, 2000 + i);
    assert_int_equal(test.nr_asked, 4 * NEIGHBOUR_QUOTA);
}

static void a_scan_pushes_out_nobodys_but_its_own(void **state)
{
    (void)state;
    output_as(0, true, 5000);
    heard(5000, station(50), NEIGHBOUR_ANSWERED);
    for (unsigned int i = 0; i < 5; i++) {
        output(1, 6000 + i);
        heard(6000 + i, station(60 + i), NEIGHBOUR_ANSWERED);
    }
    output(NEIGHBOUR_ROUTER, 7000);
    heard(7000, station(70), NEIGHBOUR_ANSWERED);
    for (unsigned int i = 0; i < 2000; i++) {
        output(0, i);
        heard(i, station(1), NEIGHBOUR_ANSWERED);
        test.now += 1000;
    }
    assert_true(is_known(5000, 50));
    assert_true(is_known(7000, 70));
    for (unsigned int i = 0; i < 5; i++)
        assert_true(is_known(6000 + i, 60 + i));
}

/* As full as guests can make it, there is still room for the router and its gateways. */
static void what_was_used_last_stays(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < NEIGHBOUR_QUOTA; i++) {
        output(0, i);
        heard(i, station(i + 1), NEIGHBOUR_ANSWERED);
        test.now += 1000;
    }
    output(0, 0);
    test.now += 1000;
    output(0, 100);
    assert_int_equal(test.table.nr, NEIGHBOUR_QUOTA);
    assert_true(is_known(0, 1));
    assert_false(is_known(1, 2));
}

static void who_failed_goes_first(void **state)
{
    (void)state;
    output(0, 0);
    test.now += 1000;
    for (unsigned int i = 1; i < NEIGHBOUR_QUOTA; i++) {
        output(0, i);
        heard(i, station(i + 1), NEIGHBOUR_ANSWERED);
    }
    for (unsigned int i = 0; i < 3; i++)
        tick(SECOND);
    output(0, 0); /* used last, but it failed */
    output(0, 100);
    for (unsigned int i = 1; i < NEIGHBOUR_QUOTA; i++)
        assert_true(is_known(i, i + 1));
}

static void each_has_its_own_time(void **state)
{
    uint64_t due;

    (void)state;
    output(0, 1);
    test.now += SECOND / 2;
    output(0, 2);
    due = tick(SECOND / 2);
    assert_int_equal(due, test.now + SECOND / 2);
    assert_int_equal(test.nr_asked, 3);
    due = tick(SECOND / 2);
    assert_int_equal(due, test.now + SECOND / 2);
    assert_int_equal(test.nr_asked, 4);
}

static void a_full_table_gives_each_its_share(void **state)
{
    (void)state;
    for (unsigned int guest = 0; guest < 8; guest++)
        for (unsigned int i = 0; i < NEIGHBOUR_QUOTA; i++)
            output(guest, guest * 100 + i);
    assert_int_equal(test.table.nr, GUESTS_MAX);
    for (unsigned int i = 0; i < 5; i++)
        output(20, 9000 + i);
    assert_int_equal(test.table.nr_of[20], 5);
    assert_int_equal(test.table.nr, GUESTS_MAX);
    for (unsigned int i = 0; i < NEIGHBOUR_QUOTA_ROUTER; i++)
        output(NEIGHBOUR_ROUTER, 20000 + i);
    output_as(0, true, 30000);
    output_as(0, true, 30001);
    assert_int_equal(test.table.nr, NEIGHBOUR_MAX);
    for (unsigned int i = 0; i < 2000; i++)
        output(21, 40000 + i);
    assert_true(test.table.nr_of[21] >= NEIGHBOUR_QUOTA / 2);
    assert_int_equal(test.table.nr_of[20], 5);
    assert_int_equal(test.table.nr_of[NEIGHBOUR_ROUTER], NEIGHBOUR_QUOTA_ROUTER);
    heard(30001, station(31), NEIGHBOUR_ANSWERED);
    assert_true(is_known(30001, 31));
}

/* Who has least may take from who has most, but not so that it has more then. */
static void shares_become_even_and_stay(void **state)
{
    (void)state;
    for (unsigned int guest = 0; guest < 47; guest++)
        for (unsigned int i = 0; i < 2; i++)
            output(guest, guest * 100 + i);
    assert_int_equal(test.table.nr, GUESTS_MAX);
    for (unsigned int i = 0; i < 100; i++)
        output(50, 9000 + i);
    assert_int_equal(test.table.nr_of[50], 1);
    for (unsigned int i = 0; i < 100; i++)
        output(3, 10000 + i);
    assert_int_equal(test.table.nr_of[3], 2);
    for (unsigned int guest = 0; guest < 47; guest++)
        assert_true(test.table.nr_of[guest] >= 1);
    assert_int_equal(test.table.nr, GUESTS_MAX);
}

static void an_entry_goes_to_the_other_who_uses_it(void **state)
{
    (void)state;
    output(0, 1);
    heard(1, station(9), NEIGHBOUR_ANSWERED);
    output(5, 1);
    neighbour_owner_remove(&test.table, 0);
    assert_int_equal(test.table.nr_of[5], 1);
    assert_true(is_known(1, 9));
    output(0, 2);
    neighbour_owner_remove(&test.table, 0);
    assert_int_equal(test.table.nr, 1);
    assert_int_equal(fixture_in_use(), 0);
}

static void a_gateway_that_was_another_neighbour_is_pinned(void **state)
{
    (void)state;
    output(3, 1);
    assert_int_equal(test.table.nr_of[3], 1);
    output_as(3, true, 1);
    assert_int_equal(test.table.nr_of[3], 0);
    assert_int_equal(test.table.segs_of[3], 0);
    neighbour_owner_remove(&test.table, 3);
    assert_int_equal(test.table.nr, 1);
}

static void news_are_for_those_they_concern(void **state)
{
    (void)state;
    heard(1, station(1), NEIGHBOUR_ANSWERED);
    heard(1, station(1), NEIGHBOUR_MOVED);
    heard(1, station(1), NEIGHBOUR_THERE);
    assert_int_equal(test.table.nr, 0);
    heard(1, station(1), NEIGHBOUR_MENTIONED);
    assert_true(is_known(1, 1));
    assert_true(test.was_unicast); /* it has not answered yet: it is asked */
    heard(1, station(2), NEIGHBOUR_MOVED);
    assert_true(is_known(1, 2));
    heard(1, station(3), NEIGHBOUR_THERE);
    assert_true(is_known(1, 2));
    heard(1, station(3), NEIGHBOUR_ANSWERED);
    assert_true(is_known(1, 3));
    output(0, 7);
    heard(7, station(7), NEIGHBOUR_THERE);
    assert_true(is_known(7, 7));
    test.nr_asked = 0;
    heard(7, station(7), NEIGHBOUR_MOVED); /* is where it was: no news */
    assert_true(is_known(7, 7));
    assert_int_equal(test.nr_asked, 0);
}

static void nobodys_and_groups_macs_are_no_news(void **state)
{
    struct rte_ether_addr group = { { 1, 0, 0x5e, 0, 0, 1 } }, nobody = { { 0 } };

    (void)state;
    output(0, 1);
    heard(1, group, NEIGHBOUR_ANSWERED);
    heard(1, nobody, NEIGHBOUR_ANSWERED);
    assert_int_equal(test.nr_sent, 0);
}

/* Anything in any order keeps the books right. */
static void the_books_balance(void **state)
{
    (void)state;
    srand(7);
    for (unsigned int i = 0; i < 200000; i++) {
        unsigned int n = rand() % 400;

        switch (rand() % 10) {
        case 0:
            heard(n, station(rand() % 9 + 1), rand() % 4);
            break;
        case 1:
            tick(rand() % SECOND);
            break;
        case 2:
            if (rand() % 50 == 0)
                neighbour_owner_remove(&test.table, rand() % NEIGHBOUR_OWNERS);
            break;
        default:
            output_as(rand() % 12 ? rand() % 64 : NEIGHBOUR_ROUTER, n == 399 || n == 398, n);
        }
        assert_true(test.table.nr_guests <= GUESTS_MAX && test.table.segs <= NEIGHBOUR_SEGS_MAX);
        assert_int_equal(fixture_in_use(), test.table.segs);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_neighbour_is_asked_for_three_times),
        TEST(who_failed_is_not_asked_again_at_once),
        TEST(an_answer_is_good_for_half_a_minute),
        TEST(who_is_not_there_any_more_is_looked_for),
        TEST(the_latest_frames_wait),
        TEST(what_waits_is_bounded),
        TEST(a_long_frame_counts_for_its_buffers),
        TEST(a_scan_asks_no_more_than_its_quota),
        TEST(a_scan_pushes_out_nobodys_but_its_own),
        TEST(what_was_used_last_stays),
        TEST(who_failed_goes_first),
        TEST(each_has_its_own_time),
        TEST(a_full_table_gives_each_its_share),
        TEST(shares_become_even_and_stay),
        TEST(an_entry_goes_to_the_other_who_uses_it),
        TEST(a_gateway_that_was_another_neighbour_is_pinned),
        TEST(news_are_for_those_they_concern),
        TEST(nobodys_and_groups_macs_are_no_news),
        TEST(the_books_balance),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
