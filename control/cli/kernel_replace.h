/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel and ramdisk that a domain is made from, kept beside its journal. What needs room on the disk is done before anything
 * is changed. */
#ifndef CONTROL_KERNEL_REPLACE_H
#define CONTROL_KERNEL_REPLACE_H

#include "journal/journal.h"

/* Paths of files; ramdisk NULL: none. */
struct kernel_files {
    const char *kernel, *ramdisk;
};

/*
 * Copy them to where recoveries take them; the journal, which is not saved, says where they came from and whose kernel it
 * is. Says what is wrong. Returns 0 or a negative errno.
 */
int kernel_keep(struct journal *journal, const struct kernel_files *files);

/* Copies beside those that recoveries use, NAME.kernel.next and NAME.ramdisk.next. Says what is wrong. */
int kernel_prepare(const struct journal *journal, const struct kernel_files *files);
/* Those copies away, if they are still there. */
void kernel_drop(const struct journal *journal);

/*
 * From now on recoveries use those copies, and the journal, which is not saved, says where they came from; those before become
 * NAME.kernel.before and NAME.ramdisk.before. Says what is wrong, and then recoveries go on with those before.
 */
int kernel_replace(struct journal *journal, const struct kernel_files *files);

/*
 * The ones before again.
 *   before  the journal as it was before kernel_replace()
 * Says what is wrong. Returns 0 or a negative errno; -ENOENT if there were none.
 */
int kernel_restore(struct journal *journal, const struct journal *before);

#endif
