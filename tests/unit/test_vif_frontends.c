/* SPDX-License-Identifier: BSD-2-Clause */
/* Frontends that are not like Linux' of today: few slots, few features, an order of their own. */
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
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define MS 1000000ull
#define TSO (PORT_TX_TSO_V4 | PORT_TX_TSO_V6)

static struct vif *const vif = &vif_table[0];

static void give(struct rte_mbuf *frame)
{
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
    loop_turn();
}

static int received(void)
{
    uint16_t flags, gso;

    return rx_take(&guest, got, &flags, &gso);
}

/* Eight slots at a time and never more: a frame of 60000 bytes would wait for ever. */
static void guest_with_few_slots_is_sent_short_frames(void **state)
{
    (void)state;
    rx_post(&guest, 8);
    assert_true(vif->port.tx_caps & TSO);
    give(frame_make_l4(false, IPPROTO_TCP, 60000, 1448));
    assert_int_equal(received(), -100);
    fake_xen_sleep(1100 * MS);
    loop_turn();
    assert_int_equal(fixture_in_use(), 0);
    assert_int_equal(vif->port.tx_caps & TSO, 0); /* net/egress.c cuts from now on */
    assert_true(fake_log_has("vif7.0: it never offers room for a long frame"));
    for (unsigned int i = 0; i < 30; i++) {
        give(frame_make(station(1), station(2), 1514));
        assert_int_equal(received(), 1514);
        rx_post(&guest, 1);
    }
    /* It learns. */
    rx_post(&guest, 40);
    give(frame_make(station(1), station(2), 60));
    assert_int_equal(received(), 60);
    assert_int_equal(vif->port.tx_caps & TSO, TSO);
    give(frame_make_l4(false, IPPROTO_TCP, 60000, 1448));
    assert_int_equal(received(), 60054);
}

/* One that is only slow keeps its long frames. */
static void guest_that_is_late_is_sent_long_frames(void **state)
{
    (void)state;
    rx_post(&guest, 40);
    for (unsigned int i = 0; i < 2; i++) {
        give(frame_make_l4(false, IPPROTO_TCP, 60000, 1448));
        assert_int_equal(received(), 60054);
    }
    give(frame_make_l4(false, IPPROTO_TCP, 60000, 1448));
    fake_xen_sleep(1100 * MS);
    loop_turn();
    assert_int_equal(fixture_in_use(), 0);
    assert_int_equal(vif->port.tx_caps & TSO, TSO);
}

/* Without feature-rx-notify nothing waits: the first long frame tells. */
static void guest_with_few_slots_that_does_not_notify(void **state)
{
    (void)state;
    guest.no_rx_notify = true;
    guest_state(&guest, "1");
    guest_connect(&guest);
    rx_post(&guest, 8);
    give(frame_make_l4(true, IPPROTO_TCP, 60000, 1428));
    assert_int_equal(fixture_in_use(), 0);
    assert_int_equal(vif->port.tx_caps & TSO, 0);
    for (unsigned int i = 0; i < 8; i++) {
        give(frame_make(station(1), station(2), 1514));
        assert_int_equal(received(), 1514);
    }
    give(frame_make(station(1), station(2), 1514));
    assert_int_equal(fixture_in_use(), 0);
    rx_post(&guest, 1);
    assert_int_equal(received(), -100); /* what found no room is gone */
    assert_int_equal(vif->port.stats.tx_drops, 2);
}

/* One slot at a time, each way. */
static void guest_with_one_slot_is_served(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 600; i++) {
        rx_post(&guest, 1);
        give(frame_make(station(1), station(2), 60 + i % 1400));
        assert_int_equal(received(), 60 + i % 1400);
        tx_send(&guest, bytes, 60 + i % 1400, 4096, 0, 0);
        loop_turn();
        assert_frame(0, 60 + i % 1400);
        fake_host_empty();
        assert_responses(1, NETIF_RSP_OKAY);
    }
}

/* mtu=1400 on one port of a bridge where others have 1500: what Linux' bridge does, too. */
static void guest_with_a_small_mtu_gets_no_longer_frames_but_merged_ones(void **state)
{
    (void)state;
    vif->control.back.wish.mtu = 1400;
    guest_state(&guest, "1");
    guest_connect(&guest);
    rx_post(&guest, 20);
    give(frame_make(station(1), station(2), 1514));
    give(frame_make(station(1), station(2), 1400 + 14 + 8 + 1));
    assert_int_equal(received(), -100);
    assert_int_equal(vif->port.stats.tx_drops, 2);
    give(frame_make(station(1), station(2), 1414));
    assert_int_equal(received(), 1414);
    give(frame_make_l4(false, IPPROTO_TCP, 20000, 1448));
    assert_int_equal(received(), 20054);
    give(frame_make_l4(true, IPPROTO_TCP, 20000, 1340));
    assert_int_equal(received(), 20074);
}

/* The oldest sort: one channel, no scatter-gather, no checksums left over, no notification. */
static void plain_guest_is_served(void **state)
{
    (void)state;
    guest_state(&guest, "1");
    fake_xen_sleep(500 * MS);
    guest_rings(&guest);
    front_write(&guest, "feature-rx-notify", NULL);
    front_write(&guest, "feature-sg", NULL);
    front_write(&guest, "feature-gso-tcpv4", NULL);
    front_write(&guest, "feature-gso-tcpv6", NULL);
    front_write(&guest, "feature-ipv6-csum-offload", NULL);
    front_write(&guest, "feature-no-csum-offload", "1");
    guest_state(&guest, "4");
    fake_xen_sleep(500 * MS);
    assert_int_equal(back_state(&guest), 4);
    assert_int_equal(vif->port.tx_caps, PORT_TX_MULTI_SEG);
    rx_post(&guest, 4);
    give(frame_chop(frame_make(station(1), station(2), 1514), 500));
    assert_int_equal(received(), 1514);
    tx_send(&guest, bytes, 1514, 4096, 0, 0);
    loop_turn();
    assert_frame(0, 1514);
}

/* Linux' backend reads them when the frontend connects, and so do we: the next connect counts. */
static void features_written_after_connecting_count_at_the_next(void **state)
{
    (void)state;
    guest_state(&guest, "1");
    guest.no_gso = guest.no_csum6 = true;
    guest_connect(&guest);
    assert_int_equal(vif->port.tx_caps, PORT_TX_MULTI_SEG | PORT_TX_CSUM_V4);
    guest.no_gso = guest.no_csum6 = false;
    guest_nodes(&guest);
    fake_xen_sleep(500 * MS);
    assert_int_equal(vif->port.tx_caps, PORT_TX_MULTI_SEG | PORT_TX_CSUM_V4);
    guest_state(&guest, "1");
    guest_connect(&guest);
    assert_int_equal(vif->port.tx_caps & TSO, TSO);
}

/* Nodes that come one by one, with looks of ours in between, up to the last moment. */
static void features_written_late_count(void **state)
{
    (void)state;
    guest_state(&guest, "1");
    fake_xen_sleep(500 * MS);
    guest_rings(&guest);
    guest.no_gso = guest.no_sg = true;
    guest_nodes(&guest);
    fake_xen_sleep(900 * MS);
    front_write(&guest, "feature-gso-tcpv4", "1");
    fake_xen_run();
    front_write(&guest, "feature-sg", "1");
    guest_state(&guest, "4");
    fake_xen_sleep(500 * MS);
    assert_int_equal(back_state(&guest), 4);
    assert_int_equal(vif->port.tx_caps & TSO, TSO);
}

static void frontend_that_closes_before_it_connected_may_begin_anew(void **state)
{
    static const char *const ways[][3] = { { "5", "6", "1" },
                                           { "6", "1", NULL },
                                           { "5", "1", NULL } };

    (void)state;
    for (unsigned int i = 0; i < 3 * ARRAY_LEN(ways); i++) {
        guest_state(&guest, "1");
        fake_xen_sleep(500 * MS);
        assert_int_equal(back_state(&guest), 2);
        assert_int_equal(gnttab_nr_maps(), 0);
        for (unsigned int j = 0; j < 3 && ways[i % 3][j]; j++)
            guest_state(&guest, ways[i % 3][j]);
        fake_xen_sleep(500 * MS);
        assert_int_equal(back_state(&guest), 2);
        guest_connect(&guest);
        assert_int_equal(back_state(&guest), 4);
        assert_int_equal(gnttab_nr_maps(), 2);
        assert_int_equal(fake_host.nr_attached, 1);
    }
}

/* The toolstack takes the vif away and makes another of its name, at every step of the first's end. */
static void vif_made_anew_while_it_closes_is_another(void **state)
{
    (void)state;
    for (unsigned int events = 0; events < 40; events++) {
        guest_detach(&guest);
        for (unsigned int i = 0; i < events; i++)
            fake_xen_sleep(25 * MS);
        back_write(&guest, "", NULL);
        front_write(&guest, "", NULL);
        guest_free(&guest);
        guest_create(&guest, 7, 0);
        fake_xen_sleep(3000 * MS);
        assert_int_equal(vif_nr(), 1);
        assert_int_equal(back_state(&guest), 2);
        assert_int_equal(gnttab_nr_maps(), 0);
        assert_int_equal(evtchn_nr_open(), 0);
        guest_connect(&guest);
        assert_int_equal(back_state(&guest), 4);
        assert_int_equal(vif_nr_connected(), 1);
        assert_int_equal(fake_host.nr_attached, 1);
    }
}

/* However often it rings, a guest with nothing to send costs a look a turn, and no hypercall. */
static void events_without_requests_cost_nothing(void **state)
{
    unsigned int calls, requests = fake_store_requests();

    (void)state;
    assert_true(loop_idle());
    calls = fake_copy_calls();
    for (unsigned int i = 0; i < 1000; i++)
        fake_port_ring(7, GUEST_TX_PORT);
    assert_true(loop_idle());
    assert_int_equal(fake_copy_calls(), calls);
    assert_int_equal(fake_store_requests(), requests);
    assert_int_equal(fake_port_notified(7, GUEST_TX_PORT), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        TEST(guest_with_few_slots_is_sent_short_frames),
        TEST(guest_that_is_late_is_sent_long_frames),
        TEST(guest_with_few_slots_that_does_not_notify),
        TEST(guest_with_one_slot_is_served),
        TEST(guest_with_a_small_mtu_gets_no_longer_frames_but_merged_ones),
        TEST(plain_guest_is_served),
        TEST(features_written_after_connecting_count_at_the_next),
        TEST(features_written_late_count),
        TEST(frontend_that_closes_before_it_connected_may_begin_anew),
        TEST(vif_made_anew_while_it_closes_is_another),
        TEST(events_without_requests_cost_nothing),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
