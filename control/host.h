/* SPDX-License-Identifier: BSD-2-Clause */
/* The handles that talking to Xen takes, and a domain's life through libxl. */
#ifndef CONTROL_HOST_H
#define CONTROL_HOST_H

#include <libxl.h>
#include <stdbool.h>
#include <xenstore.h>

#include "journal.h"
#include "verdict.h"

struct xc_interface_core;
struct xenforeignmemory_handle;
struct xencall_handle;

struct host {
    libxl_ctx *xl;
    struct xc_interface_core *xc;
    struct xenforeignmemory_handle *memory;
    struct xencall_handle *call;
    struct xs_handle *xs;
    xentoollog_logger_stdiostream *log;
};

/* Says what is missing and what to do. Returns 0 or a negative errno. */
int host_open(struct host *host);
void host_close(struct host *host);

/*
 * In a child after fork(): drop what was inherited, all descriptors but the standard ones and one more
 * (whose number changes), and open everything anew. Returns 0 or a negative errno.
 */
int host_reopen(struct host *host, int *keep);

int64_t host_now_ms(void); /* since 1970 */
int64_t host_ticks_ms(void); /* monotonic */
int64_t host_ticks_us(void); /* the same clock */
void host_sleep_ms(unsigned int ms);

/* What is there now under the journal's id. Returns 0, or -EIO if Xen did not say. */
int host_look(struct host *host, const struct journal *journal, struct verdict_seen *seen_r);

/*
 * Create the domain, paused.
 *
 *   config  changed: the uuid and id of the journal go into it
 *   domid   wanted id; JOURNAL_NO_DOMID for any
 *
 * Returns 0 with journal->domid set, or -EIO; libxl has said why.
 */
int host_create(struct host *host, libxl_domain_config *config, struct journal *journal,
                uint32_t domid);
int host_unpause(struct host *host, const struct journal *journal);

/* Stop what is left of the domain, if it is ours, and its devices' DMA (R12). */
void host_quiet(struct host *host, const struct journal *journal);

/* Destroy a domain with the journal's uuid and another id: left by a recovery that was cut short. */
void host_destroy_twin(struct host *host, const struct journal *journal);

/*
 * Destroy what is left of the domain, if it is ours, and wait until its id is free: Xen has let go of
 * it (R11), xenstored has released it (R8), and dom0's pciback has forgotten it.
 * The NICs' bus mastering is switched off first (R12). Returns 0, or -ETIMEDOUT.
 */
int host_destroy(struct host *host, const struct journal *journal);
int host_wait_gone(struct host *host, const struct journal *journal, unsigned int limit_ms);

#endif
