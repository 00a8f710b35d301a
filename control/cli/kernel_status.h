/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel of a driver domain says of itself by its status page (ferry/status.h). */
#ifndef CONTROL_CLI_KERNEL_STATUS_H
#define CONTROL_CLI_KERNEL_STATUS_H

#include <stdbool.h>

#include <ferry/status.h>

#include "journal/journal.h"
#include "xen/host.h"

/* Read the page; all of it is a hint. Returns whether there is one, as of a domain that runs and whose kernel, or the agent in it, has one. */
bool kernel_status_read(struct host *host, const struct journal *journal,
                        struct ferry_status *status_r);

/*
 * Wait until a domain that was started serves guests: xl gives up on a vif whose backend is not there within ten seconds. Says how it
 * goes. One that is still booting when the time is over, 10 s, or 30 s with Linux, is left to itself.
 *
 * Returns 0, or -ESRCH if it has ended, by itself or since nobody brings it back; what to do is said.
 */
int kernel_status_wait(struct host *host, const char *name);

#endif
