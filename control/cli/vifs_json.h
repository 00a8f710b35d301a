/* SPDX-License-Identifier: BSD-2-Clause */
/* What `ferry vifs --json` shows of a driver domain. */
#ifndef CONTROL_CLI_VIFS_JSON_H
#define CONTROL_CLI_VIFS_JSON_H

#include "cli/observe.h"

/* One domain's, for observe_all(). */
void vifs_json(struct observe *observe, const struct journal *journal,
               const struct ferry_stats *stats);

#endif
