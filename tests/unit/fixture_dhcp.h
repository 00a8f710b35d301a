/* SPDX-License-Identifier: BSD-2-Clause */
/* A DHCP client, and what a test needs to play its server. */
#ifndef FIXTURE_DHCP_H
#define FIXTURE_DHCP_H

#include "net/dhcp_client.h"

#define SECOND 1000000000ull
#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define OURS IP(192, 0, 2, 7)
#define SERVER IP(192, 0, 2, 1)
#define OTHER_SERVER IP(192, 0, 2, 2)
#define EVERYBODY IP(255, 255, 255, 255)
#define SLOT 2
#define IDENTITY 0x1234

extern const struct rte_ether_addr mac, other_mac;
extern const struct dhcp_client_ops client_ops;

extern struct dhcp_client client;
extern uint64_t now, due; /* ns; due: when the client wants to be called, as it said last */

/* What the client has done. */
extern struct dhcp_message sent; /* last */
extern rte_be32_t sent_src, sent_dst;
extern unsigned int nr_sent, nr_bound, nr_lost;
extern enum dhcp_loss loss;

/* Per-test set-up: a client that has begun, without a lease kept. */
int setup(void **state);

/* Begin again, as after a restart. */
void client_start(void);

/* Let time pass until the client has sent something; it does so at no other time than it has said. */
void until_sent(void);

/* A good answer to what was sent last; give it, or another. */
struct dhcp_message reply(enum dhcp_type type);
int give(const struct dhcp_message *m);
int give_type(enum dhcp_type type);

/* To BOUND, with a good answer to the request, or this one. */
void lease_bind(void);
void lease_bind_with(const struct dhcp_message *wanted);

#endif
