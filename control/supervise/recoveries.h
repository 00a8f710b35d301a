/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deaths of a domain by depth, cause and length of the recovery, counted from its journal, which has the last
 * ones only. Counts never fall: what one process counts it counts from 0 on, each death once. Pure.
 */
#ifndef CONTROL_SUPERVISE_RECOVERIES_H
#define CONTROL_SUPERVISE_RECOVERIES_H

#include "journal/record.h"

#define RECOVERIES_CAUSES 11
#define RECOVERIES_DEPTHS 4 /* 0: not brought back */
#define RECOVERIES_LIMITS 10

struct recoveries {
    char uuid[JOURNAL_UUID_SIZE]; /* the domain whose journal it was: kept over its deaths */
    uint64_t nr_seen; /* of the journal's deaths ever */
    uint64_t counts[RECOVERIES_DEPTHS][RECOVERIES_CAUSES];
    uint64_t buckets[RECOVERIES_DEPTHS][RECOVERIES_LIMITS + 1]; /* by recoveries_limits */
    double sums[RECOVERIES_DEPTHS]; /* seconds */
};

extern const double recoveries_limits[RECOVERIES_LIMITS]; /* seconds */
const char *recoveries_cause_word(unsigned int cause);

/* The deaths that the journal has now are not new, but for one that is not over yet. */
void recoveries_begin(struct recoveries *recoveries, const struct journal *journal);

/* Count what is new in the journal. One that is not over yet is left for the next time. */
void recoveries_count(struct recoveries *recoveries, const struct journal *journal);

#endif
