/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ferry/vlan.h>

static struct vlan_set set;
static char name[16];
static bool has_vlans;
static const char *why;

static int start(void **state)
{
    (void)state;
    memset(&set, 0xa5, sizeof(set));
    strcpy(name, "before");
    has_vlans = false;
    why = NULL;
    return 0;
}

static int bridge(const char *value)
{
    return vlan_bridge_parse(value, name, sizeof(name), &set, &has_vlans, &why);
}

static int list(const char *value)
{
    return vlan_list_parse(value, &set, &why);
}

static int trunk(const char *text)
{
    return vlan_trunk_parse(text, strlen(text), &set);
}

/* The members, and which of them are untagged, as text: "10 20u". */
static const char *members(void)
{
    static char text[8 * VLAN_IDS];
    size_t len = 0;

    text[0] = '\0';
    for (uint16_t vid = 0; vid < VLAN_IDS; vid++)
        if (vlan_set_has(&set, vid))
            len += (size_t)sprintf(text + len, "%s%u%s", len ? " " : "", vid,
                                   vlan_set_is_untagged(&set, vid) ? "u" : "");
        else
            assert_false(vlan_set_is_untagged(&set, vid));
    return text;
}

static void assert_set(const char *wanted, uint16_t pvid, bool is_access)
{
    assert_string_equal(members(), wanted);
    assert_int_equal(set.pvid, pvid);
    assert_int_equal(set.is_access, is_access);
}

/* Refused for a reason that names the part and says what is accepted; nothing else was set. */
static void assert_bridge_refused(const char *value, const char *part, const char *accepted)
{
    struct vlan_set before = set;

    start(NULL);
    before = set;
    assert_int_equal(bridge(value), -EINVAL);
    assert_string_equal(name, "before");
    assert_false(has_vlans);
    assert_memory_equal(&set, &before, sizeof(set));
    assert_non_null(strstr(why, part));
    assert_non_null(strstr(why, accepted));
}

static void assert_list_refused(const char *value, const char *part, const char *accepted)
{
    struct vlan_set before;

    start(NULL);
    before = set;
    assert_int_equal(list(value), -EINVAL);
    assert_memory_equal(&set, &before, sizeof(set));
    assert_non_null(strstr(why, part));
    assert_non_null(strstr(why, accepted));
}

static void a_bridge_alone_has_no_vlans(void **state)
{
    (void)state;
    has_vlans = true;
    assert_int_equal(bridge("xenbr0"), 0);
    assert_string_equal(name, "xenbr0");
    assert_false(has_vlans);
}

static void a_tag_makes_an_access_port(void **state)
{
    (void)state;
    assert_int_equal(bridge("xenbr0.10"), 0);
    assert_string_equal(name, "xenbr0");
    assert_true(has_vlans);
    assert_set("10u", 10, true);
    assert_int_equal(bridge("b.1"), 0);
    assert_set("1u", 1, true);
    assert_int_equal(bridge("b.4094"), 0);
    assert_set("4094u", 4094, true);
    assert_int_equal(bridge("b.0010"), 0);
    assert_set("10u", 10, true);
}

static void a_list_makes_a_trunk(void **state)
{
    (void)state;
    assert_int_equal(bridge("xenbr0:10"), 0);
    assert_true(has_vlans);
    assert_set("10", VLAN_NONE, false);
    assert_int_equal(bridge("xenbr0:4094:63:64:10:10"), 0);
    assert_set("10 63 64 4094", VLAN_NONE, false);
    assert_string_equal(name, "xenbr0");
}

static void a_trunk_takes_untagged_frames_only_with_0(void **state)
{
    (void)state;
    assert_int_equal(bridge("xenbr0:0:10"), 0);
    assert_set("0u 10", 0, false);
}

static void bad_bridges_are_refused(void **state)
{
    (void)state;
    assert_bridge_refused("", "''", "name");
    assert_bridge_refused(".10", "''", "name");
    assert_bridge_refused(":10", "''", "name");
    assert_bridge_refused("0123456789abcdef", "'0123456789abcdef'", "name");
    assert_bridge_refused("b.", "''", "1 to 4094");
    assert_bridge_refused("b.0", "'0'", "1 to 4094");
    assert_bridge_refused("b.4095", "'4095'", "1 to 4094");
    assert_bridge_refused("b.99999999999999999999", "'99999999999999999999'", "1 to 4094");
    assert_bridge_refused("b.4294967306", "'4294967306'", "1 to 4094"); /* 10 in 32 bits */
    assert_bridge_refused("b.-1", "'-1'", "1 to 4094");
    assert_bridge_refused("b.1x", "'1x'", "1 to 4094");
    assert_bridge_refused("b. 1", "' 1'", "1 to 4094");
    assert_bridge_refused("b.1.2", "'1.2'", "1 to 4094");
    assert_bridge_refused("b.10:20", "'10:20'", "not both");
    assert_bridge_refused("b:", "''", "0 to 4094");
    assert_bridge_refused("b:10:", "''", "0 to 4094");
    assert_bridge_refused("b::10", "''", "0 to 4094");
    assert_bridge_refused("b:10:4095", "'4095'", "0 to 4094");
    assert_bridge_refused("b:10,20", "'10,20'", "0 to 4094");
    assert_bridge_refused("b:10.20", "'10.20'", "0 to 4094");
    assert_bridge_refused("b:10-20", "'10-20'", "0 to 4094");
}

static void reasons_are_short_and_printable(void **state)
{
    char value[2000];

    (void)state;
    memset(value, 0x9b, sizeof(value));
    memcpy(value, "b:", 2);
    value[sizeof(value) - 1] = '\0';
    assert_bridge_refused(value, "'????????????????????????...'", "0 to 4094");
    assert_true(strlen(why) < 192);
    assert_list_refused(value + 1, "...", "VID");
    assert_list_refused("\n", "'?'", "VID");
}

static void the_name_fits(void **state)
{
    char small[3] = "??";

    (void)state;
    assert_int_equal(vlan_bridge_parse("ab.1", small, sizeof(small), &set, &has_vlans, &why), 0);
    assert_string_equal(small, "ab");
    assert_int_equal(vlan_bridge_parse("abc.1", small, sizeof(small), &set, &has_vlans, &why),
                     -EINVAL);
}

static void a_vlan_alone_is_an_access_port(void **state)
{
    (void)state;
    assert_int_equal(list("10"), 0);
    assert_set("10u", 10, true);
    assert_int_equal(list("10p"), 0);
    assert_set("10u", 10, true);
    assert_int_equal(list("4094"), 0);
    assert_set("4094u", 4094, true);
}

static void terms_make_a_set(void **state)
{
    (void)state;
    assert_int_equal(list("10p/20"), 0);
    assert_set("10u 20", 10, false);
    assert_int_equal(list("20/10p/30u"), 0);
    assert_set("10u 20 30u", 10, false);
    assert_int_equal(list("10p/100+10x4"), 0);
    assert_set("10u 100 110 120 130 140", 10, false);
    assert_int_equal(list("62-65u/10p"), 0);
    assert_set("10u 62u 63u 64u 65u", 10, false);
    assert_int_equal(list("1+1x2u/7-7/3p"), 0);
    assert_set("1u 2u 3u 7", 3, false);
    assert_int_equal(list("5+1x0/6p"), 0);
    assert_set("5 6u", 6, false);
    assert_int_equal(list("1p/2+4092x1"), 0);
    assert_set("1u 2 4094", 1, false);
}

static void a_vlan_named_twice_is_untagged_if_one_says_so(void **state)
{
    (void)state;
    assert_int_equal(list("10-12/11u/12p"), 0);
    assert_set("10 11u 12u", 12, false);
    assert_int_equal(list("12p/11u/10-12"), 0);
    assert_set("10 11u 12u", 12, false);
    assert_int_equal(list("10p/10p"), 0);
    assert_set("10u", 10, false);
}

static void bad_lists_are_refused(void **state)
{
    (void)state;
    assert_list_refused("", "''", "VID-VID");
    assert_list_refused("/", "''", "VID-VID");
    assert_list_refused("10p/", "''", "VID-VID");
    assert_list_refused("/10p", "''", "VID-VID");
    assert_list_refused("0", "'0'", "1 to 4094");
    assert_list_refused("0-5/10p", "'0-5'", "1 to 4094");
    assert_list_refused("10p/4095", "'4095'", "1 to 4094");
    assert_list_refused("10p/20-10", "'20-10'", "VID-VID");
    assert_list_refused("10p/20-", "'20-'", "VID-VID");
    assert_list_refused("10p/20-30-40", "'20-30-40'", "VID-VID");
    assert_list_refused("10p/20-30p", "'20-30p'", "one VID with p");
    assert_list_refused("10p/20-20p", "'20-20p'", "one VID with p");
    assert_list_refused("10p/20+1x1p", "'20+1x1p'", "one VID with p");
    assert_list_refused("10p/20+10", "'20+10'", "VID+STEPxN");
    assert_list_refused("10p/20+0x3", "'20+0x3'", "VID+STEPxN");
    assert_list_refused("10p/20+x3", "'20+x3'", "VID+STEPxN");
    assert_list_refused("10p/20+1x", "'20+1x'", "VID+STEPxN");
    assert_list_refused("10p/4000+10x10", "'4000+10x10'", "VID+STEPxN");
    assert_list_refused("10p/1+4094x4094", "'1+4094x4094'", "VID+STEPxN");
    assert_list_refused("10pu/20", "'10pu'", "VID-VID");
    assert_list_refused("10up/20", "'10up'", "VID-VID");
    assert_list_refused("10 /20p", "'10 '", "VID-VID");
    assert_list_refused("10P/20", "'10P'", "VID-VID");
    assert_list_refused("10p/20p", "'20p'", "second PVID");
    assert_list_refused("10/20", "'10/20'", "no PVID");
    assert_list_refused("10-20", "'10-20'", "no PVID");
    assert_list_refused("10u/20", "'10u/20'", "no PVID");
}

static void an_uplink_carries_vids_and_ranges(void **state)
{
    (void)state;
    assert_int_equal(trunk("10"), 0);
    assert_set("10", VLAN_NONE, false);
    assert_int_equal(trunk("10+20-23+4094"), 0);
    assert_set("10 20 21 22 23 4094", VLAN_NONE, false);
    assert_int_equal(trunk("0-2"), 0);
    assert_set("0u 1 2", VLAN_NONE, false);
    assert_int_equal(vlan_trunk_parse("10+20!", 5, &set), 0); /* no NUL */
    assert_set("10 20", VLAN_NONE, false);
}

static void bad_uplinks_are_refused(void **state)
{
    const char *const bad[] = { "",     "+",     "10+",   "+10",    "10++20", "4095", "10-4095",
                                "20-1", "10-",   "-10",   "10u",    "10p",    "x",    "10,20",
                                "1 0",  "10/20", "10:20", "10+1x4", "0x10",   "1-2-3" };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct vlan_set before = set;

        assert_int_equal(trunk(bad[i]), -EINVAL);
        assert_memory_equal(&set, &before, sizeof(set));
    }
    assert_int_equal(vlan_trunk_parse(NULL, 0, &set), -EINVAL);
}

/* Of the alphabet that the grammars have; whatever comes out must be a set that a port can have. */
static void random_texts_make_proper_sets_or_none(void **state)
{
    static const char alphabet[] = "0123456789:.-+/xpu0101b";
    unsigned int nr_taken = 0;

    (void)state;
    srand(1);
    for (unsigned int i = 0; i < 300000; i++) {
        char text[24];
        size_t len = (size_t)rand() % sizeof(text);

        for (size_t k = 0; k < len; k++)
            text[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
        text[len] = '\0';
        if (list(text) == 0) {
            nr_taken++;
            assert_true(set.pvid >= 1 && set.pvid <= VLAN_MAX);
            assert_true(vlan_set_has(&set, set.pvid) && vlan_set_is_untagged(&set, set.pvid));
            assert_false(vlan_set_has(&set, 0) || vlan_set_has(&set, 4095));
        }
        if (vlan_trunk_parse(text, len, &set) == 0)
            assert_false(vlan_set_has(&set, 4095));
        if (bridge(text) == 0 && has_vlans)
            assert_true(set.pvid == VLAN_NONE || vlan_set_has(&set, set.pvid));
    }
    assert_true(nr_taken > 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(a_bridge_alone_has_no_vlans),
        TEST(a_tag_makes_an_access_port),
        TEST(a_list_makes_a_trunk),
        TEST(a_trunk_takes_untagged_frames_only_with_0),
        TEST(bad_bridges_are_refused),
        TEST(reasons_are_short_and_printable),
        TEST(the_name_fits),
        TEST(a_vlan_alone_is_an_access_port),
        TEST(terms_make_a_set),
        TEST(a_vlan_named_twice_is_untagged_if_one_says_so),
        TEST(bad_lists_are_refused),
        TEST(an_uplink_carries_vids_and_ranges),
        TEST(bad_uplinks_are_refused),
        TEST(random_texts_make_proper_sets_or_none),
    };

    return cmocka_run_group_tests_name("vlan", tests, NULL, NULL);
}
