/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver domain's page tables: a copy from when it was well, and what has changed since. Pure.
 * The kernel makes its tables once and then changes only single entries of the grant windows.
 */
#ifndef CONTROL_TABLES_H
#define CONTROL_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLES_ENTRIES 512u
#define TABLES_MAX 600u /* root, one of each level above the leaves, 512 leaves, and some */
#define TABLES_PRESENT 0x1ull
#define TABLES_LARGE 0x80ull
#define TABLES_FRAME 0x000ffffffffff000ull
#define TABLES_IGNORED 0x60ull /* Accessed, Dirty: the processor sets them */

/* Of the root: Xen's own (xen/arch-x86/xen-x86_64.h, HYPERVISOR_VIRT_START). */
#define TABLES_XEN_FIRST 256u
#define TABLES_XEN_LAST 271u

/* Where the kernel maps its guests' pages: two windows of 2 MB (domain/xen/frames.h). */
#define TABLES_GRANT_START ((1ull << 30) - (4ull << 20))
#define TABLES_GRANT_END (1ull << 30)

struct table {
    uint64_t mfn;
    uint64_t va; /* the first address that it maps */
    uint32_t level; /* 4: the root; 1: the leaves */
    uint32_t reserved;
    uint64_t entries[TABLES_ENTRIES];
};

struct tables {
    uint32_t nr;
    struct table *table; /* parents before children; [0] is the root */
    uint64_t vm_assist; /* VMASST_TYPE_* that the domain had asked Xen for */
};

/* One entry that is not as it was. */
struct tables_change {
    uint32_t table, entry;
    uint64_t value; /* as it was */
};

void tables_dispose(struct tables *tables);

/* Append a table; entries are the caller's to fill. Returns it, or NULL: too many, or no memory. */
struct table *tables_add(struct tables *tables, uint64_t mfn, uint64_t va, uint32_t level);

/* Whether an entry counts: not Xen's own, and not a guest's page in the grant windows. */
bool tables_counts(const struct table *table, unsigned int entry);

/* Whether an entry leads to a table of the next level. */
bool tables_leads_on(const struct table *table, unsigned int entry);

/* The address that an entry maps first. */
uint64_t tables_entry_va(const struct table *table, unsigned int entry);

/*
 * Compare one table with what is in its frame now.
 *
 *   index      of the table
 *   now        512 entries
 *   changes    filled from *nr on; no more than max
 *
 * Returns 0, or -E2BIG.
 */
int tables_compare(const struct tables *tables, uint32_t index, const uint64_t *now,
                   struct tables_change *changes, uint32_t max, uint32_t *nr);

/* The frame behind an address, or -ENOENT. */
int tables_mfn(const struct tables *tables, uint64_t va, uint64_t *mfn_r);

/* As bytes for a file, to be freed; NULL without memory. Guards against cut and changed files, and
 * against those of another domain by `who`. */
void *tables_encode(const struct tables *tables, const char *who, size_t *len_r);
/* Returns 0, -EINVAL, or -ENOMEM. */
int tables_decode(const void *bytes, size_t len, const char *who, struct tables *tables_r);

#endif
