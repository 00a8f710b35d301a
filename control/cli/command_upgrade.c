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
#include "journal/journal.h"
#include "recover/inplace.h"
#include "recover/recover.h"
#include "util/files.h"
#include "util/log.h"

static void save(struct journal *journal)
{
    command_journal_save(journal);
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

static int rebuild_with(struct host *host, struct journal *journal, const char *path)
{
    char now[FILES_PATH_SIZE], before[FILES_PATH_SIZE], name[FILES_PATH_SIZE];

    snprintf(name, sizeof(name), "%s", journal->kernel);
    if (kernel_replace(journal, path))
        return EXIT_FAILED;
    if (rebuild(host, journal) == EXIT_OK)
        return EXIT_OK;
    if (!name[0])
        return EXIT_FAILED;
    log_line("%s: back to the kernel before", journal->name);
    journal_path(journal->name, ".kernel", now);
    journal_path(journal->name, ".kernel.before", before);
    if (rename(before, now)) {
        log_line("%s: %s%s", now, strerror(errno), files_todo(-errno));
        return EXIT_FAILED;
    }
    snprintf(journal->kernel, sizeof(journal->kernel), "%s", name);
    rebuild(host, journal);
    return EXIT_FAILED;
}

static int upgrade_in_place(struct host *host, struct journal *journal, const char *path,
                            const struct image *image)
{
    note(journal, "upgrade");
    if (inplace_run(host, journal, image, false) == 0) {
        int err = kernel_replace(journal, path), code = over(journal, "upgraded");

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

static int upgrade(struct host *host, struct journal *journal, const char *path)
{
    struct image image = { 0 };
    int err, code;

    if (!policy_is_well(journal))
        return EXIT_FAILED;
    err = image_load(path, &image);
    if (err && err != -ENOENT) {
        log_line("%s: %s", path, err == -EINVAL ? "is not an image of Ferry's" : strerror(-err));
        return EXIT_FAILED;
    }
    if (err && access(path, R_OK)) {
        log_line("%s: %s", path, strerror(errno));
        return EXIT_FAILED;
    }
    if (kernel_prepare(journal, path)) {
        log_line("%s: nothing is changed", journal->name);
        code = EXIT_FAILED;
    } else if (!err && inplace_possible(host, journal, &image)) {
        code = upgrade_in_place(host, journal, path, &image);
    } else {
        if (err)
            log_line("%s does not say how to start in place; %s is rebuilt", path, journal->name);
        note(journal, "upgrade");
        code = rebuild_with(host, journal, path);
    }
    kernel_drop(journal);
    image_dispose(&image);
    return code;
}

/* Another configuration for the successor; same name, same devices. */
static int config_replace(struct journal *journal, const char *path)
{
    char kept[FILES_PATH_SIZE];
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
    } else if (config.permissive && !journal->unisolated) {
        log_line("%s: permissive mode needs `ferry start --allow-unisolated`", path);
        err = -EINVAL;
    } else {
        journal_path(journal->name, ".cfg", kept);
        err = kernel_prepare(journal, config.xl.b_info.kernel);
        if (!err) {
            err = files_write(kept, config.text, config.len);
            if (err)
                log_line("%s: %s%s", kept, strerror(-err), files_todo(err));
        }
    }
    if (!err)
        err = kernel_replace(journal, config.xl.b_info.kernel);
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
    if (err == -ENOENT)
        err = policy_is_well(journal) ? 0 : -EINVAL;
    if (!err && config)
        err = config_replace(journal, config);
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
static int act(const char *name, const char *kernel, const char *config, bool anew)
{
    struct journal journal;
    struct host host;
    int lock, code = command_journal_take(name, &journal, &lock);

    if (code)
        return code;
    code = EXIT_FAILED;
    if (host_open(&host) == 0) {
        code = kernel ? upgrade(&host, &journal, kernel) : restart(&host, &journal, config, anew);
        host_close(&host);
    }
    close(lock);
    command_tell_ferryd();
    return code;
}

int command_upgrade(int argc, char **argv)
{
    static const struct option options[] = { { "kernel", required_argument, NULL, 'k' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    const char *kernel = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option != 'k')
            return command_usage();
        kernel = optarg;
    }
    if (argc - optind != 1 || !kernel)
        return command_usage();
    return act(argv[optind], kernel, NULL, false);
}

int command_restart(int argc, char **argv)
{
    bool anew = false;
    int code = command_words(argc, argv, 1, 2, "rebuild", &anew);

    if (code >= 0)
        return code;
    return act(argv[optind], NULL, argv[optind + 1], anew);
}
