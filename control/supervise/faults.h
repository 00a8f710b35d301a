/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the IOMMU refused to the devices of supervised domains, as Xen's log has it. It is told and nothing else: what was
 * refused harmed nobody, and a domain that is taken down for it would take its guests along.
 */
#ifndef CONTROL_FAULTS_H
#define CONTROL_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "xen/conring.h"

struct supervisor;

struct faults {
    struct conring ring;
    bool began; /* what was in the ring before is not ours to tell */
    size_t nr_held; /* of held: a line whose end has not come */
    char held[256];
};

/* Read what Xen printed since the last call, count what is of supervised domains, and log what is to be told. Bounded in
 * time, whatever Xen prints. */
void faults_look(struct faults *faults, struct supervisor *supervisor);

#endif
