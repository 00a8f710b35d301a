/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restarts of the kernel under a guest: at any moment of its traffic, with responses half written, and with anything
 * else damaged: the vif's record, its marks, list of groups and hash, and both rings, which the guest may change too.
 *
 *   - With nothing damaged the vif goes on: what the last start had in hand is answered once with errors, nothing else
 *     is answered by the restart, and what comes then is served.
 *   - With anything damaged it goes on or is given up whole: no grant stays mapped and no port bound without a vif, no
 *     more is answered than was asked, and another restart finds nothing worse.
 *
 * The input: settings, and steps; a step is a byte that says what to do, and what it needs.
 */
#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "fuzz.h"
#include "net/egress.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define DOMID 7
#define STEPS 48
#define PAGES 4 /* of the guest's, granted for each direction */

static struct vif *const vif = &vif_table[0];
static struct fake_guest guest;
static uint8_t tx_before[4096], rx_before[4096]; /* the rings at some moment */
static bool has_before;
static bool is_extra[GUEST_RING]; /* of requests to send: extra info */
static bool is_damaged, is_whole; /* is_whole: each packet on the ring has its end */

static void guest_begin(uint8_t settings)
{
    guest_create(&guest, DOMID, 0);
    fake_xen_sleep(500000000);
    guest.split = settings & 1;
    guest.no_rx_notify = settings & 2;
    guest.no_data = true;
    guest_rings(&guest);
    for (unsigned int i = 0; i < PAGES; i++) {
        fake_grant(DOMID, GUEST_TX_REF + i, guest.tx_pages + 4096 * i);
        fake_grant(DOMID, GUEST_RX_REF + i, guest.rx_pages + 4096 * i);
    }
    front_write(&guest, "request-multicast-control", settings & 4 ? "1" : "0");
    guest_nodes(&guest);
    guest_state(&guest, "4");
    fake_xen_sleep(500000000);
    FUZZ_CHECK(vif_nr_connected() == 1);
}

/* Room on the ring for a packet of so many slots? */
static bool tx_has_room(unsigned int nr)
{
    return guest.tx.req_prod_pvt - guest.tx.rsp_cons + nr <= GUEST_RING;
}

/* A packet of slots that are granted or not, perhaps for several; it may be as odd as a guest likes. */
static void packet_put(struct fuzz_input *input, uint8_t what)
{
    unsigned int nr = 1 + (what >> 4 & 3), has_extra = what >> 6 & 1;
    uint16_t len = fuzz_u16(input) % 4096, flags = fuzz_u8(input) & 7;

    if (!tx_has_room(nr + has_extra))
        return;
    for (unsigned int i = 0; i < nr; i++) {
        uint16_t more = i < nr - 1 ? NETTXF_more_data : 0;
        uint8_t page = fuzz_u8(input);

        is_extra[guest.tx.req_prod_pvt % GUEST_RING] = false;
        tx_put(&guest, GUEST_TX_REF + page % (PAGES + 1), page, i ? len / 4 : len,
               (i ? 0 : flags & (NETTXF_csum_blank | NETTXF_data_validated)) | more |
                   (i == 0 && has_extra ? NETTXF_extra_info : 0));
        if (i > 0 || !has_extra)
            continue;
        is_extra[guest.tx.req_prod_pvt % GUEST_RING] = true;
        tx_extra(&guest, flags & 4 ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_GSO, 0,
                 XEN_NETIF_GSO_TYPE_TCPV4, len);
    }
    tx_push(&guest);
}

static void packet_put_half(void)
{
    if (!tx_has_room(1) || !is_whole)
        return;
    is_extra[guest.tx.req_prod_pvt % GUEST_RING] = false;
    tx_put(&guest, GUEST_TX_REF, 0, 2000, NETTXF_more_data);
    tx_push(&guest);
    is_whole = false; /* nothing is put behind it */
}

static void to_guest(struct fuzz_input *input, uint8_t what)
{
    uint32_t len = 60 + fuzz_u16(input) % 1400;
    struct rte_mbuf *frame;

    if (what & 0x10)
        frame = frame_make_l4(what & 0x20, 6, 2 * len, 1000);
    else
        frame = frame_make(station(1), station(2), len);
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
}

/* The guest looks at its answers; each slot has its own, once and in order, by its place. */
static void answers_take(bool by_restart)
{
    while (!is_damaged && guest.tx.rsp_cons != guest.tx.sring->rsp_prod) {
        uint32_t slot = guest.tx.rsp_cons % GUEST_RING;
        uint16_t id;
        int status = tx_response(&guest, &id);

        if (is_extra[slot]) {
            FUZZ_CHECK(status == NETIF_RSP_NULL);
            continue;
        }
        FUZZ_CHECK(id == 0x4000 + slot);
        FUZZ_CHECK(status == NETIF_RSP_ERROR ||
                   (!by_restart && (status == NETIF_RSP_OKAY || status == NETIF_RSP_DROPPED)));
    }
    for (; !is_damaged && by_restart && guest.rx.rsp_cons != guest.rx.sring->rsp_prod;
         guest.rx.rsp_cons++) {
        const struct netif_rx_response *rsp = RING_GET_RESPONSE(&guest.rx, guest.rx.rsp_cons);

        FUZZ_CHECK(rsp->status == NETIF_RSP_ERROR && rsp->id == guest.rx.rsp_cons % GUEST_RING);
    }
    if (!is_damaged && !by_restart)
        guest.rx.rsp_cons = guest.rx.sring->rsp_prod;
}

static void turn(void)
{
    answers_take(false);
    memcpy(tx_before, guest.tx.sring, sizeof(tx_before));
    memcpy(rx_before, guest.rx.sring, sizeof(rx_before));
    has_before = true;
    loop_turn();
    fake_host_empty();
}

/*
 * As if only some of the last turn's responses had been written, and none shown: the slots behind them are as they were.
 * Not where the guest has seen them since, or has put more.
 */
static void turn_back(uint8_t tx_written, uint8_t rx_written)
{
    const netif_tx_sring_t *tx = (const void *)tx_before;
    const netif_rx_sring_t *rx = (const void *)rx_before;

    if (!has_before || is_damaged || tx->req_prod != guest.tx.sring->req_prod ||
        rx->req_prod != guest.rx.sring->req_prod)
        return;
    for (unsigned int i = tx_written; i < GUEST_RING; i++)
        guest.tx.sring->ring[(tx->rsp_prod + i) % GUEST_RING] =
            tx->ring[(tx->rsp_prod + i) % GUEST_RING];
    guest.tx.sring->rsp_prod = tx->rsp_prod;
    for (unsigned int i = rx_written; i < GUEST_RING; i++)
        guest.rx.sring->ring[(rx->rsp_prod + i) % GUEST_RING] =
            rx->ring[(rx->rsp_prod + i) % GUEST_RING];
    guest.rx.sring->rsp_prod = rx->rsp_prod;
}

/* A byte of what a restart finds is another. */
static void damage(struct fuzz_input *input)
{
    struct {
        void *at;
        size_t size;
    } parts[] = {
        { &vif->record, sizeof(vif->record) },
        { &vif->queue.marks, sizeof(vif->queue.marks) },
        { &vif->queue.marks, 2 * sizeof(RING_IDX) },
        { &vif->multicast, sizeof(vif->multicast) },
        { &vif->hash, sizeof(vif->hash) },
        { guest.tx.sring, 64 + 256 },
        { guest.rx.sring, 64 + 256 },
        { &guest.tx.sring->req_prod, 8 },
        { &guest.rx.sring->req_prod, 8 },
    };
    uint8_t part = fuzz_u8(input) % 9, bits;
    uint32_t at = fuzz_u16(input) % parts[part].size;

    bits = fuzz_u8(input);
    ((uint8_t *)parts[part].at)[at] ^= bits;
    is_damaged |= bits != 0;
}

/* What must hold after a restart whatever was there. Returns whether the vif goes on. */
static bool restart(void)
{
    uint32_t tx_rsp = guest.tx.sring->rsp_prod, tx_req = guest.tx.sring->req_prod;
    uint32_t rx_rsp = guest.rx.sring->rsp_prod, rx_req = guest.rx.sring->req_prod;
    uint32_t tx_mark = vif->queue.marks.tx_mark, rx_mark = vif->queue.marks.rx_mark;
    unsigned int nr;

    answers_take(false); /* those that it was shown */
    nr = kernel_restart();
    has_before = false;
    FUZZ_CHECK(nr == 1 || (nr == 0 && is_damaged));
    FUZZ_CHECK(vif_nr_connected() == nr && fake_host.nr_attached == nr);
    FUZZ_CHECK(gnttab_nr_maps() == 2 * nr);
    FUZZ_CHECK(evtchn_nr_open() == nr * (guest.split ? 2 : 1));
    FUZZ_CHECK(vif_nr_queued_mbufs() == 0 && vif->nr_waiting == 0);
    if (nr == 0)
        return false;
    FUZZ_CHECK(tx_req - tx_rsp <= GUEST_RING && rx_req - rx_rsp <= GUEST_RING);
    FUZZ_CHECK(guest.tx.sring->rsp_prod - tx_rsp <= tx_req - tx_rsp);
    FUZZ_CHECK(guest.rx.sring->rsp_prod - rx_rsp <= rx_req - rx_rsp);
    FUZZ_CHECK(vif->queue.tx.rsp_prod_pvt == guest.tx.sring->rsp_prod);
    FUZZ_CHECK(vif->queue.tx.req_cons == guest.tx.sring->rsp_prod);
    FUZZ_CHECK(vif->queue.rx.rsp_prod_pvt == guest.rx.sring->rsp_prod);
    FUZZ_CHECK(vif->queue.rx.req_cons == guest.rx.sring->rsp_prod);
    FUZZ_CHECK(is_damaged || guest.tx.sring->rsp_prod == tx_mark);
    FUZZ_CHECK(is_damaged || guest.rx.sring->rsp_prod == rx_mark);
    answers_take(true);
    return true;
}

/* Returns whether there is a vif to go on with. */
static bool step(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);

    switch (what & 15) {
    case 0:
    case 1:
    case 2:
        if (is_whole)
            packet_put(input, what);
        break;
    case 3:
        packet_put_half();
        break;
    case 4:
        if (!is_damaged && guest.rx.req_prod_pvt - guest.rx.rsp_cons + (what >> 4) <= GUEST_RING)
            rx_post(&guest, what >> 4);
        break;
    case 5:
    case 6:
        to_guest(input, what);
        break;
    case 7:
        turn_back(fuzz_u8(input), fuzz_u8(input));
        return restart();
    case 8:
        for (unsigned int i = what >> 4; i > 0; i--)
            damage(input);
        return restart();
    case 9:
        return restart();
    default:
        turn();
        /* Nothing that the guest may do here is worth closing it for. */
        FUZZ_CHECK(is_damaged || (vif->mapped && !vif->broken));
    }
    return vif->used && vif->mapped && !vif->broken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    struct fuzz_input input = { data, size };
    bool goes_on = true;

    FUZZ_CHECK(is_started || vif_test_group(NULL) == 0);
    is_started = is_whole = true;
    is_damaged = has_before = false;
    FUZZ_CHECK(vif_test_setup(NULL) == 0);
    guest_begin(fuzz_u8(&input));
    for (unsigned int i = 0; i < STEPS && input.left && goes_on; i++)
        goes_on = step(&input);
    if (goes_on && !is_damaged) {
        FUZZ_CHECK(restart());
        turn();
        FUZZ_CHECK(!is_whole || guest.tx.sring->rsp_prod == guest.tx.req_prod_pvt);
    }
    (void)kernel_restart();
    for (unsigned int i = 0; i < VIF_MAX; i++)
        vif_disconnect(&vif_table[i]);
    fake_host_empty();
    guest_free(&guest);
    FUZZ_CHECK(gnttab_nr_maps() == 0 && evtchn_nr_open() == 0 && fixture_in_use() == 0);
    return 0;
}
