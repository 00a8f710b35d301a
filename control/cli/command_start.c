/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>
#include <libxl_uuid.h>

#include "cli/command.h"
#include "cli/dom0_finish.h"
#include "cli/dom0_move.h"
#include "cli/journal_read.h"
#include "cli/kernel_replace.h"
#include "cli/kernel_status.h"
#include "config/policies.h"
#include "journal/journal.h"
#include "util/faultpoint.h"
#include "util/files.h"
#include "util/log.h"
#include "util/paths.h"
#include "xen/domain.h"
#include "xen/pci.h"

/* What must not be there yet. */
static int absent_wanted(struct host *host, const struct config *config)
{
    const char *name = config->xl.c_info.name;
    struct domain_seen seen;
    struct journal journal;
    int err = journal_load(name, &journal);
    bool is_known = !err;
    uint32_t domid;

    if (err && err != -ENOENT)
        journal_fault_tell(name, err);
    if (libxl_name_to_domid(host->xl, name, &domid) == 0) {
        if (is_known && journal.domid == JOURNAL_NO_DOMID && journal.wish == JOURNAL_STOP)
            log_line("a domain %s is there already, with id %u, of a start that was cut short: "
                     "`ferry stop %s`, and start again",
                     name, domid, name);
        else if (!is_known && err != -ENOENT)
            log_line("a domain %s is there already, with id %u, and is not replaced", name, domid);
        else
            log_line("a domain %s is there already, with id %u; `ferry restart %s` replaces one "
                     "that ferry started",
                     name, domid, name);
        return -EEXIST;
    }
    if (!is_known && err != -ENOENT)
        log_line("%s: no domain of that name runs: its journal is written anew; what dom0 had of "
                 "its devices before is not known",
                 name);
    if (is_known && journal.wish == JOURNAL_RUN && !journal_is_of_another_boot(&journal) &&
        (domain_look(host, &journal, &seen) || !seen.exists)) {
        log_line("%s was started and has died; ferryd brings it back if it runs; otherwise `ferry "
                 "restart %s`, or `ferry stop %s` and start again",
                 name, name, name);
        return -EEXIST;
    }
    return 0;
}

int command_contained_wanted(struct host *host, const struct config *config, bool insist)
{
    bool refused = false;

    for (unsigned int i = 0; i < config->nr_nics; i++) {
        struct check check;

        check_run(host, &config->nics[i], config->permissive, config->nics, config->nr_nics,
                  config->xl.b_info.kernel, &check);
        if (check_worst(&check) != CHECK_REFUSED)
            continue;
        refused = true;
        command_check_print(&check, false);
    }
    if (!refused)
        return 0;
    if (!insist) {
        log_line(
            "refused: the domain would not be contained, or would not drive its device; see above, "
            "or `ferry start --allow-unisolated`");
        return -EACCES;
    }
    log_line("WARNING: started in spite of that, because --allow-unisolated was given: without "
             "isolation "
             "a bug in the network driver can take this machine down");
    return 0;
}

/* Without an IOMMU libxl gives devices to no domain, and says so only when the domain is half made. */
static int passthrough_wanted(struct host *host, const struct config *config)
{
    libxl_physinfo info;
    bool possible;

    if (!config->nr_nics)
        return 0;
    libxl_physinfo_init(&info);
    possible = libxl_get_physinfo(host->xl, &info) || info.cap_hvm_directio; /* of PV, too */
    libxl_physinfo_dispose(&info);
    if (possible)
        return 0;
    log_line(
        "refused: Xen uses no IOMMU, and without one libxl gives devices to no domain, with "
        "--allow-unisolated or without: switch VT-d or AMD-Vi on in the firmware; no iommu=no on "
        "Xen's command line");
    return -EACCES;
}

/* The journal says first whose the devices were: whoever comes after this process must be able to give them back. */
static int nics_take(struct host *host, struct journal *journal)
{
    int err;

    for (unsigned int i = 0; i < journal->nr_nics; i++)
        if (pci_is_taken_from_dom0(&journal->nics[i].bdf))
            journal->nics[i].taken = true;
    err = command_journal_save(journal);
    faultpoint("noted whose");
    for (unsigned int i = 0; !err && i < journal->nr_nics; i++) {
        bool taken;

        err = pci_take(host, &journal->nics[i].bdf, &taken);
        journal->nics[i].taken = journal->nics[i].taken || taken;
        faultpoint("taken");
    }
    return err;
}

static void nics_give_back(struct host *host, struct journal *journal)
{
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        if (journal->nics[i].taken)
            pci_give_back(host, &journal->nics[i].bdf);
}

/* A domain of this name that ended by itself may have left devices that dom0 had. */
static bool was_taken(const struct journal *before, const struct bdf *bdf)
{
    for (unsigned int i = 0; i < before->nr_nics; i++)
        if (before->nics[i].taken && bdf_is_same(&before->nics[i].bdf, bdf))
            return true;
    return false;
}

static void journal_begin(struct journal *journal, const struct config *config, bool insist)
{
    struct journal before = { 0 };

    if (journal_load(config->xl.c_info.name, &before) || journal_is_of_another_boot(&before))
        before.nr_nics = 0;
    memset(journal, 0, sizeof(*journal));
    snprintf(journal->name, sizeof(journal->name), "%s", config->xl.c_info.name);
    snprintf(journal->uuid, sizeof(journal->uuid), LIBXL_UUID_FMT,
             LIBXL_UUID_BYTES(config->xl.c_info.uuid));
    journal->domid = JOURNAL_NO_DOMID;
    journal->wish = JOURNAL_STOP; /* until it runs */
    journal->unisolated = insist;
    journal->nr_nics = config->nr_nics;
    for (unsigned int i = 0; i < config->nr_nics; i++) {
        journal->nics[i].bdf = config->nics[i];
        journal->nics[i].taken = was_taken(&before, &config->nics[i]);
    }
}

/* The configuration and the kernel that a successor is made from are those of now, not what the files
 * become. */
static int config_keep(struct journal *journal, const struct config *config,
                       const struct policyfile *policy)
{
    char path[FILES_PATH_SIZE];
    int err = files_dir_make(files_state_dir());

    if (err)
        log_line("%s: %s%s", files_state_dir(), strerror(-err), files_todo(err));
    else
        err = kernel_keep(
            journal, &(struct kernel_files){ config->xl.b_info.kernel, config->xl.b_info.ramdisk });
    if (err)
        return err;
    if (journal->is_linux && policy)
        return command_linux_refuses(journal, "a policy for its vifs",
                                     "filter in its guests, or use Ferry's kernel; and remove "
                                     "its file in " PATHS_CONFIG);
    journal_path(journal->name, ".cfg", path);
    err = files_write(path, config->text, config->len);
    if (err)
        log_line("%s: %s%s", path, strerror(-err), files_todo(err));
    return err ? err : policies_keep(journal, policy);
}

static int domain_make(struct host *host, struct journal *journal, struct config *config,
                       const struct policyfile *policy)
{
    int err = config_keep(journal, config, policy);

    faultpoint("kept");
    if (err || nics_take(host, journal))
        return -EIO;
    err = domain_create(host, &config->xl, journal, JOURNAL_NO_DOMID);
    faultpoint("created");
    if (err) {
        log_line(
            "%s could not be created (%s); with too little memory free, try `xl mem-set 0 ...`",
            journal->name, strerror(-err));
        return err;
    }
    err = policy ? policies_put(host, journal, policy) : 0;
    if (err)
        return err;
    journal->wish = JOURNAL_RUN;
    err = command_journal_save(journal);
    faultpoint("noted to run");
    if (!err)
        err = domain_unpause(host, journal);
    faultpoint("unpaused");
    return err;
}

static int start(struct host *host, struct config *config, const struct policyfile *policy,
                 bool insist)
{
    struct journal journal;
    int lock = files_lock(config->xl.c_info.name, true), err;

    if (lock < 0) {
        log_line("%s: %s%s", files_run_dir(), strerror(-lock), files_todo(lock));
        return EXIT_FAILED;
    }
    err = absent_wanted(host, config);
    if (!err)
        err = command_contained_wanted(host, config, insist);
    if (!err)
        err = passthrough_wanted(host, config);
    if (!err) {
        journal_begin(&journal, config, insist);
        err = domain_make(host, &journal, config, policy);
        if (err) {
            domain_destroy(host, &journal);
            nics_give_back(host, &journal);
            journal_remove(journal.name);
        }
    }
    close(lock);
    if (err)
        return err == -EACCES ? EXIT_REFUSED : EXIT_FAILED;
    printf("%s runs, with id %u\n", journal.name, journal.domid);
    command_ferryd_wanted(&journal);
    return EXIT_OK;
}

/* What belongs to it must make sense before anything is done. */
static int all_start(struct host *host, struct config *config, bool insist)
{
    char path[FILES_PATH_SIZE], words[POLICIES_WORDS_SIZE];
    struct policyfile policy;
    int err, code;

    policies_path(config->xl.c_info.name, path);
    err = policies_load(path, &policy);
    if (err && err != -ENOENT)
        return EXIT_FAILED;
    code = start(host, config, err ? NULL : &policy, insist);
    if (code == EXIT_OK && !err) {
        policies_words(&policy, words);
        printf("policy of %s: %s\n", config->xl.c_info.name, words);
    }
    policyfile_dispose(&policy);
    return code;
}

/* Whether the file is the one that was kept of a domain. */
static bool is_as_kept(const struct journal *journal, const char *path)
{
    char kept_path[FILES_PATH_SIZE], *text = NULL, *kept = NULL;
    size_t len, kept_len;
    bool is_same;

    journal_path(journal->name, ".cfg", kept_path);
    is_same = files_read(path, CONFIG_SIZE_MAX, &text, &len) == 0 &&
              files_read(kept_path, CONFIG_SIZE_MAX, &kept, &kept_len) == 0 && len == kept_len &&
              memcmp(text, kept, len) == 0;
    free(text);
    free(kept);
    return is_same;
}

bool command_nics_known(const char *path, struct journal *journal_r)
{
    char name[FILES_NAME_MAX + 1], driver[64];

    if (config_name(path, name) || journal_load(name, journal_r) ||
        journal_is_of_another_boot(journal_r) || !is_as_kept(journal_r, path))
        return false;
    for (unsigned int i = 0; i < journal_r->nr_nics; i++) {
        pci_driver(&journal_r->nics[i].bdf, driver, sizeof(driver));
        if (!journal_r->nics[i].taken || strcmp(driver, "pciback") != 0)
            return false;
    }
    return true;
}

/* dom0 goes on over the first of its cards, from behind the domain that now has it. Returns 0 or a negative errno. */
static int dom0_follow(struct host *host, const struct config *config, const struct dom0_keep *keep)
{
    const char *name = config->xl.c_info.name;
    struct journal journal;
    int err = kernel_status_wait(host, name);

    if (!err) {
        err = journal_load(name, &journal); /* once it serves: ferryd may have built it anew */
        if (err)
            journal_fault_tell(name, err);
    }
    if (!err)
        err = dom0_move_behind(host, &journal, &config->dom0_vif, keep);
    faultpoint("moved");
    if (!err)
        printf("dom0 has an interface on bridge %s of it%s%s\n", config->dom0_vif.bridge,
               *keep->net.nic.name ? ": " : "", keep->net.nic.name);
    else if (err == -EIO)
        log_line("%s runs, and dom0 has an interface behind it, but not all that was on the card: "
                 "see above",
                 name);
    return err;
}

/* Without an interface behind the domain dom0 keeps the card. */
static int started_end(struct host *host, const char *name, const struct dom0_record *record,
                       int err)
{
    if (!err || err == -EIO) {
        dom0_record_remove(name);
    } else {
        log_line("%s: dom0 has no interface behind it; it is stopped again", name);
        dom0_finish(host, name, record);
    }
    return err ? EXIT_FAILED : EXIT_OK;
}

/* One that is noted as begun is undone if this process ends: so nothing of that name may be there yet. */
static int start_noted(struct host *host, struct config *config, bool insist,
                       struct dom0_record *record)
{
    const char *name = config->xl.c_info.name;
    int code;

    if (absent_wanted(host, config) || dom0_record_save(name, record))
        return EXIT_FAILED;
    faultpoint("dom0 noted");
    code = all_start(host, config, insist);
    if (code == EXIT_OK)
        return started_end(host, name, record, dom0_follow(host, config, &record->keep));
    if (dom0_move_back(host, name, record) != -ENODEV)
        dom0_record_remove(name);
    return code;
}

static int start_before_dom0(struct host *host, struct config *config, bool insist, bool is_noted)
{
    struct dom0_record record = { .what = DOM0_START,
                                  .bdf = config->nics[0],
                                  .vif = config->dom0_vif };
    int code;

    if (dom0_netfront_wanted() || dom0_keep_read(&config->nics[0], &record.keep))
        return EXIT_FAILED;
    dom0_signals_ignore();
    if (!is_noted)
        code = start_noted(host, config, insist, &record);
    else
        code = all_start(host, config, insist) == EXIT_OK &&
                       dom0_follow(host, config, &record.keep) == 0
                   ? EXIT_OK
                   : EXIT_FAILED;
    dom0_record_dispose(&record);
    return code;
}

/* dom0's network is not moved. */
static int start_alone(struct host *host, struct config *config, bool insist)
{
    int code = all_start(host, config, insist);

    if (code == EXIT_OK && kernel_status_wait(host, config->xl.c_info.name))
        code = EXIT_FAILED;
    return code;
}

static int file_start(struct host *host, const char *path, bool insist, bool is_noted)
{
    struct journal known;
    struct config config;
    int code;

    if (config_load(path, command_nics_known(path, &known) ? &known : NULL, &config))
        return EXIT_FAILED;
    code = *config.dom0_vif.bridge ? start_before_dom0(host, &config, insist, is_noted)
                                   : start_alone(host, &config, insist);
    config_dispose(&config);
    return code;
}

int command_start_guarded(struct host *host, const char *path)
{
    return file_start(host, path, false, true);
}

int command_start_file(struct host *host, const char *path, bool insist)
{
    char name[FILES_NAME_MAX + 1];
    int guard, code;

    if (config_name(path, name))
        return EXIT_FAILED;
    code = dom0_finish_take(host, name, &guard);
    if (code)
        return code;
    code = file_start(host, path, insist, false);
    close(guard);
    return code;
}

/* Returns -1 to go on, or an exit code. */
static int words_read(int argc, char **argv, bool *insist_r, bool *all_r)
{
    static const struct option options[] = { { "help", no_argument, NULL, 'h' },
                                             { "all", no_argument, NULL, 'a' },
                                             { "allow-unisolated", no_argument, NULL, 'u' },
                                             { 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option == 'a')
            *all_r = true;
        else if (option == 'u')
            *insist_r = true;
        else
            return command_usage();
    }
    return argc - optind == (*all_r ? 0 : 1) ? -1 : command_usage();
}

int command_start(int argc, char **argv)
{
    bool insist = false, all = false;
    struct host host;
    int code = words_read(argc, argv, &insist, &all);

    if (code >= 0)
        return code;
    if (host_open(&host))
        return EXIT_FAILED;
    code = all ? command_start_all(&host, insist) : command_start_file(&host, argv[optind], insist);
    host_close(&host);
    return code;
}
