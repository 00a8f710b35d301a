/* SPDX-License-Identifier: BSD-2-Clause */
/* Captured frames as pcapng. Pure. Source: draft-ietf-opsawg-pcapng. */
#ifndef CONTROL_CLI_PCAPNG_H
#define CONTROL_CLI_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PCAPNG_INTERFACES_MAX 80
#define PCAPNG_NAME_SIZE 16

struct pcapng {
    FILE *out;
    uint32_t snaplen;
    unsigned int nr_interfaces;
    char names[PCAPNG_INTERFACES_MAX][PCAPNG_NAME_SIZE];
    int64_t counts_ms; /* when counts were written last, or would have been */
    uint64_t nr_seen, nr_missed; /* which */
};

/* The file's head, and a first interface: a file without one is refused by readers. */
void pcapng_begin(struct pcapng *pcapng, FILE *out, uint32_t snaplen, const char *interface);

/*
 * A frame; its interface is described first if it is new.
 *
 *   time_ns    since 1970
 *   direction  1: in, 2: out, of the interface
 */
void pcapng_frame(struct pcapng *pcapng, const char *interface, uint64_t time_ns,
                  uint32_t direction, const void *bytes, uint32_t caplen, uint32_t len);

/* How many frames passed the filter, and how many of them were missed; of all interfaces together, at the first. */
void pcapng_counts(struct pcapng *pcapng, uint64_t time_ns, uint64_t nr_seen, uint64_t nr_missed);

/* How long a reader of a capture that still runs waits for its counts. */
#define PCAPNG_COUNTS_MS 2000

/*
 * The same while frames are still captured, to be called often: written if PCAPNG_COUNTS_MS have passed since it
 * was last looked at, and a count is another one than in the block before.
 *
 *   ticks_ms  a clock that nobody sets
 *
 * Returns whether a block was written.
 */
bool pcapng_counts_due(struct pcapng *pcapng, int64_t ticks_ms, uint64_t time_ns, uint64_t nr_seen,
                       uint64_t nr_missed);

#endif
