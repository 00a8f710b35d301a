/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merging of what a NIC received, from its driver's flags on (eal/rx_flags.h). Oracle: cutting is its inverse. Each frame that comes out, cut again where it
 * stands for several, is what came in, byte for byte (but for the identification of IPv4 packets with DF), no
 * connection's segments change order, and what is not merged keeps its place. All sums are looked at by
 * a slow reading of the RFCs (fuzz_tcp.h). A driver's word for a checksum is always true here.
 *
 * The input: steps; each makes a frame of one of four connections, and says what is odd about it.
 */
#include "eal/rx_flags.h"
#include "fuzz_mbuf.h"
#include "fuzz_tcp.h"
#include "net/checksum.h"
#include "net/frame.h"
#include "net/gro.h"
#include "net/port.h"
#include "net/segment.h"

#define FRAMES 64
#define LONGEST 4000
#define CONNECTIONS 4
#define HEADERS_MAX 142u /* of NICs that use several buffers for a frame, all fill the first one */

/* A frame that came in; as the wire would see it. */
struct original {
    uint8_t bytes[LONGEST];
    uint32_t len;
    bool is_tcp, taken;
    bool is_beside; /* its tag lies beside the frame */
    struct fuzz_tcp tcp;
};

static struct original originals[FRAMES];
static struct rte_mbuf *frames[FRAMES];
static uint16_t nr_frames;
static struct fuzz_tcp_shape streams[CONNECTIONS];
static uint16_t last_size[CONNECTIONS];

static void streams_begin(struct fuzz_input *input)
{
    for (unsigned int i = 0; i < CONNECTIONS; i++) {
        uint8_t what = fuzz_u8(input);

        streams[i] = (struct fuzz_tcp_shape){ .v6 = what & 1,
                                              .dont_fragment = what & 2,
                                              .nr_tags = what >> 2 & 3 ? (what >> 2 & 3) - 1 : 0,
                                              .tcp_words = what & 0x10 ? 3 : 0,
                                              .flags = 0x10,
                                              .id = (uint16_t)(0xfff0 + i),
                                              .port = (uint16_t)(what >> 5),
                                              .seq = 0xfffff000u + i };
        last_size[i] = 1000;
    }
}

/* Other bytes than a sane sender's, before the sums are made. */
static void spoil(struct fuzz_input *input, struct original *o)
{
    uint32_t at = fuzz_u8(input) % o->len;

    o->bytes[at] = (uint8_t)(o->bytes[at] ^ fuzz_u8(input));
    if (fuzz_tcp_read(o->bytes, o->len, &o->tcp)) {
        fuzz_ip_sum_make(o->bytes, &o->tcp);
        fuzz_tcp_sum_make(o->bytes, &o->tcp);
    }
}

/*
 * What the driver says of a frame: nothing that is not so, perhaps less. Its bytes may get a sum that is not finished,
 * as a machine beside us leaves it; then what lies behind the packet goes.
 */
static uint64_t driver_says(struct original *o, struct rte_mbuf *frame, uint8_t what)
{
    uint64_t flags = 0;
    uint32_t aside = o->is_beside ? 4 : 0;

    if (!o->is_tcp)
        return 0;
    if (!(what & 1))
        flags |= fuzz_ip_is_right(o->bytes, &o->tcp) ? RTE_MBUF_F_RX_IP_CKSUM_GOOD
                                                     : RTE_MBUF_F_RX_IP_CKSUM_BAD;
    if (!fuzz_tcp_is_right(o->bytes, &o->tcp))
        return flags | (what & 2 ? RTE_MBUF_F_RX_L4_CKSUM_BAD : 0);
    if ((what & 12) == 12 && frame->data_len >= o->tcp.l2 + o->tcp.l3 + o->tcp.l4 - aside) {
        fuzz_be16_put(fuzz_tcp_sum_at(rte_pktmbuf_mtod(frame, uint8_t *), &o->tcp) - aside,
                      fuzz_tcp_pseudo(o->bytes, &o->tcp));
        o->len = o->tcp.end;
        return flags | RTE_MBUF_F_RX_L4_CKSUM_NONE;
    }
    return what & 2 ? flags : flags | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

/* The sum from somewhere on is what the slow one is, however the frame lies in memory. */
static void sums_compare(const struct original *o, const struct rte_mbuf *frame, uint32_t from)
{
    uint32_t fast = checksum_sum_from(frame, from);

    FUZZ_CHECK((fast >> 8 | (fast & 0xff) << 8) == fuzz_sum(0, o->bytes + from, o->len - from));
}

static void frame_add(struct fuzz_input *input)
{
    struct original *o = &originals[nr_frames];
    uint8_t what = fuzz_u8(input), said = fuzz_u8(input);
    bool says_bad_only;
    struct fuzz_tcp_shape *stream = &streams[what & 3];
    uint16_t *size = &last_size[what & 3];
    struct rte_mbuf *frame;

    if (what & 4)
        *size = fuzz_u16(input) % 1500;
    if (what & 8)
        stream->seq += (uint32_t)(int8_t)fuzz_u8(input);
    stream->flags = what & 0x10 ? fuzz_u8(input) : 0x10;
    stream->payload = *size;
    o->len = fuzz_tcp_make(o->bytes, stream);
    stream->seq += *size;
    stream->id++;
    o->is_tcp = o->taken = false;
    if (what & 0x20)
        spoil(input, o);
    if (what & 0x40)
        o->len = fuzz_u16(input) % (o->len - 14) + 14; /* cut off */
    if (said & 0x40)
        memset(o->bytes + o->len, 0x77, 12), o->len += 12; /* something behind it */
    o->is_tcp = fuzz_tcp_read(o->bytes, o->len, &o->tcp);
    /* A driver that says nothing of frames that it found right. */
    says_bad_only = said & 0x20 && o->is_tcp && fuzz_tcp_is_right(o->bytes, &o->tcp) &&
                    fuzz_ip_is_right(o->bytes, &o->tcp);
    o->is_beside = said & 0x10 && o->len >= 18 && fuzz_be16(o->bytes + 12) == 0x8100;
    frame = fuzz_pool_frame_beside(
        o->bytes, o->len, what & 0x80 ? HEADERS_MAX + fuzz_u8(input) * 8u : LONGEST, o->is_beside);
    FUZZ_CHECK(frame);
    if (!o->is_beside)
        sums_compare(o, frame, fuzz_u8(input) % o->len);
    frame->ol_flags = driver_says(o, frame, said) |
                      (o->is_beside ? RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED : 0);
    /* Such drivers' frames begin at an even address, as all that a card writes do. */
    says_bad_only &= (rte_pktmbuf_mtod(frame, uintptr_t) & 1) == 0;
    frame->ol_flags = rx_flags(frame, says_bad_only);
    frames[nr_frames++] = frame;
}

/* Of one connection, as far as order goes? All that are no TCP count as one. */
static bool is_kin(const struct original *a, const uint8_t *bytes, const struct fuzz_tcp *tcp)
{
    if (!a->is_tcp || !tcp)
        return !a->is_tcp && !tcp;
    return a->tcp.v6 == tcp->v6 &&
           memcmp(a->bytes + a->tcp.l2 + (tcp->v6 ? 8 : 12), bytes + tcp->l2 + (tcp->v6 ? 8 : 12),
                  tcp->v6 ? 32 : 8) == 0 &&
           memcmp(a->bytes + a->tcp.l2 + a->tcp.l3, bytes + tcp->l2 + tcp->l3, 4) == 0;
}

/* The next frame of its kin must be these bytes. Returns its index. */
static unsigned int original_take(struct rte_mbuf *frame, bool is_cut)
{
    static uint8_t bytes[LONGEST + 4];
    uint32_t len = fuzz_flatten(frame, bytes, sizeof(bytes));
    struct fuzz_tcp tcp;
    bool is_tcp = fuzz_tcp_read(bytes, len, &tcp);
    unsigned int i = 0;
    struct original *o;

    while (i < nr_frames &&
           (originals[i].taken || !is_kin(&originals[i], bytes, is_tcp ? &tcp : NULL)))
        i++;
    FUZZ_CHECK(i < nr_frames);
    o = &originals[i];
    FUZZ_CHECK(o->len == len);
    if (is_cut) {
        FUZZ_CHECK(is_tcp && fuzz_tcp_is_right(bytes, &tcp) && fuzz_ip_is_right(bytes, &tcp));
        FUZZ_CHECK(fuzz_tcp_is_right(o->bytes, &o->tcp) && fuzz_ip_is_right(o->bytes, &o->tcp));
        /* Both are right: 0 and 0xffff are the same. */
        memcpy(fuzz_tcp_sum_at(bytes, &tcp), fuzz_tcp_sum_at(o->bytes, &o->tcp), 2);
        if (!tcp.v6) {
            memcpy(bytes + tcp.l2 + 10, o->bytes + o->tcp.l2 + 10, 2);
            if (bytes[tcp.l2 + 6] & 0x40)
                memcpy(bytes + tcp.l2 + 4, o->bytes + o->tcp.l2 + 4, 2);
        }
    }
    FUZZ_CHECK(memcmp(bytes, o->bytes, len) == 0);
    o->taken = true;
    return i;
}

/* Returns the index of the first frame that it is made of. */
static unsigned int result_check(struct rte_mbuf *frame)
{
    static struct rte_mbuf *pieces[PORT_SEGMENTS_MAX];
    unsigned int first = FRAMES;
    const char *why;
    int nr;

    FUZZ_CHECK(rte_mbuf_check(frame, 1, &why) == 0 && frame->nb_segs <= GRO_SEGMENTS_MAX);
    if (!(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG)) {
        if (checksum_is_unfinished(frame))
            FUZZ_CHECK(checksum_finish(frame) == 0);
        return original_take(frame, false);
    }
    FUZZ_CHECK(frame_packet_end(frame) == frame->pkt_len);
    nr = segment_frame(frame, fuzz_pool(), pieces, PORT_SEGMENTS_MAX);
    FUZZ_CHECK(nr > 1);
    for (int i = 0; i < nr; i++) {
        unsigned int at;

        /* A piece may refer to the frame's buffers: its own headers are in its first segment. */
        FUZZ_CHECK(checksum_finish(pieces[i]) == 0);
        at = original_take(pieces[i], true);
        first = RTE_MIN(first, at);
    }
    rte_pktmbuf_free_bulk(pieces, (unsigned int)nr);
    return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    int before = -1;
    uint16_t left;

    (void)fuzz_pool();
    nr_frames = 0;
    streams_begin(&input);
    while (input.left && nr_frames < FRAMES)
        frame_add(&input);
    left = gro_merge(frames, nr_frames);
    FUZZ_CHECK(left <= nr_frames);
    for (uint16_t i = 0; i < left; i++) {
        int at = (int)result_check(frames[i]);

        FUZZ_CHECK(at > before);
        before = at;
        rte_pktmbuf_free(frames[i]);
    }
    for (uint16_t i = 0; i < nr_frames; i++)
        FUZZ_CHECK(originals[i].taken);
    FUZZ_CHECK(fuzz_pool_in_use() == 0);
    return 0;
}
