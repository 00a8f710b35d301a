/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/finisher.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/unfinished.h"
#include "util/log.h"
#include "util/paths.h"

#define DELAY_MS 1000
#define DELAY_MAX_MS 60000
#ifndef FINISHER_SYSTEMD
#define FINISHER_SYSTEMD "/run/systemd/system" /* sd_booted(3) */
#endif
#define UNIT_SIZE (FILES_NAME_MAX + 32)

struct search {
    struct finisher *finisher;
    int64_t now_ms;
    char name[FILES_NAME_MAX + 1]; /* "": none */
};

static struct finisher_failed *failed_find(struct finisher *finisher, const char *name)
{
    for (unsigned int i = 0; i < finisher->nr; i++)
        if (strcmp(finisher->failed[i].name, name) == 0)
            return &finisher->failed[i];
    return NULL;
}

static void found(void *ctx, const char *name)
{
    struct search *search = ctx;
    const struct finisher_failed *failed = failed_find(search->finisher, name);

    if (*search->name ||
        (failed ? search->now_ms < failed->retry_ms : search->finisher->nr == FINISHER_MAX))
        return;
    if (unfinished_is_abandoned(name))
        snprintf(search->name, sizeof(search->name), "%s", name);
}

static void failed_forget_finished(struct finisher *finisher)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < finisher->nr; i++)
        if (unfinished_is_there(finisher->failed[i].name))
            finisher->failed[kept++] = finisher->failed[i];
    finisher->nr = kept;
}

/* Signals are blocked here, and not there. */
static int spawn(char *const argv[], pid_t *pid_r)
{
    posix_spawnattr_t attributes;
    sigset_t set;
    int err;

    posix_spawnattr_init(&attributes);
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes, &set);
    sigaddset(&set, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    err = posix_spawnp(pid_r, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return -err;
}

/* Of this type it is waited for to its end, and that without D-Bus. */
static void begin(struct finisher *finisher, const char *name)
{
    char unit[UNIT_SIZE], word[FILES_NAME_MAX + 1];
    char *direct[] = { PATHS_FERRY, "stop", "--unfinished", word, NULL };
    char *in_unit[] = { "systemd-run", "--quiet",   "--collect", "--property=Type=oneshot",
                        unit,          PATHS_FERRY, "stop",      "--unfinished",
                        word,          NULL };
    bool has_systemd = access(FINISHER_SYSTEMD, F_OK) == 0;
    int err;

    snprintf(word, sizeof(word), "%s", name);
    snprintf(unit, sizeof(unit), "--unit=ferry-unfinished-%s", name);
    log_line(
        "%s: a `ferry` that moved dom0's network is gone: `ferry stop --unfinished %s` finishes "
        "that",
        name, name);
    err = spawn(has_systemd ? in_unit : direct, &finisher->child);
    if (err) {
        log_line("%s: %s: %s", name, has_systemd ? in_unit[0] : direct[0], strerror(-err));
        finisher->child = 0;
    }
}

/* Whether it came to its end, the file tells: not the exit code. */
static void end(struct finisher *finisher, int64_t now_ms)
{
    struct finisher_failed *failed = failed_find(finisher, finisher->name);

    finisher->child = 0;
    if (!unfinished_is_abandoned(finisher->name))
        return;
    if (!failed) { /* found() saw that there is room */
        failed = &finisher->failed[finisher->nr++];
        snprintf(failed->name, sizeof(failed->name), "%s", finisher->name);
        failed->delay_ms = DELAY_MS / 2;
    }
    failed->delay_ms = failed->delay_ms < DELAY_MAX_MS / 2 ? 2 * failed->delay_ms : DELAY_MAX_MS;
    failed->retry_ms = now_ms + failed->delay_ms;
    log_line(
        "%s: dom0's network could not be brought back this time; again after %u s, or by `ferry "
        "stop %s`",
        failed->name, failed->delay_ms / 1000, failed->name);
}

void finisher_look(struct finisher *finisher, int64_t now_ms)
{
    struct search search = { .finisher = finisher, .now_ms = now_ms };

    if (finisher->child) {
        if (waitpid(finisher->child, NULL, WNOHANG) == 0)
            return;
        end(finisher, now_ms);
    }
    failed_forget_finished(finisher);
    unfinished_each(found, &search);
    if (!*search.name)
        return;
    snprintf(finisher->name, sizeof(finisher->name), "%s", search.name);
    begin(finisher, search.name);
    if (!finisher->child)
        end(finisher, now_ms);
}
