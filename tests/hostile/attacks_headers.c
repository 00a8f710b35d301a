/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that leave work to the backend (checksum, cutting) with headers that make it impossible.
 * Answered one way or the other, in order; the vif lives on.
 */
#include <string.h>

#include "attack.h"
#include "frame.h"
#include "wait.h"

#define ROUNDS 1500
#define FRAMES_IN_FLIGHT 12

static uint8_t frame[FRONT_FRAME_SIZE];

/* With csum_blank alone, and as GSO. */
static const char *send(struct front *f, uint32_t len)
{
    struct netif_extra_info gso = tx_gso(500, XEN_NETIF_GSO_TYPE_TCPV4);

    tx_frame(f, frame, len, NETTXF_csum_blank, NULL);
    tx_frame(f, frame, len, NETTXF_csum_blank | NETTXF_data_validated, &gso);
    return tx_judge(f, TX_ANY);
}

/* A TCP frame with one byte changed. */
static const char *changed(struct front *f, unsigned int at, uint8_t value)
{
    uint32_t len = frame_tcp4(f, frame, frame_nobody, 1200);

    frame[at] = value;
    return send(f, len);
}

static const char *any_of(struct front *f, unsigned int at, const uint8_t *values, unsigned int nr)
{
    const char *bad = NULL;

    for (unsigned int i = 0; i < nr && !bad; i++)
        bad = changed(f, at, values[i]);
    return bad;
}

static const char *ip_header_length(struct front *f)
{
    static const uint8_t values[] = { 0x00, 0x40, 0x41, 0x44, 0x46, 0x4f, 0x65, 0xf5, 0xff };

    return any_of(f, 14, values, sizeof(values));
}

static const char *ip_total_length(struct front *f)
{
    static const uint8_t values[] = { 0x00, 0x01, 0x04, 0x05, 0x7f, 0xff };

    return any_of(f, 16, values, sizeof(values));
}

static const char *ip_fragment(struct front *f)
{
    static const uint8_t values[] = { 0x20, 0x3f, 0x1f, 0x60, 0xe0, 0xff };

    return any_of(f, 20, values, sizeof(values));
}

static const char *ip_protocol(struct front *f)
{
    static const uint8_t values[] = { 0, 1, 2, 17, 41, 47, 50, 132, 255 };

    return any_of(f, 23, values, sizeof(values));
}

static const char *tcp_header_length(struct front *f)
{
    static const uint8_t values[] = { 0x00, 0x10, 0x40, 0x60, 0xf0, 0xff };

    return any_of(f, 46, values, sizeof(values));
}

/* Good headers, cut off after each byte in turn. */
static const char *cut_short(struct front *f)
{
    for (uint32_t len = 14; len < 80; len++) {
        const char *bad;

        frame_tcp4(f, frame, frame_nobody, 200);
        bad = send(f, len);
        if (!bad) {
            frame_tcp6(f, frame, frame_nobody, 200);
            bad = send(f, len);
        }
        if (bad)
            return why("%u bytes: %s", len, bad);
    }
    return NULL;
}

/* One slot ends inside the headers, in every place. */
static const char *headers_over_slots(struct front *f)
{
    for (uint16_t at = 1; at < 60; at++) {
        uint16_t sizes[2] = { at, 0 };
        const char *bad;

        sizes[1] = (uint16_t)(frame_tcp4(f, frame, frame_nobody, 300) - at);
        tx_pieces(f, frame, sizes, 2, NETTXF_csum_blank, NULL);
        tx_push(f);
        bad = tx_judge(f, NETIF_RSP_OKAY);
        if (bad)
            return why("cut after %u bytes: %s", at, bad);
    }
    return NULL;
}

/* Tags before a good packet: one and two may be understood, more need not. */
static const char *vlan_tags(struct front *f)
{
    for (unsigned int nr = 1; nr < 20; nr++) {
        uint32_t len = frame_tcp4(f, frame, frame_nobody, 1000);
        const char *bad;

        memmove(frame + 12 + 4 * nr, frame + 12, len - 12);
        for (unsigned int i = 0; i < nr; i++)
            be32_put(frame + 12 + 4 * i, (i & 1 ? 0x88a80000 : 0x81000000) + i);
        bad = send(f, len + 4 * nr);
        if (bad)
            return why("%u tags: %s", nr, bad);
    }
    return NULL;
}

/* Chains of IPv6 extension headers, of every length and lying about it. */
static const char *ipv6_chain(struct front *f)
{
    static const uint8_t kinds[] = { 0, 43, 60, 44, 51 };

    for (unsigned int nr = 1; nr < 40; nr++) {
        uint32_t len = frame_tcp6(f, frame, frame_nobody, 800);
        const char *bad;

        memmove(frame + 54 + 8 * nr, frame + 54, len - 54);
        memset(frame + 54, 0, 8 * nr);
        frame[20] = kinds[nr % sizeof(kinds)];
        for (unsigned int i = 0; i < nr; i++)
            frame[54 + 8 * i] = i + 1 < nr ? kinds[(nr + i) % sizeof(kinds)] : 6;
        frame[55] = nr & 1 ? 0 : 255;
        bad = send(f, len + 8 * nr);
        if (bad)
            return why("%u headers: %s", nr, bad);
    }
    return NULL;
}

static const char *not_ip(struct front *f)
{
    const char *bad;

    frame_arp(f, frame, 60);
    bad = send(f, 60);
    if (bad)
        return bad;
    memset(frame, 0xff, 2000);
    bad = send(f, 2000);
    if (bad)
        return bad;
    memset(frame, 0, 2000);
    return send(f, 2000);
}

static uint32_t base_frame(struct front *f)
{
    uint32_t payload = random_u32() % 3000;
    const uint8_t *to = random_u32() & 7 ? frame_nobody : frame_broadcast;

    return random_u32() & 1 ? frame_tcp4(f, frame, to, payload) : frame_tcp6(f, frame, to, payload);
}

/* Good frames with some bytes of the headers changed at random. */
static const char *random_headers(struct front *f)
{
    const char *bad = NULL;

    for (unsigned int round = 0; round < ROUNDS && !bad; round++) {
        struct netif_extra_info gso = tx_gso((uint16_t)(random_u32() % 2000), 1);
        uint32_t len = base_frame(f), changes = random_u32() % 4;

        for (uint32_t i = 0; i < changes; i++)
            frame[12 + random_u32() % 60] = (uint8_t)random_u32();
        tx_frame(f, frame, len, random_u32() & 3, random_u32() & 1 ? &gso : NULL);
        if (f->tx_prod - f->tx_cons > FRAMES_IN_FLIGHT)
            bad = tx_judge(f, TX_ANY);
        rx_drain(f);
    }
    return bad ? bad : tx_judge(f, TX_ANY);
}

const struct attack attacks_headers[] = {
    { "headers", "ip_header_length", ip_header_length, false },
    { "headers", "ip_total_length", ip_total_length, false },
    { "headers", "ip_fragment", ip_fragment, false },
    { "headers", "ip_protocol", ip_protocol, false },
    { "headers", "tcp_header_length", tcp_header_length, false },
    { "headers", "cut_short", cut_short, false },
    { "headers", "headers_over_slots", headers_over_slots, false },
    { "headers", "vlan_tags", vlan_tags, false },
    { "headers", "ipv6_chain", ipv6_chain, false },
    { "headers", "not_ip", not_ip, false },
    { "headers", "random_headers", random_headers, false },
    { 0 },
};
