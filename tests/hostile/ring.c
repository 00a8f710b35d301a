/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring.h"

#include <string.h>

#include "arch/x86/cpu.h"
#include "wait.h"

#define ANSWER_LIMIT_MS 8000
#define RX_PAGE(index) ((index) % FRONT_RX_PAGES)

static union netif_tx_sring_entry *tx_at(struct front *f, RING_IDX index)
{
    return &f->tx->ring[index % FRONT_SLOTS];
}

static union netif_rx_sring_entry *rx_at(struct front *f, RING_IDX index)
{
    return &f->rx->ring[index % FRONT_SLOTS];
}

void tx_slot(struct front *f, grant_ref_t ref, unsigned int offset, unsigned int size,
             unsigned int flags)
{
    unsigned int index = f->tx_prod % FRONT_SLOTS;

    f->is_extra[index] = false;
    f->id[index] = f->next_id;
    tx_at(f, f->tx_prod++)->req = (struct netif_tx_request){
        .gref = ref,
        .offset = (uint16_t)offset,
        .flags = (uint16_t)flags,
        .id = f->next_id++,
        .size = (uint16_t)size,
    };
}

void tx_extra(struct front *f, struct netif_extra_info extra)
{
    f->is_extra[f->tx_prod % FRONT_SLOTS] = true;
    memcpy(tx_at(f, f->tx_prod++), &extra, sizeof(extra));
}

struct netif_extra_info tx_gso(uint16_t size, uint8_t type)
{
    return (struct netif_extra_info){
        .type = XEN_NETIF_EXTRA_TYPE_GSO,
        .u.gso = { .size = size, .type = type },
    };
}

void tx_push(struct front *f)
{
    wmb();
    WRITE_ONCE(f->tx->req_prod, f->tx_prod);
    front_kick(f);
}

void tx_end(struct front *f)
{
    tx_slot(f, 0, 0, 0, 0);
    tx_slot(f, 0, 0, 0, 0);
    tx_push(f);
}

static bool tx_answered(void *ctx)
{
    struct front *f = ctx;

    return READ_ONCE(f->tx->rsp_prod) == f->tx_prod;
}

bool tx_drain(struct front *f, unsigned int ms)
{
    if (!wait_until(tx_answered, f, ms))
        return false;
    f->tx_cons = f->tx_prod;
    return true;
}

static const char *answer_judge(struct front *f, RING_IDX index, int want)
{
    struct netif_tx_response rsp = tx_at(f, index)->rsp;
    unsigned int slot = index % FRONT_SLOTS;

    if (f->is_extra[slot])
        return rsp.status == NETIF_RSP_NULL
                   ? NULL
                   : why("extra-info slot %u was answered with %d", index, rsp.status);
    if (rsp.id != f->id[slot])
        return why("slot %u was answered for id %u, not %u", index, rsp.id, f->id[slot]);
    if (want == TX_ANY)
        return rsp.status <= NETIF_RSP_OKAY && rsp.status >= NETIF_RSP_DROPPED
                   ? NULL
                   : why("slot %u was answered with %d", index, rsp.status);
    return rsp.status == want
               ? NULL
               : why("slot %u was answered with %d, not %d", index, rsp.status, want);
}

const char *tx_judge(struct front *f, int want)
{
    RING_IDX first = f->tx_cons;

    if (!tx_drain(f, ANSWER_LIMIT_MS)) {
        f->dirty = true;
        return why("%u of %u slots were answered; the backend's state is %d",
                   READ_ONCE(f->tx->rsp_prod) - first, f->tx_prod - first, front_back_state(f));
    }
    for (RING_IDX index = first; index != f->tx_cons; index++) {
        const char *bad = answer_judge(f, index, want);

        if (bad)
            return bad;
    }
    return NULL;
}

void tx_pieces(struct front *f, const uint8_t *frame, const uint16_t *sizes, unsigned int nr,
               unsigned int flags, const struct netif_extra_info *extra)
{
    uint32_t total = 0;

    for (unsigned int i = 0; i < nr; i++)
        total += sizes[i];
    for (unsigned int i = 0; i < nr; i++) {
        unsigned int offset = sizes[i] > 2048 ? 0 : i * 64;
        unsigned int more = i + 1 < nr ? NETTXF_more_data : 0;

        memcpy(front_tx_data[i] + offset, frame, sizes[i]);
        frame += sizes[i];
        if (i > 0) {
            tx_slot(f, f->tx_refs[i], offset, sizes[i], more);
            continue;
        }
        tx_slot(f, f->tx_refs[0], offset, total, flags | more | (extra ? NETTXF_extra_info : 0u));
        if (extra)
            tx_extra(f, *extra);
    }
}

void tx_frame(struct front *f, const uint8_t *frame, uint32_t len, unsigned int flags,
              const struct netif_extra_info *extra)
{
    uint16_t sizes[FRONT_TX_PAGES];
    unsigned int nr = 0;

    while (len > 0 && nr < FRONT_TX_PAGES) {
        sizes[nr] = (uint16_t)(len < 4096 ? len : 4096);
        len -= sizes[nr++];
    }
    tx_pieces(f, frame, sizes, nr, flags, extra);
    tx_push(f);
}

void rx_slot(struct front *f, grant_ref_t ref)
{
    rx_at(f, f->rx_prod)->req =
        (struct netif_rx_request){ .id = (uint16_t)RX_PAGE(f->rx_prod), .gref = ref };
    f->rx_prod++;
}

void rx_push(struct front *f)
{
    wmb();
    WRITE_ONCE(f->rx->req_prod, f->rx_prod);
    front_kick(f);
}

void rx_fill(struct front *f)
{
    if (f->rx_prod - f->rx_cons == FRONT_RX_PAGES)
        return;
    while (f->rx_prod - f->rx_cons < FRONT_RX_PAGES)
        rx_slot(f, f->rx_refs[RX_PAGE(f->rx_prod)]);
    rx_push(f);
}

static void piece_add(struct rx_frame *frame, RING_IDX index, const struct netif_rx_response *rsp)
{
    uint32_t len = rsp->status > 0 ? (uint32_t)rsp->status : 0;

    if (rsp->offset + len > 4096 || frame->len + len > FRONT_FRAME_SIZE)
        return;
    memcpy(frame->data + frame->len, front_rx_data[RX_PAGE(index)] + rsp->offset, len);
    frame->len += len;
}

static void extras_take(struct front *f, struct rx_frame *frame, RING_IDX end)
{
    struct netif_extra_info extra = { .flags = XEN_NETIF_EXTRA_FLAG_MORE };

    while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE && f->rx_cons != end) {
        memcpy(&extra, rx_at(f, f->rx_cons++), sizeof(extra));
        if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO)
            frame->gso_size = extra.u.gso.size;
        if (extra.type == XEN_NETIF_EXTRA_TYPE_HASH) {
            frame->hash_type = (uint8_t)(1 + extra.u.hash.type);
            memcpy(&frame->hash, extra.u.hash.value, sizeof(frame->hash));
        }
    }
}

/* Never beyond what is answered, whatever a second vCPU has made of the answers' flags. */
const struct rx_frame *rx_take(struct front *f)
{
    static struct rx_frame frame;
    struct netif_rx_response rsp;
    RING_IDX end = READ_ONCE(f->rx->rsp_prod);

    if (end == f->rx_cons)
        return NULL;
    rmb();
    rsp = rx_at(f, f->rx_cons)->rsp;
    frame.len = 0;
    frame.gso_size = 0;
    frame.hash_type = 0;
    frame.flags = rsp.flags;
    frame.offset = rsp.offset;
    frame.status = rsp.status;
    piece_add(&frame, f->rx_cons++, &rsp);
    if (rsp.flags & NETRXF_extra_info)
        extras_take(f, &frame, end);
    while (rsp.flags & NETRXF_more_data && f->rx_cons != end) {
        rsp = rx_at(f, f->rx_cons)->rsp;
        piece_add(&frame, f->rx_cons++, &rsp);
    }
    if (!f->no_refill)
        rx_fill(f);
    return &frame;
}

unsigned int rx_drain(struct front *f)
{
    unsigned int nr = 0;

    while (rx_take(f))
        nr++;
    return nr;
}
