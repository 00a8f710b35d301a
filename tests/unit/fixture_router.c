/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_router.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_icmp.h>
#include <rte_udp.h>

#include "net/arp.h"
#include "net/checksum.h"
#include "net/nat.h"
#include "net/nd.h"

#define ALL (~0u)

struct lab lab;

rte_be32_t ip4(const char *text)
{
    rte_be32_t addr;

    assert_int_equal(inet_pton(AF_INET, text, &addr), 1);
    return addr;
}

struct address ip6(const char *text)
{
    uint8_t addr[16];

    assert_int_equal(inet_pton(AF_INET6, text, addr), 1);
    return address_of6(addr);
}

static bool is_ip6(const char *text)
{
    return strchr(text, ':') != NULL;
}

static void addresses_init(void)
{
    lab.addresses = (struct router_addresses){ .has_ip4 = true,
                                               .ip4 = ip4("192.0.2.1"),
                                               .gateway4 = ip4("192.0.2.254"),
                                               .len4 = 24,
                                               .has_ip6 = true,
                                               .has_gateway6 = true,
                                               .len6 = 64 };
    inet_pton(AF_INET6, "2001:db8::1", lab.addresses.ip6);
    inet_pton(AF_INET6, "fe80::fe", lab.addresses.gateway6);
}

static void configs_init(void)
{
    static const struct {
        const char *ip4, *ip6;
        uint8_t len4, len6;
    } prefixes[GUESTS] = { { "192.0.2.10", "2001:db8::10", 32, 128 },
                           { "198.51.100.0", "2001:db8:1::", 24, 64 },
                           { "10.0.1.1", NULL, 32, 0 } };

    for (unsigned int i = 0; i < GUESTS; i++) {
        struct router_vif_config *config = &lab.configs[i];

        *config = (struct router_vif_config){ .nat = i == 2,
                                              .nr_ip4 = 1,
                                              .nr_ip6 = prefixes[i].ip6 ? 1 : 0,
                                              .router_ip4 = i == 2 ? ip4("10.0.1.128") : 0,
                                              .guest_mac = GUEST_MAC(i),
                                              .identity = i };
        config->ip4[0] = (struct router_prefix4){ ip4(prefixes[i].ip4), prefixes[i].len4 };
        config->ip6[0].len = prefixes[i].len6;
        if (prefixes[i].ip6)
            inet_pton(AF_INET6, prefixes[i].ip6, config->ip6[0].addr);
    }
}

static int ports_add(void)
{
    struct rte_ether_addr mac = ROUTER_WIRE_MAC;
    const char *why = "";
    int err = bridge_port_add(lab.bridge, &lab.wire.port, true);

    router_mac_set(lab.router, &mac, lab.now);
    err |= router_addresses_set(lab.router, &lab.addresses, lab.now);
    for (unsigned int i = 0; i < GUESTS; i++)
        err |= router_vif_add(lab.router, &lab.guests[i].port, i, &lab.configs[i], &why);
    return err;
}

static struct rte_mbuf *taken[4];

static int start(struct rte_mempool *pool)
{
    memset(&lab, 0, sizeof(lab));
    lab.now = 1000 * SECOND;
    bridge_init(fixture_pool(), 1);
    nat_init(2);
    router_init(pool, 3);
    router_tick(lab.now);
    fake_port_init(&lab.wire, "nic0", ALL);
    for (unsigned int i = 0; i < GUESTS; i++) {
        fake_port_init(&lab.guests[i], "vif", ALL);
        lab.guests[i].port.name[3] = '0' + i;
    }
    addresses_init();
    configs_init();
    if (bridge_create("xenbr0", &lab.bridge) || router_create(lab.bridge, &lab.router) ||
        ports_add())
        return -1;
    pass(0);
    pass(10 * SECOND);
    forget_sent();
    return 0;
}

int lab_start(void **state)
{
    (void)state;
    return start(fixture_pool());
}

int lab_start_poor(void **state)
{
    int err = start(fixture_tiny_pool());

    (void)state;
    if (err == 0)
        err = rte_pktmbuf_alloc_bulk(fixture_tiny_pool(), taken, RTE_DIM(taken));
    return err;
}

int lab_end(void **state)
{
    struct router_addresses none = { 0 };

    (void)state;
    rte_pktmbuf_free_bulk(taken, RTE_DIM(taken));
    memset(taken, 0, sizeof(taken));
    for (unsigned int i = 0; i < GUESTS; i++)
        router_vif_remove(&lab.guests[i].port);
    if (router_addresses_set(lab.router, &none, lab.now))
        return -1;
    pass(0);
    forget_sent();
    bridge_port_remove(&lab.wire.port);
    if (fixture_in_use() != 0)
        fprintf(stderr, "%u buffers are lost\n", fixture_in_use());
    return (int)fixture_in_use();
}

static uint32_t l4_make(uint8_t *bytes, const struct packet_spec *spec)
{
    uint8_t protocol = spec->protocol ? spec->protocol : IPPROTO_UDP;
    struct rte_udp_hdr udp = { .src_port = rte_cpu_to_be_16(spec->sport ? spec->sport : 1000),
                               .dst_port = rte_cpu_to_be_16(spec->dport ? spec->dport : 2000),
                               .dgram_len = rte_cpu_to_be_16(sizeof(udp) + spec->payload) };
    struct rte_icmp_hdr echo = { .icmp_type = is_ip6(spec->src) ? 128 : 8,
                                 .icmp_ident = RTE_BE16(7),
                                 .icmp_seq_nb = RTE_BE16(1) };
    uint32_t head = 0;

    if (spec->l4) {
        memcpy(bytes, spec->l4, spec->payload);
        return spec->payload;
    }
    if (protocol == IPPROTO_UDP)
        memcpy(bytes, &udp, head = sizeof(udp));
    else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
        memcpy(bytes, &echo, head = sizeof(echo));
    for (uint32_t i = 0; i < spec->payload; i++)
        bytes[head + i] = i * 5 + 1;
    return head + spec->payload;
}

static void l4_finish(uint8_t *l4, uint32_t len, uint8_t protocol, const void *ip, bool v6)
{
    uint16_t sum;

    if (protocol == IPPROTO_ICMP) {
        sum = ~rte_raw_cksum(l4, len);
        memcpy(l4 + 2, &sum, sizeof(sum));
    } else if (protocol == IPPROTO_ICMPV6 || protocol == IPPROTO_UDP) {
        sum = v6 ? rte_ipv6_udptcp_cksum(ip, l4) : rte_ipv4_udptcp_cksum(ip, l4);
        memcpy(l4 + (protocol == IPPROTO_UDP ? 6 : 2), &sum, sizeof(sum));
    }
}

static uint32_t ip4_make(uint8_t *bytes, const struct packet_spec *spec)
{
    uint8_t protocol = spec->protocol ? spec->protocol : IPPROTO_UDP;
    uint32_t header = sizeof(struct rte_ipv4_hdr) + spec->options_len;
    uint32_t len = l4_make(bytes + header, spec);
    struct rte_ipv4_hdr ip = { .version_ihl = (uint8_t)(0x40 | header / 4),
                               .total_length = rte_cpu_to_be_16(header + len),
                               .packet_id = RTE_BE16(77),
                               .fragment_offset = rte_cpu_to_be_16(spec->fragment),
                               .time_to_live = spec->ttl ? spec->ttl : 64,
                               .next_proto_id = protocol,
                               .src_addr = ip4(spec->src),
                               .dst_addr = ip4(spec->dst) };

    memcpy(bytes, &ip, sizeof(ip));
    if (spec->options_len)
        memcpy(bytes + sizeof(ip), spec->options, spec->options_len);
    ip.hdr_checksum = rte_ipv4_cksum((const void *)bytes);
    memcpy(bytes, &ip, sizeof(ip));
    if (!(spec->fragment & 0x3fff))
        l4_finish(bytes + header, len, protocol, bytes, false);
    return header + len;
}

static uint32_t ip6_make(uint8_t *bytes, const struct packet_spec *spec)
{
    uint32_t len = l4_make(bytes + sizeof(struct rte_ipv6_hdr), spec);
    uint8_t protocol = spec->protocol ? spec->protocol : IPPROTO_UDP;
    struct rte_ipv6_hdr ip = { .vtc_flow = RTE_BE32(6u << 28),
                               .payload_len = rte_cpu_to_be_16(len),
                               .proto = protocol,
                               .hop_limits = spec->ttl ? spec->ttl : 64 };

    inet_pton(AF_INET6, spec->src, ip.src_addr);
    inet_pton(AF_INET6, spec->dst, ip.dst_addr);
    memcpy(bytes, &ip, sizeof(ip));
    l4_finish(bytes + sizeof(ip), len, protocol, bytes, true);
    return sizeof(ip) + len;
}

static struct rte_mbuf *frame_of_bytes(const uint8_t *bytes, uint32_t len)
{
    struct rte_mbuf *frame = rte_pktmbuf_alloc(fixture_pool()), *tail = frame;

    while (len > 0) {
        uint32_t part = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(tail));

        memcpy(rte_pktmbuf_mtod(tail, char *), bytes, part);
        tail->data_len = part;
        frame->pkt_len += part;
        bytes += part;
        len -= part;
        if (len > 0) {
            tail->next = rte_pktmbuf_alloc(fixture_pool());
            tail = tail->next;
            frame->nb_segs++;
        }
    }
    return frame;
}

struct rte_mbuf *packet_make(struct rte_ether_addr to, struct rte_ether_addr from,
                             const struct packet_spec *spec)
{
    static uint8_t bytes[80000];
    bool v6 = is_ip6(spec->src);
    struct rte_ether_hdr ether = { to, from, v6 ? RTE_BE16(0x86dd) : RTE_BE16(0x0800) };
    uint32_t len = v6 ? ip6_make(bytes + 14, spec) : ip4_make(bytes + 14, spec);

    memcpy(bytes, &ether, sizeof(ether));
    return frame_of_bytes(bytes, len + 14);
}

void wire_sends(struct rte_mbuf *frame)
{
    router_tick(lab.now);
    bridge_input(&lab.wire.port, &frame, 1, lab.now);
    bridge_flush();
}

void guest_sends(unsigned int guest, struct rte_mbuf *frame)
{
    router_tick(lab.now);
    router_input(&lab.guests[guest].port, &frame, 1, lab.now);
    bridge_flush();
}

void wire_sends_packet(const struct packet_spec *spec)
{
    wire_sends(packet_make(ROUTER_WIRE_MAC, HOST_MAC, spec));
}

void guest_sends_packet(unsigned int guest, const struct packet_spec *spec)
{
    guest_sends(guest, packet_make(ROUTER_GUEST_MAC, GUEST_MAC(guest), spec));
}

void pass(uint64_t ns)
{
    lab.now += ns;
    router_tick(lab.now);
    bridge_flush();
}

static void arp_answer(const char *ip, struct rte_ether_addr mac)
{
    struct rte_ether_addr to = ROUTER_WIRE_MAC;
    struct arp arp = { ARP_REPLY, mac, to, ip4(ip), ip4("192.0.2.1") };

    wire_sends(arp_make(fixture_pool(), &arp, &to));
}

static void nd_answer(const char *ip, struct rte_ether_addr mac)
{
    struct rte_ether_addr to = ROUTER_WIRE_MAC;
    struct nd nd = { .type = ND_ADVERT,
                     .flags = ND_IS_SOLICITED | ND_OVERRIDES,
                     .src = ip6(ip),
                     .dst = ip6("2001:db8::1"),
                     .target = ip6(ip),
                     .has_mac = true,
                     .mac = mac };

    wire_sends(nd_make(fixture_pool(), &nd, &mac, &to));
}

/* A packet of the guest's own makes the router ask; it and the question are forgotten. */
void neighbours_answer(void)
{
    guest_sends_packet(0, &(struct packet_spec){ .src = "192.0.2.10", .dst = "192.0.2.5" });
    guest_sends_packet(0, &(struct packet_spec){ .src = "192.0.2.10", .dst = "203.0.113.1" });
    guest_sends_packet(0, &(struct packet_spec){ .src = "2001:db8::10", .dst = "2001:db8::5" });
    guest_sends_packet(0, &(struct packet_spec){ .src = "2001:db8::10", .dst = "2001:db8:f::1" });
    arp_answer("192.0.2.5", HOST_MAC);
    arp_answer("192.0.2.254", GATEWAY_MAC);
    nd_answer("2001:db8::5", HOST_MAC);
    nd_answer("fe80::fe", GATEWAY_MAC);
    assert_int_equal(lab.wire.nr_kept, 8);
    forget_sent();
}

struct rte_mbuf *the_last(struct fake_port *fake, unsigned int nr)
{
    assert_int_equal(fake->nr_kept, nr);
    return fake->kept[nr - 1];
}

void forget_sent(void)
{
    fake_port_empty(&lab.wire);
    for (unsigned int i = 0; i < GUESTS; i++)
        fake_port_empty(&lab.guests[i]);
}

static bool icmp_is_valid(const uint8_t *ip, const uint8_t *l4, uint32_t len, bool v6)
{
    uint16_t sum = v6 ? rte_ipv6_udptcp_cksum((const void *)ip, l4) : ~rte_raw_cksum(l4, len);

    return sum == 0 || (v6 && sum == 0xffff);
}

bool is_valid(const struct rte_mbuf *frame)
{
    static uint8_t bytes[80000];
    uint32_t len = frame_bytes(frame, bytes, sizeof(bytes));
    uint8_t *ip = bytes + 14;
    bool v6 = bytes[12] == 0x86;
    uint32_t header = v6 ? 40 : (ip[0] & 15) * 4u;
    uint8_t protocol = v6 ? ip[6] : ip[9];
    uint32_t said = v6 ? 40u + (ip[4] << 8 | ip[5]) : (unsigned int)(ip[2] << 8 | ip[3]);
    uint16_t sum;

    if (len != frame->pkt_len || said != len - 14 || (!v6 && rte_raw_cksum(ip, header) != 0xffff))
        return false;
    if (!v6 && ((ip[6] & 0x3f) || ip[7]))
        return true;
    if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
        return icmp_is_valid(ip, ip + header, said - header, v6);
    sum = v6 ? rte_ipv6_udptcp_cksum((const void *)ip, ip + header)
             : rte_ipv4_udptcp_cksum((const void *)ip, ip + header);
    return sum == 0 || sum == 0xffff;
}

bool is_error(struct rte_mbuf *frame, const char *from, const char *to, uint8_t type, uint8_t code,
              uint32_t word)
{
    bool v6 = is_ip6(from);
    const uint8_t *icmp = rte_pktmbuf_mtod_offset(frame, const uint8_t *, v6 ? 54 : 34);
    uint8_t src[16], dst[16];
    rte_be32_t is;

    if (!is_valid(frame))
        return false;
    inet_pton(v6 ? AF_INET6 : AF_INET, from, src);
    inet_pton(v6 ? AF_INET6 : AF_INET, to, dst);
    memcpy(&is, icmp + 4, sizeof(is));
    if (icmp[0] != type || icmp[1] != code || is != rte_cpu_to_be_32(word))
        return false;
    if (v6)
        return ip6_of(frame)->proto == IPPROTO_ICMPV6 &&
               memcmp(ip6_of(frame)->src_addr, src, 16) == 0 &&
               memcmp(ip6_of(frame)->dst_addr, dst, 16) == 0;
    return ip4_of(frame)->next_proto_id == IPPROTO_ICMP &&
           memcmp(&ip4_of(frame)->src_addr, src, 4) == 0 &&
           memcmp(&ip4_of(frame)->dst_addr, dst, 4) == 0;
}
