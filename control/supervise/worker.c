/* SPDX-License-Identifier: BSD-2-Clause */
/* A recovery that takes long is the business of a process of its own. */
#include "supervise/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/watch.h"
#include "util/log.h"

#define WORKER_RETRY_MS 500

static void worker_run(struct supervised *supervised, int (*what)(struct supervised *supervised))
{
    int err;

    if (host_reopen(supervised->common->host, &supervised->lock))
        _exit(1);
    err = what(supervised);
    if (err)
        log_line("%s: %s", supervised->journal.name, strerror(-err));
    _exit(err ? 1 : 0);
}

void supervised_worker_start(struct supervised *supervised,
                             int (*what)(struct supervised *supervised))
{
    pid_t pid = fork();

    if (pid == 0)
        worker_run(supervised, what);
    if (pid < 0)
        log_line("%s: no process for it: %s", supervised->journal.name, strerror(errno));
    supervised->worker = pid > 0 ? pid : 0;
    if (pid < 0)
        supervised_unlock(supervised);
    else
        close(supervised->lock); /* the worker holds the lock by the same file */
    supervised->lock = -1;
}

void supervised_worker_look(struct supervised *supervised)
{
    bool failed;
    int status;
    pid_t pid = waitpid(supervised->worker, &status, WNOHANG);

    if (pid == 0 || (pid < 0 && errno == EINTR))
        return;
    failed = pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (failed)
        log_line("%s: could not be brought back this time", supervised->journal.name);
    supervised->worker = 0;
    memset(&supervised->read, 0, sizeof(supervised->read)); /* the worker changed the journal */
    supervised_forget(supervised);
    supervised_alive(supervised);
    supervised->retry_ms = failed ? host_ticks_ms() + WORKER_RETRY_MS : 0;
}
