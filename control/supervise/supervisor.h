/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver domains that ferryd looks after: one for each journal. */
#ifndef CONTROL_SUPERVISOR_H
#define CONTROL_SUPERVISOR_H

#include "supervise/supervised.h"
#include "util/files.h"

#define SUPERVISED_MAX 32

struct supervisor {
    struct supervise_common common;
    struct {
        char name[FILES_NAME_MAX + 1];
        bool seen;
    } left_out[SUPERVISED_MAX]; /* those that the log has named */
    unsigned int nr_left_out;
    int each_err; /* of the last look at the directory of journals */
    unsigned int nr;
    struct supervised *domains[SUPERVISED_MAX];
};

/* Read the journals: new ones are looked after, vanished ones no more. One that cannot be read keeps no other
 * from it; the log names it once, until it is gone or can be read. Where the directory cannot be read all stays as it is. */
void supervisor_refresh(struct supervisor *supervisor);

/* Look at every domain, and begin to bring back what died. Takes milliseconds, never seconds. */
void supervisor_look(struct supervisor *supervisor);

/* Whether something is under way that wants to be looked at often. */
bool supervisor_is_busy(const struct supervisor *supervisor);

/* Finish what would be taken for cut short, and let go of everything. */
void supervisor_end(struct supervisor *supervisor);

#endif
