/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>
#include <libxl_uuid.h>

#include "command.h"
#include "image.h"
#include "pci.h"
#include "policies.h"
#include "say.h"

/* What must not be there yet. */
static int absent_wanted(struct host *host, const struct config *config)
{
    const char *name = config->xl.c_info.name;
    struct verdict_seen seen;
    struct journal journal;
    uint32_t domid;

    if (libxl_name_to_domid(host->xl, name, &domid) == 0) {
        say("a domain %s is there already, with id %u; `ferry restart %s` replaces one that ferry "
            "started",
            name, domid, name);
        return -EEXIST;
    }
    if (journal_load(name, &journal) == 0 && journal.wish == JOURNAL_RUN &&
        (host_look(host, &journal, &seen) || !seen.exists)) {
        say("%s was started and has died; ferryd brings it back if it runs; otherwise `ferry "
            "restart "
            "%s`, or `ferry stop %s` and start again",
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
                  &check);
        if (check_worst(&check) != CHECK_REFUSED)
            continue;
        refused = true;
        command_check_print(&check, false);
    }
    if (!refused)
        return 0;
    if (!insist) {
        say("refused: the domain would not be contained; see above, or `ferry start "
            "--allow-unisolated`");
        return -EACCES;
    }
    say("WARNING: started without isolation, because --allow-unisolated was given: a bug in the "
        "network driver can take this machine down");
    return 0;
}

static int nics_take(struct host *host, struct journal *journal)
{
    for (unsigned int i = 0; i < journal->nr_nics; i++) {
        bool taken;

        if (pci_take(host, &journal->nics[i].bdf, &taken))
            return -EIO;
        journal->nics[i].taken = journal->nics[i].taken || taken;
    }
    return 0;
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

    if (journal_load(config->xl.c_info.name, &before))
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

    if (!err)
        err = command_kernel_keep(journal, config->xl.b_info.kernel);
    if (err)
        return err;
    journal_path(journal->name, ".cfg", path);
    err = files_write(path, config->text, config->len);
    if (err)
        say("%s: %s", path, strerror(-err));
    return err ? err : policies_keep(journal, policy);
}

int command_kernel_keep(struct journal *journal, const char *path)
{
    char kept[FILES_PATH_SIZE];
    int err;

    journal_path(journal->name, ".kernel", kept);
    err = files_copy(path, kept, IMAGE_SIZE_MAX);
    if (err)
        say("%s: %s", path, strerror(-err));
    else
        snprintf(journal->kernel, sizeof(journal->kernel), "%s", path);
    return err;
}

static int domain_make(struct host *host, struct journal *journal, struct config *config,
                       const struct policyfile *policy)
{
    int err = config_keep(journal, config, policy);

    if (err || nics_take(host, journal))
        return -EIO;
    err = journal_save(journal); /* who takes a device must know whose it was */
    if (!err)
        err = host_create(host, &config->xl, journal, JOURNAL_NO_DOMID);
    if (err) {
        say("%s could not be created (%s); with too little memory free, try `xl mem-set 0 ...`",
            journal->name, strerror(-err));
        return err;
    }
    err = policy ? policies_put(host, journal, policy) : 0;
    if (err)
        return err;
    journal->wish = JOURNAL_RUN;
    err = journal_save(journal);
    if (!err)
        err = host_unpause(host, journal);
    return err;
}

static int start(struct host *host, struct config *config, const struct policyfile *policy,
                 bool insist)
{
    struct journal journal;
    int lock = files_lock(config->xl.c_info.name, true), err;

    if (lock < 0) {
        say("%s: %s", files_run_dir(), strerror(-lock));
        return EXIT_FAILED;
    }
    err = absent_wanted(host, config);
    if (!err)
        err = command_contained_wanted(host, config, insist);
    if (!err) {
        journal_begin(&journal, config, insist);
        err = domain_make(host, &journal, config, policy);
        if (err) {
            host_destroy(host, &journal);
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

int command_start(int argc, char **argv)
{
    struct config config;
    struct host host;
    bool insist = false;
    int code = command_words(argc, argv, 1, 1, "allow-unisolated", &insist);

    if (code >= 0)
        return code;
    if (host_open(&host))
        return EXIT_FAILED;
    code = EXIT_FAILED;
    if (config_load(argv[optind], NULL, &config) == 0) {
        code = all_start(&host, &config, insist);
        config_dispose(&config);
    }
    host_close(&host);
    return code;
}
