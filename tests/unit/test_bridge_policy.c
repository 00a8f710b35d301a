/* SPDX-License-Identifier: BSD-2-Clause */
/* What ports may not: isolation, storms, pinned stations, filters. */
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
#include "net/fdb.h"
#include "net/filter.h"

#define SECOND 1000000000ull
#define PORTS 4

static const struct rte_ether_addr everyone = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct bridge *bridge;
static struct fake_port ports[PORTS]; /* 0 is the wire */
static struct filter
    filters[PORTS]; /* the guest's MAC is station(i), other sources do not pass; not set */

static void filter_make(unsigned int i)
{
    const struct rte_ether_addr mac = station(i);

    filter_init(&filters[i], &mac);
    filters[i].guard_mac = true;
}

static int start(void **state)
{
    (void)state;
    bridge_init(fixture_pool(), 42);
    if (bridge_create("xenbr0", &bridge) != 0)
        return -1;
    for (unsigned int i = 0; i < PORTS; i++) {
        char name[8];

        snprintf(name, sizeof(name), "port%u", i);
        fake_port_init(&ports[i], name, ~0u);
        filter_make(i);
        if (bridge_port_add(bridge, &ports[i].port, i == 0) != 0)
            return -1;
    }
    return 0;
}

static void empty(void)
{
    fake_ports_empty(ports, PORTS);
}

static int end(void **state)
{
    (void)state;
    return fake_ports_end(ports, PORTS);
}

static void input_at(unsigned int from, struct rte_mbuf *frame, uint64_t now)
{
    fake_port_input(&ports[from], frame, now);
}

/* One frame; what came out before is forgotten. */
static void say_at(unsigned int from, struct rte_ether_addr dst, struct rte_ether_addr src,
                   uint64_t now)
{
    empty();
    input_at(from, frame_make(dst, src, 64), now);
}

static void say(unsigned int from, struct rte_ether_addr dst, struct rte_ether_addr src)
{
    say_at(from, dst, src, 0);
}

static void assert_kept(unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
    assert_int_equal(ports[0].nr_kept, a);
    assert_int_equal(ports[1].nr_kept, b);
    assert_int_equal(ports[2].nr_kept, c);
    assert_int_equal(ports[3].nr_kept, d);
}

static void isolated_ports_reach_the_others_only(void **state)
{
    (void)state;
    ports[1].port.isolated = ports[2].port.isolated = true;
    say(1, everyone, station(1));
    assert_kept(1, 0, 0, 1);
    say(2, everyone, station(2));
    assert_kept(1, 0, 0, 1);
    say(1, station(2), station(1));
    assert_kept(0, 0, 0, 0);
    assert_int_equal(ports[1].port.stats.rx_drops_isolated, 1);
    say(0, station(2), station(9));
    assert_kept(0, 0, 1, 0);
    say(2, station(9), station(2));
    assert_kept(1, 0, 0, 0);
    say(3, everyone, station(3));
    assert_kept(1, 1, 1, 0);
    say(1, station(3), station(1));
    assert_kept(0, 0, 0, 1);
    say(1, station(77), station(1)); /* unknown */
    assert_kept(1, 0, 0, 1);
}

static void isolation_may_begin_and_end(void **state)
{
    (void)state;
    say(2, everyone, station(2));
    for (unsigned int i = 0; i < 4; i++) {
        ports[1].port.isolated = i & 1;
        ports[2].port.isolated = i & 2;
        say(1, station(2), station(1));
        assert_kept(0, 0, i < 3, 0);
    }
}

/* Broadcasts from port 1 at a time; returns how many of nr came out. */
static unsigned int storm(unsigned int nr, uint64_t now)
{
    unsigned int got = 0;

    for (unsigned int i = 0; i < nr; i++) {
        say_at(1, everyone, station(1), now);
        got += ports[0].nr_kept;
    }
    return got;
}

static void a_storm_is_held_back(void **state)
{
    uint64_t now = 1000 * SECOND, got = 0;

    (void)state;
    ports[1].port.storm_limit = 100;
    assert_int_equal(storm(1000, now), 25);
    assert_int_equal(ports[1].port.stats.rx_drops_storm, 975);
    for (unsigned int ms = 1; ms <= 1000; ms++)
        got += storm(2, now + ms * SECOND / 1000);
    assert_int_equal(got, 100);
    assert_int_equal(storm(1000, now + 5 * SECOND), 25);
}

static void only_what_is_flooded_counts(void **state)
{
    (void)state;
    ports[1].port.storm_limit = 4;
    say(0, everyone, station(9));
    for (unsigned int i = 0; i < 100; i++) {
        say(1, station(9), station(1));
        assert_kept(1, 0, 0, 0);
    }
    say(1, station(77), station(1));
    assert_kept(1, 0, 1, 1);
    for (unsigned int i = 0; i < 100; i++) {
        say(1, station(77), station(1)); /* as the one before */
        assert_kept(0, 0, 0, 0);
    }
    say(1, station(9), station(1));
    assert_kept(1, 0, 0, 0);
    say(2, everyone, station(2)); /* another port */
    assert_kept(1, 1, 0, 1);
}

static void any_limit_can_be_set(void **state)
{
    const uint32_t limits[] = { 1, 3, 4, 7, 1000000000u, 1000000001u, UINT32_MAX };

    (void)state;
    for (unsigned int i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint64_t now = (i + 1) * 100 * SECOND;

        ports[1].port.storm_limit = limits[i];
        assert_int_equal(storm(3, now), i < 4 ? 1 : 3);
        assert_int_equal(storm(1, now + SECOND), 1);
    }
}

static void a_storm_does_not_hide_the_station(void **state)
{
    (void)state;
    ports[1].port.storm_limit = 1;
    say(1, everyone, station(1));
    say(1, everyone, station(11));
    assert_kept(0, 0, 0, 0);
    say(0, station(11), station(9));
    assert_kept(0, 1, 0, 0);
}

static int pin(unsigned int port, struct rte_ether_addr mac)
{
    return bridge_station_pin(&ports[port].port, 0, &mac);
}

static void a_pinned_station_cannot_be_taken_over(void **state)
{
    (void)state;
    assert_int_equal(pin(1, station(1)), 0);
    say(2, everyone, station(1));
    say(2, everyone, station(1));
    assert_kept(0, 0, 0, 0);
    assert_int_equal(ports[2].port.stats.rx_drops_pinned, 2);
    say_at(0, station(1), station(9), 1000000 * SECOND);
    assert_kept(0, 1, 0, 0);
    say(1, everyone, station(1));
    assert_kept(1, 0, 1, 1);
    say(2, everyone, station(2));
    assert_kept(1, 1, 0, 1);
    bridge_port_forget(&ports[1].port);
    say(2, station(1), station(2));
    assert_kept(0, 1, 0, 0);
}

static void a_pin_goes_with_its_port(void **state)
{
    (void)state;
    assert_int_equal(pin(1, station(1)), 0);
    assert_int_equal(pin(2, station(1)), -EEXIST);
    bridge_port_remove(&ports[1].port);
    assert_int_equal(pin(1, station(1)), -EINVAL); /* in no bridge */
    assert_int_equal(pin(2, station(1)), 0);
    assert_int_equal(bridge_port_add(bridge, &ports[1].port, false), 0);
    assert_int_equal(pin(1, station(1)), -EEXIST);
}

static void a_pin_is_for_one_vlan(void **state)
{
    const struct rte_ether_addr mac = station(1);

    (void)state;
    assert_int_equal(bridge_station_pin(&ports[1].port, 10, &mac), 0);
    empty();
    input_at(2, frame_tag(frame_make(everyone, mac, 64), 0x8100, 10), 0);
    assert_kept(0, 0, 0, 0);
    input_at(2, frame_tag(frame_make(everyone, mac, 64), 0x8100, 11), 0);
    assert_kept(1, 1, 0, 1);
}

static void what_is_no_station_cannot_be_pinned(void **state)
{
    const struct rte_ether_addr mac = station(1), nobody = { { 0 } };

    (void)state;
    assert_int_equal(pin(1, everyone), -EINVAL);
    assert_int_equal(pin(1, nobody), -EINVAL);
    assert_int_equal(bridge_station_pin(&ports[1].port, 4096, &mac), -EINVAL);
    for (unsigned int i = 0; i < FDB_PINS_MAX; i++)
        assert_int_equal(pin(1, station(100 + i)), 0);
    assert_int_equal(pin(1, station(99)), -ENOSPC);
}

static void a_filter_is_asked_about_every_frame_in(void **state)
{
    (void)state;
    ports[1].port.filter = &filters[1];
    say(1, everyone, station(1));
    assert_kept(1, 0, 1, 1);
    say(1, everyone, station(66));
    say(1, everyone, station(66));
    assert_kept(0, 0, 0, 0);
    assert_int_equal(ports[1].port.stats.rx_drops_policy, 2);
    assert_int_equal(filters[1].drops[FILTER_MAC], 2);
    say(0, station(66), station(9)); /* it was not learned */
    assert_kept(0, 1, 1, 1);
}

/* A frame of IPv4 to a station; guests that deny it do not get it. */
static struct rte_mbuf *packet_to(struct rte_ether_addr dst)
{
    struct rte_mbuf *frame = frame_make_l4(false, 17, 100, 0);

    rte_pktmbuf_mtod(frame, struct rte_ether_hdr *)->dst_addr = dst;
    rte_pktmbuf_mtod(frame, struct rte_ether_hdr *)->src_addr = station(9);
    return frame;
}

static void deny(unsigned int i)
{
    filters[i].guard_mac = false;
    filters[i].deny_default[POLICY_IN] = true;
    ports[i].port.filter = &filters[i];
}

static void a_filter_is_asked_about_every_frame_out(void **state)
{
    struct bridge_info info;

    (void)state;
    say(2, everyone, station(2));
    deny(2);
    empty();
    input_at(0, packet_to(station(2)), 0);
    input_at(0, packet_to(station(2)), 0);
    assert_kept(0, 0, 0, 0);
    assert_int_equal(ports[2].port.stats.tx_drops_policy, 2);
    assert_true(bridge_info(0, &info));
    assert_int_equal(info.stats->drops[FERRY_BRIDGE_DROP_POLICY_OUT], 2);
    assert_int_equal(info.stats->nr_forwarded, 0);
    input_at(0, packet_to(station(3)), 0); /* not behind that port */
    assert_kept(0, 1, 0, 1);
}

/* The frame goes on to the others, whichever refuse it. */
static void a_flooded_frame_passes_by_those_that_do_not_want_it(void **state)
{
    (void)state;
    for (unsigned int refusing = 0; refusing < 8; refusing++) {
        empty();
        for (unsigned int i = 1; i < PORTS; i++) {
            ports[i].port.filter = NULL;
            if (refusing >> (i - 1) & 1)
                deny(i);
        }
        input_at(0, packet_to(everyone), 0);
        for (unsigned int i = 1; i < PORTS; i++)
            assert_int_equal(ports[i].nr_kept, !(refusing >> (i - 1) & 1));
        assert_int_equal(fixture_in_use(), refusing != 7);
        for (unsigned int i = 1; i < PORTS; i++)
            if (ports[i].nr_kept)
                assert_int_equal(rte_mbuf_refcnt_read(ports[i].kept[0]),
                                 3 - __builtin_popcount(refusing));
    }
}

/* To station 2 from station src, behind port 1. Returns how many came out. */
static unsigned int burst(struct rte_ether_addr src)
{
    struct rte_mbuf *frames[8];

    empty();
    for (unsigned int i = 0; i < 8; i++) {
        frames[i] = packet_to(station(2));
        rte_pktmbuf_mtod(frames[i], struct rte_ether_hdr *)->src_addr = src;
    }
    bridge_input(&ports[1].port, frames, 8, 0);
    bridge_flush();
    return ports[2].nr_kept;
}

static void what_holds_for_a_frame_holds_for_a_burst(void **state)
{
    (void)state;
    say(2, everyone, station(2));
    assert_int_equal(burst(station(1)), 8);
    ports[1].port.filter = &filters[1];
    assert_int_equal(burst(station(1)), 8);
    assert_int_equal(burst(station(7)), 0);
    assert_int_equal(ports[1].port.stats.rx_drops_policy, 8);
    deny(2);
    assert_int_equal(burst(station(1)), 0);
    assert_int_equal(ports[2].port.stats.tx_drops_policy, 8);
    ports[1].port.filter = NULL;
    assert_int_equal(burst(station(1)), 0);
    ports[2].port.filter = NULL;
    ports[1].port.isolated = ports[2].port.isolated = true;
    assert_int_equal(burst(station(1)), 0);
    assert_int_equal(ports[1].port.stats.rx_drops_isolated, 8);
    ports[2].port.isolated = false;
    assert_int_equal(burst(station(1)), 8);
    assert_int_equal(pin(3, station(1)), 0);
    assert_int_equal(burst(station(1)), 0);
    assert_int_equal(ports[1].port.stats.rx_drops_pinned, 8);
}

/* They begin alike, and one of them is forged further behind. */
static void a_forged_frame_does_not_pass_among_others(void **state)
{
    const struct rte_ether_addr mac = station(9);
    struct rte_mbuf *frames[8];
    const char *why;

    (void)state;
    say(2, everyone, station(2));
    filter_init(&filters[1], &mac);
    assert_int_equal(filter_sources_parse(&filters[1], "10.0.0.1", &why), 0);
    ports[1].port.filter = &filters[1];
    empty();
    for (unsigned int i = 0; i < 8; i++)
        frames[i] = packet_to(station(2)); /* from 10.0.0.1 */
    rte_pktmbuf_mtod(frames[5], uint8_t *)[29] = 7;
    bridge_input(&ports[1].port, frames, 8, 0);
    bridge_flush();
    assert_kept(0, 0, 7, 0);
    assert_int_equal(filters[1].drops[FILTER_IP], 1);
}

static void frames_of_ports_without_filters_are_not_parsed(void **state)
{
    (void)state;
    input_at(0, packet_to(everyone), 0);
    assert_int_equal(ports[1].kept[0]->packet_type, 0);
}

static void forty_stations_behind_one_guest_are_all_known(void **state)
{
    (void)state;
    for (unsigned int round = 0; round < 2; round++)
        for (unsigned int n = 0; n < BRIDGE_STATIONS_GUEST; n++)
            say(1, everyone, station(100 + n));
    assert_true(BRIDGE_STATIONS_GUEST >= 40);
    for (unsigned int n = 0; n < BRIDGE_STATIONS_GUEST; n++) {
        say(0, station(100 + n), station(9));
        assert_kept(0, 1, 0, 0);
    }
}

/* 64 guests, and wires and routers to go with them, get what they are to have. */
static void there_are_stations_for_every_port(void **state)
{
    static struct fake_port many[64 + 4 + 4];
    struct bridge *other[4];

    (void)state;
    for (unsigned int i = 0; i < PORTS; i++)
        bridge_port_remove(&ports[i].port);
    for (unsigned int i = 0; i < 4; i++) {
        char name[8];

        snprintf(name, sizeof(name), "br%u", i);
        assert_int_equal(bridge_create(name, &other[i]), 0);
    }
    for (unsigned int i = 0; i < 72; i++) {
        fake_port_init(&many[i], "many", 0);
        assert_int_equal(bridge_port_add(other[i % 4], &many[i].port, i < 4), 0);
    }
    for (unsigned int n = 0; n < 1000; n++) {
        struct rte_mbuf *frame = frame_make(everyone, station(n), 64);

        bridge_input(&many[71].port, &frame, 1, 0);
        bridge_flush();
        for (unsigned int i = 0; i < 72; i++)
            fake_port_empty(&many[i]);
    }
    assert_int_equal(bridge_port_stations(&many[71].port), BRIDGE_STATIONS_GUEST);
    for (unsigned int i = 0; i < 72; i++)
        bridge_port_remove(&many[i].port);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(isolated_ports_reach_the_others_only),
        TEST(isolation_may_begin_and_end),
        TEST(a_storm_is_held_back),
        TEST(only_what_is_flooded_counts),
        TEST(any_limit_can_be_set),
        TEST(a_storm_does_not_hide_the_station),
        TEST(a_pinned_station_cannot_be_taken_over),
        TEST(a_pin_goes_with_its_port),
        TEST(a_pin_is_for_one_vlan),
        TEST(what_is_no_station_cannot_be_pinned),
        TEST(a_filter_is_asked_about_every_frame_in),
        TEST(a_filter_is_asked_about_every_frame_out),
        TEST(a_flooded_frame_passes_by_those_that_do_not_want_it),
        TEST(what_holds_for_a_frame_holds_for_a_burst),
        TEST(a_forged_frame_does_not_pass_among_others),
        TEST(frames_of_ports_without_filters_are_not_parsed),
        TEST(forty_stations_behind_one_guest_are_all_known),
        TEST(there_are_stations_for_every_port),
    };

    return cmocka_run_group_tests_name("bridge_policy", tests, fixture_start, NULL);
}
