/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserved memory regions (RMRR) in the ACPI table of Intel's IOMMU. Pure.
 * Source: VT-d specification, chapter 8; Xen renames the table (to RMAD, or XMAR) to keep dom0
 * from using it.
 */
#ifndef CONTROL_DMAR_H
#define CONTROL_DMAR_H

#include <stddef.h>
#include <stdint.h>

#include "util/bdf.h"

struct dmar_region {
    uint64_t base, limit; /* limit is the last byte */
};

/*
 * Look for a region that names the device, directly or as something behind a bridge at its bus.
 *
 *   region_r  set when the result is 1
 *
 * Returns 1 if there is one, 0 if there is none, -EINVAL for a table that makes no sense.
 */
int dmar_find(const void *table, size_t len, const struct bdf *bdf, struct dmar_region *region_r);

#endif
