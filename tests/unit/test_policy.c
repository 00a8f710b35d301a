/* SPDX-License-Identifier: BSD-2-Clause */
/* common/policy.c: the grammar of a vif's policy, what it refuses, and the text that comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ferry/policy.h>

static struct policy policy;
static char error[POLICY_ERROR_SIZE];
static char printed[POLICY_TEXT_MAX + 1];

/* The text in memory of its own without a NUL, so that a look behind its end is seen. */
static int parse_bytes(const char *text, size_t len)
{
    char *copy = malloc(len);
    int err;

    if (len)
        memcpy(copy, text, len);
    memset(error, 0x7f, sizeof(error));
    memset(&policy, 0xa5, sizeof(policy));
    err = policy_parse(copy, len, &policy, error);
    free(copy);
    return err;
}

static void take(const char *text)
{
    if (parse_bytes(text, strlen(text)))
        fail_msg("'%s' refused: %s", text, error);
}

/* The text is refused, in that line, and the error repeats that word. */
static void refuse(const char *text, unsigned int line, const char *word)
{
    struct policy untouched;
    char start[24];

    memset(&untouched, 0xa5, sizeof(untouched));
    if (parse_bytes(text, strlen(text)) != -EINVAL)
        fail_msg("'%s' taken", text);
    assert_memory_equal(&policy, &untouched, sizeof(policy));
    assert_non_null(memchr(error, '\0', sizeof(error)));
    for (const char *c = error; *c; c++)
        assert_in_range(*c, ' ', '~');
    snprintf(start, sizeof(start), "line %u: ", line);
    if (strncmp(error, start, strlen(start)) != 0 || !strstr(error, word))
        fail_msg("'%s': the error is '%s', without '%s' or '%s'", text, error, start, word);
}

/* The text means the same as the canonical one, which is written for it. */
static void becomes(const char *text, const char *canonical)
{
    struct policy first;
    size_t len;

    take(text);
    first = policy;
    len = policy_print(&policy, printed, sizeof(printed));
    assert_int_equal(len, strlen(printed));
    assert_string_equal(printed, canonical);
    take(printed);
    assert_memory_equal(&policy, &first, sizeof(first));
}

static void an_empty_text_says_nothing(void **state)
{
    struct policy nothing;

    (void)state;
    policy_init(&nothing);
    take("");
    assert_memory_equal(&policy, &nothing, sizeof(policy));
    take(" \t\r\n;;\n # isolated\n;# guard dhcp; isolated");
    assert_memory_equal(&policy, &nothing, sizeof(policy));
    assert_int_equal(policy_print(&policy, printed, sizeof(printed)), 0);
    assert_string_equal(printed, "");
}

static void words_set_what_they_say(void **state)
{
    (void)state;
    take("isolated\nguard ra\nstorm 100\ntx-checksum off\nvlan 1p/10/20-25\ndefault deny in");
    assert_true(policy.isolated && policy.guard_ra && policy.tx_checksum_off);
    assert_false(policy.guard_dhcp || policy.guard_mac);
    assert_int_equal(policy.storm, 100);
    assert_string_equal(policy.vlan, "1p/10/20-25");
    assert_true(policy.deny_default[POLICY_IN]);
    assert_false(policy.deny_default[POLICY_OUT]);
    take("guard mac dhcp");
    assert_true(policy.guard_dhcp && policy.guard_mac && !policy.guard_ra && !policy.isolated);
}

static void statements_end_with_a_line_or_a_semicolon(void **state)
{
    (void)state;
    becomes("isolated;storm 5 ; guard dhcp # and; more\r\n\tguard\tra;",
            "isolated\nguard dhcp ra\nstorm 5");
}

static void rates_are_as_xl_has_them(void **state)
{
    (void)state;
    take("rate out 10Mb/s; rate in 1MB/s@20ms");
    assert_int_equal(policy.rate_out.bytes, 62500);
    assert_int_equal(policy.rate_out.interval_us, 50000);
    assert_int_equal(policy.rate_in.bytes, 20000);
    assert_int_equal(policy.rate_in.interval_us, 20000);
    take("rate in 250KB/s@2");
    assert_int_equal(policy.rate_in.bytes, 500000);
    assert_int_equal(policy.rate_in.interval_us, 2000000);
    assert_int_equal(policy.rate_out.bytes, 0);
    take("rate in 8000000b/s@1us");
    assert_int_equal(policy.rate_in.bytes, 1);
    take("rate out 4294967295GB/s@4us");
    assert_true(policy.rate_out.bytes == 4294967295ull * 4000);
}

static void rates_come_back_in_the_shorter_unit(void **state)
{
    (void)state;
    becomes("rate in 10Mb/s", "rate in 10Mb/s");
    becomes("rate in 1250000B/s@50ms", "rate in 10Mb/s");
    becomes("rate in 1MB/s@1000ms", "rate in 8Mb/s@1s");
    becomes("rate in 250KB/s@20000us", "rate in 2Mb/s@20ms");
    becomes("rate in 100GB/s@7us", "rate in 800Gb/s@7us");
    becomes("rate in 200GB/s", "rate in 200GB/s");
    becomes("rate in 20001b/s", "rate in 20Kb/s");
    becomes("rate out 4294967295GB/s@4us", "rate out 4294967295GB/s@4us");
    becomes("rate out 4294967295b/s", "rate out 536870911B/s");
    becomes("rate in 1Kb/s@1s;rate out 1Mb/s", "rate out 1Mb/s\nrate in 1Kb/s@1s");
}

static void rates_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = { "0Mb/s",
                                       "10",
                                       "Mb/s",
                                       "10Mb",
                                       "10mb/s",
                                       "10Tb/s",
                                       "-1Mb/s",
                                       "+1Mb/s",
                                       "010Mb/s",
                                       "0x10Mb/s",
                                       "1.5Mb/s",
                                       "10Mb/s@",
                                       "10Mb/s@0",
                                       "10Mb/s@5m",
                                       "10Mb/s@5h",
                                       "10Mb/s@ms",
                                       "4294967296B/s",
                                       "1Mb/s@4295s",
                                       "10Mb/s@50ms@50ms",
                                       "19B/s",
                                       "7b/s@1s",
                                       "18446744073709551617b/s" };
    char text[64];

    (void)state;
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "\nrate in %s", bad[i]);
        refuse(text, 2, bad[i]);
    }
    refuse("rate in", 1, "10Mb/s");
    refuse("rate", 1, "out");
    refuse("rate 10Mb/s", 1, "'10Mb/s'");
    refuse("rate in 4294967295GB/s@5us", 1, "accepted");
    refuse("rate in 1Mb/s;rate out 1Mb/s\nrate in 1Mb/s", 2, "said before");
}

static void a_rule_says_what_it_matches(void **state)
{
    const struct policy_rule *rule = policy.rules;

    (void)state;
    take("allow in proto tcp remote 192.168.77.8/16 remote-port 1024-65535 local-port 22\n"
         "deny out local-port 1-9 remote fd00::1:ff/8 proto udp\n"
         "deny in\nallow out proto 255 remote any");
    assert_int_equal(policy.nr_rules, 4);
    assert_true(rule->allow && rule->direction == POLICY_IN && rule->family == 4);
    assert_int_equal(rule->proto, IPPROTO_TCP);
    assert_int_equal(rule->remote_len, 16);
    assert_memory_equal(rule->remote, "\xc0\xa8\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_true(rule->remote_ports.first == 1024 && rule->remote_ports.last == 65535);
    assert_true(rule->local_ports.first == 22 && rule->local_ports.last == 22);
    rule++;
    assert_true(!rule->allow && rule->direction == POLICY_OUT && rule->family == 6);
    assert_int_equal(rule->proto, IPPROTO_UDP);
    assert_memory_equal(rule->remote, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_true(rule->local_ports.first == 1 && rule->local_ports.last == 9);
    assert_true(rule->remote_ports.first == 0 && rule->remote_ports.last == 65535);
    rule++;
    assert_true(!rule->allow && rule->family == 0 && rule->proto == POLICY_PROTO_ANY);
    assert_true(rule[1].allow && rule[1].family == 0 && rule[1].proto == 255);
}

static void prefixes_are_cut_to_their_length(void **state)
{
    (void)state;
    becomes("deny in remote 10.1.2.3/8", "deny in remote 10.0.0.0/8");
    becomes("deny in remote 10.1.2.255/31", "deny in remote 10.1.2.254/31");
    becomes("deny in remote 10.1.2.3/32", "deny in remote 10.1.2.3");
    becomes("deny in remote 10.1.2.3/0", "deny in remote 0.0.0.0/0");
    becomes("deny in remote fe80::1/0", "deny in remote ::/0");
    becomes("deny in remote ffff:ffff::/17", "deny in remote ffff:8000::/17");
    becomes("deny in remote 1::ffff/128", "deny in remote 1::ffff");
}

/* RFC 5952, 4 */
static void ip6_comes_back_in_its_one_form(void **state)
{
    (void)state;
    becomes("deny in remote 2001:DB8:0:0:8:800:200C:417A",
            "deny in remote 2001:db8::8:800:200c:417a");
    becomes("deny in remote 2001:0:0:1:0:0:0:1", "deny in remote 2001:0:0:1::1");
    becomes("deny in remote 2001:db8:0:0:1:0:0:1", "deny in remote 2001:db8::1:0:0:1");
    becomes("deny in remote 2001:db8:0:1:1:1:1:1", "deny in remote 2001:db8:0:1:1:1:1:1");
    becomes("deny in remote 0:0:0:0:0:0:0:0", "deny in remote ::");
    becomes("deny in remote 0:0:0:0:0:0:0:1", "deny in remote ::1");
    becomes("deny in remote 1:0:0:0:0:0:0:0", "deny in remote 1::");
    becomes("deny in remote ::ffff:1.2.3.4", "deny in remote ::ffff:102:304");
    becomes("deny in remote 0:1:2:3:4:5:6:7", "deny in remote 0:1:2:3:4:5:6:7");
}

static void protocols_come_back_by_name(void **state)
{
    (void)state;
    becomes(
        "allow in proto 6;allow in proto 17;allow in proto 1;allow in proto 58;allow in proto 47;"
        "allow in proto any; allow in proto 0",
        "allow in proto tcp\nallow in proto udp\nallow in proto icmp\nallow in proto icmp6\n"
        "allow in proto 47\nallow in\nallow in proto 0");
}

static void ports_come_back(void **state)
{
    (void)state;
    becomes("deny out local-port 80-80 remote-port 1-65535",
            "deny out remote-port 1-65535 local-port 80");
}

static void everything_comes_back_in_one_order(void **state)
{
    (void)state;
    becomes(
        "allow out proto udp remote-port 53\ndefault deny out\ndeny in;default allow in\nvlan 7\n"
        "tx-checksum off\nstation 00:16:3E:0A:0b:0c\nstorm 1000000\nrate in 1Mb/s\n"
        "guard mac;guard ra\nguard dhcp\nisolated\nisolated",
        "isolated\nguard dhcp ra mac\nrate in 1Mb/s\nstorm 1000000\nstation 00:16:3e:0a:0b:0c\n"
        "tx-checksum off\nvlan 7\ndefault deny out\nallow out proto udp remote-port 53\ndeny in");
}

static void bad_words_are_named_with_their_line(void **state)
{
    (void)state;
    refuse("isolate", 1, "'isolate'");
    refuse("isolated\n\nGUARD dhcp", 3, "'GUARD'");
    refuse("isolated now", 1, "'now'");
    refuse("# a\n;guard", 2, "dhcp, ra and mac");
    refuse("guard dhcp arp", 1, "'arp'");
    refuse("storm", 1, "1000000");
    refuse("storm 0", 1, "'0'");
    refuse("storm 1000001", 1, "'1000001'");
    refuse("storm 5/s", 1, "'5/s'");
    refuse("storm 5\nstorm 6", 2, "said before");
    refuse("tx-checksum", 1, "off");
    refuse("tx-checksum on", 1, "'on'");
    refuse("default", 1, "allow or deny");
    refuse("default drop in", 1, "'drop'");
    refuse("default deny", 1, "in (");
    refuse("default deny both", 1, "'both'");
    refuse("default deny in\ndefault deny in", 2, "said before");
    refuse("default allow in\ndefault deny in", 2, "said before");
    refuse("default deny in out", 1, "'out'");
    refuse("vlan", 1, "63 bytes");
    refuse("vlan 1\nvlan 2", 2, "said before");
    refuse("vlan 1p/4095", 1, "'1p/4095'; '4095': ");
    refuse("storm 5\nvlan 20-10u", 2, "VID-VID");
    refuse("vlan 1p/2p", 1, "'1p/2p'");
    refuse("vlan 1 2", 1, "'2'");
}

static void bad_rules_are_named(void **state)
{
    (void)state;
    refuse("allow", 1, "in (");
    refuse("allow tcp", 1, "'tcp'");
    refuse("allow in tcp", 1, "'tcp'");
    refuse("allow in proto", 1, "icmp6");
    refuse("allow in proto 256", 1, "'256'");
    refuse("allow in proto TCP", 1, "'TCP'");
    refuse("allow in proto tcp proto udp", 1, "'proto'");
    refuse("allow in remote 1.2.3", 1, "'1.2.3'");
    refuse("allow in remote 1.2.3.4/33", 1, "'1.2.3.4/33'");
    refuse("allow in remote 1.2.3.4/", 1, "'1.2.3.4/'");
    refuse("allow in remote ::/129", 1, "'::/129'");
    refuse("allow in remote ::1::", 1, "'::1::'");
    refuse("allow in remote host.example", 1, "'host.example'");
    refuse("allow in remote", 1, "an IPv4 or IPv6 address");
    refuse("allow in remote-port 0", 1, "'0'");
    refuse("allow in remote-port 65536", 1, "'65536'");
    refuse("allow in remote-port 9-8", 1, "'9-8'");
    refuse("allow in remote-port 1-", 1, "'1-'");
    refuse("allow in remote-port -1", 1, "'-1'");
    refuse("allow in remote-port 1-2-3", 1, "'1-2-3'");
    refuse("allow in remote-port 1,2", 1, "'1,2'");
    refuse("allow in remote-port ssh", 1, "'ssh'");
    refuse("allow in local-port", 1, "1 to 65535");
    refuse("allow in local-port 1 local-port 2", 1, "'local-port'");
    refuse("allow in proto icmp local-port 1", 1, "ports");
    refuse("allow in local-port 1 proto 47", 1, "ports");
    refuse("allow in proto icmp remote ::1", 1, "icmp6");
    refuse("deny in remote 10.0.0.1 proto icmp6", 1, "icmp6");
}

static void a_station_has_an_address_of_its_own(void **state)
{
    (void)state;
    refuse("station", 1, "00:16:3e");
    refuse("station 01:16:3e:00:00:01", 1, "'01:16:3e:00:00:01'");
    refuse("station 00:00:00:00:00:00", 1, "'00:00:00:00:00:00'");
    refuse("station ff:ff:ff:ff:ff:ff", 1, "'ff:ff:ff:ff:ff:ff'");
    refuse("station 00-16-3e-00-00-01", 1, "'00-16-3e-00-00-01'");
    refuse("station 0:16:3e:0:0:1", 1, "'0:16:3e:0:0:1'");
    refuse("station 00:16:3e:00:00:0g", 1, "'00:16:3e:00:00:0g'");
    refuse("station 00:16:3e:00:00:01:", 1, "'00:16:3e:00:00:01:'");
    refuse("station 00:16:3e:00:00:01;station 00:16:3E:00:00:01", 1, "said before");
}

static void eight_stations_and_no_more(void **state)
{
    char text[512] = "";
    size_t len = 0;

    (void)state;
    for (unsigned int i = 0; i < 8; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "station 00:16:3e:00:00:0%u\n", i);
    take(text);
    assert_int_equal(policy.nr_stations, 8);
    assert_memory_equal(policy.stations[7], "\x00\x16\x3e\0\0\x07", 6);
    strcat(text, "station 00:16:3e:00:00:08");
    refuse(text, 9, "8 stations at most");
}

static void twenty_four_rules_and_no_more(void **state)
{
    char text[512] = "";

    (void)state;
    for (unsigned int i = 0; i < 24; i++)
        strcat(text, i % 2 ? "deny in\n" : "allow out\n");
    take(text);
    assert_int_equal(policy.nr_rules, 24);
    strcat(text, "deny in");
    refuse(text, 25, "24 at most");
}

static void a_text_has_a_limit(void **state)
{
    static char text[POLICY_TEXT_MAX + 1];

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "isolated", 8);
    assert_int_equal(parse_bytes(text, POLICY_TEXT_MAX), 0);
    assert_true(policy.isolated);
    assert_int_equal(parse_bytes(text, POLICY_TEXT_MAX + 1), -EINVAL);
    assert_non_null(strstr(error, "2001 bytes; 2000 at most"));
}

/* What is written out can be longer than what was read, by protocols' names. */
static void a_text_that_would_become_too_long_is_refused(void **state)
{
    static const char rule[] = "deny in proto 6 remote 128.128.128.128/31 remote-port 10000-20000 "
                               "local-port 10000\n";
    static char text[POLICY_TEXT_MAX + 1];
    size_t len = 0;

    (void)state;
    while (len + sizeof(rule) - 1 <= POLICY_TEXT_MAX)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", rule);
    memset(text + len, ' ', POLICY_TEXT_MAX - len);
    memcpy(text + POLICY_TEXT_MAX - 8, "isolated", 8);
    assert_int_equal(parse_bytes(text, POLICY_TEXT_MAX), -EINVAL);
    assert_non_null(strstr(error, "when it is written out"));
    memset(text + len - 2 * (sizeof(rule) - 1), ' ', 2 * (sizeof(rule) - 1));
    assert_int_equal(parse_bytes(text, POLICY_TEXT_MAX), 0);
    assert_in_range(policy_print(&policy, NULL, 0), POLICY_TEXT_MAX - 200, POLICY_TEXT_MAX);
}

static void unprintable_bytes_are_not_repeated(void **state)
{
    (void)state;
    refuse("\x01\xff\x7f", 1, "'\?\?\?'");
    refuse("vlan 1\xe4", 1, "'1?'");
    assert_int_equal(parse_bytes("isolated\0", 9), -EINVAL);
    assert_non_null(strstr(error, "'isolated?'"));
    refuse("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee", 1, "dddd...'");
}

static void a_list_of_vlans_has_a_limit(void **state)
{
    char text[80] = "vlan 1p";

    (void)state;
    for (unsigned int i = 0; i < 61; i++) /* /2/2/2... and a last one that is longer */
        text[7 + i] = i == 60 || i % 2 ? '2' : '/';
    take(text);
    assert_int_equal(strlen(policy.vlan), 63);
    text[68] = '1';
    refuse(text, 1, "63 bytes");
}

static void a_short_buffer_gets_the_beginning(void **state)
{
    char small[9] = "xxxxxxxx";

    (void)state;
    take("isolated\nstorm 5");
    assert_int_equal(policy_print(&policy, NULL, 0), 16);
    assert_int_equal(policy_print(&policy, small, 1), 16);
    assert_string_equal(small, "");
    assert_int_equal(policy_print(&policy, small, sizeof(small)), 16);
    assert_string_equal(small, "isolated");
    assert_int_equal(policy_print(&policy, printed, 16), 16);
    assert_string_equal(printed, "isolated\nstorm ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_says_nothing),
        cmocka_unit_test(words_set_what_they_say),
        cmocka_unit_test(statements_end_with_a_line_or_a_semicolon),
        cmocka_unit_test(rates_are_as_xl_has_them),
        cmocka_unit_test(rates_come_back_in_the_shorter_unit),
        cmocka_unit_test(rates_that_are_none_are_refused),
        cmocka_unit_test(a_rule_says_what_it_matches),
        cmocka_unit_test(prefixes_are_cut_to_their_length),
        cmocka_unit_test(ip6_comes_back_in_its_one_form),
        cmocka_unit_test(protocols_come_back_by_name),
        cmocka_unit_test(ports_come_back),
        cmocka_unit_test(everything_comes_back_in_one_order),
        cmocka_unit_test(bad_words_are_named_with_their_line),
        cmocka_unit_test(bad_rules_are_named),
        cmocka_unit_test(a_station_has_an_address_of_its_own),
        cmocka_unit_test(eight_stations_and_no_more),
        cmocka_unit_test(twenty_four_rules_and_no_more),
        cmocka_unit_test(a_text_has_a_limit),
        cmocka_unit_test(a_text_that_would_become_too_long_is_refused),
        cmocka_unit_test(unprintable_bytes_are_not_repeated),
        cmocka_unit_test(a_list_of_vlans_has_a_limit),
        cmocka_unit_test(a_short_buffer_gets_the_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
