/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/faultpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

/* Whatever started it must outlive it. */
__attribute__((constructor)) static void group_lead(void)
{
    setpgid(0, 0);
}

void faultpoint(const char *name)
{
    const char *wanted = getenv("FERRY_DIE_AT"), *who = getenv("FERRY_DIE_WHO");
    const char *once = getenv("FERRY_DIE_ONCE");

    if (!wanted || strcmp(wanted, name) != 0)
        return;
    if (once && open(once, O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0)
        return;
    log_line("dies at: %s", name);
    if (!who || strcmp(who, "worker") != 0)
        kill(0, SIGKILL);
    kill(getpid(), SIGKILL);
}
