/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest posts on its receive ring, and the frames that are laid over it. A reading of netif.h of its own says
 * what each packet must look like: its requests are answered once, with their ids and in order, the slots after the
 * first are filled from their start, what is to be cut has extra info behind the first slot, and the bytes of the
 * guest's pages are those of the next frame for it, with nothing written around them. While the copies are made the
 * guest overwrites its ring. Each frame is given, dropped and counted, or waits.
 *
 * The input: settings, a byte for where the ring's indices begin, and steps; a step is a byte that says what to do, and
 * what it needs.
 */
#define FUZZ_POOL_ROOM (2048 + RTE_PKTMBUF_HEADROOM)

#include "fake_xen.h"
#include "fuzz_mbuf.h"
#include "vif/device.h"
#include "vif/rx_plan.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define GUEST 7
#define RING 256u
#define PAGES 24 /* granted with references 0 to 23; no more are */
#define REMOTE_PORT 11
#define STEPS 64
#define SENT STEPS
#define FRAME_MAX 12000
#define EMPTY 0xee

/* Settings. */
#define NO_RX_NOTIFY 0x01
#define NO_SG 0x02
#define SCRIBBLES 0x04
#define HAS_RATE 0x08
#define HAS_HEADROOM 0x10
#define IS_JUMBO 0x20

static union {
    netif_tx_sring_t tx;
    netif_rx_sring_t rx;
    uint8_t bytes[PAGE_SIZE];
} rings[2] __attribute__((aligned(4096)));
static uint8_t pages[PAGES][PAGE_SIZE] __attribute__((aligned(4096)));

static struct vif *vif;
static uint32_t put; /* the guest's private req_prod */
static bool scribbles;
static struct netif_rx_request posted[RING]; /* as they were when they could be read last */
static unsigned int nr_used[PAGES]; /* in the flush that is looked at */

/* Frames for the guest in their order, those dropped among them. */
static struct sent {
    uint8_t bytes[FRAME_MAX];
    uint32_t len;
    uint16_t gso;
    bool gso_v6, is_blank, is_validated;
} sent[SENT];
static unsigned int nr_sent, sent_from; /* sent_from: those before it were dropped, or given */
static uint64_t nr_given, nr_failed, nr_all;

/* As another domain's processor may, at any time: what is not taken yet is other requests from now on. */
static void ring_scribble(void)
{
    if (!scribbles)
        return;
    /* Responses that it was not shown yet it may change, too, but would not like what it finds. */
    for (uint32_t at = vif->queue.rx.rsp_prod_pvt; at != rings[1].rx.rsp_prod + RING; at++) {
        struct netif_rx_request *req = &rings[1].rx.ring[at % RING].req;

        req->id ^= 0x5a5a;
        req->gref ^= 1;
    }
    if (rings[1].rx.req_prod - vif->queue.rx.req_cons > RING)
        return;
    for (uint32_t at = vif->queue.rx.req_cons; at != rings[1].rx.req_prod; at++)
        posted[at % RING] = rings[1].rx.ring[at % RING].req;
}

static void request_post(uint16_t id, uint8_t ref)
{
    struct netif_rx_request req = { .id = id, .gref = ref < 250 ? ref % PAGES : ref };

    rings[1].rx.ring[put % RING].req = req;
    put++;
}

static void requests_post(struct fuzz_input *input, uint8_t what)
{
    uint8_t ref = fuzz_u8(input);

    for (unsigned int i = 0; i < 1u + (what >> 4); i++, ref++)
        request_post((uint16_t)(what * 256u + put), ref);
}

static void frame_send(struct fuzz_input *input, uint8_t what)
{
    struct sent *one = &sent[nr_sent];
    uint8_t how = fuzz_u8(input);
    struct rte_mbuf *frame;

    FUZZ_CHECK(nr_sent < SENT);
    one->len = 14 + fuzz_u16(input) % (what & 0x10 ? FRAME_MAX - 14 : 1501);
    one->gso = 0;
    for (uint32_t i = 0; i < one->len; i++)
        one->bytes[i] = (uint8_t)(nr_all * 31 + i * 7 + (i >> 8));
    frame = fuzz_pool_frame(one->bytes, one->len, 1 + fuzz_u8(input) * 8u);
    if (!frame)
        return;
    if (how & 1) {
        one->gso = (uint16_t)(1 + fuzz_u8(input));
        one->gso_v6 = how & 2;
        frame->tso_segsz = one->gso;
        frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
                           (how & 2 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    } else if (how & 4) {
        frame->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
    } else if (how & 8) {
        frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    }
    one->is_blank = how & 5;
    one->is_validated = how & 13;
    nr_sent++;
    nr_all++;
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
}

/* What a packet's responses come to. */
struct packet {
    uint32_t nr, len;
    uint16_t flags, gso;
    bool gso_v6, has_failed;
    uint8_t bytes[FRAME_MAX + 4096];
    bool is_sure; /* no page of it was written twice */
};

/* What the guest finds in its page, and nothing but that. */
static void slot_take(struct packet *packet, const struct netif_rx_response *rsp, uint32_t gref)
{
    const uint8_t *page = pages[gref % PAGES];

    FUZZ_CHECK(rsp->status > 0 && rsp->offset + (uint32_t)rsp->status <= PAGE_SIZE);
    FUZZ_CHECK(gref < PAGES); /* else Xen had refused it */
    FUZZ_CHECK(packet->len + (uint32_t)rsp->status <= sizeof(packet->bytes));
    packet->is_sure &= nr_used[gref] == 1;
    for (uint32_t i = 0; nr_used[gref] == 1 && i < PAGE_SIZE; i++)
        FUZZ_CHECK(page[i] == EMPTY ||
                   (i >= rsp->offset && i < rsp->offset + (uint32_t)rsp->status));
    memcpy(packet->bytes + packet->len, page + rsp->offset, (size_t)rsp->status);
    packet->len += (uint32_t)rsp->status;
}

static void extra_take(struct packet *packet, uint32_t at)
{
    struct netif_extra_info extra;

    memcpy(&extra, &rings[1].rx.ring[at % RING].rsp, sizeof(struct netif_rx_response));
    FUZZ_CHECK(extra.type == XEN_NETIF_EXTRA_TYPE_GSO && extra.flags == 0);
    packet->gso = extra.u.gso.size;
    packet->gso_v6 = extra.u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6;
}

static void packet_take(struct packet *packet, uint32_t at, uint32_t end)
{
    const struct netif_rx_response *rsp;
    uint32_t begin = at;

    packet->nr = packet->len = packet->gso = 0;
    packet->has_failed = false;
    packet->is_sure = true;
    do {
        const struct netif_rx_request *req = &posted[at % RING];

        FUZZ_CHECK(at != end);
        rsp = &rings[1].rx.ring[at % RING].rsp;
        FUZZ_CHECK(rsp->id == req->id);
        FUZZ_CHECK(rsp->offset == (at == begin ? vif->headroom : 0));
        FUZZ_CHECK(at == begin || (rsp->flags & (NETRXF_extra_info | NETRXF_csum_blank |
                                                 NETRXF_data_validated)) == 0);
        if (at == begin)
            packet->flags = rsp->flags;
        if (rsp->status < 0)
            packet->has_failed = true;
        if (!packet->has_failed)
            slot_take(packet, rsp, req->gref);
        /* All but the last are full. */
        FUZZ_CHECK(packet->has_failed || !(rsp->flags & NETRXF_more_data) ||
                   rsp->offset + (uint32_t)rsp->status == PAGE_SIZE);
        at++;
        if (at - 1 == begin && rsp->flags & NETRXF_extra_info) {
            FUZZ_CHECK(at != end);
            extra_take(packet, at++);
        }
    } while (rsp->flags & NETRXF_more_data);
    packet->nr = at - begin;
}

static bool is_this(const struct packet *packet, const struct sent *one)
{
    uint32_t slots = (one->len + vif->headroom + PAGE_SIZE - 1) / PAGE_SIZE + (one->gso != 0);

    return packet->nr == slots && packet->gso == one->gso &&
           (!one->gso || packet->gso_v6 == one->gso_v6) &&
           !!(packet->flags & NETRXF_csum_blank) == one->is_blank &&
           !!(packet->flags & NETRXF_data_validated) == one->is_validated &&
           (packet->has_failed ||
            (packet->len == one->len &&
             (!packet->is_sure || memcmp(packet->bytes, one->bytes, one->len) == 0)));
}

/* It is the next frame that was not dropped. */
static void packet_check(const struct packet *packet)
{
    while (sent_from < nr_sent && !is_this(packet, &sent[sent_from]))
        sent_from++;
    FUZZ_CHECK(sent_from < nr_sent);
    sent_from++;
    nr_given += !packet->has_failed;
    nr_failed += packet->has_failed;
}

static void flush(unsigned int failing)
{
    static struct packet packet;
    uint32_t before = rings[1].rx.rsp_prod, prod = rings[1].rx.req_prod, end, at;
    bool is_sane = prod - before <= RING;

    memset(pages, EMPTY, sizeof(pages));
    memset(nr_used, 0, sizeof(nr_used));
    for (at = before; is_sane && at != prod; at++)
        posted[at % RING] = rings[1].rx.ring[at % RING].req;
    fake_copy_fail(failing);
    vif_flush_all();
    fake_copy_fail(0);
    end = rings[1].rx.rsp_prod;
    FUZZ_CHECK(end - before <= RING && (is_sane || end == before));
    FUZZ_CHECK(!is_sane || end - before <= prod - before);
    for (at = before; at != end; at++)
        if (posted[at % RING].gref < PAGES)
            nr_used[posted[at % RING].gref]++;
    for (at = before; at != end; at += packet.nr) {
        packet_take(&packet, at, end);
        packet_check(&packet);
    }
    FUZZ_CHECK(vif->port.stats.tx_frames == nr_given);
    FUZZ_CHECK(nr_given + vif->port.stats.tx_drops + vif->queue.waiting.list.nr == nr_all);
    FUZZ_CHECK(vif->port.stats.tx_drops >= nr_failed);
    FUZZ_CHECK(vif->queue.rx.req_cons == vif->queue.rx.rsp_prod_pvt);
}

static void step(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);

    switch (what & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
        requests_post(input, what);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        frame_send(input, what);
        break;
    case 8:
        rings[1].rx.req_prod = put + (uint32_t)(int8_t)fuzz_u8(input);
        break;
    case 9:
        put = rings[1].rx.req_prod;
        break;
    case 10:
        fake_xen_sleep((uint64_t)(what >> 4) * 200000000);
        break;
    case 11:
        (void)vif_arm(&vif->port);
        break;
    case 12:
        rings[1].rx.req_prod = put;
        flush(what >> 4);
        break;
    default:
        rings[1].rx.req_prod = put;
        flush(0);
    }
}

static void vif_up(uint8_t settings, uint8_t start, struct fuzz_input *input)
{
    static struct port_notes notes;
    const struct vif_host host = { .pool = fuzz_pool(), .notes = &notes, .queue_mbufs = 200 };
    static bool is_started;

    fake_xen_reset();
    if (!is_started)
        FUZZ_CHECK(vif_init(&host) == 0);
    is_started = true;
    put = (uint32_t)(int8_t)start;
    memset(rings, 0, sizeof(rings));
    rings[1].rx.req_prod = rings[1].rx.rsp_prod = put;
    for (unsigned int i = 0; i < PAGES; i++)
        fake_grant(GUEST, i, pages[i]);
    fake_grant(GUEST, 8000, &rings[0]);
    fake_grant(GUEST, 8001, &rings[1]);
    fake_port_offer(GUEST, REMOTE_PORT);
    vif = vif_take(GUEST, 0);
    FUZZ_CHECK(vif);
    memset(&vif->port.stats, 0, sizeof(vif->port.stats));
    memset(&vif->counts, 0, sizeof(vif->counts));
    nodes_back_init(&vif->control.back);
    nodes_front_init(&vif->control.front);
    vif->control.front.rx_notify = !(settings & NO_RX_NOTIFY);
    vif->control.front.sg = !(settings & NO_SG);
    vif->control.front.gso_tcpv4 = vif->control.front.gso_tcpv6 = !(settings & NO_SG);
    vif->control.front.queue[0] =
        (struct vif_front_queue){ 8000, 8001, REMOTE_PORT, REMOTE_PORT, false };
    vif->control.back.wish.mtu = settings & IS_JUMBO ? 9000 : 0;
    (void)vif_offer_choose(vif);
    vif_port_fill(vif);
    vif->port.tx_rate = (struct port_rate){ settings & HAS_RATE ? 30000 : 0, 100000 };
    if (settings & HAS_HEADROOM)
        vif->control.front.xdp_headroom = fuzz_u16(input) % (XDP_HEADROOM_MAX + 1);
    FUZZ_CHECK(vif_connect(vif) == 0);
    fake_grant(GUEST, 8000, NULL);
    fake_grant(GUEST, 8001, NULL);
    scribbles = settings & SCRIBBLES;
    fake_copy_watch(ring_scribble);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    uint8_t settings = fuzz_u8(&input), start = fuzz_u8(&input);

    nr_sent = sent_from = 0;
    nr_given = nr_failed = nr_all = 0;
    vif_up(settings, start, &input);
    for (unsigned int i = 0; i < STEPS && input.left; i++)
        step(&input);
    vif_disconnect(vif);
    vif_release(vif);
    fake_copy_watch(NULL);
    FUZZ_CHECK(vif_nr_queued_mbufs() == 0);
    FUZZ_CHECK(gnttab_nr_maps() == 0 && evtchn_nr_open() == 0);
    FUZZ_CHECK(fuzz_pool_in_use() == 0);
    return 0;
}
