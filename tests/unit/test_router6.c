/* SPDX-License-Identifier: BSD-2-Clause */
/* The router forwards IPv6. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_router.h"
#include "net/checksum.h"

#define ROUTER_LINK_LOCAL "fe80::fcff:ffff:feff:ffff" /* toward guests, as Linux has it */

static const struct packet_spec to_host = { .src = "2001:db8::10",
                                            .dst = "2001:db8::5",
                                            .payload = 100 };
static const struct packet_spec from_host = { .src = "2001:db8::5",
                                              .dst = "2001:db8::10",
                                              .payload = 100 };

static const struct router_stats *stats(void)
{
    return router_stats(lab.router);
}

#define assert_drops(counter, sends)                                                               \
    do {                                                                                           \
        uint64_t before_ = stats()->counter;                                                       \
        sends;                                                                                     \
        assert_int_equal(stats()->counter, before_ + 1);                                           \
        assert_int_equal(fixture_in_use(), 0);                                                     \
    } while (0)

static void packets_go_both_ways(void **state)
{
    struct packet_spec spec = to_host;
    struct rte_mbuf *frame;

    (void)state;
    neighbours_answer();
    guest_sends_packet(0, &spec);
    frame = the_last(&lab.wire, 1);
    assert_mac(ether_of(frame)->dst_addr, HOST_MAC);
    assert_mac(ether_of(frame)->src_addr, ROUTER_WIRE_MAC);
    assert_int_equal(ip6_of(frame)->hop_limits, 63);
    assert_true(is_valid(frame));
    wire_sends_packet(&from_host);
    frame = the_last(&lab.guests[0], 1);
    assert_mac(ether_of(frame)->dst_addr, GUEST_MAC(0));
    assert_int_equal(ip6_of(frame)->hop_limits, 63);
    spec.dst = "2001:db8:ffff::1";
    guest_sends_packet(0, &spec);
    assert_mac(ether_of(the_last(&lab.wire, 2))->dst_addr, GATEWAY_MAC);
    spec.dst = "2001:db8:1::99";
    guest_sends_packet(0, &spec);
    the_last(&lab.guests[1], 1);
    assert_int_equal(stats()->forwarded6, 6); /* two of them to make neighbours known */
}

static void the_last_hop_is_told(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    spec.ttl = 1;
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), "2001:db8::1", "2001:db8::10", 3, 0, 0));
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void an_error_quotes_up_to_1280_bytes(void **state)
{
    struct packet_spec spec = to_host;
    uint8_t was[2000], is[2000];
    struct rte_mbuf *sent;

    (void)state;
    spec.ttl = 1;
    spec.payload = 1400;
    sent = frame_chop(packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &spec), 200);
    frame_bytes(sent, was, sizeof(was));
    guest_sends(0, sent);
    assert_int_equal(the_last(&lab.guests[0], 1)->pkt_len, 14 + 1280);
    assert_true(is_valid(lab.guests[0].kept[0]));
    frame_bytes(lab.guests[0].kept[0], is, sizeof(is));
    assert_memory_equal(is + 14 + 48, was + 14, 1280 - 48);
}

static void there_is_no_error_about_an_error(void **state)
{
    static const uint8_t error[56] = { 1, 4 };
    struct packet_spec spec = to_host;

    (void)state;
    spec.ttl = 1;
    spec.protocol = IPPROTO_ICMPV6;
    spec.l4 = error;
    spec.payload = sizeof(error);
    assert_drops(ttl, guest_sends_packet(0, &spec));
    assert_int_equal(lab.guests[0].nr_kept, 0);
}

static void what_is_too_big_is_told(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    router_mtu_set(lab.router, 1300);
    spec.payload = 1300 - 47;
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), "2001:db8::1", "2001:db8::10", 2, 0, 1300));
    assert_int_equal(stats()->too_big, 1);
    assert_int_equal(stats()->fragmented, 0);
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void without_a_route_or_a_neighbour_there_is_an_error(void **state)
{
    struct router_addresses addresses = lab.addresses;
    struct packet_spec spec = to_host;

    (void)state;
    addresses.has_gateway6 = false;
    assert_int_equal(router_addresses_set(lab.router, &addresses, lab.now), 0);
    forget_sent();
    spec.dst = "2001:db8:ffff::1";
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), "2001:db8::1", "2001:db8::10", 1, 0, 0));
    guest_sends_packet(0, &to_host);
    for (unsigned int i = 0; i < 3; i++)
        pass(SECOND);
    assert_true(is_error(the_last(&lab.guests[0], 2), "2001:db8::1", "2001:db8::10", 1, 3, 0));
}

static void guests_and_the_wire_send_from_their_own_addresses(void **state)
{
    static const char *const others[] = { "2001:db8::11", "2001:db8:1::1", "2001:db8::1",
                                          "2001:db8::5" };
    static const char *const ours[] = { "2001:db8::10", "2001:db8:1::1", "2001:db8::1" };
    struct packet_spec spec = to_host;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(others); i++) {
        spec.src = others[i];
        assert_drops(spoofed, guest_sends_packet(0, &spec));
    }
    spec = from_host;
    for (unsigned int i = 0; i < RTE_DIM(ours); i++) {
        spec.src = ours[i];
        assert_drops(spoofed, wire_sends_packet(&spec));
    }
}

static void addresses_that_no_packet_has_are_dropped(void **state)
{
    static const char *const sources[] = { "::", "::1", "ff02::1", "::ffff:192.0.2.5",
                                           "::192.0.2.5" };
    static const char *const targets[] = { "::", "::1", "::ffff:192.0.2.10" };
    struct packet_spec spec = from_host;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(sources); i++) {
        spec.src = sources[i];
        assert_drops(martian, wire_sends_packet(&spec));
    }
    spec = from_host;
    for (unsigned int i = 0; i < RTE_DIM(targets); i++) {
        spec.dst = targets[i];
        assert_drops(martian, wire_sends_packet(&spec));
    }
    spec.dst = "ff02::1:2";
    assert_drops(group, wire_sends_packet(&spec));
    spec.dst = "ff0e::1";
    spec.src = "2001:db8::10";
    assert_drops(group, guest_sends_packet(0, &spec));
    spec.src = "2001:db8::5";
    spec.dst = "2001:db8::77";
    assert_drops(transit, wire_sends_packet(&spec));
}

static void link_local_addresses_stay_on_their_link(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    spec.dst = "fe80::1234";
    assert_drops(no_route, guest_sends_packet(0, &spec));
    spec.src = "fe80::aa";
    spec.dst = "2001:db8::5";
    guest_sends_packet(0, &spec);
    assert_true(is_error(the_last(&lab.guests[0], 1), ROUTER_LINK_LOCAL, "fe80::aa", 1, 2, 0));
    assert_int_equal(lab.wire.nr_kept, 0);
    forget_sent();
    spec.dst = "2001:db8::10";
    assert_drops(no_route, wire_sends_packet(&spec); pass(3 * SECOND); pass(3 * SECOND);
                 pass(3 * SECOND); pass(3 * SECOND); forget_sent());
}

/* An IPv6 packet with an extension header in front of UDP. */
static struct rte_mbuf *behind(uint8_t type, const uint8_t *header, uint32_t len)
{
    static uint8_t bytes[200];
    struct packet_spec spec = to_host;
    struct rte_mbuf *frame;

    memcpy(bytes, header, len);
    bytes[0] = IPPROTO_NONE;
    memset(bytes + len, 7, 50);
    spec.protocol = IPPROTO_NONE;
    spec.l4 = bytes;
    spec.payload = len + 50;
    frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &spec);
    ip6_of(frame)->proto = type;
    return frame;
}

static void a_routing_header_that_leads_on_is_dropped(void **state)
{
    uint8_t type0[24] = { 59, 2, 0, 1 }, done[24] = { 59, 2, 0, 0 }, mobile[24] = { 59, 2, 2, 1 };
    uint8_t options[8] = { 59, 0, 1, 4 };
    struct rte_mbuf *second;

    (void)state;
    neighbours_answer();
    assert_drops(source_routed, guest_sends(0, behind(IPPROTO_ROUTING, type0, 24)));
    guest_sends(0, behind(IPPROTO_ROUTING, done, 24));
    guest_sends(0, behind(IPPROTO_ROUTING, mobile, 24));
    guest_sends(0, behind(IPPROTO_HOPOPTS, options, 8));
    assert_int_equal(lab.wire.nr_kept, 3);
    memcpy(type0, "\x2b\x00\x01\x04\x00\x00\x00\x00\x3b\x00\x00\x01", 12); /* behind options */
    second = behind(IPPROTO_HOPOPTS, type0, 24);
    rte_pktmbuf_mtod(second, uint8_t *)[54] = IPPROTO_ROUTING;
    assert_drops(source_routed, guest_sends(0, second); forget_sent());
}

static void headers_that_cannot_be_looked_through_are_dropped(void **state)
{
    uint8_t header[8] = { 59, 200 };
    struct rte_mbuf *frame;

    (void)state;
    assert_drops(bad, guest_sends(0, behind(IPPROTO_HOPOPTS, header, 8)));
    frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);
    ip6_of(frame)->payload_len = RTE_BE16(500);
    assert_drops(bad, guest_sends(0, frame));
    for (uint32_t len = 14; len < 62; len++) {
        frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(0), &to_host);
        rte_pktmbuf_trim(frame, frame->pkt_len - len);
        assert_drops(bad, guest_sends(0, frame));
    }
}

static void there_is_no_ipv6_below_1280(void **state)
{
    (void)state;
    router_mtu_set(lab.router, 1279);
    assert_drops(no_route, guest_sends_packet(0, &to_host));
}

static void unfinished_checksums_pass(void **state)
{
    struct rte_mbuf *frame = frame_make_l4(true, IPPROTO_TCP, 100, 0);

    (void)state;
    neighbours_answer();
    ether_of(frame)->dst_addr = ROUTER_GUEST_MAC;
    ether_of(frame)->src_addr = GUEST_MAC(0);
    memcpy(ip6_of(frame)->src_addr, lab.configs[0].ip6[0].addr, 16);
    memcpy(ip6_of(frame)->dst_addr, lab.configs[0].ip6[0].addr, 16);
    ip6_of(frame)->dst_addr[15] = 5;
    *(uint16_t *)rte_pktmbuf_mtod_offset(frame, void *, 54 + 16) =
        rte_ipv6_phdr_cksum(ip6_of(frame), 0);
    guest_sends(0, frame);
    frame = the_last(&lab.wire, 1);
    assert_true(checksum_is_unfinished(frame));
    assert_int_equal(checksum_finish(frame), 0);
    assert_true(is_valid(frame));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(packets_go_both_ways),
        TEST(the_last_hop_is_told),
        TEST(an_error_quotes_up_to_1280_bytes),
        TEST(there_is_no_error_about_an_error),
        TEST(what_is_too_big_is_told),
        TEST(without_a_route_or_a_neighbour_there_is_an_error),
        TEST(guests_and_the_wire_send_from_their_own_addresses),
        TEST(addresses_that_no_packet_has_are_dropped),
        TEST(link_local_addresses_stay_on_their_link),
        TEST(a_routing_header_that_leads_on_is_dropped),
        TEST(headers_that_cannot_be_looked_through_are_dropped),
        TEST(there_is_no_ipv6_below_1280),
        TEST(unfinished_checksums_pass),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
