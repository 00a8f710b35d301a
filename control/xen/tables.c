/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x454c424154524546ull
#define WHO_SIZE 64
#define ENTRY_SHIFT(level) (12 + 9 * ((level)-1))

struct file_header {
    uint64_t magic, sum; /* of all that follows */
    char who[WHO_SIZE];
    uint64_t vm_assist;
    uint32_t nr, table_size;
};

void tables_dispose(struct tables *tables)
{
    free(tables->table);
    memset(tables, 0, sizeof(*tables));
}

struct table *tables_add(struct tables *tables, uint64_t mfn, uint64_t va, uint32_t level)
{
    struct table *table;

    if (tables->nr == TABLES_MAX)
        return NULL;
    if (!tables->table)
        tables->table = calloc(TABLES_MAX, sizeof(*table));
    if (!tables->table)
        return NULL;
    table = &tables->table[tables->nr++];
    table->mfn = mfn;
    table->va = va;
    table->level = level;
    return table;
}

uint64_t tables_entry_va(const struct table *table, unsigned int entry)
{
    return table->va + ((uint64_t)entry << ENTRY_SHIFT(table->level));
}

bool tables_counts(const struct table *table, unsigned int entry)
{
    uint64_t va;

    if (table->level == 4)
        return entry < TABLES_XEN_FIRST || entry > TABLES_XEN_LAST;
    if (table->level > 1)
        return true;
    va = tables_entry_va(table, entry);
    return va < TABLES_GRANT_START || va >= TABLES_GRANT_END;
}

bool tables_leads_on(const struct table *table, unsigned int entry)
{
    uint64_t value = table->entries[entry];

    return table->level > 1 && tables_counts(table, entry) && (value & TABLES_PRESENT) &&
           !(value & TABLES_LARGE);
}

int tables_compare(const struct tables *tables, uint32_t index, const uint64_t *now,
                   struct tables_change *changes, uint32_t max, uint32_t *nr)
{
    const struct table *table = &tables->table[index];

    for (unsigned int i = 0; i < TABLES_ENTRIES; i++) {
        if (((table->entries[i] ^ now[i]) & ~TABLES_IGNORED) == 0 || !tables_counts(table, i))
            continue;
        if (*nr == max)
            return -E2BIG;
        changes[(*nr)++] = (struct tables_change){ index, i, table->entries[i] };
    }
    return 0;
}

int tables_mfn(const struct tables *tables, uint64_t va, uint64_t *mfn_r)
{
    for (uint32_t i = 0; i < tables->nr; i++) {
        const struct table *table = &tables->table[i];
        uint64_t entry;

        if (table->level != 1 || va < table->va ||
            va - table->va >= (uint64_t)TABLES_ENTRIES << ENTRY_SHIFT(1))
            continue;
        entry = table->entries[(va - table->va) >> ENTRY_SHIFT(1)];
        if (!(entry & TABLES_PRESENT))
            return -ENOENT;
        *mfn_r = (entry & TABLES_FRAME) >> 12;
        return 0;
    }
    return -ENOENT;
}

/* FNV-1a, by words: finds damage, keeps nobody out. */
static uint64_t sum_of(const void *bytes, size_t len)
{
    uint64_t sum = 0xcbf29ce484222325ull, word;

    for (size_t i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, (const char *)bytes + i, sizeof(word));
        sum = (sum ^ word) * 0x100000001b3ull;
        sum ^= sum >> 29;
    }
    return sum;
}

#define SUMMED offsetof(struct file_header, who)

void *tables_encode(const struct tables *tables, const char *who, size_t *len_r)
{
    size_t size = tables->nr * sizeof(struct table), len = sizeof(struct file_header) + size;
    struct file_header header = { .magic = MAGIC,
                                  .vm_assist = tables->vm_assist,
                                  .nr = tables->nr,
                                  .table_size = sizeof(struct table) };
    char *bytes = malloc(len);

    if (!bytes)
        return NULL;
    snprintf(header.who, sizeof(header.who), "%s", who);
    memcpy(bytes, &header, sizeof(header));
    if (size)
        memcpy(bytes + sizeof(header), tables->table, size);
    header.sum = sum_of(bytes + SUMMED, len - SUMMED);
    memcpy(bytes, &header, sizeof(header));
    *len_r = len;
    return bytes;
}

int tables_decode(const void *bytes, size_t len, const char *who, struct tables *tables_r)
{
    struct file_header header;
    struct tables tables = { 0 };
    char wanted[WHO_SIZE];

    if (len < sizeof(header))
        return -EINVAL;
    memcpy(&header, bytes, sizeof(header));
    snprintf(wanted, sizeof(wanted), "%s", who);
    if (header.magic != MAGIC || header.table_size != sizeof(struct table) || header.nr == 0 ||
        header.nr > TABLES_MAX || len != sizeof(header) + header.nr * sizeof(struct table) ||
        header.sum != sum_of((const char *)bytes + SUMMED, len - SUMMED) ||
        memchr(header.who, '\0', sizeof(header.who)) == NULL || strcmp(header.who, wanted) != 0)
        return -EINVAL;
    tables.table = calloc(TABLES_MAX, sizeof(struct table));
    if (!tables.table)
        return -ENOMEM;
    tables.nr = header.nr;
    tables.vm_assist = header.vm_assist;
    memcpy(tables.table, (const char *)bytes + sizeof(header), header.nr * sizeof(struct table));
    *tables_r = tables;
    return 0;
}
