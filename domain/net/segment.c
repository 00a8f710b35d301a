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

#define IPV4_MAX 60 /* bytes of a header with all its options */

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

/*
 * What the headers of the pieces have in common, or count up from. The last piece may be shorter than the
 * others, whose sums are made once.
 */
struct cut {
    const struct rte_mbuf *frame;
    uint32_t seq, l4;
    uint16_t nr, ipv4_id;
    uint16_t ipv4_sum; /* over the others' headers, without identification */
    uint16_t pseudo_sum; /* of the others */
    uint8_t tcp_flags;
};

static void ipv4_length_set(struct rte_ipv4_hdr *ip, uint32_t len)
{
    ip->total_length = rte_cpu_to_be_16(len);
    ip->packet_id = 0;
    ip->hdr_checksum = 0;
}

static void cut_begin(struct cut *cut, const struct rte_mbuf *frame, uint16_t nr)
{
    const char *l3 = rte_pktmbuf_mtod_offset(frame, const char *, frame->l2_len);
    const struct rte_tcp_hdr *tcp = (const void *)(l3 + frame->l3_len);
    uint32_t len = frame->l3_len + frame->l4_len + frame->tso_segsz;

    *cut = (struct cut){ .frame = frame,
                         .seq = rte_be_to_cpu_32(tcp->sent_seq),
                         .l4 = frame->l2_len + frame->l3_len,
                         .nr = nr,
                         .tcp_flags = tcp->tcp_flags };
    if (frame->ol_flags & RTE_MBUF_F_TX_IPV4) {
        union {
            struct rte_ipv4_hdr ip;
            char bytes[IPV4_MAX];
        } u;

        memcpy(u.bytes, l3, frame->l3_len);
        cut->ipv4_id = rte_be_to_cpu_16(u.ip.packet_id);
        ipv4_length_set(&u.ip, len);
        cut->ipv4_sum = rte_raw_cksum(&u, frame->l3_len);
        cut->pseudo_sum = rte_ipv4_phdr_cksum(&u.ip, 0);
    } else {
        struct rte_ipv6_hdr ip;

        memcpy(&ip, l3, sizeof(ip));
        ip.payload_len = rte_cpu_to_be_16(len - sizeof(ip));
        cut->pseudo_sum = rte_ipv6_phdr_cksum(&ip, 0);
    }
}

/* The IPv4 header of piece i; returns the pseudo-header sum. */
static uint16_t ipv4_finish(const struct cut *cut, struct rte_mbuf *piece, uint16_t i)
{
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(piece, struct rte_ipv4_hdr *, piece->l2_len);
    uint32_t sum = cut->ipv4_sum;
    bool last = i == cut->nr - 1;

    ipv4_length_set(ip, piece->pkt_len - piece->l2_len);
    if (last)
        sum = rte_raw_cksum(ip, rte_ipv4_hdr_len(ip));
    ip->packet_id = rte_cpu_to_be_16(cut->ipv4_id + i);
    sum += ip->packet_id;
    sum = (sum >> 16) + (sum & 0xffff);
    ip->hdr_checksum = sum == 0xffff ? 0xffff : (uint16_t)~sum;
    return last ? rte_ipv4_phdr_cksum(ip, 0) : cut->pseudo_sum;
}

static uint16_t ipv6_finish(const struct cut *cut, struct rte_mbuf *piece, uint16_t i)
{
    struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(piece, struct rte_ipv6_hdr *, piece->l2_len);

    ip->payload_len = rte_cpu_to_be_16(piece->pkt_len - piece->l2_len - sizeof(*ip));
    return i == cut->nr - 1 ? rte_ipv6_phdr_cksum(ip, 0) : cut->pseudo_sum;
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

/* Make the headers and the metadata of piece i. */
static void piece_finish(const struct cut *cut, struct rte_mbuf *piece, uint16_t i)
{
    const struct rte_mbuf *frame = cut->frame;
    struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(piece, struct rte_tcp_hdr *, cut->l4);

    tcp->sent_seq = rte_cpu_to_be_32(cut->seq + (uint32_t)i * frame->tso_segsz);
    tcp->tcp_flags = tcp_flags_of(cut->tcp_flags, i == 0, i == cut->nr - 1);
    if (frame->ol_flags & RTE_MBUF_F_TX_IPV4)
        tcp->cksum = ipv4_finish(cut, piece, i);
    else
        tcp->cksum = ipv6_finish(cut, piece, i);
    piece->ol_flags &= ~(RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK);
    piece->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    piece->vlan_tci = frame->vlan_tci;
    piece->packet_type = frame->packet_type;
    piece->hash.usr = frame->hash.usr;
    piece->tso_segsz = 0; /* last: of the frame itself, too, where it is the first piece */
}

int segment_frame(struct rte_mbuf *frame, struct rte_mempool *pool, struct rte_mbuf **pieces,
                  uint16_t max)
{
    uint32_t payload, wanted;
    struct cut cut;
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
    if (nr < 0)
        return nr;
    cut_begin(&cut, frame, (uint16_t)nr);
    for (uint16_t i = 0; i < nr; i++)
        piece_finish(&cut, pieces[i], i);
    return nr;
}

/* May a segment of the frame become a piece of its own, len bytes of payload, in its own buffer? */
static bool is_piece(const struct rte_mbuf *segment, uint32_t data_len, uint32_t headroom)
{
    return segment->data_len == data_len && rte_pktmbuf_headroom(segment) >= headroom &&
           rte_mbuf_refcnt_read(segment) == 1 && RTE_MBUF_DIRECT(segment);
}

static bool lies_as_pieces(const struct rte_mbuf *frame)
{
    uint32_t headers = header_len(frame), left = frame->pkt_len - headers - frame->tso_segsz;

    if (frame->nb_segs < 2 || !is_piece(frame, headers + frame->tso_segsz, 0))
        return false;
    for (const struct rte_mbuf *segment = frame->next; segment; segment = segment->next) {
        uint32_t payload = RTE_MIN(left, (uint32_t)frame->tso_segsz);

        if (payload == 0 || !is_piece(segment, payload, headers))
            return false;
        left -= payload;
    }
    return left == 0;
}

int segment_in_place(struct rte_mbuf *frame, struct rte_mbuf **pieces, uint16_t max)
{
    struct cut cut;
    uint32_t headers;
    uint16_t nr = 0;

    if (!headers_fit(frame) || frame->nb_segs > max || !lies_as_pieces(frame))
        return 0;
    headers = header_len(frame);
    cut_begin(&cut, frame, frame->nb_segs);
    for (struct rte_mbuf *segment = frame, *next; segment; segment = next) {
        next = segment->next;
        segment->next = NULL;
        pieces[nr++] = segment;
    }
    frame->pkt_len = frame->data_len;
    frame->nb_segs = 1;
    /* The first, whose headers the others are made of, comes last. */
    for (uint16_t i = nr; i-- > 0;) {
        struct rte_mbuf *piece = pieces[i];

        if (i > 0) {
            memcpy(rte_pktmbuf_prepend(piece, (uint16_t)headers),
                   rte_pktmbuf_mtod(frame, const char *), headers);
            piece->pkt_len = piece->data_len;
            piece->ol_flags = frame->ol_flags;
            piece->tx_offload = frame->tx_offload;
        }
        piece_finish(&cut, piece, i);
    }
    return nr;
}
