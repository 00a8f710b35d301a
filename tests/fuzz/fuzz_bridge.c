/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bridges, VLANs, stations and the way out of ports, against a few rules written down once more here:
 *
 *   - A frame leaves only through other ports of its bridge that are up and carry its VLAN, never from an
 *     isolated port to another, through each at most once.
 *   - A station that was heard, or is pinned, gets its frames through its port alone; a pinned one is heard
 *     nowhere else. What goes to all and is not too long, not limited and not filtered reaches all.
 *   - A frame leaves with the tag that its VLAN has on that port. What is behind the tag is what came in, but
 *     for a checksum that was left over; pieces of a long frame are looked at for their addresses and tag.
 *   - A port gets only what it takes. No buffer is lost.
 * The input: the mask of group addresses, settings of each port, and steps.
 */
#include <errno.h>

#include <ferry/vlan.h>

#include "fuzz_mbuf.h"
#include "net/bridge.h"
#include "net/filter.h"
#include "net/frame.h"

#define PORTS 6
#define STEPS 32
#define FRAMES 4 /* of a burst */
#define STATIONS 8
#define LONGEST 5000
#define MS 1000000ull
#define SURELY_KNOWN (290000 * MS) /* ageing is 300 s, noted a little late */
#define HEARD_MAX (STEPS * FRAMES)

struct out {
    struct port port; /* first: operations get this address */
    struct vlan_set vlans;
    struct filter filter;
    unsigned int bridge;
    bool plugged;
    uint64_t flooded, flooded_since; /* frames for all that it got through since then */
};

/* A frame that was handed in, and what must become of it. */
struct handed {
    uint8_t bytes[LONGEST];
    uint32_t len;
    uint32_t tag; /* 4 if it has one, else 0 */
    bool has_second;
    uint16_t tci, vid; /* vid: VLAN_NONE if it must not get in */
    bool is_beside; /* the tag lies beside the frame */
    bool is_for_all, is_offloaded, is_for_several;
    int only; /* the port it may leave through; PORTS: none; -1: any */
    uint32_t reached; /* bits of ports */
};

static struct out outs[PORTS];
static struct bridge *bridges[2];
static uint16_t group_mask;
static uint64_t now;
static struct handed handed[FRAMES];
static unsigned int nr_handed;
static struct out *from;
static struct out *removed_in_burst; /* to be unplugged when something leaves */
static bool is_loose; /* ports go, or memory is short: what must arrive is not looked at */
static struct rte_mbuf *held[FUZZ_POOL_FRAMES];
static unsigned int nr_held;

struct known {
    unsigned int bridge;
    uint16_t vid;
    uint8_t mac[6];
    struct out *at;
    uint64_t seen;
};
static struct known heard[HEARD_MAX], pins[HEARD_MAX];
static unsigned int nr_heard, nr_pins;

static const uint16_t vids[] = { 1, 2, 3, 10, 100, 4094 };

static unsigned int index_of(const struct out *out)
{
    return (unsigned int)(out - outs);
}

static struct known *known_find(struct known *list, unsigned int nr, const struct out *out,
                                uint16_t vid, const uint8_t *mac)
{
    for (unsigned int i = 0; i < nr; i++)
        if (list[i].at && list[i].bridge == out->bridge && list[i].vid == vid &&
            memcmp(list[i].mac, mac, 6) == 0)
            return &list[i];
    return NULL;
}

static void known_add(struct known *list, unsigned int *nr, struct out *out, uint16_t vid,
                      const uint8_t *mac)
{
    struct known *known = known_find(list, *nr, out, vid, mac);

    if (!known)
        known = &list[(*nr)++];
    FUZZ_CHECK(*nr <= HEARD_MAX);
    *known = (struct known){ .bridge = out->bridge, .vid = vid, .at = out, .seen = now };
    memcpy(known->mac, mac, 6);
}

static void known_forget(struct known *list, unsigned int nr, const struct out *out)
{
    for (unsigned int i = 0; i < nr; i++)
        if (list[i].at == out)
            list[i].at = NULL;
}

static bool carries(const struct out *out, uint16_t vid)
{
    return !out->port.vlans || vlan_set_has(&out->vlans, vid);
}

/* Must the frame leave there without a tag, whatever it had? */
static bool leaves_untagged(const struct out *out, uint16_t vid)
{
    return out->port.vlans && (vid == 0 || vlan_set_is_untagged(&out->vlans, vid));
}

/* A tag behind the first one would be taken for the frame's. */
static bool is_ambiguous(const struct out *out, const struct handed *h)
{
    return h->has_second && leaves_untagged(out, h->vid) && !out->vlans.is_access;
}

/* What the frame is, once it has left through the port, without what is behind the tag. Returns its length. */
static uint32_t head_expect(const struct out *out, const struct handed *h, uint8_t head[18])
{
    uint16_t old = h->tag ? h->tci : 0, tci = (uint16_t)((old & 0xf000) | h->vid);

    memcpy(head, h->bytes, 12);
    if (leaves_untagged(out, h->vid) || (!h->tag && h->vid == 0))
        return 12;
    head[12] = 0x81;
    head[13] = 0;
    head[14] = (uint8_t)(tci >> 8);
    head[15] = (uint8_t)tci;
    return 16;
}

/* Only the two bytes of a checksum that was left to others may differ. */
static void rest_check(const struct handed *h, const uint8_t *rest, uint32_t len)
{
    const uint8_t *was = h->bytes + 12 + h->tag;
    unsigned int differ = 0;

    FUZZ_CHECK(len == h->len - 12 - h->tag);
    for (uint32_t i = 0; i < len; i++)
        if (rest[i] != was[i]) {
            FUZZ_CHECK(h->is_offloaded && i >= 2 + 20 + 6);
            differ++;
        }
    FUZZ_CHECK(differ <= 2);
}

/* Is it in a form that the port takes? */
static void form_check(const struct port *port, const struct rte_mbuf *frame, bool has_tag)
{
    bool v6 = frame->ol_flags & RTE_MBUF_F_TX_IPV6,
         is_cut = frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
    bool is_left = frame->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK);
    const uint8_t *l3 = rte_pktmbuf_mtod_offset(frame, const uint8_t *, frame->l2_len);
    uint32_t needed = frame->nb_segs > 1 ? PORT_TX_MULTI_SEG : 0;

    if (is_cut)
        needed |= v6 ? PORT_TX_TSO_V6 : PORT_TX_TSO_V4;
    else if (is_left)
        needed |= v6 ? PORT_TX_CSUM_V6 : PORT_TX_CSUM_V4;
    if (is_left && has_tag && !(frame->ol_flags & RTE_MBUF_F_TX_VLAN))
        needed |= PORT_TX_TAGGED;
    if (frame->ol_flags & RTE_MBUF_F_TX_VLAN)
        needed |= PORT_TX_VLAN;
    FUZZ_CHECK((needed & ~port->tx_caps) == 0);
    FUZZ_CHECK(!is_left || !port->finish_checksums);
    if (!is_left)
        return;
    FUZZ_CHECK(frame->l2_len + frame->l3_len + frame->l4_len <= frame->data_len);
    FUZZ_CHECK(l3[0] >> 4 == (v6 ? 6 : 4) && (v6 || l3[9] == 6 || l3[9] == 17));
}

static void left_check(struct out *out, const struct rte_mbuf *frame)
{
    static uint8_t flat[LONGEST + 200];
    uint32_t len = fuzz_flatten(frame, flat, sizeof(flat)), head_len;
    unsigned int i = nr_handed > 1 ? flat[len - 1] : 0;
    struct handed *h = &handed[i];
    struct known *pin;
    uint8_t head[18];

    FUZZ_CHECK(i < nr_handed);
    FUZZ_CHECK(out != from && out->bridge == from->bridge && out->plugged && out->port.up);
    FUZZ_CHECK(h->vid != VLAN_NONE && carries(out, h->vid) && !is_ambiguous(out, h));
    FUZZ_CHECK(!(out->port.isolated && from->port.isolated));
    FUZZ_CHECK(h->only == -1 || h->only == (int)index_of(out));
    pin = known_find(pins, nr_pins, from, h->vid, h->bytes);
    FUZZ_CHECK(!pin || pin->at == out);
    pin = known_find(pins, nr_pins, from, h->vid, h->bytes + 6);
    FUZZ_CHECK(!pin || pin->at == from);
    FUZZ_CHECK(!from->port.filter || memcmp(h->bytes + 6, &from->filter.mac, 6) == 0);
    head_len = head_expect(out, h, head);
    FUZZ_CHECK(memcmp(flat, head, head_len) == 0);
    form_check(&out->port, frame, head_len > 12);
    if (!h->is_for_several) {
        FUZZ_CHECK(!(h->reached >> index_of(out) & 1));
        rest_check(h, flat + head_len, len - head_len);
    }
    if (!(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
        FUZZ_CHECK(len <= out->port.mtu + 18u);
    h->reached |= 1u << index_of(out);
}

static void unplug(struct out *out)
{
    bridge_port_remove(&out->port);
    FUZZ_CHECK(!out->port.bridge && bridge_port_stations(&out->port) == 0);
    known_forget(heard, nr_heard, out);
    known_forget(pins, nr_pins, out);
    out->plugged = false;
}

static void plug(struct out *out)
{
    FUZZ_CHECK(bridge_port_add(bridges[out->bridge], &out->port, true) == 0);
    FUZZ_CHECK(bridge_port_add(bridges[out->bridge], &out->port, true) == -EBUSY);
    out->plugged = true;
    out->flooded = 0;
}

static void out_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    FUZZ_CHECK(nr > 0 && nr <= PORT_BURST);
    for (uint16_t i = 0; i < nr; i++) {
        left_check((struct out *)port, frames[i]);
        rte_pktmbuf_free(frames[i]);
    }
    if (removed_in_burst)
        unplug(removed_in_burst);
    removed_in_burst = NULL;
}

static const struct port_ops ops = { .tx_burst = out_burst };

static void vlans_make(struct out *out, uint8_t kind, uint16_t vid, uint16_t next)
{
    struct vlan_set *set = &out->vlans;

    vlan_set_clear(set);
    out->port.vlans = kind ? set : NULL;
    if (kind == 1 || kind == 2)
        vlan_set_access(set, vid);
    if (kind == 3 || kind == 4)
        vlan_set_pvid(set, vid);
    if (kind >= 3 && kind <= 6)
        vlan_set_add(set, next, kind == 4);
    if (kind == 5)
        vlan_set_pvid(set, 0);
    if (kind == 6)
        vlan_set_add(set, vid, false);
}

static void out_make(struct out *out, struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input), caps = fuzz_u8(input), vlan = fuzz_u8(input);

    memset(out, 0, sizeof(*out));
    out->port.ops = &ops;
    snprintf(out->port.name, sizeof(out->port.name), "vif%u.0", index_of(out));
    out->port.mac = (struct rte_ether_addr){ { 2, 0, 0, 0, 0, (uint8_t)(1 + index_of(out)) } };
    out->port.mtu = caps & 0x80 ? 600 : 1500;
    out->port.tx_caps = (caps & 0x3f) | (vlan & 8 ? PORT_TX_VLAN : 0);
    out->port.finish_checksums = caps & 0x40;
    out->port.up = !(what & 0x80);
    out->port.isolated = what & 0x08;
    out->port.storm_limit = what & 0x10 ? 1 + vlan % 20 : 0;
    out->bridge = what >> 5 & 1;
    vlans_make(out, what & 7, vids[vlan % 6], vids[(vlan >> 4) % 6]);
    filter_init(&out->filter, &out->port.mac);
    out->filter.guard_mac = what & 0x40;
    out->port.filter = what & 0x40 ? &out->filter : NULL;
    plug(out);
}

static void address_make(uint8_t *mac, uint8_t what)
{
    static const uint8_t group[] = { 0x01, 0x80, 0xc2, 0, 0 };

    memset(mac, 0, 6);
    if (what < 0xc0) {
        mac[0] = 2;
        mac[5] = what % STATIONS;
    } else if (what < 0xe0) {
        memset(mac, 0xff, 6);
    } else if (what < 0xf0) {
        memcpy(mac, group, 5);
        mac[5] = what & 15;
    } else {
        mac[0] = (uint8_t)(what & 3);
        mac[5] = what;
    }
}

/* An IP header and what follows, as far as the bytes of the frame go. */
static void ip_make(uint8_t *l3, uint32_t len, uint8_t what)
{
    bool v6 = what & 1;
    uint8_t l4 = what & 2 ? 17 : 6, *at = l3 + (v6 ? 40 : 20);

    memset(l3, 0, v6 ? 40 : 20);
    l3[0] = v6 ? 0x60 : 0x45;
    l3[v6 ? 4 : 2] = (uint8_t)((v6 ? len - 40 : len) >> 8);
    l3[v6 ? 5 : 3] = (uint8_t)(v6 ? len - 40 : len);
    l3[v6 ? 7 : 8] = 64;
    l3[v6 ? 6 : 9] = l4;
    at[12] = 0x50;
    at[4] = l4 == 17 ? (uint8_t)((len - (v6 ? 40 : 20)) >> 8) : at[4];
    at[5] = l4 == 17 ? (uint8_t)(len - (v6 ? 40 : 20)) : at[5];
}

static void handed_make(struct handed *h, struct fuzz_input *input, uint8_t what, uint32_t len)
{
    uint8_t dst = fuzz_u8(input), src = fuzz_u8(input), tags = fuzz_u8(input);
    uint32_t at = 12;

    memset(h, 0, sizeof(*h));
    for (uint32_t i = 0; i < len; i++)
        h->bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    address_make(h->bytes, dst);
    address_make(h->bytes + 6, src);
    for (uint8_t i = 0; i < (tags & 3); i++, at += 4) {
        uint16_t tci = (uint16_t)(fuzz_u8(input) << 8);

        tci = tci & 0x0f00 ? (uint16_t)(tci | fuzz_u8(input))
                           : (uint16_t)(tci | vids[fuzz_u8(input) % 6]);
        if (tags & 4 << i)
            tci &= 0xf000;
        h->bytes[at] = tags & 0x20 << i ? 0x88 : 0x81;
        h->bytes[at + 1] = tags & 0x20 << i ? 0xa8 : 0;
        h->bytes[at + 2] = (uint8_t)(tci >> 8);
        h->bytes[at + 3] = (uint8_t)tci;
    }
    h->bytes[at] = what & 0x40 ? (what & 1 ? 0x86 : 0x08) : 0x88;
    h->bytes[at + 1] = what & 0x40 ? (what & 1 ? 0xdd : 0x00) : 0xb5;
    if ((what & 0x40) && len >= at + 2 + 60)
        ip_make(h->bytes + at + 2, len - at - 2, what);
    h->len = len;
}

/* What the first segment holds decides what the frame is. */
static void handed_judge(struct handed *h, uint32_t first)
{
    const struct vlan_set *set = from->port.vlans;
    const struct rte_ether_addr *src = (const void *)(h->bytes + 6);
    uint16_t vid;

    h->vid = VLAN_NONE;
    h->only = -1;
    h->tag = h->bytes[12] == 0x81 && h->bytes[13] == 0 ? 4 : 0;
    if (first < 14 + (h->is_beside ? 0 : h->tag) || !rte_is_valid_assigned_ether_addr(src) ||
        !from->plugged)
        return;
    h->has_second = h->tag && h->bytes[16] == 0x81 && h->bytes[17] == 0;
    h->tci = (uint16_t)(h->bytes[14] << 8 | h->bytes[15]);
    vid = h->tag ? h->tci & 0xfff : 0;
    if (set && vid == 0)
        vid = set->pvid;
    else if (set && (set->is_access || !vlan_set_has(set, vid)))
        vid = VLAN_NONE;
    if (memcmp(h->bytes, "\x01\x80\xc2\0\0", 5) == 0 && h->bytes[5] < 16 &&
        !(group_mask >> h->bytes[5] & 1))
        vid = VLAN_NONE;
    h->vid = vid;
    h->is_for_all = h->bytes[0] & 1;
}

/* Stations come to be known, in the order of the frames. */
static void handed_learn(struct handed *h)
{
    struct known *pin, *to;

    if (h->vid == VLAN_NONE ||
        (from->port.filter && memcmp(h->bytes + 6, &from->filter.mac, 6) != 0))
        return;
    pin = known_find(pins, nr_pins, from, h->vid, h->bytes + 6);
    if (pin && pin->at != from) {
        h->vid = VLAN_NONE;
        return;
    }
    if (!pin)
        known_add(heard, &nr_heard, from, h->vid, h->bytes + 6);
    if (!pin && from->port.filter) /* which may have dropped it */
        known_find(heard, nr_heard, from, h->vid, h->bytes + 6)->at = NULL;
    if (h->is_for_all)
        return;
    pin = known_find(pins, nr_pins, from, h->vid, h->bytes);
    to = pin ? pin : known_find(heard, nr_heard, from, h->vid, h->bytes);
    if (to && (pin || now - to->seen < SURELY_KNOWN))
        h->only = to->at == from ? PORTS : (int)index_of(to->at);
}

/* Where a frame must have come out that nothing speaks against. */
static void arrived_check(const struct handed *h)
{
    if (h->vid == VLAN_NONE || is_loose || h->is_offloaded || from->port.filter ||
        (h->only == -1 && (!h->is_for_all || from->port.storm_limit)))
        return;
    for (unsigned int i = 0; i < PORTS; i++) {
        const struct out *out = &outs[i];

        if (out == from || out->bridge != from->bridge || !out->plugged || !out->port.up ||
            out->port.filter || !carries(out, h->vid) || is_ambiguous(out, h) ||
            (out->port.isolated && from->port.isolated) || (h->only != -1 && h->only != (int)i) ||
            h->len + 4 > out->port.mtu + 14u)
            continue;
        FUZZ_CHECK(h->reached >> i & 1);
    }
}

/* At most limit a second, and a quarter of that, or one, at once. */
static void storm_check(const struct handed *h)
{
    uint32_t limit = from->port.storm_limit;

    if (!limit || !h->is_for_all || !h->reached)
        return;
    if (from->flooded++ == 0)
        from->flooded_since = now;
    FUZZ_CHECK(from->flooded <=
               (limit < 8 ? 1 : limit / 4) + (now - from->flooded_since) / (1000000000u / limit));
}

/* Leave a checksum, or more, to those behind, as vifs do. */
static void offload(struct handed *h, struct rte_mbuf *frame, uint8_t segsz)
{
    uint32_t l4 = frame_parse(frame) & RTE_PTYPE_L4_MASK, segment = 88 + segsz * 4u;

    if (l4 != RTE_PTYPE_L4_TCP && l4 != RTE_PTYPE_L4_UDP)
        return;
    h->is_offloaded = true;
    frame->ol_flags |= frame_is_ipv6(frame) ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    frame->ol_flags |= l4 == RTE_PTYPE_L4_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
    if (l4 == RTE_PTYPE_L4_UDP || segsz == 0 ||
        frame->pkt_len <= frame->l2_len + frame->l3_len + frame->l4_len + segment)
        return;
    h->is_for_several = true;
    frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    frame->tso_segsz = (uint16_t)segment;
}

static void send_burst(struct fuzz_input *input, uint8_t what)
{
    uint8_t where = fuzz_u8(input), segsz = fuzz_u8(input);
    uint32_t first = fuzz_u8(input) * 8u, len = fuzz_u16(input) % LONGEST, made = 0;
    struct rte_mbuf *frames[FRAMES];

    from = &outs[where % PORTS];
    nr_handed = what & 0x80 ? 1 : 1 + (where >> 3) % FRAMES;
    len = RTE_MAX(len, nr_handed > 1 || (what & 0x40) ? 100u : 12u);
    first = what & 0x80 ? RTE_MAX(first, 150u) & ~1u : first ? first : LONGEST;
    len -= len < first + 4 ? len % 2 : 0; /* frames begin at even addresses, as on NICs and vifs */
    for (unsigned int i = 0; i < nr_handed; i++, made++) {
        struct handed *h = &handed[i];

        handed_make(h, input, what, len);
        h->bytes[len - 1] = nr_handed > 1 ? (uint8_t)i : h->bytes[len - 1];
        h->is_beside = (what & 0x20) && h->bytes[12] == 0x81 && h->bytes[13] == 0 && len >= 18;
        frames[i] = fuzz_pool_frame_beside(h->bytes, len, first, h->is_beside);
        if (!frames[i])
            break;
        handed_judge(h, RTE_MIN(RTE_MIN(first, len), frames[i]->data_len));
        handed_learn(h);
        if (what & 0x80)
            offload(h, frames[i], segsz);
    }
    nr_handed = made;
    bridge_input(&from->port, frames, (uint16_t)made, now);
    bridge_flush();
    for (unsigned int i = 0; i < made; i++) {
        arrived_check(&handed[i]);
        storm_check(&handed[i]);
    }
}

static void pin(struct fuzz_input *input, struct out *out)
{
    uint16_t vid = fuzz_u8(input) & 1 ? 0 : vids[fuzz_u8(input) % 6];
    uint8_t mac[6];
    struct known *old;
    int err;

    address_make(mac, fuzz_u8(input));
    err = bridge_station_pin(&out->port, vid, (const void *)mac);
    old = known_find(pins, nr_pins, out, vid, mac);
    FUZZ_CHECK(!old || !out->plugged || err == (old->at == out ? 0 : -EEXIST));
    if (err)
        return;
    FUZZ_CHECK(out->plugged && !(mac[0] & 1));
    old = known_find(heard, nr_heard, out, vid, mac);
    if (old)
        old->at = NULL;
    known_add(pins, &nr_pins, out, vid, mac);
}

/* The pool has only so many buffers left. */
static void pool_shorten(uint8_t left)
{
    rte_pktmbuf_free_bulk(held, nr_held);
    nr_held = left >= 200 ? 0 : FUZZ_POOL_FRAMES - left % 32;
    if (nr_held)
        FUZZ_CHECK(rte_pktmbuf_alloc_bulk(fuzz_pool(), held, nr_held) == 0);
}

static void step(struct fuzz_input *input)
{
    uint8_t op = fuzz_u8(input), arg = op >> 4;
    struct out *out = &outs[arg % PORTS];

    now += arg * 10 * MS;
    is_loose = nr_held > 0;
    removed_in_burst = NULL;
    switch (op & 15) {
    case 0:
        out->plugged ? unplug(out) : plug(out);
        break;
    case 1:
        bridge_port_forget(&out->port);
        known_forget(heard, nr_heard, out);
        break;
    case 2:
    case 3:
        pin(input, out);
        break;
    case 4:
        now += fuzz_u16(input) * 100 * MS;
        break;
    case 5:
        out->port.up = !out->port.up;
        break;
    case 6:
        pool_shorten(fuzz_u8(input));
        break;
    case 7:
        is_loose = true;
        removed_in_burst = out;
        send_burst(input, fuzz_u8(input));
        break;
    default:
        send_burst(input, fuzz_u8(input));
        break;
    }
}

/* Once: when all ports are gone, nothing is left in them. */
static void bridges_make(void)
{
    if (bridges[0])
        return;
    bridge_init(fuzz_pool(), 1);
    FUZZ_CHECK(bridge_create("xenbr0", &bridges[0]) == 0 && bridge_create("b", &bridges[1]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    now = 1000000 * MS;
    nr_heard = nr_pins = 0;
    bridges_make();
    group_mask = fuzz_u16(&input);
    for (unsigned int i = 0; i < 2; i++)
        FUZZ_CHECK(bridge_group_fwd_mask_set(bridges[i], group_mask & 0xfffd) == 0);
    group_mask = (group_mask & 0xfffd) | 1; /* the spanning tree's always go on */
    for (unsigned int i = 0; i < PORTS; i++)
        out_make(&outs[i], &input);
    for (unsigned int i = 0; i < STEPS && input.left; i++)
        step(&input);
    for (unsigned int i = 0; i < PORTS; i++)
        unplug(&outs[i]);
    pool_shorten(255);
    FUZZ_CHECK(fuzz_pool_in_use() == 0);
    return 0;
}
