/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks on a driver domain that dies and comes back, by two vCPUs. dom0's side says in data/gap what is next:
 * "NUMBER KIND SEED STALL_US LENGTH_MS", and "NUMBER settle" when the domain is back. Kinds that a living backend does not
 * mind go on from the first moment to the last; the others begin when frames have not been answered for STALL_US, and last
 * LENGTH_MS. One line for each is the answer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/cpu.h"
#include "attack.h"
#include "canary.h"
#include "frame.h"
#include "second.h"
#include "wait.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/frames.h"

#define DIR "device/vif/0"
#define NODE "data/gap"
#define POLL_MS 5
#define OUTSTANDING 8u

enum stage { ARMED, ATTACKING, OVER };

struct kind {
    const char *name;
    second_fn *step; /* NULL: the first vCPU does it */
    bool is_quiet; /* no reason to close a vif that is served */
};

/* Written by the first vCPU while the second one is down, but for stage, which the second one writes from then on. */
static const struct kind *kind;
static uint64_t stall_ticks, length_ticks, sent_ticks;
static enum stage stage;
static uint64_t seen_at, attack_end, sent_at;
static RING_IDX seen;
static unsigned long nr_changes;

/* A few frames for bridges alone are always on their way. */
static void sender(struct front *f)
{
    RING_IDX waiting = f->tx_prod - READ_ONCE(f->tx->rsp_prod);

    if (waiting >= OUTSTANDING)
        return;
    tx_slot(f, f->tx_refs[1], 0, 60, 0);
    wmb();
    WRITE_ONCE(f->tx->req_prod, f->tx_prod);
    second_kick(f);
}

static void answers_step(struct front *f)
{
    uint32_t n = second_random();

    WRITE_ONCE(f->tx->rsp_prod, n & 1 ? f->tx_prod - (n >> 8 & 31) : second_random());
    WRITE_ONCE(f->rx->rsp_prod, n & 2 ? f->rx_cons + (n >> 16 & 31) : second_random());
    WRITE_ONCE(f->tx->rsp_event, n);
    WRITE_ONCE(f->rx->rsp_event, ~n);
    WRITE_ONCE(f->tx->req_event, n * 3);
    WRITE_ONCE(f->rx->req_event, n * 5);
    /* How many are answered cannot be seen any more: a frame now and then does not fill the ring. */
    if (__builtin_ia32_rdtsc() - sent_at > sent_ticks) {
        sent_at = __builtin_ia32_rdtsc();
        tx_slot(f, f->tx_refs[1], 0, 60, 0);
        wmb();
        WRITE_ONCE(f->tx->req_prod, f->tx_prod);
        second_kick(f);
    }
}

/* What is on the ring and not answered yet, and what was answered last. */
static void slots_step(struct front *f)
{
    uint32_t n = second_random();
    RING_IDX at = f->tx_prod - 1 - n % (2 * OUTSTANDING);
    uint32_t *words = (uint32_t *)&f->tx->ring[at % FRONT_SLOTS];

    WRITE_ONCE(words[(n >> 8) % 3], n & 0x10000 ? second_random() : n >> 20 & 15);
    if (n >> 24 & 1)
        sender(f);
}

static void rx_slots_step(struct front *f)
{
    uint32_t n = second_random();
    struct netif_rx_request *req = &f->rx->ring[n % FRONT_SLOTS].req;

    WRITE_ONCE(req->gref, n & 0x10000 ? canary_read_only() : f->rx_refs[n >> 20 & 63]);
    WRITE_ONCE(req->id, (uint16_t)(n >> 8));
    sender(f);
}

static void grants_step(struct front *f)
{
    static const uint16_t flags[] = { 0, GTF_permit_access, GTF_permit_access | GTF_readonly,
                                      GTF_accept_transfer };
    uint32_t n = second_random();
    unsigned int which = n % (FRONT_TX_PAGES + FRONT_RX_PAGES + 2);
    grant_ref_t ref = which < FRONT_TX_PAGES                    ? f->tx_refs[which]
                      : which < FRONT_TX_PAGES + FRONT_RX_PAGES ? f->rx_refs[which - FRONT_TX_PAGES]
                      : n & 0x1000000                           ? f->tx_ref
                                                                : f->rx_ref;
    grant_entry_v1_t *entry = &front_grant_table()[ref];

    if (n & 0x2000000)
        WRITE_ONCE(entry->flags, flags[n >> 26 & 3]);
    else if (n & 0x10000000)
        WRITE_ONCE(entry->domid, n & 0x20000000 ? f->backend : (domid_t)n);
    else
        WRITE_ONCE(entry->frame,
                   n & 0x20000000 ? (uint32_t)virt_to_mfn(front_rx_data[n >> 8 & 63]) : 0xffffffff);
    sender(f);
}

static void indices_step(struct front *f)
{
    static const uint32_t steps[] = { 0, 1, FRONT_SLOTS, FRONT_SLOTS + 1, 0x80000000, 0xffffffff };
    uint32_t n = second_random();

    WRITE_ONCE(f->tx->req_prod, f->tx_prod + steps[n % ARRAY_LEN(steps)]);
    WRITE_ONCE(f->rx->req_prod, f->rx_prod + steps[n / 8 % ARRAY_LEN(steps)]);
    answers_step(f);
}

static void pages_step(struct front *f)
{
    uint32_t n = second_random();

    WRITE_ONCE(((uint32_t *)(n & 1 ? (void *)f->tx : (void *)f->rx))[n >> 1 & 1023],
               second_random());
    if (n >> 16 == 0)
        second_kick(f);
}

/* Everything that a vCPU can change without xenstore. */
static void all_step(struct front *f)
{
    switch (second_random() & 7) {
    case 0:
        indices_step(f);
        break;
    case 1:
        pages_step(f);
        break;
    case 2:
        grants_step(f);
        break;
    case 3:
        rx_slots_step(f);
        break;
    default:
        slots_step(f);
        break;
    }
}

static void storm_step(struct front *f)
{
    second_kick(f);
}

static const struct kind kinds[] = {
    { "answers", answers_step, true },
    { "slots", slots_step, true },
    { "rx-slots", rx_slots_step, true },
    { "grants", grants_step, true },
    { "storm", storm_step, true },
    { "indices", indices_step, false },
    { "pages", pages_step, false },
    { "all", all_step, false },
    { "nodes", NULL, false },
    { "port", NULL, false },
};

static const struct kind *kind_find(const char *name)
{
    for (unsigned int i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    give_up("FAIL: no kind `%s`", name);
}

/* The second vCPU: wait for the gap, attack in it. */
static void gap_step(struct front *f)
{
    uint64_t now = __builtin_ia32_rdtsc();
    RING_IDX answered;

    switch (READ_ONCE(stage)) {
    case ARMED:
        sender(f);
        answered = READ_ONCE(f->tx->rsp_prod);
        if (answered != seen) {
            seen = answered;
            seen_at = now;
        } else if (kind->is_quiet || now - seen_at > stall_ticks) {
            attack_end = now + length_ticks;
            WRITE_ONCE(stage, ATTACKING);
        }
        break;
    case ATTACKING:
        if (!kind->is_quiet && now > attack_end) {
            WRITE_ONCE(stage, OVER);
        } else if (kind->step) {
            kind->step(f);
            nr_changes++;
        }
        break;
    default:
        __builtin_ia32_pause();
        break;
    }
}

static void arm(struct front *f, char *const *words)
{
    static const uint8_t bridges[6] = { 0x01, 0x80, 0xc2, 0, 0, 0x0e };
    uint64_t hz = clock_tsc_hz();

    kind = kind_find(words[1]);
    random_seed((uint32_t)strtoul(words[2], NULL, 0));
    stall_ticks = hz / 1000000 * strtoul(words[3], NULL, 0);
    length_ticks = hz / 1000 * strtoul(words[4], NULL, 0);
    sent_ticks = hz / 200;
    frame_arp(f, front_tx_data[1], 60);
    memcpy(front_tx_data[1], bridges, sizeof(bridges));
    stage = ARMED;
    seen = READ_ONCE(f->tx->rsp_prod);
    seen_at = __builtin_ia32_rdtsc();
    nr_changes = 0;
    f->dirty = true;
    second_begin(gap_step, f);
}

/* Of the first vCPU, while the second one attacks or waits for the end: one change. */
static void first_step(struct front *f)
{
    static const char *const values[] = {
        "0", "1", "3", "4", "5", "6", "8", "4294967295", "x", ""
    };
    char path[64];

    if (READ_ONCE(stage) != ATTACKING || kind->step)
        return;
    if (strcmp(kind->name, "port") == 0) {
        evtchn_close(f->port);
        f->port = 0;
        return;
    }
    if (random_u32() % 4 == 0)
        strcpy(path, DIR "/state");
    else
        snprintf(path, sizeof(path), DIR "/%s", front_nodes[random_u32() % NODE_NR]);
    (void)store_write(path, values[random_u32() % ARRAY_LEN(values)]);
}

static void entries_restore(struct front *f)
{
    for (unsigned int i = 0; i < FRONT_TX_PAGES + FRONT_RX_PAGES; i++) {
        bool is_tx = i < FRONT_TX_PAGES;
        grant_ref_t ref = is_tx ? f->tx_refs[i] : f->rx_refs[i - FRONT_TX_PAGES];
        const void *page = is_tx ? front_tx_data[i] : front_rx_data[i - FRONT_TX_PAGES];
        grant_entry_v1_t *entry = &front_grant_table()[ref];

        WRITE_ONCE(entry->flags, 0);
        entry->domid = f->backend;
        entry->frame = (uint32_t)virt_to_mfn(page);
        wmb();
        WRITE_ONCE(entry->flags, GTF_permit_access);
    }
}

/* The domain is back: our vif goes on or is closed with a sentence, and can be connected anew. */
static const char *settle(struct front *f)
{
    bool was_closed;
    const char *bad = NULL;

    second_end();
    entries_restore(f);
    for (enum front_node node = 0; node < NODE_NR; node++)
        f->written[node][0] = '\x7f';
    was_closed = front_is_closed(f);
    note("%s", was_closed ? "closed" : "goes on");
    if (was_closed && strcmp(kind->name, "nodes") != 0) /* whose states ask for it */
        bad = front_expect_closed(f);
    if (!bad)
        bad = front_close(f);
    if (!bad)
        bad = front_open(f);
    if (!bad)
        bad = frame_alive(f);
    return bad ? bad : canaries_whole();
}

static unsigned int words_of(char *line, char *words[5])
{
    unsigned int nr = 0;

    while (*line && nr < 5) {
        words[nr++] = line;
        line += strcspn(line, " ");
        if (*line)
            *line++ = '\0';
    }
    return nr;
}

static const char *gap(struct front *f)
{
    unsigned long armed = 0, settled = 0;
    char line[128], *words[5];

    canaries_set(f);
    say("waiting");
    for (;;) {
        unsigned int nr = store_read(NODE, line, sizeof(line)) == 0 ? words_of(line, words) : 0;
        unsigned long number = nr >= 2 ? strtoul(words[0], NULL, 0) : 0;

        if (nr >= 2 && strcmp(words[1], "end") == 0)
            return NULL;
        if (nr == 5 && number > armed) {
            armed = number;
            arm(f, words);
            say("#%lu armed", number);
        } else if (nr == 2 && number == armed && number > settled) {
            enum stage reached = READ_ONCE(stage);
            const char *bad = settle(f);

            settled = number;
            say("#%lu %s: attacked=%u changes=%lu %s", number, bad ? "failed" : "settled",
                reached != ARMED, nr_changes, bad ? bad : note_take());
        } else if (armed > settled) {
            first_step(f);
        }
        wait_ms(POLL_MS);
    }
}

const struct attack attacks_gap[] = {
    { "gap", "gap", gap, false },
    { 0 },
};
