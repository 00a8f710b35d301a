/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP and DNS of a router with a guest behind it, from both sides: what the guest asks, what servers on the wire answer
 * or anybody there says, in any order, with time between. All that leaves is right; the guest is only ever offered its
 * own address, and answered only what it asked; the router's address is always one that a host can have.
 *
 * The input: settings, and steps; a step is a byte that says what to do, and what it needs.
 */
#include <arpa/inet.h>

#include "fixture_services.h"
#include "fuzz.h"

#define STEPS 64
#define PORT 5555 /* the guest's, for DNS */
#define IDS 256

static struct seen asked_dhcp, asked_dns; /* last seen on the wire */
static bool has_dhcp, has_dns;
static bool has_asked[IDS]; /* by the low byte of a query's id */

/* Everything that was sent, looked at and forgotten. */
static void sent_look(void)
{
    struct seen seen;

    for (unsigned int g = 0; g <= GUESTS; g++) {
        struct fake_port *port = g < GUESTS ? &lab.guests[g] : &lab.wire;

        for (unsigned int i = 0; i < port->nr_kept; i++) {
            const uint8_t *type = rte_pktmbuf_mtod_offset(port->kept[i], const uint8_t *, 12);

            FUZZ_CHECK((type[0] << 8 | type[1]) == 0x0806 || is_valid(port->kept[i]));
        }
    }
    if (seen_last(&lab.wire, 67, &seen)) {
        asked_dhcp = seen;
        has_dhcp = true;
    }
    if (seen_last(&lab.wire, 53, &seen)) {
        asked_dns = seen;
        has_dns = true;
    }
    if (seen_last(&lab.guests[NAT_GUEST], 68, &seen) && seen.sport == 67) {
        struct dhcp_message m;

        FUZZ_CHECK(dhcp_parse(seen.payload, seen.len, &m) == 0 && m.op == DHCP_TO_CLIENT);
        FUZZ_CHECK(m.type == DHCP_NAK || m.yiaddr == 0 || m.yiaddr == ip4("10.0.1.1"));
        FUZZ_CHECK(m.server == ip4("10.0.1.128"));
    }
    if (seen_last(&lab.guests[NAT_GUEST], PORT, &seen) && seen.sport == 53)
        FUZZ_CHECK(seen.len >= 12 && has_asked[seen.payload[1]] && seen.payload[2] & 0x80);
    forget_sent();
    FUZZ_CHECK(!router_addresses(lab.router)->has_ip4 ||
               ip4_is_host(router_addresses(lab.router)->ip4));
}

static void text_of(rte_be32_t ip, char text[INET_ADDRSTRLEN])
{
    inet_ntop(AF_INET, &ip, text, INET_ADDRSTRLEN);
}

/* A message with some fields as the input says. */
static void message_spoil(struct fuzz_input *input, struct dhcp_message *m)
{
    uint8_t what = fuzz_u8(input);

    m->type = (enum dhcp_type)(fuzz_u8(input) % 9);
    if (what & 1)
        m->has = fuzz_u16(input) & 0x1ff;
    if (what & 2)
        m->xid ^= fuzz_u8(input);
    if (what & 4)
        m->yiaddr = fuzz_u16(input) * 0x10001u;
    if (what & 8)
        m->mask = rte_cpu_to_be_32(~0u << fuzz_u8(input) % 32);
    if (what & 16)
        m->lease = fuzz_u16(input);
    if (what & 32)
        m->mtu = fuzz_u16(input);
    if (what & 64)
        m->t1 = fuzz_u16(input), m->t2 = fuzz_u16(input);
    if (what & 128) {
        m->nr_dns = fuzz_u8(input) % 4;
        m->requested = m->ciaddr = fuzz_u16(input) * 0x10001u;
        m->router = m->server = fuzz_u16(input) * 0x10001u;
    }
}

static void guest_dhcp(struct fuzz_input *input)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER);
    uint8_t to = fuzz_u8(input);

    message_spoil(input, &m);
    guest_sends_dhcp(&m, to & 1 ? "10.0.1.1" : "0.0.0.0", to & 2 ? "10.0.1.128" : EVERYBODY);
}

static void server_dhcp(struct fuzz_input *input)
{
    struct dhcp_message last, m;

    if (!has_dhcp || dhcp_parse(asked_dhcp.payload, asked_dhcp.len, &last) != 0)
        return;
    m = server_message(&last, last.type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK);
    if (fuzz_u8(input) & 1)
        message_spoil(input, &m);
    server_sends(&m, ROUTER_WIRE_MAC, "192.0.2.1");
}

/* Of a query: its bytes, some of them others. */
static uint16_t bytes_spoil(struct fuzz_input *input, uint8_t *bytes, uint16_t len, uint16_t max)
{
    uint8_t nr = fuzz_u8(input) % 4;
    const uint8_t *more;
    size_t nr_more;

    while (nr--) {
        uint16_t at = fuzz_u8(input) % len;

        bytes[at] = fuzz_u8(input);
    }
    nr_more = fuzz_take(input, fuzz_u8(input) % 64, &more);
    if (len + nr_more > max)
        return len;
    memcpy(bytes + len, more, nr_more);
    return (uint16_t)(len + nr_more);
}

static void guest_dns(struct fuzz_input *input)
{
    uint8_t bytes[512] = { 0 };
    uint16_t len;

    memcpy(bytes, query, QUERY_LEN);
    len = bytes_spoil(input, bytes, QUERY_LEN, sizeof(bytes));
    bytes[0] = 0x77;
    has_asked[bytes[1]] = true;
    guest_sends(NAT_GUEST, udp_make(ROUTER_GUEST_MAC, GUEST_MAC(NAT_GUEST), "10.0.1.1", PORT,
                                    "10.0.1.128", 53, bytes, len));
}

static void server_dns(struct fuzz_input *input)
{
    char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];
    uint8_t bytes[1600], how = fuzz_u8(input);
    uint16_t len;

    if (!has_dns || asked_dns.len == 0)
        return;
    text_of(how & 1 ? ip4("192.0.2.77") : asked_dns.dst, from);
    text_of(asked_dns.src, to);
    memcpy(bytes, asked_dns.payload, asked_dns.len);
    bytes[2] |= 0x80;
    len = how & 2 ? bytes_spoil(input, bytes, asked_dns.len, 1400) : asked_dns.len;
    wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, from, how & 4 ? 54 : 53, to, asked_dns.sport,
                        bytes, len));
}

/* Any bytes to any of the services' ports, from either side. */
static void raw_udp(struct fuzz_input *input, bool from_guest)
{
    static const uint16_t ports[] = { 53, 67, 68, PORT, 1024, 5353 };
    uint16_t sport = ports[fuzz_u8(input) % 6], dport = ports[fuzz_u8(input) % 6];
    const uint8_t *bytes;
    uint16_t len = (uint16_t)fuzz_take(input, fuzz_u16(input) % 600, &bytes);

    if (from_guest && dport == 53)
        memset(has_asked, true, sizeof(has_asked)); /* whatever it has asked by that */
    if (from_guest)
        guest_sends(NAT_GUEST, udp_make(ROUTER_GUEST_MAC, GUEST_MAC(NAT_GUEST), "10.0.1.1", sport,
                                        "10.0.1.128", dport, bytes, len));
    else
        wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, "192.0.2.5", sport, "192.0.2.1", dport,
                            bytes, len));
}

static void step(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);

    switch (what & 15) {
    case 0:
    case 1:
        guest_dhcp(input);
        break;
    case 2:
    case 3:
    case 4:
        server_dhcp(input);
        break;
    case 5:
    case 6:
        guest_dns(input);
        break;
    case 7:
    case 8:
        server_dns(input);
        break;
    case 9:
        raw_udp(input, what & 16);
        break;
    case 10:
        turn((uint64_t)fuzz_u16(input) * SECOND / 16);
        break;
    case 11:
        if (services_tick(lab.now) != UINT64_MAX)
            turn_to_due();
        break;
    case 12:
        services_link_up(lab.router, lab.now);
        break;
    case 13:
        guest_serve(what & 16, what & 32, what >> 6 ? 24 : 0);
        break;
    default:
        host_answers_arp();
    }
    sent_look();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    struct fuzz_input input = { data, size };
    uint8_t settings = fuzz_u8(&input);

    FUZZ_CHECK(is_started || fixture_start(NULL) == 0);
    is_started = true;
    has_dhcp = has_dns = false;
    memset(has_asked, 0, sizeof(has_asked));
    FUZZ_CHECK((settings & 1 ? fixed_start(NULL) : fresh_dhcp_start(NULL)) == 0);
    sent_look();
    for (unsigned int i = 0; i < STEPS && input.left; i++)
        step(&input);
    FUZZ_CHECK(end(NULL) == 0);
    return 0;
}
