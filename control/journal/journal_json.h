/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal as text. */
#ifndef CONTROL_JOURNAL_JSON_H
#define CONTROL_JOURNAL_JSON_H

#include "journal/record.h"
#include "util/json.h"

/* One death as a map. */
void journal_death_put(struct json *json, const struct journal_death *death);

/* Text of a journal, to be freed; NULL without memory. */
char *journal_encode(const struct journal *journal);
/* Returns 0, or -EINVAL for anything that journal_encode() does not write. */
int journal_decode(const char *text, struct journal *journal_r);

#endif
