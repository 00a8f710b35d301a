/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
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
#define TOLD_MAX 32

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

/* What keeps it from being run, and what to do about it; NULL: nothing. Whoever may write the directory may put programs there. */
static const char *fault_of(const struct stat *is, bool is_directory)
{
    if (is_directory ? !S_ISDIR(is->st_mode) : !S_ISREG(is->st_mode))
        return is_directory ? "it is no directory" : "it is no plain file, nor may it be a link";
    if (is->st_uid != geteuid())
        return "it must be root's (chown root)";
    if (is->st_mode & (S_IWGRP | S_IWOTH))
        return "it must be nobody else's to write (chmod go-w)";
    if (!is_directory && !(is->st_mode & S_IXUSR))
        return "it is not executable (chmod u+x)";
    return NULL;
}

/* What was said of which file, as it was then: it is not said again at each death. */
static struct told {
    char name[NAME_MAX + 1]; /* "": the directory */
    const char *fault;
    ino_t inode;
    struct timespec changed;
    bool seen;
} told[TOLD_MAX];
static unsigned int nr_told;

static struct told *told_find(const char *name)
{
    for (unsigned int i = 0; i < nr_told; i++)
        if (strcmp(told[i].name, name) == 0)
            return &told[i];
    return NULL;
}

static void told_forget_unseen(void)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < nr_told; i++) {
        if (told[i].seen)
            told[kept++] = told[i];
    }
    nr_told = kept;
    for (unsigned int i = 0; i < nr_told; i++)
        told[i].seen = false;
}

static void fault_tell(const char *path, const char *name, const struct stat *is, const char *fault)
{
    struct told *before = told_find(name);

    if (!before && nr_told < TOLD_MAX) {
        before = &told[nr_told++];
        memset(before, 0, sizeof(*before));
        snprintf(before->name, sizeof(before->name), "%s", name);
    }
    if (before && before->fault == fault && before->inode == is->st_ino &&
        memcmp(&before->changed, &is->st_ctim, sizeof(is->st_ctim)) == 0) {
        before->seen = true;
        return;
    }
    log_line("%s %s: %s", path, *name ? "is not run" : "is not looked into: nothing there is run",
             fault);
    if (!before)
        return; /* so many at once are said again */
    before->fault = fault;
    before->inode = is->st_ino;
    before->changed = is->st_ctim;
    before->seen = true;
}

/* Says of each what is wrong with it, once for each change. Returns whether the directory itself is as it should be. */
static bool faults_look(const char *directory, struct dirent **entries, int nr)
{
    struct stat is;
    bool ok = lstat(directory, &is) == 0;
    const char *fault = ok ? fault_of(&is, true) : NULL;

    if (fault)
        fault_tell(directory, "", &is, fault);
    ok = ok && !fault;
    for (int i = 0; ok && i < nr; i++) {
        char path[FILES_PATH_SIZE + sizeof(entries[i]->d_name)];

        snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
        fault = lstat(path, &is) == 0 ? fault_of(&is, false) : NULL;
        if (fault)
            fault_tell(path, entries[i]->d_name, &is, fault);
    }
    told_forget_unseen();
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
    struct stat is;
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
        if (lstat(path, &is) == 0 && !fault_of(&is, false))
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
    if (!faults_look(directory, entries, nr)) {
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
