/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows about the device itself. Each function fills its row in. */
#ifndef CONTROL_CHECK_PCI_ROWS_H
#define CONTROL_CHECK_PCI_ROWS_H

#include "check/driver.h"
#include "check/row.h"
#include "util/bdf.h"

void check_permissive(struct check_row *row, const struct bdf *bdf, bool asked);
void check_reset(struct check_row *row, const struct bdf *bdf);
/* Returns false where there is nothing to say: no image of Ferry's. */
bool check_driver(struct check_row *row, const struct bdf *bdf, const char *kernel);
/* What it is, from sysfs: ids that cannot be read are 0. */
void check_device(const struct bdf *bdf, struct driver_device *device_r);
/* driver_find() in a file, or -EIO if it cannot be read. */
int check_image(const struct driver_device *device, const char *kernel,
                char name_r[DRIVER_NAME_SIZE]);
void check_reserved(struct check_row *row, const struct bdf *bdf);

#endif
