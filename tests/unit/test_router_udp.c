/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP to and from the router itself: what reaches a handler, and what leaves. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_udp.h>

#include "fixture_router.h"
#include "net/checksum.h"

#define EVERYBODY ((struct rte_ether_addr){ { 255, 255, 255, 255, 255, 255 } })

static struct router_udp given;
static uint8_t payload[ROUTER_UDP_MAX];
static unsigned int nr_given, nr_other;
static void (*then)(const struct router_udp *udp);

static void handler(const struct router_udp *udp)
{
    nr_given++;
    given = *udp;
    memcpy(payload, udp->payload, udp->len);
    if (then)
        then(udp);
}

static void other(const struct router_udp *udp)
{
    (void)udp;
    nr_other++;
}

static int start(void **state)
{
    nr_given = nr_other = 0;
    then = NULL;
    return lab_start(state);
}

/* Guest 2 again, with services. */
static void serve(bool dhcp, bool dns)
{
    const char *why = "";

    router_vif_remove(&lab.guests[2].port);
    lab.configs[2].serve_dhcp = dhcp;
    lab.configs[2].serve_dns = dns;
    assert_int_equal(router_vif_add(lab.router, &lab.guests[2].port, 2, &lab.configs[2], &why), 0);
}

static const struct packet_spec query = {
    .src = "10.0.1.1", .dst = "10.0.1.128", .sport = 4321, .dport = 53, .payload = 40
};
static const struct packet_spec discover = {
    .src = "0.0.0.0", .dst = "255.255.255.255", .sport = 68, .dport = 67, .payload = 300
};

static void discover_from(unsigned int guest)
{
    guest_sends(guest, packet_make(EVERYBODY, GUEST_MAC(guest), &discover));
}

static void a_query_reaches_its_handler(void **state)
{
    (void)state;
    serve(false, true);
    assert_int_equal(router_udp_handler_set(53, handler), 0);
    guest_sends_packet(2, &query);
    assert_int_equal(nr_given, 1);
    assert_ptr_equal(given.router, lab.router);
    assert_ptr_equal(given.vif, &lab.guests[2].port);
    assert_int_equal(given.src, ip4("10.0.1.1"));
    assert_int_equal(given.dst, ip4("10.0.1.128"));
    assert_int_equal(given.sport, 4321);
    assert_int_equal(given.dport, 53);
    assert_mac(given.src_mac, GUEST_MAC(2));
    assert_int_equal(given.len, 40);
    assert_int_equal(given.now, lab.now);
    for (unsigned int i = 0; i < 40; i++)
        assert_int_equal(payload[i], (uint8_t)(i * 5 + 1));
}

static void services_are_for_those_that_are_served(void **state)
{
    struct packet_spec spec = query;

    (void)state;
    serve(false, false);
    assert_int_equal(router_udp_handler_set(53, handler), 0);
    assert_int_equal(router_udp_handler_set(67, handler), 0);
    guest_sends_packet(2, &query);
    discover_from(2);
    spec.src = "192.0.2.5";
    spec.dst = "192.0.2.1";
    wire_sends_packet(&spec); /* no resolver for all the world */
    spec.dport = 67;
    wire_sends_packet(&spec);
    assert_int_equal(nr_given, 0);
}

static void a_guest_without_an_address_reaches_dhcp_only(void **state)
{
    struct packet_spec spec = discover;

    (void)state;
    serve(true, true);
    assert_int_equal(router_udp_handler_set(67, handler), 0);
    assert_int_equal(router_udp_handler_set(53, handler), 0);
    discover_from(2);
    assert_int_equal(nr_given, 1);
    assert_int_equal(given.src, 0);
    assert_int_equal(given.len, 300);
    spec.dport = 53;
    guest_sends(2, packet_make(EVERYBODY, GUEST_MAC(2), &spec));
    spec.dport = 67;
    spec.dst = "10.0.1.128";
    guest_sends_packet(2, &spec);
    assert_int_equal(nr_given, 1);
    assert_int_equal(router_stats(lab.router)->martian, 2);
    discover_from(0); /* is not served */
    assert_int_equal(nr_given, 1);
    spec = discover;
    spec.src = "10.0.1.1";
    guest_sends(2, packet_make(EVERYBODY, GUEST_MAC(2), &spec));
    assert_int_equal(nr_given, 2);
}

static void payloads_in_segments_are_contiguous(void **state)
{
    struct packet_spec spec = query;

    (void)state;
    serve(false, true);
    assert_int_equal(router_udp_handler_set(53, handler), 0);
    spec.payload = 1400;
    guest_sends(2, frame_chop(packet_make(ROUTER_GUEST_MAC, GUEST_MAC(2), &spec), 77));
    assert_int_equal(given.len, 1400);
    for (unsigned int i = 0; i < 1400; i++)
        assert_int_equal(payload[i], (uint8_t)(i * 5 + 1));
    spec.payload = ROUTER_UDP_MAX + 1;
    guest_sends_packet(2, &spec);
    assert_int_equal(nr_given, 1);
}

static void wrong_lengths_and_checksums_are_dropped(void **state)
{
    struct rte_mbuf *frame;
    struct rte_udp_hdr *udp;

    (void)state;
    serve(false, true);
    assert_int_equal(router_udp_handler_set(53, handler), 0);
    for (unsigned int i = 0; i < 6; i++) {
        frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(2), &query);
        udp = rte_pktmbuf_mtod_offset(frame, struct rte_udp_hdr *, 34);
        if (i < 2)
            udp->dgram_cksum ^= RTE_BE16(0x100);
        if (i == 1)
            frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        if (i == 2)
            udp->dgram_cksum = 0;
        if (i == 3)
            udp->dgram_len = RTE_BE16(47);
        if (i == 4)
            udp->dgram_len = RTE_BE16(49);
        if (i == 5)
            udp->dgram_len = 0;
        guest_sends(2, frame);
    }
    assert_int_equal(nr_given, 2);
    assert_int_equal(router_stats(lab.router)->bad, 4);
}

static void handlers_of_ports_come_before_those_of_ranges(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.5", .dst = "192.0.2.1" };

    (void)state;
    assert_int_equal(router_udp_handler_range_set(2048, 4095, other), 0);
    assert_int_equal(router_udp_handler_set(3000, handler), 0);
    for (spec.dport = 2040; spec.dport < 4100; spec.dport++)
        wire_sends_packet(&spec);
    assert_int_equal(nr_given, 1);
    assert_int_equal(nr_other, 2047);
    assert_int_equal(router_udp_handler_set(3000, NULL), 0);
    spec.dport = 3000;
    wire_sends_packet(&spec);
    assert_int_equal(nr_other, 2048);
    assert_null(given.vif);
}

static void there_are_so_many_handlers(void **state)
{
    (void)state;
    for (uint16_t port = 100; port < 108; port++)
        assert_int_equal(router_udp_handler_set(port, handler), 0);
    assert_int_equal(router_udp_handler_set(108, handler), -ENOSPC);
    assert_int_equal(router_udp_handler_set(109, NULL), 0);
    assert_int_equal(router_udp_handler_set(100, NULL), 0);
    assert_int_equal(router_udp_handler_set(108, handler), 0);
}

static void without_an_address_dhcp_answers_are_taken(void **state)
{
    struct packet_spec offer = {
        .src = "192.0.2.254", .dst = "192.0.2.33", .sport = 67, .dport = 68, .payload = 300
    };
    struct router_addresses none = { 0 };

    (void)state;
    assert_int_equal(router_udp_handler_set(68, handler), 0);
    wire_sends_packet(&offer);
    assert_int_equal(nr_given, 0);
    assert_int_equal(router_addresses_set(lab.router, &none, lab.now), 0);
    wire_sends_packet(&offer);
    assert_int_equal(nr_given, 1);
    offer.dst = "255.255.255.255";
    wire_sends(packet_make(EVERYBODY, GATEWAY_MAC, &offer));
    assert_int_equal(nr_given, 2);
    offer.dport = 69;
    wire_sends(packet_make(EVERYBODY, GATEWAY_MAC, &offer));
    assert_int_equal(nr_given, 2);
}

static int send_to(struct port *vif, const char *src, const char *dst, uint16_t len,
                   const struct rte_ether_addr *mac)
{
    static uint8_t bytes[ROUTER_UDP_MAX + 1] = { 1, 2, 3 };
    int err =
        router_udp_send(lab.router, vif, ip4(src), 67, ip4(dst), 68, bytes, len, mac, lab.now);

    bridge_flush();
    return err;
}

static void what_is_sent_is_right(void **state)
{
    struct rte_ether_addr mac = station(42);
    struct rte_mbuf *frame;

    (void)state;
    for (uint16_t len = 0; len < 600; len += 7) {
        assert_int_equal(send_to(NULL, "0.0.0.0", "255.255.255.255", len, NULL), 0);
        frame = the_last(&lab.wire, 1);
        assert_true(is_valid(frame));
        assert_mac(ether_of(frame)->dst_addr, EVERYBODY);
        assert_mac(ether_of(frame)->src_addr, ROUTER_WIRE_MAC);
        assert_int_equal(frame->pkt_len, 42 + len);
        forget_sent();
    }
    assert_int_equal(send_to(NULL, "192.0.2.1", "192.0.2.99", 3, &mac), 0);
    assert_mac(ether_of(the_last(&lab.wire, 1))->dst_addr, mac);
    assert_int_equal(send_to(&lab.guests[2].port, "10.0.1.128", "10.0.1.1", 3, NULL), 0);
    frame = the_last(&lab.guests[2], 1);
    assert_true(is_valid(frame));
    assert_mac(ether_of(frame)->dst_addr, GUEST_MAC(2));
    assert_int_equal(send_to(&lab.guests[2].port, "10.0.1.128", "255.255.255.255", 3, NULL), 0);
    the_last(&lab.guests[2], 2);
}

static void a_host_is_looked_for(void **state)
{
    (void)state;
    assert_int_equal(send_to(NULL, "192.0.2.1", "192.0.2.5", 3, NULL), 0);
    assert_int_equal(ether_of(the_last(&lab.wire, 1))->ether_type, RTE_BE16(0x0806));
    for (unsigned int i = 0; i < 4; i++)
        pass(SECOND);
    assert_int_equal(router_stats(lab.router)->unreachable, 1);
    assert_int_equal(router_stats(lab.router)->icmp_sent, 0); /* the router does not tell itself */
}

static void what_cannot_be_sent_is_said(void **state)
{
    struct router_addresses none = { 0 };

    (void)state;
    assert_int_equal(send_to(NULL, "192.0.2.1", "192.0.2.5", 1473, NULL), -EMSGSIZE);
    assert_int_equal(send_to(NULL, "192.0.2.1", "192.0.2.5", 1472, NULL), 0);
    router_mtu_set(lab.router, 9000);
    assert_int_equal(send_to(NULL, "192.0.2.1", "192.0.2.5", 3000, NULL), -EMSGSIZE);
    assert_int_equal(router_addresses_set(lab.router, &none, lab.now), 0);
    assert_int_equal(send_to(NULL, "192.0.2.1", "192.0.2.5", 3, NULL), -ENETUNREACH);
    router_vif_remove(&lab.guests[2].port);
    assert_int_equal(send_to(&lab.guests[2].port, "10.0.1.128", "10.0.1.1", 3, NULL), -ENETUNREACH);
}

static void answer_it(const struct router_udp *udp)
{
    assert_int_equal(router_udp_send(udp->router, udp->vif, udp->dst, udp->dport, udp->src,
                                     udp->sport, udp->payload, udp->len,
                                     udp->vif ? NULL : &udp->src_mac, udp->now),
                     0);
}

static void a_handler_may_answer(void **state)
{
    struct packet_spec spec = {
        .src = "192.0.2.5", .dst = "192.0.2.1", .dport = 2048, .payload = 99
    };

    (void)state;
    then = answer_it;
    serve(false, true);
    pass(0);
    forget_sent();
    assert_int_equal(router_udp_handler_set(53, handler), 0);
    assert_int_equal(router_udp_handler_set(2048, handler), 0);
    guest_sends_packet(2, &query);
    assert_true(is_valid(the_last(&lab.guests[2], 1)));
    wire_sends_packet(&spec);
    assert_true(is_valid(the_last(&lab.wire, 1)));
    assert_mac(ether_of(lab.wire.kept[0])->dst_addr, HOST_MAC);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_query_reaches_its_handler),
        TEST(services_are_for_those_that_are_served),
        TEST(a_guest_without_an_address_reaches_dhcp_only),
        TEST(payloads_in_segments_are_contiguous),
        TEST(wrong_lengths_and_checksums_are_dropped),
        TEST(handlers_of_ports_come_before_those_of_ranges),
        TEST(there_are_so_many_handlers),
        TEST(without_an_address_dhcp_answers_are_taken),
        TEST(what_is_sent_is_right),
        TEST(a_host_is_looked_for),
        TEST(what_cannot_be_sent_is_said),
        TEST(a_handler_may_answer),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
