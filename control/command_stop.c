/* SPDX-License-Identifier: BSD-2-Clause */
/* stop, and restart. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "pci.h"
#include "recover.h"
#include "say.h"

static int stop(struct host *host, struct journal *journal, const char *unused)
{
    int err;

    (void)unused;
    journal->wish = JOURNAL_STOP; /* first, so that ferryd does not take it for a death */
    err = journal_save(journal);
    if (err) {
        say("%s: the journal cannot be written: %s", journal->name, strerror(-err));
        return EXIT_FAILED;
    }
    err = host_destroy(host, journal);
    if (err && err != -EEXIST) {
        say("%s: the domain does not go away: %s; see `xl list`", journal->name, strerror(-err));
        return EXIT_FAILED;
    }
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        if (journal->nics[i].taken)
            pci_give_back(host, &journal->nics[i].bdf);
    journal_remove(journal->name);
    printf("%s is stopped\n", journal->name);
    return EXIT_OK;
}

/* Another configuration for the successor; same name, same devices. */
static int config_replace(const struct journal *journal, const char *path)
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
        say("%s: name or devices are others than those of %s: stop it and start anew", path,
            journal->name);
        err = -EINVAL;
    } else if (config.permissive && !journal->unisolated) {
        say("%s: permissive mode needs `ferry start --allow-unisolated`", path);
        err = -EINVAL;
    } else {
        journal_path(journal->name, ".cfg", kept);
        err = files_write(kept, config.text, config.len);
    }
    config_dispose(&config);
    return err;
}

static int restart(struct host *host, struct journal *journal, const char *path)
{
    if (path && config_replace(journal, path))
        return EXIT_FAILED;
    journal->wish = JOURNAL_RUN;
    recover_note_death(journal, "restart");
    if (recover(host, journal, host_ticks_ms())) {
        say("%s did not come back: `ferry logs %s`", journal->name, journal->name);
        return EXIT_FAILED;
    }
    printf("%s runs, with id %u\n", journal->name, journal->domid);
    return EXIT_OK;
}

/* What `ferry stop` and `ferry restart` share: the journal's lock, libxl, and a word to ferryd. */
static int act(int argc, char **argv, int most_words,
               int (*what)(struct host *host, struct journal *journal, const char *path))
{
    int lock, code = command_words(argc, argv, 1, most_words, NULL);
    struct journal journal;
    struct host host;

    if (code >= 0)
        return code;
    code = command_journal_take(argv[optind], &journal, &lock);
    if (code)
        return code;
    code = EXIT_FAILED;
    if (host_open(&host) == 0) {
        code = what(&host, &journal, argv[optind + 1]);
        host_close(&host);
    }
    close(lock);
    command_tell_ferryd();
    return code;
}

int command_stop(int argc, char **argv)
{
    return act(argc, argv, 1, stop);
}

int command_restart(int argc, char **argv)
{
    return act(argc, argv, 2, restart);
}
