/* SPDX-License-Identifier: BSD-2-Clause */
/* The control ring and several queues, used well and badly. Source: xen/io/netif.h. */
#define XEN_NETIF_DEFINE_TOEPLITZ
#include <stdio.h>
#include <string.h>

#include "attack.h"
#include "ctrl.h"
#include "frame.h"
#include "wait.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define DIR "device/vif/0"
#define V4_TCP XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP
#define SLOTS RING_SIZE(&ctrl_ring)

static const uint8_t key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb };
static uint8_t more_rings[2][4096] __attribute__((aligned(4096)));

static const char *hash_on(struct front *f)
{
    const uint32_t ok = XEN_NETIF_CTRL_STATUS_SUCCESS;
    const char *bad;

    memcpy(ctrl_data, key, sizeof(key));
    ctrl_put(XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ, 0, 0);
    ctrl_put(XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, V4_TCP, 0, 0);
    ctrl_put(XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, ctrl_data_ref, sizeof(key), 0);
    ctrl_push(f);
    bad = ctrl_judge(ok);
    memset(ctrl_data, 0, sizeof(ctrl_data));
    if (!bad)
        bad = ctrl_ask(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, 128, 0, 0, ok);
    return bad ? bad : ctrl_ask(f, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, ctrl_data_ref, 128, 0, ok);
}

/* A TCP packet from the wire, with its hash: the answer to one that no connection belongs to. */
static bool reset_came(void *ctx)
{
    struct front *f = ctx;
    const struct rx_frame *in;

    while ((in = rx_take(f))) {
        const uint8_t *ip = in->data + FRAME_ETH_LEN;

        if (in->len < FRAME_TCP4_LEN || be16_get(in->data + 12) != 0x0800 || ip[9] != 6)
            continue;
        return in->hash_type == 1 + _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP &&
               in->hash == xen_netif_toeplitz_hash(key, sizeof(key), ip + 12, 12);
    }
    return false;
}

static bool wire_answered(void *ctx)
{
    struct front *f = ctx;
    const struct rx_frame *in;

    while ((in = rx_take(f)))
        if (frame_is_answer(f, in)) {
            memcpy(ctrl_data + 2048, in->data + 6, 6);
            return true;
        }
    return false;
}

static const char *ctrl_hash(struct front *f)
{
    static uint8_t frame[FRAME_TCP4_LEN + 60];
    const char *bad = ctrl_open(f);

    if (!bad)
        bad = hash_on(f);
    if (bad)
        return bad;
    frame_arp(f, frame, 60);
    tx_frame(f, frame, 60, 0, NULL);
    if (!wait_until(wire_answered, f, CTRL_ANSWER_MS))
        return why("no answer of the wire");
    tx_frame(f, frame, frame_tcp4(f, frame, ctrl_data + 2048, 20), NETTXF_csum_blank, NULL);
    bad = tx_judge(f, NETIF_RSP_OKAY);
    if (bad)
        return bad;
    return wait_until(reset_came, f, CTRL_ANSWER_MS) ? NULL
                                                     : why("no TCP packet with the right hash");
}

static const char *ctrl_references(struct front *f)
{
    static const uint32_t refs[] = { 0, GREF_UNUSED, 511, 512, 65536, UINT32_MAX };
    const char *bad = ctrl_open(f);

    if (!bad)
        bad = hash_on(f);
    for (unsigned int i = 0; i < sizeof(refs) / sizeof(*refs) && !bad; i++) {
        ctrl_put(XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, refs[i], 40, 0);
        ctrl_put(XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, refs[i], 128, 0);
        ctrl_push(f);
        bad = ctrl_judge(XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER);
    }
    return bad;
}

/* Anything at all, in rings full of it. */
static const char *ctrl_random(struct front *f)
{
    const char *bad = ctrl_open(f);

    for (unsigned int round = 0; round < 40 && !bad; round++) {
        for (unsigned int i = 0; i < sizeof(ctrl_data); i++)
            ctrl_data[i] = (uint8_t)(random_u32() % (round % 2 ? 256 : 2));
        for (unsigned int i = 0; i < SLOTS; i++) {
            uint32_t r = random_u32();

            ctrl_put((uint16_t)(r % 13), r & 0x100 ? ctrl_data_ref : random_u32(),
                     r & 0x200 ? random_u32() : r % 140, r & 0x400 ? random_u32() : r % 130);
        }
        ctrl_push(f);
        bad = ctrl_judge(UINT32_MAX);
    }
    return bad;
}

static const char *ctrl_index(struct front *f)
{
    const char *bad = ctrl_open(f);

    if (bad)
        return bad;
    ctrl_ring.req_prod_pvt += SLOTS + 1;
    ctrl_push(f);
    return front_expect_closed(f);
}

/* A node of the control ring's that cannot be. */
static const char *ctrl_node(struct front *f, enum front_node node, const char *value)
{
    const char *bad = ctrl_prepare(f);

    if (bad)
        return bad;
    snprintf(f->values[node], FRONT_VALUE_SIZE, "%s", value);
    bad = front_publish(f);
    if (!bad)
        bad = front_expect_closed(f);
    return bad ? why("%s=%s: %s", front_nodes[node], value, bad) : NULL;
}

static const char *ctrl_nodes(struct front *f)
{
    static const char *const values[] = { "", "500", "4294967295", "x" };
    const char *bad = NULL;
    char other[16];

    for (unsigned int i = 0; i < sizeof(values) / sizeof(*values) && !bad; i++) {
        if (i > 0)
            bad = ctrl_node(f, NODE_CTRL_REF, values[i]);
        if (!bad)
            bad = ctrl_node(f, NODE_CTRL_PORT, values[i]);
    }
    if (bad)
        return bad;
    bad = ctrl_prepare(f);
    if (bad)
        return bad;
    snprintf(other, sizeof(other), "%u", f->tx_ref);
    memcpy(f->values[NODE_CTRL_REF], other, sizeof(other));
    bad = front_publish(f);
    return bad ? bad : front_expect_closed(f);
}

/* The nodes of a queue. The rings of the second are in more_rings. */
struct queue_nodes {
    uint32_t tx_ref, rx_ref, port;
};

static const char *queue_write(unsigned int queue, const struct queue_nodes *nodes)
{
    static const char *const names[] = { "tx-ring-ref", "rx-ring-ref", "event-channel" };
    const uint32_t values[] = { nodes->tx_ref, nodes->rx_ref, nodes->port };
    char path[64], value[16];
    int err = 0;

    for (unsigned int i = 0; i < 3 && !err; i++) {
        snprintf(path, sizeof(path), DIR "/queue-%u/%s", queue, names[i]);
        snprintf(value, sizeof(value), "%u", values[i]);
        err = store_write(path, value);
    }
    return err ? why("cannot write %s: %d", path, err) : NULL;
}

static void ignore(void *ctx)
{
    (void)ctx;
}

enum queues_how { QUEUES_GOOD, QUEUES_SAME_RING, QUEUES_SAME_PORT, QUEUES_ONE_MISSING };

/* Two queues, in good order or not; published. */
static const char *two_queues(struct front *f, enum queues_how how, struct queue_nodes *second)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    f->dirty = true;
    memset(more_rings, 0, sizeof(more_rings));
    SHARED_RING_INIT((netif_tx_sring_t *)more_rings[0]);
    SHARED_RING_INIT((netif_rx_sring_t *)more_rings[1]);
    if (gnttab_grant(f->backend, more_rings[0], false, &second->tx_ref) != 0 ||
        gnttab_grant(f->backend, more_rings[1], false, &second->rx_ref) != 0 ||
        evtchn_alloc_unbound(f->backend, ignore, NULL, &second->port) != 0)
        give_up("no grant reference or event channel is left");
    strcpy(f->values[NODE_QUEUES], "2");
    bad = queue_write(0, &(struct queue_nodes){ f->tx_ref, f->rx_ref, f->port });
    if (!bad && how != QUEUES_ONE_MISSING) {
        struct queue_nodes nodes = *second;

        if (how == QUEUES_SAME_RING)
            nodes.rx_ref = f->tx_ref;
        if (how == QUEUES_SAME_PORT)
            nodes.port = f->port;
        bad = queue_write(1, &nodes);
    }
    return bad ? bad : front_publish(f);
}

/* The directories go, and what was granted, when the backend has let go of it. */
static const char *queues_end(struct front *f, struct queue_nodes *second, const char *bad)
{
    const char *close = front_close(f);

    (void)store_remove(DIR "/queue-0");
    (void)store_remove(DIR "/queue-1");
    evtchn_close(second->port);
    f->dirty = true;
    if (bad || close)
        return bad ? bad : close;
    if (gnttab_revoke(second->tx_ref) != 0 || gnttab_revoke(second->rx_ref) != 0)
        return why("the second queue's rings are mapped by a backend that is Closed");
    return NULL;
}

static const char *queues_refused(struct front *f, enum queues_how how)
{
    struct queue_nodes second;
    const char *bad = two_queues(f, how, &second);

    if (!bad)
        bad = front_expect_closed(f);
    return queues_end(f, &second, bad);
}

static const char *queues_same_ring(struct front *f)
{
    return queues_refused(f, QUEUES_SAME_RING);
}

static const char *queues_same_port(struct front *f)
{
    return queues_refused(f, QUEUES_SAME_PORT);
}

static const char *queues_one_missing(struct front *f)
{
    return queues_refused(f, QUEUES_ONE_MISSING);
}

/* Both serve, until the second's index makes no sense. */
static const char *queues_one_index(struct front *f)
{
    struct queue_nodes second;
    const char *bad = two_queues(f, QUEUES_GOOD, &second);

    if (!bad)
        bad = front_established(f);
    if (!bad) {
        WRITE_ONCE(((netif_tx_sring_t *)more_rings[0])->req_prod, 1000);
        evtchn_notify(second.port);
        bad = front_expect_closed(f);
    }
    return queues_end(f, &second, bad);
}

const struct attack attacks_ctrl[] = {
    { "ctrl", "ctrl_hash", ctrl_hash, false },
    { "ctrl", "ctrl_references", ctrl_references, false },
    { "ctrl", "ctrl_random", ctrl_random, false },
    { "ctrl", "ctrl_index", ctrl_index, false },
    { "ctrl", "ctrl_nodes", ctrl_nodes, false },
    { "queues", "queues_same_ring", queues_same_ring, false },
    { "queues", "queues_same_port", queues_same_port, false },
    { "queues", "queues_one_missing", queues_one_missing, false },
    { "queues", "queues_one_index", queues_one_index, false },
    { 0 },
};
