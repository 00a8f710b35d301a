/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of one driver domain: NAME.json in the state directory, replaced as a whole. It is
 * the truth that `ferry` and ferryd share; whoever changes it holds the name's lock (files_lock).
 * NAME.cfg beside it is the configuration that the domain was made from.
 */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"
#include "files.h"

#define JOURNAL_NICS_MAX 8
#define JOURNAL_DEATHS_MAX 16
#define JOURNAL_NO_DOMID 0xffffffffu
#define JOURNAL_UUID_SIZE 37
#define JOURNAL_WORD_SIZE 32

enum journal_wish {
    JOURNAL_RUN, /* keep it alive */
    JOURNAL_STOP, /* it ended on purpose, or is being stopped */
    JOURNAL_GIVEN_UP, /* it died too often; `ferry restart` tries again */
};

struct journal_nic {
    struct bdf bdf;
    bool taken; /* by `ferry start` from a driver of dom0, which gets it back */
};

struct journal_death {
    int64_t at_ms; /* since 1970 */
    int64_t back_ms; /* from noticing to running again; -1: it did not come back */
    char cause[JOURNAL_WORD_SIZE];
    char way[JOURNAL_WORD_SIZE]; /* "rebuilt", "replugged", or "" */
};

struct journal {
    char name[FILES_NAME_MAX + 1];
    char uuid[JOURNAL_UUID_SIZE];
    uint32_t domid; /* JOURNAL_NO_DOMID: it has none */
    enum journal_wish wish;
    bool unisolated; /* the user insisted */
    bool recovering; /* a recovery has begun and not ended */
    unsigned int nr_nics, nr_deaths;
    uint64_t nr_deaths_ever;
    struct journal_nic nics[JOURNAL_NICS_MAX];
    struct journal_death deaths[JOURNAL_DEATHS_MAX]; /* the last ones, oldest first */
};

/* Text of a journal, to be freed; NULL without memory. */
char *journal_encode(const struct journal *journal);
/* Returns 0, or -EINVAL for anything that journal_encode() does not write. */
int journal_decode(const char *text, struct journal *journal_r);

int journal_load(const char *name, struct journal *journal_r);
int journal_save(const struct journal *journal);
void journal_remove(const char *name);
/* Call found() for each name that has one. */
void journal_each(void (*found)(void *ctx, const char *name), void *ctx);
/* Path of "NAME<suffix>" in the state directory. */
void journal_path(const char *name, const char *suffix, char path[FILES_PATH_SIZE]);

/* Append a death, forgetting the oldest if there is no room. */
void journal_death_add(struct journal *journal, int64_t at_ms, const char *cause);
const char *journal_wish_word(enum journal_wish wish);

#endif
