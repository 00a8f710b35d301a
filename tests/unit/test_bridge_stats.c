/* SPDX-License-Identifier: BSD-2-Clause */
/* What a bridge counts: each frame that came in once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_net.h"
#include "fixture_vlan.h"
#include "net/bridge.h"
#include "net/filter.h"
#include "net/tag.h"

#define PORTS 4
#define LEN 64

static const struct rte_ether_addr everyone = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct bridge *bridge;
static struct fake_port ports[PORTS]; /* 0 is the wire */
static struct vlan_set sets[PORTS];
static struct filter filters[PORTS]; /* only station(i) may send; not set */
static struct bridge_stats wanted;

static int start(void **state)
{
    (void)state;
    bridge_init(fixture_pool(), 42);
    memset(&wanted, 0, sizeof(wanted));
    if (bridge_create("xenbr0", &bridge) != 0)
        return -1;
    for (unsigned int i = 0; i < PORTS; i++) {
        const struct rte_ether_addr mac = station(i);

        fake_port_init(&ports[i], i ? "vif" : "nic", ~0u);
        filter_init(&filters[i], &mac);
        filters[i].guard_mac = true;
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

static void send(unsigned int from, struct rte_ether_addr dst, struct rte_ether_addr src)
{
    fake_port_input(&ports[from], frame_make(dst, src, LEN), 0);
}

static struct bridge_info info(void)
{
    struct bridge_info found;

    assert_true(bridge_info(0, &found));
    return found;
}

static uint64_t sum(const struct bridge_stats *stats)
{
    uint64_t nr = stats->nr_forwarded + stats->nr_flooded;

    for (unsigned int i = 0; i < FERRY_BRIDGE_DROPS; i++)
        nr += stats->drops[i];
    return nr;
}

static uint64_t bytes_sum(const struct bridge_stats *stats)
{
    uint64_t bytes = stats->forwarded_bytes + stats->flooded_bytes;

    for (unsigned int i = 0; i < FERRY_BRIDGE_DROPS; i++)
        bytes += stats->drop_bytes[i];
    return bytes;
}

/* Frames are of LEN bytes each; bytes of wanted are what some have more. */
static void bytes_add(void)
{
    wanted.forwarded_bytes += wanted.nr_forwarded * LEN;
    wanted.flooded_bytes += wanted.nr_flooded * LEN;
    for (unsigned int i = 0; i < FERRY_BRIDGE_DROPS; i++)
        wanted.drop_bytes[i] += wanted.drops[i] * LEN;
}

static void assert_counted(void)
{
    const struct bridge_stats before = wanted;

    bytes_add();
    assert_memory_equal(info().stats, &wanted, sizeof(wanted));
    wanted = before;
}

static void what_is_passed_on_is_counted(void **state)
{
    (void)state;
    send(1, everyone, station(1));
    send(1, station(2), station(1));
    wanted.nr_flooded = 2; /* however many ports they leave through */
    assert_counted();
    send(2, station(1), station(2));
    wanted.nr_forwarded = 1;
    assert_counted();
    assert_int_equal(info().nr_ports, PORTS);
    assert_int_equal(info().nr_stations, 2);
    assert_string_equal(info().name, "xenbr0");
}

static void a_burst_of_frames_alike_is_counted_too(void **state)
{
    struct rte_mbuf *frames[PORT_BURST];

    (void)state;
    send(2, everyone, station(2));
    for (unsigned int i = 0; i < PORT_BURST; i++)
        frames[i] = frame_make(station(2), station(1), LEN);
    bridge_input(&ports[1].port, frames, PORT_BURST, 0);
    bridge_flush();
    wanted.nr_flooded = 1;
    wanted.nr_forwarded = PORT_BURST;
    assert_counted();
}

static void each_reason_to_drop_is_counted(void **state)
{
    const struct rte_ether_addr pause = { { 0x01, 0x80, 0xc2, 0, 0, 1 } };

    (void)state;
    send(2, everyone, station(2));
    send(1, everyone, everyone);
    wanted.drops[FERRY_BRIDGE_DROP_BAD] = 1;
    send(1, pause, station(1));
    wanted.drops[FERRY_BRIDGE_DROP_RESERVED] = 1;
    send(1, station(1), station(1)); /* learnt first, so it is behind the port it came from */
    wanted.drops[FERRY_BRIDGE_DROP_SAME_PORT] = 1;
    ports[1].port.isolated = ports[2].port.isolated = true;
    send(1, station(2), station(1));
    wanted.drops[FERRY_BRIDGE_DROP_ISOLATED] = 1;
    ports[1].port.isolated = ports[2].port.isolated = false;
    ports[1].port.filter = &filters[1];
    send(1, station(2), station(3));
    wanted.drops[FERRY_BRIDGE_DROP_POLICY_IN] = 1;
    ports[1].port.filter = NULL;
    vlan_set_clear(&sets[1]);
    vlan_set_access(&sets[1], 5);
    ports[1].port.vlans = &sets[1];
    fake_port_input(&ports[1], frame_tag(frame_make(everyone, station(1), LEN), 0x8100, 7), 0);
    wanted.drops[FERRY_BRIDGE_DROP_VLAN] = 1;
    wanted.drop_bytes[FERRY_BRIDGE_DROP_VLAN] = TAG_LEN;
    ports[1].port.vlans = NULL;
    ports[1].port.storm_limit = 1;
    send(1, everyone, station(1));
    send(1, everyone, station(1));
    wanted.drops[FERRY_BRIDGE_DROP_STORM] = 1;
    wanted.nr_flooded = 2;
    assert_int_equal(bridge_station_pin(&ports[3].port, 0, &(struct rte_ether_addr){ { 2, 9 } }),
                     0);
    send(1, station(2), (struct rte_ether_addr){ { 2, 9 } });
    wanted.drops[FERRY_BRIDGE_DROP_PINNED] = 1;
    assert_counted();
}

static void a_frame_that_nobody_may_have_is_counted(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < PORTS; i++)
        ports[i].port.isolated = true;
    send(1, everyone, station(1));
    wanted.drops[FERRY_BRIDGE_DROP_NOBODY] = 1;
    assert_counted();
}

/* Whatever ports carry, and whatever comes. */
static void every_frame_is_counted_once(void **state)
{
    uint64_t nr = 0, bytes = 0;

    (void)state;
    srand(7);
    random_vlans_make(ports, sets, PORTS);
    for (unsigned int i = 0; i < 3000; i++) {
        unsigned int from = (unsigned int)rand() % PORTS;
        struct rte_mbuf *frames[PORT_BURST];
        uint16_t burst = (uint16_t)(1 + rand() % PORT_BURST);
        struct rte_ether_addr dst = rand() % 4 ? station((unsigned int)rand() % 6) : everyone;

        ports[from].port.isolated = rand() & 1;
        ports[from].port.storm_limit = rand() % 3 ? 0 : 1;
        for (uint16_t b = 0; b < burst; b++) {
            frames[b] = frame_make(dst, rand() % 20 ? station((unsigned int)rand() % 5) : everyone,
                                   (uint16_t)(60 + rand() % 1000));
            if (rand() & 1)
                frames[b] = frame_tag(frames[b], 0x8100, random_vid());
            bytes += frames[b]->pkt_len;
        }
        bridge_input(&ports[from].port, frames, burst, i);
        bridge_flush();
        nr += burst;
        assert_int_equal(sum(info().stats), nr);
        assert_int_equal(bytes_sum(info().stats), bytes);
        fake_ports_empty(ports, PORTS);
    }
}

/* However long it is where it leaves, and whatever becomes of it there. */
static void bytes_are_of_frames_as_they_came_in(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < 3; i++) {
        vlan_set_clear(&sets[i]);
        vlan_set_access(&sets[i], 5);
        ports[i].port.vlans = &sets[i];
    }
    fake_port_input(&ports[0], frame_tag(frame_make(everyone, station(0), 100), 0x8100, 5), 0);
    wanted.nr_flooded = 1;
    wanted.flooded_bytes = 100 + TAG_LEN - LEN; /* without the tag for 1 and 2 */
    assert_counted();
    fake_port_input(&ports[1], frame_make(station(0), station(1), 200), 0);
    wanted.nr_forwarded = 1;
    wanted.forwarded_bytes = 200 - LEN; /* it gets one */
    assert_counted();
    assert_int_equal(ports[0].port.stats.tx_drops, 0);
    ports[0].port.up = false;
    fake_port_input(&ports[1], frame_make(station(0), station(1), 300), 0);
    wanted.nr_forwarded = 2;
    wanted.forwarded_bytes += 300 - LEN;
    assert_counted();
    assert_int_equal(ports[0].port.stats.tx_drops, 1);
}

static void bridges_count_apart(void **state)
{
    struct bridge_info found;
    struct bridge *other;

    (void)state;
    assert_int_equal(bridge_create("xenbr1", &other), 0);
    assert_true(bridge_info(1, &found));
    assert_string_equal(found.name, "xenbr1");
    assert_int_equal(found.nr_ports, 0);
    bridge_port_remove(&ports[3].port);
    assert_int_equal(bridge_port_add(other, &ports[3].port, false), 0);
    send(3, everyone, station(3));
    wanted.drops[FERRY_BRIDGE_DROP_NOBODY] = 1;
    bytes_add();
    assert_memory_equal(found.stats, &wanted, sizeof(wanted));
    assert_int_equal(sum(info().stats), 0);
    assert_false(bridge_info(2, &found));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_passed_on_is_counted),
        TEST(a_burst_of_frames_alike_is_counted_too),
        TEST(each_reason_to_drop_is_counted),
        TEST(a_frame_that_nobody_may_have_is_counted),
        TEST(every_frame_is_counted_once),
        TEST(bytes_are_of_frames_as_they_came_in),
        TEST(bridges_count_apart),
    };

    return cmocka_run_group_tests_name("bridge_stats", tests, fixture_start, NULL);
}
