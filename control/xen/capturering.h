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

#endif
