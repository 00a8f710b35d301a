/* SPDX-License-Identifier: BSD-2-Clause */
/* What a good frontend does, at the edges of what is allowed: all of it must work. */
#include <string.h>

#include "attack.h"
#include "frame.h"
#include "serve.h"
#include "wait.h"
#include "xen/clock.h"

#define COMPUTES_NS 2000000000ull

#define SERVE_MS 60000

static uint8_t frame[FRONT_FRAME_SIZE];

static const char *arp(struct front *f)
{
    return frame_alive(f);
}

/* An ARP request that arrives whole only if all pieces were put together in order. */
static const char *pieces_answered(struct front *f, const uint16_t *sizes, unsigned int nr)
{
    uint32_t len = 0;
    const char *bad;

    for (unsigned int i = 0; i < nr; i++)
        len += sizes[i];
    rx_drain(f);
    frame_arp(f, frame, len);
    tx_pieces(f, frame, sizes, nr, 0, NULL);
    tx_push(f);
    bad = tx_judge(f, NETIF_RSP_OKAY);
    if (bad)
        return bad;
    return frame_wait_answer(f, 5000) ? NULL : why("no answer to an ARP request in %u pieces", nr);
}

static const char *slots_18_tiny(struct front *f)
{
    uint16_t sizes[18];

    for (unsigned int i = 0; i < 18; i++)
        sizes[i] = 4;
    return pieces_answered(f, sizes, 18);
}

static const char *slots_20_tiny(struct front *f)
{
    uint16_t sizes[20];

    for (unsigned int i = 0; i < 20; i++)
        sizes[i] = 3;
    return pieces_answered(f, sizes, 20);
}

static const char *slots_one_byte(struct front *f)
{
    const uint16_t sizes[17] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 44 };

    return pieces_answered(f, sizes, 17);
}

static const char *slots_empty_between(struct front *f)
{
    const uint16_t sizes[6] = { 20, 0, 30, 0, 0, 10 };

    return pieces_answered(f, sizes, 6);
}

static const char *slots_first_empty(struct front *f)
{
    const uint16_t sizes[3] = { 0, 40, 20 };

    return pieces_answered(f, sizes, 3);
}

static const char *slots_whole_page(struct front *f)
{
    memset(frame, 0, sizeof(frame));
    frame_eth(f, frame, frame_nobody, 0x88b5);
    tx_slot(f, f->tx_refs[0], 4096 - 60, 60, 0);
    tx_slot(f, f->tx_refs[1], 0, 1500, 0);
    memcpy(front_tx_data[0] + 4096 - 60, frame, 60);
    memcpy(front_tx_data[1], frame, 1500);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_OKAY);
}

/* 256 frames at once: the ring full to its last slot. */
static const char *ring_full(struct front *f)
{
    frame_arp(f, front_tx_data[0], 60);
    memcpy(front_tx_data[0], frame_nobody, 6);
    for (unsigned int i = 0; i < FRONT_SLOTS; i++)
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_OKAY);
}

static const char *gso_18_slots(struct front *f)
{
    struct netif_extra_info gso = tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4);
    uint16_t sizes[18];

    frame_tcp4(f, frame, frame_broadcast, 18 * 3000 - FRAME_TCP4_LEN);
    for (unsigned int i = 0; i < 18; i++)
        sizes[i] = 3000;
    tx_pieces(f, frame, sizes, 18, NETTXF_csum_blank | NETTXF_data_validated, &gso);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_OKAY);
}

static const char *gso_largest(struct front *f)
{
    struct netif_extra_info gso = tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4);
    uint32_t len = frame_tcp4(f, frame, frame_broadcast, 65535 - FRAME_TCP4_LEN);

    tx_frame(f, frame, len, NETTXF_csum_blank | NETTXF_data_validated, &gso);
    return tx_judge(f, NETIF_RSP_OKAY);
}

static const char *gso_over_ipv6(struct front *f)
{
    struct netif_extra_info gso = tx_gso(1428, XEN_NETIF_GSO_TYPE_TCPV6);
    uint32_t len = frame_tcp6(f, frame, frame_broadcast, 20000);

    tx_frame(f, frame, len, NETTXF_csum_blank | NETTXF_data_validated, &gso);
    return tx_judge(f, NETIF_RSP_OKAY);
}

/* The state that Linux' frontend goes through; the headroom holds afterwards. */
static const char *reconfigured(struct front *f, const char *headroom)
{
    const char *bad;

    if (store_write("device/vif/0/xdp-headroom", headroom) != 0)
        return why("cannot write xdp-headroom");
    bad = front_state_set(XenbusStateReconfiguring);
    if (bad)
        return bad;
    if (!front_wait_back(f, XenbusStateReconfigured, 5000))
        return why("the backend is in state %d, not Reconfigured", front_back_state(f));
    bad = front_state_set(XenbusStateConnected);
    if (bad)
        return bad;
    if (!front_wait_back(f, XenbusStateConnected, 5000))
        return why("the backend is in state %d, not Connected again", front_back_state(f));
    return NULL;
}

/* The answer to an ARP request begins where it must. */
static const char *answer_at(struct front *f, uint16_t offset)
{
    const struct rx_frame *in = NULL;

    rx_drain(f);
    frame_arp(f, frame, 60);
    tx_frame(f, frame, 60, 0, NULL);
    for (unsigned int ms = 0; ms < 5000; ms++) {
        while ((in = rx_take(f)))
            if (frame_is_answer(f, in))
                return in->offset == offset ? NULL
                                            : why("an answer at %u, not %u", in->offset, offset);
        wait_ms(1);
    }
    return why("no answer");
}

static const char *xdp_headroom(struct front *f)
{
    static const struct {
        const char *asked;
        uint16_t offset;
    } rows[] = { { "256", 256 }, { "2048", 2048 }, { "4000", 2048 }, { "-1", 2048 }, { "0", 0 } };

    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *bad = reconfigured(f, rows[i].asked);

        if (!bad)
            bad = tx_judge(f, NETIF_RSP_OKAY);
        if (!bad)
            bad = answer_at(f, rows[i].offset);
        if (bad)
            return why("xdp-headroom=%s: %s", rows[i].asked, bad);
    }
    return NULL;
}

static const char *csum_blank(struct front *f)
{
    uint32_t len = frame_tcp4(f, frame, frame_broadcast, 200);

    tx_frame(f, frame, len, NETTXF_csum_blank, NULL);
    return tx_judge(f, NETIF_RSP_OKAY);
}

/* Is the TCP or ICMP checksum right, or its completion left to us as the flags say? */
static bool sum_is_good(const struct rx_frame *in)
{
    const uint8_t *ip = in->data + FRAME_ETH_LEN;
    uint32_t len = be16_get(ip + 2), head = (ip[0] & 15) * 4u;
    uint32_t pseudo = 0;

    if (in->len < FRAME_ETH_LEN + len || len < head)
        return false;
    if (ip[9] == 6)
        pseudo = frame_sum(ip + 12, 8, 6 + len - head);
    if (ip[9] == 6 && in->flags & NETRXF_csum_blank)
        return be16_get(ip + head + 16) == frame_fold(pseudo);
    return frame_fold(frame_sum(ip + head, len - head, pseudo)) == 0xffff;
}

static void answer_arp(struct front *f, const uint8_t *in)
{
    memcpy(frame, in, 60);
    frame_eth(f, frame, in + 6, 0x0806);
    frame[21] = 2;
    memcpy(frame + 22, f->mac, 6);
    be32_put(frame + 28, f->ip);
    memcpy(frame + 32, in + 22, 10);
    tx_frame(f, frame, 60, 0, NULL);
}

static void answer_ping(struct front *f, const struct rx_frame *in)
{
    uint8_t *ip = frame + FRAME_ETH_LEN;

    memcpy(frame, in->data, in->len);
    frame_eth(f, frame, in->data + 6, 0x0800);
    memcpy(ip + 12, in->data + FRAME_ETH_LEN + 16, 4);
    memcpy(ip + 16, in->data + FRAME_ETH_LEN + 12, 4);
    ip[20] = 0;
    be16_put(ip + 22, 0);
    be16_put(ip + 22, (uint16_t)~frame_fold(frame_sum(ip + 20, be16_get(ip + 2) - 20u, 0)));
    tx_frame(f, frame, in->len, 0, NULL);
}

/* A packet to our address: answered, counted. */
static void serve_one(struct front *f, const struct rx_frame *in, struct served *served)
{
    const uint8_t *ip = in->data + FRAME_ETH_LEN;
    uint16_t type = be16_get(in->data + 12);

    if (type == 0x0806 && in->data[21] == 1 && be32_get(in->data + 38) == f->ip) {
        served->arps++;
        answer_arp(f, in->data);
    } else if (type == 0x0800 && be32_get(ip + 16) == f->ip) {
        served->bad += !sum_is_good(in);
        served->blank += (in->flags & NETRXF_csum_blank) != 0;
        served->validated += (in->flags & NETRXF_data_validated) != 0;
        served->tcps += ip[9] == 6;
        if (ip[9] == 1 && ip[20] == 8) {
            served->pings++;
            answer_ping(f, in);
        }
    }
}

const char *serve_run(struct front *f, struct served *served, unsigned int limit_ms, int want)
{
    const struct rx_frame *in;
    const char *bad = NULL;

    say("serving");
    for (unsigned int ms = 0; ms < limit_ms && !bad; ms += 2) {
        while (!bad && (in = rx_take(f))) {
            const uint8_t *ip = in->data + FRAME_ETH_LEN;

            if (in->status < 0) /* answered by a successor that has nothing for it */
                continue;
            serve_one(f, in, served);
            bad = tx_judge(f, want);
            if (be16_get(in->data + 12) == 0x0800 && ip[9] == 6 && be16_get(ip + 22) == 7)
                ms = limit_ms;
        }
        wait_ms(2);
    }
    if (!bad && served->bad)
        bad = why("%u received packets with a wrong checksum", served->bad);
    return bad;
}

static const char *serve(struct front *f)
{
    struct served served = { 0 };
    const char *bad = serve_run(f, &served, SERVE_MS, NETIF_RSP_OKAY);

    note("arps=%u pings=%u tcps=%u blank=%u validated=%u bad=%u", served.arps, served.pings,
         served.tcps, served.blank, served.validated, served.bad);
    return bad;
}

/* Processor time and nothing else: what attacks are compared with. */
static const char *computes(struct front *f)
{
    uint64_t end = clock_now() + COMPUTES_NS;

    (void)f;
    while (clock_now() < end)
        ;
    return NULL;
}

const struct attack attacks_honest[] = {
    { "honest", "arp", arp, false },
    { "honest", "slots_18_tiny", slots_18_tiny, false },
    { "honest", "slots_20_tiny", slots_20_tiny, false },
    { "honest", "slots_one_byte", slots_one_byte, false },
    { "honest", "slots_empty_between", slots_empty_between, false },
    { "honest", "slots_first_empty", slots_first_empty, false },
    { "honest", "slots_whole_page", slots_whole_page, false },
    { "honest", "ring_full", ring_full, false },
    { "honest", "csum_blank", csum_blank, false },
    { "honest", "gso_18_slots", gso_18_slots, false },
    { "honest", "gso_largest", gso_largest, false },
    { "honest", "gso_over_ipv6", gso_over_ipv6, false },
    { "honest", "xdp_headroom", xdp_headroom, false },
    { "serve", "serve", serve, false },
    { "computes", "computes", computes, false },
    { 0 },
};
