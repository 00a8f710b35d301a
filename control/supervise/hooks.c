/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/files.h"
#include "util/log.h"

#define DIRECTORY "hooks.d"
#define LIMIT_S 30
#define WAIT_MS 10
#define RUNNING_MAX 8

static pid_t running[RUNNING_MAX];

static void directory_path(char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/" DIRECTORY, files_config_dir());
}

/* As run-parts takes them: no backups, no package manager's leftovers. */
static int is_named_well(const struct dirent *entry)
{
    static const char accepted[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return entry->d_name[0] && entry->d_name[strspn(entry->d_name, accepted)] == '\0';
}

/* Whether nobody but root can have written it. Says so if not. */
static bool is_ours(const char *path)
{
    struct stat stat;

    if (lstat(path, &stat) || !S_ISREG(stat.st_mode) || !(stat.st_mode & S_IXUSR))
        return false;
    if (stat.st_uid == geteuid() && !(stat.st_mode & (S_IWGRP | S_IWOTH)))
        return true;
    log_line(
        "%s is not run: it must be root's, and nobody else's to write (chown root, chmod go-w)",
        path);
    return false;
}

/* Whoever may write the directory may put programs there. Says so, once, if that is not root alone. */
static bool is_directory_ours(const char *path)
{
    static bool is_told;
    struct stat stat;
    bool ok = lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode) && stat.st_uid == geteuid() &&
              !(stat.st_mode & (S_IWGRP | S_IWOTH));

    if (!ok && !is_told)
        log_line("nothing in %s is run: it must be a directory of root's, and nobody else's to "
                 "write (chown root, chmod go-w)",
                 path);
    is_told = !ok;
    return ok;
}

static void environment_set(const struct journal *journal, const struct journal_death *death)
{
    char number[32];

    setenv("FERRY_DOMAIN", journal->name, 1);
    setenv("FERRY_CAUSE", death->cause, 1);
    setenv("FERRY_REASON", death->reason, 1);
    snprintf(number, sizeof(number), "%u", death->depth);
    setenv("FERRY_DEPTH", death->back_ms < 0 ? "none" : number, 1);
    snprintf(number, sizeof(number), "%ld", (long)death->back_ms);
    setenv("FERRY_OUTAGE_MS", death->back_ms < 0 ? "" : number, 1);
    snprintf(number, sizeof(number), "%lu", (unsigned long)journal->nr_deaths_ever);
    setenv("FERRY_DEATHS", number, 1);
}

/* Wait for its end, as long as it may take. Returns whether that came. */
static bool ended(pid_t pid, int *status_r)
{
    for (unsigned int ms = 0; ms < LIMIT_S * 1000; ms += WAIT_MS) {
        if (waitpid(pid, status_r, WNOHANG) != 0)
            return true;
        usleep(WAIT_MS * 1000);
    }
    return false;
}

static void one_run(const char *path)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        execl(path, path, getenv("FERRY_DOMAIN"), getenv("FERRY_CAUSE"), getenv("FERRY_DEPTH"),
              (char *)NULL);
        log_line("%s: %s", path, strerror(errno));
        _exit(127);
    }
    if (pid > 0 && !ended(pid, &status)) {
        setpgid(pid, pid); /* it may not have come to do so itself */
        kill(-pid, SIGKILL); /* and what it has started */
        waitpid(pid, &status, 0);
        log_line("%s was ended: it took longer than half a minute", path);
    } else if (pid > 0 && WIFSIGNALED(status)) {
        log_line("%s was ended by signal %d", path, WTERMSIG(status));
    } else if (pid > 0 && WEXITSTATUS(status)) {
        log_line("%s ended with %d", path, WEXITSTATUS(status));
    }
}

static void all_run(const char *directory, struct dirent **entries, int nr)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
        close(fd);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    for (int i = 0; i < nr; i++) {
        char path[FILES_PATH_SIZE + sizeof(entries[i]->d_name)];

        snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
        if (is_ours(path))
            one_run(path);
    }
    _exit(0);
}

static void entries_free(struct dirent **entries, int nr)
{
    for (int i = 0; i < nr; i++)
        free(entries[i]);
    free(entries);
}

static pid_t *place_find(void)
{
    for (unsigned int i = 0; i < RUNNING_MAX; i++)
        if (!running[i])
            return &running[i];
    return NULL;
}

int hooks_run(const struct journal *journal, const struct journal_death *death)
{
    char directory[FILES_PATH_SIZE];
    struct dirent **entries;
    pid_t *place;
    int nr;

    directory_path(directory);
    nr = scandir(directory, &entries, is_named_well, alphasort);
    if (nr < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!is_directory_ours(directory)) {
        entries_free(entries, nr);
        return -EPERM;
    }
    hooks_look();
    place = place_find();
    if (nr && !place)
        log_line("%s: the programs in %s are not told of this death: %u still run for those before",
                 journal->name, directory, RUNNING_MAX);
    if (nr && place) {
        environment_set(journal, death);
        *place = fork();
        if (*place == 0)
            all_run(directory, entries, nr);
        if (*place < 0) {
            log_line("%s: no process for the programs in %s: %s", journal->name, directory,
                     strerror(errno));
            *place = 0;
        }
    }
    entries_free(entries, nr);
    return nr;
}

void hooks_look(void)
{
    for (unsigned int i = 0; i < RUNNING_MAX; i++)
        if (running[i] && waitpid(running[i], NULL, WNOHANG) != 0)
            running[i] = 0;
}
