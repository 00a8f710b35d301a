/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that no sane frontend puts together: answered with an error, in order (XSA-423, 432, 448). */
#include <string.h>

#include "attack.h"
#include "frame.h"
#include "wait.h"

/* One slot, judged. */
static const char *one(struct front *f, unsigned int offset, unsigned int size, int want)
{
    frame_arp(f, front_tx_data[0], 60);
    tx_slot(f, f->tx_refs[0], offset, size, 0);
    tx_push(f);
    return tx_judge(f, want);
}

/* nr slots of 60 bytes, the first one saying `total`. */
static const char *many(struct front *f, unsigned int nr, unsigned int total, int want)
{
    frame_arp(f, front_tx_data[0], 60);
    for (unsigned int i = 0; i < nr; i++)
        tx_slot(f, f->tx_refs[0], 0, i ? 60 : total, i + 1 < nr ? NETTXF_more_data : 0);
    tx_push(f);
    return tx_judge(f, want);
}

static const char *slots_21(struct front *f)
{
    return many(f, 21, 21 * 60, NETIF_RSP_ERROR);
}

static const char *slots_255(struct front *f)
{
    return many(f, 255, 255 * 60, NETIF_RSP_ERROR);
}

/* A ring full of slots of which each promises another one: no answer can ever make room. */
static const char *more_for_ever(struct front *f)
{
    for (unsigned int i = 0; i < FRONT_SLOTS; i++)
        tx_slot(f, f->tx_refs[0], 0, 60, NETTXF_more_data);
    tx_push(f);
    return front_expect_closed(f);
}

/* A promise kept late is a good packet; nothing may be answered before. */
static const char *more_later(struct front *f)
{
    RING_IDX before = f->tx_cons;

    frame_arp(f, front_tx_data[0], 60);
    tx_slot(f, f->tx_refs[0], 0, 72, NETTXF_more_data);
    tx_slot(f, f->tx_refs[0], 42, 6, NETTXF_more_data);
    tx_push(f);
    wait_ms(100);
    if (f->tx->rsp_prod != before)
        return why("half a packet was answered");
    tx_slot(f, f->tx_refs[0], 42, 6, 0);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_OKAY);
}

static const char *page_crossed(struct front *f)
{
    return one(f, 4096 - 59, 60, NETIF_RSP_ERROR);
}

static const char *page_crossed_later(struct front *f)
{
    tx_slot(f, f->tx_refs[0], 0, 160, NETTXF_more_data);
    tx_slot(f, f->tx_refs[1], 4000, 100, 0);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *offset_beyond(struct front *f)
{
    const char *bad = one(f, 4096, 60, NETIF_RSP_ERROR);

    return bad ? bad : one(f, 5000, 60, NETIF_RSP_ERROR);
}

static const char *offset_wraps(struct front *f)
{
    const char *bad = one(f, 65535, 60, NETIF_RSP_ERROR);

    return bad ? bad : one(f, 65500, 65535, NETIF_RSP_ERROR);
}

static const char *size_0(struct front *f)
{
    return one(f, 0, 0, NETIF_RSP_ERROR);
}

static const char *size_13(struct front *f)
{
    return one(f, 0, 13, NETIF_RSP_ERROR);
}

static const char *size_14(struct front *f)
{
    return one(f, 0, 14, TX_ANY);
}

static const char *all_empty(struct front *f)
{
    for (unsigned int i = 0; i < 18; i++)
        tx_slot(f, f->tx_refs[i], 0, 0, i < 17 ? NETTXF_more_data : 0);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *first_smaller(struct front *f)
{
    const char *bad = many(f, 3, 119, NETIF_RSP_ERROR);

    return bad ? bad : many(f, 2, 0, NETIF_RSP_ERROR);
}

/* The rest sums up to more than 16 bits hold: 17 x 4096 + 60. */
static const char *sum_overflows(struct front *f)
{
    for (unsigned int i = 0; i < 18; i++)
        tx_slot(f, f->tx_refs[i], 0, i ? 4096 : 60, i < 17 ? NETTXF_more_data : 0);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *size_65535_one_slot(struct front *f)
{
    return one(f, 0, 65535, NETIF_RSP_ERROR);
}

/* Whole and well-formed, but longer than anything that may leave: dropped. */
static const char *size_65535_no_gso(struct front *f)
{
    static uint8_t frame[FRONT_FRAME_SIZE];

    for (unsigned int i = 0; i < 8; i++) {
        const char *bad;

        memset(frame, 0, sizeof(frame));
        frame_eth(f, frame, i & 1 ? frame_broadcast : frame_nobody, 0x88b5);
        tx_frame(f, frame, i & 2 ? 65535 : 1515, 0, NULL);
        bad = tx_judge(f, TX_ANY);
        if (bad)
            return bad;
    }
    return NULL;
}

static const char *flags_unknown(struct front *f)
{
    frame_arp(f, front_tx_data[0], 60);
    tx_slot(f, f->tx_refs[0], 0, 60, 0xfff0);
    tx_push(f);
    return tx_judge(f, TX_ANY);
}

static const char *ids_all_the_same(struct front *f)
{
    frame_arp(f, front_tx_data[0], 60);
    for (unsigned int i = 0; i < 100; i++) {
        f->next_id = 7;
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
    }
    tx_push(f);
    return tx_judge(f, NETIF_RSP_OKAY);
}

const struct attack attacks_slots[] = {
    { "slots", "slots_21", slots_21, false },
    { "slots", "slots_255", slots_255, false },
    { "slots", "more_for_ever", more_for_ever, false },
    { "slots", "more_later", more_later, false },
    { "slots", "page_crossed", page_crossed, false },
    { "slots", "page_crossed_later", page_crossed_later, false },
    { "slots", "offset_beyond", offset_beyond, false },
    { "slots", "offset_wraps", offset_wraps, false },
    { "slots", "size_0", size_0, false },
    { "slots", "size_13", size_13, false },
    { "slots", "size_14", size_14, false },
    { "slots", "all_empty", all_empty, false },
    { "slots", "first_smaller", first_smaller, false },
    { "slots", "sum_overflows", sum_overflows, false },
    { "slots", "size_65535_one_slot", size_65535_one_slot, false },
    { "slots", "size_65535_no_gso", size_65535_no_gso, false },
    { "slots", "flags_unknown", flags_unknown, false },
    { "slots", "ids_all_the_same", ids_all_the_same, false },
    { 0 },
};
