/* SPDX-License-Identifier: BSD-2-Clause */
/* What `ferry setup` writes, what it takes for use of a NIC by dom0, and how routes are brought back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "cli/dom0_net.h"
#include "cli/setup_text.h"
#include "config/cfgkeys.h"
#include "config/dom0_vif.h"
#include "util/files.h"
#include "util/paths.h"

static const struct setup_words usual = { .name = "domnet",
                                          .address = "0000:03:00.0",
                                          .interface = "eth0",
                                          .driver = "net_e1000_em",
                                          .kernel = "/usr/lib/ferry/ferry-net",
                                          .bridge = "xenbr0",
                                          .dom0_mac = "",
                                          .memory = 48 };

static void expect_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    assert_non_null(at);
    assert_true(at > text && at[-1] == '\n' && at[strlen(line)] == '\n');
}

static void the_configuration_says_what_it_was_given(void **state)
{
    char text[SETUP_TEXT_SIZE];
    int len = setup_text(&usual, text);

    (void)state;
    assert_true(len > 0);
    assert_int_equal(strlen(text), len);
    expect_line(text, "type          = \"pv\"");
    assert_non_null(
        strstr(text, " " PATHS_DOCS "/configuration.md.\n")); /* where it is installed */
    expect_line(text, "name          = \"domnet\"");
    expect_line(text, "kernel        = \"/usr/lib/ferry/ferry-net\"");
    expect_line(text, "memory        = 48");
    expect_line(text, "driver_domain = 1");
    expect_line(text, "pci           = [ \"0000:03:00.0\" ]");
    expect_line(text, "extra         = \"bridge=xenbr0,uplink=nic0\"");
    assert_non_null(strstr(text, "net_e1000_em"));
}

static int key_count(void *ctx, const char *name)
{
    (void)name;
    (*(unsigned int *)ctx)++;
    return 0;
}

static void dom0_gets_a_vif_where_that_is_asked_for(void **state)
{
    char text[SETUP_TEXT_SIZE], names[64];
    struct setup_words words = usual;
    struct dom0_vif vif;
    int len;

    (void)state;
    assert_true(setup_text(&words, text) > 0);
    assert_null(strstr(text, "dom0_vif"));
    words.dom0_mac = "52:54:00:aa:bb:0c";
    len = setup_text(&words, text);
    assert_int_equal(strlen(text), len);
    expect_line(text, "dom0_vif      = \"mac=52:54:00:aa:bb:0c,bridge=xenbr0\"");
    assert_int_equal(cfgkeys_unknown(text, names, sizeof(names)), 0);
    assert_null(dom0_vif_parse("mac=52:54:00:aa:bb:0c,bridge=xenbr0", &vif));
    assert_string_equal(vif.bridge, "xenbr0");
    assert_memory_equal(vif.mac, "\x52\x54\x00\xaa\xbb\x0c", sizeof(vif.mac));
    assert_null(dom0_vif_parse(" bridge=xenbr0 , mac=52:54:00:AA:BB:0C", &vif));
    assert_string_equal(vif.bridge, "xenbr0");
}

static void a_vif_of_dom0_that_makes_no_sense_is_told(void **state)
{
    static const struct {
        const char *text, *why;
    } wrong[] = {
        { "", "wants words" },
        { "bridge=xenbr0", "says no mac=" },
        { "mac=52:54:00:aa:bb:0c", "says no bridge=" },
        { "mac=52:54:00:aa:bb:0c,bridge=", "in bridge=" },
        { "mac=52:54:00:aa:bb:0c,bridge=a/b", "in bridge=" },
        { "mac=52:54:00:aa:bb:0c,bridge=sixteen-letters-", "in bridge=" },
        { "mac=53:54:00:aa:bb:0c,bridge=xenbr0", "in mac=" },
        { "mac=00:00:00:00:00:00,bridge=xenbr0", "in mac=" },
        { "mac=52:54:00:aa:bb,bridge=xenbr0", "in mac=" },
        { "mac=52:54:00:aa:bb:0g,bridge=xenbr0", "in mac=" },
        { "mac=5:254:00:aa:bb:0c,bridge=xenbr0", "in mac=" },
        { "mac=52:54:00:aa:bb:0c:,bridge=xenbr0", "in mac=" },
        { "mac=52:54:00:aa:bb:0c,bridge=a,bridge=b", "bridge= twice" },
        { "mac=52:54:00:aa:bb:0c,mac=52:54:00:aa:bb:0c,bridge=a", "mac= twice" },
        { "mac=52:54:00:aa:bb:0c,bridge=xenbr0,rate=1Mb/s", "other than" },
        { "mac=52:54:00:aa:bb:0c,bridge=xenbr0,", "wants words" },
        { "bridge=xenbr0 mac=52:54:00:aa:bb:0c", "in bridge=" },
        { "mac=52:54:00:aa:bb:0c,aVeryLongWordThatGoesOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOn=1",
          "too long" },
    };
    struct dom0_vif vif;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *why = dom0_vif_parse(wrong[i].text, &vif);

        if (!why || !strstr(why, wrong[i].why))
            fail_msg("'%s': %s", wrong[i].text, why ? why : "taken");
        assert_string_equal(vif.bridge, "");
    }
}

static void every_line_has_a_comment_and_is_acted_on(void **state)
{
    char text[SETUP_TEXT_SIZE], names[64];
    unsigned int nr_keys = 0, nr_lines = 0;
    bool after_comment = false;

    (void)state;
    assert_true(setup_text(&usual, text) > 0);
    assert_int_equal(cfgkeys_unknown(text, names, sizeof(names)), 0);
    cfgkeys_each(text, key_count, &nr_keys);
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        if (*line != '#' && *line != '\n') {
            assert_true(after_comment);
            nr_lines++;
        }
        after_comment = *line == '#';
    }
    assert_int_equal(nr_lines, 8);
    assert_int_equal(nr_keys, nr_lines);
}

/* The kernel takes any byte but a blank and '/' in an interface's name. */
static void a_hostile_interface_stays_in_its_comment(void **state)
{
    struct setup_words words = usual;
    char text[SETUP_TEXT_SIZE], names[64];
    unsigned int nr_keys = 0;

    (void)state;
    words.interface = "a\033\"]='\177";
    assert_true(setup_text(&words, text) > 0);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\177'));
    assert_int_equal(cfgkeys_unknown(text, names, sizeof(names)), 0);
    cfgkeys_each(text, key_count, &nr_keys);
    assert_int_equal(nr_keys, 8);
}

static void words_that_would_say_something_else_are_refused(void **state)
{
    static const char *const kernels[] = { "ferry-net", "", "/a\"b", "/a\nkernel", "/a\\b" };
    static const char *const bridges[] = { "", "a b", "a,uplink=none", "a\"", "1234567890123456" };
    char text[SETUP_TEXT_SIZE];
    struct setup_words words;

    (void)state;
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        words = usual;
        words.kernel = kernels[i];
        assert_int_equal(setup_text(&words, text), -EINVAL);
    }
    for (size_t i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
        words = usual;
        words.bridge = bridges[i];
        assert_int_equal(setup_text(&words, text), -EINVAL);
    }
    words = usual;
    words.memory = 7;
    assert_int_equal(setup_text(&words, text), -EINVAL);
    words = usual;
    words.name = "../domnet";
    assert_int_equal(setup_text(&words, text), -EINVAL);
}

static void what_is_too_long_is_refused(void **state)
{
    static char kernel[SETUP_TEXT_SIZE];
    char text[SETUP_TEXT_SIZE];
    struct setup_words words = usual;

    (void)state;
    memset(kernel, 'k', sizeof(kernel) - 1);
    kernel[0] = '/';
    words.kernel = kernel;
    assert_int_equal(setup_text(&words, text), -E2BIG);
}

static int order(const void *a, const void *b)
{
    return setup_image_order(*(const char *const *)a, *(const char *const *)b);
}

static void the_tested_image_comes_first_and_the_one_with_all_last(void **state)
{
    const char *names[] = { "ferry-net-all", "ferry-net-virtio", "ferry-net",
                            "ferry-net-atlantic" };

    (void)state;
    qsort(names, 4, sizeof(names[0]), order);
    assert_string_equal(names[0], "ferry-net");
    assert_string_equal(names[1], "ferry-net-atlantic");
    assert_string_equal(names[2], "ferry-net-virtio");
    assert_string_equal(names[3], "ferry-net-all");
}

static void other_files_are_no_images(void **state)
{
    (void)state;
    assert_true(setup_image_counts("ferry-net"));
    assert_true(setup_image_counts("ferry-net-igc"));
    assert_false(setup_image_counts("ferry-net-igc.debug"));
    assert_false(setup_image_counts("ferry-net.debug"));
    assert_false(setup_image_counts("ferry-network"));
    assert_false(setup_image_counts("ferry-net-\"x"));
    assert_false(setup_image_counts("README"));
}

static void a_new_file_replaces_none(void **state)
{
    char dir[] = "/tmp/ferry-setup-XXXXXX", path[FILES_PATH_SIZE], aside[FILES_PATH_SIZE];
    char *text;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/domnet.cfg", dir);
    snprintf(aside, sizeof(aside), "%s/domnet.cfg.new", dir);
    assert_int_equal(files_write_new(path, "first", 5), 0);
    assert_int_equal(files_write_new(path, "second", 6), -EEXIST);
    assert_int_equal(files_read(path, 100, &text, NULL), 0);
    assert_string_equal(text, "first");
    free(text);
    assert_int_equal(access(aside, F_OK), -1);
    assert_int_equal(unlink(path), 0);
    /* A link that leads nowhere is a file of that name, too. */
    assert_int_equal(symlink("/nonexistent/x", path), 0);
    assert_int_equal(files_write_new(path, "third", 5), -EEXIST);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

#define TITLE                                                                                      \
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

static void a_default_route_is_seen_by_its_interface(void **state)
{
    static const char route[] =
        TITLE "eth0\t00000000\t0100004D\t0003\t0\t0\t0\t00000000\t0\t0\t0          \n"
              "eth0\t0000004D\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0          \n"
              "eth1\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0          \n"
              "eth2\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0          \n";

    (void)state;
    assert_true(dom0_net_has_default(route, NULL, "eth0"));
    assert_false(dom0_net_has_default(route, NULL, "eth1")); /* 0.0.0.0/1 */
    assert_false(dom0_net_has_default(route, NULL, "eth2")); /* RTF_REJECT */
    assert_false(dom0_net_has_default(route, NULL, "eth"));
    assert_false(dom0_net_has_default(route, NULL, "Iface"));
    assert_false(dom0_net_has_default(NULL, NULL, "eth0"));
    assert_false(dom0_net_has_default("", "", "eth0"));
}

#define ZEROS "00000000000000000000000000000000"

static void so_is_one_of_ipv6(void **state)
{
    static const char route[] =
        "20010db8000000000000000000000000 40 " ZEROS " 00 " ZEROS
        " 00000100 00000001 00000000 00000001     eth1\n" ZEROS " 00 " ZEROS
        " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n" ZEROS
        " 00 " ZEROS " 00 " ZEROS " ffffffff 00000001 00000000 00200200       lo\n";

    (void)state;
    assert_true(dom0_net_has_default(NULL, route, "eth0"));
    assert_false(dom0_net_has_default(NULL, route, "eth1"));
    assert_false(dom0_net_has_default(NULL, route, "lo"));
}

static void addresses_are_written_as_ip_takes_them(void **state)
{
    struct sockaddr_in ipv4 = { .sin_family = AF_INET }, mask = { .sin_family = AF_INET };
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 }, mask6 = { .sin6_family = AF_INET6 };
    struct sockaddr other = { .sa_family = AF_PACKET };
    struct dom0_address address;

    (void)state;
    inet_pton(AF_INET, "10.77.0.5", &ipv4.sin_addr);
    inet_pton(AF_INET, "255.255.240.0", &mask.sin_addr);
    assert_int_equal(dom0_net_address((struct sockaddr *)&ipv4, (struct sockaddr *)&mask, &address),
                     0);
    assert_string_equal(address.text, "10.77.0.5/20");
    assert_false(address.is_ipv6);

    inet_pton(AF_INET6, "2001:db8::5", &ipv6.sin6_addr);
    inet_pton(AF_INET6, "ffff:ffff:ffff:ffff::", &mask6.sin6_addr);
    assert_int_equal(
        dom0_net_address((struct sockaddr *)&ipv6, (struct sockaddr *)&mask6, &address), 0);
    assert_string_equal(address.text, "2001:db8::5/64");
    assert_true(address.is_ipv6);
    assert_false(address.is_link_local);

    inet_pton(AF_INET6, "fe80::5", &ipv6.sin6_addr);
    assert_int_equal(
        dom0_net_address((struct sockaddr *)&ipv6, (struct sockaddr *)&mask6, &address), 0);
    assert_true(address.is_link_local);
    assert_int_equal(dom0_net_address(&other, &other, &address), -EINVAL);
    assert_int_equal(dom0_net_address((struct sockaddr *)&ipv4, NULL, &address), -EINVAL);
}

static void use_keep(void *ctx, const char *text)
{
    strcat(ctx, text);
    strcat(ctx, "\n");
}

static struct dom0_net net_of(const char *nic, const char *bridge)
{
    struct dom0_net net = { 0 };

    strcpy(net.nic.name, nic);
    strcpy(net.bridge.name, bridge);
    net.nic.up = net.bridge.up = true;
    return net;
}

static void address_put(struct dom0_interface *interface, const char *text, bool is_link_local)
{
    struct dom0_address *address = &interface->addresses[interface->nr_addresses++];

    strcpy(address->text, text);
    address->is_link_local = is_link_local;
}

static void expect_uses(const struct dom0_net *net, unsigned int nr, const char *wanted)
{
    char text[1024] = "";

    assert_int_equal(dom0_net_uses(net, use_keep, text), nr);
    assert_string_equal(text, wanted);
    assert_int_equal(dom0_net_uses(net, NULL, NULL), nr);
}

static void an_interface_without_an_address_is_not_used(void **state)
{
    struct dom0_net net = net_of("eth0", "");

    (void)state;
    expect_uses(&net, 0, "");
    address_put(&net.nic, "fe80::1/64", true);
    expect_uses(&net, 0, "");
    address_put(&net.nic, "192.0.2.5/24", false);
    net.nic.up = false;
    expect_uses(&net, 0, "");
    net = net_of("", "");
    expect_uses(&net, 0, "");
}

static void addresses_and_default_routes_are_use(void **state)
{
    struct dom0_net net = net_of("eth0", "");

    (void)state;
    address_put(&net.nic, "192.0.2.5/24", false);
    address_put(&net.nic, "2001:db8::5/64", false);
    net.nic.has_default = true;
    expect_uses(&net, 3,
                "eth0 has the address 192.0.2.5/24\neth0 has the address 2001:db8::5/64\n"
                "dom0's default route goes by eth0\n");
}

static void so_are_those_of_its_bridge(void **state)
{
    struct dom0_net net = net_of("eth0", "br0");

    (void)state;
    expect_uses(&net, 0, "");
    net.nr_other_ports = 2;
    expect_uses(&net, 1, "eth0 is the wire of the bridge br0, which has 2 other ports\n");
    net.nr_other_ports = 0;
    address_put(&net.bridge, "192.0.2.5/24", false);
    expect_uses(&net, 1, "br0 has the address 192.0.2.5/24\n");
    net.bridge.nr_addresses = 0;
    net.bridge.has_default = true;
    expect_uses(&net, 1, "dom0's default route goes by br0\n");
    net.bridge.has_default = false;
    strcpy(net.bridge.over, "br0.7");
    expect_uses(&net, 1, "br0.7 is on br0\n");
}

/* Joined by blanks; "" for none. Of eth0. */
static void expect_words(const char *line, const char *wanted, bool has_via)
{
    char copy[512], text[512] = "", *words[DOM0_NET_WORDS_MAX];
    int nr;

    snprintf(copy, sizeof(copy), "%s", line);
    nr = dom0_net_route_words(copy, "eth0", words);
    assert_true(nr >= 0);
    for (int i = 0; i < nr; i++) {
        strcat(text, i ? " " : "");
        strcat(text, words[i]);
    }
    assert_string_equal(text, wanted);
    if (nr) {
        assert_null(words[nr]);
        assert_int_equal(dom0_net_route_has_via(words), has_via);
    }
}

static void routes_are_taken_as_ip_shows_them(void **state)
{
    (void)state;
    expect_words("default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.5 metric 100 ",
                 "default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.5 metric 100", true);
    expect_words("default via 10.0.0.1 dev eth0 onlink linkdown ",
                 "default via 10.0.0.1 dev eth0 onlink", true);
    expect_words("192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.5 dead linkdown",
                 "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.5", false);
    expect_words("198.51.100.0/24 via 192.0.2.7 dev eth0 table 100",
                 "198.51.100.0/24 via 192.0.2.7 dev eth0 table 100", true);
    expect_words("2001:db8::/64 dev eth0 proto static metric 1024 pref medium",
                 "2001:db8::/64 dev eth0 proto static metric 1024 pref medium", false);
    /* A next hop object goes with the interface; what it says stands in the line. */
    expect_words("default nhid 7 via 192.0.2.1 dev eth0 ", "default via 192.0.2.1 dev eth0", true);
}

static void routes_by_other_interfaces_stay(void **state)
{
    (void)state;
    expect_words("default via 192.0.2.1 dev eth1 proto static", "", false);
    expect_words("default via 192.0.2.1 dev eth00", "", false);
    expect_words("blackhole 192.0.2.0/24", "", false);
    expect_words("10.0.0.0/8 proto static", "", false); /* next hops are in lines below */
    expect_words("\tnexthop via 192.0.2.1 dev eth1 weight 1", "", false);
    expect_words("eth0", "", false);
}

static void routes_of_the_kernel_and_of_routers_come_back_by_themselves(void **state)
{
    (void)state;
    expect_words("local 192.0.2.5 dev eth0 table local proto kernel scope host", "", false);
    expect_words("broadcast 192.0.2.255 dev eth0 table local proto kernel scope link", "", false);
    expect_words("fe80::/64 dev eth0 proto kernel metric 256 pref medium", "", false);
    expect_words("multicast ff00::/8 dev eth0 table local proto kernel metric 256", "", false);
    expect_words("default via fe80::1 dev eth0 proto ra metric 1024 expires 1790sec hoplimit 64",
                 "", false);
    expect_words("2001:db8::/64 dev eth0 proto kernel metric 256 expires 86390sec", "", false);
    expect_words("", "", false);
}

static void a_route_with_several_next_hops_is_not_taken(void **state)
{
    char hop[] = "\tnexthop via 192.0.2.1 dev eth0 weight 1 ";
    char one_line[] = "default proto static \\\tnexthop via 192.0.2.1 dev eth0 weight 1";
    char *words[DOM0_NET_WORDS_MAX], many[2 * DOM0_NET_WORDS_MAX + 16] = "dev eth0 ";

    (void)state;
    assert_int_equal(dom0_net_route_words(hop, "eth0", words), -EOPNOTSUPP);
    assert_int_equal(dom0_net_route_words(one_line, "eth0", words), -EOPNOTSUPP);
    for (unsigned int i = 0; i < DOM0_NET_WORDS_MAX; i++)
        strcat(many, "x ");
    assert_int_equal(dom0_net_route_words(many, "eth0", words), -EOPNOTSUPP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_says_what_it_was_given),
        cmocka_unit_test(dom0_gets_a_vif_where_that_is_asked_for),
        cmocka_unit_test(a_vif_of_dom0_that_makes_no_sense_is_told),
        cmocka_unit_test(every_line_has_a_comment_and_is_acted_on),
        cmocka_unit_test(a_hostile_interface_stays_in_its_comment),
        cmocka_unit_test(words_that_would_say_something_else_are_refused),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(the_tested_image_comes_first_and_the_one_with_all_last),
        cmocka_unit_test(other_files_are_no_images),
        cmocka_unit_test(a_new_file_replaces_none),
        cmocka_unit_test(a_default_route_is_seen_by_its_interface),
        cmocka_unit_test(so_is_one_of_ipv6),
        cmocka_unit_test(addresses_are_written_as_ip_takes_them),
        cmocka_unit_test(an_interface_without_an_address_is_not_used),
        cmocka_unit_test(addresses_and_default_routes_are_use),
        cmocka_unit_test(so_are_those_of_its_bridge),
        cmocka_unit_test(routes_are_taken_as_ip_shows_them),
        cmocka_unit_test(routes_by_other_interfaces_stay),
        cmocka_unit_test(routes_of_the_kernel_and_of_routers_come_back_by_themselves),
        cmocka_unit_test(a_route_with_several_next_hops_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
