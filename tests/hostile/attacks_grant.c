/* SPDX-License-Identifier: BSD-2-Clause */
/* References to pages that the backend may not have (XSA-361 to 371). */
#include <string.h>

#include "arch/x86/cpu.h"
#include "attack.h"
#include "frame.h"
#include "wait.h"
#include "xen/domain.h"
#include "xen/frames.h"
#include "xen/gnttab.h"

#define IN_FLIGHT 200
#define CHANGED 32

/* A frame from a reference; the rest of the packet is good. */
static const char *tx_from(struct front *f, grant_ref_t ref)
{
    const char *bad;

    frame_arp(f, front_tx_data[0], 60);
    tx_slot(f, ref, 0, 60, 0);
    tx_slot(f, f->tx_refs[0], 0, 72, NETTXF_more_data);
    tx_slot(f, ref, 0, 12, 0);
    tx_push(f);
    bad = tx_judge(f, NETIF_RSP_ERROR);
    return bad ? why("reference %u: %s", ref, bad) : NULL;
}

static const char *tx_never_granted(struct front *f)
{
    static const grant_ref_t refs[] = { 0,    1,     2,          GREF_UNUSED, 511,
                                        4096, 65536, 0x7fffffff, 0xffffffff };
    const char *bad = NULL;

    for (unsigned int i = 0; i < ARRAY_LEN(refs) && !bad; i++)
        bad = tx_from(f, refs[i]);
    return bad;
}

/* A grant-table entry that says what it may not. The entry is free again afterwards. */
static const char *tx_from_entry(struct front *f, uint32_t mfn, domid_t domid, uint16_t flags)
{
    grant_entry_v1_t *entry = &front_grant_table()[GREF_UNUSED];
    const char *bad;

    *entry = (grant_entry_v1_t){ .flags = flags, .domid = domid, .frame = mfn };
    bad = tx_from(f, GREF_UNUSED);
    entry->flags = 0;
    return bad;
}

static const char *tx_foreign_frame(struct front *f)
{
    static const uint32_t frames[] = { 0, 1, 0x100, 0xfee00, 0xffffffff };
    const char *bad = NULL;

    for (unsigned int i = 0; i < ARRAY_LEN(frames) && !bad; i++)
        bad = tx_from_entry(f, frames[i], f->backend, GTF_permit_access);
    return bad;
}

static const char *tx_for_another(struct front *f)
{
    uint32_t mfn = (uint32_t)virt_to_mfn(front_tx_data[0]);
    const char *bad = tx_from_entry(f, mfn, 0, GTF_permit_access);

    return bad ? bad : tx_from_entry(f, mfn, f->backend, GTF_accept_transfer);
}

/* Taken back while the backend may be reading it. */
static const char *tx_revoked_in_flight(struct front *f)
{
    grant_entry_v1_t *entry = &front_grant_table()[f->tx_refs[1]];

    for (unsigned int round = 0; round < 20; round++) {
        const char *bad;

        frame_arp(f, front_tx_data[1], 60);
        for (unsigned int i = 0; i < IN_FLIGHT; i++)
            tx_slot(f, f->tx_refs[1], 0, 60, 0);
        tx_push(f);
        for (unsigned int i = 0; i < 50; i++) {
            WRITE_ONCE(entry->flags, 0);
            WRITE_ONCE(entry->flags, GTF_permit_access);
        }
        WRITE_ONCE(entry->flags, 0);
        bad = tx_judge(f, TX_ANY);
        entry->flags = GTF_permit_access;
        if (bad)
            return bad;
    }
    return NULL;
}

/*
 * All receive buffers replaced by one bad reference: what comes for us is lost and answered with an
 * error, and the backend goes on.
 */
static const char *rx_into(struct front *f, grant_ref_t ref)
{
    const struct rx_frame *in = NULL;
    const char *bad;
    uint8_t frame[60];

    rx_drain(f);
    bad = front_close(f);
    if (!bad)
        bad = front_prepare(f);
    if (!bad)
        bad = front_publish(f);
    if (bad)
        return bad;
    f->no_refill = true;
    for (unsigned int i = 0; i < 8; i++)
        rx_slot(f, ref);
    if (!front_wait_back(f, XenbusStateConnected, 8000))
        return why("the backend is not Connected");
    rx_push(f);
    frame_arp(f, frame, sizeof(frame));
    tx_frame(f, frame, sizeof(frame), 0, NULL);
    bad = tx_judge(f, NETIF_RSP_OKAY);
    for (unsigned int ms = 0; ms < 3000 && !in && !bad; ms += 5) {
        wait_ms(5);
        in = rx_take(f);
    }
    if (bad)
        return bad;
    if (!in)
        return why("reference %u: nothing came back for it", ref);
    if (in->status != NETIF_RSP_ERROR && in->status != NETIF_RSP_DROPPED)
        return why("reference %u: received with status %d", ref, in->status);
    f->dirty = true;
    return NULL;
}

static const char *rx_never_granted(struct front *f)
{
    const char *bad = rx_into(f, GREF_UNUSED);

    return bad ? bad : rx_into(f, 0xffffffff);
}

static const char *rx_into_entry(struct front *f, unsigned long mfn, uint16_t flags)
{
    grant_entry_v1_t *entry = &front_grant_table()[GREF_UNUSED];
    const char *bad;

    *entry = (grant_entry_v1_t){ .flags = flags, .domid = f->backend, .frame = (uint32_t)mfn };
    bad = rx_into(f, GREF_UNUSED);
    entry->flags = 0;
    return bad;
}

static const char *rx_read_only(struct front *f)
{
    return rx_into_entry(f, virt_to_mfn(front_rx_data[0]), GTF_permit_access | GTF_readonly);
}

/* Xen does not let anyone write to a page table. */
static const char *rx_page_table(struct front *f)
{
    return rx_into_entry(f, virt_to_mfn((void *)start_info->pt_base), GTF_permit_access);
}

static const char *rx_foreign_frame(struct front *f)
{
    return rx_into_entry(f, 0xffffff, GTF_permit_access);
}

/* The page that is being sent is the one that is received into, and a ring. */
static const char *rx_into_ring(struct front *f)
{
    f->dirty = true;
    f->no_refill = true;
    for (unsigned int i = 0; i < 8; i++)
        rx_slot(f, f->rx_ref);
    for (unsigned int i = 0; i < 8; i++)
        rx_slot(f, f->tx_ref);
    rx_push(f);
    for (unsigned int i = 0; i < 150; i++) {
        tx_slot(f, f->tx_ref, 0, 1500, 0);
        frame_arp(f, front_tx_data[0], 60);
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
        tx_push(f);
        wait_ms(2);
        f->tx_prod = f->tx_cons = READ_ONCE(f->tx->rsp_prod);
    }
    return NULL;
}

static void slots_vary(struct front *f, RING_IDX first)
{
    static const uint16_t sizes[] = { 0, 13, 60, 1500, 4096, 65535 };

    for (unsigned int i = 0; i < 2000 && READ_ONCE(f->tx->rsp_prod) != f->tx_prod; i++) {
        struct netif_tx_request *req = &f->tx->ring[(first + i % CHANGED) % FRONT_SLOTS].req;

        WRITE_ONCE(req->size, sizes[i % ARRAY_LEN(sizes)]);
        WRITE_ONCE(req->offset, (uint16_t)(i * 511));
        WRITE_ONCE(req->flags, (uint16_t)(i & 1 ? 0 : random_u32() & 7));
        WRITE_ONCE(req->gref, i & 3 ? f->tx_refs[i % FRONT_TX_PAGES] : 0xffffffff);
    }
}

/* Slots changed right after the notification, while the backend reads them (XSA-155). */
static const char *slots_changed(struct front *f)
{
    f->dirty = true;
    for (unsigned int round = 0; round < 300; round++) {
        RING_IDX first = f->tx_prod;

        for (unsigned int i = 0; i < CHANGED; i++)
            tx_slot(f, f->tx_refs[0], 0, 60, 0);
        tx_push(f);
        slots_vary(f, first);
        /* Whatever is left of them ends here: they are requests of their own. */
        for (unsigned int i = 0; i < CHANGED; i++)
            WRITE_ONCE(f->tx->ring[(first + i) % FRONT_SLOTS].req.flags, 0);
        front_kick(f);
        if (!tx_drain(f, 3000))
            return front_is_closed(f) ? NULL : why("round %u: neither answered nor closed", round);
    }
    return NULL;
}

const struct attack attacks_grant[] = {
    { "grant", "tx_never_granted", tx_never_granted, false },
    { "grant", "tx_foreign_frame", tx_foreign_frame, false },
    { "grant", "tx_for_another", tx_for_another, false },
    { "grant", "tx_revoked_in_flight", tx_revoked_in_flight, false },
    { "grant", "rx_never_granted", rx_never_granted, false },
    { "grant", "rx_read_only", rx_read_only, false },
    { "grant", "rx_page_table", rx_page_table, false },
    { "grant", "rx_foreign_frame", rx_foreign_frame, false },
    { "grant", "rx_into_ring", rx_into_ring, false },
    { "grant", "slots_changed", slots_changed, false },
    { 0 },
};
