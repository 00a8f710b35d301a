/* SPDX-License-Identifier: BSD-2-Clause */
/* What Xen's console ring says of the IOMMU, and of devices that it stopped. Pure. */
#ifndef CONTROL_XENLOG_H
#define CONTROL_XENLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bdf.h"

enum xenlog_answer {
    XENLOG_NOT_SEEN,
    XENLOG_YES,
    XENLOG_NO,
};

enum xenlog_mode {
    XENLOG_MODE_NOT_SEEN,
    XENLOG_MODE_PASSTHROUGH,
    XENLOG_MODE_RELAXED,
    XENLOG_MODE_STRICT,
};

struct xenlog_facts {
    bool from_boot; /* Xen's first lines are there: what is not seen was not said */
    enum xenlog_answer iommu, remapping;
    enum xenlog_mode mode;
};

/* text is NUL-terminated. Lines that dom0 or a guest printed through Xen are not taken for Xen's. */
void xenlog_parse(const char *text, struct xenlog_facts *facts_r);

/* Something that a device tried and the IOMMU refused. */
struct xenlog_fault {
    struct bdf bdf;
    enum { XENLOG_DMA_READ, XENLOG_DMA_WRITE, XENLOG_INTERRUPT } kind;
    uint64_t where; /* the machine address; of an interrupt, its index */
};

typedef void xenlog_fault_fn(void *ctx, const struct xenlog_fault *fault);

/*
 * Calls fn for each such line of len bytes of the ring, of VT-d or AMD-Vi. A last line without its end is not looked at.
 * Returns how many bytes were: the others are to be put before what comes next.
 */
size_t xenlog_faults(const char *text, size_t len, xenlog_fault_fn *fn, void *ctx);

#endif
