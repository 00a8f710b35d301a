/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics for Prometheus and its kind over HTTP, by a process of its own: whoever asks, and however, ferryd does
 * not wait for it.
 */
#ifndef CONTROL_SUPERVISE_METRICS_H
#define CONTROL_SUPERVISE_METRICS_H

#include <stdbool.h>

#include "xen/host.h"

/*
 * Listen.
 *   where  "unix:PATH" (of root only), or a port of this machine alone: "127.0.0.1:PORT", "[::1]:PORT"
 * Returns the socket, -EINVAL: another form, or another negative errno.
 */
int metrics_listen(const char *where);

struct metrics {
    int listener; /* -1: none are wanted */
    int pid; /* 0: no process */
    int64_t tried_ms; /* when one was started last */
};

/* See to it that the process is there. To be called now and then. */
void metrics_look(struct metrics *metrics, struct host *host);
void metrics_end(struct metrics *metrics);

#endif
