/* SPDX-License-Identifier: BSD-2-Clause */
/* One driver domain that ferryd looks after. */
#ifndef CONTROL_WARD_H
#define CONTROL_WARD_H

#include <sys/stat.h>
#include <sys/types.h>

#include "backoff.h"
#include "beat.h"
#include "depth.h"
#include "golden.h"
#include "reload.h"
#include "verdict.h"

#include <ferry/status.h>

/* What all wards share. */
struct keeper {
    struct host *host;
    struct backoff backoff;
    unsigned int min_depth; /* never recover at a shallower one; 2 or 3 */
};

struct ward {
    struct keeper *keeper;
    struct journal journal; /* as it was last read */
    struct stat read; /* the file, then */
    libxl_evgen_domain_death *evgen; /* NULL: no events asked for */
    uint32_t evgen_domid;
    int64_t noticed_us; /* ticks at which a death was first seen; 0: it is not dead */
    int64_t retry_ms; /* ticks before which nothing is tried */
    bool noted; /* the death is in the journal */
    char report[FERRY_STATUS_REPORT_SIZE]; /* what the domain said of the last death */
    bool seen; /* there still is a journal; for wards_refresh() */

    /* The running kernel (ward_watch.c). */
    struct golden golden;
    bool golden_loaded;
    uint32_t watched_domid; /* what golden and page belong to */
    const volatile void *page; /* its status; NULL: not mapped */
    struct text_view view;
    bool has_status;
    struct ferry_status status; /* the last copy that made sense */
    struct beat beat;
    int64_t map_retry_ms;
    int64_t restarts_since_ms; /* of nr_restarts */
    unsigned int nr_restarts; /* of its own, noted within a minute */
    int64_t link_until_ms, link_offset_us; /* the last death still waits for its link */

    /* A recovery (ward_recover.c). */
    int lock; /* -1: not held */
    bool reloading;
    struct reload reload;
    unsigned int nr_failed; /* reloads at this death */
    pid_t worker; /* a process that rebuilds it or ends it; 0: none */
};

/* NULL without memory. */
struct ward *ward_new(struct keeper *keeper, const struct journal *journal);
void ward_free(struct ward *ward);

/* Look, and do what is due next. */
void ward_look(struct ward *ward);

bool ward_is_busy(const struct ward *ward);

/* Wait for a reload that is under way. A worker goes on by itself. */
void ward_finish(struct ward *ward);

/*
 * ward_watch.c: the domain is there. Copies its status page, notes restarts of its own, keeps its tables
 * when it is first well. Returns whether it hangs.
 */
bool ward_watch(struct ward *ward, bool runs);
/* The last death's link may still come up: note when. offset_us as in steps_take(). */
void ward_link_wait(struct ward *ward, int64_t offset_us);
/* Let go of its memory (R11). The last copy of its status stays. */
void ward_unwatch(struct ward *ward);
/* Another kernel, or another domain: what is known of the old one does not hold. */
void ward_forget(struct ward *ward);

/* ward_recover.c. The lock is held, the journal fresh, its last death the one to recover from. */
void ward_recover(struct ward *ward, bool cut_short);
void ward_reload_look(struct ward *ward);
/* Run what() in a process of its own, which takes the lock over. */
void ward_worker_start(struct ward *ward, int (*what)(struct ward *ward));
void ward_worker_look(struct ward *ward);

/* The domain is as it should be, or the death is over. */
void ward_alive(struct ward *ward);
void ward_save(const struct ward *ward);
void ward_unlock(struct ward *ward);

/* Whatever the domain said when it last died, and the end of its console: into NAME.report. */
void ward_report_keep(const struct ward *ward);

#endif
