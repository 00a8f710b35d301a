/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/domctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <libxl_uuid.h>
#include <xencall.h>
#include <xenforeignmemory.h>

#include "journal/journal.h"

int domctl_info(struct host *host, uint32_t domid, xc_domaininfo_t *info_r)
{
    int nr = xc_domain_getinfolist(host->xc, domid, 1, info_r);

    if (nr < 0)
        return -errno;
    return nr == 1 && info_r->domain == domid ? 0 : -ENOENT;
}

bool domctl_is(const xc_domaininfo_t *info, const char *uuid)
{
    char text[JOURNAL_UUID_SIZE];
    const uint8_t *u = info->handle;

    snprintf(text, sizeof(text),
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
             u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
             u[15]);
    return strcmp(text, uuid) == 0;
}

void *domctl_map(struct host *host, uint32_t domid, int prot, const xen_pfn_t *mfns, size_t nr)
{
    return xenforeignmemory_map(host->memory, domid, prot, nr, mfns, NULL);
}

void domctl_unmap(struct host *host, const volatile void *pages, size_t nr)
{
    if (pages)
        xenforeignmemory_unmap(host->memory, (void *)pages, nr);
}

int domctl_context_get(struct host *host, uint32_t domid, vcpu_guest_context_any_t *context_r)
{
    return xc_vcpu_getcontext(host->xc, domid, 0, context_r) ? -errno : 0;
}

int domctl_context_set(struct host *host, uint32_t domid, vcpu_guest_context_any_t *context)
{
    return xc_vcpu_setcontext(host->xc, domid, 0, context) ? -errno : 0;
}

int domctl_context_drop(struct host *host, uint32_t domid)
{
    return domctl_context_set(host, domid, NULL);
}

/* The tables that a table leads to: appended, still empty. */
static int children_add(struct tables *tables, uint32_t index)
{
    for (unsigned int i = 0; i < TABLES_ENTRIES; i++) {
        const struct table *table = &tables->table[index];

        if (tables_leads_on(table, i) &&
            !tables_add(tables, (table->entries[i] & TABLES_FRAME) >> 12, tables_entry_va(table, i),
                        table->level - 1))
            return -E2BIG;
    }
    return 0;
}

/* The contents of tables [first, nr). */
static int contents_read(struct host *host, uint32_t domid, struct tables *tables, uint32_t first)
{
    uint32_t nr = tables->nr - first;
    xen_pfn_t mfns[TABLES_MAX] = { 0 };
    char *pages;

    for (uint32_t i = 0; i < nr; i++)
        mfns[i] = tables->table[first + i].mfn;
    pages = domctl_map(host, domid, PROT_READ, mfns, nr);
    if (!pages)
        return -errno;
    for (uint32_t i = 0; i < nr; i++)
        memcpy(tables->table[first + i].entries, pages + (size_t)i * XC_PAGE_SIZE, XC_PAGE_SIZE);
    domctl_unmap(host, pages, nr);
    return 0;
}

/* The root, still empty. */
static int root_add(struct host *host, uint32_t domid, struct tables *tables)
{
    vcpu_guest_context_any_t *context = calloc(1, sizeof(*context));
    int err = context ? domctl_context_get(host, domid, context) : -ENOMEM;

    if (!err && !tables_add(tables, context->x64.ctrlreg[3] >> 12, 0, 4))
        err = -ENOMEM;
    if (!err)
        tables->vm_assist = context->x64.vm_assist;
    free(context);
    return err;
}

int domctl_tables_read(struct host *host, uint32_t domid, struct tables *tables_r)
{
    struct tables tables = { 0 };
    uint32_t done = 0;
    int err = root_add(host, domid, &tables);

    while (!err && done < tables.nr) {
        uint32_t end = tables.nr;

        err = contents_read(host, domid, &tables, done);
        for (; !err && done < end; done++)
            err = children_add(&tables, done);
    }
    if (err)
        tables_dispose(&tables);
    else
        *tables_r = tables;
    return err;
}

#define BATCH 256

static int updates_do(struct host *host, uint32_t domid, const struct mmu_update *updates,
                      unsigned int nr)
{
    size_t size = nr * sizeof(*updates);
    struct mmu_update *buffer = xencall_alloc_buffer(host->call, size);
    int rc;

    if (!buffer)
        return -ENOMEM;
    memcpy(buffer, updates, size);
    /* xen/xen.h, FD[31:16]: whose page tables, plus one; FD[15:0]: whose frames they map. */
    rc = xencall4(host->call, __HYPERVISOR_mmu_update, (uintptr_t)buffer, nr, 0,
                  (domid + 1) << 16 | domid);
    rc = rc ? -errno : 0;
    xencall_free_buffer(host->call, buffer);
    return rc;
}

static int level_write(struct host *host, uint32_t domid, const struct tables *tables,
                       const struct tables_change *changes, uint32_t nr, uint32_t level)
{
    struct mmu_update updates[BATCH];
    unsigned int nr_updates = 0;
    int err = 0;

    for (uint32_t i = 0; !err && i < nr; i++) {
        const struct table *table = &tables->table[changes[i].table];

        if (table->level != level)
            continue;
        updates[nr_updates++] =
            (struct mmu_update){ .ptr = (table->mfn << 12 | changes[i].entry * sizeof(uint64_t)) |
                                        MMU_NORMAL_PT_UPDATE,
                                 .val = changes[i].value };
        if (nr_updates == BATCH) {
            err = updates_do(host, domid, updates, nr_updates);
            nr_updates = 0;
        }
    }
    return err || !nr_updates ? err : updates_do(host, domid, updates, nr_updates);
}

int domctl_tables_write(struct host *host, uint32_t domid, const struct tables *tables,
                        const struct tables_change *changes, uint32_t nr)
{
    int err = 0;

    for (uint32_t level = 1; !err && level <= 4; level++)
        err = level_write(host, domid, tables, changes, nr, level);
    return err;
}

int domctl_resume(struct host *host, uint32_t domid)
{
    struct xen_domctl domctl = { .cmd = XEN_DOMCTL_resumedomain, .domain = (domid_t)domid };

    /* Not xc_domain_resume(): that one wants a guest that suspended itself. */
    return xc_domctl(host->xc, &domctl) ? -errno : 0;
}

int domctl_events_mask(struct host *host, uint32_t domid, uint64_t shared_info_mfn)
{
    xen_pfn_t mfn = shared_info_mfn;
    shared_info_any_t *shared = domctl_map(host, domid, PROT_READ | PROT_WRITE, &mfn, 1);

    if (!shared)
        return -errno;
    shared->x64.vcpu_info[0].evtchn_upcall_mask = 1;
    domctl_unmap(host, shared, 1);
    return 0;
}
