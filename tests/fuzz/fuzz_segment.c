/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting of frames that stand for several. Oracles: each piece is what RFC 9293 and the lengths say, written down
 * once more here, with sums by a slow reading of the RFCs (fuzz_tcp.h); cutting in place gives the same bytes as
 * cutting into new buffers; and merging the pieces, as a NIC on the other side of a wire does, gives the frame back.
 * What is refused costs no buffer and changes nothing.
 *
 * The input: shape, sizes and layout of the frame, then bytes of its headers that are written over.
 */
#include <errno.h>

#include "fuzz_mbuf.h"
#include "fuzz_tcp.h"
#include "net/checksum.h"
#include "net/frame.h"
#include "net/gro.h"
#include "net/port.h"
#include "net/segment.h"

#define LONGEST 40000
#define PIECES 256
#define FIN 0x01
#define PSH 0x08
#define ACK 0x10
#define CWR 0x80

static uint8_t whole[LONGEST + 192], flat[LONGEST + 192], expected[LONGEST + 192];
static uint32_t whole_len;
static struct fuzz_tcp tcp; /* of the whole */
static bool is_tcp, is_plain; /* as made, nothing written over */
static struct rte_mbuf *pieces[PIECES], *in_place[PIECES];
static uint16_t segsz;

static void whole_make(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);
    struct fuzz_tcp_shape shape = { .v6 = what & 1,
                                    .dont_fragment = what & 2,
                                    .nr_tags = what >> 2 & 3 ? (what >> 2 & 3) - 1 : 0,
                                    .tcp_words = what & 0x10 ? fuzz_u8(input) : 0,
                                    .ip_words = what & 0x20 ? fuzz_u8(input) : 0,
                                    .flags = what & 0x40 ? fuzz_u8(input) : ACK | PSH,
                                    .id = fuzz_u16(input),
                                    .seq = (uint32_t)fuzz_u16(input) << 16 | 0xff00 };

    shape.payload = fuzz_u16(input) % LONGEST;
    segsz = fuzz_u16(input) % 2048;
    whole_len = fuzz_tcp_make(whole, &shape);
    is_plain = !(what & 0x80);
    for (unsigned int i = 0; i < 4 && !is_plain && input->left; i++) {
        uint32_t at = fuzz_u8(input) % RTE_MIN(whole_len, 142u);

        whole[at] = fuzz_u8(input);
    }
    is_tcp = fuzz_tcp_read(whole, whole_len, &tcp) && tcp.end == whole_len;
    if (is_tcp) /* as whoever leaves the cutting to us leaves the sum */
        fuzz_be16_put(fuzz_tcp_sum_at(whole, &tcp), fuzz_tcp_pseudo(whole, &tcp));
}

/* Segments of these sizes: first, then each; headroom is what a buffer has in front. */
static struct rte_mbuf *whole_lay(uint32_t first, uint32_t each)
{
    struct rte_mbuf *frame = NULL, *last = NULL;

    for (uint32_t done = 0, part = RTE_MAX(first, 1u); done < whole_len;
         done += part, part = each) {
        struct rte_mbuf *seg = rte_pktmbuf_alloc(fuzz_pool());

        FUZZ_CHECK(seg && each > 0);
        part = RTE_MIN(RTE_MIN(part, whole_len - done), FUZZ_POOL_ROOM - RTE_PKTMBUF_HEADROOM);
        memcpy(rte_pktmbuf_mtod(seg, uint8_t *), whole + done, part);
        seg->data_len = (uint16_t)part;
        if (last)
            last->next = seg;
        else
            frame = seg;
        last = seg;
        frame->nb_segs = last == frame ? 1 : frame->nb_segs + 1;
    }
    frame->pkt_len = whole_len;
    return frame;
}

/* What its metadata says: mostly the truth. */
static void flags_put(struct rte_mbuf *frame, uint8_t lies)
{
    bool v6 = is_tcp && tcp.v6;

    frame->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
                      (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    if ((lies & 7) == 1)
        frame->ol_flags ^= RTE_MBUF_F_TX_IPV6;
    if ((lies & 7) == 2)
        frame->ol_flags ^= RTE_MBUF_F_TX_IPV4;
    if ((lies & 7) == 3)
        frame->ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG;
    frame->tso_segsz = segsz;
}

static uint32_t headers_len(void)
{
    return tcp.l2 + tcp.l3 + tcp.l4;
}

static uint32_t nr_wanted(void)
{
    return (whole_len - headers_len() + segsz - 1) / segsz;
}

/* Must it be cut, whatever else? */
static bool is_sound(const struct rte_mbuf *frame, uint8_t lies)
{
    return is_tcp && segsz && ((lies & 7) == 0 || (lies & 7) > 3) &&
           frame->data_len >= headers_len() && whole_len > headers_len();
}

/* The bytes that piece i must have. Returns their number. */
static uint32_t piece_expect(uint32_t i, uint32_t nr)
{
    struct fuzz_tcp own = tcp;
    uint32_t headers = headers_len(), from = headers + i * segsz;
    uint32_t len = RTE_MIN(whole_len - from, (uint32_t)segsz);
    uint8_t *ip = expected + tcp.l2, *l4 = ip + tcp.l3;

    memcpy(expected, whole, headers);
    memcpy(expected + headers, whole + from, len);
    own.end = headers + len;
    if (tcp.v6) {
        fuzz_be16_put(ip + 4, own.end - tcp.l2 - 40);
    } else {
        fuzz_be16_put(ip + 2, own.end - tcp.l2);
        fuzz_be16_put(ip + 4, fuzz_be16(whole + tcp.l2 + 4) + i);
    }
    fuzz_be32_put(l4 + 4, fuzz_be32(l4 + 4) + i * segsz);
    if (i > 0)
        l4[13] &= (uint8_t)~CWR;
    if (i < nr - 1)
        l4[13] &= (uint8_t) ~(FIN | PSH);
    fuzz_ip_sum_make(expected, &own);
    fuzz_tcp_sum_make(expected, &own);
    return own.end;
}

/* Finish a piece's sum and compare. 0 and 0xffff are the same sum. */
static void piece_check(struct rte_mbuf *piece, uint32_t i, uint32_t nr)
{
    uint32_t len = piece_expect(i, nr);
    struct fuzz_tcp own;
    const char *why;

    FUZZ_CHECK(rte_mbuf_check(piece, 1, &why) == 0);
    FUZZ_CHECK(piece->ol_flags ==
               (RTE_MBUF_F_TX_TCP_CKSUM | (tcp.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4)));
    FUZZ_CHECK(piece->l2_len == tcp.l2 && piece->l3_len == tcp.l3 && piece->l4_len == tcp.l4);
    FUZZ_CHECK(piece->tso_segsz == 0 && piece->data_len >= headers_len());
    FUZZ_CHECK(checksum_finish(piece) == 0);
    FUZZ_CHECK(fuzz_flatten(piece, flat, sizeof(flat)) == len);
    FUZZ_CHECK(fuzz_tcp_read(flat, len, &own) && own.end == len);
    FUZZ_CHECK(fuzz_tcp_is_right(flat, &own) && fuzz_ip_is_right(flat, &own));
    memcpy(fuzz_tcp_sum_at(expected, &own), fuzz_tcp_sum_at(flat, &own), 2);
    if (!own.v6)
        memcpy(expected + own.l2 + 10, flat + own.l2 + 10, 2);
    FUZZ_CHECK(memcmp(flat, expected, len) == 0);
}

static void unchanged_check(const struct rte_mbuf *frame)
{
    FUZZ_CHECK(fuzz_flatten(frame, flat, sizeof(flat)) == whole_len);
    FUZZ_CHECK(memcmp(flat, whole, whole_len) == 0);
}

/* What lies as its pieces becomes them; and if it does not, nothing has changed. */
static void in_place_check(uint32_t first, uint32_t each, uint8_t lies)
{
    struct rte_mbuf *frame = whole_lay(first, each);
    bool lies_right = is_sound(frame, lies) && first == headers_len() + segsz && each == segsz &&
                      segsz + headers_len() <= FUZZ_POOL_ROOM - RTE_PKTMBUF_HEADROOM &&
                      whole_len > headers_len() + segsz;
    uint16_t max = PIECES;
    int nr;

    flags_put(frame, lies);
    nr = segment_in_place(frame, in_place, max);
    /* The headers must have room in front of each piece. */
    FUZZ_CHECK(nr > 0 || !lies_right || headers_len() > RTE_PKTMBUF_HEADROOM || nr_wanted() > max);
    if (nr == 0) {
        unchanged_check(frame);
        rte_pktmbuf_free(frame);
        return;
    }
    FUZZ_CHECK(lies_right && (uint32_t)nr == nr_wanted());
    for (int i = 0; i < nr; i++) {
        FUZZ_CHECK(in_place[i]->nb_segs == 1);
        piece_check(in_place[i], (uint32_t)i, (uint32_t)nr);
    }
    rte_pktmbuf_free_bulk(in_place, (unsigned int)nr);
}

/* A NIC that finds the pieces right, all in one burst, merges them into the frame. */
static void merge_check(uint32_t nr)
{
    uint8_t flags = whole[tcp.l2 + tcp.l3 + 13];
    struct fuzz_tcp again;
    uint32_t len;

    if (nr > GRO_SEGMENTS_MAX || tcp.l2 > 18 || tcp.l3 != (tcp.v6 ? 40 : 20) ||
        (flags & ~PSH) != ACK || (!tcp.v6 && fuzz_be16(whole + tcp.l2 + 6) & 0x8000))
        return;
    for (uint32_t i = 0; i < nr; i++) {
        struct rte_mbuf *one = rte_pktmbuf_copy(pieces[i], fuzz_pool(), 0, UINT32_MAX);

        FUZZ_CHECK(one);
        if (one->nb_segs > 1) { /* longer than a buffer */
            rte_pktmbuf_free_bulk(in_place, i);
            rte_pktmbuf_free(one);
            return;
        }
        one->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
        one->packet_type = 0;
        in_place[i] = one;
    }
    FUZZ_CHECK(gro_merge(in_place, (uint16_t)nr) == 1);
    len = fuzz_flatten(in_place[0], flat, sizeof(flat));
    FUZZ_CHECK(len == whole_len && fuzz_tcp_read(flat, len, &again) &&
               fuzz_ip_is_right(flat, &again));
    FUZZ_CHECK(nr == 1 ||
               (in_place[0]->tso_segsz == segsz && in_place[0]->ol_flags & RTE_MBUF_F_TX_TCP_SEG));
    if (!tcp.v6) /* the first one's may have been wrong */
        memcpy(flat + tcp.l2 + 10, whole + tcp.l2 + 10, 2);
    if (nr == 1)
        memcpy(fuzz_tcp_sum_at(flat, &again), fuzz_tcp_sum_at(whole, &tcp), 2);
    FUZZ_CHECK(memcmp(flat, whole, len) == 0);
    rte_pktmbuf_free(in_place[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    uint8_t lies = fuzz_u8(&input), layout = fuzz_u8(&input);
    uint16_t max = fuzz_u8(&input), first = fuzz_u8(&input) * 8, each = 1 + fuzz_u16(&input) % 2048;
    struct rte_mbuf *frame;
    unsigned int before;
    int nr;

    (void)fuzz_pool();
    whole_make(&input);
    if (layout & 1 && is_tcp && segsz) {
        first = (uint16_t)(headers_len() + segsz);
        each = segsz;
    }
    if (whole_len / each > PIECES)
        each = 1000;
    frame = whole_lay(first, each);
    flags_put(frame, lies);
    before = fuzz_pool_in_use();
    nr = segment_frame(frame, fuzz_pool(), pieces, max);
    FUZZ_CHECK(nr > 0 || fuzz_pool_in_use() == before);
    FUZZ_CHECK(nr > 0 || nr == -EINVAL || nr == -E2BIG || nr == -ENOMEM);
    FUZZ_CHECK((nr == -E2BIG) == (is_sound(frame, lies) && nr_wanted() > max) ||
               !is_sound(frame, lies));
    FUZZ_CHECK(nr != -EINVAL || !is_sound(frame, lies));
    if (nr > 0) {
        FUZZ_CHECK(nr <= max);
        for (uint32_t i = 0; is_sound(frame, lies) && i < (uint32_t)nr; i++) {
            FUZZ_CHECK((uint32_t)nr == nr_wanted());
            piece_check(pieces[i], i, (uint32_t)nr);
        }
        unchanged_check(frame);
        if (is_sound(frame, lies))
            merge_check((uint32_t)nr);
        rte_pktmbuf_free_bulk(pieces, (unsigned int)nr);
    }
    unchanged_check(frame);
    rte_pktmbuf_free(frame);
    in_place_check(first, each, lies);
    FUZZ_CHECK(fuzz_pool_in_use() == 0);
    return 0;
}
