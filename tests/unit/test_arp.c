/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP: reading and making it, and what the router answers to whom. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_arp.h>

#include "fixture_router.h"
#include "net/arp.h"
#include "net/frame.h"

#define ALL ((struct rte_ether_addr){ { 255, 255, 255, 255, 255, 255 } })

static struct arp question(struct rte_ether_addr from, const char *sender, const char *target)
{
    return (struct arp){
        .op = ARP_REQUEST, .sender_mac = from, .sender_ip = ip4(sender), .target_ip = ip4(target)
    };
}

static void wire_asks(const char *sender, const char *target)
{
    struct arp arp = question(HOST_MAC, sender, target);

    wire_sends(arp_make(fixture_pool(), &arp, &ALL));
}

static void guest_asks(unsigned int guest, const char *sender, const char *target)
{
    struct arp arp = question(GUEST_MAC(guest), sender, target);

    guest_sends(guest, arp_make(fixture_pool(), &arp, &ALL));
}

/* What a port was given last is an answer from this MAC that the address is there. */
static void assert_answer(struct fake_port *port, struct rte_ether_addr mac, const char *ip,
                          struct rte_ether_addr to, const char *to_ip)
{
    struct rte_mbuf *frame = the_last(port, 1);
    struct arp arp;

    frame_parse(frame);
    assert_int_equal(arp_read(frame, &arp), 0);
    assert_int_equal(arp.op, ARP_REPLY);
    assert_mac(arp.sender_mac, mac);
    assert_mac(arp.target_mac, to);
    assert_mac(ether_of(frame)->dst_addr, to);
    assert_int_equal(arp.sender_ip, ip4(ip));
    assert_int_equal(arp.target_ip, ip4(to_ip));
    forget_sent();
}

static void what_is_made_can_be_read(void **state)
{
    struct arp made = { ARP_REPLY, station(1), station(2), ip4("1.2.3.4"), ip4("5.6.7.8") }, read;
    struct rte_mbuf *frame = arp_make(fixture_pool(), &made, &made.target_mac);

    (void)state;
    frame_parse(frame);
    assert_int_equal(frame->pkt_len, 42);
    assert_int_equal(arp_read(frame, &read), 0);
    assert_int_equal(read.op, made.op);
    assert_mac(read.sender_mac, made.sender_mac);
    assert_mac(read.target_mac, made.target_mac);
    assert_int_equal(read.sender_ip, made.sender_ip);
    assert_int_equal(read.target_ip, made.target_ip);
    rte_pktmbuf_free(frame);
}

static void what_is_no_arp_for_ipv4_is_not_read(void **state)
{
    struct arp made = { ARP_REQUEST, station(1), station(2), 1, 2 }, read;
    static const struct {
        uint8_t at, value;
    } wrong[] = { { 15, 6 }, { 16, 0x86 }, { 18, 8 }, { 19, 16 }, { 21, 0 },
                  { 21, 3 }, { 20, 1 },    { 22, 3 }, { 27, 99 }, { 14, 1 } };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(wrong); i++) {
        struct rte_mbuf *frame = arp_make(fixture_pool(), &made, &ALL);

        rte_pktmbuf_mtod(frame, uint8_t *)[wrong[i].at] = wrong[i].value;
        frame_parse(frame);
        assert_int_equal(arp_read(frame, &read), -EINVAL);
        rte_pktmbuf_free(frame);
    }
    for (unsigned int len = 14; len <= 42; len++) {
        struct rte_mbuf *frame = arp_make(fixture_pool(), &made, &ALL);

        rte_pktmbuf_trim(frame, 42 - len);
        frame_parse(frame);
        assert_int_equal(arp_read(frame, &read), len < 42 ? -EINVAL : 0);
        rte_pktmbuf_free(frame);
    }
}

static void an_empty_pool_makes_nothing(void **state)
{
    struct arp arp = { 0 };
    struct rte_mbuf *all[4];

    (void)state;
    assert_int_equal(rte_pktmbuf_alloc_bulk(fixture_tiny_pool(), all, 4), 0);
    assert_null(arp_make(fixture_tiny_pool(), &arp, &ALL));
    rte_pktmbuf_free_bulk(all, 4);
}

static void the_wire_is_told_where_the_router_and_its_routed_guests_are(void **state)
{
    static const char *const here[] = { "192.0.2.1", "192.0.2.10", "198.51.100.0",
                                        "198.51.100.255" };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(here); i++) {
        wire_asks("192.0.2.5", here[i]);
        assert_answer(&lab.wire, ROUTER_WIRE_MAC, here[i], HOST_MAC, "192.0.2.5");
        wire_asks("0.0.0.0", here[i]); /* who wants the address is told too */
        assert_answer(&lab.wire, ROUTER_WIRE_MAC, here[i], HOST_MAC, "0.0.0.0");
    }
    assert_int_equal(router_stats(lab.router)->arp_answered, 8);
}

static void the_wire_is_told_of_nothing_else(void **state)
{
    static const char *const elsewhere[] = { "192.0.2.2",      "192.0.2.254",  "10.0.1.1",
                                             "10.0.1.128",     "198.51.101.0", "0.0.0.0",
                                             "255.255.255.255" };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(elsewhere); i++)
        wire_asks("192.0.2.5", elsewhere[i]);
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void who_asks_is_noted_and_need_not_be_asked(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "192.0.2.5" };

    (void)state;
    wire_asks("192.0.2.5", "192.0.2.10");
    forget_sent();
    guest_sends_packet(0, &spec);
    assert_int_equal(lab.wire.nr_kept, 2); /* the packet, and a question to it alone */
    for (unsigned int i = 0; i < 2; i++)
        assert_mac(ether_of(lab.wire.kept[i])->dst_addr, HOST_MAC);
}

static void who_is_not_near_is_not_noted(void **state)
{
    (void)state;
    wire_asks("203.0.113.9", "192.0.2.1");
    wire_asks("192.0.2.5", "192.0.2.6");
    assert_int_equal(router_neighbours(lab.router), 0);
    wire_asks("192.0.2.5", "192.0.2.1");
    assert_int_equal(router_neighbours(lab.router), 1);
}

static void a_neighbour_that_moves_is_followed(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "192.0.2.5" };
    struct arp arp = question(station(66), "192.0.2.5", "192.0.2.5");

    (void)state;
    neighbours_answer();
    wire_sends(arp_make(fixture_pool(), &arp, &ALL));
    guest_sends_packet(0, &spec);
    assert_mac(ether_of(lab.wire.kept[0])->dst_addr, station(66));
}

/* What is said to others may be believed; whether it is true is asked when it matters. */
static void an_answer_to_others_is_asked_again(void **state)
{
    struct packet_spec spec = { .src = "192.0.2.10", .dst = "192.0.2.5" };
    struct arp arp = { ARP_REPLY, station(66), station(67), ip4("192.0.2.5"), ip4("192.0.2.6") };

    (void)state;
    neighbours_answer();
    wire_sends(arp_make(fixture_pool(), &arp, &ALL));
    guest_sends_packet(0, &spec);
    assert_int_equal(lab.wire.nr_kept, 2);
    forget_sent();
    arp.target_mac = ROUTER_WIRE_MAC;
    arp.target_ip = ip4("192.0.2.1");
    wire_sends(arp_make(fixture_pool(), &arp, &ALL));
    pass(5 * SECOND);
    guest_sends_packet(0, &spec);
    assert_mac(ether_of(the_last(&lab.wire, 1))->dst_addr, station(66));
}

static void who_has_the_routers_address_is_told_once_in_a_while(void **state)
{
    struct arp arp = question(HOST_MAC, "192.0.2.1", "192.0.2.1");
    struct rte_mbuf *frame;

    (void)state;
    for (unsigned int i = 0; i < 5; i++)
        wire_sends(arp_make(fixture_pool(), &arp, &ALL));
    frame = the_last(&lab.wire, 1);
    assert_mac(ether_of(frame)->dst_addr, ALL);
    assert_mac(ether_of(frame)->src_addr, ROUTER_WIRE_MAC);
    assert_int_equal(router_stats(lab.router)->conflicts, 5);
    pass(10 * SECOND);
    wire_sends(arp_make(fixture_pool(), &arp, &ALL));
    the_last(&lab.wire, 2);
}

static void who_takes_a_guests_address_is_not_believed(void **state)
{
    struct packet_spec spec = { .src = "198.51.100.1", .dst = "192.0.2.10" };

    (void)state;
    wire_asks("192.0.2.10", "192.0.2.1");
    assert_int_equal(lab.wire.nr_kept, 0);
    assert_int_equal(router_stats(lab.router)->conflicts, 1);
    guest_sends_packet(1, &spec);
    the_last(&lab.guests[0], 1);
}

static void a_guest_reaches_all_by_the_routers_mac(void **state)
{
    static const char *const reached[] = { "192.0.2.1",    "192.0.2.5",  "192.0.2.254", "8.8.8.8",
                                           "198.51.100.7", "10.0.1.128", "10.0.1.1" };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(reached); i++) {
        guest_asks(0, "192.0.2.10", reached[i]);
        assert_answer(&lab.guests[0], ROUTER_GUEST_MAC, reached[i], GUEST_MAC(0), "192.0.2.10");
    }
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void a_guest_gets_no_answer_about_itself_or_nobody(void **state)
{
    static const char *const not_reached[] = { "192.0.2.10",  "224.0.0.1", "255.255.255.255",
                                               "192.0.2.255", "127.0.0.1", "169.254.1.1",
                                               "0.0.0.0" };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(not_reached); i++)
        guest_asks(0, "192.0.2.10", not_reached[i]);
    guest_asks(1, "198.51.100.1", "198.51.100.2");
    assert_int_equal(lab.guests[0].nr_kept + lab.guests[1].nr_kept, 0);
}

/* RFC 5227: it would take the answer for another's claim. */
static void a_guest_that_looks_for_a_free_address_is_told_of_the_routers_only(void **state)
{
    (void)state;
    guest_asks(0, "0.0.0.0", "192.0.2.10");
    guest_asks(0, "0.0.0.0", "192.0.2.77");
    assert_int_equal(lab.guests[0].nr_kept, 0);
    guest_asks(0, "0.0.0.0", "192.0.2.1");
    assert_answer(&lab.guests[0], ROUTER_GUEST_MAC, "192.0.2.1", GUEST_MAC(0), "0.0.0.0");
}

static void a_guest_asks_as_itself_only(void **state)
{
    struct arp arp = question(GUEST_MAC(1), "192.0.2.10", "192.0.2.1");

    (void)state;
    guest_asks(0, "192.0.2.5", "192.0.2.1");
    assert_int_equal(router_stats(lab.router)->spoofed, 1);
    guest_sends(0, arp_make(fixture_pool(), &arp, &ALL));
    assert_int_equal(router_stats(lab.router)->spoofed, 2);
    assert_int_equal(lab.guests[0].nr_kept, 0);
}

static void a_guest_answers_nothing(void **state)
{
    struct arp arp = { ARP_REPLY, GUEST_MAC(0), ROUTER_GUEST_MAC, ip4("192.0.2.10"),
                       ip4("192.0.2.1") };

    (void)state;
    guest_sends(0, arp_make(fixture_pool(), &arp, &ALL));
    assert_int_equal(lab.guests[0].nr_kept, 0);
    assert_int_equal(router_neighbours(lab.router), 0);
}

static void without_addresses_the_router_answers_nobody_on_the_wire(void **state)
{
    struct router_addresses none = { 0 };

    (void)state;
    assert_int_equal(router_addresses_set(lab.router, &none, lab.now), 0);
    pass(0);
    forget_sent();
    wire_asks("192.0.2.5", "192.0.2.1");
    wire_asks("192.0.2.5", "0.0.0.0");
    assert_int_equal(lab.wire.nr_kept, 0);
    guest_asks(0, "192.0.2.10", "8.8.8.8");
    assert_int_equal(lab.guests[0].nr_kept, 0);
    guest_asks(0, "192.0.2.10", "198.51.100.1"); /* another guest is there all the same */
    assert_int_equal(lab.guests[0].nr_kept, 1);
}

/* Is there an announcement of this address among what the wire was given? */
static bool is_announced(const char *ip)
{
    for (unsigned int i = 0; i < lab.wire.nr_kept; i++) {
        struct arp arp;

        frame_parse(lab.wire.kept[i]);
        if (frame_ethertype(lab.wire.kept[i]) == 0x0806 && !arp_read(lab.wire.kept[i], &arp) &&
            arp.op == ARP_REQUEST && arp.sender_ip == ip4(ip) && arp.target_ip == ip4(ip))
            return true;
    }
    return false;
}

static void addresses_are_announced_twice(void **state)
{
    (void)state;
    router_announce(lab.router, lab.now);
    bridge_flush();
    for (unsigned int i = 0; i < 2; i++) {
        assert_true(is_announced("192.0.2.1"));
        assert_true(is_announced("192.0.2.10"));
        assert_false(is_announced("10.0.1.1"));
        assert_int_equal(lab.wire.nr_kept, 4); /* and two of IPv6 */
        forget_sent();
        pass(2 * SECOND);
    }
    assert_int_equal(lab.wire.nr_kept, 0);
    assert_true(router_tick(lab.now) == UINT64_MAX);
}

static void a_new_mac_and_a_new_guest_are_announced(void **state)
{
    struct rte_ether_addr mac = station(101);
    const char *why = "";

    (void)state;
    router_mac_set(lab.router, &mac, lab.now);
    bridge_flush();
    assert_true(is_announced("192.0.2.1") && is_announced("192.0.2.10"));
    assert_mac(ether_of(lab.wire.kept[0])->src_addr, mac);
    pass(10 * SECOND);
    forget_sent();
    router_vif_remove(&lab.guests[0].port);
    assert_int_equal(router_vif_add(lab.router, &lab.guests[0].port, 0, &lab.configs[0], &why), 0);
    bridge_flush();
    assert_true(is_announced("192.0.2.10"));
    assert_int_equal(lab.wire.nr_kept, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_made_can_be_read),
        TEST(what_is_no_arp_for_ipv4_is_not_read),
        TEST(an_empty_pool_makes_nothing),
        TEST(the_wire_is_told_where_the_router_and_its_routed_guests_are),
        TEST(the_wire_is_told_of_nothing_else),
        TEST(who_asks_is_noted_and_need_not_be_asked),
        TEST(who_is_not_near_is_not_noted),
        TEST(a_neighbour_that_moves_is_followed),
        TEST(an_answer_to_others_is_asked_again),
        TEST(who_has_the_routers_address_is_told_once_in_a_while),
        TEST(who_takes_a_guests_address_is_not_believed),
        TEST(a_guest_reaches_all_by_the_routers_mac),
        TEST(a_guest_gets_no_answer_about_itself_or_nobody),
        TEST(a_guest_that_looks_for_a_free_address_is_told_of_the_routers_only),
        TEST(a_guest_asks_as_itself_only),
        TEST(a_guest_answers_nothing),
        TEST(without_addresses_the_router_answers_nobody_on_the_wire),
        TEST(addresses_are_announced_twice),
        TEST(a_new_mac_and_a_new_guest_are_announced),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
