/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics of a driver domain that runs. */
#ifndef CONTROL_RECOVER_STATS_H
#define CONTROL_RECOVER_STATS_H

#include <ferry/stats.h>

#include "journal/journal.h"
#include "xen/host.h"

/*
 * Read them, without asking the domain.
 *
 * Returns 0, or -ESRCH: no domain of this journal runs, -ENOTSUP: its kernel shows none, or they cannot be
 * found, -EPROTONOSUPPORT: its kernel shows more than these tools know, -EAGAIN: they make no sense now.
 */
int stats_read(struct host *host, const struct journal *journal, struct ferry_stats *stats_r);

#endif
