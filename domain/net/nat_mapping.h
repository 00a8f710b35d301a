/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which port outside stands for which address and port inside. Used by nat*.c only.
 *
 * A mapping is there as long as flows use it. It belongs to an identity, not to a guest's number, so that
 * the ports of guests that are not there again yet after a restart are not given to others.
 */
#ifndef NET_NAT_MAPPING_H
#define NET_NAT_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "net/nat.h"

struct nat_inside {
    uint32_t identity; /* of the guest */
    rte_be32_t address;
    uint16_t port; /* ICMP: the id */
    uint8_t protocol, outside;
};

/* What a port forward leads to. */
struct nat_forward {
    rte_be32_t address;
    uint16_t port, outside_port;
    uint8_t protocol, outside;
};

/* No mappings, no forwards. The seed is unknown to guests. */
void nat_mapping_init(uint32_t seed);

/*
 * Use the mapping of an endpoint, which is made if there is none: with the endpoint's own port if that is
 * free, or else a random one (RFC 6056) of the same parity (RFC 4787 REQ-4).
 *
 *   own_only  make none with another port
 *   now       ns, for randomness
 *
 * Returns the port outside, or -1 if none is free.
 */
int nat_mapping_use(const struct nat_inside *inside, bool own_only, uint64_t now);

/* The same with a given port. False: the endpoint has another, or it is another's. */
bool nat_mapping_use_port(const struct nat_inside *inside, uint16_t outside_port);

/* End one use of a mapping. */
void nat_mapping_drop(const struct nat_inside *inside);

/* Is there a mapping with this port outside? */
bool nat_mapping_is_port(uint8_t outside, uint8_t protocol, uint16_t port);

/* As nat_forward_add(). */
int nat_mapping_forward_add(const struct nat_forward *forward);

/* The forward from a port outside, or to an endpoint inside; NULL: none. */
const struct nat_forward *nat_mapping_forward_from(uint8_t outside, uint8_t protocol,
                                                   uint16_t outside_port);
const struct nat_forward *nat_mapping_forward_to(const struct nat_inside *inside);

/* A number that cannot be guessed from others of them alone. */
uint32_t nat_random(uint64_t now);

#endif
