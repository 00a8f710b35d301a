/* SPDX-License-Identifier: BSD-2-Clause */
#include <netinet/in.h>
#include <string.h>

#include "net/filter_internal.h"

#define IPV4_SRC 12
#define IPV4_DST 16
#define IPV6_HOP_LIMIT 7
#define IPV6_SRC 8
#define IPV6_DST 24
#define ND_HOP_LIMIT 255 /* RFC 4861, 3.1 */
#define MLD_HOP_LIMIT 1 /* RFC 3810, 5 */

enum match {
    MATCH_NO,
    MATCH_YES,
    MATCH_UNKNOWN, /* it is hidden */
};

/* A frame as rules see it. */
struct subject {
    const struct filter_view *view;
    uint8_t family; /* 4, 6, or 0: no IP */
    bool has_ports; /* they can be told */
    struct address remote; /* unless family is 0 */
    uint16_t remote_port, local_port;
};

static bool ports_are_any(const struct policy_ports *ports)
{
    return ports->first == 0;
}

static bool port_is_in(uint16_t port, const struct policy_ports *ports)
{
    return port >= ports->first && port <= ports->last;
}

static struct address remote_of(const struct filter_view *view, bool is_out)
{
    rte_be32_t ip4;

    if (view->kind == FILTER_IS_IP6)
        return address_of6(view->l3 + (is_out ? IPV6_DST : IPV6_SRC));
    memcpy(&ip4, view->l3 + (is_out ? IPV4_DST : IPV4_SRC), sizeof(ip4));
    return address_of4(ip4);
}

static void subject_make(struct subject *subject, const struct filter_view *view, bool is_out)
{
    uint16_t source = 0, destination = 0;

    subject->family = view->kind == FILTER_IS_IP4 ? 4 : view->kind == FILTER_IS_IP6 ? 6 : 0;
    if (subject->family == 0)
        return;
    subject->remote = remote_of(view, is_out);
    subject->has_ports = filter_view_ports(view, &source, &destination);
    subject->remote_port = is_out ? destination : source;
    subject->local_port = is_out ? source : destination;
}

static bool remote_matches(const struct policy_rule *rule, const struct subject *subject)
{
    struct address net;
    rte_be32_t ip4;

    if (rule->family == 0)
        return true;
    if (rule->family != subject->family)
        return false;
    if (rule->family == 6) {
        net = address_of6(rule->remote);
        return address_is_in(&subject->remote, &net, rule->remote_len);
    }
    memcpy(&ip4, rule->remote, sizeof(ip4));
    net = address_of4(ip4);
    return address_is_in(&subject->remote, &net, ADDRESS_LEN4 + rule->remote_len);
}

static enum match ports_match(const struct policy_rule *rule, const struct subject *subject)
{
    uint8_t protocol = subject->view->protocol;

    if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || subject->view->is_later)
        return MATCH_NO;
    if (!subject->has_ports)
        return MATCH_UNKNOWN;
    return port_is_in(subject->remote_port, &rule->remote_ports) &&
                   port_is_in(subject->local_port, &rule->local_ports)
               ? MATCH_YES
               : MATCH_NO;
}

static enum match rule_match(const struct policy_rule *rule, const struct subject *subject)
{
    bool any_port = ports_are_any(&rule->remote_ports) && ports_are_any(&rule->local_ports);

    if (subject->family == 0)
        return rule->family == 0 && rule->proto == POLICY_PROTO_ANY && any_port ? MATCH_YES
                                                                                : MATCH_NO;
    if (!remote_matches(rule, subject))
        return MATCH_NO;
    if (rule->proto == POLICY_PROTO_ANY && any_port)
        return MATCH_YES;
    if (filter_view_chain_is_cut(subject->view))
        return MATCH_UNKNOWN;
    if (rule->proto != POLICY_PROTO_ANY && rule->proto != subject->view->protocol)
        return MATCH_NO;
    return any_port ? MATCH_YES : ports_match(rule, subject);
}

/* ARP, and what of ND and MLD comes from the same link. */
static bool is_exempt(const struct filter_view *view)
{
    int type = filter_view_icmp6_type(view);

    if (view->kind == FILTER_IS_ARP)
        return true;
    if (type < 0 || view->is_fragment)
        return false;
    return (icmp6_is_nd(type) && view->l3[IPV6_HOP_LIMIT] == ND_HOP_LIMIT) ||
           (icmp6_is_mld(type) && view->l3[IPV6_HOP_LIMIT] == MLD_HOP_LIMIT);
}

enum filter_reason filter_rules_check(const struct filter *filter, const struct filter_view *view,
                                      enum policy_direction direction)
{
    const struct policy_rule *rule = filter->rules;
    const struct policy_rule *end;
    struct subject subject = { .view = view };

    if (is_exempt(view))
        return FILTER_PASS;
    if (view->kind == FILTER_IS_BAD_IP || view->kind == FILTER_IS_WRAPPED)
        return FILTER_BAD_HEADER;
    rule += direction == POLICY_IN ? filter->nr_rules[POLICY_OUT] : 0;
    end = rule + filter->nr_rules[direction];
    subject_make(&subject, view, direction == POLICY_OUT);
    for (; rule < end; rule++) {
        enum match match = rule_match(rule, &subject);

        if (match == MATCH_UNKNOWN)
            return FILTER_BAD_HEADER;
        if (match == MATCH_YES)
            return rule->allow ? FILTER_PASS : FILTER_RULE;
    }
    return filter->deny_default[direction] ? FILTER_RULE : FILTER_PASS;
}
