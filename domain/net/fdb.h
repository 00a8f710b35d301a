/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forwarding database: which station was last seen behind which port.
 *
 * One table serves all bridges and each of their VLANs. Its size is fixed and
 * every entry is promised to one port in advance, as that port's quota: a guest
 * that invents addresses pushes out its own oldest stations and never anybody
 * else's. Lookups hash with a secret seed, so that nobody can choose addresses
 * which collide.
 *
 * A station that is pinned is behind its port whatever is heard elsewhere, until
 * the port goes; it is not in the port's quota.
 *
 * Stations outlive a restart of the kernel, each with a check of its own: they
 * wait in their places for their owners, known by an identity, to be there
 * again. They are the first to go when room is needed.
 *
 * Times are nanoseconds of any clock that does not go backwards.
 */
#ifndef NET_FDB_H
#define NET_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#define FDB_ENTRIES 16384
#define FDB_OWNERS 1024 /* ports, of all bridges together */
#define FDB_NONE UINT16_MAX
#define FDB_PINS_MAX 8 /* of one owner */

/* The VLANs of one bridge have domains of their own. */
#define FDB_DOMAIN(bridge, vid) ((uint16_t)((bridge) << 12 | (vid)))

/*
 * Empty the table and forget all owners.
 *
 *   seed  random, unknown to guests
 */
void fdb_init(uint32_t seed);

/*
 * The same after a restart: stations of the last start that are whole wait for
 * fdb_owner_recall(). Returns how many there are.
 */
unsigned int fdb_resume(uint32_t seed);

/* Forget a station this long after it was last seen. */
void fdb_ageing_set(uint64_t ageing_ns);

/*
 * Let an owner have stations.
 *
 *   owner     0 to FDB_OWNERS - 1, without a quota so far
 *   wanted    the most stations it may have
 *   identity  what it is known by after a restart; differs from others'
 *
 * Returns its quota: wanted, or fewer when the table has fewer left; 0 means
 * that none is left and nothing was set aside.
 */
uint16_t fdb_owner_add(uint16_t owner, uint16_t wanted, uint32_t identity);

/*
 * Give an owner the stations back that it had before the restart, with their
 * ages, each in the VLAN that it was in, of this bridge (0 to 15). Not those
 * that were heard elsewhere meanwhile.
 */
void fdb_owner_recall(uint16_t owner, uint8_t bridge);

/* Forget all stations of an owner, pinned ones too, and give its quota back. */
void fdb_owner_remove(uint16_t owner);

/* Forget all stations of an owner but pinned ones; it keeps its quota. */
void fdb_owner_flush(uint16_t owner);

/*
 * Pin a station to an owner, which has a quota.
 *
 * Returns 0, also if it is pinned there already; -EEXIST (pinned to another
 * owner) or -ENOSPC (FDB_PINS_MAX, or the table is all promised).
 */
int fdb_pin(uint16_t owner, uint16_t domain, const struct rte_ether_addr *mac)
    __attribute__((warn_unused_result));

/*
 * A frame from this station came in through this owner.
 *
 *   domain  FDB_DOMAIN()
 *
 * A station known elsewhere in the domain moves. An owner whose quota is used
 * up forgets the station it has not heard from for longest.
 *
 * Returns false if the station is pinned to another owner.
 */
bool fdb_learn(uint16_t owner, uint16_t domain, const struct rte_ether_addr *mac, uint64_t now);

/* The owner a station is behind, or FDB_NONE if it is not known (any more). */
uint16_t fdb_lookup(uint16_t domain, const struct rte_ether_addr *mac, uint64_t now);

struct fdb_station {
    struct rte_ether_addr mac;
    uint16_t domain;
    bool is_pinned;
    uint64_t age_ns; /* since it was last heard */
};

/* Stations of an owner: pinned ones, then those last heard, up to max. Returns how many were written; nr_known_r: how
 * many there are, aged ones included until they are reused. */
unsigned int fdb_stations(uint16_t owner, struct fdb_station *stations_r, unsigned int max,
                          uint64_t now, unsigned int *nr_known_r);

/* How many stations an owner has, aged ones included until they are reused; not those pinned to it. */
uint16_t fdb_owner_count(uint16_t owner);

#endif
