/* SPDX-License-Identifier: BSD-2-Clause */
/* What Xen's console ring says of the IOMMU. Pure. */
#ifndef CONTROL_XENLOG_H
#define CONTROL_XENLOG_H

#include <stdbool.h>

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

#endif
