/* SPDX-License-Identifier: BSD-2-Clause */
/* net/filter_nd.c: IPv6 sources, and who may claim what in neighbour discovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture_filter.h"

#define OWN_IP "2001:db8::5"
#define FOREIGN_IP "2001:db8::6"
#define FOREIGN_LL "fe80::1"
#define ALL_NODES "ff02::1"

#define SOURCE_LL 1
#define TARGET_LL 2

static struct filter filter;

static int set_up(void **state)
{
    (void)state;
    filter = filter_of(OWN_IP " fd00:7::/32", "");
    return 0;
}

/* NS, NA or (with another 16 bytes) redirect, without options. */
static void nd(struct bytes *b, uint8_t type, const char *src, const char *target)
{
    from6(b, src, ALL_NODES, IPPROTO_ICMPV6, 255);
    put_icmp(b, type);
    put_addr(b, target);
    if (type == 137)
        put_addr(b, target);
}

static void udp6(struct bytes *b, const char *src)
{
    from6(b, src, FOREIGN_IP, IPPROTO_UDP, 64);
    put_udp(b, 546, 547);
}

static void only_given_ip6_sources_pass(void **state)
{
    static const char *const own[] = { OWN_IP, OWN_LL, "fd00:7::1", "fd00:7:ffff::" };
    static const char *const foreign[] = { FOREIGN_IP,
                                           FOREIGN_LL,
                                           "fd00:8::1",
                                           "::",
                                           "::1",
                                           "fe80::16:3eff:fe00:1",
                                           "fe81::216:3eff:fe00:1",
                                           "ff02::1",
                                           "::ffff:192.0.2.5" };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(own); i++) {
        udp6(&b, own[i]);
        assert_int_equal(sent(&filter, &b), 0);
    }
    for (unsigned int i = 0; i < RTE_DIM(foreign); i++) {
        udp6(&b, foreign[i]);
        assert_int_equal(sent(&filter, &b), FILTER_IP);
        assert_int_equal(received(&filter, &b), 0);
    }
}

static void a_link_local_address_of_its_own_choice_can_be_given(void **state)
{
    struct bytes b;

    (void)state;
    filter = filter_of(OWN_IP " fe80::/10", "");
    udp6(&b, FOREIGN_LL);
    assert_int_equal(sent(&filter, &b), 0);
}

static void an_advertisement_claims_own_addresses_only(void **state)
{
    struct bytes b;

    (void)state;
    nd(&b, 136, OWN_IP, OWN_IP);
    assert_int_equal(sent(&filter, &b), 0);
    nd(&b, 136, OWN_LL, "fd00:7::77");
    assert_int_equal(sent(&filter, &b), 0);
    nd(&b, 136, OWN_IP, OWN_LL);
    assert_int_equal(sent(&filter, &b), 0);
    nd(&b, 136, OWN_IP, FOREIGN_IP);
    assert_int_equal(sent(&filter, &b), FILTER_ND);
    nd(&b, 136, OWN_IP, FOREIGN_LL);
    assert_int_equal(sent(&filter, &b), FILTER_ND);
    nd(&b, 136, FOREIGN_IP, OWN_IP);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
    nd(&b, 136, "::", OWN_IP);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
}

static void a_redirect_leads_to_own_addresses_only(void **state)
{
    struct bytes b;

    (void)state;
    nd(&b, 137, OWN_LL, OWN_LL);
    assert_int_equal(sent(&filter, &b), 0);
    nd(&b, 137, OWN_LL, FOREIGN_LL);
    assert_int_equal(sent(&filter, &b), FILTER_ND);
}

static void a_solicitation_may_ask_for_anybody(void **state)
{
    struct bytes b;

    (void)state;
    nd(&b, 135, OWN_IP, FOREIGN_IP);
    put_nd_mac(&b, SOURCE_LL, OWN);
    assert_int_equal(sent(&filter, &b), 0);
    nd(&b, 135, OWN_LL, FOREIGN_LL);
    assert_int_equal(sent(&filter, &b), 0);
}

/* RFC 4862, 5.4.2 */
static void a_search_for_duplicates_is_for_own_addresses_only(void **state)
{
    struct bytes b;

    (void)state;
    nd(&b, 135, "::", OWN_IP);
    assert_int_equal(sent(&filter, &b), 0);
    nd(&b, 135, "::", OWN_LL);
    assert_int_equal(sent(&filter, &b), 0);
    nd(&b, 135, "::", FOREIGN_IP);
    assert_int_equal(sent(&filter, &b), FILTER_ND);
    nd(&b, 135, "::", FOREIGN_LL);
    assert_int_equal(sent(&filter, &b), FILTER_ND);
}

static void what_a_host_without_address_sends_passes(void **state)
{
    static const uint8_t passed[] = { 131, 132, 133, 143 };
    static const uint8_t refused[] = { 1, 128, 129, 130, 134, 141, 148, 0, 255 };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(passed); i++) {
        from6(&b, "::", "ff02::16", IPPROTO_HOPOPTS, 1);
        put_ext6(&b, IPPROTO_ICMPV6, 1);
        put_icmp(&b, passed[i]);
        assert_int_equal(sent(&filter, &b), 0);
    }
    from6(&b, "::", "ff02::16", IPPROTO_FRAGMENT, 1);
    put_fragment6(&b, IPPROTO_ICMPV6, 0, 1);
    put_icmp(&b, 143);
    assert_int_equal(sent(&filter, &b), FILTER_IP);
    for (unsigned int i = 0; i < RTE_DIM(refused); i++) {
        from6(&b, "::", "ff02::16", IPPROTO_ICMPV6, 1);
        put_icmp(&b, refused[i]);
        put_zeros(&b, 16);
        assert_int_equal(sent(&filter, &b), FILTER_IP);
    }
}

static void link_layer_addresses_are_the_guests(void **state)
{
    static const uint8_t types[] = { 133, 134, 135, 136, 137 };
    static const uint8_t fixed[] = { 8, 16, 24, 24, 40 }; /* bytes in front of options */
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(types); i++)
        for (uint8_t option = 0; option < 5; option++)
            for (unsigned int own = 0; own < 2; own++) {
                bool is_ll = option == SOURCE_LL || option == TARGET_LL;

                from6(&b, OWN_LL, ALL_NODES, IPPROTO_ICMPV6, 255);
                put_icmp(&b, types[i]);
                if (fixed[i] >= 24)
                    put_addr(&b, OWN_LL);
                put_zeros(&b, fixed[i] - (fixed[i] >= 24 ? 24 : 8));
                put_nd_mac(&b, 14, OTHER); /* a nonce, in front */
                put_nd_mac(&b, option, own ? OWN : OTHER);
                assert_int_equal(sent(&filter, &b), is_ll && !own ? FILTER_ND : 0);
            }
}

static void a_link_layer_option_has_one_length(void **state)
{
    struct bytes b;

    (void)state;
    nd(&b, 136, OWN_IP, OWN_IP);
    put_nd_mac(&b, TARGET_LL, OWN);
    put_zeros(&b, 8);
    b.at[14 + 40 + 24 + 1] = 2;
    assert_int_equal(sent(&filter, &b), FILTER_ND);
}

static void options_that_cannot_be_read_do_not_pass(void **state)
{
    struct bytes b;

    (void)state;
    for (uint32_t rest = 1; rest < 8; rest++) {
        nd(&b, 135, OWN_IP, FOREIGN_IP);
        put_nd_mac(&b, SOURCE_LL, OWN);
        put_zeros(&b, rest);
        assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
    }
    nd(&b, 135, OWN_IP, FOREIGN_IP);
    put_nd_mac(&b, 14, OWN);
    b.at[b.len - 7] = 0; /* of length 0 */
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
    b.at[b.len - 7] = 2; /* longer than the message */
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
    b.at[b.len - 7] = 1;
    assert_int_equal(sent(&filter, &b), 0);
}

static void messages_that_are_cut_do_not_pass(void **state)
{
    struct bytes b;

    (void)state;
    for (uint8_t type = 133; type <= 137; type++) {
        static const uint8_t fixed[] = { 8, 16, 24, 24, 40 };

        for (uint32_t len = 0; len < fixed[type - 133]; len++) {
            nd(&b, type, OWN_LL, OWN_LL);
            b.len = 14 + 40 + len;
            assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
        }
    }
    nd(&b, 136, OWN_IP, OWN_IP);
    put_nd_mac(&b, TARGET_LL, OTHER);
    for (uint32_t first = 14 + 40 + 24; first < b.len; first++) /* options in another segment */
        assert_int_equal(filter_ask(&filter, bytes_frame(&b, first), true, FILTER_NEW),
                         FILTER_BAD_HEADER);
}

/* RFC 6980 */
static void discovery_in_fragments_does_not_pass(void **state)
{
    struct bytes b;

    (void)state;
    for (uint8_t type = 132; type <= 138; type++) {
        bool is_nd = type >= 133 && type <= 137;

        for (unsigned int more = 0; more < 2; more++) {
            from6(&b, OWN_LL, ALL_NODES, IPPROTO_FRAGMENT, 255);
            put_fragment6(&b, IPPROTO_ICMPV6, 0, more);
            put_icmp(&b, type);
            put_zeros(&b, 32);
            assert_int_equal(sent(&filter, &b), is_nd ? FILTER_ND : 0);
        }
        from6(&b, OWN_LL, ALL_NODES, IPPROTO_FRAGMENT, 255);
        put_fragment6(&b, IPPROTO_ICMPV6, 8, 0);
        put_icmp(&b, type);
        assert_int_equal(sent(&filter, &b), 0);
    }
    from6(&b, OWN_LL, ALL_NODES, IPPROTO_FRAGMENT, 255);
    put_fragment6(&b, IPPROTO_ICMPV6, 0, 1);
    put8(&b, 136);
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
}

static void what_hides_discovery_does_not_pass(void **state)
{
    static const uint8_t hidden[] = { IPPROTO_AH, 135, 139, 140, 253, 254 };
    static const uint8_t seen[] = { IPPROTO_ESP, IPPROTO_NONE, 41, 4, 47, 132 };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(hidden); i++) {
        from6(&b, OWN_IP, ALL_NODES, hidden[i], 255);
        put_zeros(&b, 32);
        assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
    }
    for (unsigned int i = 0; i < RTE_DIM(seen); i++) {
        from6(&b, OWN_IP, FOREIGN_IP, seen[i], 64);
        put_zeros(&b, 32);
        assert_int_equal(sent(&filter, &b), 0);
    }
    from6(&b, OWN_IP, ALL_NODES, IPPROTO_DSTOPTS, 255);
    for (unsigned int i = 0; i < 9; i++)
        put_ext6(&b, i < 8 ? IPPROTO_DSTOPTS : IPPROTO_ICMPV6, 1);
    put_icmp(&b, 136);
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
    from6(&b, OWN_IP, ALL_NODES, IPPROTO_FRAGMENT, 255);
    put_fragment6(&b, IPPROTO_DSTOPTS, 0, 1);
    put_ext6(&b, IPPROTO_ICMPV6, 1);
    put_icmp(&b, 136);
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
    from6(&b, OWN_IP, ALL_NODES, IPPROTO_FRAGMENT, 255);
    put_fragment6(&b, IPPROTO_FRAGMENT, 0, 1);
    put_fragment6(&b, IPPROTO_ICMPV6, 0, 0);
    put_icmp(&b, 136);
    assert_int_equal(sent(&filter, &b), FILTER_BAD_HEADER);
}

static void discovery_is_seen_behind_extension_headers_and_tags(void **state)
{
    struct bytes b = { 0 };

    (void)state;
    put_ether(&b, OTHER, OWN, RTE_ETHER_TYPE_IPV6);
    put_tag(&b, 0x88a8, 1);
    put_tag(&b, 0x8100, 1);
    put_ip6(&b, OWN_IP, ALL_NODES, IPPROTO_HOPOPTS, 255);
    put_ext6(&b, IPPROTO_DSTOPTS, 3);
    put_ext6(&b, IPPROTO_ICMPV6, 2);
    put_icmp(&b, 136);
    put_addr(&b, FOREIGN_IP);
    assert_int_equal(sent(&filter, &b), FILTER_ND);
}

static void other_icmp6_is_not_looked_into(void **state)
{
    static const uint8_t types[] = { 1, 2, 3, 128, 129, 130, 143, 138, 255 };
    struct bytes b;

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(types); i++) {
        from6(&b, OWN_IP, FOREIGN_IP, IPPROTO_ICMPV6, 64);
        put_icmp(&b, types[i]);
        assert_int_equal(sent(&filter, &b), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_given_ip6_sources_pass, set_up),
        cmocka_unit_test_setup(a_link_local_address_of_its_own_choice_can_be_given, set_up),
        cmocka_unit_test_setup(an_advertisement_claims_own_addresses_only, set_up),
        cmocka_unit_test_setup(a_redirect_leads_to_own_addresses_only, set_up),
        cmocka_unit_test_setup(a_solicitation_may_ask_for_anybody, set_up),
        cmocka_unit_test_setup(a_search_for_duplicates_is_for_own_addresses_only, set_up),
        cmocka_unit_test_setup(what_a_host_without_address_sends_passes, set_up),
        cmocka_unit_test_setup(link_layer_addresses_are_the_guests, set_up),
        cmocka_unit_test_setup(a_link_layer_option_has_one_length, set_up),
        cmocka_unit_test_setup(options_that_cannot_be_read_do_not_pass, set_up),
        cmocka_unit_test_setup(messages_that_are_cut_do_not_pass, set_up),
        cmocka_unit_test_setup(discovery_in_fragments_does_not_pass, set_up),
        cmocka_unit_test_setup(what_hides_discovery_does_not_pass, set_up),
        cmocka_unit_test_setup(discovery_is_seen_behind_extension_headers_and_tags, set_up),
        cmocka_unit_test_setup(other_icmp6_is_not_looked_into, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
