/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "journal/journal.h"
#include "recover/reload_parts.h"
#include "recover/steps.h"
#include "util/log.h"
#include "xen/domctl.h"
#include "xen/pci.h"
#include "xen/statuspage.h"

#define SETTLE_LIMIT_MS 10000
#define SETTLE_POLL_MS 1
#define UNPAUSE_TRIES 8

bool reload_possible(const struct reference *reference)
{
    return reference->has_image && reference->has_tables;
}

int reload_pause(struct reload *reload)
{
    xc_domaininfo_t info;
    int err = domctl_info(reload->host, reload->journal->domid, &info);

    if (err)
        return err;
    if (!domctl_is(&info, reload->journal->uuid) || (info.flags & XEN_DOMINF_dying))
        return -ESRCH;
    /* A pause is counted; the one of a reload that was cut short still counts. */
    if (info.flags & XEN_DOMINF_paused && reload->was_cut_short)
        reload->paused = true;
    else if (!(info.flags & XEN_DOMINF_shutdown))
        reload->paused = xc_domain_pause(reload->host->xc, reload->journal->domid) == 0;
    if (!(info.flags & XEN_DOMINF_shutdown) && !reload->paused)
        return -EIO;
    steps_mark(reload->journal, "paused");
    return 0;
}

void reload_unpause(struct reload *reload)
{
    if (reload->paused)
        xc_domain_unpause(reload->host->xc, reload->journal->domid);
    reload->paused = false;
}

/* No DMA while, and after, the memory behind the NIC's rings changes hands. */
static void nics_stop(struct reload *reload)
{
    if (!(reload->kind & FERRY_RESTART_RESET_NIC))
        return;
    for (unsigned int i = 0; i < reload->journal->nr_nics; i++)
        pci_master_off(&reload->journal->nics[i].bdf);
    steps_mark(reload->journal, "dma stopped");
}

/* The vCPU lets go of everything; where it stood is kept. */
static int processor_drop(struct reload *reload)
{
    vcpu_guest_context_any_t *context = calloc(1, sizeof(*context));
    int err;

    if (!context)
        return -ENOMEM;
    /* One that was dropped by a reload that was cut short has no context any more. */
    if (domctl_context_get(reload->host, reload->journal->domid, context) == 0)
        reload->rip = context->x64.user_regs.rip;
    free(context);
    err = domctl_context_drop(reload->host, reload->journal->domid);
    if (!err)
        steps_mark(reload->journal, "vcpu dropped");
    return err;
}

static int processor_set(struct reload *reload)
{
    vcpu_guest_context_any_t *context = calloc(1, sizeof(*context));
    int err;

    if (!context)
        return -ENOMEM;
    reload_context_fill(&context->x64, &reload->reference->image.note, &reload->reference->tables,
                        reload->kind, reload->rip);
    err = domctl_context_set(reload->host, reload->journal->domid, context);
    free(context);
    if (!err)
        steps_mark(reload->journal, "context");
    return err;
}

static int events_mask(struct reload *reload)
{
    xc_domaininfo_t info;
    int err = domctl_info(reload->host, reload->journal->domid, &info);

    return err ? err
               : domctl_events_mask(reload->host, reload->journal->domid, info.shared_info_frame);
}

static void unpause(struct reload *reload)
{
    uint32_t domid = reload->journal->domid;

    for (unsigned int i = 0; reload->paused && i < UNPAUSE_TRIES; i++) {
        xc_domaininfo_t info;

        xc_domain_unpause(reload->host->xc, domid);
        /* After one that was cut short there may be more than one pause to take back. */
        if (!reload->was_cut_short || domctl_info(reload->host, domid, &info) ||
            !(info.flags & XEN_DOMINF_paused))
            reload->paused = false;
    }
}

static int go(struct reload *reload)
{
    uint32_t domid = reload->journal->domid;
    int err;

    reload->resumed_us = host_ticks_us() - journal_death_last(reload->journal)->began_us;
    err = domctl_resume(reload->host, domid);
    if (err)
        return err;
    unpause(reload);
    steps_mark(reload->journal, "resumed");
    return 0;
}

/* The domain is stopped. */
static void generation_note(struct reload *reload)
{
    const volatile void *page =
        reference_status_map(reload->host, reload->journal, reload->reference);
    struct ferry_status status;

    reload->generation = page && statuspage_copy(page, &status) ? status.generation : 0;
    domctl_unmap(reload->host, page, 1);
}

int reload_begin(struct reload *reload)
{
    int err = reload->paused ? 0 : reload_pause(reload);

    if (err)
        return err;
    generation_note(reload);
    nics_stop(reload);
    err = processor_drop(reload);
    if (!err)
        err = reload_text_put(reload);
    if (!err)
        err = reload_tables_put(reload);
    if (!err)
        err = events_mask(reload);
    if (!err)
        err = processor_set(reload);
    if (!err)
        err = go(reload);
    reload->deadline_ms = host_ticks_ms() + SETTLE_LIMIT_MS;
    heartbeat_reset(&reload->beat);
    return err;
}

/* Xen's clock and dom0's are two. The first of the kernel's steps is put to where dom0 let it go. */
static void kernel_steps_take(struct reload *reload, const struct ferry_status *status)
{
    struct journal_death *death = journal_death_last(reload->journal);

    for (unsigned int i = FERRY_STEP_VERIFIED; i < FERRY_STEPS; i++) {
        if (!status->step_ns[i])
            continue;
        reload->offset_us = reload->resumed_us - (int64_t)(status->step_ns[i] / 1000);
        steps_take(death, status, (enum ferry_step)i, reload->offset_us);
        return;
    }
}

static void done(struct reload *reload, const struct ferry_status *status)
{
    struct journal_death *death = journal_death_last(reload->journal);

    death->back_us = host_ticks_us() - death->began_us;
    death->back_ms = death->back_us / 1000;
    kernel_steps_take(reload, status);
    /* Else the next crash would fire no @releaseDomain. The domain does not wait for this. */
    if (!xs_resume_domain(reload->host->xs, reload->journal->domid))
        log_line("%s: xenstored does not take it for running again", reload->journal->name);
    if (!death->last_port[0])
        snprintf(death->last_port, sizeof(death->last_port), "%s", status->last_port);
    snprintf(death->nic, sizeof(death->nic), "%s", statuspage_nic_word(status->nic_fate));
    reload->journal->self_restarts = status->self_restarts;
}

enum reload_state reload_check(struct reload *reload, const struct ferry_status *status)
{
    xc_domaininfo_t info;

    if (domctl_info(reload->host, reload->journal->domid, &info) ||
        !domctl_is(&info, reload->journal->uuid) ||
        (info.flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown)))
        return RELOAD_FAILED;
    if (status && !reload->served && statuspage_serves(status, reload->generation)) {
        reload->served = true;
        steps_mark(reload->journal, "seen serving");
    }
    if (status && statuspage_is_ready(status, reload->generation)) {
        steps_mark(reload->journal, "seen ready");
        done(reload, status);
        return RELOAD_DONE;
    }
    if (info.flags & XEN_DOMINF_paused)
        reload->deadline_ms = host_ticks_ms() + SETTLE_LIMIT_MS;
    if (status && heartbeat_hangs(&reload->beat, &(struct heartbeat_look){
                                                     .now_ms = host_ticks_ms(),
                                                     .beat = status->beat,
                                                     .cpu_ns = info.cpu_time,
                                                     .asleep = info.flags & XEN_DOMINF_blocked,
                                                     .paused = info.flags & XEN_DOMINF_paused,
                                                     .slow = true }))
        return RELOAD_FAILED;
    return host_ticks_ms() > reload->deadline_ms ? RELOAD_FAILED : RELOAD_GOES_ON;
}

enum reload_state reload_wait(struct reload *reload)
{
    const volatile void *page =
        reference_status_map(reload->host, reload->journal, reload->reference);
    enum reload_state state = page ? RELOAD_GOES_ON : RELOAD_FAILED;
    struct ferry_status status;

    while (state == RELOAD_GOES_ON) {
        host_sleep_ms(SETTLE_POLL_MS);
        state = reload_check(reload, statuspage_copy(page, &status) ? &status : NULL);
    }
    domctl_unmap(reload->host, page, 1);
    return state;
}
