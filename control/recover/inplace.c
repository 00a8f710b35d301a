/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/inplace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recover/reload.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/domctl.h"
#include "xen/statuspage.h"

#define MOMENT_TRIES 50
#define MOMENT_PAUSE_MS 2

static bool status_now(struct host *host, const struct journal *journal,
                       const struct reference *reference, struct ferry_status *status_r)
{
    const volatile void *page = reference_status_map(host, journal, reference);
    bool is_there = page && statuspage_copy(page, status_r);

    domctl_unmap(host, page, 1);
    return is_there;
}

/* The tables are ferryd's to take; without it they may still be taken from a domain that is well. */
static bool tables_wanted(struct host *host, const struct journal *journal,
                          struct reference *reference)
{
    struct ferry_status status;

    if (reference->has_tables)
        return true;
    return status_now(host, journal, reference, &status) && status.phase == FERRY_PHASE_READY &&
           reference_capture(host, journal, reference) == 0;
}

static bool possible(struct host *host, const struct journal *journal, struct reference *reference,
                     const struct image *next)
{
    struct domain_seen seen;
    const char *why = "it does not run";
    bool fits = false;

    if (domain_look(host, journal, &seen) || domain_state_of(&seen, &why) != DOMAIN_STATE_FINE)
        why = "it does not run";
    else if (!reference->has_image)
        why = "its kernel knows nothing of that";
    else if (!tables_wanted(host, journal, reference))
        why = "it is not up and well";
    else
        fits = !next || image_fits(&reference->image, next, &why);
    if (!fits)
        log_line("%s cannot go on in place: %s; it is rebuilt", journal->name, why);
    return fits;
}

bool inplace_possible(struct host *host, const struct journal *journal, const struct image *next)
{
    struct reference reference;
    bool is_possible;

    if (journal->is_linux)
        return false;
    reference_load(journal, &reference);
    is_possible = possible(host, journal, &reference, next);
    reference_dispose(&reference);
    return is_possible;
}

/* Whether the stopped vCPU stands outside of the NIC's driver. */
static bool is_outside_nic(struct reload *reload, const struct reference *running)
{
    vcpu_guest_context_any_t *context = calloc(1, sizeof(*context));
    struct ferry_status status;
    bool is_outside = context && status_now(reload->host, reload->journal, running, &status) &&
                      !status.in_nic &&
                      domctl_context_get(reload->host, reload->journal->domid, context) == 0 &&
                      !image_in_nic(&running->image, context->x64.user_regs.rip);

    free(context);
    return is_outside;
}

/* Stop it while the NIC's driver is not at work, if there is such a moment. Steps of vain tries are
 * forgotten. */
static int moment_take(struct reload *reload, const struct reference *running)
{
    struct journal_death *death = journal_death_last(reload->journal);

    for (unsigned int i = 0; i < MOMENT_TRIES; i++) {
        int err;

        death->nr_steps = 0;
        death->began_us = 0;
        err = reload_pause(reload);
        if (err || is_outside_nic(reload, running))
            return err;
        reload_unpause(reload);
        host_sleep_ms(MOMENT_PAUSE_MS);
    }
    log_line("%s: its NIC's driver is at work all the time: the NIC is reset",
             reload->journal->name);
    reload->kind |= FERRY_RESTART_RESET_NIC;
    return 0;
}

static int run(struct host *host, struct journal *journal, struct reference *running,
               const struct image *next, bool reset_nic)
{
    struct reference wanted;
    struct reload reload = {
        .host = host, .journal = journal, .reference = &wanted, .kind = FERRY_RESTART_UPGRADE
    };
    int err = 0;

    if (!tables_wanted(host, journal, running))
        return -ENOENT;
    wanted = *running;
    if (next)
        wanted.image = *next;
    if (reset_nic || !image_keeps_nic(&running->image, &wanted.image))
        reload.kind |= FERRY_RESTART_RESET_NIC;
    else
        err = moment_take(&reload, running);
    if (err)
        return err;
    journal_death_last(journal)->depth = 2;
    journal_death_last(journal)->reset_nic = reload.kind & FERRY_RESTART_RESET_NIC;
    err = reload_begin(&reload);
    if (!err && reload_wait(&reload) != RELOAD_DONE)
        err = -ENOTRECOVERABLE;
    if (!err)
        reference_capture(host, journal, running);
    return err;
}

int inplace_run(struct host *host, struct journal *journal, const struct image *next,
                bool reset_nic)
{
    struct reference reference;
    int err;

    reference_load(journal, &reference);
    if (!reference.has_image) {
        reference_dispose(&reference);
        return -ENOENT;
    }
    err = run(host, journal, &reference, next, reset_nic);
    reference_dispose(&reference);
    if (err)
        log_line("%s: %s", journal->name,
                 err == -ENOTRECOVERABLE ? "it did not become ready" : strerror(-err));
    return err;
}
