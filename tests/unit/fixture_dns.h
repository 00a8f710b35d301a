/* SPDX-License-Identifier: BSD-2-Clause */
/* The DNS forwarder, and what a test needs to play its guests and servers. */
#ifndef FIXTURE_DNS_H
#define FIXTURE_DNS_H

#include "net/dns.h"
#include "net/dns_forward.h"

#define SECOND 1000000000ull
#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define GUEST IP(10, 0, 5, 1)
#define ROUTER IP(10, 0, 5, 128)
#define FIRST IP(192, 0, 2, 53)
#define SECOND_SERVER IP(192, 0, 2, 54)
#define THIRD IP(192, 0, 2, 55)

#define ASKS_MAX 1024

/* A datagram that the forwarder has sent upstream. */
struct ask {
    uint8_t upstream;
    uint16_t port, len;
    rte_be32_t server;
    uint8_t data[DNS_QUERY_MAX];
};

extern struct ask asks[ASKS_MAX];
extern unsigned int nr_asks;

/* And what it has sent last to a guest. */
extern struct dns_asker told;
extern uint8_t told_data[DNS_ANSWER_MAX];
extern uint16_t told_len;
extern unsigned int nr_told;

extern uint64_t now; /* ns */

/* Per-test set-up: upstream 1 has the first two servers. */
int setup(void **state);

/* A guest's end of its queries. */
struct dns_asker asker(uint8_t guest);

/* A query for the address of www.example.org. Returns its length. */
uint16_t query_make(uint8_t *data, uint16_t id);

/* Send it, or something else, in memory whose ends are watched, from guest 0. */
void ask_as(const struct dns_asker *a, uint16_t id);
void ask_by(uint8_t guest, uint16_t id);
void ask_raw(const uint8_t *data, uint32_t len);

/* A server's answer to an ask, with this much of records behind the question. Returns its length. */
uint16_t answer_make(const struct ask *a, uint8_t *data, uint16_t records);

/* Send it, or something else. */
void give(const struct ask *a, const uint8_t *data, uint32_t len);
void answer(const struct ask *a);
void answer_with(const struct ask *a, enum dns_rcode rcode);

#endif
