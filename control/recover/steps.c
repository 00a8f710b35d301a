/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/steps.h"

#include "util/faultpoint.h"
#include "xen/host.h"
#include "xen/statuspage.h"

#define STEP_MAX_US 120000000ll

void steps_mark(struct journal *journal, const char *name)
{
    struct journal_death *death;

    if (journal->nr_deaths) {
        death = journal_death_last(journal);
        if (!death->began_us)
            death->began_us = host_ticks_us();
        journal_step_add(death, name, host_ticks_us() - death->began_us);
    }
    faultpoint(name);
}

void steps_take(struct journal_death *death, const struct ferry_status *status,
                enum ferry_step first, int64_t offset_us)
{
    for (unsigned int i = first; i < FERRY_STEPS; i++) {
        int64_t us = (int64_t)(status->step_ns[i] / 1000) + offset_us;

        if (status->step_ns[i] && us >= -STEP_MAX_US && us <= STEP_MAX_US)
            journal_step_add(death, statuspage_step_word(i), us);
    }
}
