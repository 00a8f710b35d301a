/* SPDX-License-Identifier: BSD-2-Clause */
/* A planned reload: the same path as after a death, at a moment that suits (`ferry upgrade`, `restart`). */
#ifndef CONTROL_INPLACE_H
#define CONTROL_INPLACE_H

#include "image/image.h"
#include "journal/journal.h"
#include "xen/host.h"

/*
 * Whether the domain can go on in place with an image; says so and why if not.
 *   next  NULL: with its own
 */
bool inplace_possible(struct host *host, const struct journal *journal, const struct image *next);

/*
 * Start an image in place of the running kernel, which inplace_possible() allowed. The last death in
 * the journal is what this counts as. The NIC goes on if both images say that it can, unless reset_nic.
 *
 * Returns 0 when it runs, or a negative errno when the domain is in no good state.
 */
int inplace_run(struct host *host, struct journal *journal, const struct image *next,
                bool reset_nic);

#endif
