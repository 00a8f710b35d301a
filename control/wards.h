/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver domains that ferryd looks after: one ward for each journal. */
#ifndef CONTROL_WARDS_H
#define CONTROL_WARDS_H

#include "ward.h"

#define WARDS_MAX 32

struct wards {
    struct keeper keeper;
    char left_out[FILES_NAME_MAX + 1]; /* the last that was said to be */
    unsigned int nr;
    struct ward *wards[WARDS_MAX];
};

/* Read the journals: new ones become wards, vanished ones go. */
void wards_refresh(struct wards *wards);

/* Look at every domain, and begin to bring back what died. Takes milliseconds, never seconds. */
void wards_look(struct wards *wards);

/* Whether something is under way that wants to be looked at often. */
bool wards_are_busy(const struct wards *wards);

/* Finish what would be taken for cut short, and let go of everything. */
void wards_end(struct wards *wards);

#endif
