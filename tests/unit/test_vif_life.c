/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake with a toolstack and frontends, over xenstore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define MS 1000000ull

static void assert_nothing_held(void)
{
    assert_int_equal(gnttab_nr_maps(), 0);
    assert_int_equal(evtchn_nr_open(), 0);
    assert_int_equal(vif_nr_connected(), 0);
}

static void assert_all_gone(void)
{
    assert_nothing_held();
    assert_int_equal(vif_nr(), 0);
    assert_int_equal(fake_host.nr_attached, 0);
    assert_int_equal(fake_store_watches(), 1);
}

static void connects_stock_netfront(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_create(&guest, 7, 0);
    fake_xen_run();
    assert_int_equal(back_state(&guest), 2);
    assert_string_equal(back_read(&guest, "feature-rx-copy"), "1");
    assert_string_equal(back_read(&guest, "feature-sg"), "1");
    assert_string_equal(back_read(&guest, "hotplug-status"), "connected");
    guest_connect(&guest);
    assert_int_equal(back_state(&guest), 4);
    assert_int_equal(vif_nr_connected(), 1);
    assert_true(vif_port(0)->up);
    assert_string_equal(vif_port(0)->name, "vif7.0");
    assert_int_equal(vif_port(0)->mac.addr_bytes[4], 7);
    assert_true(fake_log_has("vif7.0: connected: bridge xenbr0"));
    guest_free(&guest);
}

static void initwait_stands_long_enough_for_libxl(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_create(&guest, 7, 0);
    guest_rings(&guest);
    guest_nodes(&guest);
    front_write(&guest, "state", "4");
    fake_xen_sleep(300 * MS);
    assert_int_equal(back_state(&guest), 2);
    fake_xen_sleep(200 * MS);
    assert_int_equal(back_state(&guest), 4);
    guest_free(&guest);
}

static void split_channels_are_bound_both(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up_split(&guest, 7);
    assert_int_equal(back_state(&guest), 4);
    assert_int_equal(evtchn_nr_open(), 2);
    guest_free(&guest);
}

static void vif_found_at_start_connects(void **state)
{
    struct fake_guest guest;

    (void)state;
    fake_xen_reset(); /* nodes before the watch */
    guest_create(&guest, 7, 3);
    fake_xen_run();
    assert_int_equal(vif_init(&vif_host), 0);
    assert_int_equal(vif_watch(), 0);
    fake_xen_run();
    assert_int_equal(back_state(&guest), 2);
}

static void detach_live_follows_frontend_then_removes_nodes(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_detach(&guest);
    fake_xen_run();
    assert_int_equal(back_state(&guest), 5);
    guest_state(&guest, "5");
    assert_nothing_held();
    guest_state(&guest, "6");
    assert_int_equal(back_state(&guest), 6);
    fake_xen_sleep(300 * MS);
    assert_int_equal(back_state(&guest), 6); /* libxl needs to see it */
    fake_xen_sleep(300 * MS);
    assert_int_equal(back_state(&guest), -1);
    assert_null(back_read(&guest, ""));
    assert_all_gone();
    guest_free(&guest);
}

static void detach_of_silent_frontend_is_forced(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_detach(&guest);
    fake_xen_sleep(1500 * MS);
    assert_int_equal(vif_nr_connected(), 1);
    fake_xen_sleep(2000 * MS);
    assert_int_equal(back_state(&guest), -1);
    assert_all_gone();
    guest_free(&guest);
}

static void detach_of_closed_vif_leaves_time_to_look(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_state(&guest, "5");
    guest_state(&guest, "6");
    fake_xen_sleep(5000 * MS);
    assert_int_equal(back_state(&guest), 6);
    guest_detach(&guest);
    fake_xen_sleep(300 * MS);
    assert_int_equal(back_state(&guest), 6);
    fake_xen_sleep(300 * MS);
    assert_int_equal(back_state(&guest), -1);
    guest_free(&guest);
}

static void destroy_of_guest_frees_at_once(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    fake_store_write("/local/domain/7/device", NULL);
    guest_detach(&guest);
    fake_xen_run();
    assert_nothing_held();
    assert_int_equal(back_state(&guest), 6);
    fake_xen_sleep(600 * MS);
    assert_all_gone();
    guest_free(&guest);
}

static void destroy_during_handshake_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned int steps = 0; steps < 60; steps++) {
        struct fake_guest guest;

        guest_create(&guest, 7, 0);
        guest_rings(&guest);
        guest_nodes(&guest);
        front_write(&guest, "state", "4");
        for (unsigned int i = 0; i < steps; i++)
            fake_xen_sleep(i % 8 ? 0 : 100 * MS);
        back_write(&guest, "", NULL);
        front_write(&guest, "", NULL);
        fake_xen_sleep(1000 * MS);
        assert_null(back_read(&guest, ""));
        assert_all_gone();
        guest_free(&guest);
    }
}

static void late_write_into_removed_directory_is_cleaned(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_create(&guest, 7, 0);
    fake_xen_run();
    back_write(&guest, "", NULL);
    back_write(&guest, "state", "2"); /* as if our write had come after the removal */
    fake_xen_sleep(100 * MS);
    assert_null(back_read(&guest, ""));
    assert_all_gone();
}

static void directory_that_cannot_be_removed_is_asked_for_now_and_then(void **state)
{
    struct fake_guest guest;
    unsigned int before;

    (void)state;
    fake_store_refuse_removals(true);
    guest_create(&guest, 7, 0);
    back_write(&guest, "online", NULL);
    fake_xen_sleep(1000 * MS);
    before = fake_store_requests();
    fake_xen_sleep(1000 * MS);
    assert_int_equal(back_state(&guest), 1);
    assert_in_range(fake_store_requests() - before, 1, 60);
    fake_store_refuse_removals(false);
    fake_xen_sleep(200 * MS);
    assert_null(back_read(&guest, ""));
    assert_all_gone();
}

static void module_reload_reconnects(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    for (unsigned int i = 0; i < 200; i++) {
        guest_state(&guest, "5");
        assert_int_equal(back_state(&guest), 5);
        guest_state(&guest, "6");
        assert_int_equal(back_state(&guest), 6);
        assert_nothing_held();
        guest_state(&guest, "1");
        assert_int_equal(back_state(&guest), 2);
        guest_rings(&guest);
        guest_state(&guest, "4");
        assert_int_equal(back_state(&guest), 4);
        assert_int_equal(gnttab_nr_maps(), 2);
        assert_int_equal(evtchn_nr_open(), 1);
    }
    assert_int_equal(vif_nr(), 1);
    assert_true(fake_log_lines() < 20);
    guest_free(&guest);
}

/* A kexec'd kernel starts over without having closed; the old rings must go. */
static void frontend_starting_over_never_sees_closed(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_state(&guest, "1");
    assert_int_equal(back_state(&guest), 2);
    assert_nothing_held();
    guest_rings(&guest);
    guest_state(&guest, "4");
    assert_int_equal(back_state(&guest), 4);
    guest_free(&guest);
}

static void attach_and_detach_200_times_leaves_nothing(void **state)
{
    unsigned int nodes = 0;

    (void)state;
    for (unsigned int i = 0; i < 200; i++) {
        struct fake_guest guest;

        guest_up(&guest, 7);
        assert_int_equal(back_state(&guest), 4);
        guest_detach(&guest);
        guest_state(&guest, "6");
        fake_xen_sleep(600 * MS);
        front_write(&guest, "", NULL);
        fake_xen_run();
        assert_all_gone();
        if (i == 0)
            nodes = fake_store_nodes();
        assert_int_equal(fake_store_nodes(), nodes);
        guest_free(&guest);
        if (i % 50 == 49)
            assert_int_equal(vif_test_setup(NULL), 0); /* the log of the fake is finite */
    }
}

static void full_table_serves_all_and_takes_the_next_when_one_goes(void **state)
{
    static struct fake_guest guests[VIF_MAX + 1];

    (void)state;
    for (unsigned int i = 0; i <= VIF_MAX; i++)
        guest_create(&guests[i], (domid_t)(10 + i), 0);
    fake_xen_sleep(500 * MS);
    guests_ask(guests, VIF_MAX);
    fake_xen_sleep(100 * MS);
    assert_int_equal(vif_nr_connected(), VIF_MAX);
    assert_int_equal(back_state(&guests[VIF_MAX]), 1);
    assert_true(fake_log_has("vif74.0: refused: there are 64 vifs already"));
    guest_detach(&guests[3]);
    guest_state(&guests[3], "6");
    fake_xen_sleep(1000 * MS);
    assert_int_equal(back_state(&guests[3]), -1);
    assert_int_equal(back_state(&guests[VIF_MAX]), 2);
    for (unsigned int i = 0; i < VIF_MAX; i++)
        guest_free(&guests[i]);
}

static void busy_xenstore_only_delays(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_create(&guest, 7, 0);
    fake_store_full(true);
    fake_xen_sleep(50 * MS);
    fake_store_full(false);
    fake_xen_sleep(600 * MS);
    assert_int_equal(back_state(&guest), 2);
    guest_rings(&guest);
    guest_nodes(&guest);
    fake_store_full(true);
    guest_state(&guest, "4");
    fake_xen_sleep(50 * MS);
    fake_store_full(false);
    fake_xen_sleep(50 * MS);
    assert_int_equal(back_state(&guest), 4);
    guest_free(&guest);
}

static void missing_bridge_is_refused_with_the_reason(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_create(&guest, 7, 0);
    back_write(&guest, "bridge", "xenbr9");
    fake_xen_run();
    assert_int_equal(back_state(&guest), -1); /* libxl need not wait for its timeout */
    assert_non_null(strstr(back_read(&guest, "hotplug-error"), "no bridge"));
    assert_non_null(
        strstr(fake_store_read("/local/domain/5/error/backend/vif/7/0/error"), "no bridge"));
    assert_true(fake_log_has("vif7.0: refused: no bridge"));
    guest_detach(&guest);
    fake_xen_sleep(1000 * MS);
    assert_null(back_read(&guest, ""));
    assert_null(fake_store_read("/local/domain/5/error/backend/vif/7"));
    assert_all_gone();
}

static void refused_vif_is_forgotten_when_libxl_removes_it(void **state)
{
    struct fake_guest guest, other;

    (void)state;
    guest_create(&guest, 7, 0);
    guest_create(&other, 7, 1);
    back_write(&guest, "bridge", "xenbr9");
    back_write(&other, "mac", "junk");
    fake_xen_run();
    assert_int_equal(vif_nr(), 2);
    back_write(&guest, "", NULL);
    fake_xen_run();
    assert_null(fake_store_read("/local/domain/5/error/backend/vif/7/0"));
    assert_non_null(fake_store_read("/local/domain/5/error/backend/vif/7/1/error"));
    back_write(&other, "", NULL);
    fake_xen_run();
    assert_null(fake_store_read("/local/domain/5/error/backend/vif/7"));
    assert_all_gone();
}

static void foreign_frontend_path_is_refused(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_create(&guest, 7, 0);
    back_write(&guest, "frontend", "/local/domain/8/device/vif/0");
    fake_xen_run();
    assert_int_equal(back_state(&guest), -1);
    assert_true(fake_log_has("do not belong"));
}

/* hotplug-status is last: dom0 takes it for a sign that the state is ours, not a dead backend's. */
static void refused_write_is_said(void **state)
{
    struct fake_guest guest;

    (void)state;
    fake_store_refuse_writes("/state");
    guest_create(&guest, 7, 0);
    fake_xen_run();
    assert_true(fake_log_has("vif7.0: refused: xenstore refused a write: error 13"));
    assert_string_equal(back_read(&guest, "hotplug-status"), "");
}

/* Each row: a frontend node, its value (NULL: missing), a part of the reason. */
static void bad_frontend_nodes_close_the_vif_only(void **state)
{
    static const char *const rows[][3] = {
        { "tx-ring-ref", NULL, "tx-ring-ref is missing" },
        { "tx-ring-ref", "", "tx-ring-ref makes no sense: ''" },
        { "tx-ring-ref", "-1", "tx-ring-ref makes no sense: '-1'" },
        { "tx-ring-ref", "99999999999999999999", "tx-ring-ref makes no sense" },
        { "tx-ring-ref", "4294967295", "tx-ring-ref cannot be used" },
        { "rx-ring-ref", "8", "are the same page" },
        { "rx-ring-ref", "77", "rx-ring-ref cannot be used" },
        { "rx-ring-ref", "\x1b[2J\x01", "rx-ring-ref makes no sense: '?[2J?'" },
        { "event-channel", NULL, "event-channel is missing" },
        { "event-channel", "4000000000", "event-channel cannot be used" },
        { "event-channel-tx", "11", "event-channel-rx is missing" },
        { "request-rx-copy", NULL, "request-rx-copy is missing" },
        { "request-rx-copy", "0", "never flipped" },
        { "feature-sg", "yes", "feature-sg makes no sense: 'yes'" },
        { "multi-queue-num-queues", "0", "multi-queue-num-queues" },
        { "multi-queue-num-queues", "5",
          "multi-queue-num-queues='5' makes no sense; accepted: 1 to" },
        { "multi-queue-num-queues", "2", "queue-0: node tx-ring-ref is missing" },
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
        struct fake_guest guest, other;

        assert_int_equal(vif_test_setup(NULL), 0);
        guest_up(&other, 6);
        guest_create(&guest, 7, 0);
        fake_xen_sleep(500 * MS);
        guest_rings(&guest);
        guest_nodes(&guest);
        front_write(&guest, rows[i][0], rows[i][1]);
        guest_state(&guest, "4");
        assert_int_equal(back_state(&guest), 5);
        if (!strstr(fake_store_read("/local/domain/5/error/backend/vif/7/0/error"), rows[i][2]))
            fail_msg("row %u: %s", i, back_read(&guest, "hotplug-error"));
        assert_true(fake_log_has(rows[i][2]));
        assert_int_equal(vif_nr_connected(), 1);
        assert_int_equal(gnttab_nr_maps(), 2);
        assert_int_equal(evtchn_nr_open(), 1);
        guest_state(&guest, "6");
        assert_int_equal(back_state(&guest), 6);
        guest_free(&guest);
        guest_free(&other);
    }
}

static void same_port_for_two_vifs_refuses_the_second(void **state)
{
    struct fake_guest first, second;

    (void)state;
    guest_up(&first, 7);
    guest_create(&second, 7, 1);
    fake_xen_sleep(500 * MS);
    guest_nodes(&second); /* the same refs and the same port */
    front_write(&second, "state", "4");
    fake_xen_run();
    assert_int_equal(back_state(&first), 4);
    assert_int_equal(back_state(&second), 5);
    assert_int_equal(gnttab_nr_maps(), 2);
    assert_true(fake_log_has("event-channel cannot be used"));
    guest_free(&first);
}

static void bad_ring_index_at_connect_is_refused(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_create(&guest, 7, 0);
    fake_xen_sleep(500 * MS);
    guest_rings(&guest);
    guest_nodes(&guest);
    guest.rx.sring->req_prod = 257;
    guest_state(&guest, "4");
    assert_int_equal(back_state(&guest), 5);
    assert_nothing_held();
    guest_free(&guest);
}

static void garbage_state_closes_with_reason(void **state)
{
    struct fake_guest guest;

    (void)state;
    guest_up(&guest, 7);
    guest_state(&guest, "four");
    assert_int_equal(back_state(&guest), 5);
    assert_nothing_held();
    assert_true(fake_log_has("state node makes no sense"));
    guest_free(&guest);
}

static void state_flapping_is_coalesced(void **state)
{
    static const char *const states[] = { "1", "4", "5", "6", "3", "2", "7", "", "4" };
    struct fake_guest guest;
    unsigned int before;

    (void)state;
    guest_up(&guest, 7);
    before = fake_store_requests();
    for (unsigned int i = 0; i < 3000; i++)
        front_write(&guest, "state", states[i % ARRAY_LEN(states)]);
    fake_xen_run();
    assert_true(fake_store_requests() - before < 12000); /* four a wake-up at most, none lost */
    assert_true(gnttab_nr_maps() <= 2);
    assert_true(fake_log_lines() < 20);
    guest_state(&guest, "6");
    guest_state(&guest, "1");
    guest_rings(&guest);
    guest_state(&guest, "4");
    assert_int_equal(back_state(&guest), 4);
    guest_free(&guest);
}

static void other_nodes_written_cost_no_request(void **state)
{
    struct fake_guest guest;
    unsigned int before;

    (void)state;
    guest_up(&guest, 7);
    before = fake_store_requests();
    for (unsigned int i = 0; i < 1000; i++) {
        back_write(&guest, "anything", "1");
        front_write(&guest, "anything", "1");
    }
    fake_xen_run();
    assert_int_equal(fake_store_requests(), before);
    guest_free(&guest);
}

static void connected_state_of_a_predecessor_is_taken_over(void **state)
{
    struct fake_guest guest;
    uint16_t id;

    (void)state;
    guest_create(&guest, 7, 0);
    guest_rings(&guest);
    guest_nodes(&guest);
    front_write(&guest, "state", "4");
    back_write(&guest, "state", "4");
    tx_put(&guest, GUEST_TX_REF, 0, 60, NETTXF_extra_info);
    tx_extra(&guest, XEN_NETIF_EXTRA_TYPE_GSO, 0, 1, 1400);
    tx_put(&guest, GUEST_TX_REF, 0, 60, 0);
    tx_push(&guest);
    rx_post(&guest, 3);
    fake_xen_run(); /* no dwell */
    assert_int_equal(back_state(&guest), 4);
    assert_int_equal(vif_nr_connected(), 1);
    assert_int_equal(tx_response(&guest, &id), NETIF_RSP_ERROR);
    assert_int_equal(id, 0x4000);
    assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
    assert_int_equal(tx_response(&guest, &id), NETIF_RSP_ERROR);
    assert_int_equal(id, 0x4002);
    assert_int_equal(guest.rx.sring->rsp_prod, 3);
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 0);
    guest_free(&guest);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vif_test_setup, vif_test_teardown)
    const struct CMUnitTest tests[] = {
        TEST(connects_stock_netfront),
        TEST(initwait_stands_long_enough_for_libxl),
        TEST(split_channels_are_bound_both),
        TEST(vif_found_at_start_connects),
        TEST(detach_live_follows_frontend_then_removes_nodes),
        TEST(detach_of_silent_frontend_is_forced),
        TEST(detach_of_closed_vif_leaves_time_to_look),
        TEST(destroy_of_guest_frees_at_once),
        TEST(destroy_during_handshake_leaves_nothing),
        TEST(late_write_into_removed_directory_is_cleaned),
        TEST(directory_that_cannot_be_removed_is_asked_for_now_and_then),
        TEST(module_reload_reconnects),
        TEST(frontend_starting_over_never_sees_closed),
        TEST(attach_and_detach_200_times_leaves_nothing),
        TEST(full_table_serves_all_and_takes_the_next_when_one_goes),
        TEST(busy_xenstore_only_delays),
        TEST(missing_bridge_is_refused_with_the_reason),
        TEST(refused_vif_is_forgotten_when_libxl_removes_it),
        TEST(foreign_frontend_path_is_refused),
        TEST(refused_write_is_said),
        TEST(bad_frontend_nodes_close_the_vif_only),
        TEST(same_port_for_two_vifs_refuses_the_second),
        TEST(bad_ring_index_at_connect_is_refused),
        TEST(garbage_state_closes_with_reason),
        TEST(state_flapping_is_coalesced),
        TEST(other_nodes_written_cost_no_request),
        TEST(connected_state_of_a_predecessor_is_taken_over),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
