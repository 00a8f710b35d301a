/* SPDX-License-Identifier: BSD-2-Clause */
#include "faultpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* Whatever started it must outlive it. */
__attribute__((constructor)) static void group_lead(void)
{
    setpgid(0, 0);
}

void faultpoint(const char *name)
{
    const char *wanted = getenv("FERRY_DIE_AT"), *who = getenv("FERRY_DIE_WHO");

    if (!wanted || strcmp(wanted, name) != 0)
        return;
    say("dies at: %s", name);
    if (!who || strcmp(who, "worker") != 0)
        kill(0, SIGKILL);
    kill(getpid(), SIGKILL);
}
