/* SPDX-License-Identifier: BSD-2-Clause */
/* The router forwards IPv4: where to, what it drops, and what it says about it. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_router.h"
#include "net/arp.h"
#include "net/checksum.h"

#define DF RTE_IPV4_HDR_DF_FLAG
#define MF RTE_IPV4_HDR_MF_FLAG

static const struct packet_spec to_host = { .src = "192.0.2.10",
                                            .dst = "192.0.2.5",
                                            .payload = 100 };
static const struct packet_spec from_host = { .src = "192.0.2.5",
                                              .dst = "192.0.2.10",
                                              .payload = 100 };

static const struct router_stats *stats(void)
{
    return router_stats(lab.router);
}

/* Nothing goes anywhere, and this counter counts it. */
static void assert_counted(const uint64_t *counter, uint64_t before)
{
    assert_int_equal(*counter, before + 1);
    assert_int_equal(lab.wire.nr_kept, 0);
    for (unsigned int i = 0; i < GUESTS; i++)
        assert_int_equal(lab.guests[i].nr_kept, 0);
    assert_int_equal(fixture_in_use(), 0);
}

#define assert_drops(counter, sends)                                                               \
    do {                                                                                           \
        uint64_t before_ = stats()->counter;                                                       \
        sends;                                                                                     \
        assert_counted(&stats()->counter, before_);                                                \
    } while (0)

static void a_guests_packet_goes_to_the_wire(void **state)
{
    struct rte_mbuf *sent = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host), *frame;

    (void)state;
    neighbours_answer();
    guest_sends(0, sent);
    frame = the_last(&lab.wire, 1);
    assert_ptr_equal(frame, sent); /* nothing is copied */
    assert_mac(ether_of(frame)->dst_addr, HOST_MAC);
    assert_mac(ether_of(frame)->src_addr, ROUTER_WIRE_MAC);
    assert_int_equal(ip4_of(frame)->time_to_live, 63);
    assert_true(is_valid(frame));
    assert_int_equal(ip4_of(frame)->dst_addr, ip4("192.0.2.5"));
    assert_int_equal(frame->pkt_len, 14 + 20 + 8 + 100);
}

static void what_is_far_goes_to_the_gateway(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    neighbours_answer();
    spec.dst = "203.0.113.7";
    guest_sends_packet(0, &spec);
    assert_mac(ether_of(the_last(&lab.wire, 1))->dst_addr, GATEWAY_MAC);
}

static void a_packet_from_the_wire_goes_to_its_guest(void **state)
{
    struct packet_spec spec = from_host;
    struct rte_mbuf *frame;

    (void)state;
    wire_sends_packet(&spec);
    frame = the_last(&lab.guests[0], 1);
    assert_mac(ether_of(frame)->dst_addr, GUEST_MAC(0));
    assert_mac(ether_of(frame)->src_addr, ROUTER_GUEST_MAC);
    assert_int_equal(ip4_of(frame)->time_to_live, 63);
    assert_true(is_valid(frame));
    spec.dst = "198.51.100.77";
    wire_sends_packet(&spec);
    assert_mac(ether_of(the_last(&lab.guests[1], 1))->dst_addr, GUEST_MAC(1));
}

static void guests_reach_each_other(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "198.51.100.1" };

    (void)state;
    guest_sends_packet(0, &spec);
    assert_true(is_valid(the_last(&lab.guests[1], 1)));
    spec = (struct packet_spec){ .src = "10.0.1.1", .dst = "192.0.2.10" };
    guest_sends_packet(2, &spec);
    assert_int_equal(ip4_of(the_last(&lab.guests[0], 1))->src_addr, ip4("10.0.1.1"));
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void isolated_guests_do_not(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "198.51.100.1" };

    (void)state;
    lab.guests[0].port.isolated = true;
    guest_sends_packet(0, &spec);
    assert_int_equal(lab.guests[1].nr_kept, 1);
    forget_sent();
    lab.guests[1].port.isolated = true;
    assert_drops(isolated, guest_sends_packet(0, &spec));
}

/* Every TTL word and checksum: RFC 1624 names the cases that other equations get wrong. */
static void the_headers_checksum_stays_right(void **state)
{
    (void)state;
    neighbours_answer();
    for (unsigned int i = 0; i < 3000; i++) {
        struct packet_spec spec = to_host;
        struct rte_mbuf *frame;

        spec.ttl = 2 + i % 254;
        frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &spec);
        ip4_of(frame)->packet_id = (uint16_t)(i * 40503);
        ip4_of(frame)->hdr_checksum = 0;
        ip4_of(frame)->hdr_checksum = rte_ipv4_cksum(ip4_of(frame));
        guest_sends(0, frame);
        assert_true(is_valid(the_last(&lab.wire, 1)));
        assert_int_equal(ip4_of(lab.wire.kept[0])->time_to_live, spec.ttl - 1);
        forget_sent();
    }
}

static void the_last_hop_is_told(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    spec.ttl = 1;
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 11, 0, 0));
    assert_mac(ether_of(lab.guests[0].kept[0])->src_addr, ROUTER_GUEST_MAC);
    assert_int_equal(lab.wire.nr_kept, 0);
    forget_sent();
    neighbours_answer();
    spec = from_host;
    spec.ttl = 1;
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 1), "192.0.2.1", "192.0.2.5", 11, 0, 0));
    assert_mac(ether_of(lab.wire.kept[0])->dst_addr, HOST_MAC);
    assert_int_equal(stats()->ttl, 2);
}

static void an_error_quotes_what_it_is_about(void **state)
{
    struct packet_spec spec = to_host;
    struct rte_mbuf *sent, *error;
    uint8_t was[2000], is[2000];

    (void)state;
    spec.ttl = 1;
    spec.payload = 1400;
    sent = frame_chop(packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &spec), 100);
    frame_bytes(sent, was, sizeof(was));
    guest_sends(0, sent);
    error = the_last(&lab.guests[0], 1);
    assert_int_equal(error->pkt_len, 14 + 576);
    frame_bytes(error, is, sizeof(is));
    assert_memory_equal(is + 14 + 28, was + 14, 576 - 28);
    assert_true(is_valid(error));
}

static void there_is_no_error_about_an_error(void **state)
{
    static const uint8_t error[36] = { 3, 1 };
    struct packet_spec spec = to_host;

    (void)state;
    spec.ttl = 1;
    spec.protocol = IPPROTO_ICMP;
    spec.l4 = error;
    spec.payload = sizeof(error);
    assert_drops(ttl, guest_sends_packet(0, &spec));
}

/* What cannot be made is not sent, and all else goes on. */
static void with_an_empty_pool_nothing_is_lost(void **state)
{
    uint64_t before = stats()->no_memory;
    struct packet_spec spec = to_host;
    struct rte_mbuf *shared = packet_make(ROUTER_WIRE_MAC, HOST_MAC, &from_host);

    (void)state;
    guest_sends_packet(0, &to_host); /* the question cannot be asked */
    spec.ttl = 1;
    guest_sends_packet(0, &spec); /* this error is only missed */
    rte_pktmbuf_refcnt_update(shared, 1);
    wire_sends(shared);
    rte_pktmbuf_free(shared);
    spec = from_host;
    spec.payload = 500;
    lab.guests[0].port.mtu = 300;
    wire_sends_packet(&spec);
    assert_int_equal(stats()->no_memory, before + 3);
    assert_int_equal(lab.wire.nr_kept + lab.guests[0].nr_kept, 0);
    lab.guests[0].port.mtu = 1500;
    wire_sends_packet(&spec);
    the_last(&lab.guests[0], 1);
    assert_int_equal(
        router_udp_send(lab.router, NULL, 1, 2, RTE_BE32(0xc0000205), 4, "x", 1, NULL, lab.now),
        -ENOMEM);
}

static void without_a_route_there_is_an_error(void **state)
{
    struct router_addresses addresses = lab.addresses;
    struct packet_spec spec = to_host;

    (void)state;
    addresses.gateway4 = 0;
    assert_int_equal(router_addresses_set(lab.router, &addresses, lab.now), 0);
    forget_sent();
    spec.dst = "203.0.113.7";
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 3, 0, 0));
    assert_int_equal(stats()->no_route, 1);
}

static void a_guest_sends_from_its_own_addresses_only(void **state)
{
    static const char *const others[] = { "192.0.2.11", "198.51.100.1", "192.0.2.1", "192.0.2.5",
                                          "10.0.1.1",   "10.0.1.128",   "8.8.8.8" };
    struct packet_spec spec = to_host;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(others); i++) {
        spec.src = others[i];
        assert_drops(spoofed, guest_sends_packet(0, &spec));
    }
    spec.src = "192.0.2.10";
    assert_drops(spoofed, guest_sends(0, packet_make(ROUTER_GUEST_MAC, GUEST_MAC(1), &spec)));
    assert_drops(other, guest_sends(0, packet_make(station(77), GUEST_MAC(0), &spec)));
}

static void the_wire_does_not_send_from_addresses_that_are_here(void **state)
{
    static const char *const ours[] = { "198.51.100.1", "192.0.2.10", "192.0.2.1", "10.0.1.1",
                                        "10.0.1.128" };
    struct packet_spec spec = from_host;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(ours); i++) {
        spec.src = ours[i];
        assert_drops(spoofed, wire_sends_packet(&spec));
    }
}

static void martians_are_dropped(void **state)
{
    static const char *const sources[] = { "0.0.0.0",     "0.1.2.3",   "127.0.0.1",
                                           "224.0.0.1",   "240.0.0.1", "255.255.255.255",
                                           "192.0.2.255", "192.0.2.0" };
    static const char *const targets[] = { "0.0.0.0", "127.0.0.1", "240.0.0.1" };
    struct packet_spec spec = from_host;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(sources); i++) {
        spec.src = sources[i];
        assert_drops(martian, wire_sends_packet(&spec));
    }
    spec = to_host;
    for (unsigned int i = 0; i < RTE_DIM(targets); i++) {
        spec.dst = targets[i];
        assert_drops(martian, guest_sends_packet(0, &spec));
    }
    spec.dst = "169.254.169.254";
    assert_drops(martian, guest_sends_packet(0, &spec));
}

static void groups_are_not_forwarded(void **state)
{
    static const char *const groups[] = { "224.0.0.1", "239.1.2.3", "255.255.255.255",
                                          "192.0.2.255", "192.0.2.0" };
    struct packet_spec spec;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(groups); i++) {
        spec = to_host;
        spec.dst = groups[i];
        assert_drops(group, guest_sends_packet(0, &spec));
        spec = from_host;
        spec.dst = groups[i];
        assert_drops(group, wire_sends_packet(&spec));
    }
    assert_drops(group,
                 wire_sends(packet_make((struct rte_ether_addr){ { 255, 255, 255, 255, 255, 255 } },
                                        HOST_MAC, &from_host)));
}

static void what_is_not_for_a_guest_is_not_the_wires_router(void **state)
{
    struct packet_spec spec = from_host;

    (void)state;
    spec.dst = "203.0.113.1";
    assert_drops(transit, wire_sends_packet(&spec));
    spec.dst = "192.0.2.77";
    assert_drops(transit, wire_sends_packet(&spec));
    spec.dst = "10.0.1.1"; /* a guest that is translated has no address outside */
    assert_drops(transit, wire_sends_packet(&spec));
}

static void wrong_headers_are_dropped(void **state)
{
    struct rte_mbuf *frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);

    (void)state;
    ip4_of(frame)->hdr_checksum ^= 1;
    assert_drops(bad, guest_sends(0, frame));
    frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);
    ip4_of(frame)->version_ihl = 0x55;
    assert_drops(bad, guest_sends(0, frame));
    frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);
    ip4_of(frame)->total_length = RTE_BE16(2000);
    assert_drops(bad, guest_sends(0, frame));
    for (uint32_t len = 0; len < 34; len++) {
        frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);
        rte_pktmbuf_trim(frame, frame->pkt_len - len);
        guest_sends(0, frame);
        assert_int_equal(fixture_in_use(), 0);
    }
}

static void source_routes_are_dropped_and_other_options_are_not(void **state)
{
    static const struct {
        uint8_t bytes[8];
        bool is_dropped;
    } options[] = {
        { { 131, 7, 4, 1, 2, 3, 4, 0 }, true },  { { 1, 137, 7, 4, 1, 2, 3, 4 }, true },
        { { 7, 7, 4, 0, 0, 0, 0, 0 }, false },   { { 148, 4, 0, 0, 0, 0, 0, 0 }, false },
        { { 0, 131, 7, 4, 0, 0, 0, 0 }, false }, { { 1, 1, 1, 1, 1, 1, 1, 1 }, false },
        { { 7, 0, 0, 0, 0, 0, 0, 0 }, true },    { { 7, 1, 0, 0, 0, 0, 0, 0 }, true },
        { { 7, 9, 0, 0, 0, 0, 0, 0 }, true },    { { 1, 1, 1, 1, 1, 1, 1, 7 }, true },
    };
    struct packet_spec spec = to_host;

    (void)state;
    neighbours_answer();
    for (unsigned int i = 0; i < RTE_DIM(options); i++) {
        spec.options = options[i].bytes;
        spec.options_len = 8;
        if (options[i].is_dropped) {
            assert_drops(source_routed, guest_sends_packet(0, &spec));
        } else {
            guest_sends_packet(0, &spec);
            assert_true(is_valid(the_last(&lab.wire, 1)));
            forget_sent();
        }
    }
}

static void who_does_not_answer_is_unreachable(void **state)
{
    (void)state;
    guest_sends_packet(0, &to_host);
    assert_int_equal(ether_of(the_last(&lab.wire, 1))->ether_type, RTE_BE16(0x0806));
    for (unsigned int i = 0; i < 2; i++) {
        pass(SECOND);
        assert_int_equal(lab.wire.nr_kept, 2 + i);
        assert_int_equal(lab.guests[0].nr_kept, 0);
    }
    pass(SECOND);
    assert_int_equal(lab.wire.nr_kept, 3);
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 3, 1, 0));
    guest_sends_packet(0, &to_host);
    assert_true(is_error(the_last(&lab.guests[0], 2), "192.0.2.1", "192.0.2.10", 3, 1, 0));
    assert_int_equal(lab.wire.nr_kept, 3);
    assert_int_equal(stats()->unreachable, 2);
}

static void what_waits_goes_when_the_answer_comes(void **state)
{
    struct rte_ether_addr to = ROUTER_WIRE_MAC;
    struct arp arp = { ARP_REPLY, HOST_MAC, to, ip4("192.0.2.5"), ip4("192.0.2.1") };

    (void)state;
    for (unsigned int i = 0; i < 5; i++)
        guest_sends_packet(0, &to_host);
    assert_int_equal(lab.wire.nr_kept, 1);
    wire_sends(arp_make(fixture_pool(), &arp, &to));
    assert_int_equal(lab.wire.nr_kept, 4);
    for (unsigned int i = 1; i < 4; i++) {
        assert_mac(ether_of(lab.wire.kept[i])->dst_addr, HOST_MAC);
        assert_true(is_valid(lab.wire.kept[i]));
    }
    assert_int_equal(stats()->unreachable, 2);
}

static void errors_are_limited(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    spec.ttl = 1;
    for (unsigned int i = 0; i < 100; i++)
        guest_sends_packet(0, &spec);
    assert_int_equal(lab.guests[0].nr_kept, 20);
    assert_int_equal(stats()->icmp_limited, 80);
    spec.src = "198.51.100.5";
    guest_sends_packet(1, &spec);
    assert_int_equal(lab.guests[1].nr_kept, 1); /* one guest's are not another's */
    forget_sent();
    pass(SECOND / 20);
    spec.src = "192.0.2.10";
    guest_sends_packet(0, &spec);
    guest_sends_packet(0, &spec);
    assert_int_equal(lab.guests[0].nr_kept, 1);
}

static unsigned int nr_taken;

static void burst_that_closes(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    nr_taken += nr;
    rte_pktmbuf_free_bulk(frames, nr);
    router_vif_remove(port);
}

static void a_guest_may_go_away_while_it_is_sent_to(void **state)
{
    static const struct port_ops ops = { .tx_burst = burst_that_closes };
    struct rte_mbuf *frames[PORT_BURST];
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "198.51.100.1" };

    (void)state;
    nr_taken = 0;
    lab.guests[1].port.ops = &ops;
    for (unsigned int turn = 0; turn < 2; turn++) {
        for (unsigned int i = 0; i < PORT_BURST; i++)
            frames[i] = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &spec);
        router_input(&lab.guests[0].port, frames, PORT_BURST, lab.now);
    }
    bridge_flush();
    assert_null(lab.guests[1].port.router);
    assert_int_equal(nr_taken, PORT_BURST);
}

static void frames_of_a_vif_behind_no_router_are_dropped(void **state)
{
    (void)state;
    router_vif_remove(&lab.guests[0].port);
    router_vif_remove(&lab.guests[0].port);
    guest_sends_packet(0, &to_host);
    assert_int_equal(lab.guests[0].port.stats.rx_errors, 1);
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void what_is_tagged_or_no_ip_is_dropped(void **state)
{
    struct rte_mbuf *frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);

    (void)state;
    ether_of(frame)->ether_type = RTE_BE16(0x8100);
    assert_drops(other, guest_sends(0, frame));
    frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);
    ether_of(frame)->ether_type = RTE_BE16(0x88cc);
    assert_drops(other, guest_sends(0, frame));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guests_packet_goes_to_the_wire),
        TEST(what_is_far_goes_to_the_gateway),
        TEST(a_packet_from_the_wire_goes_to_its_guest),
        TEST(guests_reach_each_other),
        TEST(isolated_guests_do_not),
        TEST(the_headers_checksum_stays_right),
        TEST(the_last_hop_is_told),
        TEST(an_error_quotes_what_it_is_about),
        TEST(there_is_no_error_about_an_error),
        cmocka_unit_test_setup_teardown(with_an_empty_pool_nothing_is_lost, lab_start_poor,
                                        lab_end),
        TEST(without_a_route_there_is_an_error),
        TEST(a_guest_sends_from_its_own_addresses_only),
        TEST(the_wire_does_not_send_from_addresses_that_are_here),
        TEST(martians_are_dropped),
        TEST(groups_are_not_forwarded),
        TEST(what_is_not_for_a_guest_is_not_the_wires_router),
        TEST(wrong_headers_are_dropped),
        TEST(source_routes_are_dropped_and_other_options_are_not),
        TEST(who_does_not_answer_is_unreachable),
        TEST(what_waits_goes_when_the_answer_comes),
        TEST(errors_are_limited),
        TEST(a_guest_may_go_away_while_it_is_sent_to),
        TEST(frames_of_a_vif_behind_no_router_are_dropped),
        TEST(what_is_tagged_or_no_ip_is_dropped),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
