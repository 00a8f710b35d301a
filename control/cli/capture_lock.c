/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/capture_lock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/files.h"
#include "util/log.h"

#define LINE_SIZE 96

static void holder_write(int lock, const char *port)
{
    char line[LINE_SIZE];
    int len =
        snprintf(line, sizeof(line), "%d %lld %.31s\n", (int)getpid(), (long long)time(NULL), port);

    /* Who it is is told on a best effort: the lock holds without. */
    if (ftruncate(lock, 0) || pwrite(lock, line, (size_t)len, 0) != len)
        log_line("who captures cannot be noted: %s", strerror(errno));
}

/* What one that was killed has left behind names nobody. */
static void holder_read(const char *lock_name, struct capture_lock_holder *holder)
{
    char path[FILES_PATH_SIZE], line[LINE_SIZE];
    long long since;
    int pid;

    memset(holder, 0, sizeof(*holder));
    snprintf(path, sizeof(path), "%s/%s.lock", files_run_dir(), lock_name);
    if (files_read_line(path, line, sizeof(line)) < 0 ||
        sscanf(line, "%d %lld %31s", &pid, &since, holder->port) != 3 || pid <= 1 ||
        (kill(pid, 0) && errno == ESRCH))
        return;
    log_clean_name(holder->port, sizeof(holder->port));
    holder->pid = pid;
    holder->since_s = since;
}

int capture_lock_take(const char *name, const char *port, struct capture_lock_holder *holder_r)
{
    char lock_name[FILES_NAME_MAX + 16];
    int lock;

    snprintf(lock_name, sizeof(lock_name), ".%s.capture", name);
    lock = files_lock(lock_name, false);
    if (lock == -EAGAIN)
        holder_read(lock_name, holder_r);
    else if (lock >= 0)
        holder_write(lock, port);
    return lock;
}

void capture_lock_free(int lock)
{
    if (ftruncate(lock, 0))
        log_line("who captured is still noted: %s", strerror(errno));
    close(lock);
}
