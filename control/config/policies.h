/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy of a driver domain over its life: read from the admin's file, kept beside the journal, and
 * given to each domain of that name before it runs. Everything wrong is said.
 */
#ifndef CONTROL_POLICIES_H
#define CONTROL_POLICIES_H

#include "config/policyfile.h"
#include "journal/journal.h"
#include "util/files.h"
#include "xen/host.h"

/* Where the admin's file is looked for: /etc/ferry/NAME.policy. */
void policies_path(const char *name, char path[FILES_PATH_SIZE]);

/*
 * Read a file.
 *
 *   file_r  for policyfile_dispose(); without sections on an error
 *
 * Returns 0; -ENOENT if it is not there, which is not said; or another negative errno.
 */
int policies_load(const char *path, struct policyfile *file_r);

/*
 * What was kept of a domain. As above; -ENOENT if it has none. One that is lost is another error: the
 * domain is not to be served without.
 */
int policies_load_kept(const struct journal *journal, struct policyfile *file_r);

/* Keep it for recoveries; NULL: there is none. The caller saves the journal. 0 or a negative errno. */
int policies_keep(struct journal *journal, const struct policyfile *file);

/* Give it to the domain, which has the journal's id. Returns 0 or a negative errno. */
int policies_put(struct host *host, const struct journal *journal, const struct policyfile *file);

/*
 * Keep it, and give it to the domain if that is there; all of it or nothing. The journal is saved. The
 * caller holds the name's lock.
 *
 *   is_there_r  whether there was a domain
 *
 * Returns 0 or a negative errno.
 */
int policies_apply(struct host *host, struct journal *journal, const struct policyfile *file,
                   bool *is_there_r);

/* "3 vifs and the default", in words. */
#define POLICIES_WORDS_SIZE 64
void policies_words(const struct policyfile *file, char words[POLICIES_WORDS_SIZE]);

#endif
