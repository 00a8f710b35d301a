/* SPDX-License-Identifier: BSD-2-Clause */
/* Static grants, used well and badly. Source: xen/io/netif.h, "Static Grants". */
#include <string.h>

#include "attack.h"
#include "ctrl.h"
#include "frame.h"
#include "serve.h"
#include "wait.h"
#include "xen/gnttab.h"

#define SIZE XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE
#define ADD XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING
#define DEL XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING
#define OK XEN_NETIF_CTRL_STATUS_SUCCESS
#define INVALID XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define READ_ONLY XEN_NETIF_CTRLF_GREF_readonly

#define NR_RX 40u
#define NR (FRONT_TX_PAGES + NR_RX) /* what fits into one queue's table */
#define DEATHS_MS 180000

static struct xen_netif_gref *const list = (struct xen_netif_gref *)ctrl_data;
static uint8_t spare_page[4096] __attribute__((aligned(4096)));
static uint8_t frame[FRONT_FRAME_SIZE];

/* All pages for sending, and most of those for receiving. */
static void list_fill(const struct front *f)
{
    for (unsigned int i = 0; i < FRONT_TX_PAGES; i++)
        list[i] = (struct xen_netif_gref){ f->tx_refs[i], READ_ONLY, 0x7777 };
    for (unsigned int i = 0; i < NR_RX; i++)
        list[FRONT_TX_PAGES + i] = (struct xen_netif_gref){ f->rx_refs[i], 0, 0x7777 };
}

static bool is_mapped(grant_ref_t ref)
{
    return READ_ONCE(front_grant_table()[ref].flags) & (GTF_reading | GTF_writing);
}

/* How many of the list's pages are mapped by somebody now. */
static unsigned int nr_mapped(const struct front *f)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < FRONT_TX_PAGES; i++)
        nr += is_mapped(f->tx_refs[i]);
    for (unsigned int i = 0; i < NR_RX; i++)
        nr += is_mapped(f->rx_refs[i]);
    return nr;
}

static const char *mapped_are(const struct front *f, unsigned int want, const char *when)
{
    unsigned int nr = nr_mapped(f);

    return nr == want ? NULL : why("%s: %u pages are mapped, not %u", when, nr, want);
}

static const char *all_add(struct front *f)
{
    const char *bad;

    list_fill(f);
    bad = ctrl_ask(f, ADD, 0, ctrl_data_ref, NR, OK);
    return bad ? why("ADD of %u pages: %s", NR, bad) : mapped_are(f, NR, "after ADD");
}

/* want: how many of them must have been there. */
static const char *all_delete(struct front *f, unsigned int *nr_r)
{
    unsigned int nr = 0;
    const char *bad;

    list_fill(f);
    bad = ctrl_ask(f, DEL, 0, ctrl_data_ref, NR, OK);
    if (bad)
        return why("DEL of %u pages: %s", NR, bad);
    for (unsigned int i = 0; i < NR; i++) {
        if (list[i].status != OK && list[i].status != INVALID)
            return why("DEL: entry %u has status %u", i, list[i].status);
        nr += list[i].status == OK;
    }
    if (nr != ctrl_value)
        return why("DEL says %u pages, and %u entries", ctrl_value, nr);
    *nr_r = nr;
    return mapped_are(f, 0, "after DEL");
}

/* Frames in 20 slots go out and are answered, until each page for receiving has been used. */
static const char *traffic(struct front *f, const char *when)
{
    uint16_t sizes[FRONT_TX_PAGES];
    const char *bad;

    rx_drain(f);
    for (unsigned int i = 0; i < FRONT_TX_PAGES; i++)
        sizes[i] = 3;
    for (unsigned int round = 0; round < FRONT_RX_PAGES + 8; round++) {
        frame_arp(f, frame, 60);
        tx_pieces(f, frame, sizes, FRONT_TX_PAGES, 0, NULL);
        tx_push(f);
        bad = tx_judge(f, NETIF_RSP_OKAY);
        if (bad)
            return why("%s: sent, round %u: %s", when, round, bad);
        if (!frame_wait_answer(f, CTRL_ANSWER_MS))
            return why("%s: round %u: no whole answer came", when, round);
    }
    return NULL;
}

static const char *grefs_traffic(struct front *f)
{
    const char *bad = ctrl_open(f);
    unsigned int nr = 0;

    if (!bad)
        bad = ctrl_ask(f, SIZE, 0, 0, 0, OK);
    if (!bad && ctrl_value < NR)
        bad = why("SIZE says %u, and %u are needed", ctrl_value, NR);
    if (!bad)
        bad = traffic(f, "before ADD");
    if (!bad)
        bad = all_add(f);
    if (!bad)
        bad = traffic(f, "mapped");
    if (!bad)
        bad = all_delete(f, &nr);
    if (!bad && nr != NR)
        bad = why("DEL knew %u of %u pages", nr, NR);
    return bad ? bad : traffic(f, "after DEL");
}

/* A page that is read while it is written: whatever goes out, the answers are in order. */
static const char *grefs_changing(struct front *f)
{
    const char *bad = ctrl_open(f);

    if (!bad)
        bad = all_add(f);
    for (unsigned int round = 0; round < 200 && !bad; round++) {
        tx_slot(f, f->tx_refs[0], random_u32() % 2048, 60 + random_u32() % 1400,
                random_u32() % 2 ? NETTXF_csum_blank : 0);
        tx_push(f);
        for (unsigned int i = 0; i < 4096; i++)
            front_tx_data[0][i] = (uint8_t)random_u32();
        bad = tx_judge(f, TX_ANY);
    }
    return bad;
}

/* A list that must be refused; nothing of it is mapped afterwards. */
static const char *refused(struct front *f, const char *what, uint32_t queue, uint32_t nr)
{
    const char *bad = ctrl_ask(f, ADD, queue, ctrl_data_ref, nr, INVALID);

    return bad ? why("ADD of %s: %s", what, bad) : mapped_are(f, 0, what);
}

static const char *grefs_numbers(struct front *f)
{
    static const uint32_t queues[] = { 1, 4, 256, UINT32_MAX },
                          sizes[] = { 65, 512, 513, 1u << 29, UINT32_MAX };
    const char *bad = NULL;

    for (unsigned int i = 0; i < 4 && !bad; i++) {
        list_fill(f);
        bad = refused(f, "a queue that is not there", queues[i], NR);
        if (!bad)
            bad = ctrl_ask(f, DEL, queues[i], ctrl_data_ref, NR, INVALID);
        if (!bad)
            bad = ctrl_ask(f, SIZE, queues[i], 0, 0, INVALID);
    }
    for (unsigned int i = 0; i < 5 && !bad; i++)
        bad = refused(f, "a list that is too long", 0, sizes[i]);
    if (!bad)
        bad = ctrl_ask(f, DEL, 0, ctrl_data_ref, 513, INVALID);
    if (!bad)
        bad = ctrl_ask(f, ADD, 0, GREF_UNUSED, NR, INVALID);
    return bad ? bad : ctrl_ask(f, DEL, 0, UINT32_MAX, NR, INVALID);
}

/* One reference among good ones: the last but one. */
static const char *one_bad(struct front *f, const char *what, grant_ref_t ref, uint16_t flags)
{
    list_fill(f);
    list[NR - 2] = (struct xen_netif_gref){ ref, flags, 0 };
    return refused(f, what, 0, NR);
}

static const char *grefs_lists(struct front *f)
{
    const char *bad = ctrl_open(f);
    grant_ref_t readable, revoked;

    if (!bad)
        bad = grefs_numbers(f);
    if (bad)
        return bad;
    if (gnttab_grant(f->backend, spare_page, true, &readable) != 0 ||
        gnttab_grant(f->backend, spare_page, false, &revoked) != 0 || gnttab_revoke(revoked) != 0)
        give_up("no grant reference is left");
    bad = one_bad(f, "a reference that was taken back", revoked, 0);
    if (!bad)
        bad = one_bad(f, "reference 4294967295", UINT32_MAX, READ_ONLY);
    if (!bad)
        bad = one_bad(f, "a page for reading to be written to", readable, 0);
    if (!bad)
        bad = one_bad(f, "a flag that nobody knows", f->rx_refs[NR_RX], 0x8000);
    if (!bad)
        bad = one_bad(f, "a reference twice", f->tx_refs[0], READ_ONLY);
    if (!bad)
        bad = all_add(f);
    if (bad)
        return bad;
    bad = ctrl_ask(f, ADD, 0, ctrl_data_ref, 1, INVALID);
    if (bad)
        return why("ADD of what is there: %s", bad);
    f->dirty = true;
    if (gnttab_revoke(readable) != 0)
        return why("a page is mapped that was refused");
    bad = front_close(f);
    return bad ? bad : mapped_are(f, 0, "closed");
}

/* Anything at all, between frames. */
static const char *grefs_random(struct front *f)
{
    const char *bad = ctrl_open(f);

    for (unsigned int round = 0; round < 100 && !bad; round++) {
        list_fill(f);
        for (unsigned int i = 0; i < 4; i++)
            list[random_u32() % NR].ref = random_u32() % 600;
        list[random_u32() % NR].flags = (uint16_t)random_u32();
        for (unsigned int i = 0; i < 8; i++)
            ctrl_put((uint16_t)(SIZE + random_u32() % 3), random_u32() % 8 ? 0 : random_u32(),
                     random_u32() % 8 ? ctrl_data_ref : random_u32() % 600, random_u32() % 70);
        ctrl_push(f);
        frame_arp(f, frame, 60);
        tx_frame(f, frame, 60, 0, NULL);
        bad = tx_judge(f, TX_ANY);
        if (!bad)
            bad = ctrl_judge(UINT32_MAX);
    }
    f->dirty = true; /* what is mapped now goes back when it closes */
    if (!bad)
        bad = front_close(f);
    return bad ? bad : mapped_are(f, 0, "closed");
}

/* While the driver domain dies: the scenario pings meanwhile and says when it is enough. */
static const char *grefs_deaths(struct front *f)
{
    struct served served = { 0 };
    const char *bad = ctrl_open(f);
    unsigned int nr, before;

    if (!bad)
        bad = all_add(f);
    if (!bad)
        bad = serve_run(f, &served, DEATHS_MS, TX_ANY);
    if (bad)
        return bad;
    before = nr_mapped(f);
    bad = all_delete(f, &nr);
    if (bad)
        return bad;
    note("mapped=%u deleted=%u pings=%u", before, nr, served.pings);
    return traffic(f, "after the deaths and DEL");
}

const struct attack attacks_grefs[] = {
    { "ctrl", "grefs_traffic", grefs_traffic, false },
    { "ctrl", "grefs_changing", grefs_changing, false },
    { "ctrl", "grefs_lists", grefs_lists, false },
    { "ctrl", "grefs_random", grefs_random, false },
    { "deaths", "grefs_deaths", grefs_deaths, false },
    { 0 },
};
