/* SPDX-License-Identifier: BSD-2-Clause */
/* net/filter.c: guests that play DHCP server or IPv6 router, and what could hide that they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture_filter.h"

static struct filter dhcp, ra, mac;

static int set_up(void **state)
{
    (void)state;
    dhcp = filter_of("", "guard dhcp");
    ra = filter_of("", "guard ra");
    mac = filter_of("", "guard mac");
    return 0;
}

static void udp(struct bytes *b, unsigned int version, uint16_t sport, uint16_t dport)
{
    if (version == 4)
        from4(b, "10.0.0.1", "255.255.255.255", IPPROTO_UDP);
    else
        from6(b, OWN_LL, "fe80::2", IPPROTO_UDP, 64);
    put_udp(b, sport, dport);
}

static void icmp6(struct bytes *b, uint8_t type)
{
    from6(b, OWN_LL, "ff02::1", IPPROTO_ICMPV6, 255);
    put_icmp(b, type);
    put_zeros(b, 32);
}

static void a_server_of_dhcp_is_not_heard(void **state)
{
    struct bytes b;

    (void)state;
    udp(&b, 4, 67, 68);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    assert_int_equal(sent(&ra, &b), 0);
    assert_int_equal(received(&dhcp, &b), 0);
    udp(&b, 4, 67, 67); /* to a relay */
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    udp(&b, 4, 5000, 68); /* clients look at their own port only */
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    udp(&b, 6, 547, 546);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    udp(&b, 6, 547, 547);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    udp(&b, 6, 5000, 546);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
}

static void clients_of_dhcp_and_others_are_heard(void **state)
{
    struct bytes b;

    (void)state;
    udp(&b, 4, 68, 67);
    assert_int_equal(sent(&dhcp, &b), 0);
    udp(&b, 6, 546, 547);
    assert_int_equal(sent(&dhcp, &b), 0);
    udp(&b, 4, 547, 546);
    assert_int_equal(sent(&dhcp, &b), 0);
    udp(&b, 6, 67, 68);
    assert_int_equal(sent(&dhcp, &b), 0);
    from4(&b, "10.0.0.1", "10.0.0.2", IPPROTO_TCP);
    put_tcp(&b, 67, 68);
    assert_int_equal(sent(&dhcp, &b), 0);
    icmp6(&b, 134);
    assert_int_equal(sent(&dhcp, &b), 0);
}

static void dhcp_is_seen_behind_options_tags_and_extensions(void **state)
{
    struct bytes b = { 0 };

    (void)state;
    put_ether(&b, ALL, OWN, RTE_ETHER_TYPE_IPV4);
    put_tag(&b, 0x8100, 0);
    put_tag(&b, 0x8100, 0);
    put_ip4(&b, "10.0.0.1", "10.0.0.2", IPPROTO_UDP);
    b.at[b.ip_at] = 0x4f;
    put_zeros(&b, 40);
    put_udp(&b, 67, 68);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    from6(&b, OWN_LL, "fe80::2", IPPROTO_DSTOPTS, 64);
    put_ext6(&b, IPPROTO_UDP, 10);
    put_udp(&b, 547, 546);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
}

static void dhcp_in_fragments_is_not_heard(void **state)
{
    struct bytes b;

    (void)state;
    udp(&b, 4, 67, 68);
    put_zeros(&b, 32);
    ip4_fragment(&b, 0, 1);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    ip4_fragment(&b, 8, 1); /* without the first nobody can use it */
    assert_int_equal(sent(&dhcp, &b), 0);
    ip4_fragment(&b, 0, 1);
    b.len = 14 + 20 + 3; /* ports in the next one */
    assert_int_equal(sent(&dhcp, &b), FILTER_BAD_HEADER);
    from6(&b, OWN_LL, "fe80::2", IPPROTO_FRAGMENT, 64);
    put_fragment6(&b, IPPROTO_UDP, 0, 1);
    put_udp(&b, 547, 546);
    assert_int_equal(sent(&dhcp, &b), FILTER_DHCP);
    from6(&b, OWN_LL, "fe80::2", IPPROTO_FRAGMENT, 64);
    put_fragment6(&b, IPPROTO_UDP, 0, 1);
    assert_int_equal(sent(&dhcp, &b), FILTER_BAD_HEADER);
}

static void udp_that_is_cut_does_not_pass_the_guard(void **state)
{
    struct bytes b;

    (void)state;
    for (uint32_t len = 0; len < 8; len++) {
        udp(&b, 4, 1000, 2000);
        b.len = 14 + 20 + len;
        assert_int_equal(sent(&dhcp, &b), len < 4 ? FILTER_BAD_HEADER : 0);
        udp(&b, 6, 1000, 2000);
        b.len = 14 + 40 + len;
        assert_int_equal(sent(&dhcp, &b), len < 4 ? FILTER_BAD_HEADER : 0);
    }
    udp(&b, 4, 1000, 2000);
    b.len = 14 + 20 + 3;
    bytes_free(bytes_frame(&b, 0));
    put_zeros(&b, 20); /* padding, no port */
    assert_int_equal(filter_ask(&dhcp, bytes_frame_as_is(&b, 0), true, 0), FILTER_BAD_HEADER);
    udp(&b, 4, 67, 68);
    for (uint32_t first = 34; first < 42; first++) /* ports in the next segment */
        assert_int_equal(filter_ask(&dhcp, bytes_frame(&b, first), true, FILTER_NEW),
                         first < 38 ? FILTER_BAD_HEADER : FILTER_DHCP);
}

static void a_router_is_not_heard(void **state)
{
    struct bytes b;

    (void)state;
    for (unsigned int type = 0; type < 256; type++) {
        icmp6(&b, (uint8_t)type);
        assert_int_equal(sent(&ra, &b), type == 134 || type == 137 ? FILTER_RA : 0);
        assert_int_equal(received(&ra, &b), 0);
    }
    udp(&b, 4, 67, 68);
    assert_int_equal(sent(&ra, &b), 0);
}

/* RFC 7113, RFC 6980 */
static void a_router_does_not_hide_in_fragments(void **state)
{
    struct bytes b;

    (void)state;
    for (unsigned int type = 128; type < 140; type++) {
        from6(&b, OWN_LL, "ff02::1", IPPROTO_FRAGMENT, 255);
        put_fragment6(&b, IPPROTO_ICMPV6, 0, type & 1);
        put_icmp(&b, (uint8_t)type);
        assert_int_equal(sent(&ra, &b), type == 134 || type == 137   ? FILTER_RA
                                        : type >= 133 && type <= 136 ? FILTER_ND
                                                                     : 0);
    }
    for (uint32_t len = 0; len < 4; len++) {
        from6(&b, OWN_LL, "ff02::1", IPPROTO_FRAGMENT, 255);
        put_fragment6(&b, IPPROTO_ICMPV6, 0, 1);
        put_zeros(&b, len);
        assert_int_equal(sent(&ra, &b), FILTER_BAD_HEADER);
    }
    from6(&b, OWN_LL, "ff02::1", IPPROTO_FRAGMENT, 255);
    put_fragment6(&b, IPPROTO_ICMPV6, 8, 0);
    put_icmp(&b, 134);
    assert_int_equal(sent(&ra, &b), 0);
}

static void a_router_does_not_hide_behind_extension_headers(void **state)
{
    static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING };
    struct bytes b;

    (void)state;
    for (unsigned int k = 0; k < RTE_DIM(kinds); k++)
        for (unsigned int nr = 1; nr <= 12; nr++) {
            from6(&b, OWN_LL, "ff02::1", kinds[k], 255);
            for (unsigned int i = 1; i <= nr; i++)
                put_ext6(&b, i < nr ? kinds[k] : IPPROTO_ICMPV6, 1);
            put_icmp(&b, 134);
            assert_int_equal(sent(&ra, &b), nr <= 8 ? FILTER_RA : FILTER_BAD_HEADER);
            assert_int_equal(sent(&dhcp, &b), nr <= 8 ? 0 : FILTER_BAD_HEADER);
            assert_int_equal(sent(&mac, &b), 0);
        }
    from6(&b, OWN_LL, "ff02::1", IPPROTO_DSTOPTS, 255); /* longer than the packet */
    put_ext6(&b, IPPROTO_ICMPV6, 1);
    b.at[b.len - 7] = 200;
    put_icmp(&b, 134);
    assert_int_equal(sent(&ra, &b), FILTER_BAD_HEADER);
    from6(&b, OWN_LL, "ff02::1", IPPROTO_FRAGMENT, 255); /* the rest of the chain in a fragment */
    put_fragment6(&b, IPPROTO_DSTOPTS, 0, 1);
    put_ext6(&b, IPPROTO_ICMPV6, 1);
    put_icmp(&b, 134);
    assert_int_equal(sent(&ra, &b), FILTER_BAD_HEADER);
    assert_int_equal(sent(&dhcp, &b), FILTER_BAD_HEADER);
}

static void headers_that_others_follow_hide_a_router(void **state)
{
    static const uint8_t hidden[] = { IPPROTO_AH, 135, 139, 140, 253, 254 };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(hidden); i++) {
        from6(&b, OWN_LL, "ff02::1", hidden[i], 255);
        put_zeros(&b, 40);
        assert_int_equal(sent(&ra, &b), FILTER_BAD_HEADER);
        assert_int_equal(sent(&dhcp, &b), FILTER_BAD_HEADER);
        from4(&b, "10.0.0.1", "10.0.0.2", hidden[i]);
        put_zeros(&b, 40);
        assert_int_equal(sent(&ra, &b), 0);
        assert_int_equal(sent(&dhcp, &b), 0);
    }
    from6(&b, OWN_LL, "ff02::1", IPPROTO_ESP, 255);
    put_zeros(&b, 40);
    assert_int_equal(sent(&ra, &b), 0);
}

static void ip_that_is_none_does_not_pass_the_guards(void **state)
{
    struct bytes b;

    (void)state;
    icmp6(&b, 134);
    bytes_free(bytes_frame(&b, 0));
    b.len -= 1;
    assert_int_equal(filter_ask(&ra, bytes_frame_as_is(&b, 0), true, 0), FILTER_BAD_HEADER);
    assert_int_equal(filter_ask(&dhcp, bytes_frame_as_is(&b, 0), true, 0), FILTER_BAD_HEADER);
    assert_int_equal(filter_ask(&mac, bytes_frame_as_is(&b, 0), true, 0), 0);
    udp(&b, 4, 67, 68);
    bytes_free(bytes_frame(&b, 0));
    b.len -= 1;
    assert_int_equal(filter_ask(&ra, bytes_frame_as_is(&b, 0), true, 0), 0);
    assert_int_equal(filter_ask(&dhcp, bytes_frame_as_is(&b, 0), true, 0), FILTER_BAD_HEADER);
    b.len = 13;
    assert_int_equal(filter_ask(&ra, bytes_frame_as_is(&b, 0), true, 0), FILTER_BAD_HEADER);
}

/* Tags that are not looked behind, and SNAP: what comes out elsewhere may be anything. */
static void wrapped_frames_do_not_pass_the_guards(void **state)
{
    static const uint16_t tags[] = { 0x8100, 0x88a8, 0x9100, 0x9200, 0x9300, 0x88e7 };
    struct filter *filters[] = { &dhcp, &ra, &mac };
    struct bytes b;

    (void)state;
    for (unsigned int f = 0; f < RTE_DIM(filters); f++) {
        for (unsigned int i = 0; i < RTE_DIM(tags); i++) {
            b = (struct bytes){ 0 };
            put_ether(&b, ALL, OWN, RTE_ETHER_TYPE_IPV6);
            put_tag(&b, 0x8100, 0);
            put_tag(&b, 0x8100, 0);
            put_tag(&b, tags[i], 0);
            put_zeros(&b, 40);
            assert_int_equal(sent(filters[f], &b), FILTER_BAD_HEADER);
        }
        b = (struct bytes){ 0 };
        put_ether(&b, ALL, OWN, 0x8100); /* a tag that is cut */
        put16(&b, 0);
        assert_int_equal(sent(filters[f], &b), FILTER_BAD_HEADER);
    }
}

static void snap(struct bytes *b, unsigned int tags, uint8_t dsap, uint32_t oui, uint32_t len)
{
    *b = (struct bytes){ 0 };
    put_ether(b, ALL, OWN, 48);
    for (unsigned int i = 0; i < tags; i++)
        put_tag(b, 0x8100, 0);
    put8(b, dsap);
    put8(b, dsap);
    put8(b, 3);
    put8(b, (uint8_t)(oui >> 16));
    put16(b, (uint16_t)oui);
    put16(b, RTE_ETHER_TYPE_IPV6);
    put_zeros(b, 40);
    b->len = 14 + 4 * tags + len;
}

static void ip_in_snap_does_not_pass_the_guards(void **state)
{
    struct filter *filters[] = { &dhcp, &ra, &mac };
    struct bytes b;

    (void)state;
    for (unsigned int f = 0; f < RTE_DIM(filters); f++)
        for (unsigned int tags = 0; tags < 3; tags++) {
            snap(&b, tags, 0xaa, 0, 48);
            assert_int_equal(sent(filters[f], &b), FILTER_BAD_HEADER);
            snap(&b, tags, 0xab, 0, 48);
            assert_int_equal(sent(filters[f], &b), FILTER_BAD_HEADER);
            snap(&b, tags, 0xaa, 0xf8, 48);
            assert_int_equal(sent(filters[f], &b), FILTER_BAD_HEADER);
            snap(&b, tags, 0xaa, 0x0c, 48); /* of Cisco */
            assert_int_equal(sent(filters[f], &b), 0);
            snap(&b, tags, 0x42, 0, 48); /* spanning tree */
            assert_int_equal(sent(filters[f], &b), 0);
            for (uint32_t len = 0; len < 8; len++) {
                snap(&b, tags, 0xaa, 0x0c, len);
                assert_int_equal(sent(filters[f], &b), FILTER_BAD_HEADER);
            }
        }
}

static void guards_ask_for_known_flows_too(void **state)
{
    struct bytes b;

    (void)state;
    udp(&b, 4, 67, 68);
    assert_int_equal(filter_ask(&dhcp, bytes_frame(&b, 0), true, FILTER_ESTABLISHED), FILTER_DHCP);
}

static void guards_work_together_and_go_again(void **state)
{
    struct filter both = filter_of("", "guard dhcp ra");
    struct policy nothing;
    struct bytes b;

    (void)state;
    udp(&b, 4, 67, 68);
    assert_int_equal(sent(&both, &b), FILTER_DHCP);
    icmp6(&b, 134);
    assert_int_equal(sent(&both, &b), FILTER_RA);
    policy_init(&nothing);
    filter_policy_set(&both, &nothing);
    assert_false(filter_is_needed(&both));
    assert_int_equal(sent(&both, &b), 0);
    assert_int_equal(both.drops[FILTER_RA], 1); /* what was counted stays */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_server_of_dhcp_is_not_heard, set_up),
        cmocka_unit_test_setup(clients_of_dhcp_and_others_are_heard, set_up),
        cmocka_unit_test_setup(dhcp_is_seen_behind_options_tags_and_extensions, set_up),
        cmocka_unit_test_setup(dhcp_in_fragments_is_not_heard, set_up),
        cmocka_unit_test_setup(udp_that_is_cut_does_not_pass_the_guard, set_up),
        cmocka_unit_test_setup(a_router_is_not_heard, set_up),
        cmocka_unit_test_setup(a_router_does_not_hide_in_fragments, set_up),
        cmocka_unit_test_setup(a_router_does_not_hide_behind_extension_headers, set_up),
        cmocka_unit_test_setup(headers_that_others_follow_hide_a_router, set_up),
        cmocka_unit_test_setup(ip_that_is_none_does_not_pass_the_guards, set_up),
        cmocka_unit_test_setup(wrapped_frames_do_not_pass_the_guards, set_up),
        cmocka_unit_test_setup(ip_in_snap_does_not_pass_the_guards, set_up),
        cmocka_unit_test_setup(guards_ask_for_known_flows_too, set_up),
        cmocka_unit_test_setup(guards_work_together_and_go_again, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
