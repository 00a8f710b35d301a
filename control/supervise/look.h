/* SPDX-License-Identifier: BSD-2-Clause */
/* What ferryd does about a supervised domain. */
#ifndef CONTROL_SUPERVISE_LOOK_H
#define CONTROL_SUPERVISE_LOOK_H

#include "supervise/supervised.h"

/* Look, and do what is due next. */
void supervised_look(struct supervised *supervised);

/* Wait for a reload that is under way. A worker goes on by itself. */
void supervised_finish(struct supervised *supervised);

/* Its memory is unmapped, its lock let go of. */
void supervised_free(struct supervised *supervised);

#endif
