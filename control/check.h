/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold before a driver domain with a device counts as contained: a table of rows, each
 * with what was seen, why it matters and what to do.
 */
#ifndef CONTROL_CHECK_H
#define CONTROL_CHECK_H

#include "config.h"
#include "host.h"

enum check_result {
    CHECK_OK,
    CHECK_UNKNOWN, /* could not be seen; no refusal, but no promise either */
    CHECK_REFUSED,
};

#define CHECK_SEEN_SIZE 200

struct check_row {
    const char *name, *why, *remedy;
    enum check_result result;
    char seen[CHECK_SEEN_SIZE];
};

#define CHECK_ROWS_MAX 8

struct check {
    struct bdf bdf;
    unsigned int nr;
    struct check_row rows[CHECK_ROWS_MAX];
};

/*
 *   permissive  the configuration asks for permissive mode
 *   own, nr     devices of the same domain: they are no neighbours
 */
void check_run(struct host *host, const struct bdf *bdf, bool permissive, const struct bdf *own,
               unsigned int nr_own, struct check *check_r);
enum check_result check_worst(const struct check *check);
const char *check_result_word(enum check_result result);

/* check_pci.c: single rows. */
void check_permissive(struct check_row *row, const struct bdf *bdf, bool asked);
void check_reset(struct check_row *row, const struct bdf *bdf);
void check_reserved(struct check_row *row, const struct bdf *bdf);
/* check_neighbours.c */
void check_neighbours(struct check_row *row, const struct bdf *bdf, const struct bdf *own,
                      unsigned int nr_own);

void check_set(struct check_row *row, enum check_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Keep what Xen said at boot, while its ring still has it: /run/ferry/xen-boot.log. */
void check_keep_boot_log(struct host *host);

#endif
