/* SPDX-License-Identifier: BSD-2-Clause */
/* adopt: a driver domain that `xl create` made becomes one of ours. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>
#include <libxl_uuid.h>

#include "cli/command.h"
#include "cli/journal_read.h"
#include "cli/kernel_replace.h"
#include "config/policies.h"
#include "config/policystore.h"
#include "image/image.h"
#include "journal/journal.h"
#include "journal/unfinished.h"
#include "recover/reference.h"
#include "util/faultpoint.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/store.h"

#include <ferry/number.h>

static int domain_find(struct host *host, const char *word, uint32_t *domid_r)
{
    if (number_parse(word, STORE_DOMID_MAX, domid_r) == 0 && *domid_r != 0)
        return 0;
    if (libxl_name_to_domid(host->xl, word, domid_r) == 0 && *domid_r != 0)
        return 0;
    log_line("there is no domain %.63s: `xl list` shows them", word);
    return -ENOENT;
}

static int config_fetch(struct host *host, uint32_t domid, struct config *config)
{
    libxl_domain_config_init(&config->xl);
    if (libxl_retrieve_domain_configuration(host->xl, domid, &config->xl, NULL)) {
        log_line("libxl has no configuration of domain %u", domid);
        return -EIO;
    }
    if (config->xl.c_info.type != LIBXL_DOMAIN_TYPE_PV) {
        log_line("domain %u is not of type PV", domid);
        return -EINVAL;
    }
    if (!config->xl.c_info.name || !files_name_ok(config->xl.c_info.name)) {
        log_line("the name of domain %u must be of up to 63 letters, digits, '_', '-' and '.'",
                 domid);
        return -EINVAL;
    }
    if (config->xl.num_pcidevs < 1 || config->xl.num_pcidevs > JOURNAL_NICS_MAX) {
        log_line("domain %u has %d PCI devices: 1 to %d are looked after", domid,
                 config->xl.num_pcidevs, JOURNAL_NICS_MAX);
        return -EINVAL;
    }
    for (int i = 0; i < config->xl.num_pcidevs; i++) {
        const libxl_device_pci *pci = &config->xl.pcidevs[i];

        config->nics[i] = (struct bdf){ pci->domain, pci->bus, pci->dev, pci->func };
        config->permissive = config->permissive || pci->permissive;
    }
    config->nr_nics = (unsigned int)config->xl.num_pcidevs;
    return 0;
}

static void journal_fill(struct journal *journal, const struct config *config, uint32_t domid,
                         bool insist)
{
    memset(journal, 0, sizeof(*journal));
    snprintf(journal->name, sizeof(journal->name), "%s", config->xl.c_info.name);
    snprintf(journal->uuid, sizeof(journal->uuid), LIBXL_UUID_FMT,
             LIBXL_UUID_BYTES(config->xl.c_info.uuid));
    journal->domid = domid;
    journal->wish = JOURNAL_RUN;
    journal->adopted = true;
    journal->unisolated = insist;
    journal->nr_nics = config->nr_nics;
    for (unsigned int i = 0; i < config->nr_nics; i++)
        journal->nics[i].bdf = config->nics[i];
}

static int config_keep(struct host *host, const struct journal *journal, struct config *config)
{
    char path[FILES_PATH_SIZE];
    int err = files_dir_make(files_state_dir());

    config->text = libxl_domain_config_to_json(host->xl, &config->xl);
    if (!config->text)
        return -ENOMEM;
    journal_path(journal->name, ".libxl", path);
    if (!err)
        err = files_write(path, config->text, strlen(config->text));
    if (err)
        log_line("%s: %s%s", path, strerror(-err), files_todo(err));
    return err;
}

static bool is_preserved(libxl_action_on_shutdown action)
{
    return action == LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
}

/*
 * The kernel's file as it is on disk now, and the ramdisk's. A reload compares the domain with it, so it must be what runs;
 * if it is not, there is no copy, and a rebuild takes the file of then. Linux changes its own text while it runs: it cannot be
 * compared.
 */
static int kernel_take(struct host *host, struct journal *journal, const struct config *config)
{
    char path[FILES_PATH_SIZE];
    struct reference reference;
    struct kernel_files files = { config->xl.b_info.kernel, config->xl.b_info.ramdisk };
    int err;

    if (!files.kernel) {
        log_line("%s was started by a bootloader; ferry needs kernel= (and ramdisk=)",
                 journal->name);
        return -ENOENT;
    }
    err = kernel_keep(journal, &files);
    if (err || journal->is_linux)
        return err;
    reference_load(journal, &reference);
    if (reference.has_image && !reference_is_of(host, journal, &reference)) {
        log_line("%s: %s is not what it runs: a death means a rebuild, from that file",
                 journal->name, config->xl.b_info.kernel);
        journal_path(journal->name, ".kernel", path);
        unlink(path);
        journal->kernel[0] = '\0';
        journal->ramdisk[0] = '\0';
    }
    reference_dispose(&reference);
    return 0;
}

/* What it goes by now is what it will go by. */
static int policy_take(struct host *host, struct journal *journal)
{
    struct policyfile_error error;
    struct policyfile policy;
    const char *section;
    int err = policystore_get(host->xs, journal->domid, &policy);

    if (err) {
        log_line("%s: its policy cannot be read from xenstore: %s", journal->name, strerror(-err));
        return err;
    }
    err = policyfile_check(&policy, &section, &error);
    if (err)
        log_line("%s: /local/domain/%u/ferry/policy/%s makes no sense: %s", journal->name,
                 journal->domid, section, error.text);
    else
        err = policies_keep(journal, policy.nr ? &policy : NULL);
    policyfile_dispose(&policy);
    return err;
}

/* What is not as it would be with `ferry start`. */
static void losses_log(const struct journal *journal, const struct config *config)
{
    char path[FILES_PATH_SIZE];

    policies_path(journal->name, path);
    if (journal->is_linux)
        log_line("%s runs Linux: a death means a rebuild, from its files as they are now; without "
                 "Ferry's agent in it a hang is not seen (`ferry status`)",
                 journal->name);
    if (access(path, F_OK) == 0 && journal->is_linux)
        log_line("%s: %s is not read: policies are for Ferry's kernel", journal->name, path);
    else if (access(path, F_OK) == 0)
        log_line("%s: %s is not read; `ferry policy %s` loads it", journal->name, path,
                 journal->name);
    if (!is_preserved(config->xl.on_crash) || !is_preserved(config->xl.on_watchdog))
        log_line(
            "%s: on_crash and on_watchdog are not both \"preserve\": xl's own monitor acts on its "
            "death, too, and may be first; then it is rebuilt, and ferryd's alone from then on",
            journal->name);
    log_line(
        "%s: whether dom0 had its devices before is not known: `ferry stop` gives them back to "
        "nobody",
        journal->name);
}

static int adopt(struct host *host, struct config *config, uint32_t domid, bool insist)
{
    struct journal journal = { .wish = JOURNAL_STOP };
    int lock = files_lock(config->xl.c_info.name, true), err;
    bool was_known;

    if (lock < 0) {
        log_line("%s: %s%s", files_run_dir(), strerror(-lock), files_todo(lock));
        return EXIT_FAILED;
    }
    err = journal_load(config->xl.c_info.name, &journal);
    was_known = err != -ENOENT;
    if (was_known && err) {
        journal_fault_tell(config->xl.c_info.name, err);
        close(lock);
        return EXIT_FAILED;
    }
    if (was_known && journal.domid == domid && journal.wish == JOURNAL_RUN) {
        log_line("%s is looked after already", journal.name);
        close(lock);
        return EXIT_FAILED;
    }
    err = command_contained_wanted(host, config, insist);
    if (!err) {
        journal_fill(&journal, config, domid, insist);
        err = config_keep(host, &journal, config);
    }
    faultpoint("configuration kept");
    if (!err)
        err = kernel_take(host, &journal, config);
    faultpoint("kernel kept");
    if (!err)
        err = policy_take(host, &journal);
    if (!err)
        err = command_journal_save(&journal);
    faultpoint("adopted");
    if (err && !was_known)
        journal_remove(config->xl.c_info.name);
    if (!err)
        losses_log(&journal, config);
    close(lock);
    if (err)
        return err == -EACCES ? EXIT_REFUSED : EXIT_FAILED;
    printf("%s is looked after, with id %u\n", journal.name, journal.domid);
    command_ferryd_wanted(&journal);
    return EXIT_OK;
}

/* A `ferry` that is gone has left a domain half made, or half ended: that is none to be adopted. */
static bool is_unfinished(const char *name)
{
    if (!unfinished_is_abandoned(name))
        return false;
    log_line("%s: a `ferry` that moved dom0's network was cut short: `ferry stop %s` finishes that",
             name, name);
    return true;
}

int command_adopt(int argc, char **argv)
{
    struct config config = { 0 };
    struct host host;
    bool insist = false;
    int code = command_words(argc, argv, 1, 1, "allow-unisolated", &insist);
    uint32_t domid;

    if (code >= 0)
        return code;
    if (host_open(&host))
        return EXIT_FAILED;
    code = EXIT_FAILED;
    if (domain_find(&host, argv[optind], &domid))
        code = EXIT_NO_SUCH;
    else if (config_fetch(&host, domid, &config) == 0 && !is_unfinished(config.xl.c_info.name))
        code = adopt(&host, &config, domid, insist);
    config_dispose(&config);
    host_close(&host);
    return code;
}
