/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of captured frames (ferry/capture.h) as dom0 takes it: each record copied, bounded. Pure. */
#ifndef CONTROL_CAPTURERING_H
#define CONTROL_CAPTURERING_H

#include <stdbool.h>
#include <stdint.h>

#include <ferry/capture.h>

struct capturering_frame {
    struct ferry_capture_record record; /* its port's name ends, and is of printable ASCII */
    uint8_t bytes[FERRY_CAPTURE_SNAPLEN_MAX + 1]; /* record.caplen of them */
};

/*
 * Take the next record.
 *
 *   pages  FERRY_CAPTURE_BYTES, which the domain may be writing
 *   cons   how far it was read; moves on
 *
 * Returns 1, or 0 if there is none, or -EPROTO if the ring makes no sense (nothing more can be read from it).
 */
int capturering_take(const volatile void *pages, uint64_t *cons, struct capturering_frame *frame_r);

/* Frames that the domain says the filter let pass, and those of them that found no room: over all captures that one
 * reader asked for. */
struct capturering_counts {
    uint64_t seen, missed; /* of those that are over */
    uint64_t now_seen, now_missed; /* of the last one */
};

/*
 * Look at the domain's counters. They are those of the capture `id` while it runs, and stand when the domain has ended it; those
 * of another capture are left alone. If they have begun anew, what they were before is kept.
 */
void capturering_count(const volatile void *pages, uint32_t id, struct capturering_counts *counts);

/* The last capture is over: the next one's counters begin at 0. */
void capturering_count_end(struct capturering_counts *counts);

#endif
