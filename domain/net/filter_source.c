/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <ferry/address.h>

#include <rte_arp.h>

#include "net/filter_internal.h"

#define SEPARATORS " ,\t"
#define IP_FORM                                                                                    \
    "accepted: IPv4 and IPv6 addresses, each with /LENGTH or without, separated by blanks or "     \
    "commas"
#define IPV4_SRC 12
#define IPV4_DST 16
#define DHCP_SERVER 67
#define DHCP_CLIENT 68

static int source4_add(struct filter *filter, const uint8_t addr[16], uint8_t len)
{
    struct filter_source4 *source = &filter->ip4[filter->nr_ip4];

    if (filter->nr_ip4 == FILTER_SOURCES_MAX)
        return -ENOSPC;
    source->mask = rte_cpu_to_be_32(len ? UINT32_MAX << (32 - len) : 0);
    memcpy(&source->addr, addr, sizeof(source->addr));
    source->addr &= source->mask;
    filter->nr_ip4++;
    return 0;
}

static int source6_add(struct filter *filter, const uint8_t addr[16], uint8_t len)
{
    struct filter_source6 *source = &filter->ip6[filter->nr_ip6];
    struct address ip6 = address_of6(addr);

    if (filter->nr_ip6 == FILTER_SOURCES_MAX)
        return -ENOSPC;
    source->net = address_first(&ip6, len);
    source->len = len;
    filter->nr_ip6++;
    return 0;
}

/* Groups' addresses, and the broadcast one. */
static bool is_group(const uint8_t addr[16], bool is_ip6, uint8_t len)
{
    static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

    if (is_ip6)
        return addr[0] == 0xff && len >= 8;
    return (addr[0] >> 4 == 14 && len >= 4) || (len == 32 && memcmp(addr, broadcast, 4) == 0);
}

static int source_parse(struct filter *filter, const char *text, size_t len, const char **why_r)
{
    uint8_t addr[16], prefix_len;
    bool is_ip6;
    int err;

    if (prefix_parse(text, len, &is_ip6, addr, &prefix_len)) {
        *why_r = IP_FORM;
        return -EINVAL;
    }
    if (is_group(addr, is_ip6, prefix_len)) {
        *why_r = "a group's or a broadcast address is nobody's";
        return -EINVAL;
    }
    err = (is_ip6 ? source6_add : source4_add)(filter, addr, prefix_len);
    if (err) {
        *why_r = "16 addresses of each IP version at most";
        return -EINVAL;
    }
    filter->has_sources = true;
    return 0;
}

int filter_sources_parse(struct filter *filter, const char *ip, const char **why_r)
{
    struct filter new;

    filter_init(&new, &filter->mac);
    for (ip += strspn(ip, SEPARATORS); *ip; ip += strspn(ip, SEPARATORS)) {
        size_t len = strcspn(ip, SEPARATORS);

        if (source_parse(&new, ip, len, why_r))
            return -EINVAL;
        ip += len;
    }
    filter->has_sources = new.has_sources;
    filter->nr_ip4 = new.nr_ip4;
    filter->nr_ip6 = new.nr_ip6;
    memcpy(filter->ip4, new.ip4, sizeof(filter->ip4));
    memcpy(filter->ip6, new.ip6, sizeof(filter->ip6));
    return 0;
}

bool filter_source4_is_own(const struct filter *filter, rte_be32_t ip4)
{
    for (unsigned int i = 0; i < filter->nr_ip4; i++)
        if ((ip4 & filter->ip4[i].mask) == filter->ip4[i].addr)
            return true;
    return false;
}

bool filter_source6_is_own(const struct filter *filter, const struct address *ip6)
{
    struct address link_local = ip6_link_local(&filter->mac);

    if (address_is_same(ip6, &link_local))
        return true;
    for (unsigned int i = 0; i < filter->nr_ip6; i++)
        if (address_is_in(ip6, &filter->ip6[i].net, filter->ip6[i].len))
            return true;
    return false;
}

static rte_be32_t ip4_at(const uint8_t *p)
{
    rte_be32_t ip4;

    memcpy(&ip4, p, sizeof(ip4));
    return ip4;
}

/* RFC 2131, 4.1: from a host that has no address yet. */
static bool is_dhcp_client(const struct filter_view *view)
{
    uint16_t source, destination;

    return ip4_at(view->l3 + IPV4_SRC) == 0 && ip4_at(view->l3 + IPV4_DST) == UINT32_MAX &&
           view->protocol == IPPROTO_UDP && !view->is_fragment &&
           filter_view_ports(view, &source, &destination) && source == DHCP_CLIENT &&
           destination == DHCP_SERVER;
}

static bool arp_is_of_ip4(const struct rte_arp_hdr *arp)
{
    return arp->arp_hardware == RTE_BE16(RTE_ARP_HRD_ETHER) &&
           arp->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
           arp->arp_hlen == RTE_ETHER_ADDR_LEN && arp->arp_plen == sizeof(rte_be32_t);
}

/* With addresses given: one of them, or a probe for one. */
static bool arp_sender_is_own(const struct filter *filter, const struct rte_arp_hdr *arp)
{
    bool is_request = arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST);

    if (!is_request && arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REPLY))
        return false;
    if (filter_source4_is_own(filter, arp->arp_data.arp_sip))
        return true;
    return filter->nr_ip4 > 0 && is_request && arp->arp_data.arp_sip == 0;
}

static enum filter_reason arp_check(const struct filter *filter, const struct filter_view *view)
{
    uint32_t have = (uint32_t)view->frame->data_len - view->frame->l2_len;
    struct rte_arp_hdr arp;

    if (have < sizeof(arp))
        return FILTER_BAD_HEADER;
    memcpy(&arp, view->l3, sizeof(arp));
    if (!arp_is_of_ip4(&arp) || !rte_is_same_ether_addr(&arp.arp_data.arp_sha, &filter->mac))
        return FILTER_ARP;
    return !filter->has_sources || arp_sender_is_own(filter, &arp) ? FILTER_PASS : FILTER_ARP;
}

static enum filter_reason ip4_check(const struct filter *filter, const struct filter_view *view)
{
    if (filter_source4_is_own(filter, ip4_at(view->l3 + IPV4_SRC)))
        return FILTER_PASS;
    return filter->nr_ip4 > 0 && is_dhcp_client(view) ? FILTER_PASS : FILTER_IP;
}

static bool has_own_mac(const struct filter *filter, const struct rte_mbuf *frame)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

    return rte_is_same_ether_addr(&ether->src_addr, &filter->mac);
}

enum filter_reason filter_source_check(const struct filter *filter, const struct filter_view *view)
{
    if (!has_own_mac(filter, view->frame))
        return FILTER_MAC;
    if (view->kind == FILTER_IS_ARP)
        return arp_check(filter, view);
    if (!filter->has_sources)
        return view->kind == FILTER_IS_WRAPPED ? FILTER_BAD_HEADER : FILTER_PASS;
    switch (view->kind) {
    case FILTER_IS_IP4:
        return ip4_check(filter, view);
    case FILTER_IS_IP6:
        return filter_ip6_check(filter, view);
    case FILTER_IS_BAD_IP:
    case FILTER_IS_WRAPPED:
        return FILTER_BAD_HEADER;
    default:
        return FILTER_IP;
    }
}
