/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dom0 had on a card, written down before that goes away, and what it goes away for: NAME.dom0 in the run directory
 * (journal/unfinished.h), as JSON. It lasts as long as this boot of dom0: the next one sets its network up anew. Whoever writes or
 * removes it holds the name's guard.
 */
#ifndef CONTROL_DOM0_RECORD_H
#define CONTROL_DOM0_RECORD_H

#include "cli/dom0_keep.h"
#include "config/dom0_vif.h"
#include "journal/record.h"

enum dom0_record_what {
    DOM0_START, /* `ferry start` with dom0_vif= has not ended: what it did is undone */
    DOM0_STOP, /* `ferry stop` of such a domain: it is done to its end */
    DOM0_SETUP, /* `ferry setup` is not confirmed: all of it is undone, with its configuration */
};

struct dom0_record {
    enum dom0_record_what what;
    char boot[JOURNAL_UUID_SIZE]; /* as a journal's */
    struct bdf bdf; /* the card, on which dom0 has its network in the end */
    struct dom0_vif vif; /* where it is meanwhile; of its bridge "": nowhere */
    struct dom0_keep keep; /* of the bridge over the interface only the name is kept */
    char *config; /* what `ferry setup` wrote, or writes; NULL: nothing */
};

/* A word for `ferry status`: "start", "stop", "setup". */
const char *dom0_record_word(enum dom0_record_what what);

/* To be freed; NULL without memory. */
char *dom0_record_encode(const struct dom0_record *record);

/*
 * Checked field by field, as strictly as words for ip(8) have to be: the file may have been edited, or be cut short.
 *
 * Returns 0 and what dom0_record_dispose() takes, -EINVAL if it makes no sense, -ENOMEM.
 */
int dom0_record_decode(const char *text, struct dom0_record *record_r);

/* Write it, synced to the disk if it is on one. What could not be read back is refused with -EOPNOTSUPP. Says what is wrong. Returns 0
 * or a negative errno; then nothing is there that was not there before. */
int dom0_record_save(const char *name, const struct dom0_record *record);

/* Returns 0 and what dom0_record_dispose() takes; -ENOENT if there is none, or one of another boot, which is removed; another
 * negative errno after saying what is wrong. */
int dom0_record_load(const char *name, struct dom0_record *record_r);
/* What is there of it, for showing: nothing is said or removed. Returns 0, -ENOENT, -ESTALE if it is of another boot, or another
 * negative errno if it cannot be read. */
int dom0_record_peek(const char *name, enum dom0_record_what *what_r);
void dom0_record_remove(const char *name);
void dom0_record_dispose(struct dom0_record *record);

#endif
