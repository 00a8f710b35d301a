/* SPDX-License-Identifier: BSD-2-Clause */
/* `ferry start --all`: what is to run, and does not yet. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/auto.h"
#include "cli/command.h"
#include "cli/dom0_finish.h"
#include "journal/journal.h"
#include "util/files.h"
#include "util/log.h"
#include "util/socket.h"
#include "xen/domain.h"

enum standing {
    NOT_THERE,
    RUNS,
    COMES_BACK, /* ferryd is about it */
};

/* Whether a domain of that name needs no start. */
static enum standing standing_of(struct host *host, const char *name)
{
    struct domain_seen seen;
    struct journal journal;
    const char *why;

    if (journal_load(name, &journal) || journal.wish != JOURNAL_RUN ||
        journal_is_of_another_boot(&journal) || domain_look(host, &journal, &seen))
        return NOT_THERE;
    if (domain_state_of(&seen, &why) == DOMAIN_STATE_FINE)
        return RUNS;
    return command_tell_ferryd() ? COMES_BACK : NOT_THERE;
}

static int one_start(struct host *host, const char *path, bool insist)
{
    char name[FILES_NAME_MAX + 1];
    int code = EXIT_FAILED;

    if (config_name(path, name) == 0) {
        dom0_finish_abandoned(name);
        switch (standing_of(host, name)) {
        case RUNS:
            printf("%s runs already (%s)\n", name, path);
            return EXIT_OK;
        case COMES_BACK:
            printf("%s has died; ferryd brings it back (%s)\n", name, path);
            return EXIT_OK;
        default:
            code = command_start_file(host, path, insist);
        }
    }
    if (code != EXIT_OK)
        log_line("%s: not started", path);
    return code;
}

/* A failure says more than a refusal. */
static int code_worse(int a, int b)
{
    if (a == EXIT_FAILED || b == EXIT_FAILED)
        return EXIT_FAILED;
    return a > b ? a : b;
}

int command_start_all(struct host *host, bool insist)
{
    char dir[FILES_PATH_SIZE];
    struct auto_files files;
    int err, code = EXIT_OK;

    snprintf(dir, sizeof(dir), "%s/auto", files_config_dir());
    err = auto_list(dir, &files);
    if (err) {
        log_line("%s: %s", dir, strerror(-err));
        return EXIT_FAILED;
    }
    if (!files.nr)
        printf("nothing to start: %s is empty\n", dir);
    for (size_t i = 0; i < files.nr; i++)
        code = code_worse(code, one_start(host, files.paths[i], insist));
    auto_dispose(&files);
    return code;
}
