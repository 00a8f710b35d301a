/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_fragment.h"

#include <string.h>

#include <rte_jhash.h>

#define SECOND 1000000000ull
#define NOTE_LIFETIME (15 * SECOND)
#define HELD_SEGS_MAX 2 /* of a frame that is kept: mbufs are what runs out */
#define HELD_LIFETIME (2 * SECOND)
#define NOTES (NAT_GUESTS * NAT_NOTES_GUEST)
#define BUCKETS 512 /* a power of two */
#define NO_NOTE UINT16_MAX

_Static_assert(sizeof(struct nat_fragment_key) == 40, "a key is hashed as it lies in memory");

/* Those of a guest lie together: number guest * NAT_NOTES_GUEST and on. */
struct entry {
    struct nat_fragment_key key;
    struct nat_note note;
    bool is_used;
    uint16_t next; /* in its bucket */
};

struct held {
    struct nat_fragment_key key;
    struct rte_mbuf *frame;
    uint64_t until; /* ns */
};

static struct {
    uint32_t seed;
    uint16_t next_id;
    uint16_t nr_held;
    uint16_t buckets[BUCKETS];
    struct entry entries[NOTES];
    struct held held[NAT_HELD_MAX]; /* the first nr_held, in the order they came in */
} table;

struct nat_fragment_key nat_fragment_key_of(const struct nat_packet *p, enum nat_path path,
                                            uint8_t owner)
{
    return (struct nat_fragment_key){ .src = p->src,
                                      .dst = p->dst,
                                      .id = p->fragment_id,
                                      .protocol = p->protocol,
                                      .is_v6 = p->is_v6,
                                      .path = path,
                                      .owner = owner };
}

void nat_fragment_init(uint32_t seed)
{
    memset(&table, 0, sizeof(table));
    memset(table.buckets, 0xff, sizeof(table.buckets));
    table.seed = seed;
    table.next_id = (uint16_t)rte_jhash_1word(seed, seed);
}

static bool is_same(const struct nat_fragment_key *a, const struct nat_fragment_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static uint16_t *bucket_of(const struct nat_fragment_key *key)
{
    uint32_t words[sizeof(*key) / sizeof(uint32_t)];

    memcpy(words, key, sizeof(words));
    return &table.buckets[rte_jhash_32b(words, RTE_DIM(words), table.seed) & (BUCKETS - 1)];
}

static void entry_forget(struct entry *entry)
{
    uint16_t index = (uint16_t)(entry - table.entries), *link = bucket_of(&entry->key);

    if (!entry->is_used)
        return;
    while (*link != index)
        link = &table.entries[*link].next;
    *link = entry->next;
    entry->is_used = false;
}

struct nat_note *nat_note_find(const struct nat_fragment_key *key, uint64_t now)
{
    for (uint16_t i = *bucket_of(key); i != NO_NOTE; i = table.entries[i].next) {
        struct entry *entry = &table.entries[i];

        if (!is_same(&entry->key, key))
            continue;
        if (now - entry->note.seen < NOTE_LIFETIME)
            return &entry->note;
        entry_forget(entry);
        return NULL;
    }
    return NULL;
}

static struct entry *notes_of(uint8_t guest)
{
    return &table.entries[guest * NAT_NOTES_GUEST];
}

static struct entry *oldest_of(uint8_t guest)
{
    struct entry *entries = notes_of(guest), *oldest = entries;

    for (unsigned int i = 0; i < NAT_NOTES_GUEST; i++) {
        if (!entries[i].is_used)
            return &entries[i];
        if (entries[i].note.seen < oldest->note.seen)
            oldest = &entries[i];
    }
    return oldest;
}

uint16_t nat_fragment_id(void)
{
    return table.next_id++;
}

struct nat_note *nat_note_make(const struct nat_fragment_key *key, const struct nat_note *note)
{
    struct entry *entry = oldest_of(note->guest);
    uint16_t *bucket = bucket_of(key);

    entry_forget(entry);
    *entry = (struct entry){ .key = *key, .note = *note, .is_used = true, .next = *bucket };
    *bucket = (uint16_t)(entry - table.entries);
    return &entry->note;
}

static struct rte_mbuf *held_remove(unsigned int i)
{
    struct rte_mbuf *frame = table.held[i].frame;

    table.nr_held--;
    memmove(&table.held[i], &table.held[i + 1], (table.nr_held - i) * sizeof(table.held[0]));
    return frame;
}

static unsigned int count_of(const struct nat_fragment_key *key)
{
    bool is_in = key->path == NAT_PATH_IN;
    unsigned int nr = 0;

    for (unsigned int i = 0; i < table.nr_held; i++)
        nr += table.held[i].key.owner == key->owner &&
              (table.held[i].key.path == NAT_PATH_IN) == is_in;
    return nr;
}

static unsigned int count_from_sender(const struct nat_fragment_key *key)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < table.nr_held; i++)
        nr += table.held[i].key.path == NAT_PATH_IN && table.held[i].key.owner == key->owner &&
              memcmp(&table.held[i].key.src, &key->src, sizeof(key->src)) == 0;
    return nr;
}

/* The oldest frame of the sender outside that has the most, if that is more than this one's has; -1: none. */
static int outside_least(const struct nat_fragment_key *key)
{
    unsigned int most = count_from_sender(key);
    int least = -1;

    for (unsigned int i = 0; i < table.nr_held; i++) {
        const struct nat_fragment_key *other = &table.held[i].key;
        unsigned int nr =
            other->path == NAT_PATH_IN && other->owner == key->owner ? count_from_sender(other) : 0;

        if (nr > most) {
            most = nr;
            least = (int)i;
        }
    }
    return least;
}

/* A guest has its own part; an outside's is shared by those who send there. */
static bool room_make(const struct nat_fragment_key *key, nat_held_lost *lost)
{
    bool is_in = key->path == NAT_PATH_IN;
    int least;

    if (table.nr_held < NAT_HELD_MAX && count_of(key) < (is_in ? NAT_HELD_OUTSIDE : NAT_HELD_GUEST))
        return true;
    least = is_in ? outside_least(key) : -1;
    if (least < 0)
        return false;
    lost(&table.held[least].key);
    rte_pktmbuf_free(held_remove((unsigned int)least));
    return true;
}

bool nat_fragment_hold(const struct nat_fragment_key *key, struct rte_mbuf *frame, uint64_t now,
                       nat_held_lost *lost)
{
    if (frame->nb_segs > HELD_SEGS_MAX || !room_make(key, lost))
        return false;
    table.held[table.nr_held++] =
        (struct held){ .key = *key, .frame = frame, .until = now + HELD_LIFETIME };
    return true;
}

struct rte_mbuf *nat_fragment_take(const struct nat_fragment_key *key)
{
    for (unsigned int i = 0; i < table.nr_held; i++)
        if (is_same(&table.held[i].key, key))
            return held_remove(i);
    return NULL;
}

void nat_held_forget(enum nat_path path, uint8_t owner)
{
    unsigned int i = 0;

    while (i < table.nr_held) {
        const struct nat_fragment_key *key = &table.held[i].key;

        if (key->path == path && key->owner == owner)
            rte_pktmbuf_free(held_remove(i));
        else
            i++;
    }
}

void nat_note_forget(uint8_t guest)
{
    for (unsigned int i = 0; i < NAT_NOTES_GUEST; i++)
        entry_forget(&notes_of(guest)[i]);
}

uint64_t nat_fragment_tick(uint64_t now, nat_held_lost *lost)
{
    while (table.nr_held > 0 && table.held[0].until <= now) {
        lost(&table.held[0].key);
        rte_pktmbuf_free(held_remove(0));
    }
    return table.nr_held > 0 ? table.held[0].until : UINT64_MAX;
}
