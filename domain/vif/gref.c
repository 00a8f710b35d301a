/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/gref.h"

#include <errno.h>
#include <string.h>

#include "vif/device.h"
#include "xen/gnttab_pages.h"

_Static_assert(GREF_QUEUE_MAX <= GNTTAB_PAGES_BATCH, "a request is one hypercall");

/* Outlives restarts, as handles must: nothing else tells Xen what to unmap. One of the two copies is always whole. */
struct gref_table gref_tables[2] __outlive;
static struct gref_table *const tables = gref_tables;
static struct gref_entry *const entries = gref_tables[0].entries;

/* Slots by place, queue and reference, in order. Made anew by each start. */
static struct gref_key {
    uint64_t key;
    unsigned int slot;
} keys[PAGE_SLOTS];
static unsigned int nr_keys;

static uint32_t table_sum(const struct gref_table *table)
{
    return recovery_sum(table->entries, sizeof(table->entries));
}

static void seal(void)
{
    tables[0].sum = table_sum(&tables[0]);
    barrier();
    memcpy(&tables[1], &tables[0], sizeof(tables[1]));
}

static uint64_t key_of(unsigned int place, unsigned int queue, grant_ref_t ref)
{
    return (uint64_t)place << 40 | (uint64_t)queue << 32 | ref;
}

static uint64_t entry_key(const struct gref_entry *entry)
{
    return key_of(entry->place, entry->queue, entry->ref);
}

/* Where the key is, or would have to be. */
static unsigned int key_at(uint64_t key)
{
    unsigned int first = 0, end = nr_keys;

    while (first < end) {
        unsigned int middle = (first + end) / 2;

        if (keys[middle].key < key)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* Returns the slot, or -ENOENT. */
static int key_find(const struct vif_queue *queue, grant_ref_t ref)
{
    uint64_t key = key_of(queue->vif->index, queue->index, ref);
    unsigned int at = key_at(key);

    return at < nr_keys && keys[at].key == key ? (int)keys[at].slot : -ENOENT;
}

static void key_add(unsigned int slot)
{
    uint64_t key = entry_key(&entries[slot]);
    unsigned int at = key_at(key);

    INVARIANT(nr_keys < PAGE_SLOTS);
    memmove(&keys[at + 1], &keys[at], (nr_keys - at) * sizeof(keys[0]));
    keys[at] = (struct gref_key){ key, slot };
    nr_keys++;
}

static void key_remove(unsigned int slot)
{
    unsigned int at = key_at(entry_key(&entries[slot]));

    INVARIANT(at < nr_keys && keys[at].slot == slot);
    nr_keys--;
    memmove(&keys[at], &keys[at + 1], (nr_keys - at) * sizeof(keys[0]));
}

/* Unmap some of those that leave. Returns how many: 0 when there are none left. */
static unsigned int leaving_unmap(bool may_be_gone)
{
    struct gnttab_page pages[GNTTAB_PAGES_BATCH];
    unsigned int nr = 0, refused;

    for (unsigned int slot = 0; slot < PAGE_SLOTS && nr < GNTTAB_PAGES_BATCH; slot++)
        if (entries[slot].state == GREF_LEAVING)
            pages[nr++] =
                (struct gnttab_page){ .handle = entries[slot].handle, .slot = (uint16_t)slot };
    if (nr == 0)
        return 0;
    refused = gnttab_pages_unmap(pages, nr);
    INVARIANT(refused == 0 || may_be_gone);
    for (unsigned int i = 0; i < nr; i++) {
        key_remove(pages[i].slot);
        entries[pages[i].slot] = (struct gref_entry){ .state = GREF_FREE };
    }
    seal();
    return nr;
}

/* The last start may have died between unmapping them and saying so. */
static void leftovers_unmap(void)
{
    for (unsigned int slot = 0; slot < PAGE_SLOTS; slot++)
        if (entries[slot].state != GREF_FREE)
            key_add(slot);
    while (leaving_unmap(true))
        ;
}

int gref_init(void)
{
    nr_keys = 0;
    if (!recovery_resuming()) {
        memset(gref_tables, 0, sizeof(gref_tables));
        seal();
        return 0;
    }
    if (tables[0].sum != table_sum(&tables[0])) {
        if (tables[1].sum != table_sum(&tables[1]))
            return -EPROTO;
        memcpy(&tables[0], &tables[1], sizeof(tables[0]));
    }
    leftovers_unmap();
    return 0;
}

/* Unmap all that leave; from here on they are unmapped, whoever does it: this start or the next. */
static unsigned int all_unmap(void)
{
    unsigned int nr = 0, some;

    seal();
    while ((some = leaving_unmap(false)) > 0)
        nr += some;
    return nr;
}

static unsigned int vif_nr_grefs(struct vif *vif)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < vif->nr_queues; i++)
        nr += vif_queue_of(vif, i)->nr_grefs;
    return nr;
}

/* Was it mapped by a request that has no response yet? Its guest is told that the request failed. */
static bool is_in_hand(const struct vif *vif, const struct gref_entry *entry)
{
    return entry->request - vif->ctrl.ring.rsp_prod_pvt < vif->ctrl.ring.nr_ents;
}

void gref_resume(struct vif *vif)
{
    for (unsigned int slot = 0; slot < PAGE_SLOTS; slot++) {
        struct gref_entry *entry = &entries[slot];

        if (entry->state != GREF_MAPPED || entry->place != vif->index)
            continue;
        if (entry->guest != vif->guest || entry->queue >= vif->nr_queues || is_in_hand(vif, entry))
            entry->state = GREF_LEAVING;
        else
            vif_queue_of(vif, entry->queue)->nr_grefs++;
    }
    (void)all_unmap();
}

void gref_sweep(void)
{
    for (unsigned int slot = 0; slot < PAGE_SLOTS; slot++) {
        const struct vif *vif = &vif_table[entries[slot].place];

        if (entries[slot].state == GREF_MAPPED &&
            (!vif->mapped || !vif->ctrl.used || vif->guest != entries[slot].guest))
            entries[slot].state = GREF_LEAVING;
    }
    (void)all_unmap();
}

unsigned int gref_room(const struct vif_queue *queue)
{
    unsigned int of_vif = GREF_VIF_MAX - vif_nr_grefs(queue->vif);

    return RTE_MIN(PAGE_SLOTS - nr_keys, RTE_MIN(of_vif, GREF_QUEUE_MAX - queue->nr_grefs));
}

bool gref_has(const struct vif_queue *queue, grant_ref_t ref)
{
    return key_find(queue, ref) >= 0;
}

/* The next free slot from this one on. There is one. */
static unsigned int slot_free(unsigned int slot)
{
    while (slot < PAGE_SLOTS && entries[slot].state != GREF_FREE)
        slot++;
    INVARIANT(slot < PAGE_SLOTS);
    return slot;
}

int gref_map(struct vif_queue *queue, const struct xen_netif_gref *list, unsigned int nr,
             RING_IDX request)
{
    struct gnttab_page pages[GNTTAB_PAGES_BATCH];
    unsigned int slot = 0;

    INVARIANT(nr <= gref_room(queue));
    for (unsigned int i = 0; i < nr; i++) {
        slot = slot_free(slot);
        pages[i] =
            (struct gnttab_page){ .ref = list[i].ref,
                                  .slot = (uint16_t)slot++,
                                  .read_only = list[i].flags & XEN_NETIF_CTRLF_GREF_readonly };
    }
    if (gnttab_pages_map(queue->vif->guest, pages, nr) != 0)
        return -EINVAL;
    for (unsigned int i = 0; i < nr; i++) {
        entries[pages[i].slot] = (struct gref_entry){ .ref = pages[i].ref,
                                                      .handle = pages[i].handle,
                                                      .request = request,
                                                      .guest = queue->vif->guest,
                                                      .place = queue->vif->index,
                                                      .queue = queue->index,
                                                      .state = GREF_MAPPED,
                                                      .read_only = pages[i].read_only };
        key_add(pages[i].slot);
    }
    seal();
    queue->nr_grefs = (uint8_t)(queue->nr_grefs + nr);
    return 0;
}

bool gref_leave(const struct vif_queue *queue, grant_ref_t ref)
{
    int slot = key_find(queue, ref);

    if (slot < 0 || entries[slot].state != GREF_MAPPED)
        return false;
    entries[slot].state = GREF_LEAVING;
    return true;
}

void gref_stay(void)
{
    for (unsigned int slot = 0; slot < PAGE_SLOTS; slot++)
        if (entries[slot].state == GREF_LEAVING)
            entries[slot].state = GREF_MAPPED;
}

unsigned int gref_unmap(struct vif_queue *queue)
{
    unsigned int nr = all_unmap();

    queue->nr_grefs = (uint8_t)(queue->nr_grefs - nr);
    return nr;
}

void gref_drop(struct vif *vif)
{
    if (vif_nr_grefs(vif) == 0)
        return;
    for (unsigned int slot = 0; slot < PAGE_SLOTS; slot++)
        if (entries[slot].state == GREF_MAPPED && entries[slot].place == vif->index)
            entries[slot].state = GREF_LEAVING;
    (void)all_unmap();
    for (unsigned int i = 0; i < vif->nr_queues; i++)
        vif_queue_of(vif, i)->nr_grefs = 0;
}

uint8_t *gref_page(const struct vif_queue *queue, grant_ref_t ref, bool writes)
{
    int slot = queue->nr_grefs ? key_find(queue, ref) : -ENOENT;

    if (slot < 0 || (writes && entries[slot].read_only))
        return NULL;
    return gnttab_page_va((unsigned int)slot);
}

unsigned int gref_nr(void)
{
    return nr_keys;
}
