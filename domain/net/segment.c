/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/segment.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "net/checksum.h"
#include "net/frame.h"

static uint32_t header_len(const struct rte_mbuf *frame)
{
    return frame->l2_len + frame->l3_len + frame->l4_len;
}

/*
 * Are the headers what the flags say, with something to cut behind them? Extension headers would have to
 * be looked through for lengths of their own.
 */
static bool headers_fit(struct rte_mbuf *frame)
{
    bool v4 = frame->ol_flags & RTE_MBUF_F_TX_IPV4, v6 = frame->ol_flags & RTE_MBUF_F_TX_IPV6;

    if (!(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG) || v4 == v6 || frame->tso_segsz == 0)
        return false;
    frame_parse(frame);
    if (frame_l4(frame) != RTE_PTYPE_L4_TCP || header_len(frame) >= frame->pkt_len)
        return false;
    return v4 ? frame_is_ipv4(frame)
              : frame_is_ipv6(frame) && frame->l3_len == sizeof(struct rte_ipv6_hdr);
}

/* Cut by reference: each piece has the headers in one segment and points at the payload. */
static int cut_by_reference(struct rte_mbuf *frame, struct rte_mempool *pool,
                            struct rte_mbuf **pieces, uint16_t max)
{
    uint64_t ol_flags = frame->ol_flags;
    struct rte_gso_ctx ctx = {
        .direct_pool = pool,
        .indirect_pool = pool,
        .gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO,
        .gso_size = header_len(frame) + frame->tso_segsz,
    };
    int n = rte_gso_segment(frame, &ctx, pieces, max);

    frame->ol_flags = ol_flags; /* the library clears _TCP_SEG */
    return n == 0 ? -EINVAL : n;
}

/*
 * Cut by copying. The copy of a piece starts as many bytes before its payload
 * as the headers are long, and the headers go over what was copied there.
 */
static int cut_by_copy(const struct rte_mbuf *frame, struct rte_mempool *pool,
                       struct rte_mbuf **pieces, uint16_t nr)
{
    uint32_t headers = header_len(frame);

    for (uint16_t i = 0; i < nr; i++) {
        uint32_t from = (uint32_t)i * frame->tso_segsz;

        pieces[i] = rte_pktmbuf_copy(frame, pool, from, headers + frame->tso_segsz);
        if (!pieces[i] || pieces[i]->data_len < headers) {
            rte_pktmbuf_free_bulk(pieces, pieces[i] ? i + 1u : i);
            return -ENOMEM;
        }
        memcpy(rte_pktmbuf_mtod(pieces[i], char *), rte_pktmbuf_mtod(frame, const char *), headers);
    }
    return nr;
}

static uint16_t ipv4_finish(struct rte_mbuf *piece, const struct rte_ipv4_hdr *whole, uint16_t i)
{
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(piece, struct rte_ipv4_hdr *, piece->l2_len);

    ip->total_length = rte_cpu_to_be_16(piece->pkt_len - piece->l2_len);
    ip->packet_id = rte_cpu_to_be_16(rte_be_to_cpu_16(whole->packet_id) + i);
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    return rte_ipv4_phdr_cksum(ip, 0);
}

static uint16_t ipv6_finish(struct rte_mbuf *piece)
{
    struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(piece, struct rte_ipv6_hdr *, piece->l2_len);

    ip->payload_len = rte_cpu_to_be_16(piece->pkt_len - piece->l2_len - sizeof(*ip));
    return rte_ipv6_phdr_cksum(ip, 0);
}

static uint8_t tcp_flags_of(uint8_t whole, bool first, bool last)
{
    uint8_t flags = whole;

    if (!first)
        flags &= ~RTE_TCP_CWR_FLAG;
    if (!last)
        flags &= ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
    return flags;
}

/* Make the headers and the metadata of one piece. */
static void piece_finish(const struct rte_mbuf *frame, struct rte_mbuf *piece, uint16_t i,
                         bool last)
{
    uint32_t l4 = frame->l2_len + frame->l3_len;
    const struct rte_tcp_hdr *whole =
        rte_pktmbuf_mtod_offset(frame, const struct rte_tcp_hdr *, l4);
    struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(piece, struct rte_tcp_hdr *, l4);
    uint32_t seq = rte_be_to_cpu_32(whole->sent_seq) + (uint32_t)i * frame->tso_segsz;

    tcp->sent_seq = rte_cpu_to_be_32(seq);
    tcp->tcp_flags = tcp_flags_of(whole->tcp_flags, i == 0, last);
    if (frame->ol_flags & RTE_MBUF_F_TX_IPV4)
        tcp->cksum = ipv4_finish(
            piece, rte_pktmbuf_mtod_offset(frame, const struct rte_ipv4_hdr *, frame->l2_len), i);
    else
        tcp->cksum = ipv6_finish(piece);
    piece->ol_flags &= ~(RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK);
    piece->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    piece->tso_segsz = 0;
    piece->vlan_tci = frame->vlan_tci;
    piece->packet_type = frame->packet_type;
    piece->hash.usr = frame->hash.usr;
}

int segment_frame(struct rte_mbuf *frame, struct rte_mempool *pool, struct rte_mbuf **pieces,
                  uint16_t max)
{
    uint32_t payload, wanted;
    int nr;

    if (!headers_fit(frame))
        return -EINVAL;
    payload = frame->pkt_len - header_len(frame);
    wanted = (payload + frame->tso_segsz - 1) / frame->tso_segsz;
    if (wanted > max)
        return -E2BIG;
    if (wanted > 1 && (frame->ol_flags & RTE_MBUF_F_TX_IPV4))
        nr = cut_by_reference(frame, pool, pieces, max);
    else
        nr = cut_by_copy(frame, pool, pieces, wanted);
    for (int i = 0; i < nr; i++)
        piece_finish(frame, pieces[i], i, i == nr - 1);
    return nr;
}
