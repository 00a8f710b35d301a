/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/policies.h"
#include "recover/reference.h"
#include "recover/steps.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/agentpage.h"
#include "xen/domain.h"
#include "xen/pci.h"
#include "xen/statuspage.h"
#include "xen/vbds.h"
#include "xen/vifs.h"

#define REPORT_SIZE 16384
#define SETTLE_LIMIT_MS 20000
#define SETTLE_LIMIT_LINUX_MS 180000 /* it boots first, and then its scripts run */
#define SETTLE_REST_LINUX_MS 20000 /* after the first one: it has booted */
#define AGENT_LIMIT_MS 30000 /* until its agent, if it has one, has shared its page */
#define AGENT_POLL_MS 50
#define CREATE_TRIES 3

static const char report_head[] = "Reported by the domain:\n";
static const char console_head[] = "\nThe end of its console:\n";

void recover_report_keep(const struct journal *journal, const char *report)
{
    char path[FILES_PATH_SIZE], *tail, *text;
    int len, err;

    snprintf(path, sizeof(path), "%s/guest-%s.log", files_console_dir(), journal->name);
    if (files_read_tail(path, REPORT_SIZE, &tail, NULL))
        tail = strdup("(not logged)\n");
    if (!tail)
        return;
    len = *report ? asprintf(&text, "%s%s%s%s", report_head, report, console_head, tail)
                  : asprintf(&text, "%s", tail);
    if (len >= 0) {
        journal_path(journal->name, ".report", path);
        err = files_write_quick(path, text, (size_t)len);
        if (err)
            log_line("%s: %s%s; what it reported at this death is not kept", path, strerror(-err),
                     files_todo(err));
        free(text);
    }
    free(tail);
}

void recover_note_death(struct journal *journal, const char *cause)
{
    journal_death_add(journal, host_now_ms(), host_ticks_ms(), cause);
    journal_death_last(journal)->began_us = host_ticks_us();
    recover_report_keep(journal, "");
}

/* Prepare the devices: no DMA while the old memory is used for something else, and pciback's again if somebody gave them back to dom0. */
static int nics_prepare(struct host *host, struct journal *journal)
{
    for (unsigned int i = 0; i < journal->nr_nics; i++) {
        bool taken;
        int err;

        pci_quiet(&journal->nics[i].bdf);
        err = pci_take(host, &journal->nics[i].bdf, &taken);
        if (err)
            return err;
        journal->nics[i].taken = journal->nics[i].taken || taken;
    }
    return 0;
}

/*
 * The successor, paused: with the old id, or with another when that one is not to be had: another domain may
 * have got it in between.
 */
static int successor_create(struct host *host, struct journal *journal, struct config *config,
                            uint32_t domid, bool is_free)
{
    struct domain_seen seen;

    if (is_free && domid != JOURNAL_NO_DOMID) {
        if (domain_create(host, &config->xl, journal, domid) == 0)
            return 0;
        /* Not for the id's sake? Then the next try is the next death, with the same id. */
        if (domain_look(host, journal, &seen) || !seen.exists || seen.is_ours)
            return -EIO;
    }
    if (domid != JOURNAL_NO_DOMID)
        log_line("%s: its id %u is not free: a new one, and guests see a new interface",
                 journal->name, domid);
    return domain_create(host, &config->xl, journal, JOURNAL_NO_DOMID);
}

/* What the dead domain served. */
struct served {
    struct vifs vifs;
    struct vbds vbds;
    bool has_block; /* the successor takes disks over */
};

static void vifs_report(const struct journal *journal, const struct vifs *vifs, int64_t ms)
{
    log_line("%s: running again with id %u after %ld ms: %u vifs taken over, %u offered anew, "
             "%u replugged, %u lost",
             journal->name, journal->domid, (long)ms, vifs_count(vifs, VIF_TAKEN),
             vifs_count(vifs, VIF_OFFERED), vifs_count(vifs, VIF_REPLUGGED),
             vifs_count(vifs, VIF_LOST));
}

/*
 * A Linux that has booted to nothing serves nobody, and replugging vifs would not help: it is taken down, so that what comes next is
 * another try, or the kernel before. Only vifs that were there for it to take say so: of those that could not be rebuilt
 * any guest can have one.
 */
static int netback_wanted(struct host *host, struct journal *journal, const struct vifs *vifs)
{
    if (!journal->is_linux || !vifs->nr_late || vifs_count(vifs, VIF_TAKEN) ||
        vifs_noticed(host, journal->domid, vifs))
        return 0;
    log_line(
        "%s: its netback has taken notice of none of its vifs within %u s: is it up? `ferry logs "
        "%s`",
        journal->name, SETTLE_LIMIT_LINUX_MS / 1000, journal->name);
    domain_destroy(host, journal);
    return -ETIMEDOUT;
}

/*
 * Before vifs are replugged Linux is to be up. Its agent says when it is; where there is none they are replugged after a while, and
 * wait for it. Returns 0, or -ECANCELED if the domain ended meanwhile.
 */
static int linux_wait(struct host *host, const struct journal *journal, int64_t deadline)
{
    int64_t agent_deadline = host_ticks_ms() + AGENT_LIMIT_MS;
    struct agentpage agent = { 0 };
    struct ferry_status status;
    int err = 0;

    if (agent_deadline > deadline)
        agent_deadline = deadline;
    for (;;) {
        const volatile void *page = agentpage_map(&agent, host, journal->domid, journal->name);

        if (page && statuspage_copy(page, &status) && status.phase == FERRY_PHASE_READY)
            break;
        if (domain_has_ended(host, journal))
            err = -ECANCELED;
        if (err || host_ticks_ms() >= (page ? deadline : agent_deadline))
            break;
        host_sleep_ms(AGENT_POLL_MS);
    }
    agentpage_forget(&agent); /* mapped, it would keep the domain from going */
    return err;
}

static int vifs_wait(struct host *host, struct journal *journal, struct vifs *vifs, bool same,
                     int64_t deadline)
{
    bool is_linux = journal->is_linux;
    int err = vifs_settle(host, journal, vifs, is_linux ? SETTLE_LIMIT_LINUX_MS : SETTLE_LIMIT_MS,
                          is_linux ? SETTLE_REST_LINUX_MS : SETTLE_LIMIT_MS);

    if (!err && same)
        err = netback_wanted(host, journal, vifs);
    if (!err && is_linux && vifs_count(vifs, VIF_LOST) && !vifs_count(vifs, VIF_TAKEN) &&
        !vifs_noticed(host, journal->domid, vifs))
        err = linux_wait(host, journal, deadline);
    return err;
}

/* While the successor is paused. */
static void nodes_rebuild(struct host *host, const struct journal *journal, bool same,
                          struct served *served)
{
    struct vifs *vifs = &served->vifs;

    if (same)
        vifs_rebuild(host, journal->domid, journal->is_linux ? VIF_TAKER_NETBACK : VIF_TAKER_FERRY,
                     vifs);
    else
        for (unsigned int i = 0; i < vifs->nr; i++)
            vifs->refs[i].way = VIF_LOST;
    if (!same)
        return; /* id_changed() */
    if (!served->has_block)
        vbds_give_up(host, journal->domid, &served->vbds,
                     "only a Linux driver domain with ferry.disks in extra= can take disks over");
    else
        vbds_rebuild(host, journal->domid, &served->vbds);
}

/* Disks are waited for beside vifs: neither needs the other. */
static int disks_wait(struct host *host, struct journal *journal, struct vbds *vbds,
                      int64_t deadline)
{
    int err;

    if (!vbds->nr)
        return 0;
    err = vbds_settle(host, journal, vbds, deadline);
    if (err)
        return err;
    steps_mark(journal, "disks served");
    log_line("%s: %u disks taken over, %u lost", journal->name, vbds_count(vbds, VBD_TAKEN),
             vbds_count(vbds, VBD_LOST));
    return 0;
}

static void back_set(struct journal_death *death)
{
    death->back_us = host_ticks_us() - death->began_us;
    death->back_ms = death->back_us / 1000;
}

/* From the paused successor to served guests. */
static int successor_start(struct host *host, struct journal *journal, uint32_t old_domid,
                           struct served *served)
{
    struct journal_death *death = journal_death_last(journal);
    struct vifs *vifs = &served->vifs;
    bool same = journal->domid == old_domid;
    int64_t deadline, rest_ms;
    int err;

    nodes_rebuild(host, journal, same, served);
    steps_mark(journal, "vif nodes");
    err = domain_unpause(host, journal);
    if (err)
        return err;
    steps_mark(journal, "unpaused");
    deadline = host_ticks_ms() + SETTLE_LIMIT_LINUX_MS;
    err = vifs_wait(host, journal, vifs, same, deadline);
    if (err)
        return err;
    steps_mark(journal, "vifs served");
    back_set(death);
    snprintf(death->way, sizeof(death->way), "%s",
             vifs_count(vifs, VIF_LOST) ? "replugged" : "rebuilt");
    rest_ms = journal->is_linux ? deadline - host_ticks_ms() : 0;
    vifs_replug(host, journal, vifs, rest_ms > 0 ? (unsigned int)rest_ms : 0);
    vifs_report(journal, vifs, death->back_ms);
    err = disks_wait(host, journal, &served->vbds, deadline); /* no network waits for them */
    if (!err && !vifs->nr)
        back_set(death);
    return err;
}

/* Guests are not served without what dom0 says of them: a successor that cannot be told is no successor. */
static int policy_restore(struct host *host, struct journal *journal,
                          const struct policyfile *policy)
{
    int err = policy ? policies_put(host, journal, policy) : 0;

    if (err) {
        log_line("%s: is not brought back without its policy", journal->name);
        domain_destroy(host, journal);
    } else if (policy) {
        steps_mark(journal, "policy");
    }
    return err;
}

/*
 * The disks go before the journal forgets the id that they name: a successor that dies now would be recovered from as one that has
 * never had a disk.
 */
static void id_changed(struct host *host, struct journal *journal, struct served *served)
{
    vbds_give_up(host, JOURNAL_NO_DOMID, &served->vbds,
                 "its driver domain came back with another id");
    if (journal_save_somewhere(journal))
        log_line("%s: the journal cannot be written", journal->name);
}

static int recover_run(struct host *host, struct journal *journal, struct config *config,
                       const struct policyfile *policy)
{
    uint32_t old_domid = journal->domid;
    struct served served = { .has_block =
                                 journal->is_linux && vbds_words_serve(config->xl.b_info.cmdline) };
    int err;

    /* Before it is stopped: one that is well goes on, if nobody can say. */
    err = vifs_find(host, old_domid, &served.vifs);
    if (!err)
        err = vbds_find(host, old_domid, &served.vbds);
    if (err) {
        log_line("%s: is not brought back now: xenstore does not say which vifs and disks it "
                 "served: %s",
                 journal->name, strerror(-err));
        return err;
    }
    domain_quiet(host, journal);
    steps_mark(journal, "dma stopped");
    err = domain_destroy(host, journal);
    if (err && err != -EEXIST)
        log_line("%s: the old domain %u does not go away: %s", journal->name, old_domid,
                 strerror(-err));
    steps_mark(journal, "old one gone");
    if (nics_prepare(host, journal))
        return -EIO;
    steps_mark(journal, "nics ready");
    err = successor_create(host, journal, config, old_domid, err == 0);
    if (err)
        return err;
    steps_mark(journal, "built");
    if (journal->domid != old_domid)
        id_changed(host, journal, &served);
    err = policy_restore(host, journal, policy);
    if (err)
        return err;
    return successor_start(host, journal, old_domid, &served);
}

/* All that a successor is made from is there before anything is given up. */
static int kept_run(struct host *host, struct journal *journal)
{
    struct policyfile policy;
    struct config config;
    int err = policies_load_kept(journal, &policy);
    bool has_policy = !err;

    if (err && err != -ENOENT) {
        log_line("%s: is not brought back without its policy", journal->name);
        return err;
    }
    err = config_load_kept(host->xl, journal, &config);
    if (!err) {
        err = recover_run(host, journal, &config, has_policy ? &policy : NULL);
        config_dispose(&config);
    }
    policyfile_dispose(&policy);
    return err;
}

int recover(struct host *host, struct journal *journal)
{
    int err;

    journal->recovering = true;
    journal->self_restarts = 0;
    journal_death_last(journal)->depth = 3;
    err = journal_save_quick(journal);
    if (err)
        log_line("%s: the journal cannot be written: %s", journal->name, strerror(-err));
    reference_forget(journal);
    steps_mark(journal, "noted");
    err = kept_run(host, journal);
    journal->recovering = false;
    journal->tries = 0;
    if (journal_save_somewhere(journal))
        log_line("%s: the journal cannot be written", journal->name);
    return err;
}
