/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router between a wire and three guests, as tests/unit/fixture_router.h draws it: frames from all
 * sides, time, vifs that go and come. What leaves is right, and nothing is lost.
 *
 * An input is a row of steps, each of them a byte (the lowest 3 bits: enum kind; then 2: from the wire or
 * from which guest; then flags) and for those with a frame two bytes of length and the frame.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <rte_ip.h>

#include "fuzz_mbuf.h"
#include "net/address.h"
#include "net/bridge.h"
#include "net/filter.h"
#include "net/frame.h"
#include "net/nat.h"
#include "net/router.h"

#define GUESTS 3
#define STEPS_MAX 64
#define LONGEST 1600

enum kind {
    RAW, /* as it is, but at least its Ethernet header is there */
    IP4, /* what follows the Ethernet header, which is right, as are checksums of IPv4 and ICMP */
    IP6, /* the same, the checksum of ICMPv6 */
    ARP, /* what follows its first 6 bytes, which are right */
    TIME, /* passes: 50 ms for each of the second byte */
    VIF, /* a guest goes, or comes back */
    ADDRESSES, /* the router's go, or come back */
    RAW_TOO,
};

enum flags { IS_CUT = 0x20, IS_SHARED = 0x40, IS_UNFINISHED = 0x80 };

static struct {
    struct port wire, guests[GUESTS];
    struct bridge *bridge;
    struct router *router;
    struct router_vif_config configs[GUESTS];
    struct router_addresses addresses;
    struct filter filter;
    uint64_t now;
} lab;

static const struct rte_ether_addr wire_mac = { { 2, 0, 0, 0, 0, 5 } };
static const struct rte_ether_addr router_wire_mac = { { 2, 0, 0, 0, 0, 100 } };

static struct rte_ether_addr guest_mac(unsigned int guest)
{
    return (struct rte_ether_addr){ { 2, 0, 0, 0, 0, (uint8_t)(10 + guest) } };
}

static void ip4_check(struct rte_mbuf *frame, int guest)
{
    const struct rte_ipv4_hdr *ip = frame_l3_at(frame);

    FUZZ_CHECK(rte_raw_cksum(ip, frame->l3_len) == 0xffff);
    FUZZ_CHECK(ip->time_to_live > 0);
    FUZZ_CHECK(frame->pkt_len == frame->l2_len + rte_be_to_cpu_16(ip->total_length));
    if (guest < 0) /* what is translated is not seen outside */
        FUZZ_CHECK(ip->src_addr != lab.configs[2].ip4[0].addr &&
                   ip->src_addr != lab.configs[2].router_ip4);
    else
        FUZZ_CHECK(ip->src_addr != lab.configs[guest].ip4[0].addr);
    FUZZ_CHECK(ip4_is_host(ip->src_addr) && ip4_is_host(ip->dst_addr));
}

static void ip6_check(struct rte_mbuf *frame)
{
    const struct rte_ipv6_hdr *ip = frame_l3_at(frame);
    struct address src = address_of6(ip->src_addr);

    FUZZ_CHECK(ip->hop_limits > 0);
    FUZZ_CHECK(frame->pkt_len == frame->l2_len + sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len));
    FUZZ_CHECK(ip6_is_host(&src));
}

/* What the router sends is from its MAC there, and right. */
static void sent_check(struct rte_mbuf *frame, int guest)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
    struct rte_ether_addr from = guest < 0 ? router_wire_mac : ROUTER_GUEST_MAC;

    FUZZ_CHECK(rte_is_same_ether_addr(&ether->src_addr, &from));
    FUZZ_CHECK(rte_mbuf_refcnt_read(frame) == 1);
    frame_forget(frame);
    frame_parse(frame);
    FUZZ_CHECK(!frame_is_tagged(frame) && !frame_is_bad_ip(frame));
    if (frame_is_ipv4(frame))
        ip4_check(frame, guest);
    else if (frame_is_ipv6(frame))
        ip6_check(frame);
    else
        FUZZ_CHECK(frame_ethertype(frame) == RTE_ETHER_TYPE_ARP);
}

static void tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    for (uint16_t i = 0; i < nr; i++) {
        sent_check(frames[i], port == &lab.wire ? -1 : (int)(port - lab.guests));
        rte_pktmbuf_free(frames[i]);
    }
}

static const struct port_ops ops = { .tx_burst = tx_burst };

static void vif_add(unsigned int guest)
{
    const char *why;

    FUZZ_CHECK(router_vif_add(lab.router, &lab.guests[guest], guest, &lab.configs[guest], &why) ==
               0);
}

static void configs_init(void)
{
    static const char *const ip4[GUESTS] = { "192.0.2.10", "198.51.100.1", "10.0.1.1" };

    for (unsigned int i = 0; i < GUESTS; i++) {
        struct router_vif_config *config = &lab.configs[i];

        *config = (struct router_vif_config){ .nat = i == 2, .nr_ip4 = 1, .nr_ip6 = i < 2 };
        config->guest_mac = guest_mac(i);
        config->ip4[0].len = config->ip6[0].len = 32;
        inet_pton(AF_INET, ip4[i], &config->ip4[0].addr);
        inet_pton(AF_INET6, i ? "2001:db9::" : "2001:db8::10", config->ip6[0].addr);
        config->ip6[0].len = i ? 64 : 128;
        config->serve_dhcp = config->serve_dns = true;
    }
    inet_pton(AF_INET, "10.0.1.128", &lab.configs[2].router_ip4);
}

static void port_init(struct port *port, const char *name, uint16_t mtu)
{
    *port = (struct port){ .ops = &ops, .tx_caps = ~0u, .mtu = mtu, .up = true };
    strcpy(port->name, name);
}

static void addresses_init(void)
{
    lab.addresses = (struct router_addresses){
        .has_ip4 = true, .len4 = 24, .has_ip6 = true, .len6 = 64, .has_gateway6 = true
    };
    inet_pton(AF_INET, "192.0.2.1", &lab.addresses.ip4);
    inet_pton(AF_INET, "192.0.2.254", &lab.addresses.gateway4);
    inet_pton(AF_INET6, "2001:db8::1", lab.addresses.ip6);
    inet_pton(AF_INET6, "fe80::fe", lab.addresses.gateway6);
}

static rte_be32_t host_or(rte_be32_t ip4, uint32_t otherwise)
{
    return ip4_is_host(ip4) ? ip4 : rte_cpu_to_be_32(otherwise);
}

/* An echo of whatever a handler is given. */
static void handler(const struct router_udp *udp)
{
    rte_be32_t from = host_or(udp->dst, 0xc0000201), to = host_or(udp->src, 0xc0000205);
    int err = router_udp_send(udp->router, udp->vif, from, udp->dport, to, udp->sport, udp->payload,
                              udp->len, udp->vif ? NULL : &udp->src_mac, udp->now);

    FUZZ_CHECK(err == 0 || err == -EMSGSIZE || err == -ENOMEM);
}

/* One guest has a filter that lets in what it knows only. */
static void filter_make(void)
{
    static struct policy policy;
    struct rte_ether_addr mac = guest_mac(1);

    policy.deny_default[POLICY_IN] = true;
    filter_init(&lab.filter, &mac);
    filter_policy_set(&lab.filter, &policy);
    lab.guests[1].filter = &lab.filter;
}

static void lab_make(void)
{
    memset(&lab, 0, sizeof(lab));
    lab.now = 1000000000000ull;
    bridge_init(fuzz_pool(), 1);
    nat_init(2);
    router_init(fuzz_pool(), 3);
    configs_init();
    addresses_init();
    port_init(&lab.wire, "nic0", 1500);
    FUZZ_CHECK(bridge_create("br0", &lab.bridge) == 0);
    FUZZ_CHECK(router_create(lab.bridge, &lab.router) == 0);
    router_tick(lab.now);
    FUZZ_CHECK(bridge_port_add(lab.bridge, &lab.wire, true) == 0);
    router_mac_set(lab.router, &router_wire_mac, lab.now);
    FUZZ_CHECK(router_addresses_set(lab.router, &lab.addresses, lab.now) == 0);
    for (unsigned int i = 0; i < GUESTS; i++) {
        char name[] = { 'v', 'i', 'f', (char)('0' + i), 0 };

        port_init(&lab.guests[i], name, i == 1 ? 600 : 1500);
        vif_add(i);
    }
    filter_make();
    FUZZ_CHECK(nat_forward_add(0, IPPROTO_UDP, 80, lab.configs[2].ip4[0].addr, 8080) == 0);
    FUZZ_CHECK(router_udp_handler_set(53, handler) == 0);
    FUZZ_CHECK(router_udp_handler_set(2048, handler) == 0);
}

static void lab_end(void)
{
    struct router_addresses none = { 0 };

    for (unsigned int i = 0; i < GUESTS; i++)
        router_vif_remove(&lab.guests[i]);
    FUZZ_CHECK(router_addresses_set(lab.router, &none, lab.now) == 0);
    lab.now += 10000000000ull;
    router_tick(lab.now);
    bridge_flush();
    FUZZ_CHECK(fuzz_pool_in_use() == 0);
    bridge_port_remove(&lab.wire);
}

static void checksum_put(uint8_t *at, uint16_t sum)
{
    memcpy(at, &sum, sizeof(sum));
}

/* Make the checksums of a packet right, as far as there is one. */
static void ip4_fix(uint8_t *ip, size_t len)
{
    size_t header = len > 0 ? (ip[0] & 15) * 4u : 0;

    if (header < 20 || header > len)
        return;
    checksum_put(ip + 10, 0);
    checksum_put(ip + 10, (uint16_t)~rte_raw_cksum(ip, header));
    if (ip[9] == IPPROTO_ICMP && len >= header + 8) {
        checksum_put(ip + header + 2, 0);
        checksum_put(ip + header + 2, (uint16_t)~rte_raw_cksum(ip + header, len - header));
    }
}

static void ip6_fix(uint8_t *ip, size_t len)
{
    if (len < 48 || ip[6] != IPPROTO_ICMPV6)
        return;
    ip[4] = (uint8_t)((len - 40) >> 8);
    ip[5] = (uint8_t)(len - 40);
    checksum_put(ip + 42, 0);
    checksum_put(ip + 42, rte_ipv6_udptcp_cksum((const void *)ip, ip + 40));
}

/* The bytes of a frame of this kind; returns their number. */
static size_t bytes_make(uint8_t *bytes, struct fuzz_input *input, uint8_t kind, unsigned int from)
{
    static const uint8_t arp[6] = { 0, 1, 8, 0, 6, 4 };
    struct rte_ether_hdr ether = { from ? ROUTER_GUEST_MAC : router_wire_mac,
                                   from ? guest_mac(from - 1) : wire_mac,
                                   kind == IP4   ? RTE_BE16(0x0800)
                                   : kind == IP6 ? RTE_BE16(0x86dd)
                                                 : RTE_BE16(0x0806) };
    size_t max = fuzz_u16(input) % LONGEST, at = kind == RAW || kind == RAW_TOO ? 0 : 14, len;
    const uint8_t *taken;

    memcpy(bytes, &ether, sizeof(ether));
    if (kind == ARP) {
        memcpy(bytes + at, arp, sizeof(arp));
        at += sizeof(arp);
    }
    len = fuzz_take(input, max, &taken);
    memcpy(bytes + at, taken, len);
    if (kind == IP4)
        ip4_fix(bytes + at, len);
    if (kind == IP6)
        ip6_fix(bytes + at, len);
    return at + len < 14 ? 14 : at + len;
}

/* Drivers put frames at even addresses; the byte before is free. */
static void make_even(struct rte_mbuf *frame)
{
    for (struct rte_mbuf *seg = frame; seg; seg = seg->next)
        if (rte_pktmbuf_mtod(seg, uintptr_t) & 1) {
            memmove(rte_pktmbuf_mtod(seg, char *) - 1, rte_pktmbuf_mtod(seg, char *),
                    seg->data_len);
            seg->data_off--;
        }
}

/* TCP and UDP as a guest leaves them to others to finish; TCP for several too. */
static void leave_unfinished(struct rte_mbuf *frame)
{
    uint32_t l4 = (frame_parse(frame), frame_l4(frame));

    if (l4 != RTE_PTYPE_L4_TCP && l4 != RTE_PTYPE_L4_UDP)
        return;
    frame->ol_flags |= frame_is_ipv4(frame) ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
    frame->ol_flags |= l4 == RTE_PTYPE_L4_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
    if (l4 == RTE_PTYPE_L4_TCP && frame->pkt_len > 400) {
        frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
        frame->tso_segsz = 200;
    }
}

/* A buffer that was referred to, as fragments are, has its whole length again, with the guard behind it. */
static void guard_again(struct rte_mempool *pool, void *arg, void *object, unsigned int i)
{
    struct rte_mbuf *mbuf = object;

    (void)pool, (void)arg, (void)i;
    if (RTE_MBUF_DIRECT(mbuf) && mbuf->buf_len == FUZZ_POOL_ROOM + FUZZ_POOL_GUARD)
        mbuf->buf_len -= FUZZ_POOL_GUARD;
}

static void frame_step(struct fuzz_input *input, uint8_t step)
{
    static uint8_t bytes[LONGEST + 64];
    unsigned int from = step >> 3 & 3;
    size_t len = bytes_make(bytes, input, step & 7, from);
    struct rte_mbuf *frame = fuzz_pool_frame(bytes, len, step & IS_CUT ? 94 : LONGEST);

    FUZZ_CHECK(frame);
    make_even(frame);
    if (step & IS_UNFINISHED)
        leave_unfinished(frame);
    if ((step & IS_SHARED) && from == 0)
        rte_pktmbuf_refcnt_update(frame, 1);
    if (from == 0)
        bridge_input(&lab.wire, &frame, 1, lab.now);
    else
        router_input(&lab.guests[from - 1], &frame, 1, lab.now);
    bridge_flush();
    if ((step & IS_SHARED) && from == 0)
        rte_pktmbuf_free(frame);
    rte_mempool_obj_iter(fuzz_pool(), guard_again, NULL);
}

static void step_one(struct fuzz_input *input)
{
    uint8_t step = fuzz_u8(input);
    unsigned int guest = (step >> 3 & 3) % GUESTS;
    struct router_addresses none = { 0 };

    switch (step & 7) {
    case TIME:
        lab.now += fuzz_u8(input) * 50000000ull;
        break;
    case VIF:
        if (lab.guests[guest].router)
            router_vif_remove(&lab.guests[guest]);
        else
            vif_add(guest);
        break;
    case ADDRESSES:
        FUZZ_CHECK(router_addresses_set(lab.router, step & 8 ? &none : &lab.addresses, lab.now) ==
                   0);
        break;
    default:
        frame_step(input, step);
    }
    router_tick(lab.now);
    bridge_flush();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    lab_make();
    for (unsigned int i = 0; i < STEPS_MAX && input.left > 0; i++)
        step_one(&input);
    lab_end();
    return 0;
}
