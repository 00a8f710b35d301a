/* SPDX-License-Identifier: BSD-2-Clause */
/* What a running domain must be like: its image, and its page tables from when it was well. */
#ifndef CONTROL_GOLDEN_H
#define CONTROL_GOLDEN_H

#include <sys/stat.h>

#include "host.h"
#include "image.h"
#include "tables.h"

struct golden {
    bool has_image, has_tables;
    struct image image; /* of NAME.kernel */
    struct stat file; /* NAME.kernel when it was read */
    struct tables tables; /* NAME.tables in the run directory holds them too */
    uint32_t generation; /* of the start that they were taken from; 0: from the file */
};

/*
 * Load what there is. A missing or unfit image says itself why, once; without it the domain can only
 * be rebuilt. Tables are those of the domain's uuid and id only.
 */
void golden_load(const struct journal *journal, struct golden *golden_r);

/* Whether NAME.kernel is another by now. */
bool golden_is_stale(const struct journal *journal, const struct golden *golden);

/* Take the tables of a domain that is well, and keep them in the file. Returns 0 or a negative errno. */
int golden_capture(struct host *host, const struct journal *journal, struct golden *golden);

/* Whether the domain's text is the image's. */
bool golden_is_of(struct host *host, const struct journal *journal, const struct golden *golden);

/* The domain is gone, or about to go: no file describes it any more. */
void golden_forget(const struct journal *journal);

void golden_dispose(struct golden *golden);

/* The frame of an address of the image. From the tables, or by looking at the domain where there are
 * none yet. Returns 0 or a negative errno. */
int golden_mfn(struct host *host, const struct journal *journal, const struct golden *golden,
               uint64_t va, uint64_t *mfn_r);

/* Map the status page, read only. NULL: not possible now. */
const volatile void *golden_status_map(struct host *host, const struct journal *journal,
                                       const struct golden *golden);

#endif
