/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that wait for a NIC's ring: none lost, none twice, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eal/tx_backlog.h"
#include "xen/log.h"

static struct tx_backlog backlog;
static struct rte_mbuf mbufs[3 * TX_BACKLOG_MAX];
static unsigned int nr_put, nr_taken;

void panic(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

static int setup(void **state)
{
    (void)state;
    tx_backlog_init(&backlog);
    nr_put = nr_taken = 0;
    return 0;
}

static uint16_t put(uint16_t nr)
{
    struct rte_mbuf *frames[TX_BACKLOG_MAX + 1];
    uint16_t took;

    for (uint16_t i = 0; i < nr; i++)
        frames[i] = &mbufs[(nr_put + i) % (3 * TX_BACKLOG_MAX)];
    took = tx_backlog_put(&backlog, frames, nr);
    nr_put += took;
    return took;
}

/* What a driver with room for so many takes. */
static uint16_t take(uint16_t room)
{
    struct rte_mbuf **frames;
    uint16_t nr = tx_backlog_first(&backlog, &frames);

    nr = RTE_MIN(nr, room);
    for (uint16_t i = 0; i < nr; i++)
        assert_ptr_equal(frames[i], &mbufs[nr_taken++ % (3 * TX_BACKLOG_MAX)]);
    tx_backlog_take(&backlog, nr);
    return nr;
}

static void an_empty_one_has_nothing(void **state)
{
    (void)state;
    assert_int_equal(tx_backlog_nr(&backlog), 0);
    assert_int_equal(take(100), 0);
}

static void what_has_no_room_stays_the_callers(void **state)
{
    (void)state;
    assert_int_equal(put(TX_BACKLOG_MAX - 5), TX_BACKLOG_MAX - 5);
    assert_int_equal(put(32), 5);
    assert_int_equal(put(1), 0);
    assert_int_equal(tx_backlog_nr(&backlog), TX_BACKLOG_MAX);
    assert_int_equal(take(3), 3);
    assert_int_equal(put(32), 3);
}

static void frames_leave_in_the_order_they_came(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int i = 0; i < 20000; i++) {
        put((uint16_t)(rand() % 33));
        take((uint16_t)(rand() % 33));
        assert_int_equal(tx_backlog_nr(&backlog), nr_put - nr_taken);
    }
    while (take(100) > 0)
        ;
    assert_int_equal(nr_taken, nr_put);
    assert_true(nr_put > 100000);
}

static void indices_may_wrap(void **state)
{
    (void)state;
    backlog.head = backlog.tail = UINT32_MAX - 10;
    for (unsigned int i = 0; i < 5; i++) {
        assert_int_equal(put(30), 30);
        while (take(7) > 0)
            ;
    }
    assert_int_equal(nr_taken, 150);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_one_has_nothing),
        TEST(what_has_no_room_stays_the_callers),
        TEST(frames_leave_in_the_order_they_came),
        TEST(indices_may_wrap),
    };

    return cmocka_run_group_tests_name("tx backlog", tests, NULL, NULL);
}
