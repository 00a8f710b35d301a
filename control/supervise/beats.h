/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When each domain's heart (ferry/status.h) was last seen to beat: written by ferryd as it looks, in memory that the process
 * of the metrics shares.
 */
#ifndef CONTROL_SUPERVISE_BEATS_H
#define CONTROL_SUPERVISE_BEATS_H

#include <stdint.h>

#define BEATS_MAX 32 /* domains; of others nothing is known */

/* Before that process is made. Returns 0 or -ENOMEM; without it nothing is noted. */
int beats_init(void);

/* A look at a domain that runs: its counter, and ticks in ms. */
void beats_note(const char *name, uint64_t beat, int64_t now_ms);

/* It does not run, and is not to. */
void beats_forget(const char *name);

/* How long ago the counter was last another one; -1: not known. For either process. */
int64_t beats_age_ms(const char *name, int64_t now_ms);

#endif
