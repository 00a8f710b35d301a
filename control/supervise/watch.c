/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver domain that runs: its heartbeat, its restarts, its page tables. */
#include "supervise/watch.h"

#include <stdio.h>
#include <string.h>

#include "journal/journal.h"
#include "recover/steps.h"
#include "supervise/beats.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/domctl.h"
#include "xen/statuspage.h"

#define MAP_RETRY_MS 500
#define RESTARTS_AT_ONCE_MAX 4
#define RESTARTS_NOTED_MAX 120 /* a minute: a domain can count as fast as it likes */

void supervised_unwatch(struct supervised *supervised)
{
    if (supervised->agent.page)
        agentpage_unmap(&supervised->agent);
    else
        domctl_unmap(supervised->common->host, supervised->page, 1);
    supervised->page = NULL;
    text_view_close(supervised->common->host, &supervised->reference.image, &supervised->view);
    heartbeat_reset(&supervised->beat);
}

void supervised_forget(struct supervised *supervised)
{
    supervised_unwatch(supervised);
    agentpage_forget(&supervised->agent);
    reference_dispose(&supervised->reference);
    supervised->reference_loaded = false;
    supervised->has_status = false;
    supervised->map_retry_ms = 0;
    supervised->link_until_ms = 0;
}

static void page_wanted(struct supervised *supervised)
{
    if (supervised->page || host_ticks_ms() < supervised->map_retry_ms)
        return;
    supervised->map_retry_ms = host_ticks_ms() + MAP_RETRY_MS;
    supervised->page = supervised->journal.is_linux
                           ? agentpage_map(&supervised->agent, supervised->common->host,
                                           supervised->journal.domid, supervised->journal.name)
                           : reference_status_map(supervised->common->host, &supervised->journal,
                                                  &supervised->reference);
}

/* Also if somebody else did it, `ferry restart`, with the same id and kernel: its tables are others. */
static bool was_rebuilt(const struct supervised *supervised)
{
    return supervised->journal.nr_deaths_ever != supervised->watched_deaths &&
           journal_last_is_rebuild(&supervised->journal);
}

/* Under the lock: while `ferry` builds the domain anew, the old one's tables must not get into the file. */
static void tables_take(struct supervised *supervised)
{
    struct reference *reference = &supervised->reference;

    supervised->lock = files_lock(supervised->journal.name, false);
    if (supervised->lock < 0) {
        supervised->lock = -1;
        return; /* the next look will see to it */
    }
    if (journal_load(supervised->journal.name, &supervised->journal) == 0 &&
        !supervised->journal.recovering && supervised->journal.domid == supervised->watched_domid &&
        !was_rebuilt(supervised) &&
        reference_capture(supervised->common->host, &supervised->journal, reference) == 0)
        reference->generation = supervised->status.generation;
    supervised_unlock(supervised);
}

/* Tables change with another kernel, or when devices are mapped anew; otherwise the first ones hold. */
static void tables_wanted(struct supervised *supervised)
{
    struct reference *reference = &supervised->reference;
    const struct ferry_status *status = &supervised->status;
    bool others = status->kind == FERRY_RESTART_UPGRADE || status->nic_fate == FERRY_NIC_RESET;

    if (status->phase != FERRY_PHASE_READY ||
        (reference->has_tables && (reference->generation == status->generation || !others)))
        return;
    tables_take(supervised);
}

/* So that a reload need not do it. */
static void view_wanted(struct supervised *supervised)
{
    struct reference *reference = &supervised->reference;

    if (reload_possible(reference) && !supervised->view.text &&
        supervised->status.phase == FERRY_PHASE_READY)
        text_view_open(supervised->common->host, supervised->journal.domid, &reference->image,
                       &reference->tables, &supervised->view);
}

static int64_t step_us(const struct ferry_status *status, enum ferry_step step)
{
    return (int64_t)(status->step_ns[step] / 1000);
}

void supervised_link_wait(struct supervised *supervised, int64_t offset_us)
{
    supervised->link_offset_us = offset_us;
    supervised->link_until_ms = supervised->status.nic_fate == FERRY_NIC_RESET &&
                                        !supervised->status.step_ns[FERRY_STEP_LINK]
                                    ? host_ticks_ms() + 15000
                                    : 0;
}

/* A death that the kernel saw to itself. */
static void restart_note(struct supervised *supervised)
{
    const struct ferry_status *status = &supervised->status;
    struct journal *journal = &supervised->journal;
    int64_t fault_us = step_us(status, FERRY_STEP_FAULT),
            back_us = statuspage_served_us(status) - fault_us;
    struct journal_death *death;

    journal_death_add(journal, host_now_ms(), host_ticks_ms(), "crash");
    death = journal_death_last(journal);
    death->depth = 1;
    snprintf(death->way, sizeof(death->way), "restarted");
    snprintf(death->nic, sizeof(death->nic), "%s", statuspage_nic_word(status->nic_fate));
    snprintf(death->reason, sizeof(death->reason), "%s", status->reason);
    snprintf(death->last_port, sizeof(death->last_port), "%s", status->last_port);
    death->back_us = fault_us && back_us > 0 && back_us < 60000000 ? back_us : 0;
    death->back_ms = death->back_us / 1000;
    steps_take(death, status, FERRY_STEP_FAULT, -fault_us);
    supervised_link_wait(supervised, -fault_us);
    log_line("%s: restarted itself after: %s (death %lu); %ld us, NIC %s%s%s", journal->name,
             death->reason, journal->nr_deaths_ever, (long)death->back_us, death->nic,
             *status->nic_why && status->nic_fate == FERRY_NIC_RESET ? ": " : "",
             status->nic_fate == FERRY_NIC_RESET ? status->nic_why : "");
}

static bool restarts_may_be_noted(struct supervised *supervised)
{
    int64_t now_ms = host_ticks_ms();

    if (now_ms - supervised->restarts_since_ms >= 60000) {
        supervised->restarts_since_ms = now_ms;
        supervised->nr_restarts = 0;
    }
    return supervised->nr_restarts++ < RESTARTS_NOTED_MAX;
}

static void restarts_wanted(struct supervised *supervised)
{
    uint32_t before = supervised->journal.self_restarts, now = supervised->status.self_restarts;

    if (now == before || supervised->status.phase != FERRY_PHASE_READY ||
        !restarts_may_be_noted(supervised))
        return;
    supervised->lock = files_lock(supervised->journal.name, false);
    if (supervised->lock < 0) {
        supervised->lock = -1;
        return; /* the next look will see it again */
    }
    if (journal_load(supervised->journal.name, &supervised->journal) == 0 &&
        !supervised->journal.recovering) {
        /* The domain may write any number here. */
        for (uint32_t i = before; now > before && i != now && i - before < RESTARTS_AT_ONCE_MAX;
             i++)
            restart_note(supervised);
        supervised->journal.self_restarts = now;
        supervised_save(supervised);
        snprintf(supervised->report, sizeof(supervised->report), "%s", supervised->status.report);
        if (now > before)
            supervised_report_keep(supervised);
    }
    supervised_unlock(supervised);
}

/* A link that came up after the death was over. */
static void link_wanted(struct supervised *supervised)
{
    struct journal_death *death;
    int64_t us = step_us(&supervised->status, FERRY_STEP_LINK);

    if (!supervised->link_until_ms)
        return;
    if (host_ticks_ms() > supervised->link_until_ms) {
        supervised->link_until_ms = 0;
        return;
    }
    if (!us)
        return;
    supervised->lock = files_lock(supervised->journal.name, false);
    if (supervised->lock >= 0 &&
        journal_load(supervised->journal.name, &supervised->journal) == 0 &&
        supervised->journal.nr_deaths) {
        death = journal_death_last(&supervised->journal);
        journal_step_add(death, statuspage_step_word(FERRY_STEP_LINK),
                         us + supervised->link_offset_us);
        supervised_save(supervised);
        supervised->link_until_ms = 0;
    }
    supervised_unlock(supervised);
}

static bool heart_stands(struct supervised *supervised)
{
    const struct ferry_status *status = &supervised->status;
    bool is_linux = supervised->journal.is_linux;
    xc_domaininfo_t info;

    if (domctl_info(supervised->common->host, supervised->journal.domid, &info))
        return false;
    /* All vCPUs of a Linux that hangs spin at most at once; its beat comes from a process, which has to wait for others. */
    if (is_linux && info.nr_online_vcpus > 1)
        info.cpu_time /= info.nr_online_vcpus;
    return heartbeat_hangs(
        &supervised->beat,
        &(struct heartbeat_look){ .now_ms = host_ticks_ms(),
                                  .beat = status->beat,
                                  .cpu_ns = info.cpu_time,
                                  .asleep = info.flags & XEN_DOMINF_blocked,
                                  .paused = info.flags & XEN_DOMINF_paused,
                                  .slow = is_linux || status->phase != FERRY_PHASE_READY });
}

bool supervised_watch(struct supervised *supervised, bool runs)
{
    if (supervised->watched_domid != supervised->journal.domid || !supervised->reference_loaded ||
        was_rebuilt(supervised) ||
        reference_is_stale(&supervised->journal, &supervised->reference)) {
        supervised_forget(supervised);
        reference_load(&supervised->journal, &supervised->reference);
        supervised->reference_loaded = true;
        supervised->watched_domid = supervised->journal.domid;
    }
    supervised->watched_deaths = supervised->journal.nr_deaths_ever;
    page_wanted(supervised);
    if (!supervised->page || !statuspage_copy(supervised->page, &supervised->status)) {
        heartbeat_reset(&supervised->beat);
        return false;
    }
    supervised->has_status = true;
    beats_note(supervised->journal.name, supervised->status.beat, host_ticks_ms());
    if (supervised->journal.is_linux) /* the rest is Ferry's kernel's to say */
        return runs && heart_stands(supervised);
    restarts_wanted(supervised);
    if (!runs)
        return false;
    tables_wanted(supervised);
    view_wanted(supervised);
    link_wanted(supervised);
    return heart_stands(supervised);
}
