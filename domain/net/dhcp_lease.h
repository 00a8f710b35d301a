/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a DHCP server has lent: read from its message, and kept over restarts of the kernel.
 */
#ifndef NET_DHCP_LEASE_H
#define NET_DHCP_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/dhcp.h"

#define DHCP_LEASES_MAX 4 /* that are kept */

/* Shorter leases are taken as so long: who lends for less would be asked all the time. */
#define DHCP_LEASE_MIN_S 60

/* Times are ns; UINT64_MAX: never. */
struct dhcp_lease {
    rte_be32_t addr, gateway, server; /* gateway 0: none */
    uint8_t len; /* of the prefix, 8 to 32 */
    uint8_t nr_dns;
    uint16_t mtu; /* 0: nothing was said, or nothing that can be */
    rte_be32_t dns[DHCP_DNS_MAX];
    struct rte_ether_addr mac; /* to which it was lent */
    uint64_t begins, t1, t2, ends;
};

/*
 * Make a lease of an OFFER or ACK.
 *
 *   message  to the client; its kind, xid and addresses are the caller's to check
 *   asked    when it was asked for, ns: leases run from there (RFC 2131, 4.4.1)
 *   lease_r  set on success only. Without a mask it has that of the address' class; without sane T1 and T2 half and
 *            seven eighths of the lease; a gateway outside the prefix, odd DNS servers and odd MTUs are left out.
 *
 * Returns 0, or -EINVAL: no server or lease time is named, the address is no host's in its network, the mask has
 * holes or is shorter than 8 bits.
 * Source: RFC 2131, 4.4; RFC 2132, 3.3, 5.1, 9.
 */
int dhcp_lease_read(const struct dhcp_message *message, uint64_t asked, struct dhcp_lease *lease_r)
    __attribute__((warn_unused_result));

/*
 * Keep a lease in memory that a restart leaves alone, or (NULL) forget it.
 *
 *   slot      0 to DHCP_LEASES_MAX - 1
 *   identity  whose it is, the same after a restart
 */
void dhcp_lease_keep(unsigned int slot, uint32_t identity, const struct dhcp_lease *lease);

/*
 * The lease that was kept, if it is whole, is of this identity, and has not ended.
 *
 *   now      ns, of a clock that goes on over the restart
 *   lease_r  set on success only
 */
bool dhcp_lease_recall(unsigned int slot, uint32_t identity, uint64_t now,
                       struct dhcp_lease *lease_r);

#endif
