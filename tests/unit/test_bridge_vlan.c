/* SPDX-License-Identifier: BSD-2-Clause */
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
#include "net/checksum.h"
#include "net/tag.h"

/* Access ports of VLANs 10, 10 and 20, a trunk of 10 and 20, one with VLAN 30 without a tag besides, and two without VLANs. */
enum { ACCESS10, OTHER10, ACCESS20, TRUNK, NATIVE30, PLAIN, WIRE, PORTS };

#define NO_TAG UINT32_MAX
#define TAG_IN_FRAME (~PORT_TX_VLAN) /* tags beside frames are in test_bridge_tag_beside.c */

static const struct rte_ether_addr everyone = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct bridge *bridge;
static struct fake_port ports[PORTS];
static struct vlan_set sets[PORTS];

static int plug(unsigned int i)
{
    fake_port_init(&ports[i], "port", TAG_IN_FRAME);
    ports[i].port.vlans = i < PLAIN ? &sets[i] : NULL;
    return bridge_port_add(bridge, &ports[i].port, i == WIRE);
}

static int start(void **state)
{
    (void)state;
    vlan_set_access(&sets[ACCESS10], 10);
    vlan_set_access(&sets[OTHER10], 10);
    vlan_set_access(&sets[ACCESS20], 20);
    vlan_set_clear(&sets[TRUNK]);
    vlan_set_add(&sets[TRUNK], 10, false);
    vlan_set_add(&sets[TRUNK], 20, false);
    sets[NATIVE30] = sets[TRUNK];
    vlan_set_pvid(&sets[NATIVE30], 30);
    bridge_init(fixture_pool(), 42);
    if (bridge_create("xenbr0", &bridge) != 0)
        return -1;
    for (unsigned int i = 0; i < PORTS; i++)
        if (plug(i) != 0)
            return -1;
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

static struct rte_mbuf *make(struct rte_ether_addr dst, struct rte_ether_addr src, uint32_t tci)
{
    struct rte_mbuf *frame = frame_make(dst, src, 64);

    return tci == NO_TAG ? frame : frame_tag(frame, 0x8100, (uint16_t)tci);
}

static void say(unsigned int from, struct rte_ether_addr dst, struct rte_ether_addr src,
                uint32_t tci)
{
    empty();
    input(from, make(dst, src, tci));
}

/* A port got one frame with that tag, whole behind it; the last frame sent was of 64 bytes without its tag. */
static void assert_got(unsigned int to, uint32_t tci)
{
    uint8_t bytes[80], payload[80];
    uint32_t len, l2 = tci == NO_TAG ? 12 : 16;
    struct rte_mbuf *wanted = frame_make(everyone, everyone, 64);

    frame_bytes(wanted, payload, sizeof(payload));
    rte_pktmbuf_free(wanted);
    assert_int_equal(ports[to].nr_kept, 1);
    len = frame_bytes(ports[to].kept[0], bytes, sizeof(bytes));
    assert_int_equal(len, 52 + l2);
    assert_int_equal(bytes[12] << 8 | bytes[13], tci == NO_TAG ? 0x88b5 : 0x8100);
    if (tci != NO_TAG)
        assert_int_equal(bytes[14] << 8 | bytes[15], tci);
    assert_memory_equal(bytes + l2, payload + 12, 52);
}

static void assert_got_nothing(unsigned int to)
{
    assert_int_equal(ports[to].nr_kept, 0);
}

/* Dropped because of its VLAN, whoever it may be for. */
static void assert_kept_out(unsigned int from, uint32_t tci)
{
    uint64_t before = ports[from].port.stats.rx_drops_vlan;

    say(from, everyone, station(77), tci);
    for (unsigned int i = 0; i < PORTS; i++)
        assert_got_nothing(i);
    assert_int_equal(ports[from].port.stats.rx_drops_vlan, before + 1);
    assert_int_equal(ports[from].port.stats.rx_errors, 0);
}

static void an_access_port_speaks_in_its_vlan(void **state)
{
    (void)state;
    say(ACCESS10, everyone, station(1), NO_TAG);
    assert_got_nothing(ACCESS10);
    assert_got(OTHER10, NO_TAG);
    assert_got_nothing(ACCESS20);
    assert_got(TRUNK, 10);
    assert_got(NATIVE30, 10);
    assert_got(PLAIN, 10);
    assert_got(WIRE, 10);
}

static void a_tagged_frame_reaches_the_ports_of_its_vlan(void **state)
{
    (void)state;
    say(WIRE, everyone, station(1), 0xa000 | 20);
    assert_got_nothing(ACCESS10);
    assert_got_nothing(OTHER10);
    assert_got(ACCESS20, NO_TAG);
    assert_got(TRUNK, 0xa000 | 20);
    assert_got(NATIVE30, 0xa000 | 20);
    assert_got(PLAIN, 0xa000 | 20);
}

static void what_has_no_tag_on_the_wire_is_for_ports_without_vlans(void **state)
{
    (void)state;
    say(WIRE, everyone, station(1), NO_TAG);
    for (unsigned int i = 0; i < PLAIN; i++)
        assert_got_nothing(i);
    assert_got(PLAIN, NO_TAG);
}

static void an_access_port_takes_no_tags(void **state)
{
    (void)state;
    assert_kept_out(ACCESS10, 10);
    assert_kept_out(ACCESS10, 20);
    assert_kept_out(ACCESS10, 4095);
    assert_kept_out(ACCESS10, 0xe000 | 10);
}

static void a_trunk_takes_its_tags_only(void **state)
{
    (void)state;
    assert_kept_out(TRUNK, NO_TAG);
    assert_kept_out(TRUNK, 0xe000); /* a priority alone */
    assert_kept_out(TRUNK, 30);
    assert_kept_out(TRUNK, 4095);
    say(TRUNK, everyone, station(1), 20);
    assert_got(ACCESS20, NO_TAG);
    assert_got(WIRE, 20);
}

static void a_native_vlan_has_no_tag(void **state)
{
    (void)state;
    say(NATIVE30, everyone, station(1), NO_TAG);
    assert_got(WIRE, 30);
    assert_got_nothing(TRUNK);
    say(NATIVE30, everyone, station(1), 30); /* it may have one */
    assert_got(WIRE, 30);
    say(WIRE, everyone, station(2), 30);
    assert_got(NATIVE30, NO_TAG);
    say(NATIVE30, everyone, station(1), 10);
    assert_got(ACCESS10, NO_TAG);
}

static void a_trunk_with_vlan_0_takes_untagged_frames(void **state)
{
    (void)state;
    vlan_set_pvid(&sets[TRUNK], 0);
    say(TRUNK, everyone, station(1), NO_TAG);
    assert_got(WIRE, NO_TAG);
    assert_got_nothing(ACCESS10);
    say(WIRE, everyone, station(2), NO_TAG);
    assert_got(TRUNK, NO_TAG);
    say(WIRE, everyone, station(2), 0xe000);
    assert_got(TRUNK, NO_TAG);
    assert_got(PLAIN, 0xe000);
    sets[TRUNK].untagged[0] = 0; /* VLAN 0 has no tag all the same */
    say(WIRE, everyone, station(2), NO_TAG);
    assert_got(TRUNK, NO_TAG);
    say(WIRE, everyone, station(2), 0xe000);
    assert_got(TRUNK, NO_TAG);
}

static void a_priority_is_kept_in_front_of_a_tag(void **state)
{
    (void)state;
    say(ACCESS10, everyone, station(1), 0xe000);
    assert_got(OTHER10, NO_TAG);
    assert_got(TRUNK, 0xe000 | 10);
    assert_got(WIRE, 0xe000 | 10);
    say(NATIVE30, everyone, station(1), 0x7000);
    assert_got(WIRE, 0x7000 | 30);
}

static void ports_without_vlans_pass_everything_as_it_came(void **state)
{
    const uint32_t tcis[] = { NO_TAG, 0, 0xe000, 1, 10, 4094, 4095, 0xffff };

    (void)state;
    for (unsigned int i = 0; i < sizeof(tcis) / sizeof(tcis[0]); i++) {
        say(WIRE, everyone, station(1), tcis[i]);
        assert_got(PLAIN, tcis[i]);
        say(PLAIN, station(1), station(2), tcis[i]);
        assert_got(WIRE, tcis[i]);
        for (unsigned int k = 0; k < PLAIN; k++)
            assert_got_nothing(k);
    }
    assert_int_equal(ports[PLAIN].port.stats.rx_drops_vlan, 0);
}

static void stations_are_known_by_vlan(void **state)
{
    (void)state;
    say(ACCESS10, everyone, station(1), NO_TAG);
    say(ACCESS20, everyone, station(1), NO_TAG); /* the same, elsewhere */
    say(WIRE, station(1), station(9), 10);
    assert_got(ACCESS10, NO_TAG);
    assert_got_nothing(OTHER10);
    assert_got_nothing(TRUNK);
    say(WIRE, station(1), station(9), 20);
    assert_got(ACCESS20, NO_TAG);
    assert_got_nothing(TRUNK);
    say(WIRE, station(1), station(9), 30);
    assert_got(NATIVE30, NO_TAG);
    assert_got(PLAIN, 30);
}

static void alike_frames_of_two_vlans_go_two_ways(void **state)
{
    struct rte_mbuf *frames[4];

    (void)state;
    say(ACCESS10, everyone, station(1), NO_TAG);
    say(ACCESS20, everyone, station(1), NO_TAG);
    empty();
    for (unsigned int i = 0; i < 4; i++)
        frames[i] = make(station(1), station(9), i & 1 ? 20 : 10);
    bridge_input(&ports[WIRE].port, frames, 4, 0);
    bridge_flush();
    assert_int_equal(ports[ACCESS10].nr_kept, 2);
    assert_int_equal(ports[ACCESS20].nr_kept, 2);
}

static void a_station_whose_port_left_the_vlan_gets_nothing(void **state)
{
    (void)state;
    say(TRUNK, everyone, station(1), 10);
    vlan_set_access(&sets[TRUNK], 20);
    say(WIRE, station(1), station(9), 10);
    for (unsigned int i = 0; i < PORTS; i++)
        assert_got_nothing(i);
    assert_int_equal(ports[WIRE].port.stats.rx_drops_vlan, 1);
}

static void a_flooded_frame_has_one_copy_of_each_form(void **state)
{
    (void)state;
    say(WIRE, everyone, station(1), 10);
    assert_ptr_equal(ports[ACCESS10].kept[0], ports[OTHER10].kept[0]);
    assert_ptr_equal(ports[TRUNK].kept[0], ports[PLAIN].kept[0]);
    assert_int_equal(fixture_in_use(), 2);
    say(ACCESS10, everyone, station(1), 0xe000);
    assert_ptr_equal(ports[TRUNK].kept[0], ports[WIRE].kept[0]);
    assert_int_equal(fixture_in_use(), 2);
}

static void a_frame_of_one_form_is_changed_in_place(void **state)
{
    struct rte_mbuf *frame = make(everyone, station(1), 30);

    (void)state;
    bridge_port_remove(&ports[PLAIN].port);
    bridge_port_remove(&ports[TRUNK].port);
    input(WIRE, frame);
    assert_ptr_equal(ports[NATIVE30].kept[0], frame);
    assert_got(NATIVE30, NO_TAG);
    frame = make(station(1), station(2), NO_TAG);
    empty();
    input(NATIVE30, frame);
    assert_ptr_equal(ports[WIRE].kept[0], frame);
    assert_got(WIRE, 30);
}

static void a_frame_without_headroom_is_copied(void **state)
{
    struct rte_mbuf *frame = frame_make(everyone, station(1), 64);

    (void)state;
    assert_non_null(rte_pktmbuf_prepend(frame, rte_pktmbuf_headroom(frame) - 2));
    frame->pkt_len = frame->data_len = 64;
    memcpy(rte_pktmbuf_mtod_offset(frame, char *, 6), &(struct rte_ether_addr){ { 2 } }, 6);
    memset(rte_pktmbuf_mtod(frame, char *), 0xff, 6);
    rte_pktmbuf_mtod(frame, char *)[12] = 0;
    bridge_port_remove(&ports[OTHER10].port); /* all others want the tag */
    input(ACCESS10, frame);
    assert_int_equal(ports[WIRE].nr_kept, 1);
    assert_int_equal(ports[WIRE].kept[0]->pkt_len, 68);
    assert_ptr_not_equal(ports[WIRE].kept[0], frame);
}

static void a_chain_gets_its_tag_in_front(void **state)
{
    (void)state;
    input(ACCESS10, frame_chop(frame_make(everyone, station(1), 64), 16));
    assert_got(WIRE, 10);
    assert_got(OTHER10, NO_TAG);
    empty();
    input(WIRE, frame_chop(make(everyone, station(1), 10), 20));
    assert_got(OTHER10, NO_TAG);
    assert_got(PLAIN, 10);
}

static void a_cut_off_tag_is_an_error(void **state)
{
    (void)state;
    for (uint32_t len = 14; len <= 18; len++) {
        struct rte_mbuf *frame = frame_make(everyone, station(1), len);

        rte_pktmbuf_mtod(frame, struct rte_ether_hdr *)->ether_type = RTE_BE16(0x8100);
        input(WIRE, frame);
    }
    assert_int_equal(ports[WIRE].port.stats.rx_errors, 4);
    assert_int_equal(ports[PLAIN].nr_kept, 1);
}

static void a_service_tag_is_payload(void **state)
{
    struct rte_mbuf *frame = frame_tag(make(everyone, station(1), 10), 0x88a8, 20);

    (void)state;
    input(WIRE, frame);
    assert_int_equal(ports[PLAIN].nr_kept, 1);
    assert_memory_equal(rte_pktmbuf_mtod_offset(ports[PLAIN].kept[0], char *, 12),
                        "\x88\xa8\x00\x14\x81\x00\x00\x0a", 8);
    for (unsigned int i = 0; i < PLAIN; i++)
        assert_got_nothing(i);
    empty();
    input(ACCESS10, frame_tag(make(everyone, station(2), 99), 0x88a8, 20));
    assert_memory_equal(rte_pktmbuf_mtod_offset(ports[WIRE].kept[0], char *, 12),
                        "\x81\x00\x00\x0a\x88\xa8\x00\x14\x81\x00\x00\x63", 12);
}

static void full_frames_pass_with_a_tag_on_top(void **state)
{
    (void)state;
    input(ACCESS10, frame_make(everyone, station(1), 1514));
    assert_int_equal(ports[OTHER10].kept[0]->pkt_len, 1514);
    assert_int_equal(ports[WIRE].kept[0]->pkt_len, 1518);
    empty();
    input(WIRE, frame_tag(frame_make(everyone, station(2), 1514), 0x8100, 10));
    assert_int_equal(ports[OTHER10].kept[0]->pkt_len, 1514);
    assert_int_equal(ports[PLAIN].kept[0]->pkt_len, 1518);
    empty();
    input(WIRE, frame_tag(frame_make(everyone, station(2), 1515), 0x8100, 10));
    assert_got_nothing(PLAIN);
    assert_got_nothing(OTHER10);
    assert_int_equal(ports[OTHER10].port.stats.tx_drops, 1);
}

/* From a guest in a VLAN to a wire that takes no long frames, and back to a guest that takes none. */
static void long_frames_are_cut_inside_their_tag(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        uint16_t segsz = v6 ? 1440 : 1460;

        empty();
        ports[WIRE].port.tx_caps = 0;
        ports[OTHER10].port.tx_caps = TAG_IN_FRAME;
        input(ACCESS10, frame_make_l4(v6, IPPROTO_TCP, 10u * segsz, segsz));
        assert_int_equal(ports[WIRE].nr_kept, 10);
        assert_int_equal(ports[OTHER10].nr_kept, 1);
        for (unsigned int i = 0; i < 10; i++) {
            assert_int_equal(ports[WIRE].kept[i]->pkt_len, 1518);
            assert_int_equal(tag_vid(ports[WIRE].kept[i]), 10);
            assert_true(frame_is_valid_l4(ports[WIRE].kept[i]));
        }
        empty();
        ports[OTHER10].port.tx_caps = PORT_TX_MULTI_SEG;
        input(WIRE, frame_tag(frame_make_l4(v6, IPPROTO_TCP, 10u * segsz, segsz), 0x8100, 10));
        assert_int_equal(ports[PLAIN].nr_kept, 1);
        assert_int_equal(ports[OTHER10].nr_kept, 10);
        for (unsigned int i = 0; i < 10; i++) {
            assert_int_equal(ports[OTHER10].kept[i]->pkt_len, 1514);
            assert_true(frame_is_valid_l4(ports[OTHER10].kept[i]));
        }
    }
}

static void checksums_are_finished_inside_their_tag(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        empty();
        ports[WIRE].port.tx_caps = PORT_TX_MULTI_SEG;
        ports[OTHER10].port.tx_caps = TAG_IN_FRAME;
        input(ACCESS10, frame_make_l4(v6, IPPROTO_UDP, 777, 0));
        assert_true(frame_is_valid_l4(ports[WIRE].kept[0]));
        assert_int_equal(tag_vid(ports[WIRE].kept[0]), 10);
        assert_true(checksum_is_unfinished(ports[OTHER10].kept[0]));
        empty();
        ports[OTHER10].port.tx_caps = 0;
        input(WIRE, frame_tag(frame_make_l4(v6, IPPROTO_UDP, 777, 0), 0x8100, 10));
        assert_true(frame_is_valid_l4(ports[OTHER10].kept[0]));
        assert_true(checksum_is_unfinished(ports[PLAIN].kept[0]));
        assert_int_equal(ports[PLAIN].kept[0]->l2_len, 18);
    }
}

static void without_memory_the_others_get_theirs(void **state)
{
    struct rte_mbuf *taken[4];

    (void)state;
    for (unsigned int i = 0; i < PORTS; i++)
        bridge_port_remove(&ports[i].port);
    bridge_init(fixture_tiny_pool(), 1);
    assert_int_equal(bridge_create("xenbr0", &bridge), 0);
    for (unsigned int i = 0; i < PORTS; i++)
        assert_int_equal(plug(i), 0);
    assert_int_equal(rte_pktmbuf_alloc_bulk(fixture_tiny_pool(), taken, 4), 0);
    say(WIRE, everyone, station(1), 10);
    assert_got(PLAIN, 10);
    assert_got(TRUNK, 10);
    assert_got_nothing(ACCESS10);
    assert_int_equal(ports[ACCESS10].port.stats.tx_drops, 1);
    assert_int_equal(ports[OTHER10].port.stats.tx_drops, 1);
    assert_int_equal(ports[ACCESS20].port.stats.tx_drops, 0);
    rte_pktmbuf_free_bulk(taken, 4);
}

/* What comes out of a port for a frame that came in elsewhere; false: nothing. */
static bool model(const struct vlan_set *in, const struct vlan_set *out, uint32_t tci,
                  uint32_t *tci_r)
{
    uint16_t vid = tci == NO_TAG ? 0 : tci & 0xfff;

    if (in && in->is_access && vid)
        return false;
    if (in && vid && !vlan_set_has(in, vid))
        return false;
    if (in && !vid)
        vid = in->pvid;
    if (vid == VLAN_NONE || (out && !vlan_set_has(out, vid)))
        return false;
    if (out && (vid == 0 || vlan_set_is_untagged(out, vid)))
        *tci_r = NO_TAG;
    else if (vid == 0)
        *tci_r = tci;
    else
        *tci_r = vid | (tci == NO_TAG ? 0 : tci & 0xf000);
    return true;
}

static uint32_t random_tci(void)
{
    return rand() % 3 ? random_vid() | (uint32_t)(rand() & 0xf000) : NO_TAG;
}

static void random_vlans_behave_as_the_standard_says(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int round = 0; round < 3000; round++) {
        unsigned int from = (unsigned int)rand() % PORTS;
        uint32_t tci = random_tci(), wanted;

        random_vlans_make(ports, sets, PORTS);
        say(from, everyone, station(1), tci);
        for (unsigned int i = 0; i < PORTS; i++) {
            if (i != from && model(ports[from].port.vlans, ports[i].port.vlans, tci, &wanted))
                assert_got(i, wanted);
            else
                assert_got_nothing(i);
        }
    }
}

/* A burst of frames to a known station, some of them alike, some with another tag. */
static void a_burst_is_treated_as_its_frames(void **state)
{
    unsigned int nr_kept = 0;

    (void)state;
    srand(2);
    for (unsigned int round = 0; round < 3000; round++) {
        uint32_t tcis[8] = { random_tci() }, wanted[8], nr = 0, tci;
        struct rte_mbuf *frames[8];

        random_vlans_make(ports, sets, PORTS);
        for (unsigned int vid = 0; vid < 4; vid++)
            say(TRUNK, everyone, station(1), rand() & 1 ? vid : NO_TAG);
        empty();
        for (unsigned int i = 0; i < 8; i++) {
            tcis[i] = i == 0 || rand() % 4 ? tcis[i ? i - 1 : 0] : random_tci();
            frames[i] = make(station(1), station(2), tcis[i]);
            if (model(ports[WIRE].port.vlans, ports[TRUNK].port.vlans, tcis[i], &tci))
                wanted[nr++] = tci;
        }
        bridge_input(&ports[WIRE].port, frames, 8, 0);
        bridge_flush();
        assert_int_equal(ports[TRUNK].nr_kept, nr);
        for (unsigned int i = 0; i < nr; i++) {
            assert_int_equal(tag_is_there(ports[TRUNK].kept[i]), wanted[i] != NO_TAG);
            if (wanted[i] != NO_TAG)
                assert_int_equal(tag_vid(ports[TRUNK].kept[i]), wanted[i] & 0xfff);
        }
        nr_kept += nr;
    }
    assert_true(nr_kept > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(an_access_port_speaks_in_its_vlan),
        TEST(a_tagged_frame_reaches_the_ports_of_its_vlan),
        TEST(what_has_no_tag_on_the_wire_is_for_ports_without_vlans),
        TEST(an_access_port_takes_no_tags),
        TEST(a_trunk_takes_its_tags_only),
        TEST(a_native_vlan_has_no_tag),
        TEST(a_trunk_with_vlan_0_takes_untagged_frames),
        TEST(a_priority_is_kept_in_front_of_a_tag),
        TEST(ports_without_vlans_pass_everything_as_it_came),
        TEST(stations_are_known_by_vlan),
        TEST(alike_frames_of_two_vlans_go_two_ways),
        TEST(a_station_whose_port_left_the_vlan_gets_nothing),
        TEST(a_flooded_frame_has_one_copy_of_each_form),
        TEST(a_frame_of_one_form_is_changed_in_place),
        TEST(a_frame_without_headroom_is_copied),
        TEST(a_chain_gets_its_tag_in_front),
        TEST(a_cut_off_tag_is_an_error),
        TEST(a_service_tag_is_payload),
        TEST(full_frames_pass_with_a_tag_on_top),
        TEST(long_frames_are_cut_inside_their_tag),
        TEST(checksums_are_finished_inside_their_tag),
        TEST(without_memory_the_others_get_theirs),
        TEST(random_vlans_behave_as_the_standard_says),
        TEST(a_burst_is_treated_as_its_frames),
    };

    return cmocka_run_group_tests_name("bridge_vlan", tests, fixture_start, NULL);
}
