/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics of queues, bridges and NICs: what statistics pages have since version 2, and 3. Pure. */
#ifndef CONTROL_SUPERVISE_METRICS_MORE_H
#define CONTROL_SUPERVISE_METRICS_MORE_H

#include <ferry/stats.h>

#include "supervise/exposition.h"
#include "xen/guest.h"

/* A driver domain whose pages have it: statspages_has_more(). */
struct metrics_more {
    const char *name;
    const struct ferry_stats *stats; /* as of statspages_copy() */
    const char (*guests)[GUEST_NAME_SIZE]; /* of each port; "" of a NIC */
};

/* One histogram's samples: times of the loop's parts, or of what began in its turns. */
void metrics_times_put(struct exposition *exposition, const char *name,
                       const struct exposition_labels *labels,
                       const struct ferry_stats_stage *times);

/* Write the families, of nr domains. */
void metrics_more_put(struct exposition *exposition, const struct metrics_more *domains,
                      unsigned int nr);

#endif
