/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/shutdown.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "xen/console.h"
#include "xen/domain.h"
#include "xen/log.h"
#include "xen/xenstore.h"

#define NODE "control/shutdown"

static const struct {
    const char *word;
    const char *feature; /* tells the toolstack that the word is understood */
    unsigned int reason;
} requests[] = {
    { "poweroff", "control/feature-poweroff", SHUTDOWN_poweroff },
    { "reboot", "control/feature-reboot", SHUTDOWN_reboot },
};

static unsigned int wanted;

/* The request is acknowledged: dom0 reads an empty node. */
static void acknowledged(void *ctx, int err, const char *value, size_t len)
{
    (void)ctx;
    (void)err;
    (void)value;
    (void)len;
    console_flush_emergency();
    domain_shutdown(wanted);
}

static void asked(void *ctx, int err, const char *value, size_t len)
{
    (void)ctx;
    if (err != 0 || len == 0)
        return;
    for (unsigned int i = 0; i < ARRAY_LEN(requests); i++) {
        if (strcmp(value, requests[i].word) != 0)
            continue;
        log_info("%s asked for by dom0", value);
        wanted = requests[i].reason;
        if (xenstore_write(0, NODE, "", acknowledged, NULL) != 0)
            acknowledged(NULL, 0, NULL, 0);
        return;
    }
    log_warn(NODE ": '%s' is not understood; poweroff and reboot are", value);
}

static void changed(void *ctx, const char *path)
{
    (void)path;
    if (xenstore_read(0, NODE, asked, ctx) != 0)
        log_warn("cannot read " NODE);
}

void shutdown_init(void)
{
    unsigned int id;

    if (xenstore_watch(NODE, changed, NULL, &id) != 0)
        log_warn("cannot watch " NODE ": xl shutdown will have no effect");
    for (unsigned int i = 0; i < ARRAY_LEN(requests); i++)
        if (xenstore_write(0, requests[i].feature, "1", NULL, NULL) != 0)
            log_warn("cannot write %s", requests[i].feature);
}
