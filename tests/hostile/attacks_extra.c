/* SPDX-License-Identifier: BSD-2-Clause */
/* Extra info that makes no sense: the packet is answered with an error, its extra slots with none. */
#include <string.h>

#include "attack.h"
#include "frame.h"
#include "wait.h"

static uint8_t frame[FRONT_FRAME_SIZE];

/* A TCP frame with one extra info. */
static const char *with(struct front *f, struct netif_extra_info extra, unsigned int flags,
                        int want)
{
    uint32_t len = frame_tcp4(f, frame, frame_nobody, 3000);

    tx_frame(f, frame, len, flags, &extra);
    return tx_judge(f, want);
}

static const char *type_unknown(struct front *f)
{
    static const uint8_t types[] = { 0, 5, 99, 255 };

    for (unsigned int i = 0; i < sizeof(types); i++) {
        struct netif_extra_info extra = { .type = types[i] };
        const char *bad = with(f, extra, 0, NETIF_RSP_ERROR);

        if (bad)
            return why("type %u: %s", types[i], bad);
    }
    return NULL;
}

/* Only what was offered may be used. */
static const char *type_not_offered(struct front *f)
{
    struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_HASH };

    return with(f, extra, 0, TX_ANY);
}

/* The GSO info `nr` times in a row, and a slot of data behind. */
static void chain(struct front *f, unsigned int nr, bool endless)
{
    struct netif_extra_info gso = tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4);
    uint32_t len = frame_tcp4(f, front_tx_data[0], frame_nobody, 3000);

    tx_slot(f, f->tx_refs[0], 0, len, NETTXF_csum_blank | NETTXF_extra_info);
    for (unsigned int i = 0; i < nr; i++) {
        gso.flags = endless || i + 1 < nr ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
        tx_extra(f, gso);
    }
    tx_push(f);
}

static const char *gso_twice(struct front *f)
{
    chain(f, 2, false);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *chain_200(struct front *f)
{
    chain(f, 200, false);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *chain_for_ever(struct front *f)
{
    chain(f, FRONT_SLOTS - 1, true);
    return front_expect_closed(f);
}

/* Extra info that is promised and comes late. */
static const char *extra_later(struct front *f)
{
    RING_IDX before = f->tx_cons;
    uint32_t len = frame_tcp4(f, front_tx_data[0], frame_nobody, 3000);

    tx_slot(f, f->tx_refs[0], 0, len, NETTXF_csum_blank | NETTXF_extra_info);
    tx_push(f);
    wait_ms(100);
    if (f->tx->rsp_prod != before)
        return why("half a packet was answered");
    tx_extra(f, tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4));
    tx_push(f);
    return tx_judge(f, NETIF_RSP_OKAY);
}

static const char *gso_size_0(struct front *f)
{
    return with(f, tx_gso(0, XEN_NETIF_GSO_TYPE_TCPV4), NETTXF_csum_blank, NETIF_RSP_ERROR);
}

/* A frame may not be multiplied by thousands. */
static const char *gso_size_1(struct front *f)
{
    return with(f, tx_gso(1, XEN_NETIF_GSO_TYPE_TCPV4), NETTXF_csum_blank, NETIF_RSP_ERROR);
}

static const char *gso_size_huge(struct front *f)
{
    return with(f, tx_gso(65535, XEN_NETIF_GSO_TYPE_TCPV4), NETTXF_csum_blank, TX_ANY);
}

static const char *gso_type_unknown(struct front *f)
{
    const char *bad = with(f, tx_gso(1448, 77), NETTXF_csum_blank, NETIF_RSP_ERROR);

    return bad ? bad : with(f, tx_gso(1448, 0), NETTXF_csum_blank, NETIF_RSP_ERROR);
}

static const char *gso_v6_for_v4(struct front *f)
{
    return with(f, tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV6), NETTXF_csum_blank, NETIF_RSP_ERROR);
}

static const char *gso_v4_for_v6(struct front *f)
{
    struct netif_extra_info gso = tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4);
    uint32_t len = frame_tcp6(f, frame, frame_nobody, 5000);

    tx_frame(f, frame, len, NETTXF_csum_blank, &gso);
    return tx_judge(f, NETIF_RSP_ERROR);
}

static const char *gso_no_csum_blank(struct front *f)
{
    return with(f, tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4), 0, TX_ANY);
}

/* One frame with GSO that is not what its extra info says. */
static const char *gso_on(struct front *f, uint32_t len)
{
    struct netif_extra_info gso = tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4);

    tx_frame(f, frame, len, NETTXF_csum_blank, &gso);
    return tx_judge(f, TX_ANY);
}

static const char *gso_on_others(struct front *f)
{
    const char *bad = gso_on(f, frame_tcp6(f, frame, frame_nobody, 5000));
    uint32_t len;

    if (bad)
        return why("IPv6: %s", bad);
    len = frame_tcp4(f, frame, frame_nobody, 5000);
    frame[23] = 17;
    bad = gso_on(f, len);
    if (bad)
        return why("UDP: %s", bad);
    frame_arp(f, frame, 60);
    bad = gso_on(f, 60);
    return bad ? why("ARP: %s", bad) : NULL;
}

static const char *gso_no_payload(struct front *f)
{
    return gso_on(f, frame_tcp4(f, frame, frame_nobody, 0));
}

/* More bytes on the ring than the IP header admits, and the other way round. */
static const char *gso_length_lies(struct front *f)
{
    static const uint16_t says[] = { 0, 19, 20, 40, 100, 9000, 65535 };

    for (unsigned int i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        uint32_t len = frame_tcp4(f, frame, frame_nobody, 5000);
        const char *bad;

        be16_put(frame + 16, says[i]);
        bad = gso_on(f, len);
        if (bad)
            return why("IP length %u: %s", says[i], bad);
    }
    return NULL;
}

const struct attack attacks_extra[] = {
    { "extra", "type_unknown", type_unknown, false },
    { "extra", "type_not_offered", type_not_offered, false },
    { "extra", "gso_twice", gso_twice, false },
    { "extra", "chain_200", chain_200, false },
    { "extra", "chain_for_ever", chain_for_ever, false },
    { "extra", "extra_later", extra_later, false },
    { "extra", "gso_size_0", gso_size_0, false },
    { "extra", "gso_size_1", gso_size_1, false },
    { "extra", "gso_size_huge", gso_size_huge, false },
    { "extra", "gso_type_unknown", gso_type_unknown, false },
    { "extra", "gso_v6_for_v4", gso_v6_for_v4, false },
    { "extra", "gso_v4_for_v6", gso_v4_for_v6, false },
    { "extra", "gso_no_csum_blank", gso_no_csum_blank, false },
    { "extra", "gso_on_others", gso_on_others, false },
    { "extra", "gso_no_payload", gso_no_payload, false },
    { "extra", "gso_length_lies", gso_length_lies, false },
    { 0 },
};
