/* SPDX-License-Identifier: BSD-2-Clause */
/* The pure readers of what a guest wrote: ring indices, transmit slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vif/ring_check.h"
#include "vif/tx_parse.h"

#define RING 256u

static void ring_index_in_range_is_taken(void **state)
{
    (void)state;
    assert_int_equal(ring_requests(0, 0, 0, RING), 0);
    assert_int_equal(ring_requests(256, 0, 0, RING), 256);
    assert_int_equal(ring_requests(100, 40, 30, RING), 60);
}

static void ring_index_in_range_is_taken_wraps(void **state)
{
    (void)state;
    assert_int_equal(ring_requests(5, 0xfffffffbu, 0xfffffff0u, RING), 10);
    assert_int_equal(ring_requests(0, 0xffffff00u, 0xffffff00u, RING), 256);
}

static void ring_index_out_of_range_is_refused(void **state)
{
    static const uint32_t rows[][3] = {
        { 257, 0, 0 },        { 0, 1, 1 },          { 99, 100, 100 },
        { 0x80000000, 0, 0 }, { 0xffffffff, 0, 0 }, { 35, 40, 30 }, /* behind what we took */
        { 287, 40, 30 },      { 29, 40, 30 },       { 0xffffffef, 5, 0xfffffff0u },
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(ring_requests(rows[i][0], rows[i][1], rows[i][2], RING), -EPROTO);
}

static void notify_is_due_when_the_event_index_was_passed(void **state)
{
    (void)state;
    assert_true(ring_notify_due(0, 1, 1));
    assert_true(ring_notify_due(0, 5, 3));
    assert_false(ring_notify_due(0, 5, 6));
    assert_false(ring_notify_due(5, 5, 5));
    assert_false(ring_notify_due(5, 8, 5));
    assert_true(ring_notify_due(0xfffffffe, 2, 0));
}

/* Whatever lies on a ring, the verdict keeps its promises. */
static void random_slots_never_break_a_promise(void **state)
{
    static union netif_tx_sring_entry ring[RING];
    static struct tx_answer answers[RING];
    unsigned int verdicts[4] = { 0 };

    (void)state;
    srandom(1);
    for (unsigned int round = 0; round < 200000; round++) {
        struct tx_view view = { ring, RING, (uint32_t)random(), 1 + (uint32_t)random() % 24 };
        struct tx_packet packet;
        enum tx_verdict verdict;
        uint32_t sum = 0;

        for (unsigned int i = 0; i < view.nr; i++) {
            struct netif_tx_request *req = &ring[(view.cons + i) % RING].req;

            *req = (struct netif_tx_request){ (grant_ref_t)random(), (uint16_t)(random() % 4200),
                                              (uint16_t)(random() & random() & 15), 0,
                                              (uint16_t)(random() % (i ? 300 : 5000)) };
            if (random() % 8 == 0)
                *req = (struct netif_tx_request){ .gref = 0x05980000 | (1 + (uint32_t)random() % 3),
                                                  .offset = 1 };
        }
        verdict = tx_parse(&view, &packet, answers);
        verdicts[verdict]++;
        if (verdict == TX_UNFINISHED)
            continue;
        assert_in_range(packet.nr_ring, 1, view.nr);
        if (verdict == TX_MULTICAST) {
            assert_int_equal(packet.nr_slots, 1);
            assert_in_range(packet.multicast, TX_MULTICAST_ADD, TX_MULTICAST_DELETE);
            continue;
        }
        if (verdict == TX_BAD) {
            assert_non_null(packet.why);
            continue;
        }
        assert_in_range(packet.nr_slots, 1, TX_SLOTS_MAX);
        for (unsigned int i = 0; i < packet.nr_slots; i++) {
            assert_true(packet.slots[i].offset + packet.slots[i].size <= 4096);
            sum += packet.slots[i].size;
        }
        assert_int_equal(sum, packet.len);
        assert_true(packet.len >= 14);
    }
    for (unsigned int i = 0; i < ARRAY_LEN(verdicts); i++)
        assert_true(verdicts[i] > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_index_in_range_is_taken),
        cmocka_unit_test(ring_index_in_range_is_taken_wraps),
        cmocka_unit_test(ring_index_out_of_range_is_refused),
        cmocka_unit_test(notify_is_due_when_the_event_index_was_passed),
        cmocka_unit_test(random_slots_never_break_a_promise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
