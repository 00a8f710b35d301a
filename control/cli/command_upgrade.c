/* SPDX-License-Identifier: BSD-2-Clause */
/* upgrade, and restart: another kernel, or the same one anew, under the guests. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/kernel_replace.h"
#include "config/policies.h"
#include "image/kind.h"
#include "journal/journal.h"
#include "recover/inplace.h"
#include "recover/recover.h"
#include "util/faultpoint.h"
#include "util/files.h"
#include "util/log.h"

/* Where the disk does not take it, ferryd must know all the same. */
static void save(struct journal *journal)
{
    if (command_journal_save(journal))
        (void)journal_save_quick(journal);
}

/* ferryd would take what follows for a death, and finish it if we do not. */
static void note(struct journal *journal, const char *cause)
{
    journal->wish = JOURNAL_RUN;
    recover_note_death(journal, cause);
    journal->recovering = true;
    journal->tries = 1;
    save(journal);
}

static int over(struct journal *journal, const char *way)
{
    struct journal_death *death = journal_death_last(journal);

    snprintf(death->way, sizeof(death->way), "%s", way);
    journal->recovering = false;
    journal->tries = 0;
    save(journal);
    printf("%s runs, with id %u: %s in place in %ld.%03ld ms, NIC %s\n", journal->name,
           journal->domid, way, (long)(death->back_us / 1000), (long)(death->back_us % 1000),
           death->nic);
    return EXIT_OK;
}

/* The same id, a new domain. */
static int rebuild(struct host *host, struct journal *journal)
{
    if (recover(host, journal)) {
        log_line("%s did not come back: `ferry logs %s`", journal->name, journal->name);
        return EXIT_FAILED;
    }
    printf("%s runs, with id %u: rebuilt in %ld ms\n", journal->name, journal->domid,
           (long)journal_death_last(journal)->back_ms);
    return EXIT_OK;
}

static int rebuild_with(struct host *host, struct journal *journal,
                        const struct kernel_files *files)
{
    struct journal before = *journal;

    if (kernel_replace(journal, files))
        return EXIT_FAILED;
    if (rebuild(host, journal) == EXIT_OK)
        return EXIT_OK;
    if (!before.kernel[0])
        return EXIT_FAILED;
    log_line("%s: back to the kernel before", journal->name);
    if (kernel_restore(journal, &before) == 0)
        rebuild(host, journal);
    return EXIT_FAILED;
}

static int upgrade_in_place(struct host *host, struct journal *journal,
                            const struct kernel_files *files, const struct image *image)
{
    note(journal, "upgrade");
    if (inplace_run(host, journal, image, false) == 0) {
        int err = kernel_replace(journal, files), code = over(journal, "upgraded");

        return err ? EXIT_FAILED : code;
    }
    log_line("%s: the new kernel did not come up: back to the one before", journal->name);
    rebuild(host, journal);
    return EXIT_FAILED;
}

/* What would keep it from coming back is said while it is there. */
static bool policy_is_well(const struct journal *journal)
{
    struct policyfile kept;
    int err = policies_load_kept(journal, &kept);

    policyfile_dispose(&kept);
    return !err || err == -ENOENT;
}

/*
 * What a Linux domain goes on with: no file that belongs to another. 0 or a negative errno; says what is wrong.
 */
static int linux_files_wanted(const struct journal *journal, const struct kernel_files *files)
{
    enum image_kind kind;
    int err = kind_read(files->kernel, &kind);

    if (!err && files->ramdisk && access(files->ramdisk, R_OK))
        log_line("%s: %s", files->ramdisk, strerror(err = errno));
    else if (err)
        log_line("%s: %s", files->kernel, strerror(-err));
    else if (kind == IMAGE_LINUX && !journal->is_linux)
        log_line("%s is a Linux kernel, and %s runs Ferry's: name it in the configuration, and "
                 "`ferry restart %s CONFIG`",
                 files->kernel, journal->name, journal->name);
    else if (kind != IMAGE_LINUX && journal->is_linux)
        log_line("%s is no Linux kernel (bzImage, or vmlinux with Xen's notes), and %s runs Linux: "
                 "for Ferry's name it in the configuration, and `ferry restart %s CONFIG`",
                 files->kernel, journal->name, journal->name);
    else if (files->ramdisk && !journal->is_linux)
        log_line("--ramdisk is for Linux, and %s runs Ferry's kernel", journal->name);
    else if (journal->is_linux && journal->ramdisk[0] && !files->ramdisk)
        log_line("%s has a ramdisk, with the modules of the kernel that it runs: name the new "
                 "one's with --ramdisk",
                 journal->name);
    else
        return 0;
    return -EINVAL;
}

/* Under the guests, by a rebuild. */
static int upgrade_linux(struct host *host, struct journal *journal,
                         const struct kernel_files *files)
{
    int code = EXIT_FAILED;

    if (kernel_prepare(journal, files)) {
        log_line("%s: nothing is changed", journal->name);
    } else {
        note(journal, "upgrade");
        code = rebuild_with(host, journal, files);
    }
    kernel_drop(journal);
    return code;
}

static int upgrade_ferry(struct host *host, struct journal *journal,
                         const struct kernel_files *files)
{
    const char *path = files->kernel;
    struct image image = { 0 };
    int err, code;

    err = image_load(path, &image);
    if (err && err != -ENOENT) {
        log_line("%s: %s", path, err == -EINVAL ? "is not an image of Ferry's" : strerror(-err));
        return EXIT_FAILED;
    }
    if (err && access(path, R_OK)) {
        log_line("%s: %s", path, strerror(errno));
        return EXIT_FAILED;
    }
    if (kernel_prepare(journal, files)) {
        log_line("%s: nothing is changed", journal->name);
        code = EXIT_FAILED;
    } else if (!err && inplace_possible(host, journal, &image)) {
        code = upgrade_in_place(host, journal, files, &image);
    } else {
        if (err)
            log_line("%s does not say how to start in place; %s is rebuilt", path, journal->name);
        note(journal, "upgrade");
        code = rebuild_with(host, journal, files);
    }
    kernel_drop(journal);
    image_dispose(&image);
    return code;
}

static int upgrade(struct host *host, struct journal *journal, const struct kernel_files *files)
{
    if (!policy_is_well(journal) || linux_files_wanted(journal, files))
        return EXIT_FAILED;
    return journal->is_linux ? upgrade_linux(host, journal, files)
                             : upgrade_ferry(host, journal, files);
}

/* dom0's own interface comes and goes with `ferry start` and `ferry stop` alone. */
static bool is_dom0_vif_as_before(struct host *host, const struct journal *journal,
                                  const struct config *config)
{
    struct config before;
    bool is_same;

    if (config_load_kept(host->xl, journal, &before))
        return !*config->dom0_vif.bridge;
    is_same = strcmp(before.dom0_vif.bridge, config->dom0_vif.bridge) == 0 &&
              memcmp(before.dom0_vif.mac, config->dom0_vif.mac, sizeof(before.dom0_vif.mac)) == 0;
    config_dispose(&before);
    return is_same;
}

/* Another configuration for the successor; same name, same devices. has_policy: there is a file of policies for it. */
static int config_replace(struct host *host, struct journal *journal, const char *path,
                          bool has_policy)
{
    char kept[FILES_PATH_SIZE];
    struct kernel_files files;
    struct config config;
    bool same;
    int err = config_load(path, journal, &config);

    if (err)
        return err;
    same = strcmp(config.xl.c_info.name, journal->name) == 0 && config.nr_nics == journal->nr_nics;
    for (unsigned int i = 0; same && i < config.nr_nics; i++)
        same = bdf_is_same(&config.nics[i], &journal->nics[i].bdf);
    if (!same) {
        log_line("%s: name or devices are others than those of %s: stop it and start anew", path,
                 journal->name);
        err = -EINVAL;
    } else if (!is_dom0_vif_as_before(host, journal, &config)) {
        log_line("%s: dom0_vif= is another than that of %s: stop it and start anew", path,
                 journal->name);
        err = -EINVAL;
    } else if (config.permissive && !journal->unisolated) {
        log_line("%s: permissive mode needs `ferry start --allow-unisolated`", path);
        err = -EINVAL;
    } else if (config.is_linux && (has_policy || journal->has_policy)) {
        log_line(
            "%s: its kernel is Linux, which does not keep to the policy of %s: stop it, remove "
            "its policy file, and start it from there",
            path, journal->name);
        err = -ENOTSUP;
    } else {
        journal_path(journal->name, ".cfg", kept);
        files = (struct kernel_files){ config.xl.b_info.kernel, config.xl.b_info.ramdisk };
        err = kernel_prepare(journal, &files);
        if (!err) {
            err = files_write(kept, config.text, config.len);
            if (err)
                log_line("%s: %s%s", kept, strerror(-err), files_todo(err));
            faultpoint("configuration replaced");
        }
    }
    if (!err)
        err = kernel_replace(journal, &files);
    kernel_drop(journal);
    if (!err)
        journal->adopted = false;
    config_dispose(&config);
    return err;
}

/* From the admin's files, as far as there are any; otherwise it keeps what it has. 0 or a negative errno. */
static int files_renew(struct host *host, struct journal *journal, const char *config)
{
    char path[FILES_PATH_SIZE];
    struct policyfile policy;
    bool is_there, has_policy;
    int err;

    policies_path(journal->name, path);
    err = policies_load(path, &policy);
    has_policy = !err;
    if (has_policy && journal->is_linux && !config) {
        policyfile_dispose(&policy);
        return command_linux_refuses(journal, "a policy for its vifs", "remove its file");
    }
    if (err == -ENOENT)
        err = policy_is_well(journal) ? 0 : -EINVAL;
    if (!err && config)
        err = config_replace(host, journal, config, has_policy);
    if (!err && has_policy)
        err = policies_apply(host, journal, &policy, &is_there);
    policyfile_dispose(&policy);
    return err;
}

static int restart(struct host *host, struct journal *journal, const char *path, bool anew)
{
    bool in_place = !path && !anew && inplace_possible(host, journal, NULL);

    if (files_renew(host, journal, path))
        return EXIT_FAILED;
    note(journal, "restart");
    if (in_place && inplace_run(host, journal, NULL, true) == 0)
        return over(journal, "reloaded");
    return rebuild(host, journal);
}

/* What both share: the journal's lock, Xen, and a word to ferryd. */
static int act(const char *name, const struct kernel_files *files, const char *config, bool anew)
{
    struct journal journal;
    struct host host;
    int lock, code = command_journal_take(name, &journal, &lock);

    if (code)
        return code;
    code = EXIT_FAILED;
    if (host_open(&host) == 0) {
        code = files ? upgrade(&host, &journal, files) : restart(&host, &journal, config, anew);
        host_close(&host);
    }
    close(lock);
    command_tell_ferryd();
    return code;
}

int command_upgrade(int argc, char **argv)
{
    static const struct option options[] = { { "kernel", required_argument, NULL, 'k' },
                                             { "ramdisk", required_argument, NULL, 'r' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    struct kernel_files files = { 0 };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option == 'k')
            files.kernel = optarg;
        else if (option == 'r')
            files.ramdisk = optarg;
        else
            return command_usage();
    }
    if (argc - optind != 1 || !files.kernel)
        return command_usage();
    return act(argv[optind], &files, NULL, false);
}

int command_restart(int argc, char **argv)
{
    bool anew = false;
    int code = command_words(argc, argv, 1, 2, "rebuild", &anew);

    if (code >= 0)
        return code;
    return act(argv[optind], NULL, argv[optind + 1], anew);
}
