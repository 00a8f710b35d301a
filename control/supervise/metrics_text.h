/* SPDX-License-Identifier: BSD-2-Clause */
/* All metrics of this host's driver domains. */
#ifndef CONTROL_SUPERVISE_METRICS_TEXT_H
#define CONTROL_SUPERVISE_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "xen/host.h"

/*
 * The deaths that there were are not counted: to be called once, as the process that serves metrics begins. A domain that is
 * started after it is counted from its first death on.
 */
void metrics_text_begin(struct host *host);

/* As text, to be freed; NULL without memory. What was seen of deaths is kept from call to call. */
char *metrics_text(struct host *host, bool openmetrics, size_t *len_r);

#endif
