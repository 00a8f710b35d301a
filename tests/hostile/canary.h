/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of our own that nobody may write to, the backend neither. */
#ifndef HOSTILE_CANARY_H
#define HOSTILE_CANARY_H

#include "front.h"

/* The first call fills them, and grants one read only to the backend, one to dom0. */
void canaries_set(struct front *f);

/* References that lead to them, though not for writing by the backend. canaries_set() comes first. */
grant_ref_t canary_read_only(void);
grant_ref_t canary_of_another(void);

/* NULL if all of them are as they were, or what is not. */
const char *canaries_whole(void);

#endif
