/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "pci.h"
#include "say.h"
#include "vifs.h"

#define REPORT_SIZE 16384
#define SETTLE_LIMIT_MS 20000
#define CREATE_TRIES 3

void recover_note_death(struct journal *journal, const char *cause)
{
    char path[FILES_PATH_SIZE], *tail;
    size_t len;

    journal_death_add(journal, host_now_ms(), cause);
    snprintf(path, sizeof(path), "%s/guest-%s.log", files_console_dir(), journal->name);
    if (files_read_tail(path, REPORT_SIZE, &tail, &len) == 0) {
        journal_path(journal->name, ".report", path);
        files_write(path, tail, len);
        free(tail);
    }
}

/* Prepare the devices: quiet (R12), and pciback's again if somebody gave them back to dom0. */
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
 * The successor, paused: with the old id, or with another when that one is not to be had (R10).
 */
static int successor_create(struct host *host, struct journal *journal, struct config *config,
                            uint32_t domid, bool is_free)
{
    struct verdict_seen seen;

    if (is_free && domid != JOURNAL_NO_DOMID) {
        if (host_create(host, &config->xl, journal, domid) == 0)
            return 0;
        /* Not for the id's sake? Then the next try is the next death, with the same id. */
        if (host_look(host, journal, &seen) || !seen.exists || seen.is_ours)
            return -EIO;
    }
    if (domid != JOURNAL_NO_DOMID)
        say("%s: its id %u is not free: a new one, and guests see a new interface", journal->name,
            domid);
    return host_create(host, &config->xl, journal, JOURNAL_NO_DOMID);
}

static void vifs_report(const struct journal *journal, const struct vifs *vifs, int64_t ms)
{
    say("%s: running again with id %u after %ld ms: %u vifs taken over, %u offered anew, "
        "%u replugged, %u lost",
        journal->name, journal->domid, (long)ms, vifs_count(vifs, VIF_TAKEN),
        vifs_count(vifs, VIF_OFFERED), vifs_count(vifs, VIF_REPLUGGED), vifs_count(vifs, VIF_LOST));
}

/* From the paused successor to served guests. */
static int successor_start(struct host *host, struct journal *journal, uint32_t old_domid,
                           struct vifs *vifs, int64_t started_ms)
{
    struct journal_death *death = &journal->deaths[journal->nr_deaths - 1];
    bool same = journal->domid == old_domid;
    int err;

    if (same)
        vifs_rebuild(host, journal->domid, vifs);
    else
        for (unsigned int i = 0; i < vifs->nr; i++)
            vifs->refs[i].way = VIF_LOST;
    err = host_unpause(host, journal);
    if (err)
        return err;
    say("%s: %ld ms: started", journal->name, (long)(host_ticks_ms() - started_ms));
    err = vifs_settle(host, journal, vifs, SETTLE_LIMIT_MS);
    if (err)
        return err;
    death->back_ms = host_ticks_ms() - started_ms;
    snprintf(death->way, sizeof(death->way), "%s",
             vifs_count(vifs, VIF_LOST) ? "replugged" : "rebuilt");
    vifs_replug(host, journal->domid, vifs);
    vifs_report(journal, vifs, death->back_ms);
    return 0;
}

static int recover_run(struct host *host, struct journal *journal, struct config *config,
                       int64_t started_ms)
{
    uint32_t old_domid = journal->domid;
    struct vifs vifs;
    int err;

    vifs_find(host, old_domid, &vifs);
    err = host_destroy(host, journal);
    if (err && err != -EEXIST)
        say("%s: the old domain %u does not go away: %s", journal->name, old_domid, strerror(-err));
    say("%s: %ld ms: the old domain is gone", journal->name, (long)(host_ticks_ms() - started_ms));
    if (nics_prepare(host, journal))
        return -EIO;
    err = successor_create(host, journal, config, old_domid, err == 0);
    if (err)
        return err;
    say("%s: %ld ms: successor built", journal->name, (long)(host_ticks_ms() - started_ms));
    if (journal->domid != old_domid && journal_save(journal))
        say("%s: the journal cannot be written", journal->name);
    return successor_start(host, journal, old_domid, &vifs, started_ms);
}

int recover(struct host *host, struct journal *journal, int64_t started_ms)
{
    char path[FILES_PATH_SIZE];
    struct config config;
    int err;

    journal->recovering = true;
    err = journal_save(journal);
    if (err)
        say("%s: the journal cannot be written: %s", journal->name, strerror(-err));
    journal_path(journal->name, ".cfg", path);
    err = config_load(path, journal, &config);
    if (!err) {
        err = recover_run(host, journal, &config, started_ms);
        config_dispose(&config);
    }
    journal->recovering = false;
    if (journal_save(journal))
        say("%s: the journal cannot be written", journal->name);
    return err;
}
