/* SPDX-License-Identifier: BSD-2-Clause */
/* The row about what shares a bus, an interrupt line or a page of registers with a device. */
#ifndef CONTROL_CHECK_NEIGHBOURS_H
#define CONTROL_CHECK_NEIGHBOURS_H

#include "check/row.h"
#include "util/bdf.h"

/* own, nr_own: devices of the same domain are no neighbours. */
void check_neighbours(struct check_row *row, const struct bdf *bdf, const struct bdf *own,
                      unsigned int nr_own);

#endif
