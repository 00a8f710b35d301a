/* SPDX-License-Identifier: BSD-2-Clause */
/* Where vif lines and policies put a vif, on real bridges and routers; and what they refuse. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <rte_ip.h>

#include "fake_xen.h"
#include "fixture_net.h"
#include "main/carrier.h"
#include "main/vif_place.c"
#include "net/nat.h"
#include "xen/console.h"
#include "xen/domain.h"

#define LINE                                                                                       \
    "bridge=xenbr0,uplink=nic0 bridge=inside bridge=lan,uplink=nic1,address=10.77.0.2/24,"         \
    "address6=fd00:77::2/64 bridge=dmz,isolated,storm=100"

static struct fake_port guests[2], wire;
static struct config config;
static struct vif_wish wish;

/* What stands around main/ in the domain. */
struct rte_mempool *mbuf_pool(void)
{
    return fixture_pool();
}

const struct port *vif_port(unsigned int index)
{
    return index < 2 && guests[index].port.ops ? &guests[index].port : NULL;
}

void vif_policies_changed(void)
{
}

static unsigned int nr_carrier_changes;

void vif_carriers_changed(void)
{
    nr_carrier_changes++;
}

unsigned int nic_number(const struct port *port)
{
    (void)port;
    return 0;
}

bool nic_has_address(const struct port *port, uint16_t domain, uint8_t bus, uint8_t device,
                     uint8_t function)
{
    (void)port;
    (void)domain;
    (void)bus;
    (void)device;
    (void)function;
    return false;
}

void console_flush_emergency(void)
{
}

void domain_shutdown(unsigned int reason)
{
    fail_msg("the domain shuts down: %u", reason);
    abort();
}

static void make(const char *line)
{
    char field[1024] = "", error[CONFIG_ERROR_SIZE];

    snprintf(field, sizeof(field), "%s", line);
    if (config_parse(field, sizeof(field), &config, error) != 0)
        fail_msg("%s", error);
    topology_create(&config);
}

static void guest_wish(unsigned int index, const char *bridge, const char *script)
{
    memset(&wish, 0, sizeof(wish));
    wish.guest = (domid_t)(300 + index);
    wish.index = (uint8_t)index;
    wish.mac = station(1 + index);
    wish.mtu = 1500;
    snprintf(wish.bridge, sizeof(wish.bridge), "%s", bridge);
    snprintf(wish.script, sizeof(wish.script), "%s", script);
}

static int setup(void **state)
{
    (void)state;
    fake_xen_reset();
    make(LINE);
    fake_port_init(&guests[0], "vif300.0", ~0u);
    fake_port_init(&guests[1], "vif301.0", ~0u);
    fake_port_init(&wire, "nic0", ~0u);
    guest_wish(0, "xenbr0", "vif-bridge");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2; i++)
        vif_place_detach(&guests[i].port);
    bridge_port_remove(&wire.port);
    bridge_flush();
    for (unsigned int i = 0; i < 2; i++)
        fake_port_empty(&guests[i]);
    fake_port_empty(&wire);
    return fixture_in_use() ? -1 : 0;
}

static int policy(unsigned int index, const char *text, const char **why_r)
{
    return vif_place_policy(&guests[index].port, &wish, text, text ? strlen(text) : 0, why_r);
}

static int place(unsigned int index)
{
    const char *said = "";
    int err = policy(index, NULL, &said);

    return err ? err : vif_place_attach(&guests[index].port, &wish, &said);
}

static void assert_refused(const char *words)
{
    const char *said = "";

    assert_int_equal(policy(0, NULL, &said), 0);
    assert_true(vif_place_attach(&guests[0].port, &wish, &said) < 0);
    if (!strstr(said, words))
        fail_msg("'%s' does not say '%s'", said, words);
    assert_true(strlen(said) < VIF_WHY_SIZE - 1); /* not cut */
    assert_null(guests[0].port.bridge);
    assert_null(guests[0].port.router);
}

static void plain_vif_carries_all_and_has_no_filter(void **state)
{
    (void)state;
    assert_int_equal(place(0), 0);
    assert_string_equal(bridge_name(guests[0].port.bridge), "xenbr0");
    assert_null(guests[0].port.vlans);
    assert_null(guests[0].port.filter);
    assert_false(guests[0].port.isolated);
}

static void bridge_forms_of_open_vswitch_make_vlans(void **state)
{
    (void)state;
    guest_wish(0, "xenbr0.10", "vif-openvswitch");
    assert_int_equal(place(0), 0);
    assert_int_equal(guests[0].port.vlans->pvid, 10);
    guest_wish(1, "xenbr0:10:20", "vif-openvswitch");
    assert_int_equal(place(1), 0);
    assert_int_equal(guests[1].port.vlans->pvid, VLAN_NONE);
    assert_true(vlan_set_has(guests[1].port.vlans, 20));
}

static void vlan_key_makes_vlans(void **state)
{
    (void)state;
    strcpy(wish.vlan, "10p/20");
    assert_int_equal(place(0), 0);
    assert_int_equal(guests[0].port.vlans->pvid, 10);
    assert_false(vlan_set_is_untagged(guests[0].port.vlans, 20));
}

static void what_cannot_be_done_is_refused_by_name(void **state)
{
    static const struct {
        const char *bridge, *script, *ip, *vlan, *gatewaydev;
        unsigned int mtu;
        const char *words;
    } rows[] = {
        { "nope", "", "", "", "", 1500, "no bridge 'nope'; bridges are: xenbr0 inside lan dmz" },
        { "nope.10", "", "", "", "", 1500, "no bridge 'nope.10'" },
        { "xenbr0.0", "", "", "", "", 1500, "bridge='xenbr0.0':" },
        { "xenbr0.10:20", "", "", "", "", 1500, "bridge='xenbr0.10:20':" },
        { "xenbr0:4095", "", "", "", "", 1500, "bridge='xenbr0:4095':" },
        { "xenbr0", "", "", "x", "", 1500, "vlan='x':" },
        { "xenbr0.10", "", "", "10", "", 1500, "VLANs are said twice" },
        { "xenbr0", "vif-foo", "", "", "", 1500,
          "script='vif-foo' is not understood; accepted: vif-bridge" },
        { "xenbr0", "", "10.77.0.999", "", "", 1500, "ip='10.77.0.999':" },
        { "xenbr0", "", "", "", "lan", 1500, "gatewaydev='lan' means nothing to vif-bridge" },
        { "xenbr0", "", "", "", "", 9000,
          "mtu='9000' does not fit the wire of bridge xenbr0; accepted: up to 1500, or more with "
          "mtu= "
          "of the bridge in extra=" },
        { "lan", "vif-route", "", "", "", 1500, "vif-route needs ip=" },
        { "lan", "vif-route", "10.77.0.40/x", "", "", 1500, "ip='10.77.0.40/x' is no address" },
        { "lan", "vif-route", "10.77.0.40", "10", "", 1500,
          "vlan='10': a routed vif is in no VLAN" },
        { "lan", "vif-route", "10.77.0.2", "", "", 1500, "ip='10.77.0.2':" },
        { "lan", "vif-route", "224.0.0.1", "", "", 1500, "ip='224.0.0.1':" },
        { "lan", "vif-route", "10.77.0.40", "", "xenbr0", 1500,
          "gatewaydev='xenbr0' has no address; accepted: lan" },
        { "lan", "vif-nat", "10.0.0.1 10.0.0.2", "", "", 1500, "vif-nat takes one IPv4 address" },
        { "lan", "vif-nat", "fd00::1", "", "", 1500, "vif-nat takes one IPv4 address" },
        { "lan", "vif-nat", "10.0.0.128", "", "", 1500, "accepted: last numbers from 1 to 127" },
        { "lan", "vif-nat", "10.0.0.0", "", "", 1500, "accepted: last numbers from 1 to 127" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        guest_wish(0, rows[i].bridge, rows[i].script);
        strcpy(wish.ip, rows[i].ip);
        strcpy(wish.vlan, rows[i].vlan);
        strcpy(wish.gatewaydev, rows[i].gatewaydev);
        wish.mtu = (uint16_t)rows[i].mtu;
        assert_refused(rows[i].words);
    }
}

static void list_of_addresses_has_a_limit_that_is_named(void **state)
{
    (void)state;
    guest_wish(0, "lan", "vif-route");
    for (unsigned int i = 0; i <= ROUTER_PREFIXES_MAX; i++)
        sprintf(wish.ip + strlen(wish.ip), "10.9.0.%u ", i + 1);
    assert_refused("ip= has too many addresses; accepted: 16 of each kind");
    guest_wish(0, "xenbr0", "");
    for (unsigned int i = 0; i <= FILTER_SOURCES_MAX; i++)
        sprintf(wish.ip + strlen(wish.ip), "10.9.0.%u ", i + 1);
    assert_refused("ip='10.9.0.1");
}

static void long_frames_are_for_bridges_without_a_wire(void **state)
{
    (void)state;
    guest_wish(0, "inside", "");
    wish.mtu = 9000;
    assert_int_equal(place(0), 0);
}

static void no_address_anywhere_is_said(void **state)
{
    (void)state;
    make("bridge=xenbr0,uplink=nic0");
    guest_wish(0, "xenbr0", "vif-nat");
    assert_refused("script=vif-nat: no bridge has an address");
}

static void routed_vif_is_behind_the_router_of_a_bridge_with_an_address(void **state)
{
    (void)state;
    guest_wish(0, "xenbr0", "vif-route"); /* libxl's default: has no address */
    strcpy(wish.ip, "10.77.0.40 fd00:77::40");
    assert_int_equal(place(0), 0);
    assert_null(guests[0].port.bridge);
    assert_ptr_equal(router_of(&guests[0].port), router_find(bridge_find("lan")));
    assert_int_equal(router_vif_config(&guests[0].port)->nr_ip6, 1);
    assert_false(router_vif_config(&guests[0].port)->nat);
}

static void nat_vif_has_the_scripts_addresses(void **state)
{
    const struct router_vif_config *found;

    (void)state;
    guest_wish(0, "lan", "vif-nat");
    strcpy(wish.ip, "10.77.9.41/24");
    assert_int_equal(place(0), 0);
    found = router_vif_config(&guests[0].port);
    assert_true(found->nat && found->serve_dhcp && found->serve_dns);
    assert_int_equal(found->ip4[0].addr, RTE_BE32(0x0a4d0929));
    assert_int_equal(found->ip4[0].len, 32);
    assert_int_equal(found->router_ip4, RTE_BE32(0x0a4d09a8));
    guest_wish(1, "lan", "vif-nat"); /* domain 301, vif 0 */
    assert_int_equal(place(1), 0);
    found = router_vif_config(&guests[1].port);
    assert_int_equal(found->ip4[0].addr, RTE_BE32(0x0a012d01));
    assert_int_equal(found->router_ip4, RTE_BE32(0x0a012d80));
}

/* A frame of IPv4 from a guest; returns whether it reached the wire. */
static bool reaches_wire(unsigned int index, rte_be32_t src)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_UDP, 20, 0);
    struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, struct rte_ether_hdr *);
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
    unsigned int before = wire.nr_kept;

    ether->src_addr = station(1 + index);
    ip->src_addr = src;
    topology_input(&guests[index].port, &frame, 1, clock_now());
    bridge_flush();
    return wire.nr_kept > before;
}

static void guest_sends_from_its_addresses_only(void **state)
{
    (void)state;
    assert_int_equal(bridge_port_add(bridge_find("xenbr0"), &wire.port, true), 0);
    strcpy(wish.ip, "10.77.0.42 10.78.0.0/16");
    assert_int_equal(place(0), 0);
    assert_true(reaches_wire(0, RTE_BE32(0x0a4d002a)));
    assert_true(reaches_wire(0, RTE_BE32(0x0a4effff)));
    assert_false(reaches_wire(0, RTE_BE32(0x0a4d002b)));
    vif_place_report();
    assert_true(fake_log_has("vif300.0: frames refused so far: "));
}

static void policy_adds_to_the_vif_line(void **state)
{
    const char *said = "";

    (void)state;
    assert_int_equal(policy(0,
                            "isolated; rate in 10Mb/s; rate out 1MB/s@20ms; storm 7\n"
                            "tx-checksum off; vlan 10p/20; guard mac",
                            &said),
                     0);
    assert_int_equal(vif_place_attach(&guests[0].port, &wish, &said), 0);
    assert_true(guests[0].port.isolated && guests[0].port.finish_checksums);
    assert_int_equal(guests[0].port.rx_rate.bytes, 20000);
    assert_int_equal(guests[0].port.rx_rate.interval_us, 20000);
    assert_int_equal(guests[0].port.tx_rate.bytes, 62500);
    assert_int_equal(guests[0].port.storm_limit, 7);
    assert_int_equal(guests[0].port.vlans->pvid, 10);
    assert_non_null(guests[0].port.filter);
}

static void bridge_gives_its_vifs_limits(void **state)
{
    (void)state;
    guest_wish(0, "dmz", "");
    assert_int_equal(place(0), 0);
    assert_true(guests[0].port.isolated);
    assert_int_equal(guests[0].port.storm_limit, 100);
}

static void new_policy_takes_effect_at_once(void **state)
{
    const char *said = "";

    (void)state;
    assert_int_equal(bridge_port_add(bridge_find("xenbr0"), &wire.port, true), 0);
    assert_int_equal(place(0), 0);
    assert_true(reaches_wire(0, RTE_BE32(0x0a000001)));
    assert_int_equal(policy(0, "deny out proto udp", &said), 0);
    assert_false(reaches_wire(0, RTE_BE32(0x0a000001)));
    assert_int_equal(policy(0, NULL, &said), 0);
    assert_true(reaches_wire(0, RTE_BE32(0x0a000001)));
}

static void bad_new_policy_leaves_what_held(void **state)
{
    static const char *const texts[] = { "deny owt", "vlan 0", "vlan 10p/20p" };
    const char *said = "";

    (void)state;
    assert_int_equal(bridge_port_add(bridge_find("xenbr0"), &wire.port, true), 0);
    assert_int_equal(place(0), 0);
    assert_int_equal(policy(0, "deny out proto udp", &said), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_true(policy(0, texts[i], &said) < 0);
        assert_non_null(guests[0].port.bridge);
        assert_false(reaches_wire(0, RTE_BE32(0x0a000001)));
    }
}

static void policy_of_a_routed_vif_has_nothing_of_bridges(void **state)
{
    const char *said = "";

    (void)state;
    guest_wish(0, "lan", "vif-route");
    strcpy(wish.ip, "10.77.0.40");
    assert_int_equal(place(0), 0);
    assert_true(policy(0, "station 00:16:3e:00:00:09", &said) < 0);
    assert_non_null(strstr(said, "for vifs in bridges"));
    assert_int_equal(policy(0, "storm 5", &said), 0); /* it floods nothing */
    assert_true(policy(0, "vlan 10", &said) < 0);
    assert_int_equal(policy(0, "deny out proto udp; rate in 10Mb/s", &said), 0);
    assert_non_null(guests[0].port.filter);
    assert_int_equal(guests[0].port.tx_rate.bytes, 62500);
}

static void isolation_of_the_bridge_is_for_its_routed_vifs_too(void **state)
{
    const char *said = "";

    (void)state;
    make("bridge=lan,uplink=nic1,isolated,address=10.77.0.2/24");
    guest_wish(0, "lan", "vif-route");
    strcpy(wish.ip, "10.77.0.40");
    assert_int_equal(place(0), 0);
    assert_true(guests[0].port.isolated);
    assert_int_equal(policy(0, "deny out proto udp", &said), 0);
    assert_true(guests[0].port.isolated);
    assert_non_null(guests[0].port.router);
}

static void router_without_addresses_of_a_kind_takes_no_guests_of_it(void **state)
{
    (void)state;
    make("bridge=six,uplink=nic1,address6=fd00::2/64 bridge=four,uplink=nic0,address=10.77.0.2/24");
    guest_wish(0, "six", "vif-nat");
    assert_refused("bridge six has no IPv4 address");
    guest_wish(0, "four", "vif-route");
    strcpy(wish.ip, "10.77.0.40 fd00::40");
    assert_refused("bridge four has no IPv6 address");
}

/* RFC 8200, 5: 1280 is the least. */
static void routed_vif_with_ipv6_has_room_for_it(void **state)
{
    (void)state;
    guest_wish(0, "lan", "vif-route");
    wish.mtu = 1279;
    strcpy(wish.ip, "10.77.0.40 fd00:77::40");
    assert_refused(
        "mtu='1279' is less than IPv6 needs; accepted: 1280 and more, or no IPv6 address in ip=");
    strcpy(wish.ip, "10.77.0.40");
    assert_int_equal(place(0), 0);
    guest_wish(1, "lan", "vif-route");
    wish.mtu = 1280;
    strcpy(wish.ip, "fd00:77::41");
    assert_int_equal(place(1), 0);
}

static void routed_vif_does_not_end_up_behind_another_bridge(void **state)
{
    (void)state;
    guest_wish(0, "inside", "vif-nat");
    assert_refused("bridge='inside' has no address; accepted: lan");
    guest_wish(0, "xenbr0.10", "vif-nat");
    assert_refused("bridge='xenbr0.10' has no address; accepted: lan");
}

static void old_name_of_a_bridge_is_understood_as_the_script_does(void **state)
{
    (void)state;
    make("bridge=eth1 bridge=xenbr2");
    guest_wish(0, "xenbr1", "");
    assert_int_equal(place(0), 0);
    assert_string_equal(bridge_name(guests[0].port.bridge), "eth1");
}

static void station_that_cannot_be_pinned_refuses(void **state)
{
    const char *said = "";

    (void)state;
    assert_int_equal(policy(0, "station 00:16:3e:00:00:09", &said), 0);
    assert_int_equal(vif_place_attach(&guests[0].port, &wish, &said), 0);
    guest_wish(1, "xenbr0", "");
    assert_int_equal(policy(1, "station 00:16:3e:00:00:09", &said), 0);
    assert_true(vif_place_attach(&guests[1].port, &wish, &said) < 0);
    assert_non_null(strstr(said, "it is pinned to another port"));
    assert_null(guests[1].port.bridge);
    guest_wish(1, "xenbr0:10", "");
    assert_true(vif_place_attach(&guests[1].port, &wish, &said) < 0);
    assert_non_null(strstr(said, "no VLAN for untagged frames"));
}

static void required_policy_that_is_not_there_refuses(void **state)
{
    const char *said = "";

    (void)state;
    make(LINE " policy=required");
    assert_true(policy(0, NULL, &said) < 0);
    assert_non_null(strstr(said, "policy=required"));
    assert_int_equal(policy(0, "", &said), 0);
}

/* As at a restart: what a start knows is gone, what is kept stays. */
static void restart(void)
{
    fake_xen_restart();
    bridge_port_remove(&guests[0].port);
    guests[0].port.filter = NULL;
    make(LINE);
}

static void kept_policy_holds_after_a_restart(void **state)
{
    const char *said = "";

    (void)state;
    assert_int_equal(policy(0, "deny out proto udp", &said), 0);
    assert_int_equal(vif_place_attach(&guests[0].port, &wish, &said), 0);
    restart();
    assert_int_equal(vif_place_attach(&guests[0].port, &wish, &said), 0);
    assert_int_equal(bridge_port_add(bridge_find("xenbr0"), &wire.port, true), 0);
    assert_false(reaches_wire(0, RTE_BE32(0x0a000001)));
}

static void damaged_or_anothers_policy_is_not_taken_up(void **state)
{
    const char *said = "";

    (void)state;
    assert_int_equal(policy(0, "deny out proto udp", &said), 0);
    assert_int_equal(vif_place_attach(&guests[0].port, &wish, &said), 0);
    for (size_t at = 0; at < sizeof(kept[0]); at += 7) {
        restart();
        ((uint8_t *)&kept[0])[at] ^= 0x10;
        assert_int_equal(vif_place_attach(&guests[0].port, &wish, &said), -EBADMSG);
        ((uint8_t *)&kept[0])[at] ^= 0x10;
    }
    wish.handle = 1;
    assert_int_equal(vif_place_attach(&guests[0].port, &wish, &said), -EBADMSG);
}

/* What guests behind these are to be told of the wire. */
static void carrier_follows_the_uplink(void **state)
{
    struct port *nics[1] = { &wire.port };
    const struct port *port = &guests[0].port;
    unsigned int changes = nr_carrier_changes;

    (void)state;
    wire.port.up = false;
    assert_int_equal(place(0), 0);
    assert_int_equal(carrier_of(port), VIF_CARRIER_UNKNOWN); /* its NIC may yet be found */
    topology_uplinks_add(nics, 1);
    assert_int_equal(carrier_of(port), VIF_CARRIER_UNKNOWN); /* it was started just now */
    wire.port.up = true;
    topology_link_changed(&wire.port);
    assert_int_equal(nr_carrier_changes, changes + 1);
    assert_int_equal(carrier_of(port), VIF_CARRIER_UP);
    wire.port.up = false;
    assert_int_equal(carrier_of(port), VIF_CARRIER_UNKNOWN);
    fake_xen_sleep(4900000000);
    assert_int_equal(nr_carrier_changes, changes + 1);
    fake_xen_sleep(200000000);
    assert_int_equal(nr_carrier_changes, changes + 2); /* all vifs are looked at again */
    assert_int_equal(carrier_of(port), VIF_CARRIER_DOWN);
    wire.port.up = true;
    assert_int_equal(carrier_of(port), VIF_CARRIER_UP);
}

static void carrier_without_a_wire(void **state)
{
    struct port *nics[1] = { &wire.port };

    (void)state;
    wire.port.up = false;
    topology_uplinks_add(nics, 1);
    fake_xen_sleep(6000000000);
    guest_wish(0, "inside", "vif-bridge");
    assert_int_equal(place(0), 0);
    assert_int_equal(carrier_of(&guests[0].port), VIF_CARRIER_UP); /* asks for no uplink */
    guest_wish(1, "lan", "vif-route");
    snprintf(wish.ip, sizeof(wish.ip), "10.9.9.9");
    assert_int_equal(place(1), 0);
    assert_int_equal(carrier_of(&guests[1].port),
                     VIF_CARRIER_DOWN); /* asks for nic1, which is missing */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(carrier_follows_the_uplink),
        TEST(carrier_without_a_wire),
        TEST(plain_vif_carries_all_and_has_no_filter),
        TEST(bridge_forms_of_open_vswitch_make_vlans),
        TEST(vlan_key_makes_vlans),
        TEST(what_cannot_be_done_is_refused_by_name),
        TEST(list_of_addresses_has_a_limit_that_is_named),
        TEST(long_frames_are_for_bridges_without_a_wire),
        TEST(no_address_anywhere_is_said),
        TEST(routed_vif_is_behind_the_router_of_a_bridge_with_an_address),
        TEST(nat_vif_has_the_scripts_addresses),
        TEST(guest_sends_from_its_addresses_only),
        TEST(policy_adds_to_the_vif_line),
        TEST(bridge_gives_its_vifs_limits),
        TEST(new_policy_takes_effect_at_once),
        TEST(bad_new_policy_leaves_what_held),
        TEST(policy_of_a_routed_vif_has_nothing_of_bridges),
        TEST(isolation_of_the_bridge_is_for_its_routed_vifs_too),
        TEST(router_without_addresses_of_a_kind_takes_no_guests_of_it),
        TEST(routed_vif_with_ipv6_has_room_for_it),
        TEST(routed_vif_does_not_end_up_behind_another_bridge),
        TEST(old_name_of_a_bridge_is_understood_as_the_script_does),
        TEST(station_that_cannot_be_pinned_refuses),
        TEST(required_policy_that_is_not_there_refuses),
        TEST(kept_policy_holds_after_a_restart),
        TEST(damaged_or_anothers_policy_is_not_taken_up),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
