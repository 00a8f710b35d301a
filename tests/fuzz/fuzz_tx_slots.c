/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest puts on its transmit ring: requests, extra info, chains, indices, and the bytes of its
 * pages. A reading of netif.h of its own, below, says what each burst may come to: every request is
 * answered once, with its own id and in order; what comes out are the bytes of the granted pages, and the
 * headers that a frame's metadata names lie in its first segment. While the copies are made the guest
 * overwrites its ring: what was read before holds.
 *
 * The input: a byte of settings, a byte for where the ring's indices begin, and steps; a step is a byte
 * that says what to do, and what it needs.
 */
#define FUZZ_POOL_ROOM (2048 + RTE_PKTMBUF_HEADROOM) /* VIF_MBUF_ROOM for data */

#include <netinet/in.h>

#include "fake_xen.h"
#include "fuzz_mbuf.h"
#include "net/frame.h"
#include "net/port.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define GUEST 7
#define RING 256u
#define PAGES 8 /* granted with references 0 to 7; no more are */
#define PAGE 4096u
#define REMOTE_PORT 11
#define STEPS 64

/* Settings. */
#define HAS_RATE 0x01
#define TAKES_OVER                                                                                 \
    0x02 /* another backend was there before; the ring is full of what the pages hold */
#define SCRIBBLES 0x04

static union {
    netif_tx_sring_t tx;
    netif_rx_sring_t rx;
    uint8_t bytes[PAGE];
} rings[2] __attribute__((aligned(PAGE)));
static uint8_t pages[PAGES][PAGE] __attribute__((aligned(PAGE)));

static struct vif *vif;
static uint32_t put; /* the guest's private req_prod */
static bool scribbles;
static struct rte_mbuf *held[FUZZ_POOL_FRAMES]; /* taken from the pool so that it is short */
static unsigned int nr_held;

/* What a packet on the ring must come to. */
struct model {
    uint32_t nr; /* slots; 0: its end is not there yet */
    uint16_t ids[RING];
    bool extra[RING];
    uint8_t amends; /* XEN_NETIF_EXTRA_TYPE_MCAST_ADD or _DEL, and nothing else */
    struct rte_ether_addr address;
    bool bad; /* to be refused, whatever its bytes are */
    bool blank, validated;
    uint16_t gso;
    bool gso_v6;
    uint32_t len;
    uint8_t bytes[65536];
};

static struct model models[PORT_BURST];
static struct rte_ether_addr listed[64];
static unsigned int nr_listed;

static struct netif_tx_request *slot_at(uint32_t index)
{
    return &rings[0].tx.ring[index % RING].req;
}

static void model_extra(struct model *m, uint32_t index, bool *more)
{
    struct netif_extra_info extra;

    memcpy(&extra, slot_at(index), sizeof(extra));
    *more = extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
    if (extra.type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD ||
        extra.type == XEN_NETIF_EXTRA_TYPE_MCAST_DEL) {
        m->bad |= m->amends != 0;
        m->amends = extra.type;
        memcpy(&m->address, extra.u.mcast.addr, sizeof(m->address));
        return;
    }
    if (extra.type == XEN_NETIF_EXTRA_TYPE_HASH)
        return;
    if (extra.type != XEN_NETIF_EXTRA_TYPE_GSO || m->gso || extra.u.gso.size == 0 ||
        extra.u.gso.type < XEN_NETIF_GSO_TYPE_TCPV4 || extra.u.gso.type > XEN_NETIF_GSO_TYPE_TCPV6)
        m->bad = true;
    else
        m->gso = extra.u.gso.size;
    m->gso_v6 = extra.u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6;
}

/* The bytes of a data slot; false if Xen does not let us copy them. */
static bool model_copy(struct model *m, uint32_t *done, const struct netif_tx_request *req,
                       uint32_t size)
{
    if (size == 0)
        return true;
    if (req->gref >= PAGES || req->offset + size > PAGE || *done + size > sizeof(m->bytes))
        return false;
    memcpy(m->bytes + *done, pages[req->gref] + req->offset, size);
    *done += size;
    return true;
}

static void model_packet(struct model *m, uint32_t at, uint32_t prod)
{
    struct netif_tx_request first, data[RING];
    uint32_t end = at, nr_data = 1, rest = 0, done = 0;
    bool more;

    m->nr = m->len = m->gso = 0;
    m->bad = false;
    m->amends = 0;
    first = data[0] = *slot_at(end);
    m->extra[0] = false;
    m->ids[0] = first.id;
    end++;
    for (more = first.flags & NETTXF_extra_info; more;) {
        if (end == prod)
            return;
        m->extra[end - at] = true;
        model_extra(m, end++, &more);
    }
    for (more = first.flags & NETTXF_more_data; more;
         more = data[nr_data++].flags & NETTXF_more_data) {
        if (end == prod)
            return;
        data[nr_data] = *slot_at(end);
        m->extra[end - at] = false;
        m->ids[end++ - at] = data[nr_data].id;
        rest += data[nr_data].size;
    }
    m->nr = end - at;
    if (m->amends) {
        m->bad |= nr_data > 1 || m->gso;
        return;
    }
    m->len = first.size;
    m->blank = first.flags & NETTXF_csum_blank;
    m->validated = first.flags & NETTXF_data_validated;
    m->bad |= nr_data > TX_SLOTS_MAX || rest > first.size || first.size < 14;
    m->bad = m->bad || !model_copy(m, &done, &first, first.size - rest);
    for (uint32_t i = 1; i < nr_data && !m->bad; i++)
        m->bad =
            data[i].offset + data[i].size > PAGE || !model_copy(m, &done, &data[i], data[i].size);
    m->bad = m->bad || first.offset + first.size - rest > PAGE;
}

/* As another domain's processor may, at any time. */
static void ring_scribble(void)
{
    if (!scribbles)
        return;
    memset(rings[0].tx.ring, 0xa5, RING * sizeof(rings[0].tx.ring[0]));
    rings[0].tx.req_prod ^= 0x5a5a5a5a;
}

static void held_empty(void)
{
    rte_pktmbuf_free_bulk(held, nr_held);
    nr_held = 0;
}

/* Which bytes of a frame need not be the guest's: the TCP checksum that GSO leaves to us. */
static bool is_ours(const struct rte_mbuf *frame, const struct model *m, uint32_t at)
{
    uint32_t sum = frame->l2_len + frame->l3_len + 16u;

    return m->gso && !m->blank && (at == sum || at == sum + 1);
}

static void bytes_check(const struct rte_mbuf *frame, const struct model *m)
{
    uint32_t at = 0;

    for (const struct rte_mbuf *seg = frame; seg; seg = seg->next)
        for (uint32_t i = 0; i < seg->data_len; i++, at++)
            FUZZ_CHECK(rte_pktmbuf_mtod(seg, const uint8_t *)[i] == m->bytes[at] ||
                       is_ours(frame, m, at));
}

/* The headers that must be there for what the guest left to others, from the frame's bytes alone. */
static void headers_check(const struct rte_mbuf *frame, const struct model *m)
{
    uint64_t flags = frame->ol_flags, sum = flags & RTE_MBUF_F_TX_L4_MASK;
    bool v6 = flags & RTE_MBUF_F_TX_IPV6, is_tcp = sum == RTE_MBUF_F_TX_TCP_CKSUM;
    const uint8_t *l2 = rte_pktmbuf_mtod(frame, const uint8_t *), *l3 = l2 + frame->l2_len;
    uint32_t l4 = frame->l2_len + frame->l3_len, l4_least = is_tcp ? 20 : 8;

    FUZZ_CHECK(is_tcp || sum == RTE_MBUF_F_TX_UDP_CKSUM);
    FUZZ_CHECK(!!(flags & RTE_MBUF_F_TX_IPV4) != v6);
    FUZZ_CHECK(frame->l2_len >= 14 && frame->l3_len >= (v6 ? 40 : 20));
    FUZZ_CHECK(l4 + l4_least <= frame->data_len && l4 + frame->l4_len <= frame->data_len);
    FUZZ_CHECK(!is_tcp || frame->l4_len >= 20);
    FUZZ_CHECK(l3[-2] << 8 == (v6 ? 0x8600 : 0x0800) && l3[-1] == (v6 ? 0xdd : 0x00));
    FUZZ_CHECK(l3[0] >> 4 == (v6 ? 6 : 4));
    if (!v6) {
        FUZZ_CHECK(l3[9] == (is_tcp ? IPPROTO_TCP : IPPROTO_UDP));
        FUZZ_CHECK((l3[0] & 15) * 4u == frame->l3_len && ((l3[6] & 0x3f) | l3[7]) == 0);
    } else if (frame->l3_len == 40) {
        FUZZ_CHECK(l3[6] == (is_tcp ? IPPROTO_TCP : IPPROTO_UDP));
    }
    if (is_tcp)
        FUZZ_CHECK((l2[l4 + 12] >> 4) * 4u == frame->l4_len);
    FUZZ_CHECK(!m->gso || (is_tcp && v6 == m->gso_v6 && (!v6 || frame->l3_len == 40)));
}

/* What lies behind the packet is cut off. */
static uint32_t packet_end(const struct rte_mbuf *frame)
{
    const uint8_t *l3 = rte_pktmbuf_mtod_offset(frame, const uint8_t *, frame->l2_len);

    return frame->l2_len + (l3[0] >> 4 == 4 ? (uint32_t)(l3[2] << 8 | l3[3])
                                            : 40u + (uint32_t)(l3[4] << 8 | l3[5]));
}

static void frame_check(struct rte_mbuf *frame, const struct model *m)
{
    const uint64_t wanted =
        RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_SEG;
    uint32_t headers = (uint32_t)frame->l2_len + frame->l3_len + frame->l4_len;
    bool is_cut = frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
    const char *why;

    FUZZ_CHECK(rte_mbuf_check(frame, 1, &why) == 0 && rte_mbuf_refcnt_read(frame) == 1);
    FUZZ_CHECK(frame->pkt_len <= m->len);
    bytes_check(frame, m);
    if (m->blank || m->gso) {
        headers_check(frame, m);
        FUZZ_CHECK(frame->pkt_len == RTE_MIN(m->len, packet_end(frame)));
        FUZZ_CHECK(frame->ol_flags == (frame->ol_flags & wanted));
    } else {
        FUZZ_CHECK(frame->ol_flags == (m->validated ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : 0));
        FUZZ_CHECK(frame->pkt_len == m->len);
    }
    FUZZ_CHECK(is_cut == (m->gso && frame->pkt_len > headers + m->gso));
    FUZZ_CHECK(!is_cut || frame->tso_segsz == m->gso);
    FUZZ_CHECK(!is_cut || (frame->pkt_len - headers + m->gso - 1) / m->gso <= PORT_SEGMENTS_MAX);
}

/* Every slot of a packet has its answer. Returns the packet's status. */
static int16_t answers_check(const struct model *m, uint32_t at)
{
    int16_t status = rings[0].tx.ring[at % RING].rsp.status;

    FUZZ_CHECK(status == NETIF_RSP_OKAY || status == NETIF_RSP_ERROR ||
               status == NETIF_RSP_DROPPED);
    for (uint32_t i = 0; i < m->nr; i++) {
        const struct netif_tx_response *rsp = &rings[0].tx.ring[(at + i) % RING].rsp;

        FUZZ_CHECK(rsp->status == (m->extra[i] ? NETIF_RSP_NULL : status));
        FUZZ_CHECK(m->extra[i] || rsp->id == m->ids[i]);
    }
    return status;
}

/* Packets that lie between two indices, at most PORT_BURST of them that have an end. */
static unsigned int models_make(uint32_t at, uint32_t prod)
{
    unsigned int nr = 0;

    for (; nr < PORT_BURST && at != prod; at += models[nr++].nr) {
        model_packet(&models[nr], at, prod);
        if (models[nr].nr == 0)
            break;
    }
    return nr;
}

/* What must become of the list, and the answer. */
static int16_t listed_amend(const struct model *m)
{
    const uint8_t *a = m->address.addr_bytes;
    unsigned int i = 0;

    if (m->amends == XEN_NETIF_EXTRA_TYPE_MCAST_ADD) {
        if (!(a[0] & 1) || (a[0] & a[1] & a[2] & a[3] & a[4] & a[5]) == 0xff || nr_listed == 64)
            return NETIF_RSP_ERROR;
        listed[nr_listed++] = m->address;
        return NETIF_RSP_OKAY;
    }
    while (i < nr_listed && memcmp(&listed[i], &m->address, sizeof(m->address)) != 0)
        i++;
    if (i < nr_listed)
        listed[i] = listed[--nr_listed];
    return NETIF_RSP_OKAY;
}

/* One burst of at most nr packets; copies fail or not. */
static void receive(uint16_t nr, unsigned int failing)
{
    uint32_t at = rings[0].tx.rsp_prod, prod = rings[0].tx.req_prod, end, answered = at;
    bool sane = prod - at <= RING, was_broken = vif->broken, rests = vif->tx_throttled;
    unsigned int nr_models = sane ? models_make(at, prod) : 0, next = 0, before;
    struct rte_mbuf *frames[PORT_BURST];
    uint16_t got, taken = 0;

    fake_copy_fail(failing);
    before = fuzz_pool_in_use();
    got = vif_tx_burst(&vif->port, frames, nr);
    fake_copy_fail(0);
    if (scribbles)
        rings[0].tx.req_prod = prod;
    end = rings[0].tx.rsp_prod;
    FUZZ_CHECK(got <= nr && end - at <= RING);
    FUZZ_CHECK(!(was_broken || rests) || end == at);
    FUZZ_CHECK(sane || vif->broken || rests);
    FUZZ_CHECK(was_broken || !sane || nr_models == 0 || nr == 0 || end != at || vif->tx_throttled);
    for (; answered != end; answered += models[next++].nr) {
        const struct model *m = &models[next];
        int16_t status;

        FUZZ_CHECK(next < nr_models && next < nr && end - answered >= m->nr);
        status = answers_check(m, answered);
        if (m->amends && !m->bad) {
            FUZZ_CHECK(status == listed_amend(m));
            continue;
        }
        FUZZ_CHECK(status != NETIF_RSP_OKAY || !m->bad);
        FUZZ_CHECK(status != NETIF_RSP_DROPPED || nr_held);
        /* Nothing speaks against a plain frame. */
        FUZZ_CHECK(status != NETIF_RSP_ERROR || m->bad || m->blank || m->gso || failing);
        if (status != NETIF_RSP_OKAY)
            continue;
        FUZZ_CHECK(taken < got);
        frame_check(frames[taken++], m);
    }
    FUZZ_CHECK(taken == got);
    rte_pktmbuf_free_bulk(frames, got);
    FUZZ_CHECK(fuzz_pool_in_use() == before);
}

static void raw_put(struct fuzz_input *input)
{
    const uint8_t *bytes;
    size_t nr = fuzz_take(input, sizeof(struct netif_tx_request), &bytes);

    memset(slot_at(put), 0, sizeof(struct netif_tx_request));
    if (nr)
        memcpy(slot_at(put), bytes, nr);
    put++;
}

/* A request that may well make sense. */
static void request_put(struct fuzz_input *input, uint8_t what)
{
    uint8_t ref = fuzz_u8(input);

    *slot_at(put) = (struct netif_tx_request){ .gref = ref < 240 ? ref % PAGES : ref,
                                               .offset = fuzz_u16(input),
                                               .size = fuzz_u16(input),
                                               .flags = what >> 4,
                                               .id = (uint16_t)(0x4000 + put) };
    put++;
}

static void extra_put(struct fuzz_input *input, uint8_t what)
{
    struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO };

    extra.flags = what >> 4 & 1;
    if (what >> 6 & 1) {
        extra.type =
            what >> 5 & 1 ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL;
        extra.u.mcast.addr[0] = (uint8_t)(fuzz_u8(input) | 1);
        extra.u.mcast.addr[5] = fuzz_u8(input);
        memcpy(slot_at(put++), &extra, sizeof(extra));
        return;
    }
    extra.u.gso.type = what >> 5 & 1 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
    extra.u.gso.size = fuzz_u16(input);
    memcpy(slot_at(put++), &extra, sizeof(extra));
}

static void page_write(struct fuzz_input *input, uint8_t what)
{
    uint32_t offset = fuzz_u16(input) % PAGE;
    const uint8_t *bytes;
    size_t nr = fuzz_take(input, RTE_MIN((uint32_t)fuzz_u8(input), PAGE - offset), &bytes);

    if (nr)
        memcpy(pages[what >> 4 & 7] + offset, bytes, nr);
}

/* The pool has only so many buffers left. */
static void pool_shorten(uint8_t left)
{
    held_empty();
    nr_held = RTE_MIN(FUZZ_POOL_FRAMES - fuzz_pool_in_use() - left % 64, FUZZ_POOL_FRAMES);
    if (left % 64 >= 60 || rte_pktmbuf_alloc_bulk(fuzz_pool(), held, nr_held) != 0)
        nr_held = 0;
}

static void step(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);

    switch (what & 15) {
    case 0:
        raw_put(input);
        break;
    case 1:
    case 2:
    case 3:
        request_put(input, what);
        break;
    case 4:
        extra_put(input, what);
        break;
    case 5:
    case 6:
        page_write(input, what);
        break;
    case 7:
        rings[0].tx.req_prod = put + (uint32_t)(int8_t)fuzz_u8(input);
        break;
    case 8:
        receive(fuzz_u8(input) % (PORT_BURST + 1), what >> 4);
        break;
    case 9:
        pool_shorten(fuzz_u8(input));
        break;
    case 10:
        fake_xen_sleep((uint64_t)(what >> 4) * 1000000);
        break;
    case 11:
        rings[0].tx.rsp_event = rings[0].tx.rsp_prod + (what >> 4);
        break;
    case 12:
        put = rings[0].tx.req_prod;
        break;
    default:
        rings[0].tx.req_prod = put;
        receive(PORT_BURST, 0);
        break;
    }
}

static void backend_start(void)
{
    static struct port_notes notes;
    const struct vif_host host = { .pool = fuzz_pool(), .notes = &notes, .queue_mbufs = 64 };
    static bool is_started;

    fake_xen_reset();
    if (!is_started)
        FUZZ_CHECK(vif_init(&host) == 0);
    is_started = true;
}

/* Everything that waits has its answer, or nothing has where there is no sense in it. */
static void takeover_check(uint32_t start)
{
    uint32_t prod = rings[0].tx.req_prod, at = start;

    while (at != prod && prod - start <= RING) {
        model_packet(&models[0], at, prod);
        if (models[0].nr == 0 || at == rings[0].tx.rsp_prod)
            break;
        at += models[0].nr;
    }
    FUZZ_CHECK(rings[0].tx.rsp_prod == at);
}

static void vif_up(uint8_t settings, uint8_t start, struct fuzz_input *input)
{
    nr_listed = 0;
    put = (uint32_t)(int8_t)start;
    memset(rings, 0, sizeof(rings));
    rings[0].tx.req_prod = rings[0].tx.rsp_prod = put;
    rings[0].tx.rsp_event = put + 1;
    for (unsigned int i = 0; i < PAGES; i++)
        fake_grant(GUEST, i, pages[i]);
    fake_grant(GUEST, 8000, &rings[0]);
    fake_grant(GUEST, 8001, &rings[1]);
    fake_port_offer(GUEST, REMOTE_PORT);
    vif = vif_take(GUEST, 0);
    FUZZ_CHECK(vif);
    nodes_back_init(&vif->control.back);
    nodes_front_init(&vif->control.front);
    if (settings & HAS_RATE)
        vif->control.back.wish.rate = (struct port_rate){ 3000, 1000 };
    vif->control.front.queue[0] =
        (struct vif_front_queue){ 8000, 8001, REMOTE_PORT, REMOTE_PORT, false };
    (void)vif_offer_choose(vif);
    vif->control.takeover = settings & TAKES_OVER;
    for (uint8_t i = settings & TAKES_OVER ? fuzz_u8(input) % 32 : 0; i > 0; i--)
        raw_put(input);
    rings[0].tx.req_prod = put;
    FUZZ_CHECK(vif_connect(vif) == 0);
    fake_grant(GUEST, 8000,
               NULL); /* mapped, but not to be copied from: its bytes change meanwhile */
    fake_grant(GUEST, 8001, NULL);
    if (settings & TAKES_OVER)
        takeover_check((uint32_t)(int8_t)start);
    scribbles = settings & SCRIBBLES;
    fake_copy_watch(ring_scribble);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    uint8_t settings = fuzz_u8(&input), start = fuzz_u8(&input);

    backend_start();
    memset(pages, 0, sizeof(pages));
    vif_up(settings, start, &input);
    for (unsigned int i = 0; i < STEPS && input.left; i++)
        step(&input);
    rings[0].tx.req_prod = put;
    receive(PORT_BURST, 0);
    held_empty();
    vif_disconnect(vif);
    vif_release(vif);
    FUZZ_CHECK(gnttab_nr_maps() == 0 && evtchn_nr_open() == 0);
    FUZZ_CHECK(fuzz_pool_in_use() == 0);
    return 0;
}
