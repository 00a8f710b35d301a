/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing a driver domain back: in place by ferryd itself, or rebuilt by a process of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultpoint.h"
#include "outside.h"
#include "recover.h"
#include "say.h"
#include "statuspage.h"
#include "steps.h"
#include "ward.h"

#define TRIES_CUT_SHORT_MAX 2
#define WORKER_RETRY_MS 500

static int rebuild(struct ward *ward)
{
    struct journal *journal = &ward->journal;

    if (journal->recovering)
        host_destroy_twin(ward->keeper->host, journal);
    return recover(ward->keeper->host, journal);
}

static void worker_run(struct ward *ward, int (*what)(struct ward *ward))
{
    int err;

    if (host_reopen(ward->keeper->host, &ward->lock))
        _exit(1);
    err = what(ward);
    if (err)
        say("%s: %s", ward->journal.name, strerror(-err));
    _exit(err ? 1 : 0);
}

void ward_worker_start(struct ward *ward, int (*what)(struct ward *ward))
{
    pid_t pid = fork();

    if (pid == 0)
        worker_run(ward, what);
    if (pid < 0)
        say("%s: no process for it: %s", ward->journal.name, strerror(errno));
    ward->worker = pid > 0 ? pid : 0;
    if (pid < 0)
        ward_unlock(ward);
    else
        close(ward->lock); /* the worker holds the lock by the same file */
    ward->lock = -1;
}

void ward_worker_look(struct ward *ward)
{
    bool failed;
    int status;
    pid_t pid = waitpid(ward->worker, &status, WNOHANG);

    if (pid == 0 || (pid < 0 && errno == EINTR))
        return;
    failed = pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (failed)
        say("%s: could not be brought back this time", ward->journal.name);
    ward->worker = 0;
    memset(&ward->read, 0, sizeof(ward->read)); /* the worker changed the journal */
    ward_forget(ward);
    ward_alive(ward);
    ward->retry_ms = failed ? host_ticks_ms() + WORKER_RETRY_MS : 0;
}

static void rebuild_start(struct ward *ward)
{
    ward_report_keep(ward);
    ward_forget(ward); /* a mapped page would keep the old domain, and its id, from going (R11) */
    ward_worker_start(ward, rebuild);
}

/* The domain's shell must be there: of one that vanished nothing is left to be put right. */
static bool can_reload(const struct ward *ward)
{
    const char *cause = journal_death_last((struct journal *)&ward->journal)->cause;
    xc_domaininfo_t info;

    return ward->keeper->min_depth <= 2 && reload_possible(&ward->golden) &&
           strcmp(cause, "vanished") != 0 && strcmp(cause, "replaced") != 0 &&
           strcmp(cause, "reboot") != 0 &&
           outside_info(ward->keeper->host, ward->journal.domid, &info) == 0 &&
           outside_is(&info, ward->journal.uuid) && !(info.flags & XEN_DOMINF_dying);
}

static enum depth ward_depth(struct ward *ward, bool cut_short)
{
    struct journal *journal = &ward->journal;
    bool hints = ward->has_status && ward->status.phase == FERRY_PHASE_DYING;
    struct depth_seen seen = { .can_reload = can_reload(ward),
                               .tries = ward->nr_failed,
                               .ask_depth = hints ? ward->status.ask_depth : 0 };

    if (cut_short &&
        (journal_death_last(journal)->depth == 3 || journal->tries >= TRIES_CUT_SHORT_MAX))
        return DEPTH_REBUILD;
    return depth_choose(journal, &seen);
}

static int reload_start(struct ward *ward, bool reset_nic, bool cut_short)
{
    struct journal *journal = &ward->journal;
    struct journal_death *death = journal_death_last(journal);

    journal->recovering = true;
    journal->tries++;
    death->back_us = 0;
    death->depth = 2;
    death->reset_nic = reset_nic;
    if (journal_save_quick(journal))
        say("%s: the journal cannot be written", journal->name);
    steps_mark(journal, "noted");
    ward->reload =
        (struct reload){ .host = ward->keeper->host,
                         .journal = journal,
                         .golden = &ward->golden,
                         .view = &ward->view,
                         .kind = FERRY_RESTART_RELOAD | (reset_nic ? FERRY_RESTART_RESET_NIC : 0),
                         .was_cut_short = cut_short || ward->nr_failed };
    return reload_begin(&ward->reload);
}

static void reload_say(const struct ward *ward)
{
    const struct reload *reload = &ward->reload;

    if (reload->nr_pages || reload->nr_entries)
        say("%s: %u pages of text and %u page table entries were not as they should be",
            ward->journal.name, reload->nr_pages, reload->nr_entries);
}

/* Of a hang nobody but us can tell where it was. */
static void place_note(struct ward *ward)
{
    struct journal_death *death = journal_death_last(&ward->journal);

    if (!death->reason[0] && ward->reload.rip && strcmp(death->cause, "crash") != 0)
        snprintf(death->reason, sizeof(death->reason), "stood at %016lx", ward->reload.rip);
}

void ward_recover(struct ward *ward, bool cut_short)
{
    enum depth depth = ward_depth(ward, cut_short);

    while (depth != DEPTH_REBUILD) {
        int err = reload_start(ward, depth == DEPTH_RELOAD_RESET, cut_short);

        reload_say(ward);
        if (!err) {
            place_note(ward);
            ward->reloading = true;
            beat_reset(&ward->beat);
            return;
        }
        say("%s: cannot be reloaded in place: %s", ward->journal.name, strerror(-err));
        ward->nr_failed++;
        depth = ward_depth(ward, cut_short);
    }
    rebuild_start(ward);
}

static void reload_over(struct ward *ward)
{
    struct journal *journal = &ward->journal;
    struct journal_death *death = journal_death_last(journal);

    snprintf(death->way, sizeof(death->way), "reloaded");
    journal->recovering = false;
    journal->tries = 0;
    say("%s: running again after %ld.%03ld ms: reloaded in place, NIC %s%s%s", journal->name,
        (long)death->back_ms, (long)(death->back_us % 1000), death->nic,
        ward->status.nic_fate == FERRY_NIC_RESET && *ward->status.nic_why ? ": " : "",
        ward->status.nic_fate == FERRY_NIC_RESET ? ward->status.nic_why : "");
    faultpoint("reloaded");
    ward_save(ward);
    ward_report_keep(ward);
    ward_link_wait(ward, ward->reload.offset_us);
    ward->reloading = false;
    ward_unlock(ward);
    ward_alive(ward);
}

void ward_reload_look(struct ward *ward)
{
    struct host *host = ward->keeper->host;
    enum reload_state state;
    bool readable;

    if (!ward->page)
        ward->page = golden_status_map(host, &ward->journal, &ward->golden);
    readable = ward->page && statuspage_copy(ward->page, &ward->status);
    state = reload_check(&ward->reload, readable ? &ward->status : NULL);
    if (state == RELOAD_GOES_ON)
        return;
    if (state == RELOAD_DONE) {
        ward->has_status = true;
        reload_over(ward);
        return;
    }
    say("%s: does not come back by being reloaded%s%s", ward->journal.name,
        readable && ward->status.phase == FERRY_PHASE_DYING ? ": " : "",
        readable && ward->status.phase == FERRY_PHASE_DYING ? ward->status.reason : "");
    ward->has_status = readable;
    ward->reloading = false;
    ward->nr_failed++;
    steps_mark(&ward->journal, "failed");
    ward_recover(ward, true);
    if (!ward_is_busy(ward))
        ward_unlock(ward);
}
