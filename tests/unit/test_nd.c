/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbour discovery: reading and making it, and what the router answers to whom. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_router.h"
#include "net/frame.h"
#include "net/nd.h"

#define ROUTER_LINK_LOCAL "fe80::fcff:ffff:feff:ffff"

static struct nd question(struct rte_ether_addr from, const char *src, const char *target)
{
    struct nd nd = { .type = ND_SOLICIT, .src = ip6(src), .target = ip6(target) };

    nd.dst = ip6_solicited_node(&nd.target);
    nd.has_mac = !ip6_is_unspecified(&nd.src);
    if (nd.has_mac)
        nd.mac = from;
    return nd;
}

static struct rte_mbuf *make(const struct nd *nd, struct rte_ether_addr from)
{
    struct rte_ether_addr group = nd_group_mac(&nd->dst);

    return nd_make(fixture_pool(), nd, &from, &group);
}

static void wire_asks(const char *src, const char *target)
{
    struct nd nd = question(HOST_MAC, src, target);

    wire_sends(make(&nd, HOST_MAC));
}

static void guest_asks(unsigned int guest, const char *src, const char *target)
{
    struct nd nd = question(GUEST_MAC(guest), src, target);

    guest_sends(guest, make(&nd, GUEST_MAC(guest)));
}

static void assert_answer(struct fake_port *port, struct rte_ether_addr mac, const char *target,
                          const char *to, uint8_t flags)
{
    struct rte_mbuf *frame = the_last(port, 1);
    struct address want = ip6(target), dst = ip6(to);
    struct nd nd;

    frame_parse(frame);
    assert_true(is_valid(frame));
    assert_int_equal(nd_read(frame, &nd), 0);
    assert_int_equal(nd.type, ND_ADVERT);
    assert_int_equal(nd.flags, flags);
    assert_true(nd.has_mac);
    assert_mac(nd.mac, mac);
    assert_mac(ether_of(frame)->src_addr, mac);
    assert_true(address_is_same(&nd.target, &want));
    assert_true(address_is_same(&nd.dst, &dst));
    forget_sent();
}

static int read(struct rte_mbuf *frame)
{
    struct nd nd;
    int err;

    frame_parse(frame);
    err = nd_read(frame, &nd);
    rte_pktmbuf_free(frame);
    return err;
}

static void what_is_made_can_be_read(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        struct nd made = question(station(1), "fe80::1", "fe80::2"), is;
        struct rte_mbuf *frame;

        made.has_mac = i & 1;
        if (!made.has_mac)
            memset(&made.mac, 0, sizeof(made.mac));
        if (i & 2) {
            made.type = ND_ADVERT;
            made.dst = ip6("fe80::9");
            made.flags = ND_IS_SOLICITED;
        }
        frame = make(&made, station(1));
        frame_parse(frame);
        assert_true(is_valid(frame));
        memset(&is, 0, sizeof(is));
        assert_int_equal(nd_read(frame, &is), 0);
        assert_true(address_is_same(&is.src, &made.src) && address_is_same(&is.dst, &made.dst));
        assert_true(address_is_same(&is.target, &made.target));
        assert_int_equal(is.has_mac, made.has_mac);
        assert_mac(is.mac, made.mac);
        assert_int_equal(is.flags, made.flags);
        rte_pktmbuf_free(frame);
    }
}

/* Change a byte and make the checksum right again. */
static struct rte_mbuf *changed(struct rte_mbuf *frame, unsigned int at, uint8_t value)
{
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);
    uint16_t sum = 0;

    bytes[at] = value;
    memcpy(bytes + 56, &sum, sizeof(sum));
    sum = rte_ipv6_udptcp_cksum(ip6_of(frame), bytes + 54);
    memcpy(bytes + 56, &sum, sizeof(sum));
    return frame;
}

/* RFC 4861, 7.1.1 and 7.1.2. */
static void what_must_be_dropped_is_not_read(void **state)
{
    struct nd nd = question(station(1), "fe80::1", "fe80::2"), dad;
    struct rte_mbuf *frame;

    (void)state;
    assert_int_equal(read(make(&nd, station(1))), 0);
    assert_int_equal(read(changed(make(&nd, station(1)), 21, 254)), -EINVAL); /* hop limit */
    assert_int_equal(read(changed(make(&nd, station(1)), 55, 1)), -EINVAL); /* code */
    assert_int_equal(read(changed(make(&nd, station(1)), 62, 0xff)), -EINVAL); /* target */
    assert_int_equal(read(changed(make(&nd, station(1)), 79, 0)), -EINVAL); /* option's length */
    assert_int_equal(read(changed(make(&nd, station(1)), 79, 2)), -EINVAL);
    assert_int_equal(read(changed(make(&nd, station(1)), 80, 3)), -EINVAL); /* a group's MAC */
    assert_int_equal(read(changed(make(&nd, station(1)), 54, 133)), -ENOENT);
    frame = make(&nd, station(1));
    rte_pktmbuf_mtod(frame, uint8_t *)[56] ^= 1;
    assert_int_equal(read(frame), -EINVAL); /* checksum */
    dad = question(station(1), "::", "fe80::2");
    assert_int_equal(read(make(&dad, station(1))), 0);
    dad.has_mac = true;
    dad.mac = station(1);
    assert_int_equal(read(make(&dad, station(1))), -EINVAL);
    dad.has_mac = false;
    dad.dst = ip6("fe80::2");
    assert_int_equal(read(make(&dad, station(1))), -EINVAL);
    nd.type = ND_ADVERT;
    nd.flags = ND_IS_SOLICITED;
    assert_int_equal(read(make(&nd, station(1))), -EINVAL); /* asked for, and to a group */
}

static void what_comes_behind_options_is_read(void **state)
{
    static const uint8_t options[8] = { IPPROTO_ICMPV6, 0, 1, 4 };
    struct nd nd = question(station(1), "fe80::1", "fe80::2");
    struct rte_mbuf *frame = make(&nd, station(1));
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);

    (void)state;
    assert_non_null(rte_pktmbuf_append(frame, 8));
    memmove(bytes + 62, bytes + 54, 32);
    memcpy(bytes + 54, options, 8);
    bytes[20] = IPPROTO_HOPOPTS;
    ip6_of(frame)->payload_len = RTE_BE16(40);
    assert_int_equal(read(frame), 0);
}

static void what_is_cut_off_is_not_read(void **state)
{
    struct nd nd = question(station(1), "fe80::1", "fe80::2");

    (void)state;
    for (unsigned int len = 0; len < 32; len++) {
        struct rte_mbuf *frame = make(&nd, station(1));

        ip6_of(frame)->payload_len = rte_cpu_to_be_16(len);
        if (len != 24)
            assert_int_equal(read(changed(frame, 58, 0)), -EINVAL);
        else
            assert_int_equal(read(changed(frame, 58, 0)), 0);
    }
}

static void the_wire_is_told_where_the_router_and_its_guests_are(void **state)
{
    (void)state;
    wire_asks("2001:db8::5", "2001:db8::1");
    assert_answer(&lab.wire, ROUTER_WIRE_MAC, "2001:db8::1", "2001:db8::5", 0xe0);
    wire_asks("fe80::5", "fe80::ff:fe00:64"); /* of its MAC */
    assert_answer(&lab.wire, ROUTER_WIRE_MAC, "fe80::ff:fe00:64", "fe80::5", 0xe0);
    wire_asks("2001:db8::5", "2001:db8::10"); /* another's: does not override */
    assert_answer(&lab.wire, ROUTER_WIRE_MAC, "2001:db8::10", "2001:db8::5", 0xc0);
    wire_asks("fe80::5", "2001:db8:1::1234");
    assert_answer(&lab.wire, ROUTER_WIRE_MAC, "2001:db8:1::1234", "fe80::5", 0xc0);
}

static void the_wire_is_told_of_nothing_else(void **state)
{
    (void)state;
    wire_asks("2001:db8::5", "2001:db8::11");
    wire_asks("2001:db8::5", ROUTER_LINK_LOCAL);
    wire_asks("2001:db8::5", "2001:db8:2::1");
    assert_int_equal(lab.wire.nr_kept, 0);
}

static void who_wants_an_address_of_ours_is_told_with_all(void **state)
{
    (void)state;
    wire_asks("::", "2001:db8::10");
    assert_answer(&lab.wire, ROUTER_WIRE_MAC, "2001:db8::10", "ff02::1", 0x80);
    wire_asks("::", "2001:db8::1");
    assert_answer(&lab.wire, ROUTER_WIRE_MAC, "2001:db8::1", "ff02::1", 0xa0);
    assert_int_equal(router_stats(lab.router)->conflicts, 2);
}

static void who_asks_is_noted(void **state)
{
    struct packet_spec spec = { .src = "2001:db8::10", .dst = "2001:db8::5" };

    (void)state;
    wire_asks("2001:db8:7::5", "2001:db8::1"); /* not near */
    wire_asks("2001:db8::5", "2001:db8::99"); /* not to us */
    assert_int_equal(router_neighbours(lab.router), 0);
    wire_asks("2001:db8::5", "2001:db8::10");
    assert_int_equal(router_neighbours(lab.router), 1);
    forget_sent();
    guest_sends_packet(0, &spec);
    assert_mac(ether_of(lab.wire.kept[0])->dst_addr, HOST_MAC);
}

static void wire_tells(const char *target, struct rte_ether_addr mac, uint8_t flags, bool has_mac)
{
    struct nd nd = { .type = ND_ADVERT,
                     .flags = flags,
                     .src = ip6(target),
                     .dst = ip6(flags & ND_IS_SOLICITED ? "2001:db8::1" : "ff02::1"),
                     .target = ip6(target),
                     .has_mac = has_mac,
                     .mac = mac };
    struct rte_ether_addr to = ROUTER_WIRE_MAC;

    wire_sends(nd_make(fixture_pool(), &nd, &mac, &to));
}

static struct rte_ether_addr mac_used(void)
{
    forget_sent();
    guest_sends_packet(0, &(struct packet_spec){ .src = "2001:db8::10", .dst = "2001:db8::5" });
    assert_true(lab.wire.nr_kept >= 1);
    return ether_of(lab.wire.kept[0])->dst_addr;
}

/* RFC 4861, 7.2.5. */
static void advertisements_override_if_they_say_so(void **state)
{
    (void)state;
    wire_tells("2001:db8::5", station(1), ND_OVERRIDES, true);
    assert_int_equal(router_neighbours(lab.router), 0); /* nobody asked */
    neighbours_answer();
    assert_mac(mac_used(), HOST_MAC);
    wire_tells("2001:db8::5", station(1), 0, true);
    wire_tells("2001:db8::5", station(1), ND_IS_SOLICITED, true);
    assert_mac(mac_used(), HOST_MAC);
    wire_tells("2001:db8::5", station(1), ND_OVERRIDES, true);
    assert_mac(mac_used(), station(1));
    wire_tells("2001:db8::5", station(2), ND_IS_SOLICITED | ND_OVERRIDES, true);
    assert_mac(mac_used(), station(2));
}

static void an_answer_without_a_mac_says_that_it_is_there(void **state)
{
    (void)state;
    neighbours_answer();
    lab.now += 30 * SECOND;
    assert_mac(mac_used(), HOST_MAC);
    assert_int_equal(lab.wire.nr_kept, 2); /* it is asked whether it is there */
    wire_tells("2001:db8::5", HOST_MAC, ND_IS_SOLICITED, false);
    pass(5 * SECOND);
    assert_mac(mac_used(), HOST_MAC);
    assert_int_equal(lab.wire.nr_kept, 1);
}

static void who_takes_a_guests_address_is_not_believed(void **state)
{
    (void)state;
    wire_tells("2001:db8::10", station(1), ND_OVERRIDES, true);
    wire_asks("2001:db8::10", "2001:db8::1");
    assert_int_equal(router_stats(lab.router)->conflicts, 2);
    assert_int_equal(lab.wire.nr_kept, 0);
    assert_int_equal(router_neighbours(lab.router), 0);
}

static void who_says_so_for_another_is_not_believed(void **state)
{
    struct nd nd = { .type = ND_ADVERT,
                     .flags = ND_OVERRIDES,
                     .src = ip6("fe80::5"),
                     .dst = ip6("ff02::1"),
                     .target = ip6("2001:db8::10"),
                     .has_mac = true,
                     .mac = HOST_MAC };
    struct rte_mbuf *frame = make(&nd, HOST_MAC);

    (void)state;
    wire_sends(frame);
    assert_int_equal(router_stats(lab.router)->conflicts, 1);
    frame = make(&nd, HOST_MAC);
    rte_pktmbuf_mtod(frame, uint8_t *)[56] ^= 1;
    wire_sends(frame);
    assert_int_equal(router_stats(lab.router)->conflicts, 1);
    assert_int_equal(router_stats(lab.router)->bad, 1);
}

static void a_guest_reaches_all_by_the_routers_mac(void **state)
{
    static const char *const others[] = { "2001:db8::5", "2001:db8:1::9", "2600::1" };

    (void)state;
    guest_asks(0, "2001:db8::10", ROUTER_LINK_LOCAL);
    assert_answer(&lab.guests[0], ROUTER_GUEST_MAC, ROUTER_LINK_LOCAL, "2001:db8::10", 0xe0);
    guest_asks(0, "fe80::1", "2001:db8::1");
    assert_answer(&lab.guests[0], ROUTER_GUEST_MAC, "2001:db8::1", "fe80::1", 0xe0);
    for (unsigned int i = 0; i < RTE_DIM(others); i++) {
        guest_asks(0, "fe80::1", others[i]);
        assert_answer(&lab.guests[0], ROUTER_GUEST_MAC, others[i], "fe80::1", 0xc0);
    }
}

/* A link-local neighbour is asked from a link-local address (RFC 6724, rule 2). */
static void questions_come_from_where_they_are_about(void **state)
{
    struct packet_spec spec = { .src = "2001:db8::10", .dst = "2600::1" };
    static const char *const from[] = { "fe80::ff:fe00:64", "2001:db8::1" };
    struct nd nd;

    (void)state;
    guest_sends_packet(0, &spec);
    spec.dst = "2001:db8::5";
    guest_sends_packet(0, &spec);
    assert_int_equal(lab.wire.nr_kept, 2);
    for (unsigned int i = 0; i < 2; i++) {
        struct address src = ip6(from[i]), dst;

        frame_parse(lab.wire.kept[i]);
        assert_int_equal(nd_read(lab.wire.kept[i], &nd), 0);
        dst = ip6_solicited_node(&nd.target);
        assert_true(address_is_same(&nd.src, &src) && address_is_same(&nd.dst, &dst));
        assert_mac(ether_of(lab.wire.kept[i])->dst_addr, nd_group_mac(&dst));
        assert_true(nd.has_mac);
    }
}

static void a_guest_gets_no_answer_about_itself_or_its_link(void **state)
{
    (void)state;
    guest_asks(0, "fe80::1", "2001:db8::10");
    guest_asks(0, "fe80::1", "fe80::5");
    guest_asks(1, "fe80::1", "2001:db8:1::77");
    guest_asks(0, "::", "2001:db8::10"); /* looks whether it is free */
    guest_asks(0, "::", "2001:db8::77");
    guest_asks(0, "::", "fe80::1");
    assert_int_equal(lab.guests[0].nr_kept + lab.guests[1].nr_kept, 0);
    guest_asks(0, "::", "2001:db8::1");
    assert_answer(&lab.guests[0], ROUTER_GUEST_MAC, "2001:db8::1", "ff02::1", 0xa0);
}

static void a_guest_asks_as_itself_only(void **state)
{
    (void)state;
    guest_asks(0, "2001:db8::5", "2001:db8::1");
    guest_asks(0, ROUTER_LINK_LOCAL, "2001:db8::1");
    assert_int_equal(router_stats(lab.router)->spoofed, 2);
    assert_int_equal(lab.guests[0].nr_kept, 0);
}

/* Nobody is told by router advertisements, and redirects are not believed. */
static void other_discovery_is_taken_and_not_answered(void **state)
{
    (void)state;
    for (uint8_t type = 133; type <= 137; type++) {
        struct nd nd = question(GUEST_MAC(0), "fe80::1", "2001:db8:9::1");

        if (type != ND_SOLICIT && type != ND_ADVERT)
            guest_sends(0, changed(make(&nd, GUEST_MAC(0)), 54, type));
    }
    assert_int_equal(router_stats(lab.router)->nd_in, 3);
    assert_int_equal(lab.guests[0].nr_kept + lab.wire.nr_kept, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_start, lab_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_made_can_be_read),
        TEST(what_must_be_dropped_is_not_read),
        TEST(what_comes_behind_options_is_read),
        TEST(what_is_cut_off_is_not_read),
        TEST(the_wire_is_told_where_the_router_and_its_guests_are),
        TEST(the_wire_is_told_of_nothing_else),
        TEST(who_wants_an_address_of_ours_is_told_with_all),
        TEST(who_asks_is_noted),
        TEST(advertisements_override_if_they_say_so),
        TEST(an_answer_without_a_mac_says_that_it_is_there),
        TEST(who_takes_a_guests_address_is_not_believed),
        TEST(who_says_so_for_another_is_not_believed),
        TEST(a_guest_reaches_all_by_the_routers_mac),
        TEST(questions_come_from_where_they_are_about),
        TEST(a_guest_gets_no_answer_about_itself_or_its_link),
        TEST(a_guest_asks_as_itself_only),
        TEST(other_discovery_is_taken_and_not_answered),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
