/* SPDX-License-Identifier: BSD-2-Clause */
/* Another kernel for recoveries: what needs room on the disk is done before anything is changed. */
#ifndef CONTROL_KERNEL_REPLACE_H
#define CONTROL_KERNEL_REPLACE_H

#include "journal/journal.h"

/* A copy of a kernel beside the one that recoveries use, NAME.kernel.next. Says what is wrong. */
int kernel_prepare(const struct journal *journal, const char *path);
/* That copy away, if it is still there. */
void kernel_drop(const struct journal *journal);

/*
 * From now on recoveries use that copy, and the journal, which is not saved, says `path`; the one before becomes
 * NAME.kernel.before. Says what is wrong, and then all is as it was.
 */
int kernel_replace(struct journal *journal, const char *path);

#endif
