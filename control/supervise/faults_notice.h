/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of requests of a domain's devices that the IOMMU refused, and how often. Pure. */
#ifndef CONTROL_FAULTS_NOTICE_H
#define CONTROL_FAULTS_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/xenlog.h"

/* Of one domain, the first notice comes at once and later ones this much apart, however many faults there are. */
#define FAULTS_NOTICE_MS 60000

/* Of one domain. */
struct fault_count {
    uint64_t nr, nr_told; /* at least: what overran Xen's ring was not seen */
    int64_t told_ms; /* 0: never */
    struct xenlog_fault last;
    bool
        cut_off; /* bus mastering was off since the last notice while the domain was at work: Xen took it */
};

/*
 * Whether a notice is due, and its text: what follows the domain's name.
 *
 *   name    of the domain
 *   text_r  what to log
 *
 * Returns whether there is one; it then counts as told at now_ms.
 */
bool faults_notice(struct fault_count *count, const char *name, int64_t now_ms, char *text_r,
                   size_t size);

#endif
