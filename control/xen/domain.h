/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver domain's life, through libxl. */
#ifndef CONTROL_XEN_DOMAIN_H
#define CONTROL_XEN_DOMAIN_H

#include "journal/journal.h"
#include "xen/domain.h"
#include "xen/domain_state.h"
#include "xen/host.h"

/* What is there now under the journal's id. Returns 0, or -EIO if Xen did not say. */
int domain_look(struct host *host, const struct journal *journal, struct domain_seen *seen_r);

/* Whether it runs no more, or never was: false if Xen cannot be asked. */
static inline bool domain_has_ended(struct host *host, const struct journal *journal)
{
    struct domain_seen seen;

    return domain_look(host, journal, &seen) == 0 &&
           (!seen.exists || !seen.is_ours || seen.dying || seen.shut_down);
}

/*
 * Create the domain, paused.
 *
 *   config  changed: the uuid and id of the journal go into it
 *   domid   wanted id; JOURNAL_NO_DOMID for any
 *
 * Returns 0 with journal->domid set, or -EIO; libxl has said why.
 */
int domain_create(struct host *host, libxl_domain_config *config, struct journal *journal,
                  uint32_t domid);
int domain_unpause(struct host *host, const struct journal *journal);

/* Stop what is left of the domain, if it is ours, and its devices' DMA, before its memory is used for something else. */
void domain_quiet(struct host *host, const struct journal *journal);

/* Destroy a domain with the journal's uuid and another id: left by a recovery that was cut short. */
void domain_destroy_twin(struct host *host, const struct journal *journal);

/*
 * Destroy what is left of the domain, if it is ours, and wait until its id is free: the last reference to it in Xen
 * is gone, xenstored has released it (and with it what the id owned, and its rights), and dom0's pciback has forgotten it.
 * The NICs' bus mastering is switched off first. Returns 0, or -ETIMEDOUT.
 */
int domain_destroy(struct host *host, const struct journal *journal);
int domain_wait_gone(struct host *host, const struct journal *journal, unsigned int limit_ms);

/* Whether the journal's domain is there, and not about to go: its memory and nodes can be looked at. */
static inline bool domain_is_there(struct host *host, const struct journal *journal)
{
    struct domain_seen seen;

    return domain_look(host, journal, &seen) == 0 && seen.exists && seen.is_ours && !seen.dying;
}

#endif
