/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/agentpage.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>

#include "util/log.h"
#include "xen/statuspage.h"
#include "xen/store.h"

#include <ferry/number.h>

/* Returns NULL; said once, as it is not looked at again. */
static const volatile void *refuse(struct agentpage *agent, const char *name, const char *why)
{
    agentpage_unmap(agent);
    agent->is_refused = true;
    log_line(
        "%s: its heartbeat cannot be read: %s; it is looked after without one: a crash is seen, a "
        "hang is not",
        name, why);
    return NULL;
}

/* What is there, whoever wrote it. */
static const char *page_map(struct agentpage *agent, struct host *host, uint32_t domid,
                            uint32_t reference)
{
    struct ferry_status status;

    if (!agent->grants)
        agent->grants = xengnttab_open((xentoollog_logger *)host->log, 0);
    if (!agent->grants)
        return "dom0 cannot map grants: `modprobe xen-gntdev`, then `ferry restart`";
    agent->page = xengnttab_map_grant_ref(agent->grants, domid, reference, PROT_READ);
    if (!agent->page)
        return "data/ferry/status names a grant that is none";
    return statuspage_copy(agent->page, &status) ? NULL
                                                 : "data/ferry/status leads to no status page";
}

const volatile void *agentpage_map(struct agentpage *agent, struct host *host, uint32_t domid,
                                   const char *name)
{
    char text[16];
    uint32_t reference;
    const char *why;
    int err;

    if (agent->page || agent->is_refused ||
        (agent->looked_ms && host_ticks_ms() - agent->looked_ms < AGENTPAGE_LOOK_MS))
        return agent->page;
    agent->looked_ms = host_ticks_ms();
    err = store_read(host->xs, text, sizeof(text), AGENTPAGE_NODE, domid);
    if (err && err != -EINVAL)
        return NULL; /* no agent, or not yet */
    if (err || number_parse(text, UINT32_MAX, &reference))
        return refuse(agent, name, "data/ferry/status holds no number");
    why = page_map(agent, host, domid, reference);
    return why ? refuse(agent, name, why) : agent->page;
}

void agentpage_unmap(struct agentpage *agent)
{
    if (agent->page)
        xengnttab_unmap(agent->grants, agent->page, 1);
    agent->page = NULL;
}

void agentpage_forget(struct agentpage *agent)
{
    agentpage_unmap(agent);
    if (agent->grants)
        xengnttab_close(agent->grants);
    memset(agent, 0, sizeof(*agent));
}
