/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast control, which Linux' frontend does not use: the list, its bound, and what is filtered. */
#include <string.h>

#include "attack.h"
#include "frame.h"
#include "wait.h"

#define LIST_MAX 64
#define WISH "device/vif/0/request-multicast-control"
#define ECHO_TYPE 0x88b5 /* for experiments: nobody else's frames */
#define LISTEN_MS 20000

static struct netif_extra_info extra_of(uint8_t type, uint8_t n)
{
    struct netif_extra_info extra = { .type = type };
    const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x7f, 0, n };

    memcpy(extra.u.mcast.addr, group, sizeof(group));
    return extra;
}

/* A request without data, as netif.h has it. Pushed. */
static void ask(struct front *f, uint8_t type, uint8_t n)
{
    tx_slot(f, 0, 0, 0, NETTXF_extra_info);
    tx_extra(f, extra_of(type, n));
    tx_push(f);
}

static const char *asked(struct front *f, uint8_t type, uint8_t n, int want)
{
    const char *bad;

    ask(f, type, n);
    bad = tx_judge(f, want);
    return bad ? why("type %u of group %u: %s", type, n, bad) : NULL;
}

static const char *list_full(struct front *f)
{
    const char *bad = NULL;

    for (unsigned int n = 0; n < 2 * LIST_MAX && !bad; n++)
        bad = asked(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, (uint8_t)n,
                    n < LIST_MAX ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
    for (unsigned int n = 0; n < 2 * LIST_MAX && !bad; n++)
        bad = asked(f, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, (uint8_t)n, NETIF_RSP_OKAY);
    return bad;
}

static const char *with_data(struct front *f)
{
    frame_arp(f, front_tx_data[0], 60);
    tx_slot(f, f->tx_refs[0], 0, 60, NETTXF_extra_info | NETTXF_more_data);
    tx_extra(f, extra_of(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 1));
    tx_slot(f, f->tx_refs[0], 0, 20, 0);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *no_group(struct front *f)
{
    struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD };

    tx_slot(f, 0, 0, 0, NETTXF_extra_info);
    tx_extra(f, extra);
    tx_push(f);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *ring_of_wishes(struct front *f)
{
    for (unsigned int round = 0; round < 200; round++) {
        for (unsigned int i = 0; i < FRONT_SLOTS / 2; i++) {
            tx_slot(f, 0, 0, 0, NETTXF_extra_info);
            tx_extra(f, extra_of(2 + (i & 1), (uint8_t)random_u32()));
        }
        tx_push(f);
        if (!tx_drain(f, 5000))
            return why("a ring of wishes is not answered");
    }
    f->dirty = true; /* the list begins anew */
    return NULL;
}

/* The wish changes again and again, and is nonsense in between. */
static const char *wish_flaps(struct front *f)
{
    static const char *const values[] = { "1", "0", "maybe", "", "1 ", "4294967296" };

    for (unsigned int i = 0; i < 300; i++)
        if (store_write(WISH, values[i % (sizeof(values) / sizeof(values[0]))]) != 0)
            return why("cannot write " WISH);
    store_write(WISH, "0");
    f->dirty = true;
    return NULL;
}

/*
 * Group 1 is in the list, group 2 is not: what the wire sends is counted by the group's last octet, until
 * something comes for group 3. The note says what was seen.
 */
static const char *listen(struct front *f)
{
    unsigned int seen[4] = { 0 }, broadcasts = 0;
    const struct rx_frame *in;
    const char *bad = asked(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 1, NETIF_RSP_OKAY);

    if (!bad)
        bad = asked(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 3, NETIF_RSP_OKAY);
    if (bad)
        return bad;
    say("listening");
    for (unsigned int ms = 0; ms < LISTEN_MS && !seen[3]; ms++) {
        while ((in = rx_take(f))) {
            if (be16_get(in->data + 12) != ECHO_TYPE)
                continue;
            broadcasts += in->data[0] == 0xff;
            if (in->data[0] == 0x01 && in->data[5] < 4)
                seen[in->data[5]]++;
        }
        wait_ms(1);
    }
    if (!seen[3])
        return why("the last frame did not come");
    note("listed=%u unlisted=%u broadcast=%u", seen[1], seen[2], broadcasts);
    return NULL;
}

/* The same without a filter, and with one that is asked for while the vif is in use. */
static const char *filtered_live(struct front *f)
{
    if (store_write(WISH, "1") != 0)
        return why("cannot write " WISH);
    wait_ms(300); /* no answer says that it was taken */
    return listen(f);
}

static const char *filtered_not(struct front *f)
{
    return listen(f);
}

/* Static: asked for before connecting. */
static const char *filtered_static(struct front *f)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    strcpy(f->values[NODE_MULTICAST], "1");
    bad = front_publish(f);
    if (!bad)
        bad = front_established(f);
    return bad ? bad : listen(f);
}

const struct attack attacks_multicast[] = {
    { "multicast", "multicast_list_full", list_full, false },
    { "multicast", "multicast_with_data", with_data, false },
    { "multicast", "multicast_no_group", no_group, false },
    { "multicast", "multicast_ring", ring_of_wishes, false },
    { "multicast", "multicast_wish_flaps", wish_flaps, false },
    { "filtered", "filtered_not", filtered_not, false },
    { "filtered", "filtered_static", filtered_static, false },
    { "filtered", "filtered_live", filtered_live, false },
    { 0 },
};
