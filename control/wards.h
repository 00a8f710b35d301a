/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver domains that ferryd looks after: one ward for each journal. */
#ifndef CONTROL_WARDS_H
#define CONTROL_WARDS_H

#include "backoff.h"
#include "host.h"

#define WARDS_MAX 32

struct ward {
    struct journal journal; /* as it was last read */
    libxl_evgen_domain_death *evgen; /* NULL: no events asked for */
    uint32_t evgen_domid;
    int64_t noticed_ms; /* ticks at which a death was first seen; 0: it is not dead */
    int64_t retry_ms; /* ticks before which nothing is tried */
    bool noted; /* the death is in the journal */
    bool seen; /* there still is a journal; for wards_refresh() */
};

struct wards {
    struct host *host;
    struct backoff backoff;
    char left_out[FILES_NAME_MAX + 1]; /* the last that was said to be */
    unsigned int nr;
    struct ward wards[WARDS_MAX];
};

/* Read the journals: new ones become wards, vanished ones go. */
void wards_refresh(struct wards *wards);

/* Look at every domain, and bring back what died. May take seconds when something did. */
void wards_look(struct wards *wards);

#endif
