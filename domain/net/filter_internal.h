/* SPDX-License-Identifier: BSD-2-Clause */
/* What net/filter*.c know of each other. */
#ifndef NET_FILTER_INTERNAL_H
#define NET_FILTER_INTERNAL_H

#include "net/filter.h"
#include "net/frame.h"

enum filter_kind {
    FILTER_OTHER, /* what is none of the following */
    FILTER_IS_ARP,
    FILTER_IS_IP4,
    FILTER_IS_IP6,
    FILTER_IS_BAD_IP, /* the EtherType says IP, the header is not one */
    FILTER_IS_WRAPPED, /* a third tag, or SNAP: may be anything */
};

/* One frame, parsed. Only what a check needs is looked at further. */
struct filter_view {
    const struct rte_mbuf *frame;
    enum filter_kind kind;
    const uint8_t *l3;
    /* Of FILTER_IS_IP4 and _IP6: */
    bool is_fragment, is_later; /* later: not the first */
    uint8_t protocol;
    const uint8_t *l4;
    uint32_t l4_len; /* bytes of the packet from l4 on */
    uint32_t l4_have; /* those of them in the first segment */
};

/* Types of ICMPv6 messages (RFC 4861, 2710, 3810). */
#define ICMP6_MLD_QUERY 130
#define ICMP6_MLD_DONE 132
#define ICMP6_RS 133
#define ICMP6_RA 134
#define ICMP6_NS 135
#define ICMP6_NA 136
#define ICMP6_REDIRECT 137
#define ICMP6_MLD2_REPORT 143

/* Answers of filter_view_icmp6_type() besides types. */
#define ICMP6_NONE (-1) /* no ICMPv6, or a later fragment */
#define ICMP6_HIDDEN (-2) /* it is cut off */

static inline uint16_t filter_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* filter_view.c: look at a frame. Returns 0, or -EINVAL if it is shorter than an Ethernet header. */
int filter_view_make(struct filter_view *view, struct rte_mbuf *frame);

/* Of IPv6: the headers between it and L4 cannot be looked through. */
bool filter_view_chain_is_cut(const struct filter_view *view);

/* That, or a header that is followed by another in a way of its own. */
bool filter_view_l4_is_hidden(const struct filter_view *view);

int filter_view_icmp6_type(const struct filter_view *view);

static inline bool icmp6_is_nd(int type)
{
    return type >= ICMP6_RS && type <= ICMP6_REDIRECT;
}

static inline bool icmp6_is_mld(int type)
{
    return (type >= ICMP6_MLD_QUERY && type <= ICMP6_MLD_DONE) || type == ICMP6_MLD2_REPORT;
}

/*
 * Source and destination port of TCP or UDP, host byte order. Returns false, and sets nothing, if they are
 * cut off or lie in another fragment.
 */
bool filter_view_ports(const struct filter_view *view, uint16_t *source_r, uint16_t *destination_r);

/* filter_source.c: addresses and MACs that the guest may send from. Returns a reason, 0 to pass. */
enum filter_reason filter_source_check(const struct filter *filter, const struct filter_view *view);

bool filter_source4_is_own(const struct filter *filter, rte_be32_t ip4);
bool filter_source6_is_own(const struct filter *filter, const struct address *ip6);

/* filter_nd.c: IPv6 with addresses given, and ND in it. */
enum filter_reason filter_ip6_check(const struct filter *filter, const struct filter_view *view);

/* filter_rule.c: rules and defaults of one direction. */
enum filter_reason filter_rules_check(const struct filter *filter, const struct filter_view *view,
                                      enum policy_direction direction);

#endif
