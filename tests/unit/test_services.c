/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP and DNS of a real router: frames in, frames out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_udp.h>

#include "fixture_router.h"
#include "net/arp.h"
#include "net/dhcp.h"
#include "net/dhcp_lease.h"
#include "net/nat.h"
#include "net/services.h"

#define NAT_GUEST 2
#define EVERYBODY "255.255.255.255"
#define ALL_STATIONS ((struct rte_ether_addr){ { 255, 255, 255, 255, 255, 255 } })

static char lines[64][256];
static unsigned int nr_lines;

static void on_line(const char *line)
{
    snprintf(lines[nr_lines++ % 64], sizeof(lines[0]), "%s", line);
}

static const char *last_line(void)
{
    assert_true(nr_lines > 0);
    return lines[(nr_lines - 1) % 64];
}

static void turn(uint64_t ns)
{
    lab.now += ns;
    router_tick(lab.now);
    services_tick(lab.now);
    bridge_flush();
}

/* Until services have done what is due next. */
static void turn_to_due(void)
{
    uint64_t due = services_tick(lab.now);

    assert_true(due != UINT64_MAX);
    turn(due > lab.now ? due - lab.now : 0);
}

/* The NAT guest again, with services. */
static void guest_serve(bool dhcp, bool dns, uint8_t len)
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

/* A router that has only its IPv6 address, and is to get the other by DHCP. */
static int dhcp_start(void **state)
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

static int fresh_dhcp_start(void **state)
{
    dhcp_lease_keep(0, 0, NULL);
    return dhcp_start(state);
}

/* A router with a fixed address, and a configured DNS server. */
static int fixed_start(void **state)
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

static int end(void **state)
{
    for (unsigned int i = 0; i < GUESTS; i++)
        services_vif_remove(&lab.guests[i].port);
    return lab_end(state);
}

/* UDP that a port was given. */
struct seen {
    struct rte_ether_hdr ether;
    rte_be32_t src, dst;
    uint16_t sport, dport, len;
    uint8_t payload[1500];
};

/* The last UDP to a port, or of any if it is 0; false: none. */
static bool seen_last(const struct fake_port *fake, uint16_t dport, struct seen *seen)
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

/* UDP as a frame; the checksum is finished by the fixture. */
static struct rte_mbuf *udp_make(struct rte_ether_addr to, struct rte_ether_addr from,
                                 const char *src, uint16_t sport, const char *dst, uint16_t dport,
                                 const void *payload, uint16_t len)
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

/* The server says where it is, asked or not. */
static void host_answers_arp(void)
{
    struct rte_ether_addr to = ROUTER_WIRE_MAC;
    struct arp arp = { ARP_REPLY, HOST_MAC, to, ip4("192.0.2.5"), ip4("192.0.2.1") };

    wire_sends(arp_make(fixture_pool(), &arp, &to));
}

/* The last DHCP message that the router has sent to the wire. */
static struct dhcp_message client_message(struct seen *seen)
{
    struct dhcp_message m;

    assert_true(seen_last(&lab.wire, 67, seen));
    assert_int_equal(dhcp_parse(seen->payload, seen->len, &m), 0);
    assert_int_equal(seen->sport, 68);
    assert_mac(seen->ether.src_addr, ROUTER_WIRE_MAC);
    assert_mac(m.chaddr, ROUTER_WIRE_MAC);
    return m;
}

static struct dhcp_message server_message(const struct dhcp_message *to, enum dhcp_type type)
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

static void server_sends_from(uint16_t port, const struct dhcp_message *m, struct rte_ether_addr to,
                              const char *dst)
{
    uint8_t data[DHCP_MESSAGE_MAX];
    uint16_t len = dhcp_build(m, data);

    wire_sends(udp_make(to, HOST_MAC, "192.0.2.5", port, dst, 68, data, len));
}

static void server_sends(const struct dhcp_message *m, struct rte_ether_addr to, const char *dst)
{
    server_sends_from(67, m, to, dst);
}

/* DISCOVER to ACK, with what is said in the last message. */
static void lease_give(const struct dhcp_message *like)
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

static void lease_give_usual(void)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);

    lease_give(&m);
    assert_true(router_addresses(lab.router)->has_ip4);
}

static void a_router_gets_its_address_by_dhcp(void **state)
{
    const struct router_addresses *is = router_addresses(lab.router);
    struct seen seen;

    (void)state;
    turn_to_due();
    (void)client_message(&seen);
    assert_mac(seen.ether.dst_addr, ALL_STATIONS);
    assert_int_equal(seen.src, 0);
    assert_int_equal(seen.dst, ip4(EVERYBODY));
    assert_int_equal(nr_lines, 0);
    lease_give_usual();
    assert_int_equal(is->ip4, ip4("192.0.2.1"));
    assert_int_equal(is->len4, 24);
    assert_int_equal(is->gateway4, ip4("192.0.2.254"));
    assert_true(is->has_ip6);
    assert_memory_equal(is->ip6, lab.addresses.ip6, 16);
    assert_int_equal(nr_lines, 1);
    assert_string_equal(last_line(), "bridge xenbr0: address 192.0.2.1/24 by DHCP from 192.0.2.5 "
                                     "for 3600 s; gateway 192.0.2.254; DNS 192.0.2.5");
}

static void answers_by_broadcast_are_taken_too(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    turn_to_due();
    m = client_message(&seen);
    m = server_message(&m, DHCP_OFFER);
    server_sends(&m, ALL_STATIONS, EVERYBODY);
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_REQUEST);
    m = server_message(&m, DHCP_ACK);
    server_sends(&m, ALL_STATIONS, EVERYBODY);
    assert_true(router_addresses(lab.router)->has_ip4);
}

static void answers_from_another_port_are_not_taken(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    turn_to_due();
    m = client_message(&seen);
    m = server_message(&m, DHCP_OFFER);
    server_sends_from(1067, &m, ROUTER_WIRE_MAC, "192.0.2.1");
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_DISCOVER);
}

static void a_nic_that_comes_late_has_the_lease(void **state)
{
    struct rte_ether_addr nic = station(77);
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    turn_to_due();
    turn_to_due();
    router_mac_set(lab.router, &nic, lab.now);
    turn(0);
    turn(SECOND / 4);
    assert_true(seen_last(&lab.wire, 67, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &m), 0);
    assert_int_equal(m.type, DHCP_DISCOVER);
    assert_mac(m.chaddr, nic);
    assert_mac(seen.ether.src_addr, nic);
}

static void a_lease_is_renewed_without_a_word(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    lease_give_usual();
    forget_sent();
    turn_to_due();
    assert_false(seen_last(&lab.wire, 67, &seen)); /* the server is looked for first */
    host_answers_arp();
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_REQUEST);
    assert_int_equal(seen.src, ip4("192.0.2.1"));
    m = server_message(&m, DHCP_ACK);
    server_sends(&m, ROUTER_WIRE_MAC, "192.0.2.1");
    assert_int_equal(nr_lines, 1);
    assert_true(router_addresses(lab.router)->has_ip4);
}

static void a_lease_that_ends_takes_the_address_with_it(void **state)
{
    (void)state;
    lease_give_usual();
    turn(3600 * SECOND);
    assert_false(router_addresses(lab.router)->has_ip4);
    assert_true(router_addresses(lab.router)->has_ip6);
    assert_string_equal(last_line(),
                        "bridge xenbr0: has lost address 192.0.2.1/24: its lease has ended");
    lease_give_usual();
}

static void after_a_restart_the_address_is_there_with_the_first_turn(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    lease_give_usual();
    end(state);
    dhcp_start(state);
    lab.now += 100 * SECOND;
    assert_false(router_addresses(lab.router)->has_ip4);
    turn(0);
    assert_true(router_addresses(lab.router)->has_ip4);
    assert_int_equal(router_addresses(lab.router)->gateway4, ip4("192.0.2.254"));
    assert_int_equal(nr_lines, 1);
    assert_memory_equal(last_line(), "bridge xenbr0: keeps address 192.0.2.1/24 by DHCP", 48);
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_REQUEST);
    assert_int_equal(m.requested, ip4("192.0.2.1"));
    m = server_message(&m, DHCP_ACK);
    server_sends(&m, ROUTER_WIRE_MAC, "192.0.2.1");
    assert_int_equal(nr_lines, 1);
    turn(3599 * SECOND);
    assert_true(router_addresses(lab.router)->has_ip4);
}

static void after_a_restart_a_server_may_refuse(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    lease_give_usual();
    end(state);
    dhcp_start(state);
    turn(SECOND);
    m = client_message(&seen);
    m = server_message(&m, DHCP_NAK);
    server_sends(&m, ALL_STATIONS, EVERYBODY);
    assert_false(router_addresses(lab.router)->has_ip4);
    assert_string_equal(last_line(), "bridge xenbr0: has lost address 192.0.2.1/24: the DHCP "
                                     "server refuses it");
}

static void an_address_that_is_a_guests_is_not_used(void **state)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);

    (void)state;
    m.yiaddr = ip4("192.0.2.10");
    lease_give(&m);
    assert_false(router_addresses(lab.router)->has_ip4);
    assert_int_equal(nr_lines, 1);
    assert_non_null(strstr(last_line(), "192.0.2.10/24 by DHCP from 192.0.2.5 cannot be used"));
}

static void lines_are_few_whatever_a_server_does(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 50; i++) {
        struct dhcp_message m;
        struct seen seen;

        lease_give_usual();
        turn(1800 * SECOND / 50);
        services_link_up(lab.router, lab.now);
        turn(0);
        m = client_message(&seen);
        m = server_message(&m, DHCP_NAK);
        server_sends(&m, ALL_STATIONS, EVERYBODY);
        forget_sent();
    }
    assert_in_range(nr_lines, 8, 8 + 31);
}

static void silence_is_said_once(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 30; i++)
        turn_to_due();
    assert_int_equal(nr_lines, 1);
    assert_non_null(strstr(last_line(), "no DHCP server answers"));
}

static void guests_are_no_dhcp_servers_for_the_router(void **state)
{
    uint8_t data[DHCP_MESSAGE_MAX];
    struct dhcp_message m;
    struct seen seen;
    uint16_t len;

    (void)state;
    turn_to_due();
    m = client_message(&seen);
    m = server_message(&m, DHCP_OFFER);
    len = dhcp_build(&m, data);
    forget_sent();
    guest_sends(NAT_GUEST, udp_make(ROUTER_GUEST_MAC, GUEST_MAC(NAT_GUEST), "10.0.1.1", 67,
                                    "10.0.1.128", 68, data, len));
    assert_false(seen_last(&lab.wire, 67, &seen));
}

static struct dhcp_message guest_message(enum dhcp_type type)
{
    struct dhcp_message m = {
        .op = DHCP_TO_SERVER, .type = type, .xid = 77, .chaddr = GUEST_MAC(NAT_GUEST)
    };

    return m;
}

static void guest_sends_dhcp(const struct dhcp_message *m, const char *src, const char *dst)
{
    uint8_t data[DHCP_MESSAGE_MAX];
    uint16_t len = dhcp_build(m, data);
    struct rte_ether_addr to = strcmp(dst, EVERYBODY) ? ROUTER_GUEST_MAC : ALL_STATIONS;

    guest_sends(NAT_GUEST, udp_make(to, GUEST_MAC(NAT_GUEST), src, 68, dst, 67, data, len));
}

/* What the guest is told; 0: nothing. */
static uint16_t mtu_offered(void)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER), offer;
    struct seen seen;

    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &offer), 0);
    return offer.mtu;
}

static void the_mtu_of_the_net_is_taken_and_told_to_guests(void **state)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);
    uint8_t long_answer[1400] = { 0 };

    (void)state;
    m.has |= DHCP_HAS_MTU;
    m.mtu = 1400;
    lease_give(&m);
    assert_non_null(strstr(last_line(), "; MTU 1400"));
    assert_null(strstr(last_line(), "not taken"));
    assert_int_equal(mtu_offered(), 1400);
    assert_int_equal(router_udp_send(lab.router, NULL, ip4("192.0.2.1"), 9, ip4(EVERYBODY), 9,
                                     long_answer, 1373, NULL, lab.now),
                     -EMSGSIZE);
    turn(3600 * SECOND);
    assert_int_equal(mtu_offered(), 0);
    assert_int_equal(router_udp_send(lab.router, NULL, ip4("192.0.2.1"), 9, ip4(EVERYBODY), 9,
                                     long_answer, 1373, NULL, lab.now),
                     0);
}

static void a_long_mtu_is_not_taken(void **state)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);

    (void)state;
    m.has |= DHCP_HAS_MTU;
    m.mtu = 9000;
    lease_give(&m);
    assert_non_null(strstr(last_line(), "; MTU 9000 is not taken"));
    assert_int_equal(mtu_offered(), 0);
}

static void a_guest_gets_its_address_while_the_router_has_none_yet(void **state)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER), offer;
    struct seen seen;

    (void)state;
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &offer), 0);
    assert_mac(seen.ether.src_addr, ROUTER_GUEST_MAC);
    assert_mac(seen.ether.dst_addr, GUEST_MAC(NAT_GUEST));
    assert_int_equal(seen.src, ip4("10.0.1.128"));
    assert_int_equal(seen.dst, ip4("10.0.1.1"));
    assert_int_equal(seen.sport, 67);
    assert_int_equal(offer.type, DHCP_OFFER);
    assert_int_equal(offer.yiaddr, ip4("10.0.1.1"));
    assert_int_equal(offer.mask, ip4("255.255.0.0"));
    assert_int_equal(offer.router, ip4("10.0.1.128"));
    assert_int_equal(offer.nr_dns, 1);
    assert_int_equal(offer.dns[0], ip4("10.0.1.128"));
    assert_false(offer.has & DHCP_HAS_MTU);
    assert_false(seen_last(&lab.wire, 0, &seen));
}

static void a_guest_renews_its_lease_by_unicast(void **state)
{
    struct dhcp_message m = guest_message(DHCP_REQUEST), ack;
    struct seen seen;

    (void)state;
    m.ciaddr = ip4("10.0.1.1");
    guest_sends_dhcp(&m, "10.0.1.1", "10.0.1.128");
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &ack), 0);
    assert_int_equal(ack.type, DHCP_ACK);
    assert_int_equal(ack.mask, ip4("255.255.255.0")); /* no length was configured */
}

static void only_guests_that_are_served_get_answers(void **state)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER);
    struct seen seen;

    (void)state;
    services_vif_remove(&lab.guests[NAT_GUEST].port);
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    guest_serve(false, true, 0);
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    guest_serve(true, false, 0);
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
}

static void a_small_mtu_is_told(void **state)
{
    (void)state;
    assert_int_equal(mtu_offered(), 0);
    lab.guests[NAT_GUEST].port.mtu = 1300;
    assert_int_equal(mtu_offered(), 1300);
}

static const uint8_t query[] = { 0x12, 0x34, 1,   0, 0,   1,   0,   0, 0, 0, 0, 0,
                                 2,    'd',  'e', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1 };

static void guest_asks(const char *dst)
{
    guest_sends(NAT_GUEST, udp_make(ROUTER_GUEST_MAC, GUEST_MAC(NAT_GUEST), "10.0.1.1", 5555, dst,
                                    53, query, sizeof(query)));
}

/* The server's answer to what was asked. */
static void server_answers(const struct seen *asked, const char *src, uint16_t sport)
{
    uint8_t data[64];

    memcpy(data, asked->payload, asked->len);
    data[2] |= 0x80;
    wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, src, sport, "192.0.2.1", asked->sport, data,
                        asked->len));
}

static void a_query_goes_out_from_the_routers_address_and_its_answer_in(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.wire, 53, &asked));
    assert_mac(asked.ether.dst_addr, HOST_MAC);
    assert_int_equal(asked.src, ip4("192.0.2.1"));
    assert_int_equal(asked.dst, ip4("192.0.2.5"));
    assert_in_range(asked.sport, NAT_OWN_PORT_FIRST, NAT_OWN_PORT_LAST);
    assert_int_equal(asked.len, sizeof(query));
    assert_memory_equal(asked.payload + 2, query + 2, sizeof(query) - 2);
    server_answers(&asked, "192.0.2.6", 53);
    server_answers(&asked, "192.0.2.5", 54);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    server_answers(&asked, "192.0.2.5", 53);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.src, ip4("10.0.1.128"));
    assert_int_equal(answer.dst, ip4("10.0.1.1"));
    assert_int_equal(answer.sport, 53);
    assert_memory_equal(answer.payload, query, 2);
}

static void the_routers_other_address_may_be_asked_too(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("192.0.2.1");
    assert_true(seen_last(&lab.wire, 53, &asked));
    server_answers(&asked, "192.0.2.5", 53);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.src, ip4("192.0.2.1"));
}

static void a_query_to_somebody_else_is_left_to_translation(void **state)
{
    struct seen asked;

    (void)state;
    guest_asks("192.0.2.5");
    assert_true(seen_last(&lab.wire, 53, &asked));
    assert_memory_equal(asked.payload, query, sizeof(query));
    forget_sent();
    guest_asks(EVERYBODY);
    assert_false(seen_last(&lab.wire, 53, &asked));
}

static void a_query_is_given_up_in_time(void **state)
{
    struct seen answer;

    (void)state;
    guest_asks("10.0.1.128");
    for (unsigned int i = 0; i < 6; i++) {
        assert_false(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
        turn_to_due();
        if (seen_last(&lab.guests[NAT_GUEST], 5555, &answer))
            break;
    }
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.payload[3] & 15, 2);
}

static void a_guest_that_has_gone_gets_no_answers(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.wire, 53, &asked));
    services_vif_remove(&lab.guests[NAT_GUEST].port);
    router_vif_remove(&lab.guests[NAT_GUEST].port);
    guest_serve(true, true, 0); /* another one, with the same number */
    server_answers(&asked, "192.0.2.5", 53);
    turn(10 * SECOND);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
}

static void nobody_on_the_wire_is_served(void **state)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER);
    uint8_t data[DHCP_MESSAGE_MAX];
    uint16_t len = dhcp_build(&m, data);
    struct seen seen;

    (void)state;
    wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, "192.0.2.5", 4444, "192.0.2.1", 53, query,
                        sizeof(query)));
    wire_sends(udp_make(ALL_STATIONS, HOST_MAC, "0.0.0.0", 68, EVERYBODY, 67, data, len));
    wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, "192.0.2.5", 68, "192.0.2.1", 67, data, len));
    assert_false(seen_last(&lab.wire, 53, &seen));
    assert_false(seen_last(&lab.wire, 4444, &seen));
    assert_false(seen_last(&lab.wire, 68, &seen));
}

static void queries_go_where_dhcp_says(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer)); /* nobody to ask yet */
    assert_int_equal(answer.payload[3] & 15, 2);
    lease_give_usual();
    forget_sent();
    guest_asks("10.0.1.128");
    host_answers_arp();
    assert_true(seen_last(&lab.wire, 53, &asked));
    assert_int_equal(asked.dst, ip4("192.0.2.5"));
    turn(3600 * SECOND);
    forget_sent();
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.payload[3] & 15, 2);
}

static void what_cannot_be_served_is_refused(void **state)
{
    struct fake_port stranger;

    (void)state;
    fake_port_init(&stranger, "vif9", 0);
    assert_int_equal(services_vif_add(&stranger.port, 24), -EINVAL);
    assert_int_equal(services_vif_add(&lab.guests[0].port, 33), -EINVAL);
    assert_int_equal(services_router_add(lab.router, false, NULL, 0), -EEXIST);
    services_vif_remove(&stranger.port);
}

#define dhcp_test(f) cmocka_unit_test_setup_teardown(f, fresh_dhcp_start, end)
#define fixed_test(f) cmocka_unit_test_setup_teardown(f, fixed_start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dhcp_test(a_router_gets_its_address_by_dhcp),
        dhcp_test(answers_by_broadcast_are_taken_too),
        dhcp_test(answers_from_another_port_are_not_taken),
        dhcp_test(a_nic_that_comes_late_has_the_lease),
        dhcp_test(a_lease_is_renewed_without_a_word),
        dhcp_test(a_lease_that_ends_takes_the_address_with_it),
        dhcp_test(after_a_restart_the_address_is_there_with_the_first_turn),
        dhcp_test(after_a_restart_a_server_may_refuse),
        dhcp_test(an_address_that_is_a_guests_is_not_used),
        dhcp_test(lines_are_few_whatever_a_server_does),
        dhcp_test(silence_is_said_once),
        dhcp_test(the_mtu_of_the_net_is_taken_and_told_to_guests),
        dhcp_test(a_long_mtu_is_not_taken),
        dhcp_test(guests_are_no_dhcp_servers_for_the_router),
        dhcp_test(a_guest_gets_its_address_while_the_router_has_none_yet),
        dhcp_test(queries_go_where_dhcp_says),
        fixed_test(a_guest_renews_its_lease_by_unicast),
        fixed_test(only_guests_that_are_served_get_answers),
        fixed_test(a_small_mtu_is_told),
        fixed_test(a_query_goes_out_from_the_routers_address_and_its_answer_in),
        fixed_test(the_routers_other_address_may_be_asked_too),
        fixed_test(a_query_to_somebody_else_is_left_to_translation),
        fixed_test(a_query_is_given_up_in_time),
        fixed_test(a_guest_that_has_gone_gets_no_answers),
        fixed_test(nobody_on_the_wire_is_served),
        fixed_test(what_cannot_be_served_is_refused),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
