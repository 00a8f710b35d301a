/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold before a driver domain with a device counts as contained: a table of rows, each
 * with what was seen, why it matters and what to do.
 */
#ifndef CONTROL_CHECK_H
#define CONTROL_CHECK_H

#include "check/row.h"
#include "config/config.h"
#include "xen/host.h"

#define CHECK_ROWS_MAX 9

struct check {
    struct bdf bdf;
    unsigned int nr;
    struct check_row rows[CHECK_ROWS_MAX];
};

/*
 *   permissive  the configuration asks for permissive mode
 *   own, nr     devices of the same domain: they are no neighbours
 *   kernel      the domain's; NULL: not known. Of an image of Ferry's it is looked at which device it drives
 */
void check_run(struct host *host, const struct bdf *bdf, bool permissive, const struct bdf *own,
               unsigned int nr_own, const char *kernel, struct check *check_r);
enum check_result check_worst(const struct check *check);

/* Keep what Xen said at boot, while its ring still has it: /run/ferry/xen-boot.log. */
void check_keep_boot_log(struct host *host);

#endif
