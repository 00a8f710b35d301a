/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP headroom, and the state that Linux' frontend goes through to change it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "fixture_vif_tx.h"
#include "vif/device.h"

#define MS 1000000ull
#define TSO (PORT_TX_TSO_V4 | PORT_TX_TSO_V6)
#define HEADROOM 256

static struct vif *const vif = &vif_table[0];

/* As a program is loaded into the frontend, or taken out of it. */
static void reconfigure(const char *headroom)
{
    front_write(&guest, "xdp-headroom", headroom);
    guest_state(&guest, "7");
    assert_int_equal(back_state(&guest), 8);
    guest_state(&guest, "4");
    assert_int_equal(back_state(&guest), 4);
}

/* A frame arrives, with so many bytes in front of it that are still the guest's. */
static void assert_arrives(uint32_t len, uint16_t headroom)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), len);
    unsigned int slot = guest.rx.rsp_cons % GUEST_RING;
    uint16_t flags, gso;

    frame_bytes(frame, bytes, sizeof(bytes));
    memset(guest.rx_pages, 0xee, 4096 * GUEST_RING);
    rx_post(&guest, (len + headroom + 4095) / 4096);
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
    loop_turn();
    assert_int_equal(RING_GET_RESPONSE(&guest.rx, guest.rx.rsp_cons)->offset, headroom);
    assert_int_equal(rx_take(&guest, got, &flags, &gso), len);
    assert_memory_equal(got, bytes, len);
    for (unsigned int i = 0; i < headroom; i++)
        assert_int_equal(guest.rx_pages[4096 * slot + i], 0xee);
    assert_int_equal(rx_take(&guest, got, &flags, &gso), -100);
}

static void frames_leave_the_headroom_that_was_asked_for(void **state)
{
    (void)state;
    assert_string_equal(back_read(&guest, "feature-xdp-headroom"), "1");
    assert_arrives(1514, 0);
    reconfigure("256");
    assert_arrives(60, HEADROOM);
    assert_arrives(1514, HEADROOM);
    reconfigure("0");
    assert_arrives(1514, 0);
    reconfigure("2048");
    assert_arrives(1514, 2048);
    reconfigure(NULL);
    assert_arrives(1514, 0);
}

static void long_frames_have_it_in_their_first_slot(void **state)
{
    static const uint32_t lens[] = { 3839, 3840,  3841,  4096,  7936, 7937,
                                     9014, 65279, 65280, 65281, 65500 };

    (void)state;
    reconfigure("256");
    vif->port.mtu = 65500;
    for (unsigned int i = 0; i < ARRAY_LEN(lens); i++)
        assert_arrives(lens[i], HEADROOM);
    assert_int_equal(fixture_in_use(), 0);
}

/* Linux' frontend drops frames of more than a slot while it has a program. */
static void frames_for_several_are_not_given_then(void **state)
{
    (void)state;
    assert_int_equal(vif->port.tx_caps & TSO, TSO);
    reconfigure("256");
    assert_int_equal(vif->port.tx_caps & TSO, 0);
    reconfigure("0");
    assert_int_equal(vif->port.tx_caps & TSO, TSO);
}

static void frontend_without_sg_gets_one_slot_at_most(void **state)
{
    struct rte_mbuf *frame = frame_make(station(1), station(2), 3841);

    (void)state;
    guest.no_sg = true;
    front_write(&guest, "xdp-headroom", "256");
    guest_state(&guest, "1");
    guest_connect(&guest);
    vif->port.mtu = 9000;
    rx_post(&guest, 4);
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
    loop_turn();
    assert_int_equal(vif->port.stats.tx_drops, 1);
    guest.rx.req_prod_pvt -= 4;
    guest.rx.sring->req_prod -= 4;
    assert_arrives(3840, HEADROOM);
}

static void headroom_of_the_connect_holds_from_the_first_frame(void **state)
{
    (void)state;
    front_write(&guest, "xdp-headroom", "256");
    guest_state(&guest, "1");
    guest_connect(&guest);
    assert_arrives(1514, HEADROOM);
}

/* The frontend waits for our answer: it gets it, and keeps what it had. */
static void nonsense_changes_nothing(void **state)
{
    static const char *const values[] = { "2049", "-1", "many", "", "4294967296" };

    (void)state;
    reconfigure("256");
    for (unsigned int i = 0; i < ARRAY_LEN(values); i++) {
        reconfigure(values[i]);
        assert_arrives(1514, HEADROOM);
    }
    assert_true(fake_log_has("xdp-headroom='2049' makes no sense; accepted: 0 to 2048"));
    guest_state(&guest, "1"); /* at a connect it is a mistake like any other */
    guest_connect(&guest);
    assert_int_equal(back_state(&guest), 5);
}

static void reconfiguring_may_be_repeated_and_left_out(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 5; i++) {
        front_write(&guest, "xdp-headroom", "256");
        guest_state(&guest, "7");
        guest_state(&guest, "7");
        assert_int_equal(back_state(&guest), 8);
        guest_state(&guest, i % 2 ? "1" : "6");
        assert_int_equal(back_state(&guest), i % 2 ? 2 : 6);
        guest_state(&guest, "1");
        front_write(&guest, "xdp-headroom", NULL);
        guest_connect(&guest);
        assert_int_equal(back_state(&guest), 4);
        assert_arrives(60, 0);
    }
    guest_state(&guest, "8"); /* only a backend's state */
    assert_int_equal(back_state(&guest), 5);
}

/* Linux' frontend changes its state first, and writes what for while the backend looks already. */
static void headroom_may_be_written_late(void **state)
{
    (void)state;
    guest_state(&guest, "7");
    fake_xen_run();
    assert_int_equal(back_state(&guest), 8);
    front_write(&guest, "xdp-headroom", "256");
    guest_state(&guest, "4");
    fake_xen_run();
    assert_int_equal(back_state(&guest), 4);
    assert_arrives(60, 256);
}

static void reconfiguring_vif_is_detached(void **state)
{
    (void)state;
    guest_state(&guest, "7");
    guest_detach(&guest);
    fake_xen_sleep(5000 * MS);
    assert_null(back_read(&guest, ""));
    assert_int_equal(vif_nr(), 0);
}

static void headroom_outlives_a_restart(void **state)
{
    (void)state;
    reconfigure("256");
    assert_int_equal(kernel_restart(), 1);
    assert_arrives(1514, HEADROOM);
    assert_int_equal(vif_watch(), 0);
    fake_xen_run();
    assert_int_equal(back_state(&guest), 4);
    assert_arrives(1514, HEADROOM);
}

/* A restart at each step of the change: the frontend is never left waiting. */
static void restart_while_reconfiguring(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        front_write(&guest, "xdp-headroom", i % 2 ? "0" : "256");
        if (i >= 2)
            guest_state(&guest, "7"); /* seen, and answered */
        assert_int_equal(kernel_restart(), 1);
        if (i < 2)
            front_write(&guest, "state", "7"); /* in the gap */
        assert_int_equal(vif_watch(), 0);
        fake_xen_run();
        assert_int_equal(back_state(&guest), 8);
        guest_state(&guest, "4");
        assert_int_equal(back_state(&guest), 4);
        assert_arrives(1514, i % 2 ? 0 : HEADROOM);
    }
}

/* A successor that finds its frontend waiting answers it, too. */
static void taken_over_while_reconfiguring(void **state)
{
    (void)state;
    vif_record_void(vif);
    assert_int_equal(kernel_restart(), 0);
    fake_port_offer(7, GUEST_TX_PORT);
    front_write(&guest, "xdp-headroom", "256");
    front_write(&guest, "state", "7");
    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(1000 * MS);
    assert_int_equal(vif_nr_connected(), 1);
    assert_int_equal(back_state(&guest), 8);
    guest_state(&guest, "4");
    assert_int_equal(back_state(&guest), 4);
    assert_arrives(1514, HEADROOM);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        TEST(frames_leave_the_headroom_that_was_asked_for),
        TEST(long_frames_have_it_in_their_first_slot),
        TEST(frames_for_several_are_not_given_then),
        TEST(frontend_without_sg_gets_one_slot_at_most),
        TEST(headroom_of_the_connect_holds_from_the_first_frame),
        TEST(nonsense_changes_nothing),
        TEST(reconfiguring_may_be_repeated_and_left_out),
        TEST(headroom_may_be_written_late),
        TEST(reconfiguring_vif_is_detached),
        TEST(headroom_outlives_a_restart),
        TEST(restart_while_reconfiguring),
        TEST(taken_over_while_reconfiguring),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
