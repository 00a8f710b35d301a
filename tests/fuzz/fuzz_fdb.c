/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The station table against a model of it: for each owner a list of its stations from the one heard longest ago to
 * the last one, an array that is searched from end to end. Whatever is learned, pinned, forgotten, and damaged over a
 * restart, both know the same stations, and the table's lists are whole: no entry is lost or in two of them.
 *
 * The input: settings, and steps; a step is a byte that says what to do, one for the owner, and what it needs.
 */
#include <stddef.h>

#include "net/fdb.c"

#include "fuzz.h"

#define OWNERS 6
#define STATIONS 256 /* of one owner; steps are fewer */
#define STEPS 200

struct known {
    struct rte_ether_addr mac;
    uint16_t domain;
    uint64_t seen;
};

static struct model {
    bool is_there; /* has a quota */
    uint16_t quota, nr, nr_pinned;
    uint8_t bridge;
    struct known list[STATIONS], pinned[FDB_PINS_MAX]; /* old ones first */
} models[OWNERS];

/* What waits for its owner, in the order of its places. */
static struct waits {
    struct known known;
    uint32_t identity;
    uint16_t index;
} waits[OWNERS * STATIONS];
static unsigned int nr_waits;

static uint64_t now, ageing;
static uint32_t unpromised;

static uint32_t identity_of(unsigned int owner)
{
    return 0x1000u + owner % 3 + owner / 3 * PENDING_CHAINS; /* two in each of three chains */
}

static bool is_it(const struct known *known, uint16_t domain, const struct rte_ether_addr *mac)
{
    return known->domain == domain && memcmp(&known->mac, mac, sizeof(*mac)) == 0;
}

/* Who knows the station; NULL: nobody. Its place in at_r, in the list of pinned ones or the other. */
static struct model *known_find(uint16_t domain, const struct rte_ether_addr *mac,
                                unsigned int *at_r, bool *is_pinned_r)
{
    for (unsigned int o = 0; o < OWNERS; o++) {
        for (*at_r = 0, *is_pinned_r = true; *at_r < models[o].nr_pinned; (*at_r)++)
            if (is_it(&models[o].pinned[*at_r], domain, mac))
                return &models[o];
        for (*at_r = 0, *is_pinned_r = false; *at_r < models[o].nr; (*at_r)++)
            if (is_it(&models[o].list[*at_r], domain, mac))
                return &models[o];
    }
    return NULL;
}

static void known_remove(struct model *model, unsigned int at)
{
    memmove(&model->list[at], &model->list[at + 1], (--model->nr - at) * sizeof(model->list[0]));
}

static void known_insert(struct model *model, unsigned int at, const struct known *known)
{
    FUZZ_CHECK(model->nr < STATIONS);
    memmove(&model->list[at + 1], &model->list[at], (model->nr++ - at) * sizeof(model->list[0]));
    model->list[at] = *known;
}

static uint64_t model_age(uint64_t seen)
{
    if (seen > now && seen - now < 1000000000ull)
        return 0;
    return now - seen;
}

static struct rte_ether_addr mac_take(struct fuzz_input *input)
{
    return (struct rte_ether_addr){ { 2, 0, 0, 0, 0, fuzz_u8(input) % 32 } };
}

static uint16_t domain_take(struct fuzz_input *input, const struct model *model)
{
    return FDB_DOMAIN(model->bridge, fuzz_u8(input) % 3);
}

static void owner_add(struct fuzz_input *input, unsigned int owner)
{
    struct model *model = &models[owner];
    uint8_t what = fuzz_u8(input);
    uint16_t wanted = what < 240 ? what % 12 : (uint16_t)(what * 100u), quota;

    if (model->is_there)
        return;
    quota = fdb_owner_add((uint16_t)owner, wanted, identity_of(owner));
    FUZZ_CHECK(quota == (wanted < unpromised ? wanted : unpromised));
    unpromised -= quota;
    *model = (struct model){ .is_there = quota != 0, .quota = quota, .bridge = what & 1 };
    if (!quota)
        return;
    fdb_owner_recall((uint16_t)owner, model->bridge);
    for (unsigned int i = 0; i < nr_waits; i++) {
        struct known known = waits[i].known;
        unsigned int at;
        bool is_pinned;

        if (waits[i].identity != identity_of(owner))
            continue;
        memmove(&waits[i], &waits[i + 1], (--nr_waits - i) * sizeof(waits[0]));
        i--;
        known.domain = FDB_DOMAIN(model->bridge, known.domain & 0xfff);
        if (known_find(known.domain, &known.mac, &at, &is_pinned))
            continue;
        for (at = model->nr; at > 0 && model->list[at - 1].seen > known.seen;)
            at--;
        known_insert(model, at, &known);
        if (model->nr > model->quota)
            known_remove(model, 0);
    }
}

static void owner_remove(unsigned int owner)
{
    struct model *model = &models[owner];

    fdb_owner_remove((uint16_t)owner);
    unpromised += model->quota + model->nr_pinned;
    memset(model, 0, sizeof(*model));
}

static void learn(struct fuzz_input *input, unsigned int owner)
{
    struct model *model = &models[owner], *at;
    struct rte_ether_addr mac = mac_take(input);
    uint16_t domain = domain_take(input, model);
    struct known known = { mac, domain, now };
    bool is_pinned, is_its = fdb_learn((uint16_t)owner, domain, &mac, now);
    unsigned int i;

    at = known_find(domain, &mac, &i, &is_pinned);
    FUZZ_CHECK(is_its == !(at && is_pinned && at != model));
    if ((at && is_pinned) || !model->is_there)
        return;
    if (at == model) {
        if (model_age(model->list[i].seen) < ageing / REFRESH_PART)
            return;
        known_remove(model, i);
    } else {
        if (at)
            known_remove(at, i);
        if (model->nr == model->quota)
            known_remove(model, 0);
    }
    known_insert(model, model->nr, &known);
}

static void pin(struct fuzz_input *input, unsigned int owner)
{
    struct model *model = &models[owner], *at;
    struct rte_ether_addr mac = mac_take(input);
    uint16_t domain = domain_take(input, model);
    unsigned int i;
    bool is_pinned;
    int expected = 0, got;

    if (!model->is_there)
        return;
    at = known_find(domain, &mac, &i, &is_pinned);
    if (at && is_pinned)
        expected = at == model ? 0 : -EEXIST;
    else if (model->nr_pinned == FDB_PINS_MAX || !unpromised)
        expected = -ENOSPC;
    got = fdb_pin((uint16_t)owner, domain, &mac);
    FUZZ_CHECK(got == expected);
    if (got || (at && is_pinned))
        return;
    if (at)
        known_remove(at, i);
    model->pinned[model->nr_pinned++] = (struct known){ mac, domain, 0 };
    unpromised--;
}

/* What the table says of an owner is what the model knows. */
static void owner_compare(unsigned int owner)
{
    static struct fdb_station stations[STATIONS];
    const struct model *model = &models[owner];
    unsigned int nr_known, nr, at = 0;

    nr = fdb_stations((uint16_t)owner, stations, STATIONS, now, &nr_known);
    FUZZ_CHECK(nr_known == (unsigned int)model->nr + model->nr_pinned);
    FUZZ_CHECK(fdb_owner_count((uint16_t)owner) == model->nr);
    for (unsigned int i = model->nr_pinned; i-- > 0; at++)
        FUZZ_CHECK(at < nr && stations[at].is_pinned &&
                   is_it(&model->pinned[i], stations[at].domain, &stations[at].mac));
    for (unsigned int i = model->nr; i-- > 0 && model_age(model->list[i].seen) < ageing; at++)
        FUZZ_CHECK(at < nr && !stations[at].is_pinned &&
                   stations[at].age_ns == model_age(model->list[i].seen) &&
                   is_it(&model->list[i], stations[at].domain, &stations[at].mac));
    FUZZ_CHECK(at == nr);
}

static void lookups_compare(void)
{
    for (uint16_t domain = 0; domain < 6; domain++)
        for (uint8_t last = 0; last < 32; last++) {
            struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, last } };
            uint16_t id = FDB_DOMAIN(domain / 3, domain % 3), expected = FDB_NONE;
            unsigned int at;
            bool is_pinned;
            const struct model *model = known_find(id, &mac, &at, &is_pinned);

            if (model && (is_pinned || model_age(model->list[at].seen) < ageing))
                expected = (uint16_t)(model - models);
            FUZZ_CHECK(fdb_lookup(id, &mac, now) == expected);
        }
}

static int is_before(const void *a, const void *b)
{
    return ((const struct waits *)a)->index - ((const struct waits *)b)->index;
}

/* Everything that is known waits for its owner. */
static void waits_make(void)
{
    for (unsigned int o = 0; o < OWNERS; o++)
        for (unsigned int i = 0; i < models[o].nr; i++) {
            const struct known *known = &models[o].list[i];

            waits[nr_waits++] =
                (struct waits){ *known, identity_of(o),
                                index_of(entry_find(HINT_SENDER, known->domain, &known->mac)) };
        }
    qsort(waits, nr_waits, sizeof(waits[0]), is_before);
}

/* A byte of an entry that waits is another after the restart; the time may be wrong, all else is found out. */
static void damage(struct fuzz_input *input)
{
    unsigned int at = fuzz_u8(input);
    uint8_t byte = fuzz_u8(input) % sizeof(struct entry), bits = fuzz_u8(input);
    struct entry *entry;
    bool is_lost;

    if (!nr_waits || !bits)
        return;
    at %= nr_waits;
    entry = &entries[waits[at].index];
    ((uint8_t *)entry)[byte] ^= bits;
    waits[at].known.seen = entry->seen;
    is_lost = (byte >= offsetof(struct entry, identity) && byte < offsetof(struct entry, domain)) ||
              vid_of(entry->domain) != (waits[at].known.domain & 0xfff);
    if (is_lost) {
        memmove(&waits[at], &waits[at + 1], (--nr_waits - at) * sizeof(waits[0]));
        if (entry->check == check_of(entry)) /* two of its bytes make up for each other */
            entry->check = 0;
    }
}

static void restart(struct fuzz_input *input, uint8_t nr_damages)
{
    waits_make();
    while (nr_damages--)
        damage(input);
    memset(models, 0, sizeof(models));
    memset(&fdb, 0x5a, sizeof(fdb));
    unpromised = FDB_ENTRIES;
    FUZZ_CHECK(fdb_resume(fuzz_u8(input)) == nr_waits);
    fdb_ageing_set(ageing);
}

static void step(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);
    unsigned int owner = fuzz_u8(input) % OWNERS;

    now += 1 + (what >> 4 & 3) * ageing / 3 * (what >> 6);
    switch (what & 15) {
    case 0:
        owner_remove(owner);
        break;
    case 1:
        fdb_owner_flush((uint16_t)owner);
        models[owner].nr = 0;
        break;
    case 2:
        restart(input, what >> 4);
        break;
    case 3:
    case 4:
        pin(input, owner);
        break;
    case 5:
    case 6:
        owner_add(input, owner);
        break;
    default:
        learn(input, owner);
    }
    owner_compare(owner);
}

/* Every list is what it says, no entry is lost, and none is in two of them. */
static void lists_check(void)
{
    static uint8_t seen[FDB_ENTRIES];
    unsigned int nr = 0;

    memset(seen, 0, sizeof(seen));
    for (uint16_t i = fdb.free; i != NO_ENTRY; i = entries[i].bucket_next, nr++)
        FUZZ_CHECK(seen[i]++ == 0 && entries[i].check == 0);
    for (unsigned int chain = 0; chain < PENDING_CHAINS; chain++)
        for (uint16_t i = fdb.pending[chain]; i != NO_ENTRY; i = entries[i].bucket_next, nr++)
            FUZZ_CHECK(seen[i]++ == 0 && entries[i].identity % PENDING_CHAINS == chain);
    for (unsigned int o = 0; o < OWNERS; o++) {
        for (uint16_t i = fdb.owners[o].oldest; i != NO_ENTRY; i = entries[i].younger, nr++)
            FUZZ_CHECK(seen[i]++ == 0 && entries[i].owner == o);
        for (uint16_t i = fdb.owners[o].pinned; i != NO_ENTRY; i = entries[i].younger, nr++)
            FUZZ_CHECK(seen[i]++ == 0 && entries[i].owner == o && is_pinned(&entries[i]));
    }
    FUZZ_CHECK(nr == FDB_ENTRIES && fdb.unpromised == unpromised);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    fdb_init(fuzz_u8(&input));
    memset(models, 0, sizeof(models));
    nr_waits = 0;
    unpromised = FDB_ENTRIES;
    now = 1000000000000ull;
    ageing = (uint64_t)fuzz_u8(&input) * 100;
    fdb_ageing_set(ageing);
    for (unsigned int i = 0; i < STEPS && input.left; i++)
        step(&input);
    for (unsigned int o = 0; o < OWNERS; o++)
        owner_compare(o);
    lookups_compare();
    lists_check();
    return 0;
}
