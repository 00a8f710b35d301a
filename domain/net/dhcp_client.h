/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DHCP client for one IPv4 address (RFC 2131, 4.4). Pure: it knows neither router nor clock.
 *
 *     INIT -> SELECTING -> REQUESTING -> BOUND -> RENEWING -> REBINDING -> INIT
 *                     REBOOTING -> BOUND, of a lease that a restart, or a cut link, has come between
 *
 * A lease is in use in the states from BOUND on and in REBOOTING. Whether somebody else uses the address is not
 * asked (the probes of RFC 5227 would hold up a domain that is wanted at once); no DECLINE is ever sent.
 */
#ifndef NET_DHCP_CLIENT_H
#define NET_DHCP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/dhcp.h"
#include "net/dhcp_lease.h"
#include "net/random.h"

enum dhcp_state {
    DHCP_INIT,
    DHCP_SELECTING,
    DHCP_REQUESTING,
    DHCP_REBOOTING,
    DHCP_BOUND,
    DHCP_RENEWING,
    DHCP_REBINDING,
};

/* Why an address may be used no longer. */
enum dhcp_loss {
    DHCP_LOSS_ENDED, /* nobody renewed it in time */
    DHCP_LOSS_REFUSED, /* a server says that it is wrong here */
    DHCP_LOSS_MAC, /* it was lent to another MAC than is ours now */
};

struct dhcp_client;

struct dhcp_client_ops {
    /*
     * Send from DHCP_CLIENT_PORT to DHCP_SERVER_PORT.
     *
     *   src  0 as long as there is no address
     *   dst  a server, or the broadcast address; what is lost is sent again
     */
    void (*send)(struct dhcp_client *client, rte_be32_t src, rte_be32_t dst, const void *payload,
                 uint16_t len, uint64_t now);

    /* client->lease may be used; each time that it was lent, lent again, or taken up. */
    void (*bound)(struct dhcp_client *client, uint64_t now);

    /* client->lease may be used no longer. */
    void (*lost)(struct dhcp_client *client, enum dhcp_loss loss, uint64_t now);
};

struct dhcp_client {
    const struct dhcp_client_ops *ops;
    unsigned int slot; /* of what is kept: dhcp_lease_keep() */
    uint32_t identity;
    struct random random;
    struct rte_ether_addr mac;

    enum dhcp_state state;
    uint32_t xid;
    uint64_t due; /* ns: something is to be sent, or to change */
    uint64_t since; /* ns: when this exchange began */
    uint64_t asked; /* ns: when a lease was first asked for in it */
    unsigned int nr_sent; /* in it, of this kind */
    unsigned int nr_failed; /* attempts since there was a lease */
    bool has_lease;
    struct dhcp_lease lease;
    rte_be32_t offered, server; /* REQUESTING: what is asked for, and of whom */
};

/*
 * Begin, at the next tick: with a lease that was kept over a restart, or looking for one.
 *
 *   client    the caller's; starts as zeros
 *   ops       called from within the functions below only
 *   slot      0 to DHCP_LEASES_MAX - 1: where the lease is kept
 *   identity  whose it is, the same after a restart
 *   mac       ours now
 *   seed      random; its numbers are seen by the whole net
 *   now       ns, of a clock that goes on over restarts
 */
void dhcp_client_start(struct dhcp_client *client, const struct dhcp_client_ops *ops,
                       unsigned int slot, uint32_t identity, const struct rte_ether_addr *mac,
                       uint64_t seed, uint64_t now);

/*
 * Take up the lease that was kept, if it has not ended: bound() is called at once, and the server is asked to
 * confirm it in the background (INIT-REBOOT; RFC 2131, 3.2). Right after dhcp_client_start(). Until the MAC
 * is the one that it was lent to the server is not asked, for 10 s at most; then the lease is lost.
 *
 * Returns whether there is one.
 */
bool dhcp_client_resume(struct dhcp_client *client, uint64_t now);

/*
 * A UDP payload for DHCP_CLIENT_PORT, from anybody.
 *
 * Returns 0, or -EINVAL: no message, not an answer to ours, or nothing that can be accepted.
 */
int dhcp_client_input(struct dhcp_client *client, const uint8_t *payload, uint32_t len,
                      uint64_t now);

/* Do what is due. Returns when to call again at the latest, ns; UINT64_MAX: never. */
uint64_t dhcp_client_tick(struct dhcp_client *client, uint64_t now);

/* Our MAC may be another. If it is, what was asked for is asked for anew. */
void dhcp_client_mac_set(struct dhcp_client *client, const struct rte_ether_addr *mac,
                         uint64_t now);

/* The link has come up, perhaps in another net: a lease is confirmed, or looked for at once. */
void dhcp_client_link_up(struct dhcp_client *client, uint64_t now);

#endif
