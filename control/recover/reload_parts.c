/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/reload_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "recover/steps.h"
#include "util/log.h"
#include "xen/domctl.h"
#include "xen/text.h"

#define CHANGES_MAX 4096u
#define EXCEPTION_FRAME_SIZE 128
_Static_assert(sizeof(struct ferry_status) + EXCEPTION_FRAME_SIZE <= IMAGE_PAGE,
               "an exception's frame fits behind the status");
#define TRAPS 32
/* xen/xen.h, TI_GET_DPL: breakpoint and overflow are raised by instructions of the kernel, at ring 3. */
#define TRAP_BREAKPOINT 3
#define TRAP_OVERFLOW 4

static int page_write(void *ctx, uint64_t mfn, const uint8_t *page)
{
    struct reload *reload = ctx;
    xen_pfn_t frame = mfn;
    void *there =
        domctl_map(reload->host, reload->journal->domid, PROT_READ | PROT_WRITE, &frame, 1);

    if (!there)
        return -errno;
    memcpy(there, page, IMAGE_PAGE);
    domctl_unmap(reload->host, there, 1);
    reload->nr_pages++;
    return 0;
}

/* The kernel says when it is ready again; what it said before it died must not be taken for that. */
static int phase_reset(struct reload *reload)
{
    struct ferry_status *there;
    xen_pfn_t frame;
    uint64_t mfn;
    int err = tables_mfn(&reload->reference->tables, reload->reference->image.note.status, &mfn);

    if (err)
        return err;
    frame = mfn;
    there = domctl_map(reload->host, reload->journal->domid, PROT_READ | PROT_WRITE, &frame, 1);
    if (!there)
        return -errno;
    *(volatile uint32_t *)&there->phase = FERRY_PHASE_BOOTING;
    domctl_unmap(reload->host, there, 1);
    return 0;
}

int reload_text_put(struct reload *reload)
{
    const struct reference *reference = reload->reference;
    int err = text_compare(reload->host, reload->journal->domid, &reference->image,
                           &reference->tables, reload->view, page_write, reload);

    if (!err)
        err = phase_reset(reload);
    if (err)
        log_line("%s: its text cannot be put right: %s", reload->journal->name, strerror(-err));
    else
        steps_mark(reload->journal, "text");
    return err;
}

/* All tables at their reference frames, in one mapping. */
static int changes_find(struct reload *reload, struct tables_change *changes, uint32_t *nr)
{
    const struct tables *tables = &reload->reference->tables;
    xen_pfn_t mfns[TABLES_MAX] = { 0 };
    char *now;
    int err = 0;

    *nr = 0;
    for (uint32_t i = 0; i < tables->nr; i++)
        mfns[i] = tables->table[i].mfn;
    now = domctl_map(reload->host, reload->journal->domid, PROT_READ, mfns, tables->nr);
    if (!now)
        return -errno;
    for (uint32_t i = 0; !err && i < tables->nr; i++)
        err = tables_compare(tables, i, (const uint64_t *)(now + (size_t)i * IMAGE_PAGE), changes,
                             CHANGES_MAX, nr);
    domctl_unmap(reload->host, now, tables->nr);
    return err;
}

static int tables_put(struct reload *reload, struct tables_change *changes)
{
    uint32_t nr;
    int err = changes_find(reload, changes, &nr);

    if (err || !nr)
        return err;
    reload->nr_entries = nr;
    err = domctl_tables_write(reload->host, reload->journal->domid, &reload->reference->tables,
                              changes, nr);
    if (!err)
        err = changes_find(reload, changes, &nr);
    return err ? err : nr ? -EIO : 0;
}

int reload_tables_put(struct reload *reload)
{
    struct tables_change *changes = calloc(CHANGES_MAX, sizeof(*changes));
    int err = changes ? tables_put(reload, changes) : -ENOMEM;

    free(changes);
    if (err)
        log_line("%s: its page tables cannot be put right: %s", reload->journal->name,
                 strerror(-err));
    else
        steps_mark(reload->journal, "tables");
    return err;
}

void reload_context_fill(vcpu_guest_context_x86_64_t *context, const struct ferry_image *image,
                         const struct tables *tables, uint32_t kind, uint64_t rip)
{
    memset(context, 0, sizeof(*context));
    for (unsigned int i = 0; i < TRAPS; i++)
        context->trap_ctxt[i] = (trap_info_x86_64_t){
            .vector = (uint8_t)i,
            .flags = i == TRAP_BREAKPOINT || i == TRAP_OVERFLOW ? 3 : 0,
            .cs = FLAT_KERNEL_CS64,
            .address = image->trap_stubs + (uint64_t)i * FERRY_TRAP_STUB_SIZE,
        };
    context->flags = VGCF_in_kernel | VGCF_online;
    context->user_regs.rip = image->restart_entry;
    context->user_regs.rdi = kind;
    context->user_regs.rsi = rip;
    context->user_regs.rflags = 1 << 9;
    /* An exception that Xen kept from before comes first. Its frame goes to the end of the status page,
     * which nothing else uses; the handler goes on at restart_entry. */
    context->user_regs.rsp = image->status + IMAGE_PAGE;
    context->kernel_sp = context->user_regs.rsp;
    context->user_regs.cs = FLAT_KERNEL_CS64;
    context->user_regs.ss = FLAT_KERNEL_SS64;
    context->kernel_ss = FLAT_KERNEL_SS64;
    context->debugreg[6] = 0xffff0ff0;
    context->debugreg[7] = 0x400;
    context->ctrlreg[3] = tables->table[0].mfn << 12;
    context->vm_assist = tables->vm_assist;
}
