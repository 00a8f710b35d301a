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
#include <sys/stat.h>

#include "journal/record.h"
#include "util/files.h"

/*
 * What is known of a domain. Returns 0, or a negative errno: -ENOENT if there is nothing; -EINVAL or -EFBIG if the file is damaged, or
 * the name can be nobody's; else why it cannot be read.
 */
int journal_load(const char *name, struct journal *journal_r);
/* Synced to disk. The other one is for the midst of a recovery: it goes into the run directory, and is
 * what journal_load() finds until the next journal_save(). It outlives any process, but not the machine,
 * whose end leaves nothing to recover. */
int journal_save(const struct journal *journal);
int journal_save_quick(const struct journal *journal);
/* For what has happened and must be known: where the disk does not take it, it goes into the run directory.
 * Returns the disk's error all the same. */
int journal_save_somewhere(const struct journal *journal);
/*
 * Whether dom0 was booted since the journal was written: no domain of its time is left, and whatever bears its id now is
 * another one. Not of journals that do not tell.
 */
bool journal_is_of_another_boot(const struct journal *journal);
/* Which boot of dom0 this is; "" if the kernel does not tell. */
const char *journal_boot(void);
/* The file that journal_load() would read. Returns 0 or a negative errno. */
int journal_stat(const char *name, struct stat *stat_r);
/* The path of that file, or of the one that would be. */
void journal_file(const char *name, char path[FILES_PATH_SIZE]);
void journal_remove(const char *name);
/* Call found() for each name that has one. Returns 0, or a negative errno: then there may be more. No directory means that there are none. */
int journal_each(void (*found)(void *ctx, const char *name), void *ctx);
/* Path of "NAME<suffix>" in the state directory. */
void journal_path(const char *name, const char *suffix, char path[FILES_PATH_SIZE]);

#endif
