/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries DNS queries of guests over UDP to servers upstream, and the answers back. Pure: it knows neither router
 * nor clock.
 *
 * Records are not looked at, whatever their types, but for one: EDNS' size of answers, which is lowered. Answers are
 * passed on as they are but for the id. An answer is one to ours only if id, port, server and question agree, the
 * first two of which are random for each query (RFC 5452, 9). There is no cache, on purpose: a forged answer would
 * reach all guests for a long time instead of one guest once, and servers upstream have one.
 *
 * TCP is not served: a guest that wants it, for answers longer than a packet, asks a server upstream by itself. What
 * does not fit is truncated, which says so. Answers in fragments never arrive; so that servers do not send such, a
 * query does not promise to take more than fits into a packet.
 */
#ifndef NET_DNS_FORWARD_H
#define NET_DNS_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#define DNS_PORT 53

#define DNS_GUESTS 64 /* numbers of guests */
#define DNS_UPSTREAMS 4 /* numbers of sets of servers */
#define DNS_SERVERS_MAX 3 /* in a set */

#define DNS_QUERIES 256 /* that wait for answers, of all guests */
#define DNS_QUERIES_GUEST 16 /* of one guest */
#define DNS_QUERY_MAX 512 /* bytes; a longer one is refused */
#define DNS_ANSWER_MAX 1472 /* what fits into a packet of 1500 bytes */

/* Without an answer another server is asked, or the same again; in the end the guest is told of the failure. */
#define DNS_TRY_NS (2ull * 1000 * 1000 * 1000)
#define DNS_FAIL_NS (5ull * 1000 * 1000 * 1000)

/* Queries leave through a random one of these ports, of those that net/nat.h leaves alone. */
#define DNS_OWN_PORT_FIRST 2048
#define DNS_OWN_PORT_LAST 4095

/* A guest's end of a query. */
struct dns_asker {
    uint8_t guest; /* 0 to DNS_GUESTS - 1 */
    uint8_t upstream; /* whom to ask: 0 to DNS_UPSTREAMS - 1 */
    rte_be32_t addr, server; /* the guest's address, and the one that it asked */
    uint16_t port; /* of the guest; host byte order */
    uint16_t answer_max; /* bytes of payload that reach the guest in one packet */
};

struct dns_stats {
    uint64_t queries, answers; /* from guests; to guests */
    uint64_t retries; /* queries sent again */
    uint64_t failed; /* to which nobody answered in time, or that nobody could be asked */
    uint64_t malformed; /* queries that were refused or dropped */
    uint64_t repeated; /* by the guest, while an answer was waited for */
    uint64_t over_quota; /* dropped because the guest, or all guests, had too many */
    uint64_t stray; /* answers to no query of ours */
    uint64_t truncated; /* answers that did not fit */
};

struct dns_forward_ops {
    /* Send a query from one of the ports above to a server's DNS_PORT. What is lost is sent again. */
    void (*ask)(uint8_t upstream, uint16_t port, rte_be32_t server, const void *payload,
                uint16_t len, uint64_t now);

    /* Send an answer to where a query came from, from DNS_PORT of the address that was asked. */
    void (*answer)(const struct dns_asker *asker, const void *payload, uint16_t len, uint64_t now);
};

/*
 * Start with no queries and no servers.
 *
 *   ops   called from within the functions below only
 *   seed  random, and unknown to everybody: nothing else is made from it
 */
void dns_forward_init(const struct dns_forward_ops *ops, uint64_t seed);

/* Whom to ask, the first one first; nr 0: nobody. What was asked before is still waited for. */
void dns_forward_servers_set(uint8_t upstream, const rte_be32_t *servers, unsigned int nr);

/* A query from a guest, a UDP payload; nothing in it is trusted. */
void dns_forward_query(const struct dns_asker *asker, const uint8_t *payload, uint32_t len,
                       uint64_t now);

/*
 * What came for one of our ports from outside.
 *
 *   src, sport  from where
 *   dport       one of our ports
 */
void dns_forward_answer(uint8_t upstream, rte_be32_t src, uint16_t sport, uint16_t dport,
                        const uint8_t *payload, uint32_t len, uint64_t now);

/* Forget what a guest has asked. */
void dns_forward_guest_remove(uint8_t guest);

/* Ask again, and give up, what is due. Returns when to call again at the latest, ns; UINT64_MAX: never. */
uint64_t dns_forward_tick(uint64_t now);

/* How many queries wait for answers. */
unsigned int dns_forward_pending(void);

const struct dns_stats *dns_forward_stats(void);

#endif
