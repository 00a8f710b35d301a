/* SPDX-License-Identifier: BSD-2-Clause */
/* The links of a driver domain's NICs, for `ferry status`. Pure. */
#ifndef CONTROL_LINKS_H
#define CONTROL_LINKS_H

#include <ferry/stats.h>

#include "util/json.h"

#define LINKS_WORDS_SIZE 32

/* A list "links": for each NIC its name, whether its link is up, and its speed in Mb/s if that is known. */
void links_json(struct json *json, const struct ferry_stats *stats);

/* "up, 1000 Mb/s", "up", or "NO LINK". */
void links_words(const struct ferry_stats_port *nic, char words[LINKS_WORDS_SIZE]);

#endif
