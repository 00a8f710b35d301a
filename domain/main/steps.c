/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/steps.h"

#include <stdint.h>
#include <stdio.h>

#include "xen/clock.h"
#include "xen/log.h"
#include "xen/status.h"

#define STEPS_MAX 16
#define NS_PER_US 1000u

static struct {
    const char *name;
    uint64_t end_ns; /* uptime */
} steps[STEPS_MAX];
static unsigned int nr_steps;

void steps_mark(const char *name)
{
    INVARIANT(nr_steps < STEPS_MAX);
    steps[nr_steps].name = name;
    steps[nr_steps++].end_ns = clock_uptime();
}

void steps_log(void)
{
    char line[200];
    size_t used = 0;
    uint64_t start = 0;

    for (unsigned int i = 0; i < nr_steps && used < sizeof(line); i++) {
        unsigned long us = (unsigned long)((steps[i].end_ns - start) / NS_PER_US);

        used += (size_t)snprintf(line + used, sizeof(line) - used, " %s %lu.%lu,", steps[i].name,
                                 us / 1000, us % 1000 / 100);
        start = steps[i].end_ns;
    }
    log_info("boot, ms:%s total %lu", line, (unsigned long)(start / NS_PER_US / 1000));
}

void steps_log_restart(void)
{
    static const char *const names[FERRY_STEPS] = {
        [FERRY_STEP_REPORTED] = "report",  [FERRY_STEP_VERIFIED] = "verify",
        [FERRY_STEP_RESTORED] = "restore", [FERRY_STEP_PLATFORM] = "platform",
        [FERRY_STEP_MEMORY] = "memory",    [FERRY_STEP_VIFS] = "vifs",
        [FERRY_STEP_NIC] = "NIC",
    };
    uint64_t first = status_page->step_ns[FERRY_STEP_FAULT], last = first;
    char line[200];
    size_t used = 0;

    for (unsigned int i = 0; i < FERRY_STEPS && used < sizeof(line); i++) {
        uint64_t at = status_page->step_ns[i];

        if (!names[i] || at == 0)
            continue;
        if (last != 0)
            used += (size_t)snprintf(line + used, sizeof(line) - used, " %s %lu,", names[i],
                                     (unsigned long)((at - last) / NS_PER_US));
        first = first ? first : at;
        last = at;
    }
    log_info("restart, us:%s total %lu", line, (unsigned long)((last - first) / NS_PER_US));
}
