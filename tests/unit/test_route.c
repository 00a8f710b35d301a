/* SPDX-License-Identifier: BSD-2-Clause */
/* Which guest an address belongs to, and prefixes as numbers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/route.h"

static int start(void **state)
{
    (void)state;
    route_reset();
    return 0;
}

static struct address v4(uint32_t ip4)
{
    return address_of4(rte_cpu_to_be_32(ip4));
}

static int add(uint8_t router, uint32_t ip4, uint8_t len, uint8_t owner)
{
    struct address addr = v4(ip4);

    return route_add(router, &addr, ADDRESS_LEN4 + len, owner);
}

static uint8_t find(uint8_t router, uint32_t ip4)
{
    struct address addr = v4(ip4);

    return route_find(router, &addr);
}

static void prefixes_end_where_they_should(void **state)
{
    (void)state;
    assert_int_equal(add(0, 0x0a010203, 24, 1), 0);
    assert_int_equal(find(0, 0x0a0101ff), ROUTE_NONE);
    assert_int_equal(find(0, 0x0a010200), 1);
    assert_int_equal(find(0, 0x0a0102ff), 1);
    assert_int_equal(find(0, 0x0a010300), ROUTE_NONE);
    assert_int_equal(find(1, 0x0a010200), ROUTE_NONE);
}

static void no_two_share_an_address(void **state)
{
    (void)state;
    assert_int_equal(add(0, 0x0a010200, 24, 1), 0);
    assert_int_equal(add(0, 0x0a010210, 32, 2), -EEXIST);
    assert_int_equal(add(0, 0x0a010000, 16, 2), -EEXIST);
    assert_int_equal(add(0, 0x0a010210, 32, ROUTE_LOCAL), -EEXIST);
    assert_int_equal(add(1, 0x0a010210, 32, 2), 0);
    assert_int_equal(add(0, 0x0a010210, 32, 1), 0);
    assert_int_equal(add(0, 0x0a010000, 16, 1), 0);
    assert_int_equal(find(0, 0x0a01ff00), 1);
    route_owner_remove(1);
    assert_int_equal(find(0, 0x0a010210), ROUTE_NONE);
    assert_int_equal(find(1, 0x0a010210), 2);
}

static void a_larger_prefix_takes_its_owners_smaller_ones(void **state)
{
    (void)state;
    assert_int_equal(add(0, 0x0a010000, 32, 1), 0);
    assert_int_equal(add(0, 0x0a010005, 32, 1), 0);
    assert_int_equal(add(0, 0x0a0100ff, 32, 1), 0);
    assert_int_equal(add(0, 0x0a010100, 32, 2), 0);
    assert_int_equal(add(0, 0x0a010000, 24, 1), 0);
    assert_int_equal(find(0, 0x0a010080), 1);
    assert_int_equal(find(0, 0x0a010100), 2);
}

static void the_routers_addresses_are_counted(void **state)
{
    struct address addr = v4(0x0a010180);

    (void)state;
    assert_int_equal(add(0, 0x0a010180, 32, ROUTE_LOCAL), 0);
    assert_int_equal(add(0, 0x0a010180, 32, ROUTE_LOCAL), 0);
    route_local_remove(0, &addr);
    assert_int_equal(find(0, 0x0a010180), ROUTE_LOCAL);
    route_local_remove(0, &addr);
    assert_int_equal(find(0, 0x0a010180), ROUTE_NONE);
    route_local_remove(0, &addr);
}

static void both_versions_are_apart(void **state)
{
    uint8_t any6[16] = { 0x20, 1 };
    struct address addr = address_of6(any6);

    (void)state;
    assert_int_equal(route_add(0, &addr, 32, 1), 0);
    assert_int_equal(add(0, 0x20010000, 16, 2), 0);
    assert_int_equal(route_find(0, &addr), 1);
    assert_int_equal(find(0, 0x20010000), 2);
}

static void every_place_can_be_used(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ROUTE_MAX; i++)
        assert_int_equal(add(i % 4, (i * 7919) << 8, 32, i % 64), 0);
    assert_int_equal(add(0, 1, 32, 1), -ENOSPC);
    for (uint32_t i = 0; i < ROUTE_MAX; i++)
        assert_int_equal(find(i % 4, (i * 7919) << 8), i % 64);
    for (unsigned int i = 0; i < 64; i++)
        route_owner_remove(i);
    assert_int_equal(find(1, 7919 << 8), ROUTE_NONE);
}

/* Against a look at all of them. */
static void what_is_found_is_what_is_there(void **state)
{
    static struct {
        uint32_t net, mask;
        uint8_t owner;
    } all[1000];
    unsigned int nr = 0;

    (void)state;
    srand(3);
    for (unsigned int i = 0; i < 3000 && nr < 1000; i++) {
        uint8_t len = 20 + rand() % 13, owner = rand() % 64;
        uint32_t mask = ~0u << (32 - len), net = (0x0a000000u | (rand() & 0xffff)) & mask;

        if (add(0, net, len, owner) == 0) {
            all[nr].net = net;
            all[nr].mask = mask;
            all[nr++].owner = owner;
        }
    }
    for (uint32_t ip = 0x0a000000; ip < 0x0a010000; ip++) {
        uint8_t want = ROUTE_NONE;

        for (unsigned int i = 0; i < nr && want == ROUTE_NONE; i++)
            if ((ip & all[i].mask) == all[i].net)
                want = all[i].owner;
        assert_int_equal(find(0, ip), want);
    }
}

static void prefixes_of_all_lengths_are_right(void **state)
{
    uint8_t bytes[16] = { 0x20, 1, 0xd, 0xb8, 0x55, 0xaa, 0x55, 0xaa, 0x55, 0xaa, 0x55, 0xaa };
    struct address addr = address_of6(bytes);

    (void)state;
    for (unsigned int len = 0; len <= 128; len++) {
        struct address first = address_first(&addr, len), last = address_last(&addr, len);

        for (unsigned int bit = 0; bit < 128; bit++) {
            uint64_t of = bit < 64 ? addr.hi : addr.lo, mask = 1ull << (63 - bit % 64);
            uint64_t f = bit < 64 ? first.hi : first.lo, l = bit < 64 ? last.hi : last.lo;

            assert_int_equal(!!(f & mask), bit < len ? !!(of & mask) : 0);
            assert_int_equal(!!(l & mask), bit < len ? !!(of & mask) : 1);
        }
        assert_true(address_is_in(&addr, &first, len));
    }
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(prefixes_end_where_they_should),
        TEST(no_two_share_an_address),
        TEST(a_larger_prefix_takes_its_owners_smaller_ones),
        TEST(the_routers_addresses_are_counted),
        TEST(both_versions_are_apart),
        TEST(every_place_can_be_used),
        TEST(what_is_found_is_what_is_there),
        TEST(prefixes_of_all_lengths_are_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
