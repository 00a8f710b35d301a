/* SPDX-License-Identifier: BSD-2-Clause */
/* Backpressure: what a guest sends to a full port stays on its ring for a while, and no longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "net/egress.h"
#include "vif/device.h"

#define MS 1000000ull
#define FULL (VIF_QUEUE_FULL / 2 + 1) /* so many wait when a port is full */
#define PATIENCE (20 * MS)

static struct fake_guest from, to;
static uint8_t bytes[1400];

static struct port *port_of(const struct fake_guest *guest)
{
    return &vif_find(guest->domid, guest->handle)->port;
}

static int setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    guest_up(&from, 7);
    guest_up(&to, 8);
    memset(bytes, 0, sizeof(bytes));
    bytes[0] = 2;
    fake_host.to = port_of(&to);
    return vif_nr_connected() == 2 ? egress_plug(fake_host.to) : -1;
}

static int teardown(void **state)
{
    egress_unplug(port_of(&to));
    vif_disconnect(vif_find(7, 0));
    vif_disconnect(vif_find(8, 0));
    guest_free(&from);
    guest_free(&to);
    return vif_test_teardown(state);
}

static void send(unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        tx_send(&from, bytes, 60, 4096, 0, 0);
}

static unsigned int answered(void)
{
    unsigned int nr = 0;

    while (tx_response(&from, NULL) == NETIF_RSP_OKAY)
        nr++;
    return nr;
}

/* Send until the other is full; what was sent is answered. */
static void fill(void)
{
    for (unsigned int sent = 0; !port_of(&to)->is_full; sent += PORT_BURST) {
        assert_true(sent < VIF_QUEUE_FRAMES);
        send(PORT_BURST);
        loop_turn();
        assert_int_equal(answered(), PORT_BURST);
    }
    assert_true(vif_nr_queued_mbufs() >= FULL);
    send(1); /* this one finds it full */
    loop_turn();
    assert_int_equal(answered(), 1);
}

static void what_is_sent_to_a_full_port_stays_on_the_ring(void **state)
{
    (void)state;
    fill();
    send(PORT_BURST);
    assert_true(loop_idle());
    assert_int_equal(answered(), 0);
    assert_int_equal(port_of(&to)->stats.tx_drops, 0);
}

static void it_goes_on_as_soon_as_there_is_room(void **state)
{
    (void)state;
    fill();
    send(PORT_BURST);
    assert_true(loop_idle());
    rx_post(&to, GUEST_RING);
    loop_turn(); /* what waited goes */
    while (vif_nr_queued_mbufs() > 0)
        loop_turn();
    loop_turn();
    assert_int_equal(answered(), PORT_BURST);
    assert_int_equal(port_of(&to)->stats.tx_drops, 0);
}

static void it_goes_on_after_a_while_all_the_same(void **state)
{
    (void)state;
    fill();
    send(3 * PORT_BURST);
    for (unsigned int i = 0; i < 3; i++) {
        assert_true(loop_idle());
        assert_int_equal(answered(), 0);
        fake_xen_sleep(VIF_HOLD_NS);
        loop_turn();
        assert_int_equal(answered(), PORT_BURST);
    }
}

static void nobody_waits_for_one_that_takes_nothing(void **state)
{
    (void)state;
    fill();
    fake_xen_sleep(PATIENCE + MS);
    loop_turn();
    assert_false(port_of(&to)->is_full);
    for (unsigned int i = 0; i < 20; i++) {
        send(PORT_BURST);
        loop_turn();
        assert_int_equal(answered(), PORT_BURST);
    }
    assert_true(port_of(&to)->stats.tx_drops > 0);
}

static void what_is_for_everybody_waits_for_nobody(void **state)
{
    (void)state;
    fill();
    fake_xen_sleep(VIF_HOLD_NS);
    bytes[0] = 0xff;
    for (unsigned int i = 0; i < 3; i++) {
        send(PORT_BURST);
        loop_turn();
        assert_int_equal(answered(), PORT_BURST);
    }
}

static void other_ports_are_sent_to_meanwhile(void **state)
{
    struct fake_port wire;

    (void)state;
    fake_port_init(&wire, "nic0", UINT32_MAX);
    assert_int_equal(egress_plug(&wire.port), 0);
    fill();
    fake_xen_sleep(VIF_HOLD_NS);
    fake_host.to = &wire.port;
    for (unsigned int i = 0; i < 3; i++) {
        send(PORT_BURST);
        loop_turn();
        assert_int_equal(answered(), PORT_BURST);
    }
    assert_int_equal(wire.nr_kept, 3 * PORT_BURST);
    egress_unplug(&wire.port);
    fake_port_empty(&wire);
    fake_host.to = port_of(&to);
}

static void one_that_goes_holds_nobody(void **state)
{
    (void)state;
    fill();
    send(PORT_BURST);
    assert_true(loop_idle());
    vif_disconnect(vif_find(8, 0));
    loop_turn();
    assert_int_equal(answered(), PORT_BURST);
    assert_int_equal(fixture_in_use(), 0);
}

static void one_that_is_held_may_go(void **state)
{
    (void)state;
    fill();
    send(PORT_BURST);
    assert_true(loop_idle());
    vif_disconnect(vif_find(7, 0));
    fake_xen_sleep(2 * VIF_HOLD_NS);
    assert_true(loop_idle());
}

static void a_kernel_that_restarts_holds_nobody(void **state)
{
    (void)state;
    fill();
    send(PORT_BURST);
    assert_true(loop_idle());
    assert_int_equal(kernel_restart(), 2);
    assert_false(port_of(&to)->is_full);
    assert_int_equal(egress_plug(port_of(&to)), 0);
    loop_turn();
    assert_int_equal(answered(), PORT_BURST);
}

static void each_turn_begins_with_another_guest(void **state)
{
    unsigned int nr_first[256] = { 0 };

    (void)state;
    fake_host.to = NULL;
    for (unsigned int i = 0; i < 10; i++) {
        bytes[6] = 7;
        send(1);
        bytes[6] = 8;
        tx_send(&to, bytes, 60, 4096, 0, 0);
        loop_turn();
        assert_int_equal(fake_host.nr_frames, 2);
        nr_first[rte_pktmbuf_mtod(fake_host.frames[0], uint8_t *)[6]]++;
        fake_host_empty();
    }
    assert_int_equal(nr_first[7], 5);
    assert_int_equal(nr_first[8], 5);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_sent_to_a_full_port_stays_on_the_ring),
        TEST(it_goes_on_as_soon_as_there_is_room),
        TEST(it_goes_on_after_a_while_all_the_same),
        TEST(nobody_waits_for_one_that_takes_nothing),
        TEST(what_is_for_everybody_waits_for_nobody),
        TEST(other_ports_are_sent_to_meanwhile),
        TEST(one_that_goes_holds_nobody),
        TEST(one_that_is_held_may_go),
        TEST(a_kernel_that_restarts_holds_nobody),
        TEST(each_turn_begins_with_another_guest),
    };

    return cmocka_run_group_tests_name("vif hold", tests, vif_test_group, NULL);
}
