/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast control: the list, who may amend it, what is filtered, and that it outlives a restart. */
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
#include "fixture_vif_tx.h"
#include "vif/device.h"

#define ADD XEN_NETIF_EXTRA_TYPE_MCAST_ADD
#define DEL XEN_NETIF_EXTRA_TYPE_MCAST_DEL
#define WISH "request-multicast-control"

static struct vif *const vif = &vif_table[0];

static struct rte_ether_addr group(uint8_t n)
{
    return (struct rte_ether_addr){ { 0x01, 0x00, 0x5e, 0, 0, n } };
}

/* Both slots of a control request, pushed and served. Returns the answer. */
static int ask_with(uint8_t type, struct rte_ether_addr address, uint16_t size, uint16_t flags)
{
    struct netif_extra_info extra = { .type = type };
    int status;

    memcpy(extra.u.mcast.addr, &address, sizeof(address));
    tx_put(&guest, 0, 4095, size, NETTXF_extra_info | flags);
    memcpy(RING_GET_REQUEST(&guest.tx, guest.tx.req_prod_pvt++), &extra, sizeof(extra));
    if (flags & NETTXF_more_data)
        tx_put(&guest, GUEST_TX_REF, 0, 60, 0);
    tx_push(&guest);
    loop_turn();
    status = tx_response(&guest, NULL);
    assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
    if (flags & NETTXF_more_data)
        assert_int_equal(tx_response(&guest, NULL), status);
    assert_no_response();
    assert_int_equal(fake_host.nr_frames, 0);
    return status;
}

static int ask(uint8_t type, struct rte_ether_addr address)
{
    return ask_with(type, address, 0, 0);
}

/* Does a frame to this address reach the guest? */
static bool reaches(struct rte_ether_addr address)
{
    struct rte_mbuf *frame = frame_make(address, station(1), 60);
    uint16_t flags, gso;
    int len;

    rx_post(&guest, 1);
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
    loop_turn();
    len = rx_take(&guest, got, &flags, &gso);
    if (len == -100) { /* the request is for the next one */
        guest.rx.req_prod_pvt--;
        guest.rx.sring->req_prod--;
        return false;
    }
    assert_int_equal(len, 60);
    assert_memory_equal(got, &address, sizeof(address));
    return true;
}

static void wish(const char *value)
{
    front_write(&guest, WISH, value);
    fake_xen_run();
}

static const struct rte_ether_addr everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static void nothing_is_filtered_unasked(void **state)
{
    (void)state;
    assert_string_equal(back_read(&guest, "feature-multicast-control"), "1");
    assert_string_equal(back_read(&guest, "feature-dynamic-multicast-control"), "1");
    assert_true(reaches(group(1)));
    assert_int_equal(ask(ADD, group(2)), NETIF_RSP_OKAY); /* allowed, and without effect */
    assert_true(reaches(group(1)));
}

static void only_listed_groups_reach_a_guest_that_asks(void **state)
{
    (void)state;
    wish("1");
    assert_false(reaches(group(1)));
    assert_int_equal(vif->counts.nr_filtered, 1);
    assert_int_equal(vif->port.stats.tx_drops, 0);
    assert_int_equal(ask(ADD, group(1)), NETIF_RSP_OKAY);
    assert_true(reaches(group(1)));
    assert_false(reaches(group(2)));
    assert_true(reaches(everybody));
    assert_true(reaches(station(2)));
    assert_int_equal(ask(DEL, group(1)), NETIF_RSP_OKAY);
    assert_false(reaches(group(1)));
    assert_true(reaches(everybody));
    assert_int_equal(vif->port.stats.rx_errors, 0);
    assert_int_equal(vif->port.stats.rx_frames, 0);
}

static void wish_may_change_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(ask(ADD, group(1)), NETIF_RSP_OKAY);
    for (unsigned int i = 0; i < 3; i++) {
        wish("1");
        assert_false(reaches(group(2)));
        assert_true(reaches(group(1)));
        wish(i ? "0" : NULL);
        assert_true(reaches(group(2)));
    }
    wish("1");
    wish("maybe"); /* as it was */
    assert_false(reaches(group(2)));
    assert_true(fake_log_has("what it wants of multicast stays as it was: node " WISH));
    assert_int_equal(back_state(&guest), 4);
}

static void wish_before_connecting_holds_from_the_first_frame(void **state)
{
    (void)state;
    guest_state(&guest, "1");
    guest_rings(&guest);
    guest_nodes(&guest);
    front_write(&guest, WISH, "1");
    guest_state(&guest, "4");
    fake_xen_sleep(500000000);
    assert_int_equal(back_state(&guest), 4);
    assert_false(reaches(group(1)));
}

static void list_begins_empty_at_each_connect(void **state)
{
    (void)state;
    wish("1");
    assert_int_equal(ask(ADD, group(1)), NETIF_RSP_OKAY);
    guest_state(&guest, "1");
    guest_connect(&guest);
    assert_false(reaches(group(1)));
}

static void address_added_twice_is_deleted_twice(void **state)
{
    (void)state;
    wish("1");
    assert_int_equal(ask(ADD, group(1)), NETIF_RSP_OKAY);
    assert_int_equal(ask(ADD, group(1)), NETIF_RSP_OKAY);
    assert_int_equal(ask(DEL, group(1)), NETIF_RSP_OKAY);
    assert_true(reaches(group(1)));
    assert_int_equal(ask(DEL, group(1)), NETIF_RSP_OKAY);
    assert_false(reaches(group(1)));
    assert_int_equal(ask(DEL, group(1)), NETIF_RSP_OKAY);
}

static void list_is_bounded(void **state)
{
    (void)state;
    wish("1");
    for (unsigned int i = 0; i < MULTICAST_MAX; i++)
        assert_int_equal(ask(ADD, group((uint8_t)i)), NETIF_RSP_OKAY);
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(ask(ADD, group(200)), NETIF_RSP_ERROR);
    assert_true(fake_log_has("vif7.0: it asks for more than 64 multicast addresses"));
    assert_false(reaches(group(200)));
    for (unsigned int i = 0; i < MULTICAST_MAX; i++)
        assert_true(reaches(group((uint8_t)i)));
    assert_int_equal(ask(DEL, group(5)), NETIF_RSP_OKAY);
    assert_int_equal(ask(ADD, group(200)), NETIF_RSP_OKAY);
    assert_true(reaches(group(200)));
    assert_true(reaches(group(MULTICAST_MAX - 1)));
}

static void what_is_no_group_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ask(ADD, everybody), NETIF_RSP_ERROR);
    assert_int_equal(ask(ADD, station(1)), NETIF_RSP_ERROR);
    assert_int_equal(ask(ADD, (struct rte_ether_addr){ 0 }), NETIF_RSP_ERROR);
    assert_int_equal(vif->multicast.nr, 0);
}

/* A dummy request has nothing but its extra info; what its first slot says does not matter. */
static void request_is_a_dummy(void **state)
{
    (void)state;
    assert_int_equal(ask_with(ADD, group(1), 65535, NETTXF_csum_blank), NETIF_RSP_OKAY);
    assert_int_equal(ask_with(ADD, group(2), 60, NETTXF_more_data), NETIF_RSP_ERROR);
    assert_int_equal(vif->multicast.nr, 1);
}

static void chain_of_wishes_is_refused(void **state)
{
    static const uint8_t types[][2] = { { ADD, ADD }, { ADD, DEL }, { ADD, 1 }, { 1, DEL } };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(types); i++) {
        tx_put(&guest, GUEST_TX_REF, 0, 3000, NETTXF_extra_info);
        tx_extra(&guest, types[i][0], XEN_NETIF_EXTRA_FLAG_MORE, 1, 1448);
        tx_extra(&guest, types[i][1], 0, 1, 1448);
        tx_push(&guest);
        loop_turn();
        assert_responses(1, NETIF_RSP_ERROR);
        assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
        assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
    }
    assert_int_equal(vif->multicast.nr, 0);
    assert_int_equal(fake_host.nr_frames, 0);
}

static void list_outlives_a_restart(void **state)
{
    (void)state;
    wish("1");
    assert_int_equal(ask(ADD, group(1)), NETIF_RSP_OKAY);
    assert_int_equal(kernel_restart(), 1);
    assert_true(reaches(group(1)));
    assert_false(reaches(group(2)));
    /* The nodes are looked at again: nobody told us of a change meanwhile. */
    assert_int_equal(kernel_restart(), 1);
    front_write(&guest, WISH, "0");
    assert_int_equal(vif_watch(), 0);
    fake_xen_run();
    assert_true(reaches(group(2)));
    wish("1");
    assert_false(reaches(group(2)));
    assert_true(reaches(group(1)));
}

/* A wish that was taken back is not applied again by the next start, before it looks. */
static void record_follows_the_wish(void **state)
{
    (void)state;
    wish("1");
    wish("0");
    assert_int_equal(kernel_restart(), 1);
    assert_true(reaches(group(1)));
    assert_int_equal(vif_watch(), 0);
    fake_xen_run();
}

/* It would filter what the guest wants. */
static void damaged_list_filters_nothing(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        wish("1");
        assert_int_equal(ask(ADD, group(1)), NETIF_RSP_OKAY);
        if (i == 0)
            vif->multicast.addresses[0].addr_bytes[5] ^= 1;
        else if (i == 1)
            vif->multicast.nr = 200;
        else
            vif->multicast.sum++;
        assert_int_equal(kernel_restart(), 1);
        assert_true(fake_log_has("its multicast addresses are lost"));
        assert_true(reaches(group(1)));
        assert_true(reaches(group(2)));
        assert_int_equal(ask(ADD, group(3)), NETIF_RSP_OKAY);
        assert_true(reaches(group(2)));
        assert_int_equal(vif_watch(), 0);
        fake_xen_run();
        guest_state(&guest, "1");
        guest_connect(&guest);
        assert_false(reaches(group(2)));
    }
}

/* A successor finds the rings in use, and no list: its guest has no reason to send it again. */
static void taken_over_vif_is_given_all(void **state)
{
    (void)state;
    front_write(&guest, WISH, "1");
    guest_state(&guest, "1");
    guest_connect(&guest);
    assert_false(reaches(group(2)));
    vif_record_void(vif);
    assert_int_equal(kernel_restart(), 0);
    fake_port_offer(7, GUEST_TX_PORT);
    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(500000000);
    assert_int_equal(vif_nr_connected(), 1);
    assert_true(reaches(group(2)));
    assert_int_equal(ask(ADD, group(3)), NETIF_RSP_OKAY);
    assert_true(reaches(group(2)));
}

static void random_amendments_match_a_model(void **state)
{
    unsigned int model[16] = { 0 }, nr = 0;

    (void)state;
    wish("1");
    srandom(1);
    for (unsigned int i = 0; i < 3000; i++) {
        uint8_t n = (uint8_t)(random() % 16);

        if (random() % 2 == 0) {
            bool full = nr == MULTICAST_MAX;

            assert_int_equal(ask(ADD, group(n)), full ? NETIF_RSP_ERROR : NETIF_RSP_OKAY);
            model[n] += !full;
            nr += !full;
        } else {
            assert_int_equal(ask(DEL, group(n)), NETIF_RSP_OKAY);
            nr -= model[n] > 0;
            model[n] -= model[n] > 0;
        }
        n = (uint8_t)(random() % 16);
        assert_int_equal(reaches(group(n)), model[n] > 0);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_filtered_unasked),
        TEST(only_listed_groups_reach_a_guest_that_asks),
        TEST(wish_may_change_at_any_time),
        TEST(wish_before_connecting_holds_from_the_first_frame),
        TEST(list_begins_empty_at_each_connect),
        TEST(address_added_twice_is_deleted_twice),
        TEST(list_is_bounded),
        TEST(what_is_no_group_is_refused),
        TEST(request_is_a_dummy),
        TEST(chain_of_wishes_is_refused),
        TEST(list_outlives_a_restart),
        TEST(record_follows_the_wish),
        TEST(damaged_list_filters_nothing),
        TEST(taken_over_vif_is_given_all),
        TEST(random_amendments_match_a_model),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
