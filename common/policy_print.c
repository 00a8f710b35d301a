/* SPDX-License-Identifier: BSD-2-Clause */
#include <ferry/policy.h>

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GROUPS 8 /* of an IPv6 address */
#define RATE_SIZE 32
#define US_PER_S 1000000
#define INTERVAL_DEFAULT_US 50000

/* Where the text goes; len counts what does not fit, too. */
struct printer {
    char *text;
    size_t size, len;
};

static void put(struct printer *printer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct printer *printer, const char *format, ...)
{
    bool has_room = printer->len < printer->size;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(has_room ? printer->text + printer->len : NULL,
                    has_room ? printer->size - printer->len : 0, format, args);
    va_end(args);
    printer->len += len > 0 ? (size_t)len : 0;
}

/* Begin a statement. */
static void next(struct printer *printer)
{
    if (printer->len > 0)
        put(printer, "\n");
}

/*
 * An amount a second with the largest unit that leaves no rest. Returns its length, 0 if the number is
 * none that can be read again.
 */
static int amount_print(char *text, uint64_t amount, char unit)
{
    static const char *const names[] = { "", "K", "M", "G" };
    unsigned int thousands = 0;

    while (thousands < 3 && amount > 0 && amount % 1000 == 0) {
        amount /= 1000;
        thousands++;
    }
    if (amount > UINT32_MAX)
        return 0;
    return snprintf(text, RATE_SIZE, "%u%s%c/s", (unsigned int)amount, names[thousands], unit);
}

/* In bits or in bytes, whichever is shorter. */
static void per_second_print(struct printer *printer, uint64_t bytes_per_s)
{
    char bits[RATE_SIZE], bytes[RATE_SIZE];
    int bits_len = bytes_per_s <= UINT64_MAX / 8 ? amount_print(bits, bytes_per_s * 8, 'b') : 0;
    int bytes_len = amount_print(bytes, bytes_per_s, 'B');

    put(printer, "%s", bits_len && (bits_len <= bytes_len || !bytes_len) ? bits : bytes);
}

static void rate_print(struct printer *printer, const char *direction,
                       const struct policy_rate *rate)
{
    if (!rate->bytes)
        return;
    next(printer);
    put(printer, "rate %s ", direction);
    per_second_print(printer, rate->bytes_per_s);
    if (rate->interval_us == INTERVAL_DEFAULT_US)
        return;
    if (rate->interval_us % US_PER_S == 0)
        put(printer, "@%us", rate->interval_us / US_PER_S);
    else if (rate->interval_us % 1000 == 0)
        put(printer, "@%ums", rate->interval_us / 1000);
    else
        put(printer, "@%uus", rate->interval_us);
}

static void guards_print(struct printer *printer, const struct policy *policy)
{
    if (!policy->guard_dhcp && !policy->guard_ra && !policy->guard_mac)
        return;
    next(printer);
    put(printer, "guard%s%s%s", policy->guard_dhcp ? " dhcp" : "", policy->guard_ra ? " ra" : "",
        policy->guard_mac ? " mac" : "");
}

static void station_print(struct printer *printer, const uint8_t mac[6])
{
    next(printer);
    put(printer, "station %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
        mac[5]);
}

/* The longest run of groups that are 0, the first of those; of two at least. Returns its length. */
static unsigned int gap_find(const uint16_t groups[GROUPS], unsigned int *at_r)
{
    unsigned int longest = 1, run = 0;

    *at_r = GROUPS;
    for (unsigned int i = 0; i < GROUPS; i++) {
        run = groups[i] ? 0 : run + 1;
        if (run > longest) {
            longest = run;
            *at_r = i + 1 - run;
        }
    }
    return longest;
}

/* RFC 5952, 4. */
static void ip6_print(struct printer *printer, const uint8_t addr[16])
{
    uint16_t groups[GROUPS];
    unsigned int gap_at, gap_len;

    for (unsigned int i = 0; i < GROUPS; i++)
        groups[i] = (uint16_t)(addr[2 * i] << 8 | addr[2 * i + 1]);
    gap_len = gap_find(groups, &gap_at);
    for (unsigned int i = 0; i < GROUPS; i++) {
        if (i == gap_at) {
            put(printer, "::");
            i += gap_len - 1;
            continue;
        }
        put(printer, "%s%x", i > 0 && i != gap_at + gap_len ? ":" : "", groups[i]);
    }
}

static void remote_print(struct printer *printer, const struct policy_rule *rule)
{
    const uint8_t *addr = rule->remote;

    if (!rule->family)
        return;
    put(printer, " remote ");
    if (rule->family == 4)
        put(printer, "%u.%u.%u.%u", addr[0], addr[1], addr[2], addr[3]);
    else
        ip6_print(printer, addr);
    if (rule->remote_len != (rule->family == 4 ? 32 : 128))
        put(printer, "/%u", rule->remote_len);
}

static void proto_print(struct printer *printer, uint16_t proto)
{
    switch (proto) {
    case POLICY_PROTO_ANY:
        break;
    case IPPROTO_TCP:
        put(printer, " proto tcp");
        break;
    case IPPROTO_UDP:
        put(printer, " proto udp");
        break;
    case IPPROTO_ICMP:
        put(printer, " proto icmp");
        break;
    case IPPROTO_ICMPV6:
        put(printer, " proto icmp6");
        break;
    default:
        put(printer, " proto %u", proto);
    }
}

static void ports_print(struct printer *printer, const char *name, const struct policy_ports *ports)
{
    if (ports->first == 0)
        return;
    put(printer, " %s %u", name, ports->first);
    if (ports->last != ports->first)
        put(printer, "-%u", ports->last);
}

static void rule_print(struct printer *printer, const struct policy_rule *rule)
{
    next(printer);
    put(printer, "%s %s", rule->allow ? "allow" : "deny",
        rule->direction == POLICY_OUT ? "out" : "in");
    proto_print(printer, rule->proto);
    remote_print(printer, rule);
    ports_print(printer, "remote-port", &rule->remote_ports);
    ports_print(printer, "local-port", &rule->local_ports);
}

/* What says so much by itself. */
static void words_print(struct printer *printer, const struct policy *policy)
{
    if (policy->tx_checksum_off) {
        next(printer);
        put(printer, "tx-checksum off");
    }
    if (policy->vlan[0]) {
        next(printer);
        put(printer, "vlan %s", policy->vlan);
    }
    for (unsigned int i = 0; i < POLICY_DIRECTIONS; i++)
        if (policy->deny_default[i]) {
            next(printer);
            put(printer, "default deny %s", i == POLICY_OUT ? "out" : "in");
        }
}

size_t policy_print(const struct policy *policy, char *text, size_t size)
{
    struct printer printer = { .text = text, .size = size };

    if (size > 0)
        text[0] = '\0';
    if (policy->isolated)
        put(&printer, "isolated");
    guards_print(&printer, policy);
    rate_print(&printer, "out", &policy->rate_out);
    rate_print(&printer, "in", &policy->rate_in);
    if (policy->storm) {
        next(&printer);
        put(&printer, "storm %u", policy->storm);
    }
    for (unsigned int i = 0; i < policy->nr_stations; i++)
        station_print(&printer, policy->stations[i]);
    words_print(&printer, policy);
    for (unsigned int i = 0; i < policy->nr_rules; i++)
        rule_print(&printer, &policy->rules[i]);
    return printer.len;
}
