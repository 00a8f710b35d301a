/* SPDX-License-Identifier: BSD-2-Clause */
/* A supervised domain: a driver domain that ferryd looks after, and what is known of it. */
#ifndef CONTROL_SUPERVISED_H
#define CONTROL_SUPERVISED_H

#include <sys/stat.h>
#include <sys/types.h>

#include "journal/journal.h"
#include "recover/depth.h"
#include "recover/reference.h"
#include "recover/reload.h"
#include "supervise/backoff.h"
#include "supervise/faults_notice.h"
#include "xen/agentpage.h"
#include "xen/domain_state.h"
#include "xen/heartbeat.h"

#include <ferry/status.h>

/* What all of them share. */
struct supervise_common {
    struct host *host;
    struct backoff backoff;
    unsigned int min_depth; /* never recover at a shallower one; 2 or 3 */
};

struct supervised {
    struct supervise_common *common;
    struct journal journal; /* as it was last read */
    struct stat read; /* the file, then */
    int unread; /* 0, or the error with which it could not be read the last time */
    libxl_evgen_domain_death *evgen; /* NULL: no events asked for */
    uint32_t evgen_domid;
    int64_t noticed_us; /* ticks at which a death was first seen; 0: it is not dead */
    int64_t retry_ms; /* ticks before which nothing is tried */
    bool noted; /* the death is in the journal */
    char report[FERRY_STATUS_REPORT_SIZE]; /* what the domain said of the last death */
    uint64_t
        nr_told; /* deaths, of the journal's nr_deaths_ever, that hooks and the log were told of */
    bool seen; /* there still is a journal; for supervisor_refresh() */

    /* The running kernel (watch.c). */
    struct reference reference;
    bool reference_loaded;
    uint32_t watched_domid; /* what reference and page belong to */
    uint64_t watched_deaths; /* the journal's nr_deaths_ever then */
    const volatile void *page; /* its status; NULL: not mapped */
    struct agentpage agent; /* of a Linux domain: where page is from */
    struct text_view view;
    bool has_status;
    struct ferry_status status; /* the last copy that made sense */
    struct heartbeat beat;
    int64_t map_retry_ms;
    int64_t restarts_since_ms; /* of nr_restarts */
    unsigned int nr_restarts; /* of its own, noted within a minute */
    int64_t link_until_ms, link_offset_us; /* the last death still waits for its link */

    struct fault_count faults; /* faults.c */

    /* A recovery (recovery.c). */
    int lock; /* -1: not held */
    bool reloading;
    struct reload reload;
    unsigned int nr_failed; /* reloads at this death */
    pid_t worker; /* a process that rebuilds it or ends it; 0: none */
};

/* With no lock held. Returns NULL without memory; to be freed with supervised_free() (look.h). */
struct supervised *supervised_new(struct supervise_common *common, const struct journal *journal);

/* Whether a reload or a worker is under way. */
bool supervised_is_busy(const struct supervised *supervised);

/* The domain is as it should be, or the death is over. */
void supervised_alive(struct supervised *supervised);
/* Write its journal; a failure is logged. */
void supervised_save(const struct supervised *supervised);
/* Let go of the name's lock, if it is held. */
void supervised_unlock(struct supervised *supervised);

/* Whatever the domain said when it last died, and the end of its console: into NAME.report. */
void supervised_report_keep(const struct supervised *supervised);

#endif
