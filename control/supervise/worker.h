/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that rebuilds a supervised domain, or ends it. */
#ifndef CONTROL_SUPERVISE_WORKER_H
#define CONTROL_SUPERVISE_WORKER_H

#include "supervise/supervised.h"

/* Run what() in a process of its own, which takes the lock over. */
void supervised_worker_start(struct supervised *supervised,
                             int (*what)(struct supervised *supervised));
/* Whether it has ended: then ferryd looks at the domain again. */
void supervised_worker_look(struct supervised *supervised);

#endif
