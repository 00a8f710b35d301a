/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0's network on its way between a card and a driver domain: while a `ferry` moves it, what dom0 had is in NAME.dom0 in the run
 * directory (cli/dom0_record.h), and that `ferry` holds the name's guard, a lock that the kernel gives back whatever ends it. A
 * file whose guard is free is a move that was cut short, or that failed: it has to be finished (cli/dom0_finish.h).
 *
 * Whoever takes a guard and the name's own lock (files_lock) takes the guard first.
 */
#ifndef CONTROL_JOURNAL_UNFINISHED_H
#define CONTROL_JOURNAL_UNFINISHED_H

#include <stdbool.h>

#include "util/files.h"

void unfinished_path(const char *name, char path[FILES_PATH_SIZE]);
bool unfinished_is_there(const char *name);
/* Whether it is there and no `ferry` is at work on it. */
bool unfinished_is_abandoned(const char *name);
/* Take the guard, without waiting. Returns a descriptor to be closed, or a negative errno: -EAGAIN when a `ferry` holds it. */
int unfinished_guard(const char *name);
/* Call found() for each name that has a file, without any order. Returns 0, or a negative errno: then there may be more. */
int unfinished_each(void (*found)(void *ctx, const char *name), void *ctx);

#endif
