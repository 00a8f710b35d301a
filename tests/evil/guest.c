/* SPDX-License-Identifier: BSD-2-Clause */
/* A backend for a guest's vif that turns against the guest. Source: xen/io/netif.h. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#include "command.h"
#include "wait.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/status.h"
#include "xen/xenstore.h"

#define RING_SLOTS 256
#define STEP_MS 30000
#define NAMES_MAX 8

static char back[XENSTORE_PATH_SIZE], front[XENSTORE_PATH_SIZE];
static domid_t peer;
static netif_tx_sring_t *tx;
static netif_rx_sring_t *rx;
static evtchn_port_t port;
static unsigned int tx_slot, rx_slot;

static int node_read(const char *dir, const char *name, char *value, size_t size)
{
    char path[XENSTORE_PATH_SIZE];

    return xenstore_path(path, sizeof(path), "%s/%s", dir, name) != 0
               ? -ENAMETOOLONG
               : store_read(path, value, size);
}

static int node_write(const char *dir, const char *name, const char *value)
{
    char path[XENSTORE_PATH_SIZE];

    return xenstore_path(path, sizeof(path), "%s/%s", dir, name) != 0 ? -ENAMETOOLONG
                                                                      : store_write(path, value);
}

static bool number_is(const char *dir, const char *name, uint32_t *value_r)
{
    char text[32];

    return node_read(dir, name, text, sizeof(text)) == 0 &&
           xenstore_parse_u32(text, UINT32_MAX, value_r) == 0;
}

/* Names of a directory, as many as there is room for. */
struct names {
    char text[NAMES_MAX][16];
    unsigned int nr;
    bool is_there;
};

static void names_take(void *ctx, int err, const char *value, size_t len)
{
    struct names *names = ctx;

    for (size_t at = 0; err == 0 && at < len && names->nr < NAMES_MAX; at += strlen(value + at) + 1)
        snprintf(names->text[names->nr++], sizeof(names->text[0]), "%s", value + at);
    names->is_there = true;
}

static bool names_there(void *ctx)
{
    return ((struct names *)ctx)->is_there;
}

/* Whether a guest's vif is there; what is left of one that has gone has no frontend. */
static bool vif_is(const char *name)
{
    snprintf(back, sizeof(back), "backend/vif/%s/0", name);
    return node_read(back, "frontend", front, sizeof(front)) == 0;
}

/* Wait for a vif below backend/vif, of another guest than the last one. */
static const char *vif_find(void)
{
    for (unsigned int ms = 0; ms < STEP_MS; ms += 20) {
        static struct names names;

        names = (struct names){ 0 };
        if (xenstore_directory(0, "backend/vif", names_take, &names) != 0 ||
            !wait_until(names_there, &names, STEP_MS))
            return "xenstored does not list our vifs";
        for (unsigned int i = 0; i < names.nr; i++)
            if ((domid_t)number(names.text[i]) != peer && vif_is(names.text[i])) {
                peer = (domid_t)number(names.text[i]);
                return NULL;
            }
        status_beat();
        wait_ms(20);
    }
    return "nobody has a vif with us";
}

static const char *state_wait(uint32_t state)
{
    uint32_t seen = 0;

    for (unsigned int ms = 0; ms < STEP_MS; ms += 20) {
        if (number_is(front, "state", &seen) && seen == state)
            return NULL;
        status_beat();
        wait_ms(20);
    }
    return why("the frontend's state is %u, not %u", seen, state);
}

static void kicked(void *ctx)
{
    (void)ctx;
}

static const char *rings_map(void)
{
    uint32_t tx_ref, rx_ref, remote;
    void *va;

    if (!number_is(front, "tx-ring-ref", &tx_ref) || !number_is(front, "rx-ring-ref", &rx_ref) ||
        !number_is(front, "event-channel", &remote))
        return "the frontend names no rings";
    if (gnttab_map(peer, tx_ref, &va, &tx_slot) != 0)
        return "its tx ring cannot be mapped";
    tx = va;
    if (gnttab_map(peer, rx_ref, &va, &rx_slot) != 0)
        return "its rx ring cannot be mapped";
    rx = va;
    return evtchn_bind_interdomain(peer, remote, kicked, NULL, &port) != 0 ? "no event channel"
                                                                           : NULL;
}

/* netback: serve the first guest that wants a vif of us, up to Connected. */
static const char *netback(char *const *words)
{
    const char *bad = vif_find();

    (void)words;
    if (bad)
        return bad;
    if (node_write(back, "feature-rx-copy", "1") != 0 ||
        node_write(back, "hotplug-status", "connected") != 0 || node_write(back, "state", "2") != 0)
        return "the backend's nodes cannot be written";
    bad = state_wait(XenbusStateConnected);
    if (!bad)
        bad = rings_map();
    if (!bad && node_write(back, "state", "4") != 0)
        bad = "the state cannot be written";
    note("guest=%u", peer);
    return bad;
}

/* release: let go of that guest, so that the next one can be attacked. */
static const char *release(char *const *words)
{
    (void)words;
    gnttab_unmap(tx_slot);
    gnttab_unmap(rx_slot);
    evtchn_close(port);
    port = 0;
    return node_write(back, "state", "6") != 0 ? "the state cannot be written" : NULL;
}

/* events NR: nothing but events. */
static const char *events(char *const *words)
{
    uint64_t nr = number(words[0]);

    for (uint64_t i = 0; i < nr; i++) {
        status_beat();
        evtchn_notify(port);
    }
    note("events=%lu", (unsigned long)nr);
    return NULL;
}

/* disorder NR: answers to what the guest sent, from the last to the first, some twice, some to nothing. */
static const char *disorder(char *const *words)
{
    uint64_t nr = number(words[0]);
    RING_IDX prod = READ_ONCE(tx->rsp_prod);

    for (uint64_t i = 0; i < nr; i++) {
        netif_tx_response_t *response = &tx->ring[(prod + i) % RING_SLOTS].rsp;

        WRITE_ONCE(response->id, (uint16_t)(i % 4 == 3 ? 0xffff : RING_SLOTS - 1 - i % RING_SLOTS));
        WRITE_ONCE(response->status, (int16_t)(i % 3 ? NETIF_RSP_OKAY : -7));
    }
    WRITE_ONCE(tx->rsp_prod, (RING_IDX)(prod + nr));
    evtchn_notify(port);
    note("answers=%lu at=%u", (unsigned long)nr, prod);
    return NULL;
}

/* received NR: packets that the guest is told it got, with lengths and offsets that there cannot be. */
static const char *received(char *const *words)
{
    uint64_t nr = number(words[0]);
    RING_IDX prod = READ_ONCE(rx->rsp_prod);

    for (uint64_t i = 0; i < nr; i++) {
        netif_rx_response_t *response = &rx->ring[(prod + i) % RING_SLOTS].rsp;

        WRITE_ONCE(response->id, (uint16_t)random_u32());
        WRITE_ONCE(response->offset, (uint16_t)random_u32());
        WRITE_ONCE(response->flags, (uint16_t)random_u32());
        WRITE_ONCE(response->status, (int16_t)random_u32());
    }
    WRITE_ONCE(rx->rsp_prod, (RING_IDX)(prod + nr));
    evtchn_notify(port);
    note("packets=%lu at=%u", (unsigned long)nr, prod);
    return NULL;
}

/* garbage NR: both rings full of random words, indices too, NR times. */
static const char *garbage(char *const *words)
{
    uint64_t nr = number(words[0]);

    for (uint64_t i = 0; i < nr; i++) {
        for (size_t at = 0; at < 1024; at++) {
            WRITE_ONCE(((uint32_t *)tx)[at], random_u32());
            WRITE_ONCE(((uint32_t *)rx)[at], random_u32());
        }
        evtchn_notify(port);
        status_beat();
        wait_ms(1);
    }
    note("times=%lu", (unsigned long)nr);
    return NULL;
}

const struct command commands_guest[] = {
    { "netback", 0, netback },   { "release", 0, release },   { "events", 1, events },
    { "disorder", 1, disorder }, { "received", 1, received }, { "garbage", 1, garbage },
    { NULL, 0, NULL },
};
