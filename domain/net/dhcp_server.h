/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DHCP server toward one guest that is alone at the end of its vif. It has one address to lend, the vif's, to one
 * MAC, and remembers nothing: there is no table that a guest could fill, and after a restart no lease is missing.
 * Pure: a message in, at most one out.
 */
#ifndef NET_DHCP_SERVER_H
#define NET_DHCP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/dhcp.h"

#define DHCP_SERVER_LEASE_S 3600

/* What a guest is told. */
struct dhcp_server_config {
    struct rte_ether_addr mac; /* the guest's */
    rte_be32_t addr; /* the guest's */
    uint8_t len; /* of its prefix, 1 to 32 */
    rte_be32_t router; /* its gateway, and what the server calls itself */
    bool has_dns; /* the router answers DNS queries */
    uint16_t mtu; /* 0: nothing is said */
};

struct dhcp_server_answer {
    rte_be32_t dst; /* to DHCP_CLIENT_PORT */
    uint16_t len;
    uint8_t data[DHCP_MESSAGE_MAX];
};

/*
 * The prefix length that a guest is to use: that which is configured, or a shorter one (of 16 at least) if its router
 * lies outside. With vif-nat's addresses, 127 apart, a guest without a length gets 24.
 */
uint8_t dhcp_server_prefix_len(rte_be32_t addr, rte_be32_t router, uint8_t len);

/*
 * Answer a message from a guest.
 *
 *   payload   UDP payload to DHCP_SERVER_PORT; nothing in it is trusted
 *   answer_r  set when a type is returned
 *
 * Returns the type of the answer (DHCP_OFFER, DHCP_ACK or DHCP_NAK); 0: there is none, as to a RELEASE or when
 * another server is meant; -EINVAL: no message from a client, or contradictory; -EPERM: another MAC than the guest's;
 * -EADDRINUSE: a DECLINE, the guest says that somebody else has its address.
 * Source: RFC 2131, 4.3; RFC 6842 (the client's identifier comes back).
 */
int dhcp_server_input(const struct dhcp_server_config *config, const uint8_t *payload, uint32_t len,
                      struct dhcp_server_answer *answer_r) __attribute__((warn_unused_result));

#endif
