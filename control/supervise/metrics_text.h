/* SPDX-License-Identifier: BSD-2-Clause */
/* All metrics of this host's driver domains. */
#ifndef CONTROL_SUPERVISE_METRICS_TEXT_H
#define CONTROL_SUPERVISE_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "xen/host.h"

/* As text, to be freed; NULL without memory. What was seen of deaths is kept from call to call. */
char *metrics_text(struct host *host, bool openmetrics, size_t *len_r);

#endif
