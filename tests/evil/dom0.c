/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 reads of us: the status page, the console, our nodes in xenstore. Nothing of it is true. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/io/xs_wire.h>
#include <xen/sched.h>

#include "command.h"
#include "wait.h"
#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/status.h"
#include "xen/xenstore.h"

#define NS_PER_S 1000000000ull
#define VALUE_SIZE 900

/* Clears a screen, sets its title, moves the cursor, rings; and lines that look like others' words. */
static const char escapes[] = "\x1b[2J\x1b]0;owned\x07\x1b[1;1H\x9b"
                              "31m\r\nferryd: all is well\n\x7f\x08\t%s%n";

static void text_fill(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text[i] = escapes[i % (sizeof(escapes) - 1)];
}

/* ready: the status page says that a kernel runs here, as Ferry's does. */
static const char *status_ready(char *const *words)
{
    (void)words;
    WRITE_ONCE(status_page->generation, status_page->generation + 1);
    WRITE_ONCE(status_page->phase, FERRY_PHASE_READY);
    return NULL;
}

/* lies SECONDS: restarts without end, beats without rest, escape sequences without ends. */
static const char *status_lies(char *const *words)
{
    uint64_t end = clock_now() + number(words[0]) * NS_PER_S;
    unsigned long rounds = 0;

    text_fill(status_page->reason, sizeof(status_page->reason));
    text_fill(status_page->report, sizeof(status_page->report));
    text_fill(status_page->last_port, sizeof(status_page->last_port));
    text_fill(status_page->nic_why, sizeof(status_page->nic_why));
    while (clock_now() < end) {
        WRITE_ONCE(status_page->phase, FERRY_PHASE_READY);
        WRITE_ONCE(status_page->self_restarts, status_page->self_restarts + 1);
        for (unsigned int i = 0; i < FERRY_STEPS; i++)
            WRITE_ONCE(status_page->step_ns[i], (uint64_t)random_u32() << 32 | random_u32());
        WRITE_ONCE(status_page->nic_fate, random_u32() % 5);
        WRITE_ONCE(status_page->kind, random_u32() % 5);
        for (unsigned int i = 0; i < 1000; i++)
            status_beat();
        rounds++;
        evtchn_dispatch();
    }
    note("rounds=%lu restarts=%u", rounds, status_page->self_restarts);
    return NULL;
}

/* scribble SECONDS: random words all over the page, its magic now right and now wrong. */
static const char *status_scribble(char *const *words)
{
    uint64_t end = clock_now() + number(words[0]) * NS_PER_S;
    struct ferry_status good = *status_page;
    uint32_t *word = (uint32_t *)status_page;

    while (clock_now() < end) {
        for (size_t i = 0; i < sizeof(good) / sizeof(*word); i++)
            WRITE_ONCE(word[i], random_u32());
        if (random_u32() % 2) {
            WRITE_ONCE(status_page->magic, good.magic);
            WRITE_ONCE(status_page->version, good.version);
        }
        wait_ms(1);
    }
    memcpy(status_page, &good, sizeof(good));
    return NULL;
}

static unsigned long nr_answers, nr_refused;

static void answered(void *ctx, int err, const char *value, size_t len)
{
    (void)ctx;
    (void)value;
    (void)len;
    nr_answers++;
    nr_refused += err != 0;
}

static bool none_under_way(void *ctx)
{
    return nr_answers >= *(unsigned long *)ctx;
}

/* As many as the ring takes, and then some. Returns whether it was taken. */
static bool fire(const char *path, const char *value)
{
    int err = xenstore_write(0, path, value, answered, NULL);

    status_beat();
    if (err != 0)
        wait_ms(1);
    return err == 0;
}

/* nodes SECONDS: what dom0 looks at, rewritten as fast as it goes, with sense and without. */
static const char *store_nodes(char *const *words)
{
    static const char *const paths[] = {
        "device/pci/0/state",       "device/pci/0/pci-op-ref",  "data/one",
        "control/feature-poweroff", "error/device/pci/0/error", "device/pci/0/event-channel"
    };
    uint64_t end = clock_now() + number(words[0]) * NS_PER_S;
    unsigned long sent = 0;
    char value[VALUE_SIZE];

    nr_answers = nr_refused = 0;
    text_fill(value, sizeof(value));
    value[sizeof(value) - 1] = '\0';
    while (clock_now() < end) {
        const char *path = paths[random_u32() % 6];

        sent += fire(path, path[0] == 'd' && path[7] == 'p' ? "4" : value);
        evtchn_dispatch();
    }
    wait_until(none_under_way, &sent, 5000);
    note("writes=%lu refused=%lu", sent, nr_refused);
    return NULL;
}

/* quota NR: nodes until xenstored has enough of them. */
static const char *store_quota(char *const *words)
{
    unsigned long sent = 0;
    char path[32], value[VALUE_SIZE];

    nr_answers = nr_refused = 0;
    text_fill(value, sizeof(value));
    value[sizeof(value) - 1] = '\0';
    for (uint64_t i = 0; i < number(words[0]);) {
        snprintf(path, sizeof(path), "data/q%lu", (unsigned long)i);
        if (fire(path, value)) {
            i++;
            sent++;
        }
        evtchn_dispatch();
    }
    wait_until(none_under_way, &sent, 20000);
    note("writes=%lu refused=%lu", sent, nr_refused);
    return NULL;
}

/* console KB: escape sequences and lines without end, past everything that would clean them. */
static const char *console_fill(char *const *words)
{
    struct xencons_interface *ring = console_ring();
    uint64_t left = number(words[0]) * 1024;
    size_t at = 0;

    while (left > 0) {
        XENCONS_RING_IDX prod = ring->out_prod;

        if (prod - READ_ONCE(ring->out_cons) == sizeof(ring->out)) {
            evtchn_notify(start_info->console.domU.evtchn);
            status_beat();
            wait_ms(1);
            continue;
        }
        ring->out[MASK_XENCONS_IDX(prod, ring->out)] = escapes[at++ % 19];
        wmb();
        ring->out_prod = prod + 1;
        left--;
    }
    ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = '\n';
    ring->out_prod++;
    evtchn_notify(start_info->console.domU.evtchn);
    return NULL;
}

/* ruin: the ring to xenstored is damaged, and then we die. */
static const char *store_ruin(char *const *words)
{
    struct xenstore_domain_interface *ring = xenstore_ring();

    (void)words;
    for (size_t i = 0; i < sizeof(*ring) / sizeof(uint32_t); i++)
        WRITE_ONCE(((uint32_t *)ring)[i], random_u32());
    evtchn_notify(start_info->store_evtchn);
    domain_shutdown(SHUTDOWN_crash);
}

/* die: a crash, and nothing else. */
static const char *die(char *const *words)
{
    (void)words;
    domain_shutdown(SHUTDOWN_crash);
}

const struct command commands_dom0[] = {
    { "ready", 0, status_ready }, { "lies", 1, status_lies },  { "scribble", 1, status_scribble },
    { "nodes", 1, store_nodes },  { "quota", 1, store_quota }, { "console", 1, console_fill },
    { "ruin", 0, store_ruin },    { "die", 0, die },           { NULL, 0, NULL },
};
