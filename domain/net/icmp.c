/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/icmp.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_ip.h>

#include "net/checksum.h"
#include "net/frame.h"

#define HOP_LIMIT 64
#define PACKET_MAX4 576
#define PACKET_MAX6 1280
#define PRECEDENCE 0xc0 /* of internetwork control; RFC 1812, 4.3.2.5 */

#define ECHO_ANSWER4 0
#define ECHO_REQUEST4 8
#define ECHO_REQUEST6 128
#define ECHO_ANSWER6 129
#define REDIRECT6 137

struct message {
    uint8_t type, code;
    rte_be16_t checksum;
    rte_be32_t word;
} __rte_packed __rte_aligned(2);

/* The type of the ICMP message in a frame, its first fragment's too; -1 if it is not there. */
static int type_of(const struct rte_mbuf *frame)
{
    uint32_t at = frame->l2_len + frame->l3_len;

    return at < frame->data_len ? *(const uint8_t *)frame_l4_at(frame) : -1;
}

static bool is_to_group(const struct rte_mbuf *frame)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

    return !rte_is_unicast_ether_addr(&ether->dst_addr);
}

/* Queries are known; whatever else there is may be an error. */
static bool is_query4(int type)
{
    return type == ECHO_REQUEST4 || type == ECHO_ANSWER4 || (type >= 13 && type <= 18);
}

bool icmp4_error_is_allowed(const struct rte_mbuf *frame)
{
    const struct rte_ipv4_hdr *ip = frame_l3_at(frame);

    if (is_to_group(frame) || !ip4_is_host(ip->src_addr) || !ip4_is_host(ip->dst_addr))
        return false;
    if (frame_l4(frame) == RTE_PTYPE_L4_FRAG && frame_fragment_offset(frame) > 0)
        return false;
    return frame_protocol(frame) != IPPROTO_ICMP || is_query4(type_of(frame));
}

bool icmp6_error_is_allowed(const struct rte_mbuf *frame, bool is_too_big)
{
    const struct rte_ipv6_hdr *ip = frame_l3_at(frame);
    struct address src = address_of6(ip->src_addr), dst = address_of6(ip->dst_addr);
    int type;

    if (!ip6_is_host(&src) || (!is_too_big && (ip6_is_multicast(&dst) || is_to_group(frame))))
        return false;
    if (frame_l4(frame) == RTE_PTYPE_L4_FRAG && frame_fragment_offset(frame) > 0)
        return false;
    if (frame_protocol(frame) != IPPROTO_ICMPV6)
        return true;
    type = type_of(frame);
    return type >= ECHO_REQUEST6 && type != REDIRECT6;
}

/* A new frame with room for headers of an error, behind which the packet's beginning is quoted. */
static struct rte_mbuf *quote(struct rte_mempool *pool, const struct rte_mbuf *frame,
                              uint32_t total, uint32_t headers, uint32_t max)
{
    uint32_t len = RTE_MIN(RTE_MIN(total, frame->pkt_len - frame->l2_len), max - headers);
    struct rte_mbuf *error = rte_pktmbuf_alloc(pool);
    const void *from;
    char *bytes;

    if (!error)
        return NULL;
    bytes = rte_pktmbuf_append(error, RTE_ETHER_HDR_LEN + headers + len);
    if (!bytes) {
        rte_pktmbuf_free(error);
        return NULL;
    }
    memset(bytes, 0, RTE_ETHER_HDR_LEN + headers);
    bytes += RTE_ETHER_HDR_LEN + headers;
    from = rte_pktmbuf_read(frame, frame->l2_len, len, bytes);
    if (from != bytes)
        memcpy(bytes, from, len);
    return error;
}

static void ethertype_put(struct rte_mbuf *frame, uint16_t type)
{
    rte_pktmbuf_mtod(frame, struct rte_ether_hdr *)->ether_type = rte_cpu_to_be_16(type);
}

struct rte_mbuf *icmp4_error_make(struct rte_mempool *pool, const struct rte_mbuf *frame,
                                  rte_be32_t from, const struct icmp_error *error)
{
    const struct rte_ipv4_hdr *about = frame_l3_at(frame);
    struct message message = { error->type, error->code, 0, rte_cpu_to_be_32(error->word) };
    struct rte_ipv4_hdr ip = { .version_ihl = RTE_IPV4_VHL_DEF,
                               .type_of_service = PRECEDENCE | (about->type_of_service & 0x1e),
                               .fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
                               .time_to_live = HOP_LIMIT,
                               .next_proto_id = IPPROTO_ICMP,
                               .src_addr = from,
                               .dst_addr = about->src_addr };
    struct rte_mbuf *made = quote(pool, frame, rte_be_to_cpu_16(about->total_length),
                                  sizeof(ip) + sizeof(message), PACKET_MAX4);
    uint8_t *bytes;

    if (!made)
        return NULL;
    ethertype_put(made, RTE_ETHER_TYPE_IPV4);
    bytes = rte_pktmbuf_mtod_offset(made, uint8_t *, RTE_ETHER_HDR_LEN);
    ip.total_length = rte_cpu_to_be_16(made->pkt_len - RTE_ETHER_HDR_LEN);
    ip.hdr_checksum = rte_ipv4_cksum(&ip);
    memcpy(bytes, &ip, sizeof(ip));
    memcpy(bytes + sizeof(ip), &message, sizeof(message));
    message.checksum = ~checksum_sum_from(made, RTE_ETHER_HDR_LEN + sizeof(ip));
    memcpy(bytes + sizeof(ip), &message, sizeof(message));
    return made;
}

struct rte_mbuf *icmp6_error_make(struct rte_mempool *pool, const struct rte_mbuf *frame,
                                  const struct address *from, const struct icmp_error *error)
{
    const struct rte_ipv6_hdr *about = frame_l3_at(frame);
    struct message message = { error->type, error->code, 0, rte_cpu_to_be_32(error->word) };
    struct rte_ipv6_hdr ip = { .vtc_flow = RTE_BE32(6u << 28),
                               .proto = IPPROTO_ICMPV6,
                               .hop_limits = HOP_LIMIT };
    struct rte_mbuf *made = quote(pool, frame, sizeof(ip) + rte_be_to_cpu_16(about->payload_len),
                                  sizeof(ip) + sizeof(message), PACKET_MAX6);
    uint8_t *bytes;

    if (!made)
        return NULL;
    ethertype_put(made, RTE_ETHER_TYPE_IPV6);
    bytes = rte_pktmbuf_mtod_offset(made, uint8_t *, RTE_ETHER_HDR_LEN);
    address_to6(from, ip.src_addr);
    memcpy(ip.dst_addr, about->src_addr, sizeof(ip.dst_addr));
    ip.payload_len = rte_cpu_to_be_16(made->pkt_len - RTE_ETHER_HDR_LEN - sizeof(ip));
    memcpy(bytes, &ip, sizeof(ip));
    memcpy(bytes + sizeof(ip), &message, sizeof(message));
    message.checksum =
        ~__rte_raw_cksum_reduce((uint32_t)rte_ipv6_phdr_cksum(&ip, 0) +
                                checksum_sum_from(made, RTE_ETHER_HDR_LEN + sizeof(ip)));
    memcpy(bytes + sizeof(ip), &message, sizeof(message));
    return made;
}

/* Change the type of a message whose checksum is right. Source: RFC 1624, equation 3. */
static void type_change(struct message *message, uint8_t type)
{
    uint8_t old[2] = { message->type, message->code }, new[2] = { type, message->code };
    uint16_t was, is;

    memcpy(&was, old, sizeof(was));
    memcpy(&is, new, sizeof(is));
    message->type = type;
    message->checksum =
        ~__rte_raw_cksum_reduce((uint32_t)(uint16_t)~message->checksum + (uint16_t)~was + is);
}

/* None of the options of a request is right in its answer. */
static void options_disable(struct rte_ipv4_hdr *ip, uint32_t len)
{
    memset(ip + 1, RTE_IPV4_HDR_OPT_NOP, len - sizeof(*ip));
}

int icmp4_echo_answer(struct rte_mbuf *frame)
{
    struct rte_ipv4_hdr *ip = frame_l3_at(frame);
    struct message *message = frame_l4_at(frame);
    rte_be32_t addr = ip->src_addr;

    if (frame_l4(frame) != RTE_PTYPE_L4_ICMP || message->type != ECHO_REQUEST4)
        return -ENOENT;
    if (message->code != 0 || checksum_sum_from(frame, frame->l2_len + frame->l3_len) != 0xffff)
        return -EINVAL;
    type_change(message, ECHO_ANSWER4);
    ip->src_addr = ip->dst_addr;
    ip->dst_addr = addr;
    ip->time_to_live = HOP_LIMIT;
    options_disable(ip, frame->l3_len);
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    return 0;
}

static bool checksum6_is_right(const struct rte_mbuf *frame)
{
    uint32_t sum = (uint32_t)rte_ipv6_phdr_cksum(frame_l3_at(frame), 0) +
                   checksum_sum_from(frame, frame->l2_len + frame->l3_len);

    return __rte_raw_cksum_reduce(sum) == 0xffff;
}

/*
 * Behind extension headers (a routing header changes what the checksum covers) nothing is answered.
 */
int icmp6_echo_answer(struct rte_mbuf *frame)
{
    struct rte_ipv6_hdr *ip = frame_l3_at(frame);
    struct message *message = frame_l4_at(frame);
    uint8_t addr[16];

    if (frame_l4(frame) != RTE_PTYPE_L4_ICMP || message->type != ECHO_REQUEST6)
        return -ENOENT;
    if (frame->l3_len != sizeof(*ip) || message->code != 0 || !checksum6_is_right(frame))
        return -EINVAL;
    type_change(message, ECHO_ANSWER6);
    memcpy(addr, ip->src_addr, sizeof(addr));
    memcpy(ip->src_addr, ip->dst_addr, sizeof(addr));
    memcpy(ip->dst_addr, addr, sizeof(addr));
    ip->hop_limits = HOP_LIMIT;
    return 0;
}
