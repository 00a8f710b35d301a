/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_net.h"
#include "net/bridge.h"

#define SECOND 1000000000ull
#define PORTS 4

static const struct rte_ether_addr everyone = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct bridge *bridge;
static struct fake_port ports[PORTS]; /* 0 is the uplink */

static int start(void **state)
{
    (void)state;
    bridge_init(fixture_pool(), 42);
    if (bridge_create("xenbr0", &bridge) != 0)
        return -1;
    for (unsigned int i = 0; i < PORTS; i++) {
        fake_port_init(&ports[i], i ? "vif" : "nic", ~0u);
        if (bridge_port_add(bridge, &ports[i].port, i == 0) != 0)
            return -1;
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    return fake_ports_end(ports, PORTS);
}

/* One frame in through a port, and the end of the turn. */
static void send_at(unsigned int from, struct rte_ether_addr dst, struct rte_ether_addr src,
                    uint64_t now)
{
    fake_port_input(&ports[from], frame_make(dst, src, 64), now);
}

static void send(unsigned int from, struct rte_ether_addr dst, struct rte_ether_addr src)
{
    send_at(from, dst, src, 0);
}

static void assert_kept(unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
    assert_int_equal(ports[0].nr_kept, a);
    assert_int_equal(ports[1].nr_kept, b);
    assert_int_equal(ports[2].nr_kept, c);
    assert_int_equal(ports[3].nr_kept, d);
}

static void an_unknown_station_is_looked_for_everywhere_but_behind_the_ingress(void **state)
{
    (void)state;
    send(1, station(9), station(1));
    assert_kept(1, 0, 1, 1);
}

static void a_known_station_gets_its_frames_alone(void **state)
{
    (void)state;
    send(2, everyone, station(2));
    assert_kept(1, 1, 0, 1);
    send(1, station(2), station(1));
    assert_kept(1, 1, 1, 1);
    send(2, station(1), station(2));
    assert_kept(1, 2, 1, 1);
}

static void guests_reach_each_other_while_the_wire_is_down(void **state)
{
    (void)state;
    ports[0].port.up = false;
    send(2, everyone, station(2));
    send(1, station(2), station(1));
    assert_kept(0, 1, 1, 1);
    assert_int_equal(ports[0].port.stats.tx_drops, 1);
}

static void broadcast_and_multicast_are_flooded(void **state)
{
    struct rte_ether_addr group = { { 0x33, 0x33, 0, 0, 0, 1 } };

    (void)state;
    send(0, everyone, station(1));
    send(0, group, station(1));
    assert_kept(0, 2, 2, 2);
}

static void a_flooded_frame_is_shared_not_copied(void **state)
{
    (void)state;
    send(0, everyone, station(1));
    assert_ptr_equal(ports[1].kept[0], ports[2].kept[0]);
    assert_ptr_equal(ports[1].kept[0], ports[3].kept[0]);
    assert_int_equal(rte_mbuf_refcnt_read(ports[1].kept[0]), 3);
    assert_int_equal(fixture_in_use(), 1);
}

static void every_segment_of_a_flooded_chain_is_shared(void **state)
{
    struct rte_mbuf *frame = frame_chop(frame_make(everyone, station(1), 64), 16);

    (void)state;
    bridge_input(&ports[0].port, &frame, 1, 0);
    bridge_flush();
    for (struct rte_mbuf *seg = ports[1].kept[0]; seg; seg = seg->next)
        assert_int_equal(rte_mbuf_refcnt_read(seg), 3);
}

static void a_frame_for_the_port_it_came_from_is_dropped(void **state)
{
    (void)state;
    send(1, everyone, station(1));
    send(1, everyone, station(2));
    fake_port_empty(&ports[0]);
    send(1, station(2), station(1));
    assert_kept(0, 0, 2, 2);
}

static void a_station_that_moves_is_followed(void **state)
{
    (void)state;
    send(1, everyone, station(1));
    send(2, everyone, station(1));
    send(3, station(1), station(3));
    assert_int_equal(ports[1].nr_kept, 1); /* the broadcast of 2 */
    assert_int_equal(ports[2].nr_kept, 2); /* the broadcast of 1, and the frame */
}

static void an_aged_station_is_looked_for_again(void **state)
{
    (void)state;
    bridge_ageing_set(10 * SECOND);
    send_at(1, everyone, station(1), 0);
    send_at(2, station(1), station(2), 9 * SECOND);
    assert_kept(1, 1, 1, 1);
    send_at(2, station(1), station(2), 11 * SECOND);
    assert_kept(2, 2, 1, 2);
}

static void senders_without_a_proper_address_are_refused(void **state)
{
    struct rte_ether_addr nobody = { { 0 } }, group = { { 3, 0, 0, 0, 0, 1 } };

    (void)state;
    send(1, everyone, nobody);
    send(1, everyone, group);
    send(1, everyone, everyone);
    assert_kept(0, 0, 0, 0);
    assert_int_equal(ports[1].port.stats.rx_errors, 3);
    assert_int_equal(bridge_port_stations(&ports[1].port), 0);
}

static void frames_without_a_whole_header_are_refused(void **state)
{
    (void)state;
    for (uint32_t len = 0; len <= 14; len++) {
        struct rte_mbuf *frame = frame_make(everyone, station(1), len);

        bridge_input(&ports[1].port, &frame, 1, 0);
    }
    bridge_flush();
    assert_int_equal(ports[1].port.stats.rx_errors, 14);
    assert_kept(1, 0, 1, 1);
}

static const struct rte_ether_addr link_local = { { 0x01, 0x80, 0xc2, 0, 0, 0 } };

static unsigned int nr_forwarded(uint8_t last_byte)
{
    struct rte_ether_addr group = link_local;
    unsigned int before = ports[1].nr_kept;

    group.addr_bytes[5] = last_byte;
    send(0, group, station(1));
    return ports[1].nr_kept - before;
}

static void link_local_groups_stay_on_their_link_but_the_spanning_tree(void **state)
{
    (void)state;
    for (uint8_t i = 0; i <= 0x10; i++)
        assert_int_equal(nr_forwarded(i), i == 0 || i == 0x10);
    assert_kept(0, 2, 2, 2);
    assert_int_equal(ports[0].port.stats.rx_errors, 0);
}

static void link_local_groups_pass_where_the_mask_says_so(void **state)
{
    (void)state;
    assert_int_equal(bridge_group_fwd_mask_set(bridge, 0x8000 | 0x4000 | 0x0008), 0);
    for (uint8_t i = 0; i <= 0x0f; i++)
        assert_int_equal(nr_forwarded(i), i == 0 || i == 3 || i == 14 || i == 15);
    assert_int_equal(bridge_group_fwd_mask_set(bridge, 0xffff), -EINVAL);
    assert_int_equal(nr_forwarded(3), 1);
    assert_int_equal(nr_forwarded(2), 0);
    assert_int_equal(bridge_group_fwd_mask_set(bridge, 0xfffd), 0);
    for (uint8_t i = 0; i <= 0x0f; i++)
        assert_int_equal(nr_forwarded(i), i != 1);
    assert_int_equal(bridge_group_fwd_mask_set(bridge, 0), 0);
    assert_int_equal(nr_forwarded(0), 1);
    assert_int_equal(nr_forwarded(3), 0);
}

static void a_guest_that_invents_addresses_keeps_its_quota(void **state)
{
    (void)state;
    send(2, everyone, station(2));
    for (unsigned int n = 0; n < 1000; n++) {
        send(1, station(2), station(1000 + n));
        fake_port_empty(&ports[2]);
    }
    assert_int_equal(bridge_port_stations(&ports[1].port), BRIDGE_STATIONS_GUEST);
    assert_int_equal(bridge_port_stations(&ports[2].port), 1);
    for (unsigned int n = 0; n < 1000; n++)
        send(0, station(2), station(5000 + n));
    assert_int_equal(bridge_port_stations(&ports[0].port), BRIDGE_STATIONS_UPLINK);
}

static void frames_are_gathered_into_bursts_and_flushed_once(void **state)
{
    struct rte_mbuf *frames[PORT_BURST + 1];

    (void)state;
    send(2, everyone, station(2));
    for (unsigned int i = 0; i <= PORT_BURST; i++)
        frames[i] = frame_make(station(2), station(1), 64 + i);
    bridge_input(&ports[1].port, frames, PORT_BURST - 1, 0);
    assert_int_equal(ports[2].nr_bursts, 0);
    bridge_input(&ports[1].port, frames + PORT_BURST - 1, 2, 0);
    assert_int_equal(ports[2].nr_bursts, 1);
    assert_int_equal(ports[2].nr_kept, PORT_BURST);
    bridge_flush();
    assert_int_equal(ports[2].nr_kept, PORT_BURST + 1);
    assert_int_equal(ports[2].nr_flushes, 1);
    bridge_flush();
    assert_int_equal(ports[2].nr_bursts, 2);
    assert_int_equal(ports[2].nr_flushes, 1);
    for (unsigned int i = 0; i <= PORT_BURST; i++)
        assert_int_equal(ports[2].kept[i]->pkt_len, 64 + i); /* in order */
}

static void a_port_whose_burst_was_just_full_is_flushed_too(void **state)
{
    struct rte_mbuf *frames[PORT_BURST];

    (void)state;
    send(2, everyone, station(2));
    for (unsigned int i = 0; i < PORT_BURST; i++)
        frames[i] = frame_make(station(2), station(1), 64);
    bridge_input(&ports[1].port, frames, PORT_BURST, 0);
    assert_int_equal(ports[2].nr_flushes, 0);
    bridge_flush();
    assert_int_equal(ports[2].nr_flushes, 1);
}

static void an_unplugged_port_leaves_nothing_behind(void **state)
{
    struct rte_mbuf *frame = frame_make(everyone, station(1), 64);

    (void)state;
    send(2, everyone, station(2));
    bridge_input(&ports[1].port, &frame, 1, 0);
    bridge_port_remove(&ports[2].port);
    bridge_flush();
    assert_int_equal(ports[2].nr_kept, 0);
    assert_int_equal(ports[2].port.stats.tx_drops, 1);
    assert_null(ports[2].port.bridge);
    send(1, station(2), station(1)); /* forgotten: flooded */
    assert_kept(3, 1, 0, 3);
    bridge_port_remove(&ports[2].port);
}

static void a_port_can_come_back(void **state)
{
    (void)state;
    bridge_port_remove(&ports[2].port);
    assert_int_equal(bridge_port_add(bridge, &ports[2].port, false), 0);
    assert_int_equal(bridge_port_add(bridge, &ports[2].port, false), -EBUSY);
    send(2, everyone, station(2));
    send(1, station(2), station(1));
    assert_kept(1, 1, 1, 1);
}

static void a_port_may_be_unplugged_by_its_own_burst_in_a_flood(void **state)
{
    struct rte_mbuf *frames[PORT_BURST + 3];

    (void)state;
    for (unsigned int i = 0; i < PORT_BURST + 3; i++)
        frames[i] = frame_make(everyone, station(1), 64);
    ports[2].remove_in_burst = &ports[2].port;
    bridge_input(&ports[1].port, frames, PORT_BURST + 3, 0);
    bridge_flush();
    assert_kept(PORT_BURST + 3, 0, PORT_BURST, PORT_BURST + 3);
    assert_int_equal(ports[2].nr_flushes, 0);
}

static void the_last_target_of_a_flood_may_vanish_on_the_way(void **state)
{
    struct rte_mbuf *frames[PORT_BURST];

    (void)state;
    for (unsigned int i = 0; i < PORT_BURST; i++)
        frames[i] = frame_make(everyone, station(1), 64);
    ports[2].remove_in_burst = &ports[3].port;
    bridge_input(&ports[1].port, frames, PORT_BURST, 0);
    bridge_flush();
    assert_kept(PORT_BURST, 0, PORT_BURST, 0);
}

static void the_ingress_may_vanish_on_the_way(void **state)
{
    struct rte_mbuf *frames[PORT_BURST + 5];

    (void)state;
    send(2, everyone, station(2));
    for (unsigned int i = 0; i < PORT_BURST + 5; i++)
        frames[i] = frame_make(station(2), station(1), 64);
    ports[2].remove_in_burst = &ports[1].port;
    bridge_input(&ports[1].port, frames, PORT_BURST + 5, 0);
    bridge_flush();
    assert_int_equal(ports[2].nr_kept, PORT_BURST);
    assert_int_equal(ports[1].port.stats.rx_errors, 5);
}

static void the_target_may_vanish_between_two_alike_frames(void **state)
{
    struct rte_mbuf *frames[PORT_BURST + 5];

    (void)state;
    send(2, everyone, station(2));
    for (unsigned int i = 0; i < PORT_BURST + 5; i++)
        frames[i] = frame_make(station(2), station(1), 64);
    ports[2].remove_in_burst = &ports[2].port;
    bridge_input(&ports[1].port, frames, PORT_BURST + 5, 0);
    bridge_flush();
    assert_kept(1 + 5, 1, PORT_BURST, 1 + 5);
}

static void bridges_are_apart(void **state)
{
    struct fake_port other[2];
    struct bridge *second;

    (void)state;
    assert_int_equal(bridge_create("xenbr1", &second), 0);
    for (unsigned int i = 0; i < 2; i++) {
        fake_port_init(&other[i], "other", 0);
        assert_int_equal(bridge_port_add(second, &other[i].port, false), 0);
    }
    send(1, everyone, station(1));
    assert_int_equal(other[0].nr_kept + other[1].nr_kept, 0);
    for (unsigned int i = 0; i < 2; i++)
        bridge_port_remove(&other[i].port);
}

static void bridges_have_names(void **state)
{
    struct bridge *made = NULL;
    char name[BRIDGE_NAME_SIZE];

    (void)state;
    assert_ptr_equal(bridge_find("xenbr0"), bridge);
    assert_null(bridge_find("XENBR0"));
    assert_string_equal(bridge_name(bridge), "xenbr0");
    assert_int_equal(bridge_create("xenbr0", &made), -EEXIST);
    assert_int_equal(bridge_create("", &made), -EINVAL);
    assert_int_equal(bridge_create("0123456789abcdef", &made), -EINVAL);
    assert_null(made);
    for (unsigned int i = 1; i < BRIDGE_MAX; i++) {
        snprintf(name, sizeof(name), "br%u", i);
        assert_int_equal(bridge_create(name, &made), 0);
    }
    assert_int_equal(bridge_create("toomany", &made), -ENOSPC);
}

static void a_bridge_takes_64_ports(void **state)
{
    static struct fake_port many[BRIDGE_PORTS_MAX];
    struct bridge *second;
    struct fake_port one_more;
    struct rte_mbuf *frame = frame_make(everyone, station(1), 64);

    (void)state;
    assert_int_equal(bridge_create("xenbr1", &second), 0);
    for (unsigned int i = 0; i < BRIDGE_PORTS_MAX; i++) {
        fake_port_init(&many[i], "many", 0);
        assert_int_equal(bridge_port_add(second, &many[i].port, false), 0);
    }
    fake_port_init(&one_more, "more", 0);
    assert_int_equal(bridge_port_add(second, &one_more.port, false), -ENOSPC);
    assert_null(one_more.port.bridge);
    bridge_input(&many[63].port, &frame, 1, 0);
    bridge_flush();
    for (unsigned int i = 0; i < BRIDGE_PORTS_MAX; i++) {
        assert_int_equal(many[i].nr_kept, i == 63 ? 0 : 1);
        fake_port_empty(&many[i]);
        bridge_port_remove(&many[i].port);
    }
}

static void forgetting_a_port_floods_again(void **state)
{
    (void)state;
    send(2, everyone, station(2));
    bridge_port_forget(&ports[2].port);
    send(1, station(2), station(1));
    assert_kept(2, 1, 1, 2);
}

static const char *const names[PORTS] = { "nic0", "vif1.0", "vif2.0", "vif2.1" };

/* All anew, but what the stations' memory keeps. The ports named in join are plugged in, in its order. */
static unsigned int restart(const char *join)
{
    unsigned int nr = bridge_resume(fixture_pool(), 43);

    assert_int_equal(bridge_create("xenbr0", &bridge), 0);
    for (unsigned int i = 0; i < PORTS; i++) {
        fake_port_empty(&ports[i]);
        fake_port_init(&ports[i], names[i], ~0u);
    }
    for (; *join; join++)
        assert_int_equal(bridge_port_add(bridge, &ports[*join - '0'].port, *join == '0'), 0);
    return nr;
}

static void stations_are_known_over_a_restart(void **state)
{
    (void)state;
    restart("0123");
    for (unsigned int i = 0; i < PORTS; i++)
        send(i, everyone, station(i));
    assert_int_equal(restart("3120"), 4);
    for (unsigned int i = 0; i < PORTS; i++)
        assert_int_equal(bridge_port_stations(&ports[i].port), 1);
    send(1, station(0), station(1));
    assert_kept(1, 0, 0, 0);
    send(0, station(3), station(0));
    assert_kept(1, 0, 0, 1);
}

static void stations_of_a_port_that_is_late_are_looked_for_until_then(void **state)
{
    (void)state;
    restart("0123");
    send(0, everyone, station(9));
    restart("123");
    send(1, station(9), station(1));
    assert_kept(0, 0, 1, 1);
    assert_int_equal(bridge_port_add(bridge, &ports[0].port, true), 0);
    send(1, station(9), station(1));
    assert_kept(1, 0, 1, 1);
}

static void stations_of_a_bridge_stay_in_it_over_a_restart(void **state)
{
    struct bridge *other;

    (void)state;
    restart("0123");
    send(1, everyone, station(1));
    restart("");
    assert_int_equal(bridge_create("xenbr1", &other), 0);
    assert_int_equal(bridge_port_add(other, &ports[1].port, false), 0);
    assert_int_equal(bridge_port_stations(&ports[1].port), 0);
    bridge_port_remove(&ports[1].port);
    assert_int_equal(bridge_port_add(bridge, &ports[1].port, false), 0);
    assert_int_equal(bridge_port_stations(&ports[1].port), 1);
}

static void stations_are_known_if_bridges_change_places(void **state)
{
    struct bridge *other;

    (void)state;
    restart("0123");
    send(1, everyone, station(1));
    assert_int_equal(bridge_resume(fixture_pool(), 44), 1);
    for (unsigned int i = 0; i < PORTS; i++) {
        fake_port_empty(&ports[i]);
        fake_port_init(&ports[i], names[i], ~0u);
    }
    assert_int_equal(bridge_create("xenbr1", &other), 0);
    assert_int_equal(bridge_create("xenbr0", &bridge), 0);
    for (unsigned int i = 0; i < PORTS; i++)
        assert_int_equal(bridge_port_add(bridge, &ports[i].port, i == 0), 0);
    send(2, station(1), station(2));
    assert_kept(0, 1, 0, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_station_is_looked_for_everywhere_but_behind_the_ingress),
        TEST(a_known_station_gets_its_frames_alone),
        TEST(guests_reach_each_other_while_the_wire_is_down),
        TEST(broadcast_and_multicast_are_flooded),
        TEST(a_flooded_frame_is_shared_not_copied),
        TEST(every_segment_of_a_flooded_chain_is_shared),
        TEST(a_frame_for_the_port_it_came_from_is_dropped),
        TEST(a_station_that_moves_is_followed),
        TEST(an_aged_station_is_looked_for_again),
        TEST(senders_without_a_proper_address_are_refused),
        TEST(frames_without_a_whole_header_are_refused),
        TEST(link_local_groups_stay_on_their_link_but_the_spanning_tree),
        TEST(link_local_groups_pass_where_the_mask_says_so),
        TEST(a_guest_that_invents_addresses_keeps_its_quota),
        TEST(frames_are_gathered_into_bursts_and_flushed_once),
        TEST(a_port_whose_burst_was_just_full_is_flushed_too),
        TEST(an_unplugged_port_leaves_nothing_behind),
        TEST(a_port_can_come_back),
        TEST(a_port_may_be_unplugged_by_its_own_burst_in_a_flood),
        TEST(the_last_target_of_a_flood_may_vanish_on_the_way),
        TEST(the_ingress_may_vanish_on_the_way),
        TEST(the_target_may_vanish_between_two_alike_frames),
        TEST(bridges_are_apart),
        TEST(bridges_have_names),
        TEST(a_bridge_takes_64_ports),
        TEST(forgetting_a_port_floods_again),
        TEST(stations_are_known_over_a_restart),
        TEST(stations_of_a_port_that_is_late_are_looked_for_until_then),
        TEST(stations_of_a_bridge_stay_in_it_over_a_restart),
        TEST(stations_are_known_if_bridges_change_places),
    };

    return cmocka_run_group_tests_name("bridge", tests, fixture_start, NULL);
}
