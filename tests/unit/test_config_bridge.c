/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of bridge= in extra=. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "main/config.h"

#define FIELD 1024 /* MAX_GUEST_CMDLINE */

static struct config config;
static const struct config_bridge *const lan = &config.bridges[0];
static char error[CONFIG_ERROR_SIZE];

static int parse(const char *line)
{
    char *field = calloc(1, FIELD);
    int rc;

    memcpy(field, line, strlen(line));
    memset(error, 0, sizeof(error));
    rc = config_parse(field, FIELD, &config, error);
    free(field);
    return rc;
}

static void assert_taken(const char *line)
{
    if (parse(line) != 0)
        fail_msg("'%s': %s", line, error);
}

static void assert_refused(const char *line, const char *said)
{
    assert_int_equal(parse(line), -EINVAL);
    if (!strstr(error, said))
        fail_msg("'%s': the error is: %s", line, error);
    assert_true(strlen(error) < CONFIG_ERROR_SIZE - 1); /* not cut */
}

static void options_stand_in_any_order(void **state)
{
    (void)state;
    assert_taken(
        "bridge=lan,isolated,storm=500,uplink=nic1,group_fwd_mask=0x4008,pin=00:16:3e:00:00:01");
    assert_string_equal(lan->name, "lan");
    assert_int_equal(lan->uplink.index, 1);
    assert_true(lan->isolated);
    assert_int_equal(lan->storm, 500);
    assert_int_equal(lan->group_fwd_mask, 0x4008);
    assert_int_equal(lan->nr_pins, 1);
    assert_memory_equal(lan->pins[0].mac, "\x00\x16\x3e\x00\x00\x01", 6);
    assert_false(lan->pins[0].has_vid);
    assert_false(lan->has_vlans);
}

static void the_wires_mtu_is_1500_unless_it_is_said(void **state)
{
    (void)state;
    assert_taken("bridge=lan,uplink=nic0");
    assert_int_equal(lan->mtu, 0);
    assert_int_equal(config_bridge_mtu(lan), 1500);
    assert_taken("bridge=lan,mtu=9000,uplink=nic0");
    assert_int_equal(config_bridge_mtu(lan), 9000);
    assert_taken("bridge=lan,uplink=nic0,mtu=1280");
    assert_int_equal(config_bridge_mtu(lan), 1280);
}

static void an_mtu_that_no_wire_has_is_refused(void **state)
{
    static const char *const values[] = { "",      "0",     "1279",  "9001",  "65500",
                                          "-9000", "+9000", "9000B", "9k",    "0x2328",
                                          "09000", "9216",  "jumbo", "9000.0" };
    char line[64];

    (void)state;
    for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(line, sizeof(line), "bridge=lan,uplink=nic0,mtu=%s", values[i]);
        assert_refused(line, "accepted: mtu=BYTES, 1280 to 9000");
    }
    assert_refused("bridge=lan,uplink=nic0,mtu=9000,mtu=9000", "said twice");
    assert_refused("bridge=lan,mtu=9000", "mtu= without an uplink");
    assert_refused("bridge=lan,uplink=none,mtu=9000", "mtu= without an uplink");
    assert_refused("bridge=lan,uplink=nic0,MTU=9000", "not an option");
    assert_refused("bridge=lan,uplink=nic0,mtu", "not an option");
    assert_refused("bridge=lan,uplink=nic0,mtu=9,000", "accepted: mtu=BYTES");
    assert_refused("bridge=lan,uplink=nic0 mtu=9000", "unknown word");
}

static void native_vlan_has_no_tag_on_a_wire_that_carries_all(void **state)
{
    (void)state;
    assert_taken("bridge=lan,uplink=nic0,native=10");
    assert_true(lan->has_vlans);
    assert_int_equal(lan->vlans.pvid, 10);
    assert_true(vlan_set_has(&lan->vlans, 4094) && !vlan_set_is_untagged(&lan->vlans, 4094));
    assert_true(vlan_set_is_untagged(&lan->vlans, 10));
    assert_false(vlan_set_has(&lan->vlans, 0));
}

static void trunk_carries_what_it_lists(void **state)
{
    (void)state;
    assert_taken("bridge=lan,uplink=nic0,trunk=10+20-22");
    assert_int_equal(lan->vlans.pvid, VLAN_NONE);
    assert_true(vlan_set_has(&lan->vlans, 10) && vlan_set_has(&lan->vlans, 21));
    assert_false(vlan_set_has(&lan->vlans, 11) || vlan_set_has(&lan->vlans, 0));
    assert_taken("bridge=lan,uplink=nic0,trunk=0+10");
    assert_int_equal(lan->vlans.pvid, 0);
    assert_true(vlan_set_is_untagged(&lan->vlans, 0));
    assert_taken("bridge=lan,uplink=nic0,trunk=10+20,native=30");
    assert_int_equal(lan->vlans.pvid, 30);
    assert_true(vlan_set_has(&lan->vlans, 30) && vlan_set_has(&lan->vlans, 20));
}

static void addresses_are_fixed_or_by_dhcp(void **state)
{
    (void)state;
    assert_taken(
        "bridge=lan,uplink=nic0,address=10.77.0.2/24,gateway=10.77.0.1,address6=fd00::2/64,"
        "gateway6=fe80::1,dns=10.77.0.1,dns=10.77.0.3");
    assert_memory_equal(lan->ip4, "\x0a\x4d\x00\x02", 4);
    assert_int_equal(lan->len4, 24);
    assert_true(lan->has_gateway4 && lan->has_gateway6 && !lan->dhcp);
    assert_memory_equal(lan->gateway4, "\x0a\x4d\x00\x01", 4);
    assert_int_equal(lan->ip6[15], 2);
    assert_int_equal(lan->len6, 64);
    assert_int_equal(lan->nr_dns, 2);
    assert_taken("bridge=lan,address=dhcp");
    assert_true(lan->dhcp);
    assert_int_equal(lan->len4, 0);
}

static void port_forwards_are_taken(void **state)
{
    (void)state;
    assert_taken(
        "bridge=lan,address=dhcp,forward=tcp:8080:10.0.1.1:80,forward=udp:53:10.0.1.2:5353");
    assert_int_equal(lan->nr_forwards, 2);
    assert_false(lan->forwards[0].is_udp);
    assert_int_equal(lan->forwards[0].outside_port, 8080);
    assert_int_equal(lan->forwards[0].port, 80);
    assert_memory_equal(lan->forwards[0].ip4, "\x0a\x00\x01\x01", 4);
    assert_true(lan->forwards[1].is_udp);
}

static void values_that_make_no_sense_are_refused_by_name(void **state)
{
    static const char *const rows[][2] = {
        { "native=0", "not a VLAN" },
        { "native=4095", "not a VLAN" },
        { "native=", "not a VLAN" },
        { "native=10,native=10", "said twice" },
        { "trunk=", "not VLANs" },
        { "trunk=10,20", "not an option" },
        { "trunk=10+4095", "not VLANs" },
        { "trunk=20-10", "not VLANs" },
        { "isolated=1", "not an option" },
        { "isolatedx", "not an option" },
        { "storm=0", "not a number of frames" },
        { "storm=x", "not a number of frames" },
        { "group_fwd_mask=0x10000", "not a mask" },
        { "group_fwd_mask=2", "PAUSE" },
        { "group_fwd_mask=0xffff", "PAUSE" },
        { "pin=01:00:00:00:00:00", "not a station" },
        { "pin=00:00:00:00:00:00", "not a station" },
        { "pin=0:1:2:3:4:5", "not a station" },
        { "pin=00:16:3e:00:00:01:02", "not a station" },
        { "pin=00:16:3e:00:00:01@4095", "not a station" },
        { "pin=00:16:3e:00:00:01@", "not a station" },
        { "trunk=10,pin=00:16:3e:00:00:01", "pin= on a wire without untagged frames" },
        { "trunk=10,address=dhcp", "address= on a wire without untagged frames" },
        { "address=10.0.0.2/24,gateway=10.0.1.1", "a gateway that is no neighbour" },
        { "address=10.0.0.2/24,gateway=10.0.0.2", "a gateway that is no neighbour" },
        { "address6=fd00::2/64,gateway6=fd01::1", "a gateway that is no neighbour" },
        { "address=dhcp,forward=udp:68:10.0.0.1:68", "udp:68" },
        { "address=dhcp,forward=tcp:2222:10.0.0.1:22", "a port that the domain uses itself" },
        { "address=10.0.0.1", "not an address" },
        { "address=10.0.0.1/0", "not an address" },
        { "address=10.0.0.1/33", "not an address" },
        { "address=fd00::1/64", "not an address" },
        { "address=DHCP", "not an address" },
        { "address=dhcp,address=10.0.0.1/8", "said twice" },
        { "address=dhcp,gateway=10.0.0.1", "a gateway without a fixed address" },
        { "gateway=10.0.0.1", "a gateway without a fixed address" },
        { "address=10.0.0.2/8,gateway=10.0.0.1/8", "not an address" },
        { "address6=10.0.0.1/8", "not an address" },
        { "address6=fd00::1", "not an address" },
        { "gateway6=fd00::1", "a gateway without an address" },
        { "dns=10.0.0.1", "without an address" },
        { "address=dhcp,dns=fd00::1", "not an address" },
        { "address=dhcp,dns=1.1.1.1,dns=1.1.1.2,dns=1.1.1.3,dns=1.1.1.4", "too many" },
        { "forward=tcp:80:10.0.0.1:80", "without an address" },
        { "address=dhcp,forward=tcp:80:10.0.0.1", "not a port forward" },
        { "address=dhcp,forward=icmp:80:10.0.0.1:80", "not a port forward" },
        { "address=dhcp,forward=tcp:0:10.0.0.1:80", "not a port forward" },
        { "address=dhcp,forward=tcp:65536:10.0.0.1:80", "not a port forward" },
        { "address=dhcp,forward=tcp:80:10.0.0.1:80:1", "not a port forward" },
        { "address=dhcp,forward=tcp:80:fd00::1:80", "not a port forward" },
    };
    char line[200];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(line, sizeof(line), "bridge=lan,uplink=nic0,%s", rows[i][0]);
        assert_refused(line, rows[i][1]);
    }
    assert_refused("bridge=lan,native=10", "without an uplink");
    assert_refused("bridge=lan,uplink=none,pin=00:16:3e:00:00:01", "without an uplink");
}

static void stations_are_pinned_in_the_vlan_they_are_in(void **state)
{
    (void)state;
    assert_taken(
        "bridge=lan,uplink=nic0,trunk=10+20,pin=00:16:3e:00:00:01@10,pin=00:16:3e:00:00:01@20");
    assert_true(lan->pins[1].has_vid);
    assert_int_equal(lan->pins[1].vid, 20);
    assert_taken("bridge=lan,uplink=nic0,trunk=0+10,pin=00:16:3e:00:00:01");
}

static void addresses_and_forwards_of_all_bridges_are_counted(void **state)
{
    char line[1024] = "";

    (void)state;
    for (unsigned int b = 0; b < 5; b++)
        sprintf(line + strlen(line), "bridge=b%u,address=dhcp ", b);
    assert_refused(line, "4 at most");
    line[0] = '\0';
    for (unsigned int b = 0; b < 3; b++) {
        sprintf(line + strlen(line), " bridge=b%u,address=dhcp", b);
        for (unsigned int i = 0; i < 11; i++)
            sprintf(line + strlen(line), ",forward=tcp:%u:1.1.1.1:1", i + 1);
    }
    assert_refused(line, "32 at most for all bridges");
    assert_taken("bridge=lan,address=10.0.0.2/32,gateway=10.9.9.9");
    assert_taken("bridge=lan,address6=fd00::2/128,gateway6=fe80::1");
}

static void policy_can_be_required(void **state)
{
    (void)state;
    assert_taken("");
    assert_false(config.policy_required);
    assert_taken("policy=required");
    assert_true(config.policy_required);
    assert_refused("policy=none", "accepted: policy=required");
    assert_refused("policy=required policy=required", "said before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_in_any_order),
        cmocka_unit_test(the_wires_mtu_is_1500_unless_it_is_said),
        cmocka_unit_test(an_mtu_that_no_wire_has_is_refused),
        cmocka_unit_test(native_vlan_has_no_tag_on_a_wire_that_carries_all),
        cmocka_unit_test(trunk_carries_what_it_lists),
        cmocka_unit_test(addresses_are_fixed_or_by_dhcp),
        cmocka_unit_test(port_forwards_are_taken),
        cmocka_unit_test(values_that_make_no_sense_are_refused_by_name),
        cmocka_unit_test(stations_are_pinned_in_the_vlan_they_are_in),
        cmocka_unit_test(addresses_and_forwards_of_all_bridges_are_counted),
        cmocka_unit_test(policy_can_be_required),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
