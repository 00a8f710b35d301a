/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags that a NIC took off, or is to put on: whatever lies beside a frame, the wires see the same. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ferry/vlan.h>

#include "fixture_net.h"
#include "fixture_vlan.h"
#include "net/bridge.h"
#include "net/frame.h"
#include "net/tag.h"

/* Two access ports of VLAN 10, a trunk of 10 and 20 that takes tags beside frames, one that does not, one without VLANs. */
enum { ACCESS, OTHER, NIC, TRUNK, PLAIN, PORTS };

#define IN_FRAME (~PORT_TX_VLAN)
#define FRAME_SIZE 2048

static const struct rte_ether_addr everyone = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct bridge *bridge;
static struct fake_port ports[PORTS];
static struct vlan_set sets[PORTS];

static int start(void **state)
{
    (void)state;
    vlan_set_access(&sets[ACCESS], 10);
    vlan_set_access(&sets[OTHER], 10);
    vlan_set_clear(&sets[NIC]);
    vlan_set_add(&sets[NIC], 10, false);
    vlan_set_add(&sets[NIC], 20, false);
    sets[TRUNK] = sets[NIC];
    bridge_init(fixture_pool(), 42);
    if (bridge_create("xenbr0", &bridge) != 0)
        return -1;
    for (unsigned int i = 0; i < PORTS; i++) {
        fake_port_init(&ports[i], "port", i == NIC ? ~0u : IN_FRAME);
        ports[i].port.vlans = i == PLAIN ? NULL : &sets[i];
        if (bridge_port_add(bridge, &ports[i].port, i == NIC) != 0)
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

static void input(unsigned int from, struct rte_mbuf *frame)
{
    fake_port_input(&ports[from], frame, 0);
}

static struct rte_mbuf *make(unsigned int src, uint16_t tci)
{
    return frame_tag(frame_make(everyone, station(src), 64), 0x8100, tci);
}

/* A port got one frame of 64 bytes, with that tag in it or beside it; 0: none. */
static void assert_got(unsigned int to, uint16_t tci, bool beside)
{
    const struct rte_mbuf *frame = ports[to].kept[0];

    assert_int_equal(ports[to].nr_kept, 1);
    assert_int_equal(tag_is_beside(frame), beside);
    assert_int_equal(frame->pkt_len, tci && !beside ? 68 : 64);
    assert_int_equal(tag_is_there(frame), tci != 0);
    if (beside)
        assert_int_equal(frame->vlan_tci, tci);
    else if (tci)
        assert_int_equal(rte_be_to_cpu_16(*rte_pktmbuf_mtod_offset(frame, uint16_t *, 14)), tci);
}

static void a_tag_beside_is_put_in_where_it_must(void **state)
{
    (void)state;
    input(NIC, frame_tag_aside(make(1, 0xa00a)));
    assert_got(ACCESS, 0, false);
    assert_got(OTHER, 0, false);
    assert_got(TRUNK, 0xa00a, false);
    assert_got(PLAIN, 0xa00a, false);
}

static void a_new_tag_is_left_to_the_nic(void **state)
{
    struct rte_mbuf *frame = frame_make(station(2), station(1), 64);

    (void)state;
    input(NIC, frame_tag_aside(make(2, 10)));
    empty();
    input(ACCESS, frame);
    assert_ptr_equal(ports[NIC].kept[0], frame);
    assert_got(NIC, 10, true);
    assert_int_equal(ports[TRUNK].nr_kept, 0);
}

static void a_tag_in_the_frame_stays_there(void **state)
{
    (void)state;
    input(TRUNK, make(1, 0xa014));
    assert_got(NIC, 0xa014, false);
    assert_int_equal(ports[ACCESS].nr_kept, 0);
}

static void a_tag_in_front_of_another_is_not_left_to_the_nic(void **state)
{
    (void)state;
    for (uint16_t tpid = 0x8100; tpid; tpid = tpid == 0x8100 ? 0x88a8 : 0) {
        empty();
        input(TRUNK, frame_tag_aside(frame_tag(
                         frame_tag(frame_make(everyone, station(1), 64), tpid, 7), 0x8100, 20)));
        assert_int_equal(ports[NIC].nr_kept, 1);
        assert_false(tag_is_beside(ports[NIC].kept[0]));
        assert_int_equal(tag_vid(ports[NIC].kept[0]), 20);
        assert_int_equal(ports[NIC].kept[0]->pkt_len, 72);
    }
}

static void a_tag_beside_without_memory_is_a_drop_of_that_port(void **state)
{
    struct rte_mbuf *taken[4];

    (void)state;
    for (unsigned int i = 0; i < PORTS; i++)
        bridge_port_remove(&ports[i].port);
    bridge_init(fixture_tiny_pool(), 1);
    assert_int_equal(bridge_create("xenbr0", &bridge), 0);
    assert_int_equal(bridge_port_add(bridge, &ports[NIC].port, true), 0);
    assert_int_equal(bridge_port_add(bridge, &ports[TRUNK].port, false), 0);
    assert_int_equal(bridge_port_add(bridge, &ports[PLAIN].port, false), 0);
    assert_int_equal(rte_pktmbuf_alloc_bulk(fixture_tiny_pool(), taken, 4), 0);
    input(NIC, frame_tag_aside(make(1, 10)));
    assert_int_equal(ports[TRUNK].nr_kept + ports[PLAIN].nr_kept, 1);
    assert_int_equal(ports[TRUNK].port.stats.tx_drops + ports[PLAIN].port.stats.tx_drops, 1);
    rte_pktmbuf_free_bulk(taken, 4);
}

/* A station that is known in VLAN 0 and, elsewhere, in VLAN 10. */
static void frames_that_differ_by_the_tag_beside_go_two_ways(void **state)
{
    struct rte_mbuf *frames[6];

    (void)state;
    ports[NIC].port.vlans = NULL;
    input(PLAIN, frame_make(everyone, station(1), 64));
    input(ACCESS, frame_make(everyone, station(1), 64));
    empty();
    for (unsigned int i = 0; i < 6; i++) {
        frames[i] = frame_make(station(1), station(2), 64);
        if (i >= 3)
            frame_tag_aside(frame_tag(frames[i], 0x8100, 10));
    }
    bridge_input(&ports[NIC].port, frames, 6, 0);
    bridge_flush();
    assert_int_equal(ports[PLAIN].nr_kept, 3);
    assert_int_equal(ports[ACCESS].nr_kept, 3);
    for (unsigned int i = 0; i < 3; i++)
        assert_false(tag_is_there(ports[ACCESS].kept[i]));
}

static void a_tag_beside_cannot_be_cut_off(void **state)
{
    (void)state;
    input(NIC, frame_tag_aside(frame_tag(frame_make(everyone, station(1), 14), 0x8100, 10)));
    assert_int_equal(ports[ACCESS].nr_kept, 1);
    assert_int_equal(ports[TRUNK].kept[0]->pkt_len, 18);
    assert_int_equal(ports[NIC].port.stats.rx_errors, 0);
}

static void the_length_is_judged_without_the_tag(void **state)
{
    (void)state;
    input(NIC, frame_tag_aside(frame_tag(frame_make(everyone, station(2), 1514), 0x8100, 10)));
    assert_int_equal(ports[OTHER].kept[0]->pkt_len, 1514);
    assert_int_equal(ports[TRUNK].kept[0]->pkt_len, 1518);
    empty();
    input(ACCESS, frame_make(everyone, station(3), 1515));
    assert_int_equal(ports[NIC].nr_kept, 0);
    assert_int_equal(ports[TRUNK].nr_kept, 0);
}

static void long_frames_are_cut_with_their_tag(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        uint16_t segsz = v6 ? 1440 : 1460;

        empty();
        ports[NIC].port.tx_caps = ~(uint32_t)(PORT_TX_TSO_V4 | PORT_TX_TSO_V6);
        ports[TRUNK].port.tx_caps = 0;
        input(ACCESS, frame_make_l4(v6, IPPROTO_TCP, 10u * segsz, segsz));
        assert_int_equal(ports[NIC].nr_kept, 10);
        assert_int_equal(ports[TRUNK].nr_kept, 10);
        for (unsigned int i = 0; i < 10; i++) {
            assert_true(tag_is_beside(ports[NIC].kept[i]));
            assert_int_equal(tag_vid(ports[NIC].kept[i]), 10);
            assert_false(tag_is_beside(ports[TRUNK].kept[i]));
            assert_int_equal(tag_vid(ports[TRUNK].kept[i]), 10);
            assert_int_equal(ports[TRUNK].kept[i]->pkt_len, 1518);
            assert_true(frame_is_valid_l4(ports[TRUNK].kept[i]));
        }
    }
}

/* No tag, one or two, to everybody or to a station that may be known; whole or cut off. */
static struct rte_mbuf *random_frame(void)
{
    struct rte_mbuf *frame =
        frame_make(rand() & 1 ? everyone : station(1 + (unsigned int)rand() % 4),
                   station(1 + (unsigned int)rand() % 4), 64);

    for (int tags = rand() % 4; tags > 0; tags--)
        frame_tag(frame, rand() % 8 ? 0x8100 : 0x88a8, random_vid() | (uint16_t)(rand() & 0xf000));
    return frame;
}

struct seen {
    uint8_t bytes[PORTS][PORT_BURST][FRAME_SIZE];
    uint32_t len[PORTS][PORT_BURST];
    unsigned int nr[PORTS];
    struct port_stats stats[PORTS];
};

static void look(struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    for (unsigned int i = 0; i < PORTS; i++) {
        seen->nr[i] = ports[i].nr_kept;
        seen->stats[i] = ports[i].port.stats;
        for (unsigned int k = 0; k < ports[i].nr_kept; k++)
            seen->len[i][k] = frame_bytes(ports[i].kept[k], seen->bytes[i][k], FRAME_SIZE);
    }
    empty();
}

/* The same burst, with all tags in the frames and with some beside: into a bridge that knows as much. */
static void burst(unsigned int from, struct rte_mbuf *const *frames, uint16_t nr, bool aside)
{
    struct rte_mbuf *own[PORT_BURST];

    for (uint16_t i = 0; i < nr; i++) {
        own[i] = rte_pktmbuf_copy(frames[i], fixture_pool(), 0, UINT32_MAX);
        if (aside && tag_is_there(own[i]) && rand() % 4)
            frame_tag_aside(own[i]);
    }
    for (unsigned int i = 0; i < PORTS; i++)
        ports[i].port.tx_caps = aside && rand() & 1 ? ~0u : IN_FRAME;
    bridge_input(&ports[from].port, own, nr, 0);
    bridge_flush();
}

static void the_wires_see_the_same_wherever_the_tag_lies(void **state)
{
    static struct seen plain, other;
    unsigned int nr_sent = 0;

    (void)state;
    srand(3);
    for (unsigned int round = 0; round < 3000; round++) {
        unsigned int from = (unsigned int)rand() % PORTS;
        struct rte_mbuf *frames[8];

        random_vlans_make(ports, sets, PORTS);
        for (unsigned int i = 0; i < 8; i++)
            frames[i] = i == 0 || rand() & 1
                            ? random_frame()
                            : rte_pktmbuf_copy(frames[i - 1], fixture_pool(), 0, UINT32_MAX);
        /* Twice, for what the first time teaches. */
        burst(from, frames, 8, false);
        empty();
        for (unsigned int i = 0; i < PORTS; i++)
            memset(&ports[i].port.stats, 0, sizeof(ports[i].port.stats));
        burst(from, frames, 8, false);
        look(&plain);
        for (unsigned int i = 0; i < PORTS; i++)
            memset(&ports[i].port.stats, 0, sizeof(ports[i].port.stats));
        burst(from, frames, 8, true);
        look(&other);
        assert_memory_equal(&plain, &other, sizeof(plain));
        for (unsigned int i = 0; i < PORTS; i++)
            nr_sent += plain.nr[i];
        rte_pktmbuf_free_bulk(frames, 8);
    }
    assert_true(nr_sent > 10000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(a_tag_beside_is_put_in_where_it_must),
        TEST(a_new_tag_is_left_to_the_nic),
        TEST(a_tag_in_the_frame_stays_there),
        TEST(a_tag_in_front_of_another_is_not_left_to_the_nic),
        TEST(a_tag_beside_without_memory_is_a_drop_of_that_port),
        TEST(frames_that_differ_by_the_tag_beside_go_two_ways),
        TEST(a_tag_beside_cannot_be_cut_off),
        TEST(the_length_is_judged_without_the_tag),
        TEST(long_frames_are_cut_with_their_tag),
        TEST(the_wires_see_the_same_wherever_the_tag_lies),
    };

    return cmocka_run_group_tests_name("bridge_tag_beside", tests, fixture_start, NULL);
}
