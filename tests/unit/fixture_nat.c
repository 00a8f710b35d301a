/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_nat.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_net.h"
#include "net/frame.h"

#define L2 14u

uint64_t now;
uint8_t last_guest;

int nat_fixture_start(void **state)
{
    (void)state;
    now = START;
    nat_init(0x5eed);
    for (uint8_t guest = 0; guest < 2; guest++) {
        assert_int_equal(nat_guest_add(guest, IDENTITY(guest), OUTSIDE), 0);
        nat_guest_address_set(guest, rte_cpu_to_be_32(GUEST_ADDRESS(guest)));
    }
    nat_outside_set(OUTSIDE, rte_cpu_to_be_32(OUR_ADDRESS), now);
    return 0;
}

int nat_fixture_end(void **state)
{
    (void)state;
    nat_tick(now + 3 * SECOND);
    assert_int_equal(fixture_in_use(), 0);
    return 0;
}

bool spec_is_same(const struct spec *a, const struct spec *b)
{
    return a->protocol == b->protocol && a->src == b->src && a->dst == b->dst &&
           a->sport == b->sport && a->dport == b->dport && a->flags == b->flags &&
           a->type == b->type && a->code == b->code && a->payload == b->payload &&
           a->ip_options == b->ip_options && a->dont_fragment == b->dont_fragment &&
           a->more_fragments == b->more_fragments && a->offset == b->offset && a->id == b->id &&
           a->unfinished == b->unfinished && a->no_checksum == b->no_checksum &&
           a->wrong_checksum == b->wrong_checksum && a->segsz == b->segsz;
}

void assert_translated(const struct spec *was, const struct spec *is, uint16_t port)
{
    struct spec want = *was;

    want.src = OUR_ADDRESS;
    want.sport = port;
    assert_true(spec_is_same(&want, is));
}

static void put16(uint8_t *at, uint16_t word)
{
    at[0] = (uint8_t)(word >> 8);
    at[1] = (uint8_t)word;
}

static void put32(uint8_t *at, uint32_t word)
{
    put16(at, (uint16_t)(word >> 16));
    put16(at + 2, (uint16_t)word);
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* The sum of RFC 1071, written as it is told there. */
static uint32_t sum(const uint8_t *bytes, uint32_t len, uint32_t start)
{
    for (uint32_t i = 0; i < len; i++)
        start += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return start;
}

/* Of source, destination, protocol and length. */
static uint32_t pseudo(const uint8_t *ip, uint8_t protocol, uint32_t l4_len)
{
    bool v6 = ip[0] >> 4 == 6;

    return sum(ip + (v6 ? 8 : 12), v6 ? 32 : 8, protocol + l4_len);
}

static uint32_t l4_header_len(const struct spec *spec)
{
    return spec->offset > 0 ? 0 : spec->protocol == IPPROTO_TCP ? 20 : 8;
}

static uint8_t *checksum_at(uint8_t *l4, uint8_t protocol)
{
    return l4 + (protocol == IPPROTO_TCP ? 16 : protocol == IPPROTO_UDP ? 6 : 2);
}

static bool is_icmp(uint8_t protocol)
{
    return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static void put_checksum(const struct spec *spec, uint8_t *ip, uint8_t *l4, uint32_t len)
{
    uint32_t start = spec->protocol == IPPROTO_ICMP ? 0 : pseudo(ip, spec->protocol, len);
    uint16_t checksum = (uint16_t)~sum(l4, len, start);

    if (spec->unfinished)
        checksum = (uint16_t)sum(NULL, 0, start);
    else if (spec->protocol == IPPROTO_UDP && checksum == 0)
        checksum = 0xffff;
    put16(checksum_at(l4, spec->protocol), spec->no_checksum ? 0 : checksum ^ spec->wrong_checksum);
}

static uint32_t put_packet(const struct spec *spec, uint8_t *ip);

static uint32_t put_l4(const struct spec *spec, uint8_t *ip, uint8_t *l4)
{
    uint32_t header = l4_header_len(spec), len = header + spec->payload;

    for (uint32_t i = header; i < len; i++)
        l4[i] = (uint8_t)(i * 31 + 5);
    if (spec->embedded) {
        uint8_t bytes[2048];
        uint32_t part = put_packet(spec->embedded, bytes);

        if (spec->embedded_bytes)
            part = RTE_MIN(part, (uint32_t)spec->embedded_bytes);
        memcpy(l4 + header, bytes, part);
        len = header + part;
    }
    if (header == 0)
        return len;
    if (is_icmp(spec->protocol)) {
        l4[0] = spec->type;
        l4[1] = spec->code;
        put16(l4 + 4, spec->sport);
        put16(l4 + 6, 77);
    } else {
        put16(l4, spec->sport);
        put16(l4 + 2, spec->dport);
    }
    if (spec->protocol == IPPROTO_TCP) {
        put32(l4 + 4, 0x12345678);
        l4[12] = 0x50;
        l4[13] = spec->flags;
    } else if (spec->protocol == IPPROTO_UDP) {
        put16(l4 + 4, (uint16_t)len);
    }
    put_checksum(spec, ip, l4, len);
    return len;
}

static uint32_t put_ip6(const struct spec *spec, uint8_t *ip)
{
    bool is_fragment = spec->more_fragments || spec->offset > 0;
    uint32_t ext = is_fragment ? 8 : 0, len;

    ip[0] = 0x60;
    ip[6] = is_fragment ? IPPROTO_FRAGMENT : spec->protocol;
    ip[7] = 64;
    ip[8] = ip[24] = 0xfd;
    put32(ip + 20, spec->src);
    put32(ip + 36, spec->dst);
    if (is_fragment) {
        ip[40] = spec->protocol;
        put16(ip + 42, spec->offset | spec->more_fragments);
        put32(ip + 44, spec->id);
    }
    len = ext + put_l4(spec, ip, ip + 40 + ext);
    put16(ip + 4, (uint16_t)len);
    return 40 + len;
}

static uint32_t put_packet(const struct spec *spec, uint8_t *ip)
{
    uint32_t ihl = 20u + spec->ip_options, len;

    memset(ip, 0, 128);
    if (spec->v6)
        return put_ip6(spec, ip);
    ip[0] = (uint8_t)(0x40 | ihl / 4);
    put16(ip + 4, spec->id);
    put16(ip + 6,
          (uint16_t)(spec->dont_fragment << 14 | spec->more_fragments << 13 | spec->offset / 8));
    ip[8] = 64;
    ip[9] = spec->protocol;
    put32(ip + 12, spec->src);
    put32(ip + 16, spec->dst);
    memset(ip + 20, 1, spec->ip_options); /* no operation */
    len = ihl + put_l4(spec, ip, ip + ihl);
    put16(ip + 2, (uint16_t)len);
    put16(ip + 10, (uint16_t)~sum(ip, ihl, 0));
    return len;
}

static struct rte_mbuf *frame_of(const uint8_t *bytes, uint32_t len)
{
    struct rte_mbuf *frame = rte_pktmbuf_alloc(fixture_pool()), *tail = frame;

    while (len > 0) {
        uint32_t part = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(tail));

        memcpy(rte_pktmbuf_append(tail, (uint16_t)part), bytes, part);
        if (tail != frame)
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

struct rte_mbuf *spec_frame(const struct spec *spec)
{
    static uint8_t bytes[80000];
    struct rte_mbuf *frame;
    bool is_tcp = spec->protocol == IPPROTO_TCP;
    uint32_t len;

    memset(bytes, 2, 12);
    put16(bytes + 12, spec->v6 ? 0x86dd : 0x0800);
    len = L2 + put_packet(spec, bytes + L2);
    frame = frame_of(bytes, len);
    if (spec->unfinished) {
        frame->ol_flags = (is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM) |
                          (spec->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
                          (spec->segsz ? RTE_MBUF_F_TX_TCP_SEG : 0);
        frame->tso_segsz = spec->segsz;
    }
    frame_parse(frame);
    return frame;
}

/* IPv4: what can be told of have bytes; l4_whole: its checksum can. */
static struct spec read_packet(const uint8_t *ip, uint32_t have, bool unfinished)
{
    uint32_t ihl = (ip[0] & 15) * 4u, len = get16(ip + 2), l4_len = len - ihl;
    const uint8_t *l4 = ip + ihl;
    struct spec s = { .protocol = ip[9],
                      .src = get32(ip + 12),
                      .dst = get32(ip + 16),
                      .ip_options = (uint8_t)(ihl - 20),
                      .id = get16(ip + 4),
                      .dont_fragment = get16(ip + 6) >> 14 & 1,
                      .more_fragments = get16(ip + 6) >> 13 & 1,
                      .offset = (uint16_t)((get16(ip + 6) & 0x1fff) * 8),
                      .wrong_checksum = sum(ip, ihl, 0) != 0xffff,
                      .unfinished = unfinished };
    uint32_t header = l4_header_len(&s), start;

    s.payload = (uint16_t)(l4_len - header);
    if (header == 0)
        return s;
    s.sport = get16(l4 + (s.protocol == IPPROTO_ICMP ? 4 : 0));
    s.dport = s.protocol == IPPROTO_ICMP ? 0 : get16(l4 + 2);
    s.type = s.protocol == IPPROTO_ICMP ? l4[0] : 0;
    s.code = s.protocol == IPPROTO_ICMP ? l4[1] : 0;
    s.flags = s.protocol == IPPROTO_TCP && have >= ihl + 20 ? l4[13] : 0;
    start = s.protocol == IPPROTO_ICMP ? 0 : pseudo(ip, s.protocol, l4_len);
    s.no_checksum = s.protocol == IPPROTO_UDP && get16(l4 + 6) == 0;
    if (unfinished)
        s.wrong_checksum |= get16(checksum_at((uint8_t *)l4, s.protocol)) != sum(NULL, 0, start);
    else if (have >= len && !s.more_fragments && !s.no_checksum)
        s.wrong_checksum |= sum(l4, l4_len, start) != 0xffff;
    return s;
}

struct spec spec_of(const struct rte_mbuf *frame)
{
    static uint8_t bytes[80000];
    uint32_t len = frame_bytes(frame, bytes, sizeof(bytes));
    struct spec s = read_packet(bytes + L2, len - L2, frame->ol_flags & RTE_MBUF_F_TX_L4_MASK);

    s.segsz = frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG ? frame->tso_segsz : 0;
    return s;
}

struct spec spec_embedded(const struct rte_mbuf *frame)
{
    static uint8_t bytes[80000];
    uint32_t len = frame_bytes(frame, bytes, sizeof(bytes));
    uint32_t at = L2 + (bytes[L2] & 15) * 4u + 8;

    return read_packet(bytes + at, len - at, false);
}

/* Fragments that go on too are looked at and freed by whoever asks for them. */
enum nat_verdict try_out(unsigned int guest, const struct spec *spec, struct spec *spec_r)
{
    struct rte_mbuf *frame = spec_frame(spec);
    enum nat_verdict verdict = nat_out((uint8_t)guest, frame, now, &last_guest);

    if (verdict == NAT_HELD)
        return verdict;
    if (spec_r)
        *spec_r = spec_of(frame);
    rte_pktmbuf_free(frame);
    return verdict;
}

enum nat_verdict try_in(const struct spec *spec, struct spec *spec_r)
{
    struct rte_mbuf *frame = spec_frame(spec);
    enum nat_verdict verdict = nat_in(OUTSIDE, frame, now, &last_guest);

    if (verdict == NAT_HELD)
        return verdict;
    if (spec_r)
        *spec_r = spec_of(frame);
    rte_pktmbuf_free(frame);
    return verdict;
}

struct spec out(unsigned int guest, const struct spec *spec, enum nat_verdict verdict)
{
    struct spec result = { 0 };

    assert_int_equal(try_out(guest, spec, &result), verdict);
    return result;
}

struct spec in(const struct spec *spec, enum nat_verdict verdict)
{
    struct spec result = { 0 };

    assert_int_equal(try_in(spec, &result), verdict);
    return result;
}

struct spec answer(const struct spec *spec)
{
    struct spec back = *spec;

    back.src = spec->dst;
    back.dst = spec->src;
    if (is_icmp(spec->protocol)) {
        back.type = spec->v6 ? 129 : spec->type == 8 ? 0 : 14;
    } else {
        back.sport = spec->dport;
        back.dport = spec->sport;
    }
    return back;
}

struct spec udp_from(unsigned int guest, uint16_t sport, uint16_t dport)
{
    return (struct spec){ .protocol = IPPROTO_UDP,
                          .src = GUEST_ADDRESS(guest),
                          .dst = REMOTE,
                          .sport = sport,
                          .dport = dport,
                          .payload = 11,
                          .dont_fragment = true };
}

struct spec tcp_from(unsigned int guest, uint16_t sport, uint16_t dport, uint8_t flags)
{
    struct spec s = udp_from(guest, sport, dport);

    s.protocol = IPPROTO_TCP;
    s.flags = flags;
    return s;
}

struct spec echo_from(unsigned int guest, uint16_t id)
{
    struct spec s = udp_from(guest, id, 0);

    s.protocol = IPPROTO_ICMP;
    s.type = 8;
    return s;
}
