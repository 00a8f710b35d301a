/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "net/filter_internal.h"

#define IPV6_SRC 8
#define ND_TARGET 8 /* in NS, NA and redirect */
#define OPTION_UNIT 8u
#define OPTION_SOURCE_LL 1
#define OPTION_TARGET_LL 2

/* Where options begin, RFC 4861, 4.1 to 4.5. */
static uint32_t nd_options_at(int type)
{
    static const uint8_t at[] = { [ICMP6_RS - ICMP6_RS] = 8,
                                  [ICMP6_RA - ICMP6_RS] = 16,
                                  [ICMP6_NS - ICMP6_RS] = 24,
                                  [ICMP6_NA - ICMP6_RS] = 24,
                                  [ICMP6_REDIRECT - ICMP6_RS] = 40 };

    return at[type - ICMP6_RS];
}

/* Link-layer addresses are the guest's; RFC 4861, 4.6. */
static enum filter_reason nd_options_check(const struct filter *filter, const uint8_t *options,
                                           uint32_t len)
{
    while (len > 0) {
        uint32_t size = len < OPTION_UNIT ? 0 : options[1] * OPTION_UNIT;

        if (size == 0 || size > len)
            return FILTER_BAD_HEADER;
        if ((options[0] == OPTION_SOURCE_LL || options[0] == OPTION_TARGET_LL) &&
            (size != OPTION_UNIT ||
             memcmp(options + 2, filter->mac.addr_bytes, RTE_ETHER_ADDR_LEN) != 0))
            return FILTER_ND;
        options += size;
        len -= size;
    }
    return FILTER_PASS;
}

/* An ND message that is no fragment. */
static enum filter_reason nd_check(const struct filter *filter, const struct filter_view *view,
                                   int type, bool from_unspecified)
{
    uint32_t options_at = nd_options_at(type);
    struct address target;

    if (view->l4_have < view->l4_len || view->l4_len < options_at)
        return FILTER_BAD_HEADER;
    if (type == ICMP6_NA || type == ICMP6_REDIRECT || (type == ICMP6_NS && from_unspecified)) {
        target = address_of6(view->l4 + ND_TARGET);
        if (!filter_source6_is_own(filter, &target))
            return FILTER_ND;
    }
    return nd_options_check(filter, view->l4 + options_at, view->l4_len - options_at);
}

/* What a host sends that has no address yet: RFC 4861, 4.1 and 4.3; RFC 3590. */
static bool may_be_unspecified(const struct filter_view *view, int type)
{
    return !view->is_fragment && (type == ICMP6_RS || type == ICMP6_NS ||
                                  (icmp6_is_mld(type) && type != ICMP6_MLD_QUERY));
}

enum filter_reason filter_ip6_check(const struct filter *filter, const struct filter_view *view)
{
    struct address source = address_of6(view->l3 + IPV6_SRC);
    bool is_unspecified = ip6_is_unspecified(&source);
    int type = filter_view_icmp6_type(view);

    if (filter->nr_ip6 == 0)
        return FILTER_IP;
    if (filter_view_l4_is_hidden(view) || type == ICMP6_HIDDEN)
        return FILTER_BAD_HEADER;
    if (!filter_source6_is_own(filter, &source) &&
        !(is_unspecified && may_be_unspecified(view, type)))
        return FILTER_IP;
    if (!icmp6_is_nd(type))
        return FILTER_PASS;
    return view->is_fragment ? FILTER_ND : nd_check(filter, view, type, is_unspecified);
}
