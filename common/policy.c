/* SPDX-License-Identifier: BSD-2-Clause */
#include <ferry/policy.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <ferry/address.h>
#include <ferry/vlan.h>

#include "policy_text.h"

#define WORDS "isolated guard rate storm station tx-checksum vlan default allow deny"
#define RATE_FORM                                                                                  \
    "accepted: like 10Mb/s, 250KB/s or 1MB/s@20ms; at least a byte in each interval (50ms)"
#define PROTO_FORM "accepted: tcp udp icmp icmp6 any, or 0 to 255"
#define PREFIX_FORM "accepted: an IPv4 or IPv6 address, with /LENGTH or without, or any"
#define PORTS_FORM "accepted: 1 to 65535, or a range like 1000-1999"

struct statement {
    const char *name;
    int (*parse)(struct policy_parser *parser, struct word name);
};

/* out or in. */
static int direction_parse(struct policy_parser *parser, int *direction_r)
{
    static const char *const names[] = { [POLICY_OUT] = "out", [POLICY_IN] = "in", NULL };
    struct word word = policy_word_next(parser);

    *direction_r = policy_word_find(word, names);
    if (*direction_r >= 0)
        return 0;
    return policy_word_fail(parser, "no direction:", word,
                            "accepted: in (to the guest) or out (from it)");
}

static int isolated_parse(struct policy_parser *parser, struct word name)
{
    (void)name;
    parser->policy.isolated = true;
    return 0;
}

static int guard_parse(struct policy_parser *parser, struct word name)
{
    static const char *const names[] = { "dhcp", "ra", "mac", NULL };
    bool *const guards[] = { &parser->policy.guard_dhcp, &parser->policy.guard_ra,
                             &parser->policy.guard_mac };
    struct word word = policy_word_next(parser);

    (void)name;
    do {
        int i = policy_word_find(word, names);

        if (i < 0)
            return policy_word_fail(parser, "no guard:", word, "accepted: dhcp, ra and mac");
        *guards[i] = true;
        word = policy_word_next(parser);
    } while (word.len > 0);
    return 0;
}

static int rate_parse(struct policy_parser *parser, struct word name)
{
    struct policy_rate *rate;
    struct word word;
    int direction;

    if (direction_parse(parser, &direction))
        return -EINVAL;
    rate = direction == POLICY_OUT ? &parser->policy.rate_out : &parser->policy.rate_in;
    if (rate->bytes)
        return policy_word_fail(parser, "said before:", name, "one rate for each direction");
    word = policy_word_next(parser);
    if (policy_word_rate(word, rate))
        return policy_word_fail(parser, "no rate:", word, RATE_FORM);
    return 0;
}

static int storm_parse(struct policy_parser *parser, struct word name)
{
    struct word word = policy_word_next(parser);
    uint32_t frames;

    if (parser->policy.storm)
        return policy_word_fail(parser, "said before:", name, "one limit");
    if (decimal_parse(word.at, word.len, POLICY_STORM_MAX, &frames) || frames == 0)
        return policy_word_fail(parser, "no limit:", word,
                                "accepted: 1 to 1000000 frames a second");
    parser->policy.storm = frames;
    return 0;
}

static int station_parse(struct policy_parser *parser, struct word name)
{
    struct policy *policy = &parser->policy;
    struct word word = policy_word_next(parser);
    uint8_t mac[6];

    if (policy->nr_stations == POLICY_STATIONS_MAX)
        return policy_word_fail(parser, "too many:", name, "8 stations at most");
    if (policy_word_mac(word, mac))
        return policy_word_fail(parser, "no station's address:", word,
                                "accepted: like 00:16:3e:00:00:01, not of a group and not all 0");
    for (unsigned int i = 0; i < policy->nr_stations; i++)
        if (memcmp(policy->stations[i], mac, sizeof(mac)) == 0)
            return policy_word_fail(parser, "said before:", word, "stations differ");
    memcpy(policy->stations[policy->nr_stations++], mac, sizeof(mac));
    return 0;
}

static int tx_checksum_parse(struct policy_parser *parser, struct word name)
{
    struct word word = policy_word_next(parser);

    (void)name;
    if (!policy_word_is(word, "off"))
        return policy_word_fail(parser, "not understood:", word, "accepted: off");
    parser->policy.tx_checksum_off = true;
    return 0;
}

static int vlan_parse(struct policy_parser *parser, struct word name)
{
    struct word word = policy_word_next(parser);
    char *list = parser->policy.vlan;
    struct vlan_set vlans;
    const char *why;

    if (list[0])
        return policy_word_fail(parser, "said before:", name, "one list");
    if (word.len == 0 || word.len >= POLICY_VLAN_SIZE || memchr(word.at, '\0', word.len))
        return policy_word_fail(parser, "no list of VLANs:", word,
                                "accepted: like 1p/10/20-25, at most 63 bytes, without blanks");
    memcpy(list, word.at, word.len);
    return vlan_list_parse(list, &vlans, &why)
               ? policy_word_fail(parser, "no list of VLANs:", word, why)
               : 0;
}

static int default_parse(struct policy_parser *parser, struct word name)
{
    static const char *const names[] = { "allow", "deny", NULL };
    struct word word = policy_word_next(parser);
    int verdict = policy_word_find(word, names), direction;

    if (verdict < 0)
        return policy_word_fail(parser, "no default:", word, "accepted: allow or deny");
    if (direction_parse(parser, &direction))
        return -EINVAL;
    if (parser->has_default[direction])
        return policy_word_fail(parser, "said before:", name, "one default for each direction");
    parser->has_default[direction] = true;
    parser->policy.deny_default[direction] = verdict;
    return 0;
}

static int proto_parse(struct word word, struct policy_rule *rule)
{
    static const char *const names[] = { "tcp", "udp", "icmp", "icmp6", "any", NULL };
    static const uint16_t numbers[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
                                        POLICY_PROTO_ANY };
    int i = policy_word_find(word, names);
    uint32_t number;

    if (i >= 0)
        number = numbers[i];
    else if (decimal_parse(word.at, word.len, UINT8_MAX, &number))
        return -EINVAL;
    rule->proto = (uint16_t)number;
    return 0;
}

static int remote_parse(struct word word, struct policy_rule *rule)
{
    bool is_ip6;

    if (policy_word_is(word, "any"))
        return 0;
    if (word.len == 0 || prefix_parse(word.at, word.len, &is_ip6, rule->remote, &rule->remote_len))
        return -EINVAL;
    rule->family = is_ip6 ? 6 : 4;
    for (unsigned int i = 0; i < 16; i++) {
        unsigned int kept = rule->remote_len > 8 * i ? rule->remote_len - 8 * i : 0;

        if (kept < 8)
            rule->remote[i] &= (uint8_t)(0xff00 >> kept);
    }
    return 0;
}

static int remote_ports_parse(struct word word, struct policy_rule *rule)
{
    return policy_word_ports(word, &rule->remote_ports);
}

static int local_ports_parse(struct word word, struct policy_rule *rule)
{
    return policy_word_ports(word, &rule->local_ports);
}

/* The parts of a rule, each a name and a word. */
static const char *const part_names[] = { "proto", "remote", "remote-port", "local-port", NULL };
static int (*const part_parse[])(struct word, struct policy_rule *) = { proto_parse, remote_parse,
                                                                        remote_ports_parse,
                                                                        local_ports_parse };
static const char *const part_forms[] = { PROTO_FORM, PREFIX_FORM, PORTS_FORM, PORTS_FORM };

static bool ports_are_any(const struct policy_ports *ports)
{
    return ports->first == 0;
}

/* Can anything match it? */
static int rule_check(struct policy_parser *parser, const struct policy_rule *rule,
                      struct word name)
{
    bool has_ports = !ports_are_any(&rule->remote_ports) || !ports_are_any(&rule->local_ports);

    if (has_ports && rule->proto != POLICY_PROTO_ANY && rule->proto != IPPROTO_TCP &&
        rule->proto != IPPROTO_UDP)
        return policy_word_fail(parser, "ports of a protocol without them in", name,
                                "accepted: ports with proto tcp, udp or any");
    if ((rule->family == 6 && rule->proto == IPPROTO_ICMP) ||
        (rule->family == 4 && rule->proto == IPPROTO_ICMPV6))
        return policy_word_fail(parser, "an address of the other IP version in", name,
                                "icmp has IPv4 addresses, icmp6 has IPv6 addresses");
    return 0;
}

static int parts_parse(struct policy_parser *parser, struct policy_rule *rule)
{
    unsigned int seen = 0;
    struct word word;

    for (word = policy_word_next(parser); word.len > 0; word = policy_word_next(parser)) {
        int part = policy_word_find(word, part_names);
        struct word value;

        if (part < 0)
            return policy_word_fail(parser, "no part of a rule:", word,
                                    "accepted: proto remote remote-port local-port");
        if (seen & 1u << part)
            return policy_word_fail(parser, "said before:", word, "once in a rule");
        seen |= 1u << part;
        value = policy_word_next(parser);
        if (part_parse[part](value, rule))
            return policy_word_fail(parser, "not understood:", value, part_forms[part]);
    }
    return 0;
}

static int rule_parse(struct policy_parser *parser, struct word name)
{
    static const struct policy_rule any = { .proto = POLICY_PROTO_ANY,
                                            .remote_ports = { 0, UINT16_MAX },
                                            .local_ports = { 0, UINT16_MAX } };
    struct policy_rule *rule = &parser->policy.rules[parser->policy.nr_rules];
    int direction;

    if (parser->policy.nr_rules == POLICY_RULES_MAX)
        return policy_word_fail(parser, "too many rules:", name, "24 at most");
    memcpy(rule, &any, sizeof(*rule));
    rule->allow = policy_word_is(name, "allow");
    if (direction_parse(parser, &direction))
        return -EINVAL;
    rule->direction = (uint8_t)direction;
    if (parts_parse(parser, rule) || rule_check(parser, rule, name))
        return -EINVAL;
    parser->policy.nr_rules++;
    return 0;
}

static const struct statement statements[] = {
    { "isolated", isolated_parse }, { "guard", guard_parse },
    { "rate", rate_parse },         { "storm", storm_parse },
    { "station", station_parse },   { "tx-checksum", tx_checksum_parse },
    { "vlan", vlan_parse },         { "default", default_parse },
    { "allow", rule_parse },        { "deny", rule_parse },
};

static int statement_parse(struct policy_parser *parser)
{
    struct word name = policy_word_next(parser);

    if (name.len == 0)
        return 0;
    for (unsigned int i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (!policy_word_is(name, statements[i].name))
            continue;
        if (statements[i].parse(parser, name))
            return -EINVAL;
        return policy_word_last(parser);
    }
    return policy_word_fail(parser, "unknown word", name, "known: " WORDS);
}

void policy_init(struct policy *policy)
{
    memset(policy, 0, sizeof(*policy));
}

static int too_long(char *error, size_t len, const char *when)
{
    snprintf(error, POLICY_ERROR_SIZE, "line 1: the text is too long%s: %u bytes; %u at most", when,
             (unsigned int)len, POLICY_TEXT_MAX);
    return -EINVAL;
}

int policy_parse(const char *text, size_t len, struct policy *policy_r, char *error)
{
    struct policy_parser parser = { .line = 1, .error = error };
    struct word lines = { text, len };
    size_t printed;

    if (len > POLICY_TEXT_MAX)
        return too_long(error, len, "");
    policy_init(&parser.policy);
    for (; lines.len > 0; parser.line++) {
        struct word line = policy_word_cut(&lines, "\n");
        struct word said = policy_word_cut(&line, "#");

        while (said.len > 0) {
            parser.rest = policy_word_cut(&said, ";");
            if (statement_parse(&parser))
                return -EINVAL;
        }
    }
    printed = policy_print(&parser.policy, NULL, 0);
    if (printed > POLICY_TEXT_MAX)
        return too_long(error, printed, " when it is written out");
    memcpy(policy_r, &parser.policy, sizeof(*policy_r));
    return 0;
}
