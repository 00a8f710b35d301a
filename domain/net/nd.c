/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nd.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_ip.h>

#include "net/checksum.h"
#include "net/frame.h"

#define HOP_LIMIT 255
#define OPTION_SOURCE 1
#define OPTION_TARGET 2
#define OPTION_UNIT 8

/* What solicitations and advertisements begin with. */
struct message {
    uint8_t type, code;
    rte_be16_t checksum;
    uint8_t flags, reserved[3];
    uint8_t target[16];
};

struct option {
    uint8_t type, units;
    struct rte_ether_addr mac;
};

_Static_assert(sizeof(struct message) == 24 && sizeof(struct option) == OPTION_UNIT, "on the wire");

/* The messages are short: what is not in one segment is none. Returns their length, 0 for none. */
static uint32_t length_of(const struct rte_mbuf *frame, const struct rte_ipv6_hdr *ip)
{
    uint32_t end = frame->l2_len + sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
    uint32_t at = frame->l2_len + frame->l3_len;

    if (frame_l4(frame) != RTE_PTYPE_L4_ICMP || end > frame->data_len ||
        end < at + sizeof(struct message))
        return 0;
    return end - at;
}

static bool checksum_is_right(const struct rte_ipv6_hdr *ip, const void *message, uint32_t len)
{
    struct rte_ipv6_hdr pseudo = *ip;
    uint32_t sum;

    pseudo.proto = IPPROTO_ICMPV6;
    pseudo.payload_len = rte_cpu_to_be_16(len);
    sum = (uint32_t)rte_ipv6_phdr_cksum(&pseudo, 0) + rte_raw_cksum(message, len);
    return __rte_raw_cksum_reduce(sum) == 0xffff;
}

/* Goes through the options for the MAC. */
static int options_read(const uint8_t *bytes, uint32_t len, struct nd *nd)
{
    uint8_t wanted = nd->type == ND_SOLICIT ? OPTION_SOURCE : OPTION_TARGET;

    while (len > 0) {
        uint32_t size = len >= OPTION_UNIT ? bytes[1] * OPTION_UNIT : 0;

        if (size == 0 || size > len)
            return -EINVAL;
        if (bytes[0] == wanted && size == OPTION_UNIT) {
            memcpy(&nd->mac, bytes + 2, sizeof(nd->mac));
            nd->has_mac = true;
        }
        bytes += size;
        len -= size;
    }
    return nd->has_mac && !rte_is_valid_assigned_ether_addr(&nd->mac) ? -EINVAL : 0;
}

/* What the two types ask of the addresses. */
static int addresses_check(const struct nd *nd)
{
    bool to_group = ip6_is_multicast(&nd->dst);

    if (ip6_is_multicast(&nd->target) || ip6_is_multicast(&nd->src))
        return -EINVAL;
    if (nd->type == ND_ADVERT)
        return to_group && (nd->flags & ND_IS_SOLICITED) ? -EINVAL : 0;
    return ip6_is_unspecified(&nd->src) && (!to_group || nd->has_mac) ? -EINVAL : 0;
}

int nd_read(const struct rte_mbuf *frame, struct nd *nd_r)
{
    const struct rte_ipv6_hdr *ip = frame_l3_at(frame);
    const struct message *message = frame_l4_at(frame);
    uint32_t len = length_of(frame, ip);
    struct nd nd;

    if (len == 0)
        return -EINVAL;
    if (message->type != ND_SOLICIT && message->type != ND_ADVERT)
        return -ENOENT;
    if (ip->hop_limits != HOP_LIMIT || message->code != 0 || !checksum_is_right(ip, message, len))
        return -EINVAL;
    nd = (struct nd){ .type = message->type,
                      .flags = message->type == ND_ADVERT ? message->flags : 0,
                      .src = address_of6(ip->src_addr),
                      .dst = address_of6(ip->dst_addr),
                      .target = address_of6(message->target) };
    if (options_read((const uint8_t *)(message + 1), len - sizeof(*message), &nd) ||
        addresses_check(&nd))
        return -EINVAL;
    *nd_r = nd;
    return 0;
}

/* The length of the ICMPv6 message, which is put behind the IPv6 header. */
static uint16_t message_put(void *at, const struct rte_ipv6_hdr *ip, const struct nd *nd)
{
    struct {
        struct message message;
        struct option option;
    } whole = { .message = { .type = nd->type, .flags = nd->flags } };
    struct rte_ipv6_hdr pseudo = *ip;
    uint16_t len = sizeof(struct message);

    address_to6(&nd->target, whole.message.target);
    if (nd->has_mac) {
        whole.option.type = nd->type == ND_SOLICIT ? OPTION_SOURCE : OPTION_TARGET;
        whole.option.units = 1;
        whole.option.mac = nd->mac;
        len = sizeof(whole);
    }
    pseudo.payload_len = rte_cpu_to_be_16(len);
    whole.message.checksum = ~__rte_raw_cksum_reduce((uint32_t)rte_ipv6_phdr_cksum(&pseudo, 0) +
                                                     rte_raw_cksum(&whole, len));
    memcpy(at, &whole, len);
    return len;
}

struct rte_mbuf *nd_make(struct rte_mempool *pool, const struct nd *nd,
                         const struct rte_ether_addr *from, const struct rte_ether_addr *to)
{
    struct rte_ether_hdr ether = { *to, *from, RTE_BE16(RTE_ETHER_TYPE_IPV6) };
    struct rte_ipv6_hdr ip = { .vtc_flow = RTE_BE32(6u << 28),
                               .proto = IPPROTO_ICMPV6,
                               .hop_limits = HOP_LIMIT };
    uint16_t room = sizeof(ether) + sizeof(ip) + sizeof(struct message) + sizeof(struct option),
             len;
    struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
    char *bytes = frame ? rte_pktmbuf_append(frame, room) : NULL;

    if (!bytes) {
        rte_pktmbuf_free(frame);
        return NULL;
    }
    address_to6(&nd->src, ip.src_addr);
    address_to6(&nd->dst, ip.dst_addr);
    len = message_put(bytes + sizeof(ether) + sizeof(ip), &ip, nd);
    ip.payload_len = rte_cpu_to_be_16(len);
    memcpy(bytes, &ether, sizeof(ether));
    memcpy(bytes + sizeof(ether), &ip, sizeof(ip));
    rte_pktmbuf_trim(frame, sizeof(struct message) + sizeof(struct option) - len);
    return frame;
}

struct rte_ether_addr nd_group_mac(const struct address *group)
{
    uint32_t low = (uint32_t)group->lo;

    return (struct rte_ether_addr){ { 0x33, 0x33, low >> 24, low >> 16 & 0xff, low >> 8 & 0xff,
                                      low & 0xff } };
}
