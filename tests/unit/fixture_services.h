/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP and DNS of a real router (fixture_router.h), and what a test needs to play their other ends. */
#ifndef FIXTURE_SERVICES_H
#define FIXTURE_SERVICES_H

#include "fixture_router.h"
#include "net/dhcp.h"
#include "net/dhcp_lease.h"
#include "net/services.h"

#define NAT_GUEST 2
#define EVERYBODY "255.255.255.255"
#define ALL_STATIONS ((struct rte_ether_addr){ { 255, 255, 255, 255, 255, 255 } })

/* Lines that were said; the last one. */
extern unsigned int nr_lines;
void on_line(const char *line);
const char *last_line(void);

#define QUERY_LEN 24
extern const uint8_t query[QUERY_LEN];

/* UDP that a port was given. */
struct seen {
    struct rte_ether_hdr ether;
    rte_be32_t src, dst;
    uint16_t sport, dport, len;
    uint8_t payload[1500];
};

/* Time goes on by so much, or until services have something to do, and the loop turns. */
void turn(uint64_t ns);
void turn_to_due(void);

/*
 * Per-test set-up: a router that has only its IPv6 address and is to get the other by DHCP; the same without a lease
 * from before; or one with a fixed address and a configured DNS server. The NAT guest is served.
 */
int dhcp_start(void **state);
int fresh_dhcp_start(void **state);
int fixed_start(void **state);

/* Per-test end. */
int end(void **state);

/* Put the NAT guest behind its router again, with services. */
void guest_serve(bool dhcp, bool dns, uint8_t len);

/* The last UDP to a port, or of any if it is 0; false: none. */
bool seen_last(const struct fake_port *fake, uint16_t dport, struct seen *seen);

/* UDP as a frame; the checksum is finished by the fixture. */
struct rte_mbuf *udp_make(struct rte_ether_addr to, struct rte_ether_addr from, const char *src,
                          uint16_t sport, const char *dst, uint16_t dport, const void *payload,
                          uint16_t len);

/* The server says where it is, asked or not. */
void host_answers_arp(void);

/* The last DHCP message that the router has sent to the wire. */
struct dhcp_message client_message(struct seen *seen);

/* A good answer to it; send it, or another, from port 67 or another of the server. */
struct dhcp_message server_message(const struct dhcp_message *to, enum dhcp_type type);
void server_sends(const struct dhcp_message *m, struct rte_ether_addr to, const char *dst);
void server_sends_from(uint16_t port, const struct dhcp_message *m, struct rte_ether_addr to,
                       const char *dst);

/* DISCOVER to ACK, with what is said in this message, or a good one. */
void lease_give(const struct dhcp_message *like);
void lease_give_usual(void);

/* A DHCP message from the NAT guest; send it, or another. */
struct dhcp_message guest_message(enum dhcp_type type);
void guest_sends_dhcp(const struct dhcp_message *m, const char *src, const char *dst);

/* The MTU that the guest is told; 0: none. */
uint16_t mtu_offered(void);

/* The NAT guest sends the query, from port 5555; the server answers what has come of it. */
void guest_asks(const char *dst);
void server_answers(const struct seen *asked, const char *src, uint16_t sport);

#endif
