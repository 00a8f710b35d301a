/* SPDX-License-Identifier: BSD-2-Clause */
/* net/filter_rule.c: which rule a frame meets first, and what rules leave alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture_filter.h"

#define US4 "10.0.0.5"
#define US6 "fd00::5"

/* From the guest to a peer; `in` turns it round. */
static void l4(struct bytes *b, bool is_in, const char *peer, uint8_t protocol, uint16_t peer_port,
               uint16_t own_port)
{
    bool is_ip6 = strchr(peer, ':') != NULL;
    const char *us = is_ip6 ? US6 : US4;

    if (is_ip6)
        from6(b, is_in ? peer : us, is_in ? us : peer, protocol, 64);
    else
        from4(b, is_in ? peer : us, is_in ? us : peer, protocol);
    if (protocol == IPPROTO_TCP)
        put_tcp(b, is_in ? peer_port : own_port, is_in ? own_port : peer_port);
    else
        put_udp(b, is_in ? peer_port : own_port, is_in ? own_port : peer_port);
}

/* What the policy says to TCP or UDP with a peer, in each direction. */
static void expect(const char *policy, const char *peer, uint8_t protocol, uint16_t peer_port,
                   uint16_t own_port, int out, int in)
{
    struct filter filter = filter_of("", policy);
    struct bytes b;

    l4(&b, false, peer, protocol, peer_port, own_port);
    assert_int_equal(sent(&filter, &b), out);
    l4(&b, true, peer, protocol, peer_port, own_port);
    assert_int_equal(received(&filter, &b), in);
}

static void the_first_rule_that_matches_decides(void **state)
{
    const char *policy = "allow out remote 10.1.0.0/16; deny out remote 10.0.0.0/8;"
                         "allow out remote 10.2.0.0/16; deny in; allow in";

    (void)state;
    expect(policy, "10.1.2.3", IPPROTO_TCP, 80, 1024, 0, FILTER_RULE);
    expect(policy, "10.2.2.3", IPPROTO_TCP, 80, 1024, FILTER_RULE, FILTER_RULE);
    expect(policy, "11.0.0.0", IPPROTO_TCP, 80, 1024, 0, FILTER_RULE);
}

static void without_a_rule_the_default_decides(void **state)
{
    (void)state;
    expect("default deny out", "10.1.2.3", IPPROTO_UDP, 53, 1024, FILTER_RULE, 0);
    expect("default deny in", "fd00::1", IPPROTO_UDP, 53, 1024, 0, FILTER_RULE);
    expect("default deny in;default deny out;allow in;allow out", "fd00::1", IPPROTO_UDP, 53, 1024,
           0, 0);
}

static void directions_do_not_mix(void **state)
{
    const char *policy = "deny in proto tcp; allow out proto tcp; allow in; deny out";

    (void)state;
    expect(policy, "10.1.2.3", IPPROTO_TCP, 1, 2, 0, FILTER_RULE);
    expect(policy, "10.1.2.3", IPPROTO_UDP, 1, 2, FILTER_RULE, 0);
}

static void remote_is_the_other_end(void **state)
{
    const char *policy = "deny in remote " US4 "; deny out remote " US4 "; deny in remote " US6
                         "; deny out remote " US6;

    (void)state;
    expect(policy, "10.0.0.6", IPPROTO_TCP, 1, 2, 0, 0);
    expect(policy, US4, IPPROTO_TCP, 1, 2, FILTER_RULE, FILTER_RULE);
    expect(policy, "fd00::6", IPPROTO_TCP, 1, 2, 0, 0);
    expect(policy, US6, IPPROTO_TCP, 1, 2, FILTER_RULE, FILTER_RULE);
}

static void prefixes_match_to_the_bit(void **state)
{
    (void)state;
    expect("deny out remote 10.0.0.128/25", "10.0.0.127", IPPROTO_TCP, 1, 2, 0, 0);
    expect("deny out remote 10.0.0.128/25", "10.0.0.128", IPPROTO_TCP, 1, 2, FILTER_RULE, 0);
    expect("deny out remote 10.0.0.128/25", "10.0.0.255", IPPROTO_TCP, 1, 2, FILTER_RULE, 0);
    expect("deny out remote 10.0.0.128/25", "10.0.1.0", IPPROTO_TCP, 1, 2, 0, 0);
    expect("deny out remote 10.0.0.1", "10.0.0.2", IPPROTO_TCP, 1, 2, 0, 0);
    expect("deny out remote 0.0.0.0/0", "255.255.255.255", IPPROTO_TCP, 1, 2, FILTER_RULE, 0);
    expect("deny out remote 0.0.0.0/0", "::1", IPPROTO_TCP, 1, 2, 0, 0);
    expect("deny out remote ::/0", "ffff::1", IPPROTO_TCP, 1, 2, FILTER_RULE, 0);
    expect("deny out remote ::/0", "10.0.0.1", IPPROTO_TCP, 1, 2, 0, 0);
    expect("deny in remote fd00::/63", "fd00:0:0:1::7", IPPROTO_TCP, 1, 2, 0, FILTER_RULE);
    expect("deny in remote fd00::/63", "fd00:0:0:2::7", IPPROTO_TCP, 1, 2, 0, 0);
    expect("deny in remote fd00::8/125", "fd00::f", IPPROTO_TCP, 1, 2, 0, FILTER_RULE);
    expect("deny in remote fd00::8/125", "fd00::10", IPPROTO_TCP, 1, 2, 0, 0);
    expect("deny in remote 10.0.0.1", "::ffff:10.0.0.1", IPPROTO_TCP, 1, 2, 0, 0);
}

static void ports_match_their_end(void **state)
{
    (void)state;
    expect("deny out remote-port 80", "10.0.0.1", IPPROTO_TCP, 80, 1024, FILTER_RULE, 0);
    expect("deny out remote-port 80", "10.0.0.1", IPPROTO_TCP, 1024, 80, 0, 0);
    expect("deny out local-port 80", "10.0.0.1", IPPROTO_TCP, 80, 1024, 0, 0);
    expect("deny in local-port 80", "fd00::1", IPPROTO_UDP, 1024, 80, 0, FILTER_RULE);
    expect("deny in remote-port 80", "fd00::1", IPPROTO_UDP, 80, 1024, 0, FILTER_RULE);
    expect("deny in remote-port 80 local-port 9", "fd00::1", IPPROTO_UDP, 80, 9, 0, FILTER_RULE);
    expect("deny in remote-port 80 local-port 9", "fd00::1", IPPROTO_UDP, 80, 8, 0, 0);
    expect("deny in remote-port 80 local-port 9", "fd00::1", IPPROTO_UDP, 81, 9, 0, 0);
}

static void ranges_of_ports_have_both_ends(void **state)
{
    static const struct {
        uint16_t port;
        int reason;
    } rows[] = { { 0, 0 },
                 { 999, 0 },
                 { 1000, FILTER_RULE },
                 { 1500, FILTER_RULE },
                 { 1999, FILTER_RULE },
                 { 2000, 0 },
                 { 65535, 0 } };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(rows); i++)
        expect("deny out proto tcp remote-port 1000-1999", "10.0.0.1", IPPROTO_TCP, rows[i].port, 5,
               rows[i].reason, 0);
    expect("deny out remote-port 1-65535", "10.0.0.1", IPPROTO_TCP, 65535, 5, FILTER_RULE, 0);
    expect("deny out remote-port 1-65535", "10.0.0.1", IPPROTO_TCP, 0, 5, 0, 0);
}

static void protocols_match(void **state)
{
    (void)state;
    expect("deny out proto tcp", "10.0.0.1", IPPROTO_TCP, 1, 2, FILTER_RULE, 0);
    expect("deny out proto tcp", "10.0.0.1", IPPROTO_UDP, 1, 2, 0, 0);
    expect("deny out proto udp", "fd00::1", IPPROTO_UDP, 1, 2, FILTER_RULE, 0);
    expect("deny out proto icmp", "10.0.0.1", IPPROTO_ICMP, 1, 2, FILTER_RULE, 0);
    expect("deny out proto icmp6", "fd00::1", IPPROTO_ICMPV6, 1, 2, FILTER_RULE, 0);
    expect("deny out proto 47", "10.0.0.1", 47, 1, 2, FILTER_RULE, 0);
    expect("deny out proto 47", "10.0.0.1", 48, 1, 2, 0, 0);
    expect("deny out remote-port 1", "10.0.0.1", 47, 1, 1, 0, 0); /* GRE has no ports */
    expect("deny out proto 0", "10.0.0.1", 0, 1, 2, FILTER_RULE, 0);
}

static void later_fragments_match_rules_without_ports(void **state)
{
    struct filter by_port = filter_of("", "deny out proto tcp remote-port 80");
    struct filter by_proto = filter_of("", "deny out proto tcp");
    struct filter allowed = filter_of("", "default deny out; allow out proto tcp remote-port 80");
    struct bytes b;

    (void)state;
    l4(&b, false, "10.0.0.1", IPPROTO_TCP, 80, 1024);
    ip4_fragment(&b, 0, 1);
    assert_int_equal(sent(&by_port, &b), FILTER_RULE);
    assert_int_equal(sent(&by_proto, &b), FILTER_RULE);
    assert_int_equal(sent(&allowed, &b), 0);
    ip4_fragment(&b, 8, 0);
    assert_int_equal(sent(&by_port, &b), 0);
    assert_int_equal(sent(&by_proto, &b), FILTER_RULE);
    assert_int_equal(sent(&allowed, &b), FILTER_RULE);
    from6(&b, US6, "fd00::1", IPPROTO_FRAGMENT, 64);
    put_fragment6(&b, IPPROTO_TCP, 1448, 0);
    put_tcp(&b, 1024, 80);
    assert_int_equal(sent(&by_port, &b), 0);
    assert_int_equal(sent(&by_proto, &b), FILTER_RULE);
}

static void ports_that_are_hidden_do_not_pass_a_rule_about_ports(void **state)
{
    struct filter filter = filter_of("", "allow out remote 10.0.0.9; deny out remote-port 80");
    struct bytes b;

    (void)state;
    for (uint32_t len = 0; len < 4; len++) {
        l4(&b, false, "10.0.0.1", IPPROTO_TCP, 80, 1024);
        ip4_fragment(&b, 0, 1);
        b.len = 34 + len;
        assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
        l4(&b, false, "10.0.0.9", IPPROTO_TCP, 80, 1024); /* decided before */
        b.len = 34 + len;
        assert_int_equal(sent(&filter, &b), 0);
    }
}

static void protocols_that_are_hidden_do_not_pass_a_rule_about_them(void **state)
{
    struct filter filter = filter_of("", "allow out remote fd00::9; deny out proto 47");
    struct filter by_address = filter_of("", "deny out remote fd00::7");
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        from6(&b, US6, i ? "fd00::9" : "fd00::1", IPPROTO_FRAGMENT, 64);
        put_fragment6(&b, IPPROTO_DSTOPTS, 0, 1);
        put_ext6(&b, 47, 1);
        assert_int_equal(sent(&filter, &b), i ? 0 : FILTER_BAD_HEADER);
        assert_int_equal(sent(&by_address, &b), 0);
    }
}

static void ip_that_is_none_and_wrapped_frames_do_not_pass_rules(void **state)
{
    struct filter filter = filter_of("", "deny out remote fd00::7; deny in remote fd00::7");
    struct filter other = filter_of("", "deny in remote fd00::7");
    struct bytes b;

    (void)state;
    l4(&b, false, "10.0.0.1", IPPROTO_TCP, 80, 1024);
    bytes_free(bytes_frame(&b, 0));
    b.len--;
    assert_int_equal(filter_ask(&filter, bytes_frame_as_is(&b, 0), true, 0), FILTER_BAD_HEADER);
    assert_int_equal(filter_ask(&filter, bytes_frame_as_is(&b, 0), false, 0), FILTER_BAD_HEADER);
    assert_int_equal(filter_ask(&other, bytes_frame_as_is(&b, 0), true, 0), 0);
    b.len = 10;
    assert_int_equal(filter_ask(&filter, bytes_frame_as_is(&b, 0), true, 0), FILTER_BAD_HEADER);
    assert_int_equal(filter_ask(&filter, bytes_frame_as_is(&b, 0), false, 0), FILTER_BAD_HEADER);
    b = (struct bytes){ 0 };
    put_ether(&b, OTHER, OWN, 0x9100);
    put_zeros(&b, 40);
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
    assert_int_equal(received(&filter, &b), FILTER_BAD_HEADER);
}

static void arp_is_left_alone(void **state)
{
    struct filter filter = filter_of("", "default deny in; default deny out; deny in; deny out");
    struct bytes b = { 0 };

    (void)state;
    put_ether(&b, ALL, OWN, RTE_ETHER_TYPE_ARP);
    put_arp(&b, 1, OWN, US4, "10.0.0.1");
    assert_int_equal(sent(&filter, &b), 0);
    assert_int_equal(received(&filter, &b), 0);
}

static void discovery_on_the_link_is_left_alone(void **state)
{
    struct filter filter = filter_of("", "default deny in; default deny out");
    struct bytes b;

    (void)state;
    for (unsigned int type = 0; type < 256; type++)
        for (unsigned int limit = 0; limit < 3; limit++) {
            static const uint8_t limits[] = { 1, 254, 255 };
            bool is_nd = type >= 133 && type <= 137, is_mld = type >= 130 && type <= 132;
            bool passes =
                (is_nd && limits[limit] == 255) || ((is_mld || type == 143) && limits[limit] == 1);

            from6(&b, US6, "ff02::1", IPPROTO_HOPOPTS, limits[limit]);
            put_ext6(&b, IPPROTO_ICMPV6, 1);
            put_icmp(&b, (uint8_t)type);
            assert_int_equal(sent(&filter, &b), passes ? 0 : FILTER_RULE);
            assert_int_equal(received(&filter, &b), passes ? 0 : FILTER_RULE);
        }
    from6(&b, US6, "ff02::1", IPPROTO_FRAGMENT, 255);
    put_fragment6(&b, IPPROTO_ICMPV6, 0, 0);
    put_icmp(&b, 135);
    assert_int_equal(sent(&filter, &b), FILTER_RULE);
    from4(&b, US4, "10.0.0.1", IPPROTO_ICMPV6);
    b.at[b.ip_at + 8] = 255;
    put_icmp(&b, 135);
    assert_int_equal(sent(&filter, &b), FILTER_RULE);
}

static void other_ethertypes_match_rules_that_say_nothing(void **state)
{
    static const struct {
        const char *policy;
        int reason;
    } rows[] = { { "default deny out", FILTER_RULE },
                 { "deny out", FILTER_RULE },
                 { "default deny out; allow out", 0 },
                 { "default deny out; allow out remote any proto any", 0 },
                 { "default deny out; allow out proto tcp; allow out remote 0.0.0.0/0",
                   FILTER_RULE },
                 { "deny out remote ::/0; deny out remote-port 1-65535; deny out proto 0", 0 } };
    struct bytes b = { 0 };

    (void)state;
    put_ether(&b, OTHER, OWN, 0x88cc);
    put_zeros(&b, 46);
    for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
        struct filter filter = filter_of("", rows[i].policy);

        assert_int_equal(sent(&filter, &b), rows[i].reason);
        assert_int_equal(received(&filter, &b), 0);
    }
}

static void known_flows_are_not_asked_about(void **state)
{
    struct filter filter = filter_of("", "default deny in; deny out; guard ra");
    struct bytes b;

    (void)state;
    l4(&b, false, "10.0.0.1", IPPROTO_TCP, 80, 1024);
    assert_int_equal(filter_ask(&filter, bytes_frame(&b, 0), true, FILTER_ESTABLISHED), 0);
    assert_int_equal(filter_ask(&filter, bytes_frame(&b, 0), false, FILTER_ESTABLISHED), 0);
    assert_int_equal(filter_ask(&filter, bytes_frame(&b, 0), true, FILTER_NEW), FILTER_RULE);
    assert_int_equal(filter_ask(&filter, bytes_frame(&b, 0), false, FILTER_NEW), FILTER_RULE);
}

static void a_frame_for_several_is_one(void **state)
{
    struct filter filter = filter_of("", "deny out proto tcp remote-port 80");
    struct bytes b;
    struct rte_mbuf *frame;

    (void)state;
    l4(&b, false, "10.0.0.1", IPPROTO_TCP, 80, 1024);
    put_zeros(&b, 3000);
    frame = bytes_frame(&b, 60);
    frame->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
    frame->tso_segsz = 1000;
    assert_int_equal(filter_ask(&filter, frame, true, FILTER_NEW), FILTER_RULE);
}

static void all_rules_are_asked(void **state)
{
    char policy[1024] = "";
    char peer[32];

    (void)state;
    for (unsigned int i = 0; i < POLICY_RULES_MAX; i++)
        snprintf(policy + strlen(policy), sizeof(policy) - strlen(policy),
                 "deny %s remote 10.0.0.%u;", i % 3 ? "out" : "in", i);
    for (unsigned int i = 0; i < POLICY_RULES_MAX; i++) {
        snprintf(peer, sizeof(peer), "10.0.0.%u", i);
        expect(policy, peer, IPPROTO_UDP, 1, 2, i % 3 ? FILTER_RULE : 0, i % 3 ? 0 : FILTER_RULE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(without_a_rule_the_default_decides),
        cmocka_unit_test(directions_do_not_mix),
        cmocka_unit_test(remote_is_the_other_end),
        cmocka_unit_test(prefixes_match_to_the_bit),
        cmocka_unit_test(ports_match_their_end),
        cmocka_unit_test(ranges_of_ports_have_both_ends),
        cmocka_unit_test(protocols_match),
        cmocka_unit_test(later_fragments_match_rules_without_ports),
        cmocka_unit_test(ports_that_are_hidden_do_not_pass_a_rule_about_ports),
        cmocka_unit_test(protocols_that_are_hidden_do_not_pass_a_rule_about_them),
        cmocka_unit_test(ip_that_is_none_and_wrapped_frames_do_not_pass_rules),
        cmocka_unit_test(arp_is_left_alone),
        cmocka_unit_test(discovery_on_the_link_is_left_alone),
        cmocka_unit_test(other_ethertypes_match_rules_that_say_nothing),
        cmocka_unit_test(known_flows_are_not_asked_about),
        cmocka_unit_test(a_frame_for_several_is_one),
        cmocka_unit_test(all_rules_are_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
