/* SPDX-License-Identifier: BSD-2-Clause */
/* Vifs over a restart of the kernel: who goes on, who goes the long way, and what xenstore sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_internal.h"
#include "fake_xen.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define MS 1000000ull

static uint8_t bytes[4096];

static void assert_held(unsigned int vifs, unsigned int ports)
{
    assert_int_equal(vif_nr_connected(), vifs);
    assert_int_equal(fake_host.nr_attached, vifs);
    assert_int_equal(gnttab_nr_maps(), 2 * vifs);
    assert_int_equal(evtchn_nr_open(), ports);
}

static void assert_serves(struct fake_guest *guest)
{
    fake_host_empty();
    tx_send(guest, bytes, 60, 4096, 0, 0);
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 1);
    fake_host_empty();
    assert_int_equal(tx_response(guest, NULL), NETIF_RSP_OKAY);
    assert_int_equal(tx_response(guest, NULL), -100);
}

static void assert_closes_and_goes(struct fake_guest *guest)
{
    unsigned int vifs = vif_nr();

    guest_detach(guest);
    guest_state(guest, "5");
    assert_int_equal(back_state(guest), 5);
    guest_state(guest, "6");
    fake_xen_sleep(600 * MS);
    assert_null(back_read(guest, ""));
    assert_int_equal(vif_nr(), vifs - 1);
}

/* vif_watch(), and all that follows from it. Returns how often we wrote to xenstore. */
static unsigned int watch_and_settle(void)
{
    unsigned int before = fake_store_writes();

    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(1000 * MS);
    return fake_store_writes() - before;
}

static void healthy_vif_needs_no_xenstore(void **state)
{
    struct fake_guest guest;
    unsigned int before;

    (void)state;
    guest_up(&guest, 7);
    before = fake_store_requests();
    assert_int_equal(kernel_restart(), 1);
    assert_held(1, 1);
    assert_serves(&guest);
    assert_int_equal(fake_store_requests(), before);
    assert_true(fake_log_has("vifs: 1 of 1 go on as they were"));
    assert_int_equal(watch_and_settle(), 0);
    assert_true(fake_store_requests() - before < 20); /* two looks and a listing */
    assert_int_equal(back_state(&guest), 4);
    assert_int_equal(fake_store_watches(), 2);
    assert_held(1, 1);
    assert_serves(&guest);
    assert_closes_and_goes(&guest);
    assert_held(0, 0);
    assert_int_equal(fake_store_watches(), 1);
    guest_free(&guest);
}

static void first_start_resumes_nothing(void **state)
{
    (void)state;
    assert_int_equal(vif_resume(), 0);
    assert_int_equal(fake_log_lines(), 0);
    assert_int_equal(kernel_restart(), 0);
    assert_int_equal(fake_log_lines(), 0);
}

/* A new kernel that shares nothing with the old one. */
static void records_are_of_no_use_at_a_first_start(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    fake_xen_reset();
    assert_int_equal(vif_init(&vif_host), 0);
    assert_int_equal(vif_resume(), 0);
    assert_int_equal(vif_nr(), 0);
    assert_int_equal(fake_log_lines(), 0);
    guest_free(&guest);
}

static void split_channels_go_on(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up_split(&guest, 7);
    (void)fake_port_notified(7, GUEST_RX_PORT);
    assert_int_equal(kernel_restart(), 1);
    assert_held(1, 2);
    assert_int_equal(fake_port_notified(7, GUEST_TX_PORT), 1);
    assert_int_equal(fake_port_notified(7, GUEST_RX_PORT), 1);
    assert_int_equal(watch_and_settle(), 0);
    assert_serves(&guest);
    guest_free(&guest);
}

static void lost_second_channel_gives_all_back(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up_split(&guest, 7);
    fake_port_gone(7, GUEST_RX_PORT);
    assert_int_equal(kernel_restart(), 0);
    assert_held(0, 0);
    assert_true(fake_log_has("vif7.0: cannot go on: the second event channel"));
    guest_free(&guest);
}

static void full_table_goes_on(void **state)
{
    static struct fake_guest guests[VIF_MAX];

    (void)state;
    for (unsigned int i = 0; i < VIF_MAX; i++)
        guest_create(&guests[i], (domid_t)(10 + i), 0);
    fake_xen_sleep(500 * MS);
    guests_ask(guests, VIF_MAX);
    fake_xen_sleep(200 * MS);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(kernel_restart(), VIF_MAX);
        assert_held(VIF_MAX, VIF_MAX);
        assert_int_equal(watch_and_settle(), 0);
        assert_int_equal(fake_store_watches(), VIF_MAX + 1);
    }
    for (unsigned int i = 0; i < VIF_MAX; i++) {
        assert_int_equal(back_state(&guests[i]), 4);
        guest_free(&guests[i]);
    }
}

static void restarts_in_a_row_before_the_first_look(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    for (unsigned int i = 0; i < 20; i++) {
        assert_int_equal(kernel_restart(), 1);
        assert_serves(&guest);
        assert_int_equal(vif_watch(), 0);
        for (unsigned int steps = 0; steps < i; steps++)
            (void)fake_store_step();
    }
    fake_xen_sleep(1000 * MS);
    assert_int_equal(back_state(&guest), 4);
    assert_held(1, 1);
    guest_free(&guest);
}

/* Wherever the handshake stands: in the end it is connected, and nobody saw Closing or Closed. */
static void restart_at_every_step_of_the_handshake(void **state)
{
    (void)state;
    for (unsigned int steps = 0; steps < 90; steps++) {
        struct fake_guest guest;

        assert_int_equal(vif_test_setup(NULL), 0);
        guest_create(&guest, 7, 0);
        guest_rings(&guest);
        guest_nodes(&guest);
        front_write(&guest, "state", "4");
        for (unsigned int i = 0; i < steps; i++) {
            if (!fake_store_step())
                fake_xen_sleep(MS);
            assert_in_range(back_state(&guest), 1, 4);
        }
        (void)kernel_restart();
        assert_int_equal(vif_watch(), 0);
        for (unsigned int i = 0; i < 1200; i++) {
            fake_xen_sleep(MS);
            assert_in_range(back_state(&guest), 1, 4);
        }
        assert_int_equal(back_state(&guest), 4);
        assert_held(1, 1);
        assert_serves(&guest);
        guest_free(&guest);
    }
}

static void state_that_was_not_written_yet_is_written_once(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    back_write(&guest, "state", "2"); /* as it was when the rings had just been mapped */
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(watch_and_settle(), 1);
    assert_int_equal(back_state(&guest), 4);
    guest_free(&guest);
}

/* One flipped bit in each byte of what a restart believes. */
static void damaged_record_is_not_believed(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < sizeof(struct vif_record); i++) {
        struct fake_guest guest, other;

        assert_int_equal(vif_test_setup(NULL), 0);
        guest_up(&other, 6);
        guest_up(&guest, 7);
        ((uint8_t *)&vif_table[1].record)[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(kernel_restart(), 1);
        assert_held(1, 1);
        assert_true(fake_log_has("vif in place 1: its record is damaged"));
        assert_serves(&other);
        if (i % 16 == 0) { /* the long way */
            assert_int_equal(vif_watch(), 0);
            for (unsigned int ms = 0; ms < 100; ms++) {
                fake_xen_sleep(MS);
                assert_in_range(back_state(&guest), 2, 4);
            }
            assert_int_equal(back_state(&guest), 4);
            assert_held(2, 2);
            assert_serves(&guest);
        }
        guest_free(&guest);
        guest_free(&other);
    }
}

static void record_in_a_foreign_place_is_not_believed(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    vif_table[5].record = vif_table[0].record;
    assert_int_equal(kernel_restart(), 1); /* nor is one that is there twice */
    assert_held(1, 1);
    vif_table[5].record = vif_table[0].record;
    vif_table[0].record.sum = 0;
    assert_int_equal(kernel_restart(), 0);
    assert_held(0, 0);
    assert_true(fake_log_has("vif in place 5: its record is damaged"));
    guest_free(&guest);
}

static void guest_destroyed_in_the_gap_leaves_nothing(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    fake_port_gone(7, GUEST_TX_PORT);
    fake_store_write("/local/domain/7", NULL);
    guest_detach(&guest);
    assert_int_equal(kernel_restart(), 0);
    assert_held(0, 0);
    assert_int_equal(vif_nr(), 0);
    (void)watch_and_settle();
    assert_null(back_read(&guest, ""));
    assert_int_equal(vif_nr(), 0);
    guest_free(&guest);
}

/* Destroyed, and so is its directory: no listing shows it any more. */
static void vanished_directory_is_found_out(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    fake_store_write("/local/domain/7", NULL);
    back_write(&guest, "", NULL);
    assert_int_equal(kernel_restart(), 1); /* Xen says it is there */
    assert_int_equal(watch_and_settle(), 0);
    assert_held(0, 0);
    assert_int_equal(vif_nr(), 0);
    assert_int_equal(fake_store_watches(), 1);
    guest_free(&guest);
}

static void detach_in_the_gap_is_followed(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_detach(&guest);
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(vif_watch(), 0);
    fake_xen_run();
    assert_int_equal(vif_nr_connected(), 1); /* it may still close by itself */
    guest_state(&guest, "6");
    assert_int_equal(back_state(&guest), 6);
    fake_xen_sleep(600 * MS);
    assert_null(back_read(&guest, ""));
    assert_held(0, 0);
    guest_free(&guest);
}

/* Each row: the state that the frontend went to in the gap, and what it is answered. */
static void frontend_that_moved_on_is_followed(void **state)
{
    static const struct {
        const char *front;
        int back;
    } rows[] = { { "5", 5 }, { "6", 6 }, { "1", 2 }, { "2", 2 }, { "junk", 5 }, { "", 5 } };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
        struct fake_guest guest;

        assert_int_equal(vif_test_setup(NULL), 0);
        guest_up(&guest, 7);
        front_write(&guest, "state", rows[i].front);
        assert_int_equal(kernel_restart(), 1);
        assert_int_equal(vif_watch(), 0);
        fake_xen_run();
        assert_int_equal(back_state(&guest), rows[i].back);
        assert_int_equal(gnttab_nr_maps(), 0);
        assert_int_equal(evtchn_nr_open(), 0);
        guest_state(&guest, "6");
        guest_state(&guest, "1");
        guest_connect(&guest);
        assert_int_equal(back_state(&guest), 4);
        assert_serves(&guest);
        guest_free(&guest);
    }
}

/* It closed its port and came again on its own, as only a hostile one can. */
static void frontend_with_other_rings_is_taken_as_it_is_now(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    assert_serves(&guest);
    guest_rings(&guest);
    assert_int_equal(kernel_restart(), 0);
    assert_held(0, 0);
    (void)watch_and_settle();
    assert_int_equal(back_state(&guest), 4);
    assert_held(1, 1);
    assert_serves(&guest);
    guest_free(&guest);
}

static void vif_made_anew_in_the_gap_is_another(void **state)
{
    struct fake_guest guest, again;

    (void)state;
    guest_up(&guest, 7);
    back_write(&guest, "", NULL);
    front_write(&guest, "", NULL);
    guest_create(&again, 7, 0);
    back_write(&again, "mac", "00:16:3e:aa:bb:cc");
    assert_int_equal(kernel_restart(), 1);
    (void)watch_and_settle();
    assert_int_equal(back_state(&again), 2);
    assert_string_equal(back_read(&again, "feature-sg"), "1");
    assert_int_equal(vif_port(0)->mac.addr_bytes[4], 0xbb);
    assert_int_equal(gnttab_nr_maps(), 0);
    guest_connect(&again);
    assert_held(1, 1);
    assert_serves(&again);
    guest_free(&guest);
    guest_free(&again);
}

static void vif_added_in_the_gap_is_served(void **state)
{
    struct fake_guest guest, added;

    (void)state;
    guest_up(&guest, 7);
    guest_create(&added, 8, 0);
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(500 * MS);
    assert_int_equal(back_state(&added), 2);
    guest_connect(&added);
    assert_held(2, 2);
    assert_serves(&added);
    assert_serves(&guest);
    guest_free(&guest);
    guest_free(&added);
}

static void missing_bridge_gives_all_back_and_is_refused(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    fake_host.refuses = true;
    assert_int_equal(kernel_restart(), 0);
    assert_held(0, 0);
    assert_true(fake_log_has("vif7.0: cannot go on: no bridge"));
    (void)watch_and_settle();
    assert_true(fake_log_has("vif7.0: refused: no bridge"));
    guest_free(&guest);
}

static void broken_before_the_first_look_is_closed_with_the_reason(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    assert_int_equal(kernel_restart(), 1);
    guest.tx.sring->req_prod += 1000;
    loop_turn(); /* its look at xenstore comes before vif_watch() */
    (void)watch_and_settle();
    assert_int_equal(back_state(&guest), 5);
    assert_int_equal(vif_nr_connected(), 0);
    assert_true(fake_log_has("req_prod makes no sense"));
    assert_int_equal(fake_store_watches(), 2);
    guest_state(&guest, "6");
    guest_state(&guest, "1");
    guest_connect(&guest);
    assert_serves(&guest);
    guest_free(&guest);
}

static void busy_xenstore_only_delays_the_look(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    front_write(&guest, "state", "5");
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(vif_watch(), 0);
    fake_store_full(true);
    fake_xen_sleep(50 * MS);
    assert_int_equal(vif_nr_connected(), 1);
    fake_store_full(false);
    fake_xen_sleep(200 * MS);
    assert_int_equal(back_state(&guest), 5);
    assert_int_equal(vif_nr_connected(), 0);
    guest_free(&guest);
}

/* An error node that the last start wrote goes with the vif. */
static void blame_is_remembered(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_state(&guest, "junk");
    assert_non_null(fake_store_read("/local/domain/5/error/backend/vif/7/0/error"));
    guest_state(&guest, "6");
    guest_state(&guest, "1");
    guest_connect(&guest);
    assert_int_equal(kernel_restart(), 1);
    (void)watch_and_settle();
    assert_closes_and_goes(&guest);
    assert_null(fake_store_read("/local/domain/5/error/backend/vif/7"));
    guest_free(&guest);
}

static void disconnected_vif_is_not_resumed(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_state(&guest, "1");
    assert_int_equal(back_state(&guest), 2);
    assert_int_equal(kernel_restart(), 0);
    assert_false(fake_log_has("cannot go on"));
    (void)watch_and_settle();
    guest_connect(&guest);
    assert_int_equal(back_state(&guest), 4);
    assert_serves(&guest);
    guest_free(&guest);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vif_test_setup, vif_test_teardown)
    const struct CMUnitTest tests[] = {
        TEST(healthy_vif_needs_no_xenstore),
        TEST(first_start_resumes_nothing),
        TEST(records_are_of_no_use_at_a_first_start),
        TEST(split_channels_go_on),
        TEST(lost_second_channel_gives_all_back),
        TEST(full_table_goes_on),
        TEST(restarts_in_a_row_before_the_first_look),
        TEST(restart_at_every_step_of_the_handshake),
        TEST(state_that_was_not_written_yet_is_written_once),
        TEST(damaged_record_is_not_believed),
        TEST(record_in_a_foreign_place_is_not_believed),
        TEST(guest_destroyed_in_the_gap_leaves_nothing),
        TEST(vanished_directory_is_found_out),
        TEST(detach_in_the_gap_is_followed),
        TEST(frontend_that_moved_on_is_followed),
        TEST(frontend_with_other_rings_is_taken_as_it_is_now),
        TEST(vif_made_anew_in_the_gap_is_another),
        TEST(vif_added_in_the_gap_is_served),
        TEST(missing_bridge_gives_all_back_and_is_refused),
        TEST(broken_before_the_first_look_is_closed_with_the_reason),
        TEST(busy_xenstore_only_delays_the_look),
        TEST(blame_is_remembered),
        TEST(disconnected_vif_is_not_resumed),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
