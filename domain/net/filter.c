/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/filter.h"

#include <netinet/in.h>
#include <string.h>

#include "net/filter_internal.h"

#define SIZE_MAX_BYTES 1640 /* one for each vif, and kept over restarts */

_Static_assert(sizeof(struct filter) <= SIZE_MAX_BYTES, "a filter is small");

void filter_init(struct filter *filter, const struct rte_ether_addr *mac)
{
    memset(filter, 0, sizeof(*filter));
    filter->mac = *mac;
}

void filter_policy_set(struct filter *filter, const struct policy *policy)
{
    unsigned int nr = 0;

    filter->guard_mac = policy->guard_mac;
    filter->guard_dhcp = policy->guard_dhcp;
    filter->guard_ra = policy->guard_ra;
    memset(filter->rules, 0, sizeof(filter->rules));
    for (unsigned int direction = 0; direction < POLICY_DIRECTIONS; direction++) {
        unsigned int before = nr;

        for (unsigned int i = 0; i < policy->nr_rules; i++)
            if (policy->rules[i].direction == direction)
                filter->rules[nr++] = policy->rules[i];
        filter->nr_rules[direction] = (uint8_t)(nr - before);
        filter->deny_default[direction] = policy->deny_default[direction];
    }
}

static bool has_rules(const struct filter *filter, enum policy_direction direction)
{
    return filter->nr_rules[direction] > 0 || filter->deny_default[direction];
}

static bool has_guards(const struct filter *filter)
{
    return filter->guard_dhcp || filter->guard_ra;
}

static bool has_source_checks(const struct filter *filter)
{
    return filter->has_sources || filter->guard_mac;
}

bool filter_is_needed(const struct filter *filter)
{
    return has_source_checks(filter) || has_guards(filter) || has_rules(filter, POLICY_OUT) ||
           has_rules(filter, POLICY_IN);
}

/* UDP from a server's port or to a client's: RFC 2131, 4.1; RFC 8415, 7.2. */
static enum filter_reason dhcp_check(const struct filter_view *view)
{
    bool is_ip4 = view->kind == FILTER_IS_IP4;
    uint16_t source, destination;

    if (view->kind == FILTER_IS_BAD_IP || filter_view_l4_is_hidden(view))
        return FILTER_BAD_HEADER;
    if ((!is_ip4 && view->kind != FILTER_IS_IP6) || view->protocol != IPPROTO_UDP || view->is_later)
        return FILTER_PASS;
    if (!filter_view_ports(view, &source, &destination))
        return FILTER_BAD_HEADER;
    return source == (is_ip4 ? 67 : 547) || destination == (is_ip4 ? 68 : 546) ? FILTER_DHCP
                                                                               : FILTER_PASS;
}

/* RFC 6105; RFC 7113, 3; RFC 6980, 5. */
static enum filter_reason ra_check(const struct filter_view *view)
{
    int type = filter_view_icmp6_type(view);

    if (view->kind == FILTER_IS_BAD_IP)
        return frame_ethertype(view->frame) == RTE_ETHER_TYPE_IPV6 ? FILTER_BAD_HEADER
                                                                   : FILTER_PASS;
    if (filter_view_l4_is_hidden(view) || type == ICMP6_HIDDEN)
        return FILTER_BAD_HEADER;
    if (type == ICMP6_RA || type == ICMP6_REDIRECT)
        return FILTER_RA;
    return view->is_fragment && icmp6_is_nd(type) ? FILTER_ND : FILTER_PASS;
}

static enum filter_reason guards_check(const struct filter *filter, const struct filter_view *view)
{
    enum filter_reason reason = FILTER_PASS;

    if (view->kind == FILTER_IS_WRAPPED)
        return FILTER_BAD_HEADER;
    if (filter->guard_dhcp)
        reason = dhcp_check(view);
    if (reason == FILTER_PASS && filter->guard_ra)
        reason = ra_check(view);
    return reason;
}

static enum filter_reason from_port(const struct filter *filter, struct rte_mbuf *frame,
                                    bool with_rules)
{
    enum filter_reason reason = FILTER_PASS;
    struct filter_view view = { .frame = NULL };

    if (!with_rules && !has_source_checks(filter) && !has_guards(filter))
        return FILTER_PASS;
    if (filter_view_make(&view, frame))
        return FILTER_BAD_HEADER;
    if (has_source_checks(filter))
        reason = filter_source_check(filter, &view);
    if (reason == FILTER_PASS && has_guards(filter))
        reason = guards_check(filter, &view);
    if (reason == FILTER_PASS && with_rules)
        reason = filter_rules_check(filter, &view, POLICY_OUT);
    return reason;
}

int filter_from_port(struct filter *filter, struct rte_mbuf *frame, enum filter_state state,
                     uint64_t now)
{
    bool with_rules = state == FILTER_NEW && has_rules(filter, POLICY_OUT);
    enum filter_reason reason = from_port(filter, frame, with_rules);

    (void)now;
    if (reason != FILTER_PASS)
        filter->drops[reason]++;
    return (int)reason;
}

int filter_to_port(struct filter *filter, struct rte_mbuf *frame, enum filter_state state,
                   uint64_t now)
{
    enum filter_reason reason = FILTER_BAD_HEADER;
    struct filter_view view = { .frame = NULL };

    (void)now;
    if (state == FILTER_ESTABLISHED || !has_rules(filter, POLICY_IN))
        return 0;
    if (filter_view_make(&view, frame) == 0)
        reason = filter_rules_check(filter, &view, POLICY_IN);
    if (reason != FILTER_PASS)
        filter->drops[reason]++;
    return (int)reason;
}

const char *filter_reason_name(enum filter_reason reason)
{
    static const char *const names[FILTER_NR_REASONS] = {
        [FILTER_PASS] = "pass", [FILTER_MAC] = "mac",   [FILTER_IP] = "ip",
        [FILTER_ARP] = "arp",   [FILTER_ND] = "nd",     [FILTER_DHCP] = "dhcp",
        [FILTER_RA] = "ra",     [FILTER_RULE] = "rule", [FILTER_BAD_HEADER] = "bad header",
    };

    return (unsigned int)reason < FILTER_NR_REASONS ? names[reason] : "?";
}
