/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_WIRE_FRAMELOG_H
#define LAB_WIRE_FRAMELOG_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD_MAX 64

enum frame_direction { FROM_NIC, TO_NIC, NR_DIRECTIONS };

/* One frame as it stands in the log file: 80 bytes, native byte order. */
struct frame_record {
    uint64_t ns; /* CLOCK_MONOTONIC */
    uint32_t len; /* of the whole frame */
    uint8_t direction;
    uint8_t nr_head; /* valid bytes in head */
    uint8_t reserved[2];
    uint8_t head[FRAME_HEAD_MAX];
};

/*
 * Start a log in a sparse file mapped into memory, so that queries need no
 * reading back.  Exits with a message if that fails.
 */
void framelog_open(const char *path);

/* Cut the file to what was written. */
void framelog_close(void);

/* Note one frame, now.  Returns its time stamp. */
uint64_t framelog_add(enum frame_direction direction, const uint8_t *data, size_t len);

/* All records so far, oldest first; nr_r is set to how many. */
const struct frame_record *framelog_records(size_t *nr_r);

/* How many frames came after the log was full. */
uint64_t framelog_lost(void);

#endif
