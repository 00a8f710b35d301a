/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dom0_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/route.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"

#define LINE_SIZE 256
#define USE_SIZE 160
#define IPV6_DEFAULT "00000000000000000000000000000000"

/* Copy a line, cut to size; returns what is behind it, NULL behind the last one. */
static const char *line_take(const char *text, char line[LINE_SIZE])
{
    size_t len = text ? strcspn(text, "\n") : 0;

    if (!text || !*text)
        return NULL;
    snprintf(line, LINE_SIZE, "%.*s", (int)(len < LINE_SIZE ? len : LINE_SIZE - 1), text);
    return text + len + (text[len] == '\n');
}

/* Source: Linux net/ipv4/fib_trie.c, fib_route_seq_show(). */
static bool is_default(const char *line, const char *interface)
{
    char name[DOM0_NET_NAME_SIZE];
    unsigned int to, gateway, flags, mask;

    return sscanf(line, "%15s %x %x %x %*s %*s %*s %x", name, &to, &gateway, &flags, &mask) == 5 &&
           strcmp(name, interface) == 0 && to == 0 && mask == 0 && flags & RTF_UP &&
           !(flags & RTF_REJECT);
}

/* Source: Linux net/ipv6/route.c, rt6_info_route() of old, ipv6_route_native_seq_show(). */
static bool is_ipv6_default(const char *line, const char *interface)
{
    char to[33], name[DOM0_NET_NAME_SIZE];
    unsigned int len, flags;

    return sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %15s", to, &len, &flags, name) == 4 &&
           strcmp(name, interface) == 0 && strcmp(to, IPV6_DEFAULT) == 0 && len == 0 &&
           flags & RTF_UP && !(flags & RTF_REJECT);
}

bool dom0_net_has_default(const char *route, const char *ipv6_route, const char *interface)
{
    char line[LINE_SIZE];

    while ((route = line_take(route, line)))
        if (is_default(line, interface))
            return true;
    while ((ipv6_route = line_take(ipv6_route, line)))
        if (is_ipv6_default(line, interface))
            return true;
    return false;
}

static unsigned int bits(const void *mask, size_t len)
{
    const unsigned char *at = mask;
    unsigned int nr = 0;

    for (size_t i = 0; i < len; i++)
        nr += (unsigned int)__builtin_popcount(at[i]);
    return nr;
}

int dom0_net_address(const struct sockaddr *address, const struct sockaddr *mask,
                     struct dom0_address *address_r)
{
    char text[INET6_ADDRSTRLEN];
    unsigned int len;

    memset(address_r, 0, sizeof(*address_r));
    if (!address || !mask)
        return -EINVAL;
    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof(text));
        len = bits(&((const struct sockaddr_in *)mask)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *ipv6 = &((const struct sockaddr_in6 *)address)->sin6_addr;

        inet_ntop(AF_INET6, ipv6, text, sizeof(text));
        len = bits(&((const struct sockaddr_in6 *)mask)->sin6_addr, 16);
        address_r->is_ipv6 = true;
        address_r->is_link_local = IN6_IS_ADDR_LINKLOCAL(ipv6);
    } else {
        return -EINVAL;
    }
    snprintf(address_r->text, sizeof(address_r->text), "%s/%u", text, len);
    return 0;
}

struct saying {
    void (*said)(void *ctx, const char *text);
    void *ctx;
    unsigned int nr;
};

static void say(struct saying *saying, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct saying *saying, const char *format, ...)
{
    char text[USE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_clean(text, strlen(text));
    saying->nr++;
    if (saying->said)
        saying->said(saying->ctx, text);
}

static void interface_uses(struct saying *saying, const struct dom0_interface *interface)
{
    for (unsigned int i = 0; interface->up && i < interface->nr_addresses; i++)
        if (!interface->addresses[i].is_link_local)
            say(saying, "%s has the address %s", interface->name, interface->addresses[i].text);
    if (interface->has_default)
        say(saying, "dom0's default route goes by %s", interface->name);
    if (*interface->over)
        say(saying, "%s is on %s", interface->over, interface->name);
}

unsigned int dom0_net_uses(const struct dom0_net *net, void (*said)(void *ctx, const char *text),
                           void *ctx)
{
    struct saying saying = { said, ctx, 0 };

    if (*net->nic.name)
        interface_uses(&saying, &net->nic);
    if (*net->bridge.name) {
        interface_uses(&saying, &net->bridge);
        if (net->nr_other_ports)
            say(&saying, "%s is the wire of the bridge %s, which has %u other port%s",
                net->nic.name, net->bridge.name, net->nr_other_ports,
                net->nr_other_ports == 1 ? "" : "s");
    }
    return saying.nr;
}

static bool is_one_of(const char *word, const char *const words[])
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* The kernel makes and unmakes them with the addresses. */
static const char *const own_types[] = { "local", "broadcast", "anycast", "multicast", NULL };
static const char *const own_networks[] = { "fe80::/64", "ff00::/8", NULL };
/* What `ip` shows of a route's state, and does not take. */
static const char *const states[] = {
    "dead",       "linkdown",   "pervasive", "offload",           "trap", "notify",
    "unresolved", "rt_offload", "rt_trap",   "rt_offload_failed", NULL
};

int dom0_net_route_words(char *line, const char *interface, char *words_r[DOM0_NET_WORDS_MAX])
{
    bool is_ours = false, is_next_hop = *line == '\t', comes_back = false, is_too_long = false;
    char *rest = NULL;
    const char *before = "";
    int nr = 0;

    for (char *word = strtok_r(line, " \t\n\\", &rest); word;
         word = strtok_r(NULL, " \t\n\\", &rest)) {
        if (strcmp(word, "nexthop") == 0)
            is_next_hop = true;
        else if (strcmp(before, "dev") == 0 && strcmp(word, interface) == 0)
            is_ours = true;
        else if (strcmp(word, "expires") == 0 ||
                 (strcmp(before, "proto") == 0 && strcmp(word, "ra") == 0) ||
                 (!*before && (is_one_of(word, own_types) || is_one_of(word, own_networks))))
            comes_back = true;
        if (is_one_of(word, states) || strcmp(word, "nhid") == 0 || strcmp(before, "nhid") == 0) {
            before = word;
            continue;
        }
        before = word;
        if (nr == DOM0_NET_WORDS_MAX - 1)
            is_too_long = true;
        else
            words_r[nr++] = word;
    }
    words_r[nr] = NULL;
    if (!is_ours || comes_back)
        return 0;
    return is_next_hop || is_too_long ? -EOPNOTSUPP : nr;
}

bool dom0_net_name_ok(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '/')
            return false;
    return len > 0 && len < DOM0_NET_NAME_SIZE && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* With a length behind a '/', or without one where that may be. */
static bool is_network(const char *text, int family, bool wants_length)
{
    char address[INET6_ADDRSTRLEN], bytes[16];
    size_t len = strcspn(text, "/"), digits;
    const char *length = text + len + 1;

    if (len >= sizeof(address))
        return false;
    snprintf(address, sizeof(address), "%.*s", (int)len, text);
    if (inet_pton(family, address, bytes) != 1)
        return false;
    if (!text[len])
        return !wants_length;
    digits = strspn(length, "0123456789");
    return digits >= 1 && digits <= 3 && !length[digits] && (digits == 1 || *length != '0') &&
           atoi(length) <= (family == AF_INET ? 32 : 128);
}

static bool is_link_local(const char *network)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ipv6;

    snprintf(address, sizeof(address), "%.*s", (int)strcspn(network, "/"), network);
    return inet_pton(AF_INET6, address, &ipv6) == 1 && IN6_IS_ADDR_LINKLOCAL(&ipv6);
}

int dom0_net_address_parse(const char *text, struct dom0_address *address_r)
{
    bool is_ipv6 = strchr(text, ':');

    if (strlen(text) >= sizeof(address_r->text) ||
        !is_network(text, is_ipv6 ? AF_INET6 : AF_INET, true))
        return -EINVAL;
    memset(address_r, 0, sizeof(*address_r));
    snprintf(address_r->text, sizeof(address_r->text), "%s", text);
    address_r->is_ipv6 = is_ipv6;
    address_r->is_link_local = is_ipv6 && is_link_local(text);
    return 0;
}

static bool is_route_word(const char *word)
{
    static const char accepted[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/_@%+-";

    return *word && *word != '-' && word[strspn(word, accepted)] == '\0';
}

/* What may stand before the network. Source: ip-route(8), TYPE. */
static const char *const types[] = { "unicast",  "unreachable", "blackhole",
                                     "prohibit", "throw",       NULL };

bool dom0_net_route_ok(char *const words[], bool is_ipv6)
{
    int family = is_ipv6 ? AF_INET6 : AF_INET;

    if (*words && is_one_of(*words, types))
        words++;
    if (!*words || (strcmp(*words, "default") != 0 && !is_network(*words, family, false)))
        return false;
    for (words++; *words; words++) {
        bool is_address = strcmp(words[0], "via") == 0 || strcmp(words[0], "src") == 0;

        if (strcmp(words[0], "dev") == 0 && words[1]) {
            if (!dom0_net_name_ok(words[1]))
                return false;
            words++;
        } else if (!is_route_word(words[0])) {
            return false;
        } else if (is_address && words[1] && strcmp(words[1], "inet6") == 0) {
            words++;
            if (!words[1] || !is_network(words[1], AF_INET6, false))
                return false;
        } else if (is_address && (!words[1] || !is_network(words[1], family, false))) {
            return false;
        }
    }
    return true;
}

bool dom0_net_route_has_via(char *const words[])
{
    for (; *words; words++)
        if (strcmp(*words, "via") == 0)
            return true;
    return false;
}
