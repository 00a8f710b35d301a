/* SPDX-License-Identifier: BSD-2-Clause */
/* The router with translation and with filters: the two as a guest and the wire see them. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_icmp.h>
#include <rte_udp.h>

#include "fixture_router.h"
#include "net/filter.h"
#include "net/nat.h"

static const struct packet_spec to_host = {
    .src = "10.0.1.1", .dst = "192.0.2.5", .sport = 5000, .dport = 7000, .payload = 30
};
static const struct packet_spec answer = {
    .src = "192.0.2.5", .dst = "192.0.2.1", .sport = 7000, .dport = 5000, .payload = 30
};

static const struct router_stats *stats(void)
{
    return router_stats(lab.router);
}

static struct rte_udp_hdr *udp_of(struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod_offset(frame, struct rte_udp_hdr *, 34);
}

/* The guest has said something to the host; its port outside is the same. */
static void open_flow(void)
{
    neighbours_answer();
    guest_sends_packet(2, &to_host);
    assert_int_equal(lab.wire.nr_kept, 1);
}

static void a_guest_has_the_routers_address_outside(void **state)
{
    struct rte_mbuf *frame;

    (void)state;
    open_flow();
    frame = the_last(&lab.wire, 1);
    assert_int_equal(ip4_of(frame)->src_addr, ip4("192.0.2.1"));
    assert_int_equal(udp_of(frame)->src_port, RTE_BE16(5000));
    assert_int_equal(ip4_of(frame)->time_to_live, 63);
    assert_true(is_valid(frame));
    wire_sends_packet(&answer);
    frame = the_last(&lab.guests[2], 1);
    assert_int_equal(ip4_of(frame)->dst_addr, ip4("10.0.1.1"));
    assert_int_equal(ip4_of(frame)->time_to_live, 63);
    assert_mac(ether_of(frame)->dst_addr, GUEST_MAC(2));
    assert_true(is_valid(frame));
}

static void what_is_of_no_flow_is_the_routers(void **state)
{
    struct packet_spec spec = answer;

    (void)state;
    open_flow();
    spec.dport = 5001;
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 2), "192.0.2.1", "192.0.2.5", 3, 3, 0));
    spec.protocol = IPPROTO_ICMP;
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 3), "192.0.2.1", "192.0.2.5", 0, 0, 7 << 16 | 1));
    assert_int_equal(lab.guests[2].nr_kept, 0);
}

/* About what the guest sent: as it sent it. */
static void errors_to_a_translated_guest_are_about_its_own_packets(void **state)
{
    struct packet_spec spec = to_host;
    struct rte_ipv4_hdr *quoted;

    (void)state;
    spec.ttl = 1;
    guest_sends_packet(2, &spec);
    assert_true(is_error(the_last(&lab.guests[2], 1), "10.0.1.128", "10.0.1.1", 11, 0, 0));
    spec.ttl = 9;
    guest_sends_packet(2, &spec); /* this one is translated, waits, and fails */
    for (unsigned int i = 0; i < 3; i++)
        pass(SECOND);
    assert_true(is_error(the_last(&lab.guests[2], 2), "192.0.2.1", "10.0.1.1", 3, 1, 0));
    quoted = rte_pktmbuf_mtod_offset(lab.guests[2].kept[1], struct rte_ipv4_hdr *, 42);
    assert_int_equal(quoted->src_addr, ip4("10.0.1.1"));
    assert_int_equal(quoted->dst_addr, ip4("192.0.2.5"));
}

/* About what came in: as it came. */
static void errors_to_the_wire_do_not_show_the_guest(void **state)
{
    struct packet_spec spec = answer;
    struct rte_ipv4_hdr *quoted;

    (void)state;
    open_flow();
    spec.ttl = 1;
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 2), "192.0.2.1", "192.0.2.5", 11, 0, 0));
    quoted = rte_pktmbuf_mtod_offset(lab.wire.kept[1], struct rte_ipv4_hdr *, 42);
    assert_int_equal(quoted->dst_addr, ip4("192.0.2.1"));
    lab.guests[2].port.mtu = 50;
    spec.ttl = 64;
    spec.fragment = RTE_IPV4_HDR_DF_FLAG;
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.wire, 3), "192.0.2.1", "192.0.2.5", 3, 4, 50));
    quoted = rte_pktmbuf_mtod_offset(lab.wire.kept[2], struct rte_ipv4_hdr *, 42);
    assert_int_equal(quoted->dst_addr, ip4("192.0.2.1"));
}

static void an_error_from_afar_reaches_its_guest(void **state)
{
    uint8_t bytes[8 + 28] = { 3, 4, 0, 0, 0, 0, 5, 100 };
    struct packet_spec spec = { .src = "203.0.113.1",
                                .dst = "192.0.2.1",
                                .protocol = IPPROTO_ICMP,
                                .l4 = bytes,
                                .payload = sizeof(bytes) };

    (void)state;
    open_flow();
    memcpy(bytes + 8, ip4_of(lab.wire.kept[0]), 28);
    wire_sends_packet(&spec);
    assert_true(is_error(the_last(&lab.guests[2], 1), "203.0.113.1", "10.0.1.1", 3, 4, 1380));
}

/* Not by its address outside: among guests of one router nothing is translated. */
static void guests_see_each_others_own_addresses(void **state)
{
    struct packet_spec spec = to_host;

    (void)state;
    spec.dst = "192.0.2.10";
    guest_sends_packet(2, &spec);
    assert_int_equal(ip4_of(the_last(&lab.guests[0], 1))->src_addr, ip4("10.0.1.1"));
    spec = (struct packet_spec){ .src = "192.0.2.10", .dst = "10.0.1.1" };
    guest_sends_packet(0, &spec);
    the_last(&lab.guests[2], 1);
}

static void a_port_forward_is_reached_from_the_wire_and_from_its_guest(void **state)
{
    struct packet_spec spec = answer;

    (void)state;
    neighbours_answer();
    assert_int_equal(nat_forward_add(0, IPPROTO_UDP, 80, ip4("10.0.1.1"), 8080), 0);
    spec.dport = 80;
    wire_sends_packet(&spec);
    assert_int_equal(ip4_of(the_last(&lab.guests[2], 1))->dst_addr, ip4("10.0.1.1"));
    assert_int_equal(udp_of(lab.guests[2].kept[0])->dst_port, RTE_BE16(8080));
    spec.src = "10.0.1.1"; /* itself */
    guest_sends_packet(2, &spec);
    assert_int_equal(ip4_of(the_last(&lab.guests[2], 2))->src_addr, ip4("192.0.2.1"));
    assert_int_equal(lab.wire.nr_kept, 0);
}

/* It knows the other's own address, from which the answer would come. */
static void a_port_forward_is_not_for_routed_guests(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "192.0.2.1", .dport = 80 };

    (void)state;
    assert_int_equal(nat_forward_add(0, IPPROTO_UDP, 80, ip4("10.0.1.1"), 8080), 0);
    guest_sends_packet(0, &spec);
    assert_int_equal(lab.guests[2].nr_kept, 0);
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 3, 3, 0));
}

/* From one translated guest to another (here itself) by a port forward: about what it sent, as it sent it. */
static void errors_about_turned_packets_come_back(void **state)
{
    struct packet_spec spec = {
        .src = "10.0.1.1", .dst = "192.0.2.1", .sport = 5000, .dport = 80, .payload = 1000, .ttl = 1
    };
    struct rte_ipv4_hdr *quoted;

    (void)state;
    assert_int_equal(nat_forward_add(0, IPPROTO_UDP, 80, ip4("10.0.1.1"), 8080), 0);
    guest_sends_packet(2, &spec);
    assert_true(is_error(the_last(&lab.guests[2], 1), "192.0.2.1", "10.0.1.1", 11, 0, 0));
    lab.guests[2].port.mtu = 1000;
    spec.ttl = 64;
    spec.fragment = RTE_IPV4_HDR_DF_FLAG;
    guest_sends_packet(2, &spec);
    assert_true(is_error(the_last(&lab.guests[2], 2), "192.0.2.1", "10.0.1.1", 3, 4, 1000));
    for (unsigned int i = 0; i < 2; i++) {
        quoted = rte_pktmbuf_mtod_offset(lab.guests[2].kept[i], struct rte_ipv4_hdr *, 42);
        assert_int_equal(quoted->src_addr, ip4("10.0.1.1"));
        assert_int_equal(quoted->dst_addr, ip4("192.0.2.1"));
        assert_int_equal(((struct rte_udp_hdr *)(quoted + 1))->src_port, RTE_BE16(5000));
        assert_int_equal(((struct rte_udp_hdr *)(quoted + 1))->dst_port, RTE_BE16(80));
    }
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void a_guest_pings_the_router_at_both_its_addresses(void **state)
{
    struct packet_spec spec = { .src = "10.0.1.1", .dst = "192.0.2.1", .protocol = IPPROTO_ICMP };

    (void)state;
    guest_sends_packet(2, &spec);
    assert_true(is_error(the_last(&lab.guests[2], 1), "192.0.2.1", "10.0.1.1", 0, 0, 7 << 16 | 1));
    spec.dst = "10.0.1.128";
    guest_sends_packet(2, &spec);
    assert_true(is_error(the_last(&lab.guests[2], 2), "10.0.1.128", "10.0.1.1", 0, 0, 7 << 16 | 1));
}

/* One packet in three fragments, the first of them last. */
static void fragments_in_any_order_are_translated(void **state)
{
    static const uint16_t offsets[] = { RTE_IPV4_HDR_MF_FLAG | 10, 20, RTE_IPV4_HDR_MF_FLAG };
    uint8_t bytes[80] = { 0 };
    struct packet_spec spec = to_host;
    struct rte_udp_hdr udp = { RTE_BE16(5000), RTE_BE16(7000), RTE_BE16(240), 0 };

    (void)state;
    neighbours_answer();
    memcpy(bytes, &udp, sizeof(udp));
    spec.l4 = bytes;
    spec.payload = 80;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(lab.wire.nr_kept, 0);
        spec.fragment = offsets[i];
        guest_sends_packet(2, &spec);
    }
    assert_int_equal(lab.wire.nr_kept, 3);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(ip4_of(lab.wire.kept[i])->src_addr, ip4("192.0.2.1"));
        assert_int_equal(ip4_of(lab.wire.kept[i])->time_to_live, 63);
        assert_true(is_valid(lab.wire.kept[i]));
    }
}

static void flows_end_with_the_address(void **state)
{
    struct router_addresses addresses = lab.addresses;

    (void)state;
    open_flow();
    addresses.ip4 = ip4("192.0.2.2");
    assert_int_equal(router_addresses_set(lab.router, &addresses, lab.now), 0);
    pass(10 * SECOND);
    forget_sent();
    wire_sends_packet(&answer);
    assert_int_equal(lab.guests[2].nr_kept, 0);
    assert_int_equal(stats()->transit, 1);
}

static void without_an_address_nothing_is_translated(void **state)
{
    struct router_addresses none = { 0 };

    (void)state;
    assert_int_equal(router_addresses_set(lab.router, &none, lab.now), 0);
    pass(0);
    forget_sent();
    guest_sends_packet(2, &to_host);
    assert_true(is_error(the_last(&lab.guests[2], 1), "10.0.1.128", "10.0.1.1", 3, 0, 0));
}

static struct filter filter;

/* Guest 0 may open what it likes, and is sent nothing but answers. */
static void filter_in_new(void)
{
    struct rte_ether_addr mac = GUEST_MAC(0);
    static struct policy policy;

    memset(&policy, 0, sizeof(policy));
    policy.deny_default[POLICY_IN] = true;
    filter_init(&filter, &mac);
    filter_policy_set(&filter, &policy);
    lab.guests[0].port.filter = &filter;
}

static void a_filter_knows_answers(void **state)
{
    struct packet_spec spec = answer;

    (void)state;
    filter_in_new();
    neighbours_answer();
    spec.dst = "192.0.2.10";
    spec.dport = 6000;
    wire_sends_packet(&spec);
    assert_int_equal(lab.guests[0].nr_kept, 0);
    assert_int_equal(stats()->filtered, 1);
    guest_sends_packet(0,
                       &(struct packet_spec){
                           .src = "192.0.2.10", .dst = "192.0.2.5", .sport = 6000, .dport = 7000 });
    wire_sends_packet(&spec);
    assert_true(is_valid(the_last(&lab.guests[0], 1)));
    spec.sport = 7001;
    wire_sends_packet(&spec);
    the_last(&lab.guests[0], 1);
    assert_int_equal(stats()->filtered, 2);
}

static void a_filter_knows_answers_over_ipv6(void **state)
{
    struct packet_spec spec = {
        .src = "2001:db8::5", .dst = "2001:db8::10", .sport = 7000, .dport = 6000
    };

    (void)state;
    filter_in_new();
    neighbours_answer();
    wire_sends_packet(&spec);
    assert_int_equal(lab.guests[0].nr_kept, 0);
    guest_sends_packet(
        0, &(struct packet_spec){
               .src = "2001:db8::10", .dst = "2001:db8::5", .sport = 6000, .dport = 7000 });
    wire_sends_packet(&spec);
    the_last(&lab.guests[0], 1);
}

static void a_filter_looks_at_what_the_guest_sends(void **state)
{
    struct rte_ether_addr mac = GUEST_MAC(0);
    static struct policy policy;

    (void)state;
    neighbours_answer();
    memset(&policy, 0, sizeof(policy));
    policy.deny_default[POLICY_OUT] = true;
    filter_init(&filter, &mac);
    filter_policy_set(&filter, &policy);
    lab.guests[0].port.filter = &filter;
    guest_sends_packet(0, &(struct packet_spec){ .src = "192.0.2.10", .dst = "192.0.2.5" });
    guest_sends_packet(0, &(struct packet_spec){ .src = "192.0.2.10", .dst = "192.0.2.1" });
    assert_int_equal(stats()->filtered, 2);
    assert_int_equal(lab.wire.nr_kept + lab.guests[0].nr_kept, 0);
}

/* RFC 1858: a first fragment without its ports. */
static void what_cannot_be_tracked_does_not_pass_a_filter(void **state)
{
    static const uint8_t bytes[4];
    struct packet_spec spec = { .src = "192.0.2.10",
                                .dst = "192.0.2.5",
                                .fragment = RTE_IPV4_HDR_MF_FLAG,
                                .l4 = bytes,
                                .payload = 4 };

    (void)state;
    filter_in_new();
    guest_sends_packet(0, &spec);
    assert_int_equal(stats()->nat_drops, 1);
    assert_int_equal(fixture_in_use(), 0);
}

static void fragments_pass_a_filter_in_any_order(void **state)
{
    static const uint16_t offsets[] = { RTE_IPV4_HDR_MF_FLAG | 10, 20, RTE_IPV4_HDR_MF_FLAG };
    uint8_t bytes[80] = { 0 };
    struct packet_spec spec = {
        .src = "192.0.2.5", .dst = "192.0.2.10", .l4 = bytes, .payload = 80
    };
    struct rte_udp_hdr udp = { RTE_BE16(7000), RTE_BE16(6000), RTE_BE16(240), 0 };

    (void)state;
    filter_in_new();
    neighbours_answer();
    guest_sends_packet(0,
                       &(struct packet_spec){
                           .src = "192.0.2.10", .dst = "192.0.2.5", .sport = 6000, .dport = 7000 });
    memcpy(bytes, &udp, sizeof(udp));
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(lab.guests[0].nr_kept, 0);
        spec.fragment = offsets[i];
        wire_sends_packet(&spec);
    }
    assert_int_equal(lab.guests[0].nr_kept, 3);
}

static void what_the_router_says_itself_is_not_filtered(void **state)
{
    (void)state;
    filter_in_new();
    guest_sends_packet(0,
                       &(struct packet_spec){ .src = "192.0.2.10", .dst = "192.0.2.5", .ttl = 1 });
    assert_true(is_error(the_last(&lab.guests[0], 1), "192.0.2.1", "192.0.2.10", 11, 0, 0));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guest_has_the_routers_address_outside),
        TEST(what_is_of_no_flow_is_the_routers),
        TEST(errors_to_a_translated_guest_are_about_its_own_packets),
        TEST(errors_to_the_wire_do_not_show_the_guest),
        TEST(an_error_from_afar_reaches_its_guest),
        TEST(guests_see_each_others_own_addresses),
        TEST(a_port_forward_is_reached_from_the_wire_and_from_its_guest),
        TEST(a_port_forward_is_not_for_routed_guests),
        TEST(errors_about_turned_packets_come_back),
        TEST(a_guest_pings_the_router_at_both_its_addresses),
        TEST(fragments_in_any_order_are_translated),
        TEST(flows_end_with_the_address),
        TEST(without_an_address_nothing_is_translated),
        TEST(a_filter_knows_answers),
        TEST(a_filter_knows_answers_over_ipv6),
        TEST(a_filter_looks_at_what_the_guest_sends),
        TEST(what_cannot_be_tracked_does_not_pass_a_filter),
        TEST(fragments_pass_a_filter_in_any_order),
        TEST(what_the_router_says_itself_is_not_filtered),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
