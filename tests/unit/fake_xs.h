/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0's xenstore for host tests: a tree in memory behind the functions of <xenstore.h>. */
#ifndef UNIT_FAKE_XS_H
#define UNIT_FAKE_XS_H

#include <xenstore.h>

/* An empty store; all of it goes with fake_xs_close(). */
struct xs_handle *fake_xs_open(void);
void fake_xs_close(struct xs_handle *xs);

/* Write a node, with the directories above it. */
void fake_xs_put(struct xs_handle *xs, const char *path, const char *value);
/* A node's value, or NULL. It holds until the store changes. */
const char *fake_xs_get(struct xs_handle *xs, const char *path);
/* Its rights as xenstore-ls shows them, "n0,r7"; "" if it is not there. It holds until the next call. */
const char *fake_xs_rights(struct xs_handle *xs, const char *path);

/* So many ends of transactions fail with EAGAIN, as when somebody else wrote in between. */
void fake_xs_refuse_commits(struct xs_handle *xs, unsigned int nr);
/* Only so many more changes of nodes work, then each fails with EIO; -1: all work. */
void fake_xs_allow_changes(struct xs_handle *xs, int nr);
/* Reads of this node or directory fail with this errno; NULL: none do. The path stays the caller's. */
void fake_xs_fail_reads(struct xs_handle *xs, const char *path, int err);
/* Called after each read of a node, as somebody else who writes in between; NULL: nobody. */
void fake_xs_after_reads(struct xs_handle *xs, void (*fn)(const char *path));
/* Which change was the last one, by its path. */
const char *fake_xs_last_change(struct xs_handle *xs);

#endif
