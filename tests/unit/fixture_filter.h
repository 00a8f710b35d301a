/* SPDX-License-Identifier: BSD-2-Clause */
/* A filter from its texts, and what it says to a frame. After cmocka.h. */
#ifndef FIXTURE_FILTER_H
#define FIXTURE_FILTER_H

#include <netinet/in.h>
#include <string.h>

#include "fixture_bytes.h"
#include "net/filter.h"

#define OWN                                                                                        \
    "00:16:3e:00:00:01" /* the guest's, and the link-local address that EUI-64 makes of it */
#define OWN_LL "fe80::216:3eff:fe00:1"
#define OTHER "02:00:00:00:00:02"
#define ALL "ff:ff:ff:ff:ff:ff"

static inline struct filter filter_of(const char *ip, const char *policy_text)
{
    struct rte_ether_addr mac = { { 0x00, 0x16, 0x3e, 0, 0, 1 } };
    char error[POLICY_ERROR_SIZE];
    struct policy policy;
    struct filter filter;
    const char *why;

    if (policy_parse(policy_text, strlen(policy_text), &policy, error))
        fail_msg("%s", error);
    filter_init(&filter, &mac);
    if (filter_sources_parse(&filter, ip, &why))
        fail_msg("%s", why);
    filter_policy_set(&filter, &policy);
    return filter;
}

/* Ask, and see that the answer is counted, and nothing else. */
static inline int filter_ask(struct filter *filter, struct rte_mbuf *frame, bool is_out,
                             enum filter_state state)
{
    struct filter before = *filter;
    int reason = is_out ? filter_from_port(filter, frame, state, 0)
                        : filter_to_port(filter, frame, state, 0);

    assert_in_range(reason, 0, FILTER_NR_REASONS - 1);
    if (reason)
        before.drops[reason]++;
    assert_memory_equal(filter, &before, sizeof(before));
    bytes_free(frame);
    return reason;
}

/* What a filter says to a frame from the guest, and to one toward it, of no flow that is known. */
static inline int sent(struct filter *filter, struct bytes *b)
{
    return filter_ask(filter, bytes_frame(b, 0), true, FILTER_NEW);
}

static inline int received(struct filter *filter, struct bytes *b)
{
    return filter_ask(filter, bytes_frame(b, 0), false, FILTER_NEW);
}

/* An IP packet from a source, with headers in front that are right; the payload is the caller's. */
static inline void from4(struct bytes *b, const char *src, const char *dst, uint8_t protocol)
{
    *b = (struct bytes){ 0 };
    put_ether(b, OTHER, OWN, RTE_ETHER_TYPE_IPV4);
    put_ip4(b, src, dst, protocol);
}

static inline void from6(struct bytes *b, const char *src, const char *dst, uint8_t next,
                         uint8_t hop_limit)
{
    *b = (struct bytes){ 0 };
    put_ether(b, OTHER, OWN, RTE_ETHER_TYPE_IPV6);
    put_ip6(b, src, dst, next, hop_limit);
}

#endif
