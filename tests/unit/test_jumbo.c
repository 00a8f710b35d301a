/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of up to 9000 bytes, which no mbuf holds: forwarded, routed, cut, merged; and what is short of them. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_tcp.h>

#include "fixture_router.h"
#include "net/checksum.h"
#include "net/egress.h"
#include "net/frame.h"
#include "net/gro.h"
#include "net/segment.h"

#define JUMBO 9000
#define MSS4 (JUMBO - 40)
#define MSS6 (JUMBO - 60)
#define MBUFS 5 /* of a full frame */
#define CSUM (PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6)
#define TSO (PORT_TX_TSO_V4 | PORT_TX_TSO_V6)
#define GOOD (RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD)
#define MANY 64

static struct fake_port fakes[2];
static struct rte_mbuf *frames[MANY];

static int ports_start(void **state)
{
    (void)state;
    egress_init(fixture_pool());
    fake_port_init(&fakes[0], "wire", CSUM | PORT_TX_MULTI_SEG);
    fakes[0].port.mtu = JUMBO;
    return egress_plug(&fakes[0].port);
}

static int ports_end(void **state)
{
    (void)state;
    fake_port_empty(&fakes[0]);
    return fixture_in_use();
}

static int bridge_start(void **state)
{
    struct bridge *bridge;

    (void)state;
    bridge_init(fixture_pool(), 1);
    for (unsigned int i = 0; i < 2; i++)
        fake_port_init(&fakes[i], i ? "guest" : "wire", CSUM | PORT_TX_MULTI_SEG | TSO);
    fakes[0].port.mtu = JUMBO;
    return bridge_create("lan", &bridge) || bridge_port_add(bridge, &fakes[0].port, true) ||
           bridge_port_add(bridge, &fakes[1].port, false);
}

static int bridge_end(void **state)
{
    (void)state;
    return fake_ports_end(fakes, 2);
}

static void put(struct rte_mbuf *frame)
{
    egress_put(&fakes[0].port, frame);
    egress_flush_all();
}

static uint16_t mss_of(bool v6)
{
    return v6 ? MSS6 : MSS4;
}

/* The pieces together carry what the frame did, each as long as may be, each with all checksums right. */
static void assert_pieces(bool v6, uint32_t payload)
{
    uint32_t headers = v6 ? 74 : 54, mss = mss_of(v6), left = payload;
    static uint8_t bytes[JUMBO + 100];

    assert_int_equal(fakes[0].nr_kept, (payload + mss - 1) / mss);
    for (unsigned int i = 0; i < fakes[0].nr_kept; i++) {
        struct rte_mbuf *piece = fakes[0].kept[i];
        uint32_t len = left < mss ? left : mss, at = i * mss;

        rte_mbuf_sanity_check(piece, 1);
        assert_int_equal(piece->pkt_len, headers + len);
        assert_true(piece->pkt_len <= JUMBO + RTE_ETHER_HDR_LEN);
        assert_int_equal(frame_bytes(piece, bytes, sizeof(bytes)), piece->pkt_len);
        for (uint32_t b = 0; b < len; b++)
            assert_int_equal(bytes[headers + b], (uint8_t)((at + b) * 7 + ((at + b) >> 8)));
        if (checksum_is_unfinished(piece))
            assert_int_equal(checksum_finish(piece), 0);
        assert_true(frame_is_valid_l4(piece));
        left -= len;
    }
    assert_int_equal(left, 0);
}

/* An mbuf does not hold such a piece: nothing lies as pieces, and each is a chain. */
static void pieces_longer_than_an_mbuf_are_chains(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++)
        for (unsigned int hw_sums = 0; hw_sums <= 1; hw_sums++) {
            struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, 50000, mss_of(v6));

            fakes[0].port.tx_caps = (hw_sums ? CSUM : 0) | PORT_TX_MULTI_SEG;
            assert_int_equal(segment_in_place(whole, frames, MANY), 0);
            put(whole);
            assert_pieces(v6, 50000);
            assert_true(fakes[0].kept[0]->nb_segs > 1);
            fake_port_empty(&fakes[0]);
            assert_int_equal(fixture_in_use(), 0);
        }
}

static void hardware_is_given_segments_up_to_the_mtu(void **state)
{
    struct port *wire = &fakes[0].port;

    (void)state;
    wire->tx_caps |= TSO;
    wire->tx_segments_max = 64;
    put(frame_make_l4(false, IPPROTO_TCP, 50000, MSS4));
    put(frame_make_l4(true, IPPROTO_TCP, 50000, MSS6));
    assert_int_equal(fakes[0].nr_kept, 2);
    assert_int_equal(fakes[0].kept[0]->tso_segsz, MSS4);
    fake_port_empty(&fakes[0]);
    put(frame_make_l4(false, IPPROTO_TCP, 50000, MSS4 + 1));
    put(frame_make_l4(true, IPPROTO_TCP, 50000, MSS6 + 1));
    assert_int_equal(fakes[0].nr_kept, 0);
    assert_int_equal(wire->stats.tx_drops, 2);
}

/* To port 0 if so, or to port 1. */
static void forward(bool to_wire, uint32_t len, bool tagged)
{
    unsigned int to = to_wire ? 0 : 1;
    struct rte_mbuf *frame = frame_chop(frame_make(station(30 + to), station(31 - to), len), 2048);

    if (tagged)
        frame = frame_tag(frame, 0x8100, 7);
    fake_port_empty(&fakes[to]);
    fake_port_input(&fakes[1 - to], frame, 0);
}

static void what_a_port_of_the_bridge_does_not_take_is_dropped_and_counted(void **state)
{
    (void)state;
    forward(true, JUMBO + 14, false);
    assert_int_equal(fakes[0].nr_kept, 1);
    assert_int_equal(fakes[0].kept[0]->pkt_len, JUMBO + 14);
    assert_int_equal(fakes[0].kept[0]->nb_segs, MBUFS);
    forward(true, JUMBO + 14, true);
    assert_int_equal(fakes[0].nr_kept, 1);
    assert_int_equal(fakes[0].port.stats.tx_drops, 0);
    forward(true, JUMBO + 15, false);
    assert_int_equal(fakes[0].nr_kept, 0);
    assert_int_equal(fakes[0].port.stats.tx_drops, 1);
    forward(false, 1514, false);
    assert_int_equal(fakes[1].nr_kept, 1);
    forward(false, 1515, false);
    forward(false, JUMBO + 14, false);
    assert_int_equal(fakes[1].nr_kept, 0);
    assert_int_equal(fakes[1].port.stats.tx_drops, 2);
    fakes[1].port.mtu = JUMBO;
    forward(false, JUMBO + 14, false);
    assert_int_equal(fakes[1].nr_kept, 1);
}

/* Chains as NICs hand them over: every mbuf but the last is full. Returns their number. */
static unsigned int receive(bool v6, uint32_t payload, uint16_t mss)
{
    struct rte_mbuf *whole = frame_make_l4(v6, IPPROTO_TCP, payload, mss);
    int nr;

    rte_pktmbuf_mtod_offset(whole, struct rte_tcp_hdr *, v6 ? 54 : 34)->tcp_flags =
        RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG;
    nr = segment_frame(whole, fixture_pool(), frames, MANY);
    assert_true(nr > 1);
    rte_pktmbuf_free(whole);
    for (int i = 0; i < nr; i++) {
        struct rte_mbuf *flat = rte_pktmbuf_copy(frames[i], fixture_pool(), 0, UINT32_MAX);

        rte_pktmbuf_free(frames[i]);
        assert_int_equal(checksum_finish(flat), 0);
        flat->ol_flags = GOOD;
        flat->tx_offload = 0;
        flat->packet_type = 0;
        frames[i] = flat;
    }
    return nr;
}

static void long_segments_are_merged_and_cut_again(void **state)
{
    (void)state;
    for (int v6 = 0; v6 <= 1; v6++) {
        unsigned int nr = receive(v6, 60000, mss_of(v6));

        assert_int_equal(nr, 7);
        assert_int_equal(frames[0]->nb_segs, MBUFS);
        assert_int_equal(gro_merge(frames, nr), 1);
        rte_mbuf_sanity_check(frames[0], 1);
        assert_int_equal(frames[0]->pkt_len, 60000 + (v6 ? 74 : 54));
        assert_int_equal(frames[0]->tso_segsz, mss_of(v6));
        put(frames[0]);
        assert_pieces(v6, 60000);
        fake_port_empty(&fakes[0]);
        assert_int_equal(fixture_in_use(), 0);
    }
}

static void a_merged_frame_has_only_so_many_mbufs(void **state)
{
    unsigned int nr = receive(false, 62000, 2060), left;

    (void)state;
    assert_int_equal(frames[0]->nb_segs, 2);
    left = gro_merge(frames, nr);
    assert_int_equal(left, 2);
    assert_int_equal(frames[0]->nb_segs, GRO_SEGMENTS_MAX);
    rte_pktmbuf_free_bulk(frames, left);
}

static void a_chain_that_somebody_else_has_too_is_not_merged(void **state)
{
    unsigned int nr = receive(false, 2 * MSS4, MSS4);
    struct rte_mbuf *tail = frames[1]->next->next;

    (void)state;
    rte_mbuf_refcnt_update(tail, 1);
    assert_int_equal(gro_merge(frames, nr), 2);
    rte_pktmbuf_free_bulk(frames, 2);
    rte_pktmbuf_free_seg(tail);
}

/* 9000 on the wire, 1500 behind a vif: who sent it is told; without DF it is cut. */
static void a_guest_with_1500_is_behind_a_router_of_9000(void **state)
{
    struct packet_spec spec = {
        .src = "192.0.2.5", .dst = "192.0.2.10", .payload = 8900, .fragment = RTE_IPV4_HDR_DF_FLAG
    };

    (void)state;
    neighbours_answer();
    router_mtu_set(lab.router, JUMBO);
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 1), "192.0.2.1", "192.0.2.5", 3, 4, 1500));
    assert_int_equal(lab.guests[0].nr_kept, 0);
    forget_sent();
    spec.fragment = 0;
    wire_sends_packet(&spec);
    assert_int_equal(lab.guests[0].nr_kept, 7);
    for (unsigned int i = 0; i < 7; i++)
        assert_true(lab.guests[0].kept[i]->pkt_len <= 1514);
    forget_sent();
    spec.src = "2001:db8::5";
    spec.dst = "2001:db8::10";
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 1), "2001:db8::1", "2001:db8::5", 2, 0, 1500));
}

static void long_packets_pass_a_router_whole(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "192.0.2.5", .payload = 8972 };

    (void)state;
    neighbours_answer();
    router_mtu_set(lab.router, JUMBO);
    lab.guests[0].port.mtu = JUMBO;
    lab.wire.port.mtu = JUMBO;
    guest_sends_packet(0, &spec);
    assert_int_equal(the_last(&lab.wire, 1)->pkt_len, JUMBO + 14);
    assert_true(is_valid(lab.wire.kept[0]));
    forget_sent();
    spec.src = "192.0.2.5";
    spec.dst = "192.0.2.10";
    wire_sends_packet(&spec);
    assert_int_equal(the_last(&lab.guests[0], 1)->pkt_len, JUMBO + 14);
    forget_sent();
    /* The router's own answer, as long as the question. */
    wire_sends(packet_make(ROUTER_WIRE_MAC, HOST_MAC,
                           &(struct packet_spec){ .src = "192.0.2.5",
                                                  .dst = "192.0.2.1",
                                                  .protocol = IPPROTO_ICMP,
                                                  .l4 = (uint8_t[8980]){ [0] = 8, [5] = 1 },
                                                  .payload = 8980 }));
    assert_int_equal(the_last(&lab.wire, 1)->pkt_len, JUMBO + 14);
    assert_true(is_valid(lab.wire.kept[0]));
}

int main(void)
{
#define PORTS(name) cmocka_unit_test_setup_teardown(name, ports_start, ports_end)
#define BRIDGE(name) cmocka_unit_test_setup_teardown(name, bridge_start, bridge_end)
#define ROUTER(name) cmocka_unit_test_setup_teardown(name, lab_start, lab_end)
    const struct CMUnitTest tests[] = {
        PORTS(pieces_longer_than_an_mbuf_are_chains),
        PORTS(hardware_is_given_segments_up_to_the_mtu),
        BRIDGE(what_a_port_of_the_bridge_does_not_take_is_dropped_and_counted),
        PORTS(long_segments_are_merged_and_cut_again),
        PORTS(a_merged_frame_has_only_so_many_mbufs),
        PORTS(a_chain_that_somebody_else_has_too_is_not_merged),
        ROUTER(a_guest_with_1500_is_behind_a_router_of_9000),
        ROUTER(long_packets_pass_a_router_whole),
    };

    return cmocka_run_group_tests_name("jumbo", tests, fixture_start, NULL);
}
