/* SPDX-License-Identifier: BSD-2-Clause */
/* Routers, their addresses and their vifs: what is accepted, and what is left when they go. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ferry/vlan.h>

#include "fixture_router.h"
#include "net/nat.h"

static struct fake_port extra;

static int start(void **state)
{
    fake_port_init(&extra, "vif9", ~0u);
    return lab_start(state);
}

static int end(void **state)
{
    router_vif_remove(&extra.port);
    return lab_end(state);
}

static int add4(const char *ip, uint8_t len, const char *router_ip)
{
    struct router_vif_config config = { .nr_ip4 = 1,
                                        .ip4 = { { ip4(ip), len } },
                                        .router_ip4 = router_ip ? ip4(router_ip) : 0,
                                        .guest_mac = GUEST_MAC(9) };
    const char *why = NULL;
    int err = router_vif_add(lab.router, &extra.port, 9, &config, &why);

    assert_true((err == -EINVAL) == (why != NULL));
    assert_true((err == 0) == (extra.port.router != NULL));
    router_vif_remove(&extra.port);
    return err;
}

static int add6(const char *ip, uint8_t len)
{
    struct router_vif_config config = { .nr_ip6 = 1, .guest_mac = GUEST_MAC(9) };
    const char *why = NULL;
    int err;

    inet_pton(AF_INET6, ip, config.ip6[0].addr);
    config.ip6[0].len = len;
    err = router_vif_add(lab.router, &extra.port, 9, &config, &why);
    router_vif_remove(&extra.port);
    return err;
}

static void no_two_have_an_address(void **state)
{
    (void)state;
    assert_int_equal(add4("192.0.2.11", 32, NULL), 0);
    assert_int_equal(add4("192.0.2.10", 32, NULL), -EINVAL);
    assert_int_equal(add4("192.0.2.8", 29, NULL), -EINVAL); /* has guest 0's */
    assert_int_equal(add4("198.51.100.9", 32, NULL), -EINVAL);
    assert_int_equal(add4("10.0.1.1", 32, NULL), -EINVAL);
    assert_int_equal(add4("10.0.1.128", 32, NULL), -EINVAL); /* the router's toward guest 2 */
    assert_int_equal(add4("192.0.2.1", 32, NULL), -EINVAL);
    assert_int_equal(add4("192.0.2.254", 32, NULL), -EINVAL);
    assert_int_equal(add4("192.0.0.0", 16, NULL), -EINVAL);
    assert_int_equal(add6("2001:db8::11", 128), 0);
    assert_int_equal(add6("2001:db8::10", 128), -EINVAL);
    assert_int_equal(add6("2001:db8::1", 128), -EINVAL);
    assert_int_equal(add6("2001:db8::", 64), -EINVAL);
    assert_int_equal(add6("2001:db8:1::5", 128), -EINVAL);
    assert_int_equal(add6("2001:db8:2::5", 64), 0);
}

static void only_hosts_addresses_are_guests(void **state)
{
    static const char *const wrong4[] = { "0.0.0.1", "127.0.0.1", "224.0.0.1", "255.255.255.255",
                                          "169.254.1.1" };
    static const char *const wrong6[] = { "::", "::1", "ff02::1", "::ffff:1.2.3.4" };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(wrong4); i++)
        assert_int_equal(add4(wrong4[i], 32, NULL), -EINVAL);
    for (unsigned int i = 0; i < RTE_DIM(wrong6); i++)
        assert_int_equal(add6(wrong6[i], 128), -EINVAL);
    assert_int_equal(add4("10.9.9.9", 0, NULL), -EINVAL);
    assert_int_equal(add4("10.9.9.9", 33, NULL), -EINVAL);
    assert_int_equal(add4("64.0.0.0", 2, NULL), -EINVAL); /* has loopback in it */
    assert_int_equal(add6("2001:db9::", 0), -EINVAL);
    assert_int_equal(add6("2001:db9::", 129), -EINVAL);
    assert_int_equal(add6("8000::", 1), -EINVAL);
    assert_int_equal(add6("fe80::1", 128), 0); /* passed over */
    assert_int_equal(add6("fe80::", 10), 0);
}

static void the_routers_address_toward_a_guest_is_a_hosts(void **state)
{
    (void)state;
    assert_int_equal(add4("10.9.9.1", 32, "10.9.9.128"), 0);
    assert_int_equal(add4("10.9.9.1", 32, "10.0.1.128"), 0); /* another guest's router too */
    assert_int_equal(add4("10.9.9.1", 32, "192.0.2.1"), 0);
    assert_int_equal(add4("10.9.9.1", 32, "10.9.9.1"), -EINVAL);
    assert_int_equal(add4("10.9.9.1", 32, "192.0.2.10"), -EINVAL);
    assert_int_equal(add4("10.9.9.1", 32, "192.0.2.254"), -EINVAL);
    assert_int_equal(add4("10.9.9.1", 32, "224.0.0.1"), -EINVAL);
    assert_int_equal(add4("10.9.9.0", 24, "10.9.9.128"), -EINVAL);
    assert_int_equal(add4("10.9.9.1", 32, NULL), 0);
}

static void a_vif_is_described_fully_or_refused(void **state)
{
    struct router_vif_config config = { .guest_mac = GUEST_MAC(9) };
    struct rte_ether_addr routers = ROUTER_GUEST_MAC, group = { { 1 } };
    const char *why;

    (void)state;
    assert_int_equal(router_vif_add(lab.router, &extra.port, 9, &config, &why), -EINVAL);
    config.nr_ip4 = 17;
    assert_int_equal(router_vif_add(lab.router, &extra.port, 9, &config, &why), -EINVAL);
    config.nr_ip4 = 1;
    config.ip4[0] = (struct router_prefix4){ ip4("10.9.9.9"), 32 };
    assert_int_equal(router_vif_add(lab.router, &extra.port, 64, &config, &why), -EINVAL);
    assert_int_equal(router_vif_add(lab.router, &extra.port, 0, &config, &why), -EBUSY);
    assert_int_equal(router_vif_add(lab.router, &lab.guests[0].port, 9, &config, &why), -EBUSY);
    assert_int_equal(router_vif_add(lab.router, &lab.wire.port, 9, &config, &why), -EBUSY);
    config.guest_mac = routers;
    assert_int_equal(router_vif_add(lab.router, &extra.port, 9, &config, &why), -EINVAL);
    config.guest_mac = group;
    assert_int_equal(router_vif_add(lab.router, &extra.port, 9, &config, &why), -EINVAL);
    assert_null(extra.port.router);
    assert_false(extra.port.is_plugged);
}

/* Whatever it was refused for, nothing of it is left. */
static void a_refused_vif_leaves_nothing(void **state)
{
    struct router_vif_config config = { .nr_ip4 = 2,
                                        .nr_ip6 = 1,
                                        .ip4 = { { ip4("10.9.9.1"), 32 }, { ip4("10.9.9.2"), 32 } },
                                        .router_ip4 = ip4("192.0.2.10"),
                                        .guest_mac = GUEST_MAC(9) };
    const char *why;

    (void)state;
    inet_pton(AF_INET6, "2001:db8:9::", config.ip6[0].addr);
    config.ip6[0].len = 64;
    assert_int_equal(router_vif_add(lab.router, &extra.port, 9, &config, &why), -EINVAL);
    assert_int_equal(add4("10.9.9.0", 24, NULL), 0);
    assert_int_equal(add6("2001:db8:9::", 48), 0);
}

static void what_a_vif_is_can_be_asked(void **state)
{
    (void)state;
    assert_ptr_equal(router_of(&lab.guests[1].port), lab.router);
    assert_int_equal(router_vif_index(&lab.guests[1].port), 1);
    assert_ptr_equal(router_vif_port(1), &lab.guests[1].port);
    assert_memory_equal(router_vif_config(&lab.guests[1].port), &lab.configs[1],
                        sizeof(lab.configs[1]));
    assert_null(router_vif_port(3));
    assert_null(router_vif_port(64));
    assert_null(router_of(&lab.wire.port));
    assert_int_equal(router_index(lab.router), 0);
    assert_ptr_equal(router_bridge(lab.router), lab.bridge);
    assert_ptr_equal(router_find(lab.bridge), lab.router);
    router_vif_remove(&lab.guests[1].port);
    assert_null(router_vif_port(1));
    assert_null(router_of(&lab.guests[1].port));
}

static int set4(const char *ip, uint8_t len, const char *gateway)
{
    struct router_addresses addresses = {
        .has_ip4 = true, .ip4 = ip4(ip), .len4 = len, .gateway4 = gateway ? ip4(gateway) : 0
    };

    return router_addresses_set(lab.router, &addresses, lab.now);
}

static int set6(const char *ip, uint8_t len, const char *gateway)
{
    struct router_addresses addresses = { .has_ip6 = true,
                                          .len6 = len,
                                          .has_gateway6 = gateway != NULL };

    inet_pton(AF_INET6, ip, addresses.ip6);
    if (gateway)
        inet_pton(AF_INET6, gateway, addresses.gateway6);
    return router_addresses_set(lab.router, &addresses, lab.now);
}

static void only_right_addresses_are_set(void **state)
{
    (void)state;
    assert_int_equal(set4("10.1.2.3", 24, NULL), 0);
    assert_int_equal(set4("10.1.2.3", 24, "10.1.2.1"), 0);
    assert_int_equal(set4("10.1.2.3", 24, "10.1.3.1"), -EINVAL);
    assert_int_equal(set4("10.1.2.3", 24, "10.1.2.3"), -EINVAL);
    assert_int_equal(set4("10.1.2.3", 24, "10.1.2.255"), -EINVAL);
    assert_int_equal(set4("10.1.2.3", 32, "10.1.3.1"), 0); /* as some data centres have it */
    assert_int_equal(set4("10.1.2.2", 31, "10.1.2.3"), 0);
    assert_int_equal(set4("10.1.2.0", 24, NULL), -EINVAL);
    assert_int_equal(set4("10.1.2.255", 24, NULL), -EINVAL);
    assert_int_equal(set4("10.1.2.3", 0, NULL), -EINVAL);
    assert_int_equal(set4("10.1.2.3", 33, NULL), -EINVAL);
    assert_int_equal(set4("127.0.0.1", 8, NULL), -EINVAL);
    assert_int_equal(set4("224.0.0.1", 8, NULL), -EINVAL);
    assert_int_equal(set4("198.51.100.9", 16, NULL), -EINVAL); /* guest 1's */
    assert_int_equal(set4("198.51.1.1", 16, "198.51.100.9"), -EINVAL);
    assert_int_equal(set4("198.51.1.1", 16, "198.51.1.2"), 0);
    assert_int_equal(set6("2001:db8:5::1", 64, "fe80::1"), 0);
    assert_int_equal(set6("2001:db8:5::1", 64, "2001:db8:5::2"), 0);
    assert_int_equal(set6("2001:db8:5::1", 64, "2001:db8:6::2"), -EINVAL);
    assert_int_equal(set6("2001:db8:5::1", 128, "2001:db8:6::2"), 0);
    assert_int_equal(set6("2001:db8:5::1", 64, "2001:db8:5::1"), -EINVAL);
    assert_int_equal(set6("2001:db8:1::1", 64, NULL), -EINVAL); /* guest 1's */
    assert_int_equal(set6("fe80::1", 64, NULL), -EINVAL);
    assert_int_equal(set6("ff02::1", 64, NULL), -EINVAL);
    assert_int_equal(set6("2001:db8:5::1", 0, NULL), -EINVAL);
    assert_int_equal(set6("2001:db8:5::1", 129, NULL), -EINVAL);
}

static void a_refused_address_changes_nothing(void **state)
{
    struct router_addresses was = *router_addresses(lab.router);

    (void)state;
    assert_int_equal(set4("127.0.0.1", 8, NULL), -EINVAL);
    assert_memory_equal(router_addresses(lab.router), &was, sizeof(was));
    wire_sends_packet(
        &(struct packet_spec){ .src = "192.0.2.5", .dst = "192.0.2.1", .protocol = IPPROTO_ICMP });
    assert_int_equal(router_stats(lab.router)->echoes, 1);
}

static void a_bridge_has_one_router(void **state)
{
    struct bridge *bridges[ROUTER_MAX];
    struct router *router = NULL;
    char name[] = "br0";

    (void)state;
    assert_int_equal(router_create(lab.bridge, &router), -EEXIST);
    assert_null(router);
    for (unsigned int i = 0; i < ROUTER_MAX; i++) {
        name[2] = '0' + i;
        assert_int_equal(bridge_create(name, &bridges[i]), 0);
        assert_int_equal(router_create(bridges[i], &router), i + 1 < ROUTER_MAX ? 0 : -ENOSPC);
    }
    assert_null(router_find(bridges[ROUTER_MAX - 1]));
    assert_int_equal(router_index(router), ROUTER_MAX - 1);
}

static void routers_are_apart(void **state)
{
    struct bridge *bridge;
    struct router *other;
    struct router_vif_config config = { .nr_ip4 = 1,
                                        .ip4 = { { ip4("192.0.2.10"), 32 } },
                                        .guest_mac = GUEST_MAC(9) };
    const char *why;

    (void)state;
    assert_int_equal(bridge_create("other", &bridge), 0);
    assert_int_equal(router_create(bridge, &other), 0);
    assert_int_equal(router_vif_add(other, &extra.port, 9, &config, &why), 0);
    wire_sends_packet(&(struct packet_spec){ .src = "192.0.2.5", .dst = "192.0.2.10" });
    assert_int_equal(lab.guests[0].nr_kept, 1);
    assert_int_equal(extra.nr_kept, 0);
}

static void a_made_mac_is_the_bridges_own(void **state)
{
    struct bridge *bridges[2];
    struct router *routers[2];
    const struct rte_ether_addr *macs[2];
    struct rte_ether_addr group = { { 1 } };

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(bridge_create(i ? "a" : "b", &bridges[i]), 0);
        assert_int_equal(router_create(bridges[i], &routers[i]), 0);
        macs[i] = router_mac(routers[i]);
        assert_true(rte_is_local_admin_ether_addr(macs[i]));
        assert_true(rte_is_unicast_ether_addr(macs[i]));
    }
    assert_false(rte_is_same_ether_addr(macs[0], macs[1]));
    router_mac_set(lab.router, &group, lab.now);
    assert_mac(*router_mac(lab.router), ROUTER_WIRE_MAC);
}

static void the_port_is_in_the_vlan_it_is_put_in(void **state)
{
    const struct port *port = (const struct port *)lab.router;

    (void)state;
    assert_string_equal(port->name, "xenbr0");
    assert_int_equal(port->vlans->pvid, 0);
    router_vlan_set(lab.router, 77);
    assert_int_equal(port->vlans->pvid, 77);
    assert_int_equal(port->vlans->members[1], 1ull << 13);
    assert_int_equal(port->vlans->untagged[1], 1ull << 13);
    assert_int_equal(port->vlans->members[0], 0);
    assert_ptr_equal(port->bridge, lab.bridge);
}

/* A guest in the bridge, say, that would like to be the router. */
static void nobody_takes_the_routers_mac(void **state)
{
    struct rte_ether_addr mac = station(101);
    struct vlan_set vlans = { .pvid = 77, .members[1] = 1 << 13, .untagged[1] = 1 << 13 };
    struct fake_port bridged;

    (void)state;
    fake_port_init(&bridged, "bridged", ~0u);
    bridged.port.vlans = &vlans;
    router_vlan_set(lab.router, 77);
    assert_int_equal(bridge_port_add(lab.bridge, &bridged.port, false), 0);
    for (unsigned int i = 0; i < 2; i++) {
        struct rte_mbuf *frame = frame_make(station(9), *router_mac(lab.router), 60);

        bridge_input(&bridged.port, &frame, 1, lab.now);
        assert_int_equal(bridged.port.stats.rx_drops_pinned, 1 + i);
        router_mac_set(lab.router, &mac, lab.now);
    }
    bridge_flush();
    bridge_port_remove(&bridged.port);
    fake_port_empty(&bridged);
}

static void a_vif_that_goes_takes_all_with_it(void **state)
{
    (void)state;
    guest_sends_packet(2, &(struct packet_spec){ .src = "10.0.1.1", .dst = "192.0.2.5" });
    guest_sends_packet(0, &(struct packet_spec){ .src = "192.0.2.10", .dst = "192.0.2.6" });
    assert_int_equal(router_neighbours(lab.router), 2);
    assert_int_equal(nat_guest_flows(2), 1);
    router_vif_remove(&lab.guests[2].port);
    router_vif_remove(&lab.guests[0].port);
    forget_sent();
    assert_int_equal(fixture_in_use(), 0);
    assert_int_equal(router_neighbours(lab.router), 0);
    assert_false(lab.guests[0].port.is_plugged);
    assert_int_equal(add4("10.0.1.1", 32, "10.0.1.128"), 0);
    assert_int_equal(add4("10.0.1.128", 32, NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_two_have_an_address),
        TEST(only_hosts_addresses_are_guests),
        TEST(the_routers_address_toward_a_guest_is_a_hosts),
        TEST(a_vif_is_described_fully_or_refused),
        TEST(a_refused_vif_leaves_nothing),
        TEST(what_a_vif_is_can_be_asked),
        TEST(only_right_addresses_are_set),
        TEST(a_refused_address_changes_nothing),
        TEST(a_bridge_has_one_router),
        TEST(routers_are_apart),
        TEST(a_made_mac_is_the_bridges_own),
        TEST(the_port_is_in_the_vlan_it_is_put_in),
        TEST(nobody_takes_the_routers_mac),
        TEST(a_vif_that_goes_takes_all_with_it),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
