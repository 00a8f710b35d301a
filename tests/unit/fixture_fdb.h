/* SPDX-License-Identifier: BSD-2-Clause */
/* Stations by number, all in bridge 0, for tests of the forwarding database. */
#ifndef FIXTURE_FDB_H
#define FIXTURE_FDB_H

#include <stdint.h>

#include "net/fdb.h"

static inline struct rte_ether_addr mac_of(unsigned int n)
{
    struct rte_ether_addr mac = { { 2, n >> 24, n >> 16, n >> 8, n, 1 } };

    return mac;
}

static inline void learn(uint16_t owner, unsigned int n, uint64_t now)
{
    struct rte_ether_addr mac = mac_of(n);

    fdb_learn(owner, 0, &mac, now);
}

static inline uint16_t lookup(unsigned int n, uint64_t now)
{
    struct rte_ether_addr mac = mac_of(n);

    return fdb_lookup(0, &mac, now);
}

#endif
