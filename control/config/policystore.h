/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policies that a driver domain goes by, in xenstore: ferry/policy/<MAC as 12 hex digits> and
 * ferry/policy/default under its home. dom0's own, and the driver domain may read them: no guest may
 * read them, and neither may change them. ferry/policy-generation is counted up when they are others.
 */
#ifndef CONTROL_POLICYSTORE_H
#define CONTROL_POLICYSTORE_H

#include <xenstore.h>

#include "config/policyfile.h"

/*
 * Replace the policies of a domain, all at once.
 *
 * Returns 0; -ENOENT if the domain has no home, or another negative errno. Then nothing has changed.
 */
int policystore_put(struct xs_handle *xs, uint32_t domid, const struct policyfile *file);

/*
 * What it has now, as it stands there.
 *
 *   file_r  for policyfile_dispose(); without sections if there is nothing
 *
 * Returns 0 or a negative errno.
 */
int policystore_get(struct xs_handle *xs, uint32_t domid, struct policyfile *file_r);

#endif
