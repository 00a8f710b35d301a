/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_udp.h>

#include "net/arp.h"

static char lines[64][256];
unsigned int nr_lines;

void on_line(const char *line)
{
    snprintf(lines[nr_lines++ % 64], sizeof(lines[0]), "%s", line);
}

const char *last_line(void)
{
    assert_true(nr_lines > 0);
    return lines[(nr_lines - 1) % 64];
}

void turn(uint64_t ns)
{
    lab.now += ns;
    router_tick(lab.now);
    services_tick(lab.now);
    bridge_flush();
}

void turn_to_due(void)
{
    uint64_t due = services_tick(lab.now);

    assert_true(due != UINT64_MAX);
    turn(due > lab.now ? due - lab.now : 0);
}

void guest_serve(bool dhcp, bool dns, uint8_t len)
{
    struct port *port = &lab.guests[NAT_GUEST].port;
    const char *why = "";

    services_vif_remove(port);
    router_vif_remove(port);
    lab.configs[NAT_GUEST].serve_dhcp = dhcp;
    lab.configs[NAT_GUEST].serve_dns = dns;
    assert_int_equal(router_vif_add(lab.router, port, NAT_GUEST, &lab.configs[NAT_GUEST], &why), 0);
    assert_int_equal(services_vif_add(port, len), 0);
}

int dhcp_start(void **state)
{
    struct router_addresses addresses;

    if (lab_start(state))
        return -1;
    addresses = lab.addresses;
    addresses.has_ip4 = false;
    nr_lines = 0;
    if (router_addresses_set(lab.router, &addresses, lab.now) || services_init(42, on_line) ||
        services_router_add(lab.router, true, NULL, 0))
        return -1;
    guest_serve(true, true, 16);
    pass(10 * SECOND);
    forget_sent();
    return 0;
}

int fresh_dhcp_start(void **state)
{
    dhcp_lease_keep(0, 0, NULL);
    return dhcp_start(state);
}

int fixed_start(void **state)
{
    rte_be32_t dns = ip4("192.0.2.5");

    if (lab_start(state))
        return -1;
    nr_lines = 0;
    if (services_init(42, on_line) || services_router_add(lab.router, false, &dns, 1))
        return -1;
    guest_serve(true, true, 0);
    neighbours_answer();
    return 0;
}

int end(void **state)
{
    for (unsigned int i = 0; i < GUESTS; i++)
        services_vif_remove(&lab.guests[i].port);
    return lab_end(state);
}

bool seen_last(const struct fake_port *fake, uint16_t dport, struct seen *seen)
{
    for (unsigned int i = fake->nr_kept; i-- > 0;) {
        uint8_t bytes[2000];
        uint32_t len = frame_bytes(fake->kept[i], bytes, sizeof(bytes));

        if (len < 42 || bytes[12] != 8 || bytes[13] != 0 || bytes[23] != 17 ||
            (dport && (bytes[36] << 8 | bytes[37]) != dport))
            continue;
        assert_true(is_valid(fake->kept[i]));
        memcpy(&seen->ether, bytes, 14);
        memcpy(&seen->src, bytes + 26, 4);
        memcpy(&seen->dst, bytes + 30, 4);
        seen->sport = (uint16_t)(bytes[34] << 8 | bytes[35]);
        seen->dport = (uint16_t)(bytes[36] << 8 | bytes[37]);
        seen->len = (uint16_t)(len - 42);
        memcpy(seen->payload, bytes + 42, seen->len);
        return true;
    }
    return false;
}

struct rte_mbuf *udp_make(struct rte_ether_addr to, struct rte_ether_addr from, const char *src,
                          uint16_t sport, const char *dst, uint16_t dport, const void *payload,
                          uint16_t len)
{
    uint8_t l4[1600];
    struct rte_udp_hdr udp = { .src_port = rte_cpu_to_be_16(sport),
                               .dst_port = rte_cpu_to_be_16(dport),
                               .dgram_len = rte_cpu_to_be_16(sizeof(udp) + len) };

    memcpy(l4, &udp, sizeof(udp));
    memcpy(l4 + sizeof(udp), payload, len);
    return packet_make(
        to, from,
        &(struct packet_spec){ .src = src, .dst = dst, .l4 = l4, .payload = sizeof(udp) + len });
}

void host_answers_arp(void)
{
    struct rte_ether_addr to = ROUTER_WIRE_MAC;
    struct arp arp = { ARP_REPLY, HOST_MAC, to, ip4("192.0.2.5"), ip4("192.0.2.1") };

    wire_sends(arp_make(fixture_pool(), &arp, &to));
}

struct dhcp_message client_message(struct seen *seen)
{
    struct dhcp_message m;

    assert_true(seen_last(&lab.wire, 67, seen));
    assert_int_equal(dhcp_parse(seen->payload, seen->len, &m), 0);
    assert_int_equal(seen->sport, 68);
    assert_mac(seen->ether.src_addr, ROUTER_WIRE_MAC);
    assert_mac(m.chaddr, ROUTER_WIRE_MAC);
    return m;
}

struct dhcp_message server_message(const struct dhcp_message *to, enum dhcp_type type)
{
    struct dhcp_message m = { .op = DHCP_TO_CLIENT,
                              .type = type,
                              .xid = to->xid,
                              .yiaddr = type == DHCP_NAK ? 0 : ip4("192.0.2.1"),
                              .chaddr = ROUTER_WIRE_MAC,
                              .has = DHCP_HAS_SERVER | DHCP_HAS_LEASE | DHCP_HAS_MASK |
                                     DHCP_HAS_ROUTER,
                              .server = ip4("192.0.2.5"),
                              .lease = 3600,
                              .mask = ip4("255.255.255.0"),
                              .router = ip4("192.0.2.254"),
                              .nr_dns = 1,
                              .dns = { ip4("192.0.2.5") } };

    return m;
}

void server_sends_from(uint16_t port, const struct dhcp_message *m, struct rte_ether_addr to,
                       const char *dst)
{
    uint8_t data[DHCP_MESSAGE_MAX];
    uint16_t len = dhcp_build(m, data);

    wire_sends(udp_make(to, HOST_MAC, "192.0.2.5", port, dst, 68, data, len));
}

void server_sends(const struct dhcp_message *m, struct rte_ether_addr to, const char *dst)
{
    server_sends_from(67, m, to, dst);
}

void lease_give(const struct dhcp_message *like)
{
    struct dhcp_message m, answer = *like;
    struct seen seen;

    turn_to_due();
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_DISCOVER);
    answer.xid = m.xid;
    answer.type = DHCP_OFFER;
    server_sends(&answer, ROUTER_WIRE_MAC, "192.0.2.1");
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_REQUEST);
    answer.type = DHCP_ACK;
    server_sends(&answer, ROUTER_WIRE_MAC, "192.0.2.1");
}

void lease_give_usual(void)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);

    lease_give(&m);
    assert_true(router_addresses(lab.router)->has_ip4);
}

struct dhcp_message guest_message(enum dhcp_type type)
{
    struct dhcp_message m = {
        .op = DHCP_TO_SERVER, .type = type, .xid = 77, .chaddr = GUEST_MAC(NAT_GUEST)
    };

    return m;
}

void guest_sends_dhcp(const struct dhcp_message *m, const char *src, const char *dst)
{
    uint8_t data[DHCP_MESSAGE_MAX];
    uint16_t len = dhcp_build(m, data);
    struct rte_ether_addr to = strcmp(dst, EVERYBODY) ? ROUTER_GUEST_MAC : ALL_STATIONS;

    guest_sends(NAT_GUEST, udp_make(to, GUEST_MAC(NAT_GUEST), src, 68, dst, 67, data, len));
}

uint16_t mtu_offered(void)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER), offer;
    struct seen seen;

    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &offer), 0);
    return offer.mtu;
}

const uint8_t query[QUERY_LEN] = { 0x12, 0x34, 1,   0, 0,   1,   0,   0, 0, 0, 0, 0,
                                   2,    'd',  'e', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1 };

void guest_asks(const char *dst)
{
    guest_sends(NAT_GUEST, udp_make(ROUTER_GUEST_MAC, GUEST_MAC(NAT_GUEST), "10.0.1.1", 5555, dst,
                                    53, query, sizeof(query)));
}

void server_answers(const struct seen *asked, const char *src, uint16_t sport)
{
    uint8_t data[64];

    memcpy(data, asked->payload, asked->len);
    data[2] |= 0x80;
    wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, src, sport, "192.0.2.1", asked->sport, data,
                        asked->len));
}
