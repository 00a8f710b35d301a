/* SPDX-License-Identifier: BSD-2-Clause */
/* net/filter_source.c: the addresses and the MAC that a guest may send from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "fixture_filter.h"

#define NET "192.0.2.5"
#define PEER "198.51.100.9"

static void udp4(struct bytes *b, const char *src, const char *dst, uint16_t sport, uint16_t dport)
{
    from4(b, src, dst, IPPROTO_UDP);
    put_udp(b, sport, dport);
}

static void arp(struct bytes *b, uint16_t op, const char *sha, const char *spa)
{
    *b = (struct bytes){ 0 };
    put_ether(b, ALL, OWN, RTE_ETHER_TYPE_ARP);
    put_arp(b, op, sha, spa, PEER);
}

static void ethertype(struct bytes *b, const char *src, uint16_t type)
{
    *b = (struct bytes){ 0 };
    put_ether(b, OTHER, src, type);
    put_zeros(b, 46);
}

/* Returns the reason that a list of addresses is refused, or NULL. */
static const char *refused(const char *ip)
{
    struct filter filter = filter_of("203.0.113.1", ""), before = filter;
    const char *why = NULL;
    int err = filter_sources_parse(&filter, ip, &why);

    assert_true(err == 0 || err == -EINVAL);
    assert_true((err == 0) == (why == NULL));
    if (err)
        assert_memory_equal(&filter, &before, sizeof(filter));
    return why;
}

static void nothing_is_asked_of_a_guest_without_addresses(void **state)
{
    struct filter filter = filter_of("", ""), blank = filter_of(" ,, \t", "");
    struct bytes b;

    (void)state;
    assert_false(filter_is_needed(&filter));
    assert_memory_equal(&filter, &blank, sizeof(filter));
    ethertype(&b, OTHER, 0x1234);
    assert_int_equal(sent(&filter, &b), 0);
    assert_int_equal(received(&filter, &b), 0);
    b.len = 5;
    assert_int_equal(sent(&filter, &b), 0);
}

static void lists_of_addresses_are_read(void **state)
{
    struct filter filter =
        filter_of("192.0.2.5,198.51.100.77/24  2001:db8::1 fd00:1:2:3:4::/64,", "");

    (void)state;
    assert_true(filter_is_needed(&filter));
    assert_int_equal(filter.nr_ip4, 2);
    assert_int_equal(filter.nr_ip6, 2);
    assert_int_equal(filter.ip4[1].addr, RTE_BE32(0xc6336400));
    assert_int_equal(filter.ip4[1].mask, RTE_BE32(0xffffff00));
    assert_true(filter.ip6[1].net.lo == 0 && filter.ip6[1].net.hi == 0xfd00000100020003);
}

static void bad_lists_change_nothing(void **state)
{
    static const char *const bad[] = {
        "192.0.2",    "192.0.2.5/33",    "192.0.2.256", "192.0.2.5;::1",  "host",
        "192.0.2.5/", "2001:db8::1/129", "1.2.3.4 x",   "192.0.2.5/24/1", ":",
        "192.0.2.05", "192.0.2.5\n"
    };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(bad); i++)
        if (!refused(bad[i]) || !strstr(refused(bad[i]), "accepted"))
            fail_msg("%s", bad[i]);
    assert_non_null(strstr(refused("224.0.0.1"), "group"));
    assert_non_null(strstr(refused("255.255.255.255"), "broadcast"));
    assert_non_null(strstr(refused("ff02::1"), "group"));
    assert_null(refused("0.0.0.0/0 ::/0 fe80::/10 192.0.0.0/2"));
}

static void sixteen_addresses_of_each_kind_and_no_more(void **state)
{
    char ip[1024] = "";

    (void)state;
    for (unsigned int i = 0; i < FILTER_SOURCES_MAX; i++)
        snprintf(ip + strlen(ip), sizeof(ip) - strlen(ip), "10.0.0.%u fd00::%u,", i, i);
    assert_null(refused(ip));
    strcat(ip, "fd00::100");
    assert_non_null(strstr(refused(ip), "16 addresses"));
    strcpy(strstr(ip, "fd00::100"), "10.0.1.0");
    assert_non_null(strstr(refused(ip), "16 addresses"));
}

static void only_given_ip4_sources_pass(void **state)
{
    struct filter filter = filter_of(NET " 10.1.0.0/16", "");
    struct bytes b;

    (void)state;
    udp4(&b, NET, PEER, 1000, 2000);
    assert_int_equal(sent(&filter, &b), 0);
    udp4(&b, "10.1.255.255", PEER, 1000, 2000);
    assert_int_equal(sent(&filter, &b), 0);
    for (unsigned int i = 0; i < 7; i++) {
        static const char *const sources[] = { "192.0.2.4", "10.0.255.255",    "10.2.0.0",
                                               "0.0.0.0",   "255.255.255.255", "224.0.0.1",
                                               "127.0.0.1" };

        udp4(&b, sources[i], PEER, 1000, 2000);
        assert_int_equal(sent(&filter, &b), FILTER_IP);
        assert_int_equal(received(&filter, &b), 0);
    }
}

static void sources_are_looked_at_behind_tags_and_in_fragments(void **state)
{
    struct filter filter = filter_of(NET, "");
    struct bytes b;

    (void)state;
    for (unsigned int right = 0; right < 2; right++)
        for (unsigned int tags = 0; tags < 4; tags++) {
            b = (struct bytes){ 0 };
            put_ether(&b, OTHER, OWN, RTE_ETHER_TYPE_IPV4);
            for (unsigned int i = 0; i < tags; i++)
                put_tag(&b, 0x8100, i);
            put_ip4(&b, right ? NET : PEER, NET, IPPROTO_TCP);
            ip4_fragment(&b, 8 * tags, 1);
            put_tcp(&b, 1, 2);
            assert_int_equal(sent(&filter, &b), tags == 3 ? FILTER_BAD_HEADER
                                                : right   ? 0
                                                          : FILTER_IP);
        }
}

/* RFC 2131, 4.1 */
static void a_dhcp_client_without_an_address_passes(void **state)
{
    struct filter filter = filter_of(NET, ""), filter6 = filter_of("2001:db8::1", "");
    struct bytes b;

    (void)state;
    udp4(&b, "0.0.0.0", "255.255.255.255", 68, 67);
    assert_int_equal(sent(&filter, &b), 0);
    assert_int_equal(sent(&filter6, &b), FILTER_IP);
    udp4(&b, "0.0.0.0", "255.255.255.255", 67, 68);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
    udp4(&b, "0.0.0.0", "255.255.255.255", 68, 53);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
    udp4(&b, "0.0.0.0", PEER, 68, 67);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
    from4(&b, "0.0.0.0", "255.255.255.255", IPPROTO_TCP);
    put_tcp(&b, 68, 67);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
    udp4(&b, "0.0.0.0", "255.255.255.255", 68, 67);
    ip4_fragment(&b, 0, 1);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
    udp4(&b, "0.0.0.0", "255.255.255.255", 68, 67);
    b.len -= 5; /* in the middle of its ports */
    assert_int_equal(sent(&filter, &b), FILTER_IP);
}

static void other_ethertypes_do_not_pass_beside_addresses(void **state)
{
    static const uint16_t types[] = { 0x8035, 0x88cc, 0x8864, 0x8847, 0x88e5, 0x0842, 46 };
    struct filter filter = filter_of(NET " ::1", "");
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(types); i++) {
        ethertype(&b, OWN, types[i]);
        assert_int_equal(sent(&filter, &b), FILTER_IP);
        assert_int_equal(received(&filter, &b), 0);
    }
}

static void a_kind_without_addresses_does_not_pass(void **state)
{
    struct filter only4 = filter_of(NET, ""), only6 = filter_of("2001:db8::1", "");
    struct bytes b;

    (void)state;
    udp4(&b, NET, PEER, 1, 2);
    assert_int_equal(sent(&only4, &b), 0);
    assert_int_equal(sent(&only6, &b), FILTER_IP);
    arp(&b, 1, OWN, NET);
    assert_int_equal(sent(&only4, &b), 0);
    assert_int_equal(sent(&only6, &b), FILTER_ARP);
    arp(&b, 1, OWN, "0.0.0.0");
    assert_int_equal(sent(&only6, &b), FILTER_ARP);
    from6(&b, "2001:db8::1", "2001:db8::2", IPPROTO_UDP, 64);
    put_udp(&b, 1, 2);
    assert_int_equal(sent(&only6, &b), 0);
    assert_int_equal(sent(&only4, &b), FILTER_IP);
    from6(&b, OWN_LL, "ff02::2", IPPROTO_ICMPV6, 255);
    put_icmp(&b, 133);
    assert_int_equal(sent(&only6, &b), 0);
    assert_int_equal(sent(&only4, &b), FILTER_IP);
}

static void ip_that_is_none_does_not_pass(void **state)
{
    struct filter filter = filter_of(NET " 2001:db8::1", "");
    struct bytes b;

    (void)state;
    udp4(&b, NET, PEER, 1, 2);
    bytes_free(bytes_frame(&b, 0));
    for (uint32_t len = 0; len < b.len; len++) {
        struct bytes cut = b;

        cut.len = len;
        assert_int_equal(filter_ask(&filter, bytes_frame_as_is(&cut, 0), true, FILTER_NEW),
                         FILTER_BAD_HEADER);
    }
    ethertype(&b, OWN, RTE_ETHER_TYPE_IPV6);
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
}

static void headers_in_a_second_segment_do_not_pass(void **state)
{
    struct filter filter = filter_of(NET, "");
    struct bytes b;

    (void)state;
    udp4(&b, NET, PEER, 1, 2);
    put_zeros(&b, 1000);
    for (uint32_t first = 1; first < 60; first++)
        assert_int_equal(filter_ask(&filter, bytes_frame(&b, first), true, FILTER_NEW),
                         first < 34 ? FILTER_BAD_HEADER : 0);
    arp(&b, 1, OWN, NET);
    for (uint32_t first = 14; first < 42; first++)
        assert_int_equal(filter_ask(&filter, bytes_frame(&b, first), true, FILTER_NEW),
                         FILTER_BAD_HEADER);
}

/* RFC 5227, 2.1.1: a probe has no sender's address. */
static void arp_comes_from_a_given_address(void **state)
{
    struct filter filter = filter_of(NET " 10.0.0.0/8", "");
    struct bytes b;

    (void)state;
    for (uint16_t op = 1; op <= 2; op++) {
        arp(&b, op, OWN, NET);
        assert_int_equal(sent(&filter, &b), 0);
        arp(&b, op, OWN, "10.9.9.9");
        assert_int_equal(sent(&filter, &b), 0);
        arp(&b, op, OWN, PEER);
        assert_int_equal(sent(&filter, &b), FILTER_ARP);
        arp(&b, op, OTHER, NET);
        assert_int_equal(sent(&filter, &b), FILTER_ARP);
        arp(&b, op, OWN, "0.0.0.0");
        assert_int_equal(sent(&filter, &b), op == 1 ? 0 : FILTER_ARP);
        assert_int_equal(received(&filter, &b), 0);
    }
    for (uint16_t op = 3; op < 12; op++) { /* RARP and others */
        arp(&b, op, OWN, NET);
        assert_int_equal(sent(&filter, &b), FILTER_ARP);
    }
}

static void arp_of_another_form_does_not_pass(void **state)
{
    static const uint8_t rows[][2] = { { 0, 1 }, { 1, 6 }, { 2, 0x86 },
                                       { 3, 1 }, { 4, 5 }, { 5, 16 } };
    struct filter filter = filter_of(NET, ""), mac = filter_of("", "guard mac");
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
        arp(&b, 1, OWN, NET);
        b.at[14 + rows[i][0]] = rows[i][1];
        assert_int_equal(sent(&filter, &b), FILTER_ARP);
        assert_int_equal(sent(&mac, &b), FILTER_ARP);
    }
    for (uint32_t cut = 1; cut <= 28; cut++) {
        arp(&b, 1, OWN, NET);
        b.len -= cut;
        assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
        assert_int_equal(sent(&mac, &b), FILTER_BAD_HEADER);
    }
}

static void the_ethernet_source_is_the_guests(void **state)
{
    struct filter filter = filter_of(NET, ""), mac = filter_of("", "guard mac");
    struct bytes b;

    (void)state;
    udp4(&b, NET, PEER, 1, 2);
    for (unsigned int i = 0; i < 6; i++) {
        b.at[6 + i] ^= 0x10;
        assert_int_equal(sent(&filter, &b), FILTER_MAC);
        assert_int_equal(sent(&mac, &b), FILTER_MAC);
        assert_int_equal(received(&mac, &b), 0);
        b.at[6 + i] ^= 0x10;
    }
    assert_int_equal(sent(&filter, &b), 0);
    assert_int_equal(sent(&mac, &b), 0);
}

static void guard_mac_alone_looks_at_no_address(void **state)
{
    struct filter mac = filter_of("", "guard mac");
    struct bytes b;

    (void)state;
    assert_true(filter_is_needed(&mac));
    udp4(&b, PEER, NET, 67, 68);
    assert_int_equal(sent(&mac, &b), 0);
    ethertype(&b, OWN, 0x88cc);
    assert_int_equal(sent(&mac, &b), 0);
    ethertype(&b, OWN, RTE_ETHER_TYPE_IPV4); /* no IP, and not asked */
    assert_int_equal(sent(&mac, &b), 0);
    arp(&b, 8, OWN, PEER);
    assert_int_equal(sent(&mac, &b), 0);
    arp(&b, 1, OTHER, PEER);
    assert_int_equal(sent(&mac, &b), FILTER_ARP);
    b = (struct bytes){ 0 };
    put_ether(&b, ALL, OWN, RTE_ETHER_TYPE_ARP);
    put_tag(&b, 0x8100, 5);
    put_arp(&b, 1, OTHER, NET, PEER);
    assert_int_equal(sent(&mac, &b), FILTER_ARP);
}

static void known_flows_have_sources_too(void **state)
{
    struct filter filter = filter_of(NET, "");
    struct bytes b;

    (void)state;
    udp4(&b, PEER, NET, 1, 2);
    assert_int_equal(filter_ask(&filter, bytes_frame(&b, 0), true, FILTER_ESTABLISHED), FILTER_IP);
}

static void a_prefix_of_no_length_is_everybody(void **state)
{
    struct filter filter = filter_of("0.0.0.0/0", "");
    struct bytes b;

    (void)state;
    udp4(&b, "0.0.0.0", PEER, 1, 2);
    assert_int_equal(sent(&filter, &b), 0);
    arp(&b, 2, OWN, PEER);
    assert_int_equal(sent(&filter, &b), 0);
    arp(&b, 2, OTHER, PEER);
    assert_int_equal(sent(&filter, &b), FILTER_ARP);
}

static void every_reason_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < FILTER_NR_REASONS; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(filter_reason_name(i), filter_reason_name(j));
    assert_string_equal(filter_reason_name(FILTER_NR_REASONS), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_of_a_guest_without_addresses),
        cmocka_unit_test(lists_of_addresses_are_read),
        cmocka_unit_test(bad_lists_change_nothing),
        cmocka_unit_test(sixteen_addresses_of_each_kind_and_no_more),
        cmocka_unit_test(only_given_ip4_sources_pass),
        cmocka_unit_test(sources_are_looked_at_behind_tags_and_in_fragments),
        cmocka_unit_test(a_dhcp_client_without_an_address_passes),
        cmocka_unit_test(other_ethertypes_do_not_pass_beside_addresses),
        cmocka_unit_test(a_kind_without_addresses_does_not_pass),
        cmocka_unit_test(ip_that_is_none_does_not_pass),
        cmocka_unit_test(headers_in_a_second_segment_do_not_pass),
        cmocka_unit_test(arp_comes_from_a_given_address),
        cmocka_unit_test(arp_of_another_form_does_not_pass),
        cmocka_unit_test(the_ethernet_source_is_the_guests),
        cmocka_unit_test(guard_mac_alone_looks_at_no_address),
        cmocka_unit_test(known_flows_have_sources_too),
        cmocka_unit_test(a_prefix_of_no_length_is_everybody),
        cmocka_unit_test(every_reason_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
