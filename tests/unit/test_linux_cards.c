/* SPDX-License-Identifier: BSD-2-Clause */
/* Cards come up in any order, or not at all: none gets into another one's bridge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cards.h"

/* Three cards by their PCI addresses; their MACs end in 1, 2 and 3. Bit i of `there`: card i has an interface. */
static size_t cards_make(unsigned int there, struct net_nic nics_r[3])
{
    static const struct net_nic cards[3] = { { .name = "eth2", .mac = { 2, 0, 0, 0, 0, 1 } },
                                             { .name = "eth0", .mac = { 2, 0, 0, 0, 0, 2 } },
                                             { .name = "eth1", .mac = { 2, 0, 0, 0, 0, 3 } } };

    for (unsigned int i = 0; i < 3; i++)
        nics_r[i] = there & 1u << i ? cards[i] : (struct net_nic){ 0 };
    return 3;
}

static struct words words_of(const char *line)
{
    struct words words;
    char why[100];

    assert_int_equal(words_parse(line, &words, why, sizeof(why)), 0);
    return words;
}

/* The card's number for each bridge, '-' for none yet. */
static void expect(const char *line, unsigned int there, const char *wanted)
{
    struct words words = words_of(line);
    struct net_nic nics[3];
    size_t nr = cards_make(there, nics);

    assert_int_equal(words.nr_bridges, strlen(wanted));
    for (size_t i = 0; i < words.nr_bridges; i++) {
        const struct net_nic *nic =
            words.bridges[i].nic == WORDS_NIC_NONE ? NULL : cards_find(&words, i, nics, nr);

        assert_int_equal(nic ? '1' + (nic - nics) : '-', wanted[i]);
    }
}

static void each_bridge_has_the_card_at_its_place(void **state)
{
    static const char line[] = "ferry.bridge=a ferry.bridge=b,none ferry.bridge=c";

    (void)state;
    expect(line, 7, "1-2");
    expect(line, 5, "1--");
    expect(line, 6, "--2"); /* the first one is slow: the second is not taken for it */
    expect(line, 4, "---");
    expect(line, 0, "---");
}

static void a_card_asked_for_by_mac_has_no_place(void **state)
{
    static const char line[] = "ferry.bridge=a ferry.bridge=b,02:00:00:00:00:01 ferry.bridge=c";

    (void)state;
    expect(line, 7, "213");
    expect(line, 5, "-13");
    expect(line, 3, "21-");
    /* The one without an interface is the one asked for, or is not: nobody knows. */
    expect(line, 6, "---");
}

static void what_is_before_a_missing_card_does_not_wait(void **state)
{
    static const char line[] = "ferry.bridge=a ferry.bridge=b,02:00:00:00:00:03 ferry.bridge=c";

    (void)state;
    expect(line, 3, "1-2");
    expect(line, 1, "1--");
    expect(line, 7, "132");
}

/* The address of a card without an interface is not known, and is not all zeros. */
static void a_card_without_interface_has_no_mac(void **state)
{
    (void)state;
    expect("ferry.bridge=a,00:00:00:00:00:00", 0, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bridge_has_the_card_at_its_place),
        cmocka_unit_test(a_card_asked_for_by_mac_has_no_place),
        cmocka_unit_test(what_is_before_a_missing_card_does_not_wait),
        cmocka_unit_test(a_card_without_interface_has_no_mac),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
