/* SPDX-License-Identifier: BSD-2-Clause */
/* Journals for commands: what is wrong with one, which file that is, and what to do. */
#ifndef CONTROL_CLI_JOURNAL_READ_H
#define CONTROL_CLI_JOURNAL_READ_H

#include "journal/journal.h"

/*
 * journal_load(), and says what is wrong: nothing of that name, a damaged file, or one that cannot be read.
 *
 * Returns 0, or an exit code (cli/command.h): EXIT_NO_SUCH only if there is no such driver domain.
 */
int journal_read(const char *name, struct journal *journal_r);

/*
 * Say what is wrong with a journal that is there.
 *
 *   err  what journal_load() returned, not 0
 */
void journal_fault_tell(const char *name, int err);

/* journal_each(), and says what is wrong with the directory. Returns 0 or a negative errno. */
int journal_read_each(void (*found)(void *ctx, const char *name), void *ctx);

#endif
