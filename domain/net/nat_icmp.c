/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_icmp.h"

#include <rte_ip.h>

#include "net/checksum.h"
#include "net/frame.h"
#include "net/nat_rewrite.h"

#define ICMP_CHECKSUM 2
#define ICMP_LEN 8u

/* How much of the embedded packet lies in the first segment. */
static uint32_t embedded_have(const struct rte_mbuf *frame)
{
    uint32_t end = RTE_MIN(frame_packet_end(frame), (uint32_t)frame->data_len);
    uint32_t at = frame->l2_len + frame->l3_len + ICMP_LEN;

    return end > at ? end - at : 0;
}

static uint8_t *embedded_at(const struct rte_mbuf *frame)
{
    return (uint8_t *)frame_l4_at(frame) + ICMP_LEN;
}

static int embedded_read(const struct rte_mbuf *frame, struct nat_packet *packet_r)
{
    return nat_packet_read_embedded(embedded_at(frame), embedded_have(frame), frame_is_ipv6(frame),
                                    packet_r);
}

/*
 * RFC 5508 REQ-3. (The checksum of the embedded IP header is not looked at, as REQ-3 a has it: there are routers
 * that count TTL down first.) Only short frames have something behind their packet.
 */
static bool is_checksum_right(const struct rte_mbuf *frame)
{
    uint32_t at = frame->l2_len + frame->l3_len, end = frame_packet_end(frame);

    if (end <= frame->data_len)
        return rte_raw_cksum(frame_l4_at(frame), end - at) == 0xffff;
    return checksum_sum_from(frame, at) == 0xffff;
}

/* Of an error that is to be translated. */
static int embedded_check(const struct rte_mbuf *frame, struct nat_packet *packet_r)
{
    return is_checksum_right(frame) ? embedded_read(frame, packet_r) : -NAT_BAD;
}

/* Change one end of the embedded packet, and the error's checksum with it. */
static void embedded_rewrite(struct rte_mbuf *frame, bool is_source,
                             const struct nat_endpoint *endpoint)
{
    struct nat_bytes packet = { .ip = embedded_at(frame), .have = embedded_have(frame) };

    nat_checksum_adjust((uint8_t *)frame_l4_at(frame) + ICMP_CHECKSUM,
                        nat_rewrite(&packet, is_source, endpoint));
}

/* Change the error's own address: its checksum does not cover that. */
static void outer_rewrite(struct rte_mbuf *frame, bool is_source, rte_be32_t address)
{
    struct nat_bytes packet = { .ip = frame_l3_at(frame), .is_later = true };

    nat_rewrite(&packet, is_source, &(struct nat_endpoint){ .address = address });
}

/* What the guest was sent, it sends back: RFC 5508 REQ-5. */
int nat_icmp_out(struct rte_mbuf *frame, uint8_t guest, uint8_t outside, rte_be32_t address,
                 uint64_t now)
{
    struct nat_packet embedded;
    int error = embedded_check(frame, &embedded);
    struct nat_flow *flow;
    struct nat_key key;

    if (error)
        return error;
    key = nat_key_of(&embedded, guest, outside, false);
    flow = nat_flow_find(&key, now);
    if (!flow || flow->outside_address != address)
        return -NAT_NO_FLOW;
    embedded_rewrite(frame, false, &(struct nat_endpoint){ address, flow->outside_port });
    outer_rewrite(frame, true, address);
    return 0;
}

/* What has left comes back: RFC 5508 REQ-4. */
int nat_icmp_in(struct rte_mbuf *frame, uint8_t outside, rte_be32_t address, uint64_t now,
                uint8_t *guest_r)
{
    struct nat_packet embedded;
    int error = embedded_check(frame, &embedded);
    struct nat_flow *flow;

    if (error)
        return error;
    flow = nat_flow_find_outside(&embedded, outside, true, now);
    if (!flow || embedded.src.words[0] != address)
        return -NAT_NO_FLOW;
    embedded_rewrite(frame, true,
                     &(struct nat_endpoint){ flow->key.inside.words[0], flow->key.inside_port });
    outer_rewrite(frame, false, flow->key.inside.words[0]);
    *guest_r = flow->key.guest;
    return 0;
}

int nat_icmp_track(struct rte_mbuf *frame, uint8_t guest, uint8_t outside, bool from_guest,
                   uint64_t now, struct nat_flow **flow_r)
{
    struct nat_packet embedded;
    int error = embedded_read(frame, &embedded);
    struct nat_key key;

    if (error)
        return error;
    key = nat_key_of(&embedded, guest, outside, !from_guest);
    *flow_r = nat_flow_find(&key, now);
    return *flow_r ? 0 : -NAT_NO_FLOW;
}
