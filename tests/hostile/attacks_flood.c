/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames meant for the bridge: its tables, and everybody else's patience. */
#include <string.h>

#include "attack.h"
#include "frame.h"
#include "wait.h"

#define MACS 20000
#define BROADCASTS 4000
#define FUZZ_ROUNDS 300

/* Each frame from another address (a table with a quota keeps its other stations). */
static const char *mac_flood(struct front *f)
{
    const char *bad = NULL;

    for (unsigned int i = 0; i < MACS && !bad; i += 100) {
        for (unsigned int k = 0; k < 100; k++) {
            uint8_t *frame = front_tx_data[k % FRONT_TX_PAGES] + k / FRONT_TX_PAGES * 64;

            frame_eth(f, frame, frame_nobody, 0x88b5);
            be32_put(frame + 8, random_u32());
            frame[6] = 2;
            tx_slot(f, f->tx_refs[k % FRONT_TX_PAGES], k / FRONT_TX_PAGES * 64, 60, 0);
        }
        tx_push(f);
        bad = tx_judge(f, TX_ANY);
    }
    return bad;
}

/* Addresses that others have: the wire's, everybody's, none. */
static const char *mac_forged(struct front *f)
{
    static const uint8_t forged[][6] = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
                                         { 0x01, 0, 0x5e, 0, 0, 1 },
                                         { 0 },
                                         { 0x01, 0x80, 0xc2, 0, 0, 0 } };
    uint8_t frame[60];

    for (unsigned int i = 0; i < 400; i++) {
        const char *bad;

        frame_arp(f, frame, sizeof(frame));
        memcpy(frame + 6, forged[i & 3], 6);
        memcpy(frame, forged[i >> 2 & 3], 6);
        tx_frame(f, frame, sizeof(frame), 0, NULL);
        bad = tx_judge(f, TX_ANY);
        if (bad)
            return bad;
    }
    return NULL;
}

static const char *broadcast_flood(struct front *f)
{
    const char *bad = NULL;

    memset(front_tx_data, 0, sizeof(front_tx_data));
    for (unsigned int i = 0; i < FRONT_TX_PAGES; i++)
        frame_eth(f, front_tx_data[i], frame_broadcast, 0x88b5);
    for (unsigned int i = 0; i < BROADCASTS && !bad; i += 200) {
        for (unsigned int k = 0; k < 200; k++)
            tx_slot(f, f->tx_refs[k % FRONT_TX_PAGES], 0, 1514, 0);
        tx_push(f);
        bad = tx_judge(f, TX_ANY);
    }
    return bad;
}

static grant_ref_t random_ref(struct front *f)
{
    static const grant_ref_t bad[] = { 0, GREF_UNUSED, 0xffffffff };
    uint32_t n = random_u32();

    return n & 7 ? f->tx_refs[n / 8 % FRONT_TX_PAGES] : bad[n / 8 % 3];
}

/* Any slot at all, leaning towards the edges. */
static void random_slot(struct front *f)
{
    static const uint16_t edges[] = { 0, 1, 13, 14, 60, 1514, 2048, 4095, 4096, 4097, 65535 };
    uint32_t n = random_u32();
    unsigned int offset = n & 3 ? 0 : edges[n / 4 % 11];
    unsigned int size = n & 64 ? edges[n / 128 % 11] : random_u32() & 0xffff;
    unsigned int flags = n & 0x10000 ? random_u32() & 0xf : n >> 20 & NETTXF_more_data;

    tx_slot(f, random_ref(f), offset, size, flags);
}

static const char *random_slots(struct front *f)
{
    unsigned int nr_closed = 0;

    for (unsigned int round = 0; round < FUZZ_ROUNDS; round++) {
        uint32_t nr = random_u32() % 60;

        while (nr-- > 0)
            random_slot(f);
        tx_end(f);
        rx_drain(f);
        if (tx_drain(f, 3000))
            continue;
        if (!front_is_closed(f))
            return why("round %u: neither answered nor closed", round);
        nr_closed++;
        if (front_close(f) || front_open(f))
            return why("round %u: cannot connect anew", round);
    }
    note("%u rounds, closed %u times", FUZZ_ROUNDS, nr_closed);
    return NULL;
}

const struct attack attacks_flood[] = {
    { "flood", "mac_flood", mac_flood, false },
    { "flood", "mac_forged", mac_forged, false },
    { "flood", "broadcast_flood", broadcast_flood, false },
    { "flood", "random_slots", random_slots, false },
    { 0 },
};
