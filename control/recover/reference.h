/* SPDX-License-Identifier: BSD-2-Clause */
/* What a running domain must be like: its image, and its page tables from when it was well. */
#ifndef CONTROL_REFERENCE_H
#define CONTROL_REFERENCE_H

#include <sys/stat.h>

#include <ferry/capture.h>

#include "image/image.h"
#include "journal/journal.h"
#include "xen/host.h"
#include "xen/tables.h"

struct reference {
    bool has_image, has_tables;
    struct image image; /* of NAME.kernel */
    struct stat file; /* NAME.kernel when it was read */
    struct tables tables; /* NAME.tables in the run directory holds them too */
    uint32_t generation; /* of the start that they were taken from; 0: from the file */
};

/*
 * Load what there is. A missing or unfit image says itself why, once; without it the domain can only
 * be rebuilt. Of a Linux kernel there is nothing. Tables are those of the domain's uuid and id only.
 */
void reference_load(const struct journal *journal, struct reference *reference_r);

/* Whether NAME.kernel is another by now. */
bool reference_is_stale(const struct journal *journal, const struct reference *reference);

/* Take the tables of a domain that is well, and keep them in the file. Returns 0 or a negative errno. */
int reference_capture(struct host *host, const struct journal *journal,
                      struct reference *reference);

/* Whether the domain's text is the image's. */
bool reference_is_of(struct host *host, const struct journal *journal,
                     const struct reference *reference);

/* The domain is gone, or about to go: no file describes it any more. */
void reference_forget(const struct journal *journal);

void reference_dispose(struct reference *reference);

/* The frame of an address of the image. From the tables, or by looking at the domain where there are
 * none yet. Returns 0 or a negative errno. */
int reference_mfn(struct host *host, const struct journal *journal,
                  const struct reference *reference, uint64_t va, uint64_t *mfn_r);

/* Map the status page, read only. NULL: not possible now. */
/* The pages of captures of a running domain, where its statistics say that they are, to be unmapped as CAPTURE_PAGES
 * pages; NULL if they cannot be mapped. */
#define CAPTURE_PAGES (FERRY_CAPTURE_BYTES / 4096)
volatile void *reference_capture_map(struct host *host, const struct journal *journal,
                                     const struct reference *reference, uint32_t va);

/*
 * The first nr of the statistics pages of a running domain, to be unmapped as so many; NULL if it has none, or they
 * cannot be found.
 */
const volatile void *reference_stats_map(struct host *host, const struct journal *journal,
                                         const struct reference *reference, unsigned int nr);

const volatile void *reference_status_map(struct host *host, const struct journal *journal,
                                          const struct reference *reference);

#endif
