/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver domain that runs: its heartbeat, its restarts, its page tables. */
#include <stdio.h>
#include <string.h>

#include "outside.h"
#include "say.h"
#include "statuspage.h"
#include "steps.h"
#include "ward.h"

#define MAP_RETRY_MS 500
#define RESTARTS_AT_ONCE_MAX 4
#define RESTARTS_NOTED_MAX 120 /* a minute: a domain can count as fast as it likes */

void ward_unwatch(struct ward *ward)
{
    outside_unmap(ward->keeper->host, ward->page, 1);
    ward->page = NULL;
    text_view_close(ward->keeper->host, &ward->golden.image, &ward->view);
    beat_reset(&ward->beat);
}

void ward_forget(struct ward *ward)
{
    ward_unwatch(ward);
    golden_dispose(&ward->golden);
    ward->golden_loaded = false;
    ward->has_status = false;
    ward->map_retry_ms = 0;
    ward->link_until_ms = 0;
}

static void page_wanted(struct ward *ward)
{
    if (ward->page || host_ticks_ms() < ward->map_retry_ms)
        return;
    ward->map_retry_ms = host_ticks_ms() + MAP_RETRY_MS;
    ward->page = golden_status_map(ward->keeper->host, &ward->journal, &ward->golden);
}

/* Tables change with another kernel, or when devices are mapped anew; otherwise the first ones hold. */
static void tables_wanted(struct ward *ward)
{
    struct golden *golden = &ward->golden;
    const struct ferry_status *status = &ward->status;
    bool others = status->kind == FERRY_RESTART_UPGRADE || status->nic_fate == FERRY_NIC_RESET;

    if (status->phase != FERRY_PHASE_READY ||
        (golden->has_tables && (golden->generation == status->generation || !others)))
        return;
    if (golden_capture(ward->keeper->host, &ward->journal, golden) == 0)
        golden->generation = status->generation;
}

/* So that a reload need not do it. */
static void view_wanted(struct ward *ward)
{
    struct golden *golden = &ward->golden;

    if (reload_possible(golden) && !ward->view.text && ward->status.phase == FERRY_PHASE_READY)
        text_view_open(ward->keeper->host, ward->journal.domid, &golden->image, &golden->tables,
                       &ward->view);
}

static int64_t step_us(const struct ferry_status *status, enum ferry_step step)
{
    return (int64_t)(status->step_ns[step] / 1000);
}

void ward_link_wait(struct ward *ward, int64_t offset_us)
{
    ward->link_offset_us = offset_us;
    ward->link_until_ms =
        ward->status.nic_fate == FERRY_NIC_RESET && !ward->status.step_ns[FERRY_STEP_LINK]
            ? host_ticks_ms() + 15000
            : 0;
}

/* A death that the kernel saw to itself. */
static void restart_note(struct ward *ward)
{
    const struct ferry_status *status = &ward->status;
    struct journal *journal = &ward->journal;
    int64_t fault_us = step_us(status, FERRY_STEP_FAULT),
            back_us = statuspage_served_us(status) - fault_us;
    struct journal_death *death;

    journal_death_add(journal, host_now_ms(), "crash");
    death = journal_death_last(journal);
    death->depth = 1;
    snprintf(death->way, sizeof(death->way), "restarted");
    snprintf(death->nic, sizeof(death->nic), "%s", statuspage_nic_word(status->nic_fate));
    snprintf(death->reason, sizeof(death->reason), "%s", status->reason);
    snprintf(death->last_port, sizeof(death->last_port), "%s", status->last_port);
    death->back_us = fault_us && back_us > 0 && back_us < 60000000 ? back_us : 0;
    death->back_ms = death->back_us / 1000;
    steps_take(death, status, FERRY_STEP_FAULT, -fault_us);
    ward_link_wait(ward, -fault_us);
    say("%s: restarted itself after: %s (death %lu); %ld us, NIC %s%s%s", journal->name,
        death->reason, journal->nr_deaths_ever, (long)death->back_us, death->nic,
        *status->nic_why && status->nic_fate == FERRY_NIC_RESET ? ": " : "",
        status->nic_fate == FERRY_NIC_RESET ? status->nic_why : "");
}

static bool restarts_may_be_noted(struct ward *ward)
{
    int64_t now_ms = host_ticks_ms();

    if (now_ms - ward->restarts_since_ms >= 60000) {
        ward->restarts_since_ms = now_ms;
        ward->nr_restarts = 0;
    }
    return ward->nr_restarts++ < RESTARTS_NOTED_MAX;
}

static void restarts_wanted(struct ward *ward)
{
    uint32_t before = ward->journal.self_restarts, now = ward->status.self_restarts;

    if (now == before || ward->status.phase != FERRY_PHASE_READY || !restarts_may_be_noted(ward))
        return;
    ward->lock = files_lock(ward->journal.name, false);
    if (ward->lock < 0) {
        ward->lock = -1;
        return; /* the next look will see it again */
    }
    if (journal_load(ward->journal.name, &ward->journal) == 0 && !ward->journal.recovering) {
        /* The domain may write any number here. */
        for (uint32_t i = before; now > before && i != now && i - before < RESTARTS_AT_ONCE_MAX;
             i++)
            restart_note(ward);
        ward->journal.self_restarts = now;
        ward_save(ward);
        snprintf(ward->report, sizeof(ward->report), "%s", ward->status.report);
        if (now > before)
            ward_report_keep(ward);
    }
    ward_unlock(ward);
}

/* A link that came up after the death was over. */
static void link_wanted(struct ward *ward)
{
    struct journal_death *death;
    int64_t us = step_us(&ward->status, FERRY_STEP_LINK);

    if (!ward->link_until_ms)
        return;
    if (host_ticks_ms() > ward->link_until_ms) {
        ward->link_until_ms = 0;
        return;
    }
    if (!us)
        return;
    ward->lock = files_lock(ward->journal.name, false);
    if (ward->lock >= 0 && journal_load(ward->journal.name, &ward->journal) == 0 &&
        ward->journal.nr_deaths) {
        death = journal_death_last(&ward->journal);
        journal_step_add(death, statuspage_step_word(FERRY_STEP_LINK), us + ward->link_offset_us);
        ward_save(ward);
        ward->link_until_ms = 0;
    }
    ward_unlock(ward);
}

static bool heart_stands(struct ward *ward)
{
    const struct ferry_status *status = &ward->status;
    xc_domaininfo_t info;

    if (outside_info(ward->keeper->host, ward->journal.domid, &info))
        return false;
    return beat_hangs(&ward->beat,
                      &(struct beat_look){ .now_ms = host_ticks_ms(),
                                           .beat = status->beat,
                                           .cpu_ns = info.cpu_time,
                                           .asleep = info.flags & XEN_DOMINF_blocked,
                                           .paused = info.flags & XEN_DOMINF_paused,
                                           .slow = status->phase != FERRY_PHASE_SERVING &&
                                                   status->phase != FERRY_PHASE_READY });
}

bool ward_watch(struct ward *ward, bool runs)
{
    if (ward->watched_domid != ward->journal.domid || !ward->golden_loaded ||
        golden_is_stale(&ward->journal, &ward->golden)) {
        ward_forget(ward);
        golden_load(&ward->journal, &ward->golden);
        ward->golden_loaded = true;
        ward->watched_domid = ward->journal.domid;
    }
    page_wanted(ward);
    if (!ward->page || !statuspage_copy(ward->page, &ward->status)) {
        beat_reset(&ward->beat);
        return false;
    }
    ward->has_status = true;
    restarts_wanted(ward);
    if (!runs)
        return false;
    tables_wanted(ward);
    view_wanted(ward);
    link_wanted(ward);
    return heart_stands(ward);
}
