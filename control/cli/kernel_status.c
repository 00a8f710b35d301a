/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/kernel_status.h"

#include <errno.h>
#include <stdio.h>

#include "cli/command.h"
#include "recover/reference.h"
#include "util/log.h"
#include "xen/agentpage.h"
#include "xen/domain.h"
#include "xen/domctl.h"
#include "xen/statuspage.h"

#define POLL_MS 50
#define WAIT_MS 10000
#define WAIT_LINUX_MS 30000
#define SAID_MS 1000 /* whoever waits longer than that wants to know for what */

static bool status_read(struct host *host, const struct journal *journal, struct agentpage *agent,
                        struct ferry_status *status_r)
{
    const volatile void *page;
    struct reference reference;
    bool is_there = false;

    if (!domain_is_there(host, journal))
        return false;
    if (journal->is_linux) {
        page = agentpage_map(agent, host, journal->domid, journal->name);
        if (page)
            is_there = statuspage_copy(page, status_r);
        agentpage_unmap(agent);
        return is_there;
    }
    reference_load(journal, &reference);
    page = reference_status_map(host, journal, &reference);
    if (page)
        is_there = statuspage_copy(page, status_r);
    domctl_unmap(host, page, 1);
    reference_dispose(&reference);
    return is_there;
}

bool kernel_status_read(struct host *host, const struct journal *journal,
                        struct ferry_status *status_r)
{
    struct agentpage agent = { 0 };
    bool is_there = status_read(host, journal, &agent, status_r);

    agentpage_forget(&agent);
    return is_there;
}

/* Whether nothing more is to be waited for. A dead one that ferryd looks after comes back. */
static bool has_ended(struct host *host, const struct journal *journal)
{
    return journal->wish != JOURNAL_RUN ||
           (domain_has_ended(host, journal) && !command_tell_ferryd());
}

/* Whether there is something to be looked at, or may yet be. */
static bool has_status(const char *name)
{
    struct reference reference;
    struct journal journal;
    bool is_so;

    if (journal_load(name, &journal))
        return false;
    if (journal.is_linux)
        return true;
    reference_load(&journal, &reference);
    is_so = reference.has_image;
    reference_dispose(&reference);
    return is_so;
}

/* Returns 0 if it serves, or is not ours any more, -ESRCH if it has ended, or -EAGAIN. */
static int look(struct host *host, const char *name, struct agentpage *agent,
                struct journal *journal_r)
{
    struct ferry_status status;

    if (journal_load(name, journal_r))
        return 0; /* somebody removed it */
    if (status_read(host, journal_r, agent, &status) && statuspage_serves(&status, 0))
        return 0;
    return has_ended(host, journal_r) ? -ESRCH : -EAGAIN;
}

int kernel_status_wait(struct host *host, const char *name)
{
    int64_t start = host_ticks_ms(), waited = 0, limit = WAIT_MS;
    struct agentpage agent = { 0 }; /* one for all looks: what is wrong with it is said once */
    struct journal journal;
    bool is_said = false;
    int err = -EAGAIN;

    if (!has_status(name))
        return 0;
    while (waited <= limit && (err = look(host, name, &agent, &journal)) == -EAGAIN) {
        if (waited > SAID_MS && !is_said) {
            printf("waiting until it serves guests\n");
            fflush(stdout);
            is_said = true;
        }
        host_sleep_ms(POLL_MS);
        waited = host_ticks_ms() - start;
        limit = journal.is_linux ? WAIT_LINUX_MS : WAIT_MS;
    }
    agentpage_forget(&agent);
    if (err == -ESRCH)
        log_line("%s has ended while it booted; `ferry logs %s` has what it said, `ferry stop %s` "
                 "gives its devices back",
                 name, name, name);
    else if (err)
        log_line("%s does not serve guests yet; `ferry status %s` shows when it does: xl gives up "
                 "on a vif after 10 s",
                 name, name);
    return err == -ESRCH ? err : 0;
}
