/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/tx_frame.h"

#include <errno.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "net/frame.h"
#include "xen/frames.h"
#include "xen/log.h"

_Static_assert(TX_FRAME_SEGS_MAX *VIF_MBUF_ROOM >= XEN_NETIF_MAX_TX_SIZE,
               "any packet fits into so many mbufs");

bool tx_frame_lies_as_pieces(uint32_t len, uint16_t headers, uint16_t gso_size)
{
    return gso_size > 0 && (uint32_t)headers + gso_size <= VIF_MBUF_ROOM &&
           len > (uint32_t)headers + gso_size &&
           len <= headers + (uint32_t)gso_size * TX_FRAME_SEGS_MAX;
}

void tx_stock_fill(struct tx_stock *stock, unsigned int nr)
{
    stock->nr = rte_pktmbuf_alloc_bulk(stock->pool, stock->mbufs, nr) == 0 ? nr : 0;
}

void tx_stock_return(struct tx_stock *stock)
{
    if (stock->nr > 0)
        rte_pktmbuf_free_bulk(stock->mbufs, stock->nr);
    stock->nr = 0;
}

/* left: bytes that the frame needs room for yet. */
static struct rte_mbuf *stock_take(struct tx_stock *stock, uint32_t left)
{
    if (stock->nr == 0 && left > VIF_MBUF_ROOM)
        tx_stock_fill(stock, RTE_MIN(left / VIF_MBUF_ROOM, (uint32_t)PORT_BURST));
    return stock->nr > 0 ? stock->mbufs[--stock->nr] : rte_pktmbuf_alloc(stock->pool);
}

struct rte_mbuf *tx_frame_alloc(struct tx_stock *stock, uint32_t len, uint16_t first, uint16_t rest)
{
    struct rte_mbuf *frame = NULL, *last = NULL;
    uint32_t left = len;

    while (left) {
        struct rte_mbuf *seg = stock_take(stock, left);

        if (!seg) {
            rte_pktmbuf_free(frame);
            return NULL;
        }
        seg->data_len = (uint16_t)RTE_MIN(left, frame ? rest : first);
        left -= seg->data_len;
        if (frame) {
            last->next = seg;
            frame->nb_segs++;
        } else {
            frame = seg;
            frame->pkt_len = len;
        }
        last = seg;
    }
    return frame;
}

/* done: bytes of the slot that are behind us. */
static inline gnttab_copy_t copy_from(const struct tx_slot *slot, uint32_t done, domid_t guest,
                                      const uint8_t *to, uint32_t len)
{
    return (gnttab_copy_t){
        .source = { .u.ref = slot->gref,
                    .domid = guest,
                    .offset = (uint16_t)(slot->offset + done) },
        .dest = { .u.gmfn = virt_to_mfn(to),
                  .domid = DOMID_SELF,
                  .offset = (uint16_t)((uintptr_t)to & ~PAGE_MASK) },
        .len = (uint16_t)len,
        .flags = GNTCOPY_source_gref,
        .status = GNTST_general_error,
    };
}

static unsigned int chain_ops(struct rte_mbuf *frame, const struct tx_packet *packet, domid_t guest,
                              gnttab_copy_t *ops)
{
    struct rte_mbuf *seg = frame;
    uint32_t filled = 0; /* of seg */
    unsigned int nr = 0;

    for (unsigned int i = 0; i < packet->nr_slots; i++) {
        const struct tx_slot *slot = &packet->slots[i];

        for (uint32_t done = 0, chunk; done < slot->size; done += chunk, filled += chunk) {
            const uint8_t *to;

            if (filled == seg->data_len) {
                seg = seg->next;
                filled = 0;
            }
            to = rte_pktmbuf_mtod_offset(seg, const uint8_t *, filled);
            chunk = RTE_MIN(slot->size - done, seg->data_len - filled);
            chunk = RTE_MIN(chunk, (uint32_t)(PAGE_SIZE - ((uintptr_t)to & ~PAGE_MASK)));
            if (slot->page) {
                memcpy(rte_pktmbuf_mtod_offset(seg, uint8_t *, filled),
                       slot->page + slot->offset + done, chunk);
                continue;
            }
            INVARIANT(nr < TX_FRAME_OPS_MAX);
            ops[nr++] = copy_from(slot, done, guest, to, chunk);
        }
    }
    return nr;
}

/* A short packet in one slot, for an mbuf that has all of it in one page: most are. */
static bool is_one_copy(const struct rte_mbuf *frame, const struct tx_packet *packet)
{
    uintptr_t to = (uintptr_t)rte_pktmbuf_mtod(frame, const uint8_t *);

    return packet->nr_slots == 1 && frame->nb_segs == 1 && !packet->slots[0].page &&
           packet->slots[0].size == frame->data_len &&
           (to & ~PAGE_MASK) + frame->data_len <= PAGE_SIZE;
}

unsigned int tx_frame_ops(struct rte_mbuf *frame, const struct tx_packet *packet, domid_t guest,
                          gnttab_copy_t *ops)
{
    if (!is_one_copy(frame, packet))
        return chain_ops(frame, packet, guest, ops);
    *ops = copy_from(&packet->slots[0], 0, guest, rte_pktmbuf_mtod(frame, const uint8_t *),
                     frame->data_len);
    return 1;
}

/* A frame to be cut must have its checksum left over; some frontends forget to say so. */
static void pseudo_header_put(struct rte_mbuf *frame)
{
    struct rte_tcp_hdr *tcp = frame_l4_at(frame);

    tcp->cksum = frame_is_ipv6(frame) ? rte_ipv6_phdr_cksum(frame_l3_at(frame), 0)
                                      : rte_ipv4_phdr_cksum(frame_l3_at(frame), 0);
}

/* Is it what the guest calls it, and can it be cut (net/segment.h)? */
static bool is_cuttable(const struct rte_mbuf *frame, bool v6)
{
    return frame_l4(frame) == RTE_PTYPE_L4_TCP && frame_is_ipv6(frame) == v6 &&
           (!v6 || frame->l3_len == sizeof(struct rte_ipv6_hdr));
}

int tx_frame_describe(struct rte_mbuf *frame, bool csum_blank, bool data_validated,
                      uint16_t gso_size, bool gso_v6)
{
    uint32_t l4, payload;
    bool v6;

    if (!csum_blank && !gso_size) {
        if (data_validated)
            frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        return 0;
    }
    l4 = frame_parse(frame) & RTE_PTYPE_L4_MASK;
    v6 = frame_is_ipv6(frame);
    if (l4 != RTE_PTYPE_L4_TCP && l4 != RTE_PTYPE_L4_UDP)
        return -EPROTO;
    if (gso_size && !is_cuttable(frame, gso_v6))
        return -EPROTO;
    /* Whoever finishes a checksum, hardware too, may count all that is there. */
    if (frame->pkt_len > frame_packet_end(frame))
        frame_trim(frame);
    payload = frame_payload_to_cut(frame, gso_size);
    if (payload > (uint32_t)gso_size * PORT_SEGMENTS_MAX)
        return -EPROTO;
    if (gso_size && !csum_blank)
        pseudo_header_put(frame);
    frame->ol_flags |= v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    frame->ol_flags |= l4 == RTE_PTYPE_L4_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
    if (payload) {
        frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
        frame->tso_segsz = gso_size;
    }
    return 0;
}
