/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/filter.h: what a strict filter lets pass is harmless to the most lenient receiver, which looks
 * through any number of tags and extension headers and does not mind what is missing. With a policy from
 * the input: verdicts are counted, and the same each time.
 *
 * Input: how (FROM_INPUT, OWN_MAC), bytes of the first segment in units of 2 (0: all), a length and a
 * policy's text if FROM_INPUT, the frame.
 */
#include <netinet/in.h>
#include <stdbool.h>

#include <ferry/policy.h>

#include "fuzz_mbuf.h"
#include "net/filter.h"

#define FROM_INPUT 1
#define OWN_MAC 2
#define IP "192.0.2.5 198.51.100.0/24 2001:db8::5 fd00:7::/32"

static const uint8_t own_mac[6] = { 0x00, 0x16, 0x3e, 0, 0, 1 };
static const uint8_t own_ll[16] = {
    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0x16, 0x3e, 0xff, 0xfe, 0, 0, 1
};

/* Bytes with an end, read from the front. */
struct view {
    const uint8_t *at;
    size_t left;
};

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool skip(struct view *view, size_t nr)
{
    if (nr > view->left)
        return false;
    view->at += nr;
    view->left -= nr;
    return true;
}

static bool is_own4(const uint8_t *ip)
{
    return memcmp(ip, "\xc0\x00\x02\x05", 4) == 0 || memcmp(ip, "\xc6\x33\x64", 3) == 0;
}

static bool is_own6(const uint8_t *ip)
{
    static const uint8_t host[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 5 };

    return memcmp(ip, host, 16) == 0 || memcmp(ip, "\xfd\x00\x00\x07", 4) == 0 ||
           memcmp(ip, own_ll, 16) == 0;
}

static bool is_zero(const uint8_t *bytes, size_t nr)
{
    while (nr > 0 && bytes[nr - 1] == 0)
        nr--;
    return nr == 0;
}

static void arp_check(struct view v)
{
    FUZZ_CHECK(v.left >= 28);
    FUZZ_CHECK(memcmp(v.at + 8, own_mac, 6) == 0);
    FUZZ_CHECK(is_own4(v.at + 14) || (is_zero(v.at + 14, 4) && be16(v.at + 6) == 1));
}

static void udp_check(struct view v, uint16_t server, uint16_t client)
{
    if (v.left < 4)
        return;
    FUZZ_CHECK(be16(v.at) != server && be16(v.at + 2) != client);
}

static void ip4_check(struct view v)
{
    uint16_t offset;
    uint8_t protocol;
    const uint8_t *ip = v.at;

    FUZZ_CHECK(v.left >= 20);
    protocol = ip[9];
    offset = be16(ip + 6) & 0x1fff;
    FUZZ_CHECK(skip(&v, (ip[0] & 15) * 4u));
    if (!is_own4(ip + 12)) {
        FUZZ_CHECK(is_zero(ip + 12, 4) && memcmp(ip + 16, "\xff\xff\xff\xff", 4) == 0);
        FUZZ_CHECK(protocol == IPPROTO_UDP && offset == 0 && v.left >= 4);
        FUZZ_CHECK(be16(v.at) == 68 && be16(v.at + 2) == 67);
    }
    if (protocol == IPPROTO_UDP && offset == 0)
        udp_check(v, 67, 68);
}

static void nd_options_check(struct view v)
{
    while (v.left >= 8) {
        if (v.at[0] == 1 || v.at[0] == 2)
            FUZZ_CHECK(memcmp(v.at + 2, own_mac, 6) == 0);
        if (v.at[1] == 0 || !skip(&v, v.at[1] * 8u))
            return;
    }
}

static void icmp6_check(struct view v, const uint8_t *src, bool is_fragment)
{
    static const uint8_t fixed[] = { 8, 0, 24, 24 };
    uint8_t type = v.left ? v.at[0] : 0;

    FUZZ_CHECK(type != 134 && type != 137);
    if (is_zero(src, 16))
        FUZZ_CHECK(type == 131 || type == 132 || type == 133 || type == 135 || type == 143);
    if (type != 133 && type != 135 && type != 136)
        return;
    FUZZ_CHECK(!is_fragment && v.left >= fixed[type - 133]);
    if (type == 136 || (type == 135 && is_zero(src, 16)))
        FUZZ_CHECK(is_own6(v.at + 8));
    skip(&v, fixed[type - 133]);
    nd_options_check(v);
}

/* Behind any extension header, AH too. */
static void ip6_check(struct view v)
{
    const uint8_t *ip = v.at, *src = ip + 8;
    bool is_fragment = false;
    uint8_t next;

    FUZZ_CHECK(v.left >= 40);
    v.left = RTE_MIN(v.left, 40u + be16(ip + 4));
    FUZZ_CHECK(is_own6(src) || is_zero(src, 16));
    next = ip[6];
    skip(&v, 40);
    while (v.left >= 8 && (next == 0 || next == 43 || next == 44 || next == 51 || next == 60 ||
                           next == 135 || next == 139 || next == 140)) {
        size_t len = next == 44 ? 8 : next == 51 ? (v.at[1] + 2u) * 4 : (v.at[1] + 1u) * 8;

        if (next == 44 && be16(v.at + 2) & 0xfff8)
            return;
        is_fragment |= next == 44;
        next = v.at[0];
        if (!skip(&v, len))
            return;
    }
    if (next == IPPROTO_ICMPV6)
        icmp6_check(v, src, is_fragment);
    else if (next == IPPROTO_UDP)
        udp_check(v, 547, 546);
}

static void harmless_check(const uint8_t *bytes, size_t size)
{
    struct view v = { bytes, size };
    uint16_t type;

    FUZZ_CHECK(size >= 14 && memcmp(bytes + 6, own_mac, 6) == 0);
    type = be16(bytes + 12);
    skip(&v, 14);
    while ((type == 0x8100 || type == 0x88a8 || type == 0x9100) && v.left >= 4) {
        type = be16(v.at + 2);
        skip(&v, 4);
    }
    FUZZ_CHECK(type == 0x0806 || type == 0x0800 || type == 0x86dd);
    if (type == 0x0806)
        arp_check(v);
    else if (type == 0x0800)
        ip4_check(v);
    else
        ip6_check(v);
}

static struct filter filter_make(const char *ip, const struct policy *policy)
{
    struct rte_ether_addr mac;
    struct filter filter;
    const char *why;

    memcpy(mac.addr_bytes, own_mac, 6);
    filter_init(&filter, &mac);
    FUZZ_CHECK(filter_sources_parse(&filter, ip, &why) == 0);
    filter_policy_set(&filter, policy);
    return filter;
}

/* Ask twice; what was noted in the frame at the first time changes nothing. */
static int ask(struct filter *filter, struct rte_mbuf *frame, bool is_out, enum filter_state state)
{
    int (*const f)(struct filter *, struct rte_mbuf *, enum filter_state, uint64_t) =
        is_out ? filter_from_port : filter_to_port;
    struct filter before = *filter;
    int reason = f(filter, frame, state, 0);

    FUZZ_CHECK(reason >= 0 && reason < FILTER_NR_REASONS);
    FUZZ_CHECK(f(filter, frame, state, 0) == reason);
    if (reason)
        before.drops[reason] += 2;
    FUZZ_CHECK(memcmp(&before, filter, sizeof(before)) == 0);
    return reason;
}

static void strict_check(struct rte_mbuf *frame, const uint8_t *bytes, size_t size)
{
    static const char text[] = "guard dhcp ra mac";
    char error[POLICY_ERROR_SIZE];
    struct policy policy;
    struct filter filter;

    FUZZ_CHECK(policy_parse(text, strlen(text), &policy, error) == 0);
    filter = filter_make(IP, &policy);
    if (ask(&filter, frame, true, FILTER_NEW) == 0)
        harmless_check(bytes, size);
    FUZZ_CHECK(ask(&filter, frame, false, FILTER_NEW) == 0);
}

/* A flow that is known is not worse off, and nobody is asked who is not needed. */
static void policy_check(struct rte_mbuf *frame, const struct policy *policy)
{
    struct filter filter = filter_make("", policy);
    int out = ask(&filter, frame, true, FILTER_NEW), in = ask(&filter, frame, false, FILTER_NEW);
    int known = ask(&filter, frame, true, FILTER_ESTABLISHED);

    FUZZ_CHECK(known == 0 || known == out);
    FUZZ_CHECK(ask(&filter, frame, false, FILTER_ESTABLISHED) == 0);
    FUZZ_CHECK(filter_is_needed(&filter) || (out == 0 && in == 0));
    FUZZ_CHECK(known == 0 || policy->guard_dhcp || policy->guard_ra || policy->guard_mac);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    uint8_t how = fuzz_u8(&input);
    size_t first = fuzz_u8(&input) * 2u;
    char error[POLICY_ERROR_SIZE];
    const uint8_t *text = NULL;
    size_t len = how & FROM_INPUT ? fuzz_take(&input, fuzz_u8(&input), &text) : 0;
    uint8_t *bytes = fuzz_copy(input.at, input.left);
    struct rte_mbuf *frame;
    struct policy policy;

    if (how & OWN_MAC && input.left >= 12)
        memcpy(bytes + 6, own_mac, 6);
    frame = fuzz_mbuf_make(bytes, input.left, first ? first : input.left);
    if (!(how & FROM_INPUT))
        strict_check(frame, bytes, input.left);
    else if (policy_parse((const char *)text, len, &policy, error) == 0)
        policy_check(frame, &policy);
    fuzz_mbuf_free(frame);
    free(bytes);
    return 0;
}
