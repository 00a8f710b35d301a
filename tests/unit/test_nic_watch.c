/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "eal/watch.h"

static struct watch watch;
static struct watch_look look;
static uint64_t now;

static int idle(void **state)
{
    (void)state;
    memset(&look, 0, sizeof(look));
    look.rx_tail = 511;
    look.patience_ns = WATCH_STUCK_NS;
    now = 5000000000ull;
    watch_init(&watch, &look, now);
    return 0;
}

static const char *later(void)
{
    now += WATCH_INTERVAL_NS;
    return watch_verdict(&watch, &look, false, now);
}

static void assert_never(unsigned int looks)
{
    for (unsigned int i = 0; i < looks; i++)
        assert_null(later());
}

static void an_idle_nic_is_well(void **state)
{
    (void)state;
    assert_never(100);
}

static void a_head_that_stands_is_found_in_time(void **state)
{
    (void)state;
    look.tx_tail = 1;
    assert_null(later());
    assert_null(later());
    assert_string_equal(later(), "transmits nothing");
}

static void a_head_that_moves_is_well(void **state)
{
    (void)state;
    look.tx_tail = 300;
    for (unsigned int i = 0; i < 100; i++) {
        look.tx_head = i;
        assert_never(2);
    }
}

static void a_head_that_went_round_is_well(void **state)
{
    (void)state;
    look.tx_tail = 1;
    for (unsigned int i = 0; i < 10; i++) {
        now += WATCH_INTERVAL_NS;
        assert_null(watch_verdict(&watch, &look, true, now));
    }
}

static void a_pause_is_no_halt(void **state)
{
    (void)state;
    look.tx_tail = 1;
    look.is_paused = true;
    assert_never(100);
    look.is_paused = false;
    assert_never(2);
    assert_string_equal(later(), "transmits nothing");
}

/* The domain, or the whole machine with the NIC, did not run for a while. */
static void time_alone_is_no_halt(void **state)
{
    (void)state;
    look.tx_tail = 1;
    now += 60000000000ull;
    assert_never(2);
    look.tx_head = 1;
    assert_never(10);
}

static void missed_frames_with_room_are_a_halt(void **state)
{
    (void)state;
    look.rx_missed = 3;
    assert_never(2);
    assert_string_equal(later(), "receives nothing");
}

static void missed_frames_without_room_are_not(void **state)
{
    (void)state;
    look.rx_missed = 3;
    look.rx_tail = look.rx_head;
    assert_never(100);
}

static void missed_frames_while_others_come_are_not(void **state)
{
    (void)state;
    look.rx_missed = 3;
    for (unsigned int i = 0; i < 100; i++) {
        look.rx_head = i;
        assert_null(later());
    }
}

/* A look that saw none missed proves nothing, either way. */
static void frames_missed_now_and_then_are_a_halt(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < WATCH_MISSED_LOOKS; i++) {
        look.rx_missed = 1;
        assert_null(later());
        look.rx_missed = 0;
        assert_never(20);
    }
    look.rx_missed = 1;
    assert_string_equal(later(), "receives nothing");
}

static void a_quiet_wire_is_no_halt(void **state)
{
    (void)state;
    look.rx_missed = 5; /* of a burst that was too much, seen late */
    assert_never(WATCH_MISSED_LOOKS - 1);
    look.rx_missed = 0;
    assert_never(1000);
    look.rx_head = 1;
    assert_null(later());
    look.rx_missed = 5;
    assert_never(WATCH_MISSED_LOOKS - 1);
}

static void room_that_was_wanting_meanwhile_is_no_halt(void **state)
{
    (void)state;
    look.rx_missed = 3;
    for (unsigned int i = 0; i < 100; i++) {
        look.rx_tail = 511;
        assert_never(WATCH_MISSED_LOOKS - 1);
        look.rx_tail = look.rx_head;
        assert_null(later());
    }
}

static void a_head_that_went_round_received(void **state)
{
    (void)state;
    look.rx_missed = 3;
    look.rx_received = true;
    assert_never(100);
}

/* The patience that a look asks for is for transmitting. */
static void who_transmits_slowly_is_found_as_soon(void **state)
{
    (void)state;
    look.patience_ns = WATCH_FULL_NS;
    look.is_paused = true;
    look.rx_missed = 1;
    assert_never(WATCH_MISSED_LOOKS - 1);
    assert_string_equal(later(), "receives nothing");
}

static void a_nic_that_is_gone_is_told_at_once(void **state)
{
    (void)state;
    look.is_gone = true;
    assert_string_equal(later(), "does not answer");
}

static void settings_that_are_lost_are_told_at_once(void **state)
{
    (void)state;
    look.is_lost = true;
    assert_string_equal(later(), "has lost its settings");
}

/* Whose pauses no register tells of. */
static void patience_is_what_the_look_says(void **state)
{
    (void)state;
    look.tx_tail = 1;
    look.patience_ns = WATCH_FULL_NS;
    assert_never(WATCH_FULL_NS / WATCH_INTERVAL_NS - 1);
    assert_string_equal(later(), "transmits nothing");
}

/* Nobody looks while there is nothing to transmit; the head may stand where it stood before. */
static void a_rest_is_no_halt(void **state)
{
    (void)state;
    look.patience_ns = WATCH_FULL_NS;
    assert_never(1);
    now += 60000000000ull;
    look.tx_tail = 1;
    assert_never(WATCH_FULL_NS / WATCH_INTERVAL_NS - 1);
}

static void what_is_not_sent_yet_is_counted_round_the_ring(void **state)
{
    (void)state;
    look.tx_round = 256;
    assert_int_equal(watch_tx_used(&look), 0);
    look.tx_tail = 255;
    assert_int_equal(watch_tx_used(&look), 255);
    look.tx_head = 250;
    look.tx_tail = 3;
    assert_int_equal(watch_tx_used(&look), 9);
    look.tx_head = UINT32_MAX; /* a device that is gone: any number, but none beyond the ring */
    look.tx_tail = 1000;
    assert_true(watch_tx_used(&look) < 256);
    look.tx_round = 65536;
    look.tx_head = 65530;
    look.tx_tail = 4;
    assert_int_equal(watch_tx_used(&look), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_idle_nic_is_well, idle),
        cmocka_unit_test_setup(a_head_that_stands_is_found_in_time, idle),
        cmocka_unit_test_setup(a_head_that_moves_is_well, idle),
        cmocka_unit_test_setup(a_head_that_went_round_is_well, idle),
        cmocka_unit_test_setup(a_pause_is_no_halt, idle),
        cmocka_unit_test_setup(time_alone_is_no_halt, idle),
        cmocka_unit_test_setup(missed_frames_with_room_are_a_halt, idle),
        cmocka_unit_test_setup(missed_frames_without_room_are_not, idle),
        cmocka_unit_test_setup(missed_frames_while_others_come_are_not, idle),
        cmocka_unit_test_setup(frames_missed_now_and_then_are_a_halt, idle),
        cmocka_unit_test_setup(a_quiet_wire_is_no_halt, idle),
        cmocka_unit_test_setup(room_that_was_wanting_meanwhile_is_no_halt, idle),
        cmocka_unit_test_setup(a_head_that_went_round_received, idle),
        cmocka_unit_test_setup(who_transmits_slowly_is_found_as_soon, idle),
        cmocka_unit_test_setup(a_nic_that_is_gone_is_told_at_once, idle),
        cmocka_unit_test_setup(settings_that_are_lost_are_told_at_once, idle),
        cmocka_unit_test_setup(patience_is_what_the_look_says, idle),
        cmocka_unit_test_setup(a_rest_is_no_halt, idle),
        cmocka_unit_test_setup(what_is_not_sent_yet_is_counted_round_the_ring, idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
