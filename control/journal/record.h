/* SPDX-License-Identifier: BSD-2-Clause */
/* What a journal tells of one driver domain. */
#ifndef CONTROL_JOURNAL_RECORD_H
#define CONTROL_JOURNAL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "util/bdf.h"
#include "util/files.h"

#define JOURNAL_NICS_MAX 8
#define JOURNAL_DEATHS_MAX 16
#define JOURNAL_NO_DOMID 0xffffffffu
#define JOURNAL_UUID_SIZE 37
#define JOURNAL_WORD_SIZE 32
#define JOURNAL_REASON_SIZE 160
#define JOURNAL_PORT_SIZE 64
#define JOURNAL_STEPS_MAX 40
#define JOURNAL_STEP_SIZE 16

enum journal_wish {
    JOURNAL_RUN, /* keep it alive */
    JOURNAL_STOP, /* it ended on purpose, or is being stopped */
    JOURNAL_GIVEN_UP, /* it died too often; `ferry restart` tries again */
};

struct journal_nic {
    struct bdf bdf;
    bool taken; /* by `ferry start` from a driver of dom0, which gets it back */
};

struct journal_step {
    char name[JOURNAL_STEP_SIZE];
    int64_t us; /* since the death was noticed; at depth 1: since it happened */
};

struct journal_death {
    int64_t at_ms; /* since 1970, as the clock was set then */
    int64_t
        ticks_ms; /* host_ticks_ms() then, which nobody sets; -1: of an earlier boot, or not known */
    int64_t back_ms; /* from noticing to running again; -1: it did not come back */
    int64_t back_us; /* the same, finer */
    int64_t began_us; /* host_ticks_us() of the notice; 0: not known. Not in the file */
    unsigned int depth; /* 1 to 3; 0: none yet */
    bool reset_nic; /* depth 2: the NIC was not to be kept */
    char cause[JOURNAL_WORD_SIZE];
    char way[JOURNAL_WORD_SIZE]; /* "restarted", "reloaded", "rebuilt", "replugged", or "" */
    char nic[JOURNAL_WORD_SIZE]; /* "kept", "reset: ...", or "" */
    /* As the domain tells it: */
    char reason[JOURNAL_REASON_SIZE];
    char last_port[JOURNAL_PORT_SIZE]; /* whose frames were in hand */
    unsigned int nr_steps;
    struct journal_step steps[JOURNAL_STEPS_MAX];
};

struct journal {
    char name[FILES_NAME_MAX + 1];
    char uuid[JOURNAL_UUID_SIZE];
    char boot[JOURNAL_UUID_SIZE]; /* of dom0, in which it was last written; "": not known */
    uint32_t domid; /* JOURNAL_NO_DOMID: it has none */
    enum journal_wish wish;
    bool unisolated; /* the user insisted */
    bool recovering; /* a recovery has begun and not ended */
    bool adopted; /* `xl create` made it */
    bool is_linux; /* its kernel is Linux: nothing of Ferry's is in it but, perhaps, a heartbeat */
    bool has_policy; /* its vifs are not to be served without what NAME.policy says */
    unsigned int tries; /* that failed or were cut short, of the recovery that goes on */
    uint32_t self_restarts; /* of the domain, that are in the journal */
    char kernel[FILES_PATH_SIZE]; /* where NAME.kernel was copied from; "": there is no copy */
    char ramdisk[FILES_PATH_SIZE]; /* the same of NAME.ramdisk */
    unsigned int nr_nics, nr_deaths;
    uint64_t nr_deaths_ever;
    struct journal_nic nics[JOURNAL_NICS_MAX];
    struct journal_death deaths[JOURNAL_DEATHS_MAX]; /* the last ones, oldest first */
};

/* Append a death, forgetting the oldest if there is no room. The times are host_now_ms() and host_ticks_ms(). */
void journal_death_add(struct journal *journal, int64_t at_ms, int64_t ticks_ms, const char *cause);
/* When those were of which nobody says that he asked for them, in this boot of dom0's, oldest first, by
 * host_ticks_ms(). Returns how many. */
unsigned int journal_death_times(const struct journal *journal,
                                 int64_t times_r[JOURNAL_DEATHS_MAX]);
/* How many rebuilds in a row, up to the death before the last, did not bring it back. One that somebody asked for ends the
 * row, whatever came of it. */
unsigned int journal_rebuilds_failed(const struct journal *journal);
/* Another boot has another clock: of none of its deaths it can be said how long ago it was. */
void journal_deaths_age(struct journal *journal);
/* The last one; there must be one. */
struct journal_death *journal_death_last(struct journal *journal);
/* Whether somebody asked for it: such a one counts for no crash loop. */
bool journal_death_is_planned(const struct journal_death *death);
/* Whether there was one, and the last of them is, or was, for a rebuild. */
bool journal_last_is_rebuild(const struct journal *journal);
/* Append a step, unless there are too many. */
void journal_step_add(struct journal_death *death, const char *name, int64_t us);
const char *journal_wish_word(enum journal_wish wish);

#endif
