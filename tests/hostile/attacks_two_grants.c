/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two vCPUs, and the grant table: one sends, the other changes, revokes and restores what the backend copies from
 * and to at the same moment; in both versions of the table, and from one version to the other.
 * Source: xen/grant_table.h; what Xen refuses costs the packet.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/cpu.h"
#include "attack.h"
#include "canary.h"
#include "ctrl.h"
#include "frame.h"
#include "second.h"
#include "wait.h"
#include "xen/domain.h"
#include "xen/frames.h"
#include "xen/gnttab.h"
#include "xen/hypercall.h"

#define ROUNDS 30
#define IN_FLIGHT 100
#define CONNECTS 6
#define VERSIONS 5
#define ANSWER_MS 3000
#define UNMAP_MS 2000
#define HOLD_NODE "data/counted"
#define HOLD_POLL_MS 50
#define HOLD_POLLS 1200 /* bounds waiting only */
#define NR_PAGES (FRONT_TX_PAGES + FRONT_RX_PAGES)
#define STATIC_PAGES 40u

/* In version 2, of the rings. Beyond all that the platform has given away, and within the one frame of the table. */
#define V2_TX_RING 200u
#define V2_RX_RING 201u

struct tally {
    unsigned int okay, refused; /* answers to what was sent */
    unsigned int received, not_received; /* packets for us, those that Xen did not let in */
};

static grant_ref_t page_ref(const struct front *f, unsigned int i)
{
    return i < FRONT_TX_PAGES ? f->tx_refs[i] : f->rx_refs[i - FRONT_TX_PAGES];
}

static const void *page_of(unsigned int i)
{
    return i < FRONT_TX_PAGES ? front_tx_data[i] : front_rx_data[i - FRONT_TX_PAGES];
}

static void entries_restore(struct front *f)
{
    for (unsigned int i = 0; i < NR_PAGES; i++) {
        grant_entry_v1_t *entry = &front_grant_table()[page_ref(f, i)];

        WRITE_ONCE(entry->flags, 0);
        entry->domid = f->backend;
        entry->frame = (uint32_t)virt_to_mfn(page_of(i));
        wmb();
        WRITE_ONCE(entry->flags, GTF_permit_access);
    }
}

/* A frame that is not the one to be granted: other pages of ours, Xen's, none at all. */
static uint32_t some_frame(uint32_t n, bool is_tx)
{
    switch (n & 3) {
    case 0:
        return (uint32_t)virt_to_mfn(is_tx ? front_tx_data[(n >> 2) % FRONT_TX_PAGES]
                                           : front_rx_data[(n >> 2) % FRONT_RX_PAGES]);
    case 1:
        return (uint32_t)virt_to_mfn((const void *)start_info->pt_base);
    case 2:
        return n >> 2 & 0xffff;
    default:
        return 0xffffffff;
    }
}

/* One change of one entry; what is not refused is read from `frame`, or from the right one. */
static void entry_change(struct front *f, uint32_t n, unsigned int which, uint32_t frame)
{
    static const uint16_t flags[] = { 0, GTF_permit_access | GTF_readonly, GTF_accept_transfer,
                                      GTF_transitive, GTF_permit_access | GTF_sub_page };
    grant_entry_v1_t *entry = &front_grant_table()[page_ref(f, which)];

    switch (n & 7) {
    case 0:
        WRITE_ONCE(entry->flags, flags[n / 8 % ARRAY_LEN(flags)]);
        break;
    case 1:
        WRITE_ONCE(entry->domid, (domid_t)(n >> 16));
        break;
    case 2:
        WRITE_ONCE(entry->frame, frame);
        break;
    default:
        WRITE_ONCE(entry->frame, (uint32_t)virt_to_mfn(page_of(which)));
        WRITE_ONCE(entry->domid, f->backend);
        WRITE_ONCE(entry->flags, GTF_permit_access);
        break;
    }
}

static void entries_step(struct front *f)
{
    uint32_t n = second_random();
    unsigned int which = second_random() % NR_PAGES;

    entry_change(f, n, which, some_frame(n / 8, which < FRONT_TX_PAGES));
}

/* The same with frames that hold what we send, or are not ours: no frame is refused for what is in it. */
static void counted_step(struct front *f)
{
    uint32_t n = second_random();
    const void *page = front_tx_data[n / 16 % FRONT_TX_PAGES];

    entry_change(f, n, second_random() % NR_PAGES,
                 n & 8 ? (uint32_t)virt_to_mfn(page) : 0xffffffff);
}

static void received_count(struct front *f, struct tally *tally)
{
    const struct rx_frame *in;

    while ((in = rx_take(f))) {
        tally->received += in->status >= 0;
        tally->not_received += in->status < 0;
    }
}

/* Packets of one slot from all our pages, answered in order; each was refused, or not. */
static const char *send_and_tally(struct front *f, struct tally *tally)
{
    RING_IDX first = f->tx_cons;
    const char *bad;

    for (unsigned int i = 0; i < IN_FLIGHT; i++)
        tx_slot(f, f->tx_refs[i % FRONT_TX_PAGES], 0, 60, 0);
    tx_push(f);
    bad = tx_judge(f, TX_ANY);
    for (RING_IDX at = first; at != f->tx_cons && !bad; at++) {
        bool okay = f->tx->ring[at % FRONT_SLOTS].rsp.status == NETIF_RSP_OKAY;

        tally->okay += okay;
        tally->refused += !okay;
    }
    received_count(f, tally);
    return bad;
}

static const char *tally_judge(const struct tally *tally)
{
    note("okay=%u refused=%u received=%u not_received=%u", tally->okay, tally->refused,
         tally->received, tally->not_received);
    if (tally->okay == 0 || tally->refused == 0)
        return why("%u packets went and %u were refused: nothing was changed in time", tally->okay,
                   tally->refused);
    return canaries_whole();
}

/* Rounds of sending while step() changes entries. */
static const char *entries_race(struct front *f, second_fn *step, struct tally *tally)
{
    const char *bad = NULL;

    for (unsigned int i = 0; i < FRONT_TX_PAGES; i++)
        frame_arp(f, front_tx_data[i], 60);
    second_begin(step, f);
    for (unsigned int round = 0; round < ROUNDS && !bad; round++)
        bad = send_and_tally(f, tally);
    second_end();
    return bad;
}

static const char *grants_race(struct front *f, second_fn *step)
{
    struct tally tally = { 0 };
    const char *bad;

    canaries_set(f);
    bad = entries_race(f, step, &tally);
    entries_restore(f);
    return bad ? bad : tally_judge(&tally);
}

static const char *two_grants(struct front *f)
{
    return grants_race(f, entries_step);
}

/* Then silence, until dom0's side has compared our count of what was refused with the backend's, and says so. */
static const char *two_counted(struct front *f)
{
    const char *bad = grants_race(f, counted_step);
    char text[16];

    if (bad)
        return bad;
    say("holding");
    for (unsigned int i = 0; i < HOLD_POLLS && store_read(HOLD_NODE, text, sizeof(text)) != 0; i++)
        wait_ms(HOLD_POLL_MS);
    return NULL;
}

/* The rings' own entries, changed while the backend maps them. */
static void ring_entries_step(struct front *f)
{
    uint32_t n = second_random();
    grant_entry_v1_t *entry = &front_grant_table()[n & 8 ? f->tx_ref : f->rx_ref];

    switch (n & 3) {
    case 0:
        WRITE_ONCE(entry->flags, n & 16 ? 0 : GTF_permit_access | GTF_readonly);
        break;
    case 1:
        WRITE_ONCE(entry->domid, n & 16 ? 0 : f->backend);
        break;
    case 2:
        WRITE_ONCE(entry->frame, some_frame(n / 32, true));
        break;
    default:
        WRITE_ONCE(entry->frame, (uint32_t)virt_to_mfn(n & 8 ? (void *)f->tx : (void *)f->rx));
        WRITE_ONCE(entry->domid, f->backend);
        WRITE_ONCE(entry->flags, GTF_permit_access);
        break;
    }
}

static bool decided(void *ctx)
{
    int state = front_back_state(ctx);

    return state == XenbusStateConnected || state == XenbusStateClosing ||
           state == XenbusStateClosed;
}

/* Publish while step() goes on, and wait for Connected or Closed with a sentence. *connected_r: which it was. */
static const char *publish_race(struct front *f, second_fn *step, bool *connected_r)
{
    const char *bad;

    second_begin(step, f);
    bad = front_publish(f);
    if (!bad && !wait_until(decided, f, 8000))
        bad = why("neither connected nor closed: state %d", front_back_state(f));
    second_end();
    f->dirty = true;
    *connected_r = !front_is_closed(f);
    if (!bad && !*connected_r)
        bad = front_expect_closed(f);
    return bad;
}

static const char *two_ring_grants(struct front *f)
{
    unsigned int connected = 0;
    const char *bad = NULL;

    canaries_set(f);
    for (unsigned int round = 0; round < CONNECTS && !bad; round++) {
        bool is_connected = false;

        bad = front_prepare_anew(f);
        if (!bad)
            bad = publish_race(f, ring_entries_step, &is_connected);
        connected += is_connected;
    }
    note("%u times connected, %u times closed", connected, CONNECTS - connected);
    return bad ? bad : canaries_whole();
}

static int version_set(uint32_t version)
{
    struct gnttab_set_version set = { .version = version };

    return hypercall_gnttab_op(GNTTABOP_set_version, &set, 1);
}

static void version_step(struct front *f)
{
    (void)f;
    (void)version_set(1 + (second_random() & 1));
}

static bool version_is_1(void *ctx)
{
    (void)ctx;
    return version_set(1) == 0;
}

/*
 * Closed, and back to a table of version 1 with all our grants: Xen has removed all of them with each change, and
 * allows none while one is in use, so that this is also the proof that nothing is.
 */
static const char *version_1_again(struct front *f)
{
    const char *bad = front_state_set(XenbusStateClosed);

    if (!bad && !front_wait_back(f, XenbusStateClosed, 8000))
        bad = why("the backend is in state %d, not Closed", front_back_state(f));
    if (bad)
        return bad;
    if (!wait_until(version_is_1, NULL, UNMAP_MS))
        return why("pages are still in use by a backend that is Closed");
    memset(&front_grant_table()[8], 0, 4096 - 8 * sizeof(grant_entry_v1_t));
    f->tx_ref = f->rx_ref = f->ctrl_ref = 0;
    ctrl_data_ref = 0;
    entries_restore(f);
    f->dirty = true;
    return front_close(f);
}

/* The table's version changed, and with it all grants removed, while the backend maps the rings. */
static const char *two_versions(struct front *f)
{
    unsigned int connected = 0;
    const char *bad = NULL;

    canaries_set(f);
    for (unsigned int round = 0; round < VERSIONS && !bad; round++) {
        bool is_connected = false;

        bad = front_prepare_anew(f);
        if (!bad)
            bad = publish_race(f, version_step, &is_connected);
        connected += is_connected;
        if (!bad)
            bad = version_1_again(f);
    }
    if (bad)
        (void)version_1_again(f);
    note("%u times connected, %u times closed", connected, VERSIONS - connected);
    return bad ? bad : canaries_whole();
}

static grant_entry_v2_t *v2_entry(grant_ref_t ref)
{
    return &((grant_entry_v2_t *)front_grant_table())[ref];
}

static void v2_full(struct front *f, grant_ref_t ref, const void *page)
{
    grant_entry_v2_t *entry = v2_entry(ref);

    WRITE_ONCE(entry->hdr.flags, 0);
    entry->hdr.domid = f->backend;
    entry->full_page.pad0 = 0;
    entry->full_page.frame = virt_to_mfn(page);
    wmb();
    WRITE_ONCE(entry->hdr.flags, GTF_permit_access);
}

static void v2_restore(struct front *f)
{
    for (unsigned int i = 0; i < NR_PAGES; i++)
        v2_full(f, page_ref(f, i), page_of(i));
}

/* Whole pages, parts of pages, grants of grants, and none: from one to the other. */
static void v2_step(struct front *f)
{
    uint32_t n = second_random();
    unsigned int which = second_random() % NR_PAGES;
    grant_entry_v2_t *entry = v2_entry(page_ref(f, which));

    switch (n & 7) {
    case 0:
        WRITE_ONCE(entry->sub_page.page_off, (uint16_t)(n >> 16));
        WRITE_ONCE(entry->sub_page.length, (uint16_t)(n >> 8));
        WRITE_ONCE(entry->hdr.flags, GTF_permit_access | GTF_sub_page);
        break;
    case 1:
        WRITE_ONCE(entry->transitive.trans_domid, n & 8 ? f->backend : 0);
        WRITE_ONCE(entry->transitive.gref, n >> 16 & 63);
        WRITE_ONCE(entry->hdr.flags, GTF_transitive);
        break;
    case 2:
        WRITE_ONCE(entry->hdr.flags, n & 8 ? 0 : GTF_permit_access | GTF_readonly);
        break;
    case 3:
        WRITE_ONCE(entry->full_page.frame,
                   n & 8 ? ~0ull : some_frame(n / 16, which < FRONT_TX_PAGES));
        break;
    default:
        WRITE_ONCE(entry->full_page.pad0, 0);
        WRITE_ONCE(entry->full_page.frame, virt_to_mfn(page_of(which)));
        WRITE_ONCE(entry->hdr.domid, f->backend);
        WRITE_ONCE(entry->hdr.flags, GTF_permit_access);
        break;
    }
}

/* Connected over a table of version 2. */
static const char *v2_open(struct front *f)
{
    const char *bad = front_close(f);

    if (!bad && version_set(2) != 0)
        bad = why("Xen does not change the grant table's version");
    if (!bad)
        bad = front_prepare(f);
    if (bad)
        return bad;
    /* front_prepare() has granted the rings by the first version's layout. */
    memset(v2_entry(8), 0, 4096 - 8 * sizeof(grant_entry_v2_t));
    memset(&front_grant_table()[8], 0, 8 * sizeof(grant_entry_v1_t));
    v2_restore(f);
    v2_full(f, V2_TX_RING, f->tx);
    v2_full(f, V2_RX_RING, f->rx);
    snprintf(f->values[NODE_TX_REF], FRONT_VALUE_SIZE, "%u", V2_TX_RING);
    snprintf(f->values[NODE_RX_REF], FRONT_VALUE_SIZE, "%u", V2_RX_RING);
    f->tx_ref = f->rx_ref = 0;
    bad = front_publish(f);
    return bad ? bad : front_established(f);
}

static const char *two_v2(struct front *f)
{
    struct tally tally = { 0 };
    const char *bad, *bad_close;

    canaries_set(f);
    bad = v2_open(f);
    if (!bad)
        bad = frame_alive(f);
    if (!bad)
        bad = entries_race(f, v2_step, &tally);
    v2_restore(f);
    if (!bad)
        bad = tally_judge(&tally);
    if (!bad)
        bad = frame_alive(f);
    if (bad)
        bad = why("version 2: %s", bad);
    bad_close = version_1_again(f);
    return bad ? bad : bad_close;
}

static struct xen_netif_gref *const list = (struct xen_netif_gref *)ctrl_data;

static void list_fill(struct front *f)
{
    for (unsigned int i = 0; i < STATIC_PAGES; i++)
        list[i] = (struct xen_netif_gref){
            .ref = page_ref(f, i), .flags = i < FRONT_TX_PAGES ? XEN_NETIF_CTRLF_GREF_readonly : 0
        };
}

/* The list while it is copied and written back, the pages while they are read where they lie. */
static void static_step(struct front *f)
{
    uint32_t n = second_random();
    unsigned int which = second_random() % STATIC_PAGES;

    switch (n & 3) {
    case 0:
        WRITE_ONCE(list[which].ref, n & 4 ? page_ref(f, n >> 8 & 63) : canary_read_only());
        break;
    case 1:
        WRITE_ONCE(list[which].flags, (uint16_t)(n >> 16));
        break;
    case 2:
        WRITE_ONCE(list[which].status, (uint16_t)(n >> 16));
        break;
    default:
        WRITE_ONCE(front_tx_data[which % FRONT_TX_PAGES][n >> 8 & 63], (uint8_t)(n >> 16));
        break;
    }
}

static bool is_mapped(grant_ref_t ref)
{
    return READ_ONCE(front_grant_table()[ref].flags) & (GTF_reading | GTF_writing);
}

static bool none_mapped(void *ctx)
{
    struct front *f = ctx;

    for (unsigned int i = 0; i < NR_PAGES; i++)
        if (is_mapped(page_ref(f, i)))
            return false;
    return !is_mapped(canary_read_only()) && !is_mapped(canary_of_another());
}

static const char *two_static(struct front *f)
{
    struct tally tally = { 0 };
    const char *bad = ctrl_open(f);

    canaries_set(f);
    for (unsigned int round = 0; round < ROUNDS / 2 && !bad; round++) {
        list_fill(f);
        second_begin(static_step, f);
        bad = ctrl_ask(f, XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, 0, ctrl_data_ref, STATIC_PAGES,
                       UINT32_MAX);
        if (!bad)
            bad = send_and_tally(f, &tally);
        if (!bad)
            bad = ctrl_ask(f, XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING, 0, ctrl_data_ref, STATIC_PAGES,
                           UINT32_MAX);
        second_end();
    }
    note("okay=%u refused=%u", tally.okay, tally.refused);
    if (!bad)
        bad = front_close(f);
    if (!bad && !wait_until(none_mapped, f, UNMAP_MS))
        bad = why("pages are still mapped by a backend that is Closed");
    f->dirty = true;
    return bad ? bad : canaries_whole();
}

/* The last two leave no grant of a canary behind: nothing that asks for one may follow. */
const struct attack attacks_two_grants[] = {
    { "two", "two_grants", two_grants, false },
    { "two", "two_ring_grants", two_ring_grants, false },
    { "two", "two_static", two_static, false },
    { "two", "two_versions", two_versions, false },
    { "two", "two_v2", two_v2, false },
    { "two_counted", "two_counted", two_counted, false },
    { 0 },
};
