/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a Linux driver domain's command line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "words.h"

static struct words words;
static char why[200];

static int parse(const char *line)
{
    memset(&words, 0xee, sizeof(words));
    why[0] = '\0';
    return words_parse(line, &words, why, sizeof(why));
}

static void a_bridge_takes_the_next_card(void **state)
{
    (void)state;
    assert_int_equal(parse("console=hvc0 ferry.bridge=xenbr0 panic=1\n"), 0);
    assert_int_equal(words.nr_bridges, 1);
    assert_string_equal(words.bridges[0].name, "xenbr0");
    assert_int_equal(words.bridges[0].nic, WORDS_NIC_NEXT);
    assert_false(words.bridges[0].is_ovs);
}

static void a_bridge_names_its_card_or_none(void **state)
{
    static const uint8_t mac[6] = { 0x00, 0x16, 0x3e, 0xaB, 0x0c, 0xff };

    (void)state;
    assert_int_equal(parse("ferry.bridge=a,00:16:3e:aB:0c:ff ferry.ovs=b,none ferry.ovs=c"), 0);
    assert_int_equal(words.nr_bridges, 3);
    assert_int_equal(words.bridges[0].nic, WORDS_NIC_MAC);
    assert_memory_equal(words.bridges[0].mac, mac, sizeof(mac));
    assert_int_equal(words.bridges[1].nic, WORDS_NIC_NONE);
    assert_true(words.bridges[1].is_ovs);
    assert_int_equal(words.bridges[2].nic, WORDS_NIC_NEXT);
}

static void what_is_not_understood_is_named(void **state)
{
    static const struct {
        const char *line, *named;
    } bad[] = {
        { "ferry.bridg=xenbr0", "ferry.bridg=xenbr0" },
        { "ferry.bridge=xenbr0 ferry.nat=1", "ferry.nat=1" },
        { "ferry.", "'ferry.'" },
        { "ferry.bridge=", "ferry.bridge=" },
        { "ferry.bridge=xenbr0 ferry.ovs=xenbr0", "xenbr0" },
        { "ferry.bridge=aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa" },
        { "ferry.bridge=a/b", "a/b" },
        { "ferry.bridge=-x", "-x" },
        { "ferry.bridge=.", "'.'" },
        { "ferry.bridge=a;b", "a;b" },
        { "ferry.bridge=,none", "name" },
        { "ferry.bridge=a,", "''" },
        { "ferry.bridge=a,03:00.0", "03:00.0" },
        { "ferry.bridge=a,00:16:3e:00:00:0g", "0g" },
        { "ferry.bridge=a,00:16:3e:00:00:00:", "00:16" },
        { "ferry.bridge=a,none,none", "none,none" },
        { "ferry.disks=1", "ferry.disks=1" },
        { "ferry.diskss", "ferry.diskss" },
        { "console=hvc0", "nothing is asked for" },
        { "", "nothing is asked for" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i].line), -EINVAL);
        if (!strstr(why, bad[i].named))
            fail_msg("'%s' does not name '%s'", why, bad[i].named);
        assert_int_equal(((unsigned char *)&words)[0], 0xee);
    }
}

static void words_of_linux_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(parse("xferry.y=1 quiet ferryx ferry.bridge=x -- single"), 0);
    assert_int_equal(words.nr_bridges, 1);
}

static void disks_need_no_bridge(void **state)
{
    (void)state;
    assert_int_equal(parse("quiet ferry.disks"), 0);
    assert_true(words.has_disks);
    assert_int_equal(words.nr_bridges, 0);
    assert_int_equal(parse("ferry.bridge=x"), 0);
    assert_false(words.has_disks);
    assert_int_equal(parse("ferry.disks ferry.bridge=x"), 0);
    assert_true(words.has_disks);
    assert_int_equal(words.nr_bridges, 1);
}

static void bridges_have_a_limit(void **state)
{
    char line[1024] = "";

    (void)state;
    for (int i = 0; i < WORDS_BRIDGES_MAX; i++)
        sprintf(line + strlen(line), "ferry.bridge=b%d,none ", i);
    assert_int_equal(parse(line), 0);
    strcat(line, "ferry.bridge=more");
    assert_int_equal(parse(line), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bridge_takes_the_next_card),
        cmocka_unit_test(a_bridge_names_its_card_or_none),
        cmocka_unit_test(what_is_not_understood_is_named),
        cmocka_unit_test(words_of_linux_are_left_alone),
        cmocka_unit_test(disks_need_no_bridge),
        cmocka_unit_test(bridges_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
