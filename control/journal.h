/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of one driver domain: NAME.json in the state directory, replaced as a whole. It is
 * the truth that `ferry` and ferryd share; whoever changes it holds the name's lock (files_lock).
 * NAME.cfg beside it is the configuration that the domain was made from, NAME.kernel the image, NAME.policy
 * what its vifs may do.
 */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "bdf.h"
#include "files.h"

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
    int64_t at_ms; /* since 1970 */
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
    uint32_t domid; /* JOURNAL_NO_DOMID: it has none */
    enum journal_wish wish;
    bool unisolated; /* the user insisted */
    bool recovering; /* a recovery has begun and not ended */
    bool adopted; /* `xl create` made it */
    bool has_policy; /* its vifs are not to be served without what NAME.policy says */
    unsigned int tries; /* that failed or were cut short, of the recovery that goes on */
    uint32_t self_restarts; /* of the domain, that are in the journal */
    char kernel[FILES_PATH_SIZE]; /* where NAME.kernel was copied from; "": there is no copy */
    unsigned int nr_nics, nr_deaths;
    uint64_t nr_deaths_ever;
    struct journal_nic nics[JOURNAL_NICS_MAX];
    struct journal_death deaths[JOURNAL_DEATHS_MAX]; /* the last ones, oldest first */
};

struct json;
/* One death as a map. */
void journal_death_put(struct json *json, const struct journal_death *death);

/* Text of a journal, to be freed; NULL without memory. */
char *journal_encode(const struct journal *journal);
/* Returns 0, or -EINVAL for anything that journal_encode() does not write. */
int journal_decode(const char *text, struct journal *journal_r);

int journal_load(const char *name, struct journal *journal_r);
/* Synced to disk. The other one is for the midst of a recovery: it goes into the run directory, and is
 * what journal_load() finds until the next journal_save(). It outlives any process, but not the machine,
 * whose end leaves nothing to recover. */
int journal_save(const struct journal *journal);
int journal_save_quick(const struct journal *journal);
/* The file that journal_load() would read. Returns 0 or a negative errno. */
int journal_stat(const char *name, struct stat *stat_r);
void journal_remove(const char *name);
/* Call found() for each name that has one. */
void journal_each(void (*found)(void *ctx, const char *name), void *ctx);
/* Path of "NAME<suffix>" in the state directory. */
void journal_path(const char *name, const char *suffix, char path[FILES_PATH_SIZE]);

/* Append a death, forgetting the oldest if there is no room. */
void journal_death_add(struct journal *journal, int64_t at_ms, const char *cause);
/* The last one; there must be one. */
struct journal_death *journal_death_last(struct journal *journal);
/* Whether somebody asked for it: such a one counts for no crash loop. */
bool journal_death_is_planned(const struct journal_death *death);
/* Append a step, unless there are too many. */
void journal_step_add(struct journal_death *death, const char *name, int64_t us);
const char *journal_wish_word(enum journal_wish wish);

#endif
