/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/steps.h"

#include <stdint.h>
#include <stdio.h>

#include "xen/clock.h"
#include "xen/log.h"

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
