/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>

#include "net/filter_internal.h"

#define TYPES_FROM 0x600 /* below: the length of an IEEE 802.3 frame */
#define ETHER_TYPE_ITAG 0x88e7 /* IEEE 802.1Q, backbone service instance tag */
#define LLC_SNAP 0xaa
#define SNAP_LEN 8u
#define IPV6_LEN 40u
#define PROTOCOL_MOBILITY 135
#define PROTOCOL_HIP 139
#define PROTOCOL_SHIM6 140
#define PROTOCOL_TEST1 253
#define PROTOCOL_TEST2 254

/* LLC with SNAP of Ethernet's types (RFC 1042; 00:00:f8 is for bridges, IEEE 802.1H), or cut off. */
static bool is_snap(const struct rte_mbuf *frame, const uint8_t *llc)
{
    uint32_t have = frame->data_len - frame->l2_len;

    if (have == 0 || (llc[0] & 0xfe) != LLC_SNAP)
        return have == 0;
    return have < SNAP_LEN || (llc[3] == 0 && llc[4] == 0 && (llc[5] == 0 || llc[5] == 0xf8));
}

static enum filter_kind kind_find(const struct rte_mbuf *frame, const uint8_t *l3)
{
    uint16_t type = frame_ethertype(frame);

    switch (type) {
    case RTE_ETHER_TYPE_ARP:
        return FILTER_IS_ARP;
    case RTE_ETHER_TYPE_IPV4:
        return frame_is_ipv4(frame) ? FILTER_IS_IP4 : FILTER_IS_BAD_IP;
    case RTE_ETHER_TYPE_IPV6:
        return frame_is_ipv6(frame) ? FILTER_IS_IP6 : FILTER_IS_BAD_IP;
    case RTE_ETHER_TYPE_VLAN:
    case RTE_ETHER_TYPE_QINQ:
    case RTE_ETHER_TYPE_QINQ1:
    case RTE_ETHER_TYPE_QINQ2:
    case RTE_ETHER_TYPE_QINQ3:
    case ETHER_TYPE_ITAG:
        return FILTER_IS_WRAPPED;
    default:
        return type < TYPES_FROM && is_snap(frame, l3) ? FILTER_IS_WRAPPED : FILTER_OTHER;
    }
}

static void l4_find(struct filter_view *view)
{
    const struct rte_mbuf *frame = view->frame;
    uint32_t l4_at = frame->l2_len + frame->l3_len;
    uint32_t total = view->kind == FILTER_IS_IP4 ? filter_be16(view->l3 + 2)
                                                 : IPV6_LEN + filter_be16(view->l3 + 4);

    view->protocol = frame_protocol(frame);
    view->is_fragment = frame_l4(frame) == RTE_PTYPE_L4_FRAG;
    view->is_later = view->is_fragment && frame_fragment_offset(frame) > 0;
    view->l4 = frame_l4_at(frame);
    view->l4_len = total - frame->l3_len;
    view->l4_have = RTE_MIN(view->l4_len, frame->data_len - l4_at);
}

int filter_view_make(struct filter_view *view, struct rte_mbuf *frame)
{
    if (frame_parse(frame) == 0)
        return -EINVAL;
    view->frame = frame;
    view->l3 = frame_l3_at(frame);
    view->kind = kind_find(frame, view->l3);
    if (view->kind == FILTER_IS_IP4 || view->kind == FILTER_IS_IP6)
        l4_find(view);
    return 0;
}

bool filter_view_chain_is_cut(const struct filter_view *view)
{
    uint8_t protocol = view->protocol;

    return view->kind == FILTER_IS_IP6 &&
           (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
            protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS);
}

bool filter_view_l4_is_hidden(const struct filter_view *view)
{
    if (view->kind != FILTER_IS_IP6)
        return false;
    switch (view->protocol) {
    case IPPROTO_AH:
    case PROTOCOL_MOBILITY:
    case PROTOCOL_HIP:
    case PROTOCOL_SHIM6:
    case PROTOCOL_TEST1:
    case PROTOCOL_TEST2:
        return true;
    default:
        return filter_view_chain_is_cut(view);
    }
}

int filter_view_icmp6_type(const struct filter_view *view)
{
    if (view->kind != FILTER_IS_IP6 || view->protocol != IPPROTO_ICMPV6 || view->is_later)
        return ICMP6_NONE;
    return view->l4_have < 4 ? ICMP6_HIDDEN : view->l4[0];
}

bool filter_view_ports(const struct filter_view *view, uint16_t *source_r, uint16_t *destination_r)
{
    if (view->is_later || view->l4_have < 4)
        return false;
    *source_r = filter_be16(view->l4);
    *destination_r = filter_be16(view->l4 + 2);
    return true;
}
