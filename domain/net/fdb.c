/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/fdb.h"

#include <errno.h>
#include <string.h>

#include <rte_jhash.h>

#define FDB_BUCKETS FDB_ENTRIES /* a power of two */
#define NO_ENTRY UINT16_MAX
#define SECOND 1000000000ull
#define DEFAULT_AGEING_NS (300ull * 1000 * 1000 * 1000)

/* A station that is heard again is noted only after this part of its lifetime. */
#define REFRESH_PART 256

#define PENDING_CHAINS 64

#define VID_BITS 12

/* What was found last: senders apart from receivers, which take turns. A power of two of each. */
enum hint { HINT_SENDER, HINT_RECEIVER, HINT_KINDS };
#define HINTS 8

/* In `older`: the station is pinned and in no list of those that can be pushed out. */
#define PINNED (UINT16_MAX - 1)

/* Memory that a restart leaves alone; zero at the first start. */
#define OUTLIVE __attribute__((section(".outlive")))

/* What a restart finds of an entry: address, VLAN, identity and time, if the check is right. */
struct entry {
    uint64_t seen; /* ns */
    uint32_t identity; /* of the owner */
    uint32_t check; /* over identity, mac and VLAN; 0: this is no station to keep */
    struct rte_ether_addr mac;
    uint16_t domain;
    uint16_t owner;
    uint16_t bucket_next; /* also links the free entries, and the pending ones */
    uint16_t older, younger; /* among the stations of the owner, or its pinned ones */
};

_Static_assert(sizeof(struct entry) == 32, "half a cache line");
_Static_assert(FDB_ENTRIES < PINNED, "an entry is not a mark");

struct owner {
    uint32_t identity;
    uint16_t quota, count;
    uint16_t oldest, youngest;
    uint16_t pinned, nr_pinned; /* the first of them */
};

static struct {
    uint32_t seed;
    uint64_t ageing_ns;
    uint16_t unpromised; /* entries that are in no quota */
    uint16_t free;
    uint16_t pending[PENDING_CHAINS]; /* by identity: of owners that are not there again yet */
    uint16_t buckets[FDB_BUCKETS];
    uint16_t hints[HINT_KINDS][HINTS]; /* by the address's last byte; in a bucket, or NO_ENTRY */
    struct owner owners[FDB_OWNERS];
} fdb;

static struct entry entries[FDB_ENTRIES] OUTLIVE;

static uint16_t index_of(const struct entry *entry)
{
    return (uint16_t)(entry - entries);
}

static uint16_t vid_of(uint16_t domain)
{
    return domain & ((1u << VID_BITS) - 1);
}

static uint32_t check_of(const struct entry *entry)
{
    uint32_t words[2] = { 0 }, sum;

    memcpy(words, &entry->mac, sizeof(entry->mac));
    words[1] |= (uint32_t)vid_of(entry->domain) << 16;
    sum = rte_jhash_3words(words[0], words[1], entry->identity, FDB_ENTRIES);
    return sum ? sum : 1;
}

static void entry_free(struct entry *entry)
{
    entry->check = 0;
    entry->bucket_next = fdb.free;
    fdb.free = index_of(entry);
}

static void pending_add(struct entry *entry)
{
    uint16_t *chain = &fdb.pending[entry->identity % PENDING_CHAINS];

    entry->bucket_next = *chain;
    *chain = index_of(entry);
}

static void table_init(uint32_t seed)
{
    memset(&fdb, 0, sizeof(fdb));
    fdb.seed = seed;
    fdb.ageing_ns = DEFAULT_AGEING_NS;
    fdb.unpromised = FDB_ENTRIES;
    fdb.free = NO_ENTRY;
    for (unsigned int i = 0; i < PENDING_CHAINS; i++)
        fdb.pending[i] = NO_ENTRY;
    for (unsigned int i = 0; i < FDB_BUCKETS; i++)
        fdb.buckets[i] = NO_ENTRY;
    for (unsigned int i = 0; i < HINT_KINDS * HINTS; i++)
        fdb.hints[i / HINTS][i % HINTS] = NO_ENTRY;
    for (unsigned int i = 0; i < FDB_OWNERS; i++)
        fdb.owners[i].oldest = fdb.owners[i].youngest = fdb.owners[i].pinned = NO_ENTRY;
}

void fdb_init(uint32_t seed)
{
    table_init(seed);
    for (unsigned int i = FDB_ENTRIES; i-- > 0;)
        entry_free(&entries[i]);
}

unsigned int fdb_resume(uint32_t seed)
{
    unsigned int nr = 0;

    table_init(seed);
    for (unsigned int i = FDB_ENTRIES; i-- > 0;) {
        struct entry *entry = &entries[i];

        if (entry->check != 0 && entry->check == check_of(entry)) {
            pending_add(entry);
            nr++;
        } else {
            entry_free(entry);
        }
    }
    return nr;
}

void fdb_ageing_set(uint64_t ageing_ns)
{
    fdb.ageing_ns = ageing_ns;
}

static uint16_t *bucket_of(uint16_t domain, const struct rte_ether_addr *mac)
{
    uint32_t words[2] = { (uint32_t)domain << 16, 0 };

    memcpy(&words[1], mac->addr_bytes, 4);
    words[0] |= (uint32_t)mac->addr_bytes[4] << 8 | mac->addr_bytes[5];
    return &fdb.buckets[rte_jhash_2words(words[0], words[1], fdb.seed) & (FDB_BUCKETS - 1)];
}

static bool is_of(const struct entry *entry, uint16_t domain, const struct rte_ether_addr *mac)
{
    return entry->domain == domain && rte_is_same_ether_addr(&entry->mac, mac);
}

/* Most are found again and again: a hint saves the hash. */
static struct entry *entry_find(enum hint kind, uint16_t domain, const struct rte_ether_addr *mac)
{
    uint16_t *hint = &fdb.hints[kind][mac->addr_bytes[5] % HINTS];

    if (*hint != NO_ENTRY && is_of(&entries[*hint], domain, mac))
        return &entries[*hint];
    for (uint16_t i = *bucket_of(domain, mac); i != NO_ENTRY; i = entries[i].bucket_next) {
        if (is_of(&entries[i], domain, mac)) {
            *hint = i;
            return &entries[i];
        }
    }
    return NULL;
}

/* Put an entry at the young end of its owner's list. */
static void list_append(struct entry *entry)
{
    struct owner *owner = &fdb.owners[entry->owner];

    entry->older = owner->youngest;
    entry->younger = NO_ENTRY;
    if (owner->youngest == NO_ENTRY)
        owner->oldest = index_of(entry);
    else
        entries[owner->youngest].younger = index_of(entry);
    owner->youngest = index_of(entry);
    owner->count++;
}

static void list_remove(struct entry *entry)
{
    struct owner *owner = &fdb.owners[entry->owner];

    if (entry->older == NO_ENTRY)
        owner->oldest = entry->younger;
    else
        entries[entry->older].younger = entry->younger;
    if (entry->younger == NO_ENTRY)
        owner->youngest = entry->older;
    else
        entries[entry->younger].older = entry->older;
    owner->count--;
}

static bool is_pinned(const struct entry *entry)
{
    return entry->older == PINNED;
}

static void bucket_add(struct entry *entry)
{
    uint16_t *bucket = bucket_of(entry->domain, &entry->mac);

    entry->bucket_next = *bucket;
    *bucket = index_of(entry);
}

static void bucket_remove(const struct entry *entry)
{
    uint16_t *link = bucket_of(entry->domain, &entry->mac);

    while (*link != index_of(entry))
        link = &entries[*link].bucket_next;
    *link = entry->bucket_next;
    for (unsigned int kind = 0; kind < HINT_KINDS; kind++) {
        uint16_t *hint = &fdb.hints[kind][entry->mac.addr_bytes[5] % HINTS];

        if (*hint == index_of(entry))
            *hint = NO_ENTRY;
    }
}

/* Not of a pinned one. */
static void entry_forget(struct entry *entry)
{
    list_remove(entry);
    bucket_remove(entry);
    entry_free(entry);
}

uint16_t fdb_owner_add(uint16_t owner, uint16_t wanted, uint32_t identity)
{
    uint16_t quota = wanted < fdb.unpromised ? wanted : fdb.unpromised;

    fdb.unpromised -= quota;
    fdb.owners[owner].quota = quota;
    fdb.owners[owner].identity = identity;
    return quota;
}

/* The same as list_append() for an entry that is not the youngest. */
static void list_insert(struct entry *entry)
{
    struct owner *owner = &fdb.owners[entry->owner];
    uint16_t older = owner->youngest, younger = NO_ENTRY;

    while (older != NO_ENTRY && entries[older].seen > entry->seen) {
        younger = older;
        older = entries[older].older;
    }
    entry->older = older;
    entry->younger = younger;
    *(older == NO_ENTRY ? &owner->oldest : &entries[older].younger) = index_of(entry);
    *(younger == NO_ENTRY ? &owner->youngest : &entries[younger].older) = index_of(entry);
    owner->count++;
}

/* A pending entry, in no chain any more, is its owner's again, unless it was heard elsewhere since. */
static void entry_recall(struct entry *entry, uint16_t owner, uint8_t bridge)
{
    uint16_t domain = FDB_DOMAIN(bridge, vid_of(entry->domain));

    if (entry_find(HINT_SENDER, domain, &entry->mac)) {
        entry_free(entry);
        return;
    }
    entry->owner = owner;
    entry->domain = domain;
    bucket_add(entry);
    list_insert(entry);
    if (fdb.owners[owner].count > fdb.owners[owner].quota)
        entry_forget(&entries[fdb.owners[owner].oldest]);
}

void fdb_owner_recall(uint16_t owner, uint8_t bridge)
{
    uint32_t identity = fdb.owners[owner].identity;
    uint16_t *link = &fdb.pending[identity % PENDING_CHAINS];

    while (*link != NO_ENTRY) {
        struct entry *entry = &entries[*link];

        if (entry->identity == identity) {
            *link = entry->bucket_next;
            entry_recall(entry, owner, bridge);
        } else {
            link = &entry->bucket_next;
        }
    }
}

void fdb_owner_flush(uint16_t owner)
{
    while (fdb.owners[owner].oldest != NO_ENTRY)
        entry_forget(&entries[fdb.owners[owner].oldest]);
}

/* Make sure that an owner with a quota may have one more. */
static void owner_make_room(struct owner *owner)
{
    if (owner->count == owner->quota)
        entry_forget(&entries[owner->oldest]);
}

/* Of the entries that are in no list some owner's quota is a part: one of them is free, or pending. */
static struct entry *entry_take(void)
{
    struct entry *entry;

    for (unsigned int i = 0; fdb.free == NO_ENTRY && i < PENDING_CHAINS; i++) {
        if (fdb.pending[i] == NO_ENTRY)
            continue;
        entry = &entries[fdb.pending[i]];
        fdb.pending[i] = entry->bucket_next;
        entry_free(entry);
    }
    entry = &entries[fdb.free];
    fdb.free = entry->bucket_next;
    return entry;
}

static struct entry *entry_create(uint16_t owner, uint16_t domain, const struct rte_ether_addr *mac)
{
    struct entry *entry = entry_take();

    entry->identity = fdb.owners[owner].identity;
    rte_ether_addr_copy(mac, &entry->mac);
    entry->owner = owner;
    entry->domain = domain;
    bucket_add(entry);
    return entry;
}

/* Of a pinned entry nothing is kept over a restart: who pinned it does so again. */
int fdb_pin(uint16_t owner, uint16_t domain, const struct rte_ether_addr *mac)
{
    struct owner *o = &fdb.owners[owner];
    struct entry *entry = entry_find(HINT_SENDER, domain, mac);

    if (entry && is_pinned(entry))
        return entry->owner == owner ? 0 : -EEXIST;
    if (o->nr_pinned == FDB_PINS_MAX || fdb.unpromised == 0)
        return -ENOSPC;
    if (entry)
        entry_forget(entry);
    fdb.unpromised--;
    entry = entry_create(owner, domain, mac);
    entry->older = PINNED;
    entry->younger = o->pinned;
    o->pinned = index_of(entry);
    o->nr_pinned++;
    return 0;
}

static void pins_remove(struct owner *owner)
{
    while (owner->pinned != NO_ENTRY) {
        struct entry *entry = &entries[owner->pinned];

        owner->pinned = entry->younger;
        bucket_remove(entry);
        entry_free(entry);
    }
    fdb.unpromised += owner->nr_pinned;
    owner->nr_pinned = 0;
}

void fdb_owner_remove(uint16_t owner)
{
    fdb_owner_flush(owner);
    pins_remove(&fdb.owners[owner]);
    fdb.unpromised += fdb.owners[owner].quota;
    fdb.owners[owner].quota = 0;
}

/*
 * Two callers' looks at the clock may be in the wrong order by a moment. What was seen long after now was not: a
 * restart found it damaged, and it is old.
 */
static uint64_t age_of(const struct entry *entry, uint64_t now)
{
    return entry->seen > now && entry->seen - now < SECOND ? 0 : now - entry->seen;
}

/* A station of the owner is heard again. */
static void entry_refresh(struct entry *entry, uint64_t now)
{
    if (age_of(entry, now) < fdb.ageing_ns / REFRESH_PART)
        return;
    entry->seen = now;
    list_remove(entry);
    list_append(entry);
}

bool fdb_learn(uint16_t owner, uint16_t domain, const struct rte_ether_addr *mac, uint64_t now)
{
    struct entry *entry = entry_find(HINT_SENDER, domain, mac);

    if (entry && is_pinned(entry))
        return entry->owner == owner;
    if (fdb.owners[owner].quota == 0)
        return true;
    if (entry && entry->owner == owner) {
        entry_refresh(entry, now);
        return true;
    }
    if (entry)
        entry_forget(entry);
    owner_make_room(&fdb.owners[owner]);
    entry = entry_create(owner, domain, mac);
    entry->seen = now;
    entry->check = check_of(entry);
    list_append(entry);
    return true;
}

uint16_t fdb_lookup(uint16_t domain, const struct rte_ether_addr *mac, uint64_t now)
{
    struct entry *entry = entry_find(HINT_RECEIVER, domain, mac);

    if (!entry || (!is_pinned(entry) && age_of(entry, now) >= fdb.ageing_ns))
        return FDB_NONE;
    return entry->owner;
}

uint16_t fdb_owner_count(uint16_t owner)
{
    return fdb.owners[owner].count;
}

unsigned int fdb_stations(uint16_t owner, struct fdb_station *stations_r, unsigned int max,
                          uint64_t now, unsigned int *nr_known_r)
{
    const struct owner *o = &fdb.owners[owner];
    unsigned int nr = 0;

    for (uint16_t i = o->pinned; i != NO_ENTRY && nr < max; i = entries[i].younger)
        stations_r[nr++] = (struct fdb_station){ entries[i].mac, entries[i].domain, true, 0 };
    for (uint16_t i = o->youngest; i != NO_ENTRY && nr < max; i = entries[i].older) {
        uint64_t age_ns = age_of(&entries[i], now);

        if (age_ns >= fdb.ageing_ns)
            break;
        stations_r[nr++] = (struct fdb_station){ entries[i].mac, entries[i].domain, false, age_ns };
    }
    *nr_known_r = o->nr_pinned + o->count;
    return nr;
}
