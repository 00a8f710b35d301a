/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing a driver domain back: in place by ferryd itself, or rebuilt by a process of its own. */
#include "supervise/recovery.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "journal/journal.h"
#include "recover/recover.h"
#include "recover/steps.h"
#include "supervise/watch.h"
#include "supervise/worker.h"
#include "util/faultpoint.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/domctl.h"
#include "xen/statuspage.h"

#define TRIES_CUT_SHORT_MAX 2

static int rebuild(struct supervised *supervised)
{
    struct journal *journal = &supervised->journal;

    if (journal->recovering)
        domain_destroy_twin(supervised->common->host, journal);
    return recover(supervised->common->host, journal);
}

static void rebuild_start(struct supervised *supervised)
{
    supervised_report_keep(supervised);
    supervised_forget(
        supervised); /* a mapped page would keep the old domain, and its id, from going */
    supervised_worker_start(supervised, rebuild);
}

/* The domain's shell must be there: of one that vanished nothing is left to be put right. */
static bool can_reload(const struct supervised *supervised)
{
    const char *cause = journal_death_last((struct journal *)&supervised->journal)->cause;
    xc_domaininfo_t info;

    return supervised->common->min_depth <= 2 && reload_possible(&supervised->reference) &&
           strcmp(cause, "vanished") != 0 && strcmp(cause, "replaced") != 0 &&
           strcmp(cause, "reboot") != 0 &&
           domctl_info(supervised->common->host, supervised->journal.domid, &info) == 0 &&
           domctl_is(&info, supervised->journal.uuid) && !(info.flags & XEN_DOMINF_dying);
}

static enum depth supervised_depth(struct supervised *supervised, bool cut_short)
{
    struct journal *journal = &supervised->journal;
    bool hints = supervised->has_status && supervised->status.phase == FERRY_PHASE_DYING;
    struct depth_seen seen = { .can_reload = can_reload(supervised),
                               .tries = supervised->nr_failed,
                               .ask_depth = hints ? supervised->status.ask_depth : 0 };

    if (cut_short && (journal_last_is_rebuild(journal) || journal->tries >= TRIES_CUT_SHORT_MAX))
        return DEPTH_REBUILD;
    return depth_choose(journal, &seen);
}

static int reload_start(struct supervised *supervised, bool reset_nic, bool cut_short)
{
    struct journal *journal = &supervised->journal;
    struct journal_death *death = journal_death_last(journal);

    journal->recovering = true;
    journal->tries++;
    death->back_us = 0;
    death->depth = 2;
    death->reset_nic = reset_nic;
    if (journal_save_quick(journal))
        log_line("%s: the journal cannot be written", journal->name);
    steps_mark(journal, "noted");
    supervised->reload =
        (struct reload){ .host = supervised->common->host,
                         .journal = journal,
                         .reference = &supervised->reference,
                         .view = &supervised->view,
                         .kind = FERRY_RESTART_RELOAD | (reset_nic ? FERRY_RESTART_RESET_NIC : 0),
                         .was_cut_short = cut_short || supervised->nr_failed };
    return reload_begin(&supervised->reload);
}

static void reload_log(const struct supervised *supervised)
{
    const struct reload *reload = &supervised->reload;

    if (reload->nr_pages || reload->nr_entries)
        log_line("%s: %u pages of text and %u page table entries were not as they should be",
                 supervised->journal.name, reload->nr_pages, reload->nr_entries);
}

/* Of a hang nobody but us can tell where it was. */
static void place_note(struct supervised *supervised)
{
    struct journal_death *death = journal_death_last(&supervised->journal);

    if (!death->reason[0] && supervised->reload.rip && strcmp(death->cause, "crash") != 0)
        snprintf(death->reason, sizeof(death->reason), "stood at %016lx", supervised->reload.rip);
}

void supervised_recover(struct supervised *supervised, bool cut_short)
{
    enum depth depth = supervised_depth(supervised, cut_short);

    while (depth != DEPTH_REBUILD) {
        int err = reload_start(supervised, depth == DEPTH_RELOAD_RESET, cut_short);

        reload_log(supervised);
        if (!err) {
            place_note(supervised);
            supervised->reloading = true;
            heartbeat_reset(&supervised->beat);
            return;
        }
        log_line("%s: cannot be reloaded in place: %s", supervised->journal.name, strerror(-err));
        supervised->nr_failed++;
        depth = supervised_depth(supervised, cut_short);
    }
    rebuild_start(supervised);
}

static void reload_over(struct supervised *supervised)
{
    struct journal *journal = &supervised->journal;
    struct journal_death *death = journal_death_last(journal);

    snprintf(death->way, sizeof(death->way), "reloaded");
    journal->recovering = false;
    journal->tries = 0;
    log_line("%s: running again after %ld.%03ld ms: reloaded in place, NIC %s%s%s", journal->name,
             (long)death->back_ms, (long)(death->back_us % 1000), death->nic,
             supervised->status.nic_fate == FERRY_NIC_RESET && *supervised->status.nic_why ? ": "
                                                                                           : "",
             supervised->status.nic_fate == FERRY_NIC_RESET ? supervised->status.nic_why : "");
    faultpoint("reloaded");
    supervised_save(supervised);
    supervised_report_keep(supervised);
    supervised_link_wait(supervised, supervised->reload.offset_us);
    supervised->reloading = false;
    supervised_unlock(supervised);
    supervised_alive(supervised);
}

void supervised_reload_look(struct supervised *supervised)
{
    struct host *host = supervised->common->host;
    enum reload_state state;
    bool readable;

    if (!supervised->page)
        supervised->page = reference_status_map(host, &supervised->journal, &supervised->reference);
    readable = supervised->page && statuspage_copy(supervised->page, &supervised->status);
    state = reload_check(&supervised->reload, readable ? &supervised->status : NULL);
    if (state == RELOAD_GOES_ON)
        return;
    if (state == RELOAD_DONE) {
        supervised->has_status = true;
        reload_over(supervised);
        return;
    }
    log_line("%s: does not come back by being reloaded%s%s", supervised->journal.name,
             readable && supervised->status.phase == FERRY_PHASE_DYING ? ": " : "",
             readable && supervised->status.phase == FERRY_PHASE_DYING ? supervised->status.reason
                                                                       : "");
    supervised->has_status = readable;
    supervised->reloading = false;
    supervised->nr_failed++;
    steps_mark(&supervised->journal, "failed");
    supervised_recover(supervised, true);
    if (!supervised_is_busy(supervised))
        supervised_unlock(supervised);
}
