/* SPDX-License-Identifier: BSD-2-Clause */
#include "front.h"

#include <stdio.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "ring.h"
#include "wait.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define DIR "device/vif/0"
#define STATE_LIMIT_MS 8000
#define UNMAP_LIMIT_MS 2000
#define BLAME_LIMIT_MS 3000
#define RING_PAGES 8

const char *const front_nodes[NODE_NR] = {
    [NODE_TX_REF] = "tx-ring-ref",
    [NODE_RX_REF] = "rx-ring-ref",
    [NODE_PORT] = "event-channel",
    [NODE_PORT_TX] = "event-channel-tx",
    [NODE_PORT_RX] = "event-channel-rx",
    [NODE_QUEUES] = "multi-queue-num-queues",
    [NODE_CTRL_REF] = "ctrl-ring-ref",
    [NODE_CTRL_PORT] = "event-channel-ctrl",
    [NODE_RX_COPY] = "request-rx-copy",
    [NODE_RX_NOTIFY] = "feature-rx-notify",
    [NODE_SG] = "feature-sg",
    [NODE_GSO] = "feature-gso-tcpv4",
    [NODE_GSO6] = "feature-gso-tcpv6",
    [NODE_NO_CSUM] = "feature-no-csum-offload",
    [NODE_CSUM6] = "feature-ipv6-csum-offload",
    [NODE_MULTICAST] = "request-multicast-control",
};

uint8_t front_tx_data[FRONT_TX_PAGES][4096] __attribute__((aligned(4096)));
uint8_t front_rx_data[FRONT_RX_PAGES][4096] __attribute__((aligned(4096)));
static uint8_t ring_pages[RING_PAGES][4096] __attribute__((aligned(4096)));
static unsigned int ring_page;

grant_entry_v1_t *front_grant_table(void)
{
    return (grant_entry_v1_t *)grant_table_area;
}

static grant_ref_t grant(struct front *f, const void *page)
{
    grant_ref_t ref;

    if (gnttab_grant(f->backend, page, false, &ref) != 0)
        give_up("no grant reference is left");
    return ref;
}

static uint8_t hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

void front_init(struct front *f)
{
    char mac[32];

    f->backend = (domid_t)store_number(DIR "/backend-id");
    if (store_read(DIR "/backend", f->back, sizeof(f->back)) != 0 ||
        store_read(DIR "/mac", mac, sizeof(mac)) != 0 || strlen(mac) != 17)
        give_up("no backend or no mac in " DIR);
    for (unsigned int i = 0; i < 6; i++)
        f->mac[i] = (uint8_t)(hex_digit(mac[3 * i]) << 4 | hex_digit(mac[3 * i + 1]));
    for (unsigned int i = 0; i < FRONT_TX_PAGES; i++)
        f->tx_refs[i] = grant(f, front_tx_data[i]);
    for (unsigned int i = 0; i < FRONT_RX_PAGES; i++)
        f->rx_refs[i] = grant(f, front_rx_data[i]);
    front_rings_replace(f);
}

void front_rings_replace(struct front *f)
{
    if (ring_page + 2 > RING_PAGES)
        give_up("no ring pages are left");
    f->tx = (netif_tx_sring_t *)ring_pages[ring_page++];
    f->rx = (netif_rx_sring_t *)ring_pages[ring_page++];
}

static void on_event(void *ctx)
{
    (void)ctx;
}

static void rings_clear(struct front *f)
{
    memset(f->tx, 0, 4096);
    memset(f->rx, 0, 4096);
    SHARED_RING_INIT(f->tx);
    SHARED_RING_INIT(f->rx);
    f->tx_prod = f->tx_cons = f->rx_prod = f->rx_cons = 0;
    f->no_refill = false;
}

static void values_default(struct front *f)
{
    memset(f->values, 0, sizeof(f->values));
    snprintf(f->values[NODE_TX_REF], FRONT_VALUE_SIZE, "%u", f->tx_ref);
    snprintf(f->values[NODE_RX_REF], FRONT_VALUE_SIZE, "%u", f->rx_ref);
    snprintf(f->values[NODE_PORT], FRONT_VALUE_SIZE, "%u", f->port);
    for (enum front_node node = NODE_RX_COPY; node < NODE_NR; node++)
        strcpy(f->values[node], node == NODE_NO_CSUM || node == NODE_MULTICAST ? "0" : "1");
}

const char *front_prepare(struct front *f)
{
    const char *bad = front_state_set(XenbusStateInitialising);

    if (bad)
        return bad;
    if (!front_wait_back(f, XenbusStateInitWait, STATE_LIMIT_MS))
        return why("the backend is in state %d, not in InitWait", front_back_state(f));
    rings_clear(f);
    f->tx_ref = grant(f, f->tx);
    f->rx_ref = grant(f, f->rx);
    if (evtchn_alloc_unbound(f->backend, on_event, NULL, &f->port) != 0)
        give_up("no event channel");
    values_default(f);
    f->dirty = false;
    return NULL;
}

const char *front_ctrl_prepare(struct front *f, const void *page)
{
    f->ctrl_ref = grant(f, page);
    if (evtchn_alloc_unbound(f->backend, on_event, NULL, &f->ctrl_port) != 0)
        give_up("no event channel");
    snprintf(f->values[NODE_CTRL_REF], FRONT_VALUE_SIZE, "%u", f->ctrl_ref);
    snprintf(f->values[NODE_CTRL_PORT], FRONT_VALUE_SIZE, "%u", f->ctrl_port);
    return NULL;
}

const char *front_publish(struct front *f)
{
    char path[XENSTORE_PATH_SIZE];
    int err = 0;

    for (enum front_node node = 0; node < NODE_NR && !err; node++) {
        if (strcmp(f->values[node], f->written[node]) == 0)
            continue;
        snprintf(path, sizeof(path), DIR "/%s", front_nodes[node]);
        err = f->values[node][0] ? store_write(path, f->values[node]) : store_remove(path);
        memcpy(f->written[node], f->values[node], FRONT_VALUE_SIZE);
    }
    return err ? why("cannot write %s: %d", path, err) : front_state_set(XenbusStateConnected);
}

const char *front_established(struct front *f)
{
    if (!front_wait_back(f, XenbusStateConnected, STATE_LIMIT_MS))
        return why("the backend is in state %d, not Connected", front_back_state(f));
    rx_fill(f);
    return NULL;
}

const char *front_open(struct front *f)
{
    const char *bad = front_prepare(f);

    if (!bad)
        bad = front_publish(f);
    return bad ? bad : front_established(f);
}

/* 0 in the entry is a grant that an attack took back by force. */
static bool grant_free(void *ctx)
{
    grant_ref_t ref = *(grant_ref_t *)ctx;

    return (READ_ONCE(front_grant_table()[ref].flags) & (GTF_reading | GTF_writing)) == 0;
}

static const char *grant_end(grant_ref_t *ref)
{
    if (*ref == 0)
        return NULL;
    if (!wait_until(grant_free, ref, UNMAP_LIMIT_MS) || gnttab_revoke(*ref) != 0)
        return why("a ring is still mapped by a backend that is Closed");
    *ref = 0;
    return NULL;
}

const char *front_close(struct front *f)
{
    const char *bad = front_state_set(XenbusStateClosed), *bad_rx, *bad_ctrl;

    if (bad)
        return bad;
    if (!front_wait_back(f, XenbusStateClosed, STATE_LIMIT_MS))
        return why("the backend is in state %d, not Closed", front_back_state(f));
    evtchn_close(f->port);
    evtchn_close(f->other_port);
    evtchn_close(f->ctrl_port);
    f->port = f->other_port = f->ctrl_port = 0;
    bad = grant_end(&f->tx_ref);
    bad_rx = grant_end(&f->rx_ref);
    bad_ctrl = grant_end(&f->ctrl_ref);
    return bad ? bad : bad_rx ? bad_rx : bad_ctrl;
}

const char *front_state_set(int state)
{
    char value[8];
    int err;

    snprintf(value, sizeof(value), "%d", state);
    err = store_write(DIR "/state", value);
    return err ? why("cannot write our state: %d", err) : NULL;
}

int front_back_state(struct front *f)
{
    char path[XENSTORE_PATH_SIZE + 8], text[16];
    uint32_t state;

    snprintf(path, sizeof(path), "%s/state", f->back);
    if (store_read(path, text, sizeof(text)) != 0 || xenstore_parse_u32(text, 8, &state) != 0)
        return -1;
    return (int)state;
}

struct back_wait {
    struct front *f;
    int state;
};

static bool back_reached(void *ctx)
{
    struct back_wait *wait = ctx;

    return front_back_state(wait->f) == wait->state;
}

bool front_wait_back(struct front *f, int state, unsigned int ms)
{
    struct back_wait wait = { f, state };

    return wait_until(back_reached, &wait, ms);
}

static bool back_closed(void *ctx)
{
    int state = front_back_state(ctx);

    return state == XenbusStateClosing || state == XenbusStateClosed;
}

const char *front_prepare_anew(struct front *f)
{
    const char *bad = front_close(f);

    return bad ? bad : front_prepare(f);
}

bool front_is_closed(struct front *f)
{
    return back_closed(f);
}

const char *front_expect_closed(struct front *f)
{
    char path[XENSTORE_PATH_SIZE + 16], text[160];

    f->dirty = true;
    if (!wait_until(back_closed, f, BLAME_LIMIT_MS))
        return why("the backend stays in state %d", front_back_state(f));
    snprintf(path, sizeof(path), "%s/hotplug-error", f->back);
    if (store_read(path, text, sizeof(text)) != 0 || !text[0])
        return why("closed without a sentence in the backend's hotplug-error");
    note("closed: %s", text);
    return NULL;
}

void front_kick(struct front *f)
{
    evtchn_notify(f->port);
}
