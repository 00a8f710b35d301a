/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP messages (RFC 2131, RFC 2132) as far as Ferry's client and server need them. Pure: bytes to a struct and back.
 */
#ifndef NET_DHCP_H
#define NET_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

/* What every host must take, bytes of UDP payload (RFC 2131, 2: a datagram of 576 bytes). */
#define DHCP_MESSAGE_MAX 548

#define DHCP_DNS_MAX 3
#define DHCP_CLIENT_ID_MAX 255
#define DHCP_FOREVER UINT32_MAX /* of a lease, s */

enum dhcp_op {
    DHCP_TO_SERVER = 1,
    DHCP_TO_CLIENT = 2,
};

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM,
};

/* Which options a message has. */
#define DHCP_HAS_MASK (1u << 0)
#define DHCP_HAS_ROUTER (1u << 1)
#define DHCP_HAS_MTU (1u << 2)
#define DHCP_HAS_REQUESTED (1u << 3)
#define DHCP_HAS_LEASE (1u << 4)
#define DHCP_HAS_SERVER (1u << 5)
#define DHCP_HAS_T1 (1u << 6)
#define DHCP_HAS_T2 (1u << 7)
#define DHCP_HAS_WISHES (1u << 8) /* dhcp_build() only: what a client wants to be told */

/* Numbers are in host byte order; a field without its DHCP_HAS_ bit is 0. Nothing in it is to be trusted. */
struct dhcp_message {
    enum dhcp_op op;
    enum dhcp_type type;
    uint32_t xid;
    uint16_t secs;
    bool is_broadcast; /* the client cannot be reached at its address yet */
    rte_be32_t ciaddr, yiaddr, giaddr;
    struct rte_ether_addr chaddr;

    uint32_t has;
    rte_be32_t mask, router, requested, server;
    uint32_t lease, t1, t2; /* s */
    uint16_t mtu;
    uint8_t nr_dns; /* the first ones of those named */
    rte_be32_t dns[DHCP_DNS_MAX];
    uint8_t client_id_len; /* 0: none */
    uint8_t client_id[DHCP_CLIENT_ID_MAX];
};

/*
 * Read a message, a UDP payload.
 *
 *   data       len bytes; may lack its end option, and carry options in the file and sname fields
 *   message_r  set on success only
 *
 * Returns 0, or -EINVAL: cut off, not for Ethernet, BOOTP without a message type, or an option that is used here
 * is cut off or has an impossible length.
 * Source: RFC 2131, 2, 3 and 4.1; RFC 2132; RFC 3396 (an option may come in several parts, which are joined).
 */
int dhcp_parse(const uint8_t *data, uint32_t len, struct dhcp_message *message_r)
    __attribute__((warn_unused_result));

/*
 * Write a message with the options that it has; a client identifier for which no room is left is not written.
 * Returns its length, 300 at least: what BOOTP was, and what some still expect.
 */
uint16_t dhcp_build(const struct dhcp_message *message, uint8_t data[DHCP_MESSAGE_MAX]);

#endif
